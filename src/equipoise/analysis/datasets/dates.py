"""Days of a trial: from texts as SDTM has them to study days, where they are known to the day.

The rule that must stay true: there is no day 0; a date that is not known to the day has no study day. Source: CDISC
SDTMIG 3.4, 4.4.4.
"""

from __future__ import annotations

import datetime as dt

from equipoise.analysis.datasets.table import Cell

_WHOLE = len("2026-01-01")


def day_of(cell: Cell) -> dt.date | None:
    """The calendar day of an ISO 8601 text; None where it is partial, or nothing."""
    text = str(cell or "")[:_WHOLE]
    try:
        return dt.date.fromisoformat(text) if len(text) == _WHOLE else None
    except ValueError:
        return None


def study_day(cell: Cell, reference: Cell) -> int | None:
    """The study day: 1 is the day of reference, -1 the day before."""
    day, first = day_of(cell), day_of(reference)
    if day is None or first is None:
        return None
    apart = (day - first).days
    return apart + 1 if apart >= 0 else apart


def may_be_since(cell: Cell, reference: Cell) -> bool:
    """Whether something that began then may have begun on the day of reference or later; a partial date may have."""
    text, first = str(cell or ""), str(reference or "")[:_WHOLE]
    if not first:
        return False
    return not text or text[:_WHOLE] >= first[: min(len(text), _WHOLE)]


def minutes_between(first: Cell, last: Cell) -> int | None:
    """Whole minutes between two moments of one clock (ISO 8601); None where either has no time of day."""
    if not (isinstance(first, str) and isinstance(last, str) and "T" in first and "T" in last):
        return None
    return round((dt.datetime.fromisoformat(last) - dt.datetime.fromisoformat(first)).total_seconds() / 60)
