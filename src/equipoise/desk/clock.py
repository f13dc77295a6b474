"""The desk's only source of time, and the clock that a rehearsal's past is written with."""

from __future__ import annotations

from equipoise.words.clock import Clock, SetClock, system_clock

__all__ = ["Clock", "SetClock", "system_clock"]
