"""When a visit is planned, and whether a date lies in its window. Pure functions of dates.

The rule that must stay true: the anchor is day 1 and there is no day 0: the day before the anchor is day -1, as
in SDTM study days. A date outside a window is a fact to record and to flag, never to refuse.
Source: CDISC SDTMIG, study day variables (--DY).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from equipoise.protocol.study import Visit
from equipoise.words.dates import PartialDate

WindowState = Literal["early", "inside", "late", "open", "unclear"]
"""`open`: the visit has no window. `unclear`: the date is not complete enough to tell."""


@dataclass(frozen=True, slots=True)
class PlannedVisit:
    """The planned day and the first and last day of the window; None where the definition gives none."""

    visit: str
    day: dt.date | None
    first: dt.date | None
    last: dt.date | None


def on_study_day(anchor: dt.date, day: int) -> dt.date | None:
    """The calendar date of a study day; None for day 0, which does not exist, and beyond the calendar."""
    if day == 0:
        return None
    try:
        return anchor + dt.timedelta(days=day - 1 if day > 0 else day)
    except OverflowError:
        return None


def study_day(anchor: dt.date, date: dt.date) -> int:
    """The study day of a calendar date: the anchor is day 1, the day before it day -1."""
    apart = (date - anchor).days
    return apart + 1 if apart >= 0 else apart


def plan_visit(visit: Visit, anchor: dt.date) -> PlannedVisit:
    """The planned date and window of a visit when day 1 is `anchor`."""
    day = None if visit.day is None else on_study_day(anchor, visit.day)
    first, last = (None, None) if visit.window is None else visit.window
    return PlannedVisit(
        visit.id,
        day,
        None if first is None else on_study_day(anchor, first),
        None if last is None else on_study_day(anchor, last),
    )


def window_state(planned: PlannedVisit, date: PartialDate) -> WindowState:
    """Where a date lies relative to the window."""
    if planned.first is None or planned.last is None:
        return "open"
    if date.latest < planned.first:
        return "early"
    if date.earliest > planned.last:
        return "late"
    return "inside" if planned.first <= date.earliest and date.latest <= planned.last else "unclear"
