"""When a visit is planned, and how it stands: study days as dates, windows, and the state of a visit.

The rules that must stay true: day 1 is the anchor and there is no day 0, so day -1 is the day before; both ends of a
window belong to it. A visit without a day (unscheduled, early termination) has no plan. A date outside a window is
a fact to record and to flag, never to refuse. A visit is in exactly one state, and every page shows that one.
Pure: the definition, the anchor, what was recorded and the day at the site are all that counts.
Sources: SDTMIG 4.4.4 (study days); ICH E6(R3) 4.2 (what was done is recorded as it was).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from equipoise.protocol.forms import Form
from equipoise.protocol.study import Study, Visit
from equipoise.words.dates import PartialDate

Timing = Literal["early", "inside", "late"]
VisitState = Literal[
    "WAITING",
    "NOT_DUE",
    "DUE",
    "OVERDUE",
    "EARLY",
    "IN_WINDOW",
    "LATE",
    "HELD",
    "MISSED",
    "NO_LONGER_DUE",
    "ON_DEMAND",
]
"""WAITING: day 1 is not known yet. NOT_DUE, DUE, OVERDUE: before, in, after its window, and nothing recorded.
EARLY, IN_WINDOW, LATE: it took place, and when; HELD: it took place and has no window. MISSED: recorded as missed.
NO_LONGER_DUE: participation ended before anything was recorded. ON_DEMAND: it has no day and takes place if need be.
"""
OPEN: frozenset[VisitState] = frozenset({"WAITING", "NOT_DUE", "DUE", "OVERDUE"})
"""Nothing was recorded, and something is still to be."""
HELD: frozenset[VisitState] = frozenset({"EARLY", "IN_WINDOW", "LATE", "HELD"})
"""It took place."""
_TOOK_PLACE: Mapping[Timing, VisitState] = {"early": "EARLY", "inside": "IN_WINDOW", "late": "LATE"}
REMOTE = frozenset({"phone", "remote"})
"""Modes in which the participant is not present."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The planned date of a visit and the first and last date of its window; None where the schedule names none."""

    day: dt.date | None
    first: dt.date | None
    last: dt.date | None

    def timing(self, on: dt.date | PartialDate) -> Timing | None:
        """Where a date lies; None without a window, or where an incomplete date may lie on either side of an end."""
        if self.first is None or self.last is None:
            return None
        known = on if isinstance(on, PartialDate) else PartialDate.of(on)
        if known.latest < self.first:
            return "early"
        if known.earliest > self.last:
            return "late"
        return "inside" if self.first <= known.earliest and known.latest <= self.last else None

    def days_outside(self, on: dt.date) -> int:
        """How many days a date lies before (negative) or after (positive) the window; 0 inside, or without one."""
        if self.first is not None and on < self.first:
            return (on - self.first).days
        if self.last is not None and on > self.last:
            return (on - self.last).days
        return 0


NO_PLAN = Plan(None, None, None)


@dataclass(frozen=True, slots=True)
class VisitRecord:
    """What was recorded of a visit: the day on which it took place, or that it was missed; neither while it is open."""

    on: dt.date | None = None
    missed: bool = False


NOTHING_RECORDED = VisitRecord()


def date_of(day: int, anchor: dt.date) -> dt.date:
    """The calendar date of a study day. Raises ValueError for day 0, which does not exist."""
    if day == 0:
        raise ValueError("there is no study day 0")
    return anchor + dt.timedelta(days=day - 1 if day > 0 else day)


def day_of(date: dt.date, anchor: dt.date) -> int:
    """The study day of a calendar date."""
    days = (date - anchor).days
    return days + 1 if days >= 0 else days


def plan_visit(visit: Visit, anchor: dt.date | None) -> Plan:
    """When the visit is planned, counted from the anchor (day 1); no plan while that is not known."""
    if anchor is None:
        return NO_PLAN
    window = visit.window
    return Plan(
        None if visit.day is None else date_of(visit.day, anchor),
        None if window is None else date_of(window[0], anchor),
        None if window is None else date_of(window[1], anchor),
    )


def day_one(study: Study, first_dose: dt.date | None, randomized: dt.date | None) -> dt.date | None:
    """Day 1: the first of the study's records that there is; None while there is none."""
    known = {"FIRST_DOSE": first_dose, "RANDOMIZATION": randomized}
    return next((known[name] for name in study.schedule.day_one if known[name] is not None), None)


def state_of(
    visit: Visit, anchor: dt.date | None, recorded: VisitRecord, today: dt.date, *, ended: bool
) -> VisitState:
    """The state of a visit on a day. `ended`: participation has ended, so that nothing more is due.

    What was recorded counts before anything else. While day 1 is not known, a visit planned before it is due.
    """
    plan = plan_visit(visit, anchor)
    if recorded.on is not None:
        timing = plan.timing(recorded.on)
        return "HELD" if timing is None else _TOOK_PLACE[timing]
    if recorded.missed:
        return "MISSED"
    if visit.day is None:
        return "ON_DEMAND"
    if ended:
        return "NO_LONGER_DUE"
    if anchor is None:
        return "DUE" if visit.day < 0 else "WAITING"
    first, last = plan.first or plan.day, plan.last or plan.day
    if first is not None and today < first:
        return "NOT_DUE"
    return "DUE" if last is None or today <= last else "OVERDUE"


def forms_asked(study: Study, visit: str, mode: str | None = None) -> tuple[Form, ...]:
    """The forms that a visit asks for in the way it is held; by phone, nothing for which somebody must be present.

    mode: how it was held, or None for how it is planned. Any planned form may be recorded all the same.
    """
    planned = study.visit(visit)
    held = mode or (planned.mode if planned is not None else "any")
    if held not in REMOTE:
        return study.forms_at(visit)
    asked = {
        form
        for activity in study.schedule.activities
        if visit in activity.visits and not activity.in_person
        for form in activity.forms
    }
    return tuple(form for form in study.forms_at(visit) if form.id in asked)
