"""Makes one process repeatable: every random byte from a counted stream, every moment from one clock, one thing after another.

Nothing in it goes by the clock on the wall: a timer waits for ever, and who would start a thread is told so. A desk makes a
checkpoint a minute after what was last written; on a slow day that minute passed while a world was still being set up, and
every moment after it was a second later than in the other worlds.

The rule that must stay true: nothing here may hide a difference. A source of chance or time that was forgotten makes two
equal worlds differ, which the proof reports as a difference; it can raise a false alarm and never a false peace.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import random
import sqlite3
import sys
import threading
import time
import types
from collections.abc import Callable, Sequence
from typing import Any

BEGIN = dt.datetime(2026, 6, 1, 1, tzinfo=dt.UTC)
"""9 o'clock in Shanghai: when the script begins."""


class Stream:
    """Random bytes that are the same in every world: SHAKE-128 over a label and a counter."""

    def __init__(self, label: str) -> None:
        self._label = label.encode()
        self.draws = 0
        self.bytes = 0

    def __call__(self, count: int) -> bytes:
        """The next `count` bytes."""
        self.draws += 1
        self.bytes += count
        return hashlib.shake_128(self._label + self.draws.to_bytes(8, "big")).digest(count)


class Clock:
    """A clock that moves a second each time it is asked: how often it was asked is seen in every later moment."""

    def __init__(self, at: dt.datetime = BEGIN) -> None:
        self.at = at
        self.asked = 0

    def __call__(self) -> dt.datetime:
        """The time."""
        self.asked += 1
        self.at += dt.timedelta(seconds=1)
        return self.at

    def seconds(self) -> float:
        """The time since 1970, without moving on."""
        return self.at.timestamp()

    def moment(self, tz: object = None) -> dt.datetime:
        """The time, without moving on."""
        return self.at

    def wait(self, **span: float) -> None:
        """Let time pass."""
        self.at += dt.timedelta(**span)

    def morning(self, days: int) -> None:
        """Nine o'clock in Shanghai, some days later."""
        self.at = (self.at + dt.timedelta(days=days)).replace(hour=1, minute=0, second=0, microsecond=0)


class Waiting:
    """In place of a timer by the clock on the wall: it can be started, asked after and called off, and never strikes.

    What it would do, the script does, at the same place in every world.
    """

    def __init__(self, interval: float, function: Callable[..., object], *given: object) -> None:
        self.interval = interval
        self.daemon = False
        self._alive = False

    def start(self) -> None:
        """Begin to wait."""
        self._alive = True

    def is_alive(self) -> bool:
        """Whether it waits."""
        return self._alive

    def cancel(self) -> None:
        """Stop waiting."""
        self._alive = False

    def join(self, timeout: float | None = None) -> None:
        """Nothing is to be waited for: it does nothing."""


def _no_thread(thread: threading.Thread) -> None:
    raise RuntimeError(f"{thread.name} would go beside the script, as fast as the machine lets it")


def replace_everywhere(old: object, new: object, *, only: str = "") -> int:
    """Put `new` wherever a loaded module names `old`; how often. A name imported elsewhere is found as well."""
    return replace_all(((old, new),), only=only)[0]


def replace_all(pairs: Sequence[tuple[object, object]], *, only: str = "") -> list[int]:
    """As `replace_everywhere`, for several things in one look at all modules; how often for each."""
    places = {id(old): place for place, (old, _) in enumerate(pairs)}
    found = [0] * len(pairs)
    for name, module in list(sys.modules.items()):
        if not name.startswith(only) or name.startswith("blind") or module is None:
            continue
        ours = name.startswith("equipoise")
        for key, value in list(vars(module).items()):
            place = places.get(id(value))
            if place is not None:
                setattr(module, key, pairs[place][1])
                found[place] += 1
            elif ours and type(value) is types.FunctionType:
                for place, (old, new) in enumerate(pairs):
                    found[place] += _in_defaults(value, old, new)
    return found


def _in_defaults(function: types.FunctionType, old: object, new: object) -> int:
    """A default was bound when the function was made."""
    named = function.__kwdefaults__ or {}
    changed = [name for name, value in named.items() if value is old]
    named.update(dict.fromkeys(changed, new))
    plain = function.__defaults__ or ()
    if any(value is old for value in plain):
        function.__defaults__ = tuple(new if value is old else value for value in plain)
        return len(changed) + 1
    return len(changed)


def make_repeatable(stream: Stream, clock: Clock, others: Sequence[tuple[object, object]] = ()) -> list[int]:
    """Give this process the stream and the clock, and replace other things in the same look at all modules; how often each
    of the others. It is not undone: the process ends with its world.
    """
    import django.utils.timezone

    from equipoise.desk.clock import system_clock

    pairs = (
        (os.urandom, stream),
        (time.time, clock.seconds),
        (django.utils.timezone.now, clock.moment),
        (system_clock, clock),
        (threading.Timer, Waiting),
    )
    found = replace_all((*pairs, *others))
    os.urandom = stream  # type: ignore[assignment]
    random._urandom = stream  # type: ignore[attr-defined]  # what `secrets` and SystemRandom draw from
    random.seed(0)
    os.getpid = lambda: 4242  # a lock file names the process that holds it
    time.time = clock.seconds  # type: ignore[assignment]
    time.monotonic = clock.seconds  # type: ignore[assignment]
    threading.Timer = Waiting  # type: ignore[assignment,misc]
    threading.Thread.start = _no_thread  # type: ignore[assignment,method-assign]
    return found[len(pairs) :]


def told_statements(heard: Callable[[str], None]) -> tuple[object, object]:
    """What opens a SQLite connection, and what takes its place: it tells `heard` every statement."""
    connect = sqlite3.connect

    def watched(*given: Any, **named: Any) -> sqlite3.Connection:
        connection = connect(*given, **named)
        connection.set_trace_callback(heard)
        return connection

    return connect, watched
