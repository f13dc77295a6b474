"""The clock: the desk's only source of time. A fake one works on rehearsal stores only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

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
