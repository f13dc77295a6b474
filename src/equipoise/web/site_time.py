"""Moments between the ledger (UTC) and the site's clocks: what a page shows, and what a person typed there.

The rule that must stay true: a time is shown and typed in the site's own time, to the minute, never in the server's.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo


def hour(moment: str, zone: str) -> str:
    """The time of day of a moment in a zone, to the minute."""
    return f"{_at(moment, zone):%H:%M}" if moment else ""


def field(moment: str, zone: str, *, ahead: int = 0) -> str:
    """A moment, some minutes ahead, as a field for date and time holds it."""
    return f"{_at(moment, zone) + dt.timedelta(minutes=ahead):%Y-%m-%dT%H:%M}"


def at_the_site(typed: str, zone: str) -> str:
    """What was typed, as a moment of the site's zone (ISO); as it is where it is no date with a time."""
    try:
        moment = dt.datetime.fromisoformat(typed.strip())
    except ValueError:
        return typed
    return moment.isoformat() if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone)).isoformat()


def _at(moment: str, zone: str) -> dt.datetime:
    return dt.datetime.fromisoformat(moment).astimezone(ZoneInfo(zone))
