"""A subject's visits as they stand: which there are, when each is planned, and the one state that each is in.

The rule that must stay true: the state of a visit is worked out here, by `protocol.windows` over what was recorded and
the facts, and nowhere else: matrix, visit page, Today and every document show this one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from equipoise.capture.evolve import Miss, VisitDate
from equipoise.desk.standing import Standing
from equipoise.protocol.study import Visit
from equipoise.protocol.windows import REMOTE, Plan, VisitRecord, VisitState, plan_visit, state_of


@dataclass(frozen=True, slots=True)
class Visited:
    """One visit of a subject: which repetition, its plan, its state, and what was recorded of it."""

    visit: Visit
    repeat: int
    plan: Plan
    state: VisitState
    dated: VisitDate | None = None
    miss: Miss | None = None

    @property
    def on(self) -> date | None:
        """The day on which it took place."""
        return date.fromisoformat(self.dated.on) if self.dated is not None else None

    @property
    def mode(self) -> str:
        """How it was held, or is to be."""
        return (self.dated.mode if self.dated is not None else "") or self.visit.mode


def visit_now(now: Standing, visit: Visit, repeat: int = 1) -> Visited:
    """One visit as it stands on the day at the site."""
    place = (visit.id, repeat)
    dated, miss = now.case.capture.dates.get(place), now.case.capture.missed.get(place)
    on = date.fromisoformat(dated.on) if dated is not None else None
    day_one, recorded = now.facts.day_one, VisitRecord(on, missed=miss is not None)
    ended = now.facts.out_of_reach if visit.mode in REMOTE else now.facts.left
    state = state_of(visit, day_one, recorded, now.today, ended=ended)
    return Visited(visit, repeat, plan_visit(visit, day_one), state, dated, miss)


def visits_of(now: Standing, hidden: Collection[str] = ()) -> tuple[Visited, ...]:
    """Every visit that has a day, and others once something not on a `hidden` form was recorded there, in order.

    An unscheduled visit stands once for each time it was held, or had a form saved.
    """
    case, in_force = now.case.capture, {visit.id for visit in now.trial.study.schedule.visits}
    used = {(place.visit, place.repeat) for place in case.forms if place.form not in hidden} | {*case.dates}
    known = {visit for visit, _ in used}
    found: list[Visited] = []
    for visit in now.trial.record.schedule.visits:
        if visit.unscheduled:
            repeats = sorted(repeat for name, repeat in used if name == visit.id)
        else:
            planned = visit.day is not None and visit.id in in_force
            repeats = [1] if planned or visit.id in known else []
        found.extend(visit_now(now, visit, repeat) for repeat in repeats)
    return tuple(found)


def next_extra(now: Standing, visit: Visit) -> int:
    """The repetition that an unscheduled visit has next."""
    return max((repeat for name, repeat in now.case.capture.dates if name == visit.id), default=0) + 1
