"""One virtual participant: who comes, with what, and what would be written about them on any day and in either arm.

The rules that must stay true: everything is a pure function of model, study, scenario, seed and index; participant k is
the same whatever their number; between arms only the effect of the treatment differs. Nothing here knows a trial: the
model file and the study say what is asked and answered.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from equipoise.ledger.entries import RangeRow
from equipoise.protocol.study import Study
from equipoise.simulation.people.answering import (
    Answers,
    Background,
    answer_form,
    answer_items,
    asked_only,
    text_of,
)
from equipoise.simulation.people.arrivals import arrive
from equipoise.simulation.people.chances import Chances
from equipoise.simulation.people.course import Course, course_of
from equipoise.simulation.people.definition import Failure, PeopleModel
from equipoise.simulation.people.diary import DiaryEntry, diary_entry
from equipoise.simulation.people.events import VirtualEvent, draw_events, marks_on
from equipoise.simulation.people.formula import Value
from equipoise.simulation.people.moments import NEVER, Lived, Nature
from equipoise.simulation.people.natures import draw_failing
from equipoise.simulation.people.running import draw_logs
from equipoise.words.problem import Problem

HALF = 50
"""The share (%) of a dose that a reaction stops."""
_At = tuple[str, dt.date, Lived | None]
"""A visit, its day, and what was done with the person."""
Key = TypeVar("Key")
Kept = TypeVar("Kept")
_REMEMBERED = 4
"""How many moments of a person are kept: one visit is asked about several times, and then no more."""
Forms = Mapping[str, tuple[Answers, ...]]
"""Form id -> the answers of each repetition, from 1 on."""


@dataclass(frozen=True)
class VirtualParticipant:
    """A person who comes to a site. Dates are real dates, counted from the day on which the first site opened.

    arrives_day: days from that day to screening. screened_on: the date of screening. fails: the criterion that is not
    met, or None. course: what becomes of the person if nothing in the trial goes wrong.
    """

    index: int
    site: str
    arrives_day: int
    screened_on: dt.date
    fails: str | None
    course: Course
    nature: Nature = field(repr=False)
    failure: Failure | None = field(repr=False)
    _events: dict[Lived, tuple[VirtualEvent, ...]] = field(default_factory=dict, repr=False, compare=False)
    _moments: dict[_At, dict[str, Value]] = field(default_factory=dict, repr=False, compare=False)
    _written: dict[_At, Forms] = field(default_factory=dict, repr=False, compare=False)

    @property
    def onset(self) -> dt.date:
        """The day of the event that brought the person to the trial."""
        return self.screened_on + dt.timedelta(days=int(float(self.nature.variables.get("onset", 0.0))))

    @property
    def sex(self) -> str | None:
        """The code of the study's input of sex, as on the form."""
        return self.answer(self.nature.study.reference_ranges.sex or "")

    @property
    def birth(self) -> str | None:
        """The date of birth, as on the form."""
        study = self.nature.study
        return self.answer(study.reference_ranges.birth or study.schedule.born or "")

    @property
    def caregiver(self) -> bool:
        """Whether the person has somebody who helps."""
        return bool(self.nature.variables.get("caregiver", 0.0))

    @property
    def lacks_capacity(self) -> bool:
        """Whether a representative signs: the variable of that name at screening; no where there is none."""
        first = self.nature.study.schedule.visits[0].id
        return bool(self.moment(first, self.screened_on, None).get("lacks_capacity", 0.0))

    @property
    def day_one(self) -> dt.date:
        """The day planned for randomization and the first dose."""
        return self.screened_on + dt.timedelta(days=self.course.wait)

    def answer(self, name: str) -> str | None:
        """What was written at screening for an input of the study."""
        return text_of(Background(self.nature.study, self.screened_on, self.screening), name)

    @cached_property
    def screening(self) -> Forms:
        """Every form of the first visit."""
        return self._forms(self.nature.study.schedule.visits[0].id, self.screened_on, None, ())

    def visit(self, visit: str, on: dt.date, lived: Lived, ranges: tuple[RangeRow, ...] = ()) -> Forms:
        """What is written on the forms of a visit that is held `on` a day, without what could tell the arm.

        Running lists are not among them (`logs`). ranges: the laboratory's own, where the site gave some.
        """
        forms = self._forms(visit, on, lived, ranges) if ranges else self._once(visit, on, lived)
        return _of_kind(self.nature.study, forms, revealing=False)

    def results(self, visit: str, on: dt.date, lived: Lived) -> Forms:
        """The values of the same forms that could tell the arm: what is reported behind the second door."""
        return _of_kind(self.nature.study, self._once(visit, on, lived), revealing=True)

    def _once(self, visit: str, on: dt.date, lived: Lived | None) -> Forms:
        return _remembered(self._written, (visit, on, lived), lambda: self._forms(visit, on, lived, ()))

    def events(self, lived: Lived) -> tuple[VirtualEvent, ...]:
        """Every adverse event of twelve months, in the order of onset, until participation ends."""
        return _remembered(self._events, lived, lambda: draw_events(self.nature, self.course, lived))

    def logs(self, on: dt.date, lived: Lived | None) -> Forms:
        """The rows of every running list as they stand on a day, in the order in which the site learned of them.

        A row keeps its position, and changes when what it is about ends.
        """
        return draw_logs(
            self.nature, self.events(lived) if lived is not None else (), on, self._scope("LOG", on, lived)
        )

    def diary(self, form: str, on: dt.date, lived: Lived) -> DiaryEntry | None:
        """What is answered in a form of the diary about a day, and by whom; None where no entry is made."""
        return diary_entry(self.nature, form, on, self._scope("DIARY", on, lived))

    def moment(self, visit: str, on: dt.date, lived: Lived | None) -> Mapping[str, Value]:
        """The variables of the model at a visit, by name: what its forms are written from."""
        return self._scope(visit, on, lived)

    def dose_share(self, visit: str, on: dt.date, lived: Lived) -> int:
        """The share (%) of the dose of a visit that is given on a day: 0 where it is missed, 100 where nothing happens.

        `lived.doses` holds that day too. A reaction that stops an infusion (the mark `stops`) stops it half-way.
        """
        supply = self.nature.study.supply
        dose = (
            next((one.id for one in supply.doses if one.visit == visit), None) if supply is not None else None
        )
        if dose is None or on not in lived.doses:
            return 0
        share = self.course.doses.get(dose, 0)
        stopped = marks_on(self.nature, self.events(lived), self.nature.day(on)).get("stops", 0.0)
        return min(share, HALF) if stopped else share

    def study_day(self, on: dt.date, lived: Lived | None) -> int:
        """The study day of a date: day 1 is the first dose, or the day planned for it; there is no day 0."""
        days = (on - self._first(lived)).days
        return days + 1 if days >= 0 else days

    def _first(self, lived: Lived | None) -> dt.date:
        return lived.doses[0] if lived is not None and lived.doses else self.day_one

    def _scope(self, visit: str, on: dt.date, lived: Lived | None) -> Mapping[str, Value]:
        return _remembered(self._moments, (visit, on, lived), lambda: self._moment(visit, on, lived))

    def _moment(self, visit: str, on: dt.date, lived: Lived | None) -> dict[str, Value]:
        events = self.events(lived) if lived is not None else ()
        scope = self.nature.at(visit, on, lived, marks_on(self.nature, events, self.nature.day(on)))
        planned = [each for each in self.nature.study.schedule.visits if each.day is not None]
        last = planned[-1] if planned else None
        end = self.course.end
        first = self.nature.day(self._first(lived))
        held_last = last is not None and visit == last.id
        outcome = self.course.outcome_by(self.study_day(on, lived), final=held_last)
        given = float(self.dose_share(visit, on, lived)) if lived is not None else 0.0
        return {
            **scope,
            "given": given,
            "outcome": outcome,
            "ended": NEVER if end is None else float(first + end[1] - 1),
        }

    def _forms(self, visit: str, on: dt.date, lived: Lived | None, ranges: tuple[RangeRow, ...]) -> Forms:
        study, model = self.nature.study, self.nature.model
        found: dict[str, tuple[Answers, ...]] = {}
        known = {} if visit == study.schedule.visits[0].id else self.screening
        scope = self._scope(visit, on, lived)
        place = self.nature.chances.at(self.nature.place(visit, on))
        for form_id in _forms_at(study, visit):
            form, answered = study.form(form_id), model.forms.get(form_id)
            if form is None or answered is None or form.log is not None:
                continue
            background = Background(study, self.nature.zero, {**known, **found}, ranges)
            rows = answer_form(background, form, answered, scope, place)
            found[form_id] = tuple(self._failed(background, form_id, row, scope) for row in rows)
        return {form: rows for form, rows in found.items() if rows}

    def _failed(
        self, background: Background, form_id: str, row: Answers, scope: Mapping[str, Value]
    ) -> Answers:
        """The answers of somebody who fails screening, where the reason is an answer of its own."""
        other = self.failure.items.get(form_id) if self.failure is not None else None
        form = background.study.form(form_id)
        if other is None or form is None:
            return row
        drawn = answer_items(background, form, other, scope, self.nature.chances.at(f"fails:{form_id}"))
        return asked_only(background, form, {**row, **drawn.answers})


def _remembered(kept: dict[Key, Kept], key: Key, make: Callable[[], Kept]) -> Kept:
    """What was worked out for a key, or is now; the oldest is forgotten."""
    if key not in kept:
        if len(kept) >= _REMEMBERED:
            del kept[next(iter(kept))]
        kept[key] = make()
    return kept[key]


def _forms_at(study: Study, visit: str) -> Iterator[str]:
    """The forms of a visit, each once. At a visit without a plan what is optional is left out."""
    planned = study.visit(visit)
    found = dict.fromkeys(
        form
        for activity in study.schedule.activities
        if visit in activity.visits
        and not (activity.optional and planned is not None and planned.day is None)
        for form in activity.forms
    )
    yield from found


def _of_kind(study: Study, forms: Forms, *, revealing: bool) -> Forms:
    """The answers that could tell the arm, or the others; forms without any are left out."""
    found = {}
    for form_id, rows in forms.items():
        form = study.form(form_id)
        hidden = (
            {item.id for item in form.items if item.blinding == "revealing"} if form is not None else set()
        )
        parts = tuple(
            {item: datum for item, datum in row.items() if (item in hidden) is revealing} for row in rows
        )
        if any(parts):
            found[form_id] = parts
    return found


def draw_participant(
    model: PeopleModel, study: Study, scenario: str, seed: int, index: int, opens: dt.date
) -> VirtualParticipant | Problem:
    """Participant number `index` (from 0) of a rehearsal whose first site opens on a day.

    A Problem where the scenario is not in the model, or where the model finds nobody who is eligible.
    """
    day, site = arrive(model.accrual, [one.id for one in study.sites], seed, index)
    zero = opens + dt.timedelta(days=day)
    found = draw_failing(model, study, scenario, Chances(seed, str(index)), (site, zero))
    if isinstance(found, Problem):
        return found
    nature, failure = found
    criterion = failure.criterion if failure is not None else None
    return VirtualParticipant(index, site, day, zero, criterion, course_of(nature), nature, failure)
