"""One participant of a rehearsal on their way through the trial, and what the script asks of the model of people.

The rule that must stay true: an outcome follows from what was given, not from what was drawn: until the first infusion
every arm looks alike, and whoever is never infused stays so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from equipoise.capture.evolve import Place
from equipoise.ledger.entries import Datum
from equipoise.protocol.windows import date_of, day_of
from equipoise.simulation.people import DiaryEntry
from equipoise.simulation.rehearsal.stage import Stopped

Ending = Literal["WITHDRAWAL BY SUBJECT", "LOST TO FOLLOW-UP", "DEATH"]
"""How participation ends early (CDISC NCOMPLT)."""


@dataclass(frozen=True, slots=True)
class Filled:
    """One form with its answers. `row`: it is a row of a running list, which stands by that number in the list."""

    form: str
    repeat: int
    items: Mapping[str, Datum]
    row: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """What a participant's answers may depend on: dates that came to pass, and the arm whose product was given."""

    today: dt.date
    screened: dt.date
    doses: tuple[dt.date, ...] = ()
    arm: str = ""


class Participant(Protocol):
    """A virtual participant, as the model of people draws one."""

    @property
    def site(self) -> str:
        """Where the person comes to."""

    @property
    def arrives(self) -> int:
        """The day of screening, counted from the day on which the first site opened."""

    @property
    def wait(self) -> int:
        """Days from screening to day 1."""

    @property
    def fails(self) -> str:
        """The criterion by which screening fails; empty for who is eligible."""

    @property
    def lacks_capacity(self) -> bool:
        """Whether a legal representative signs."""

    @property
    def ends(self) -> tuple[Ending, int] | None:
        """How and on which study day participation ends early; None where it does not."""

    def born(self, screened: dt.date) -> dt.date:
        """The date of birth."""

    def misses(self, visit: str) -> bool:
        """Whether a visit does not take place."""

    def shift(self, visit: str) -> int:
        """Days that a visit is early (below 0) or late."""

    def dosed(self, dose: str) -> bool:
        """Whether a planned dose is given."""

    def share(self, visit: str, at: Moment) -> int:
        """The share (%) that is given of the dose of a visit, which is the last of `at.doses`."""

    def filled(self, visit: str, at: Moment) -> Sequence[Filled]:
        """Everything that is answered at a visit, rows of running lists that became known since included."""

    def weight(self, at: Moment) -> str:
        """Body weight in kg, as it is written on a request for a dose."""

    def diary(self, form: str, day: dt.date, at: Moment) -> DiaryEntry | None:
        """What is tapped into a form of the diary about a day, and by whom; None where nothing is."""

    def begins(self, form: str, day: dt.date, at: Moment) -> bool:
        """Whether something happens on a day after which a form of the diary is begun."""


@dataclass
class Case:
    """A participant at the stage. `index` is that of the model; dates are those of the site."""

    index: int
    person: Participant
    name: str
    screened: dt.date
    subject: str = ""
    number: str = ""
    arm: str = ""
    """The arm whose product was given; empty before the first infusion."""
    randomized: dt.date | None = None
    doses: list[dt.date] = field(default_factory=list)
    over: bool = False
    """Participation has ended: nothing more is planned."""
    saved: dict[Place, dict[str, Datum]] = field(default_factory=dict)
    """What the sources say of every form that was typed: place -> item -> answer."""
    left_out: dict[Place, set[str]] = field(default_factory=dict)
    """Items whose question did not apply by what had been typed: the source has an answer all the same."""
    broken: bool = False
    """The code was broken."""
    guesses: dict[Place, str] = field(default_factory=dict)
    """Where somebody was asked what was given, and what they said."""

    @property
    def site(self) -> str:
        """Where the participant comes to."""
        return self.person.site

    @property
    def day_one(self) -> dt.date | None:
        """The day that study days count from: the first infusion, or else the randomization."""
        return self.doses[0] if self.doses else self.randomized

    def date_of(self, day: int) -> dt.date:
        """The date of a study day. Raises Stopped before there is a day 1."""
        if self.day_one is None:
            raise Stopped(f"{self.number} has no day 1", ())
        return date_of(day, self.day_one)

    def study_day(self, date: dt.date) -> int:
        """The study day of a date. Raises Stopped before there is a day 1."""
        if self.day_one is None:
            raise Stopped(f"{self.number} has no day 1", ())
        return day_of(date, self.day_one)

    def moment(self, today: dt.date) -> Moment:
        """What answers may depend on, on a day."""
        return Moment(today, self.screened, tuple(self.doses), self.arm)


_FAMILY = ("王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林")
_GIVEN = (
    "建国",
    "秀英",
    "志强",
    "桂兰",
    "明",
    "丽华",
    "国庆",
    "玉梅",
    "伟",
    "淑珍",
    "文斌",
    "春燕",
    "德胜",
    "红霞",
)


def made_up_name(index: int) -> str:
    """A made-up name; another for each of the first few hundred people."""
    count, family = divmod(index, len(_FAMILY))
    again, given = divmod(count, len(_GIVEN))
    return (
        _FAMILY[family]
        + _GIVEN[(given + index) % len(_GIVEN)]
        + (_GIVEN[again % len(_GIVEN)][0] if again else "")
    )
