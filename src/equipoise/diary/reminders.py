"""Reminders: what is to be sent to whom, now; and when the site is to call.

The rules that must stay true: a period is reminded of only while its window is open and nothing has come for it; each
reminder of a period goes out once; nobody is woken; a caregiver hears of a missed day only where they agreed to keep
the diary; what is said tells nothing of health, of a hospital or of a trial, because others see a locked screen;
nothing depends on the arm. Pure: the moment is an argument. Sources: ux.md 3 (11); domain.md 8.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from equipoise.diary.compliance import Standing, silence
from equipoise.diary.windows import Slot

Step = Literal["HOUR", "AGAIN", "CAREGIVER"]
"""At the hour that the person chose; once more some hours later; to a caregiver on the day after a missed one."""
QUIET_FROM, QUIET_UNTIL = dt.time(22, 30), dt.time(7)
"""Between these hours of the reader's own day nothing is sent; it waits for the morning."""


@dataclass(frozen=True, slots=True)
class Rules:
    """When to remind: hours between the first and the second; form -> after how many missed in a row a caregiver hears
    of it, and the site calls. The study's own, for each form that is due by the calendar."""

    again_hours: int
    caregiver_after: Mapping[str, int]
    site_after: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who is reminded. `holder`: as on their device. `hour`: the hour they chose; empty `gateway`: they want none."""

    holder: str
    hour: dt.time
    zone: str
    gateway: str


@dataclass(frozen=True, slots=True)
class Reminder:
    """One thing to send: which step, of which period, to whom, by which gateway, and since when it is due."""

    step: Step
    form: str
    period: str
    holder: str
    gateway: str
    due: dt.datetime

    @property
    def name(self) -> tuple[str, str, str, str]:
        """What makes it this one: it is sent once."""
        return self.step, self.form, self.period, self.holder


def plan(
    rules: Rules,
    participant: tuple[Reader | None, Sequence[Standing]],
    caregivers: Iterable[tuple[Reader, Sequence[Standing]]],
    sent: Collection[tuple[str, str, str, str]],
    now: dt.datetime,
) -> tuple[Reminder, ...]:
    """What is to be sent at `now` and was not sent yet. `sent`: the names of what was."""
    others = tuple(caregivers)
    found: list[Reminder] = []
    for reader, stood in (participant, *others):
        if reader is not None and reader.gateway:
            found += _of_own(rules, reader, stood, now)
    stood = participant[1]
    for reader, _ in others:
        if reader.gateway:
            found += _to_caregiver(rules, reader, stood, now)
    return tuple(one for one in found if one.due <= now and one.name not in sent)


def _of_own(rules: Rules, reader: Reader, stood: Sequence[Standing], now: dt.datetime) -> Iterable[Reminder]:
    """The first and the second reminder of what is open."""
    for one in stood:
        if one.state != "OPEN":
            continue
        first = chosen_moment(reader, one.period)
        moments: tuple[tuple[Step, dt.datetime], ...] = (
            ("HOUR", first),
            ("AGAIN", first + dt.timedelta(hours=rules.again_hours)),
        )
        due = [(step, awake(moment, reader.zone)) for step, moment in moments]
        in_time = [(step, at) for step, at in due if one.period.opens <= at < one.period.closes and at <= now]
        if in_time:  # after a pause only the latest: two at once would nag
            step, at = in_time[-1]
            yield Reminder(step, one.period.form, one.period.period, reader.holder, reader.gateway, at)


def _to_caregiver(
    rules: Rules, reader: Reader, stood: Sequence[Standing], now: dt.datetime
) -> Iterable[Reminder]:
    """To a caregiver, the day after the participant missed as many periods as the study says; of the latest alone."""
    closed = [one for one in stood if one.period.closes <= now]
    if not closed or closed[-1].state != "MISSED":
        return
    last = closed[-1].period
    if silence(closed) < rules.caregiver_after[last.form]:
        return
    at = awake(last.closes, reader.zone)
    if now - last.closes < dt.timedelta(days=1):
        yield Reminder("CAREGIVER", last.form, last.period, reader.holder, reader.gateway, at)


def chosen_moment(reader: Reader, period: Slot) -> dt.datetime:
    """The first moment at the chosen hour, on the reader's clock, that is not before the window opens."""
    zone = ZoneInfo(reader.zone)
    opens = period.opens.astimezone(zone)
    same_day = dt.datetime.combine(opens.date(), reader.hour, zone)
    if same_day < opens:
        same_day = dt.datetime.combine(opens.date() + dt.timedelta(days=1), reader.hour, zone)
    return same_day.astimezone(dt.UTC)


def awake(moment: dt.datetime, zone: str) -> dt.datetime:
    """The moment itself, or the end of the quiet hours that it lies in."""
    there = moment.astimezone(ZoneInfo(zone))
    if there.time() >= QUIET_FROM:
        there = dt.datetime.combine(there.date() + dt.timedelta(days=1), QUIET_UNTIL, ZoneInfo(zone))
    elif there.time() < QUIET_UNTIL:
        there = dt.datetime.combine(there.date(), QUIET_UNTIL, ZoneInfo(zone))
    return there.astimezone(dt.UTC)


def site_to_call(rules: Rules, stood: Sequence[Standing]) -> int:
    """How many periods have been silent when the site is to call; 0 while it need not, and once nothing more is due."""
    if not any(one.state in {"OPEN", "NOT_DUE"} for one in stood):
        return 0
    silent = silence(stood)
    last = next((one.period.form for one in reversed(stood) if one.state == "MISSED"), None)
    return silent if last is not None and silent >= rules.site_after[last] else 0
