"""When a visit is planned: study days as dates, and whether a date lies inside the window.

The rules that must stay true: day 1 is the anchor and there is no day 0, so day -1 is the day before; both ends of a
window belong to it. A visit without a day (unscheduled, early termination) has no plan. A date outside a window is
a fact to record and to flag, never to refuse. Source: SDTMIG 4.4.4.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from equipoise.protocol.study import Visit
from equipoise.words.dates import PartialDate

Timing = Literal["early", "inside", "late"]


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


def date_of(day: int, anchor: dt.date) -> dt.date:
    """The calendar date of a study day. Raises ValueError for day 0, which does not exist."""
    if day == 0:
        raise ValueError("there is no study day 0")
    return anchor + dt.timedelta(days=day - 1 if day > 0 else day)


def day_of(date: dt.date, anchor: dt.date) -> int:
    """The study day of a calendar date."""
    days = (date - anchor).days
    return days + 1 if days >= 0 else days


def plan_visit(visit: Visit, anchor: dt.date) -> Plan:
    """When the visit is planned, counted from the anchor (day 1)."""
    window = visit.window
    return Plan(
        None if visit.day is None else date_of(visit.day, anchor),
        None if window is None else date_of(window[0], anchor),
        None if window is None else date_of(window[1], anchor),
    )
