"""The clock: the only source of time of either door's writer. A fake one works on rehearsal stores only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

Clock = Callable[[], dt.datetime]
"""() -> now, aware, in UTC."""


def system_clock() -> dt.datetime:
    """The machine's time, in UTC."""
    return dt.datetime.now(dt.UTC)
