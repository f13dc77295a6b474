"""Counts what a request makes the program do: SQL statements and calls.

What takes longer for one arm does more for it: one more statement, one more opened slot, one more loop. These are counted
exactly, where a stopwatch would need thousands of tries and would still be wrong on a busy day. What a count cannot
see, a single call that itself takes longer, is not compared; the page of the proof says so.
"""

from __future__ import annotations

import gc
import hashlib
import sys
from types import FrameType
from typing import Any


class Tally:
    """The counts of one process."""

    def __init__(self) -> None:
        self._statements = 0
        self._texts = hashlib.sha256()
        self._calls = 0
        self.measuring = False

    def statement(self, text: str) -> None:
        """A statement was given to SQLite."""
        self._statements += 1
        self._texts.update(text[:400].encode("utf-8", "surrogateescape"))

    def _call(self, frame: FrameType, event: str, argument: Any) -> None:
        if event in ("call", "c_call"):
            self._calls += 1

    def measure(self, *, on: bool) -> None:
        """Begin or stop counting calls, which slows the program down."""
        if on:
            gc.collect()
            gc.disable()
        else:
            gc.enable()
        self.measuring = on

    def begin(self) -> tuple[int, int]:
        """Where the counts stand."""
        self._texts = hashlib.sha256()
        begun = (self._statements, self._calls)
        if self.measuring:
            sys.setprofile(self._call)
        return begun

    def calls_since(self, begun: tuple[int, int]) -> int:
        """Calls since then."""
        sys.setprofile(None)
        return self._calls - begun[1]

    def statements_since(self, begun: tuple[int, int]) -> tuple[int, str]:
        """Statements since then, and what stands for their texts."""
        return self._statements - begun[0], self._texts.hexdigest()
