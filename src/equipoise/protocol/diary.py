"""The diary as a study plans it: what participants and caregivers are asked, when, by whom, and what is a red flag.

The rules that must stay true: nothing here depends on an arm; a caregiver is never asked what only the participant can
feel (`proxy: false`); every wording is the study's own, in every language of the study. Days are study days (no day 0),
hours are of the participant's wall clock, and a window of whole days closes at the hour at which it opened, so that the
windows of one form follow each other without gap or overlap also where a clock is put forward or back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from equipoise.protocol.elements import Element, Name, Part, Words
from equipoise.words.text import Text

ItemName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{0,7}$")]
"""An item of the diary is an SDTM test: its name is QSTESTCD, at most eight characters."""
Hour = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9][A-Z0-9_]{0,15}$")]
"""What an option or an answer is kept as."""
Reporter = Literal["PARTICIPANT", "ASSISTED", "CAREGIVER"]
"""Who answers: the participant; the participant, with somebody helping to tap; a caregiver, of what was seen."""
REPORTERS: tuple[Reporter, ...] = ("PARTICIPANT", "ASSISTED", "CAREGIVER")
Kind = Literal["choice", "yesno", "nrs", "number", "many"]
YES, NO = "Y", "N"
PERIOD = "{period}"
"""Stands in a question for the form's own words for its period."""


class DiaryOption(Part):
    """One answer that can be tapped. `picture` names a pictogram of the phone page."""

    id: Code
    label: Words
    picture: Name | None = None


class AskedIf(Part):
    """An item is asked only where an earlier item of the form was answered with one of these."""

    item: ItemName
    one_of: tuple[Code, ...]


class DiaryItem(Element):
    """One question. `label` is its name in tables (QSTEST); `question` and `observed` may hold `{period}`.

    kind: `choice` (one option), `yesno` (Y, N), `nrs` (0 to 10), `number` (from `low` to `high` by `step`, whole
    numbers), `many` (any options; the first one taken alone says none where `none` names it). observed: the wording for
    a caregiver, who is asked only where `proxy`. flag: answers that are red flags; `flag_from`: numbers from here on.
    """

    id: ItemName
    label: Words
    kind: Kind
    question: Words
    helper: Words | None = None
    observed: Words | None = None
    options: tuple[DiaryOption, ...] = ()
    none: Code | None = None
    low: int = 0
    high: int = 10
    step: int = Field(default=1, ge=1)
    low_label: Words | None = None
    high_label: Words | None = None
    unit: Words | None = None
    proxy: bool = True
    asked_if: AskedIf | None = None
    flag: tuple[Code, ...] = ()
    flag_from: int | None = None
    picture: Name | None = None

    def flagged(self, value: str) -> bool:
        """Whether an answer, as it is kept, is a red flag."""
        if self.flag_from is not None and value.isdecimal():
            return int(value) >= self.flag_from
        return not frozenset(value.split(" ")).isdisjoint(self.flag)

    def asks(self, reporter: str, period: Text) -> Text:
        """The question in the words for who answers and for the form's period."""
        words = self.observed if reporter == "CAREGIVER" and self.observed is not None else self.question
        return Text(words.en.replace(PERIOD, period.en), words.say("zh").replace(PERIOD, period.say("zh")))


class DiarySection(Element):
    """Items that belong together: one topic, asked on one page where the setting is grouped pages."""

    id: Name
    label: Words
    items: tuple[DiaryItem, ...]


class Cadence(Element):
    """When a form is due. From study day `first_day` on, a period of `days` ends every `days` days, the last one not
    after `last_day`. Its window opens at `opens` of the day on which the period ends and closes `open_days` later, at
    the same hour.
    """

    days: int = Field(ge=1)
    first_day: int = Field(ge=1)
    last_day: int = Field(ge=1)
    opens: Hour
    open_days: int = Field(ge=1)


class DiaryForm(Element):
    """One form of the diary. `cadence` None: an entry for an event, made at any time. `sections` are asked in order.

    period: the form's own words for the time that it asks about ("Today", "In the past 7 days").
    """

    id: Name
    label: Words
    period: Words
    sections: tuple[Name, ...]
    cadence: Cadence | None = None
    picture: Name | None = None


class Reminders(Element):
    """`hour`: of the wall clock, where the participant chose no other; again `again_hours` later; the caregiver after
    `caregiver_days` and the site after `site_days` days without an entry. The text names no illness and no study.
    """

    hour: Hour = "19:00"
    again_hours: int = Field(default=4, ge=1)
    caregiver_days: int = Field(default=1, ge=1)
    site_days: int = Field(default=3, ge=1)
    text: Words | None = None


class Compliance(Element):
    """Entries made in time / entries due, in percent: what is aimed at, below what the site is told, and after how many
    in a row that are missing.
    """

    target_percent: int = Field(default=80, ge=0, le=100)
    alert_percent: int = Field(default=70, ge=0, le=100)
    missed_in_a_row: int = Field(default=3, ge=1)


class Emergency(Element):
    """What a red flag shows at once."""

    number: str = "120"
    advice: Words | None = None
    not_watched: Words | None = None


class Invitation(Element):
    """How long a code to set up a phone counts, in days, and after how many wrong PINs it counts no more."""

    days: int = Field(default=14, ge=1)
    wrong_pins: int = Field(default=5, ge=1)


class DiaryPlan(Element):
    """The diary of a study; without forms the study has none.

    category: QSCAT of its rows. answers: who may answer, first choice first.
    """

    label: Words | None = None
    category: str = Field(default="STUDY DIARY", max_length=40)
    answers: tuple[Reporter, ...] = REPORTERS
    forms: tuple[DiaryForm, ...] = ()
    sections: tuple[DiarySection, ...] = ()
    reminders: Reminders = Reminders()
    compliance: Compliance = Compliance()
    emergency: Emergency = Emergency()
    invitation: Invitation = Invitation()

    def form(self, form_id: str) -> DiaryForm | None:
        """The form of that id, or None."""
        return next((form for form in self.forms if form.id == form_id), None)

    def items(self, form: DiaryForm) -> Iterator[DiaryItem]:
        """The items of a form, in the order in which they are asked."""
        known = {section.id: section for section in self.sections}
        for name in form.sections:
            if name in known:
                yield from known[name].items

    def asked(self, form: DiaryForm, reporter: str) -> tuple[DiaryItem, ...]:
        """The items of a form that somebody answering as `reporter` may be asked."""
        return tuple(item for item in self.items(form) if reporter != "CAREGIVER" or item.proxy)
