"""The clock: the only source of time of either door's writer. A fake one works on rehearsal stores only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

Clock = Callable[[], dt.datetime]
"""() -> now, aware, in UTC."""


def system_clock() -> dt.datetime:
    """The machine's time, in UTC."""
    return dt.datetime.now(dt.UTC)


class SetClock:
    """A clock that stands where it is put: the past of a rehearsal is written with it."""

    def __init__(self, at: dt.datetime) -> None:
        self.at = at

    def __call__(self) -> dt.datetime:
        """The time it was put to; each asking moves it on by a second, so that histories read naturally."""
        self.at += dt.timedelta(seconds=1)
        return self.at


def end_of_day(day: dt.date, zone: str) -> dt.datetime:
    """The last moment (UTC) of a calendar day in a zone (IANA): what a cut at that day still takes in."""
    return dt.datetime.combine(day, dt.time.max, ZoneInfo(zone)).astimezone(dt.UTC)


def moment(text: str) -> dt.datetime | None:
    """The moment that a text (ISO with an offset) tells; None where it tells none."""
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def utc_text(at: dt.datetime) -> str:
    """A moment as it stands in the ledger and is told to phones: UTC, ISO, with milliseconds and a Z."""
    return at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def local(moment: str | None, zone: str, *, seconds: bool = False) -> str:
    """A moment of the ledger (ISO) on the clock of a zone (IANA), to the minute; nothing for None or an empty text.

    seconds: to the second and with the zone's name, where a moment is evidence.
    """
    if not moment:
        return ""
    there = dt.datetime.fromisoformat(moment).astimezone(ZoneInfo(zone))
    return f"{there:%Y-%m-%d %H:%M:%S} {zone}" if seconds else f"{there:%Y-%m-%d %H:%M}"
