"""The desk's only source of time, and the clock that a rehearsal's past is written with."""

from __future__ import annotations

import datetime as dt

from equipoise.words.clock import Clock, system_clock

__all__ = ["Clock", "SetClock", "system_clock"]


class SetClock:
    """A clock that stands where it is put: the past of a rehearsal is written with it."""

    def __init__(self, at: dt.datetime) -> None:
        self.at = at

    def __call__(self) -> dt.datetime:
        """The time it was put to; each asking moves it on by a second, so that histories read naturally."""
        self.at += dt.timedelta(seconds=1)
        return self.at
