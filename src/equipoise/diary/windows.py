"""When each form of the diary is due: pure functions of the definition, study day 1, the zone, and when it all ends.

The rules that must stay true: a form and the day on which its period ends name a slot, and nothing else does; the
windows of one form follow each other without gap or overlap, also where a clock is put forward or back, because both
ends are hours of the participant's wall clock; nothing here knows an arm.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from equipoise.ledger.facts import Facts
from equipoise.protocol.diary import Cadence, DiaryForm, DiaryPlan
from equipoise.protocol.windows import date_of, day_of


@dataclass(frozen=True, slots=True)
class Slot:
    """One due entry: the form, the day (ISO) on which its period ends, and its window, both ends in UTC."""

    form: str
    period: str
    opens: dt.datetime
    closes: dt.datetime


def slots(
    plan: DiaryPlan, day_one: dt.date | None, zone: str, ended: dt.date | None = None
) -> tuple[Slot, ...]:
    """Every slot of the diary, in the order in which they open. `ended`: nothing that opens after this day is due."""
    if day_one is None:
        return ()
    found = [slot for form in plan.forms for slot in _of(form, day_one, zone, ended)]
    return tuple(sorted(found, key=lambda slot: (slot.opens, slot.form)))


def slot_of(
    plan: DiaryPlan, form: str, period: str, day_one: dt.date | None, zone: str, ended: dt.date | None = None
) -> Slot | None:
    """The slot of a form and a period, or None where nothing is due."""
    known = plan.form(form)
    if known is None or known.cadence is None or day_one is None:
        return None
    try:
        ends, when = dt.date.fromisoformat(period), known.cadence
    except ValueError:
        return None
    day, first = day_of(ends, day_one), when.first_day + when.days - 1
    due = first <= day <= when.last_day and (day - first) % when.days == 0
    return _slot(known.id, when, ends, zone) if due and (ended is None or ends <= ended) else None


def _of(form: DiaryForm, day_one: dt.date, zone: str, ended: dt.date | None) -> Iterator[Slot]:
    when = form.cadence
    if when is None:
        return
    day = when.first_day + when.days - 1
    while day <= when.last_day:
        period = date_of(day, day_one)
        if ended is not None and period > ended:
            return
        yield _slot(form.id, when, period, zone)
        day += when.days


def _slot(form: str, when: Cadence, period: dt.date, zone: str) -> Slot:
    hour, closing = dt.time.fromisoformat(when.opens), period + dt.timedelta(days=when.open_days)
    return Slot(form, period.isoformat(), _instant(period, hour, zone), _instant(closing, hour, zone))


def _instant(day: dt.date, hour: dt.time, zone: str) -> dt.datetime:
    """The moment (UTC) at which the wall clock shows an hour. Shown twice: the first time; never: as if the clock had
    not been put forward (PEP 495, fold 0)."""
    return dt.datetime.combine(day, hour, ZoneInfo(zone)).astimezone(dt.UTC)


def last_day(facts: Facts) -> dt.date | None:
    """The last day of the diary: the end of participation, or the day on which contact was ended; None while open."""
    days = [facts.contact_ended_on, facts.participation_ended[1] if facts.participation_ended else None]
    known = [dt.date.fromisoformat(day) for day in days if day is not None and len(day) == 10]
    return min(known, default=None)
