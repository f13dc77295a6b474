"""Counts what a request makes the program do: SQL statements and calls.

What takes longer for one arm does more for it: one more statement, one more opened slot, one more loop. These are counted
exactly, where a stopwatch would need thousands of tries and would still be wrong on a busy day. What a count cannot
see, a single call that itself takes longer, is not compared; the page of the proof says so.
"""

from __future__ import annotations

import cProfile
import gc
import hashlib


class Tally:
    """The counts of one process."""

    def __init__(self) -> None:
        self._statements: list[str] = []
        self._counted: cProfile.Profile | None = None
        self.measuring = False

    def statement(self, text: str) -> None:
        """A statement was given to SQLite."""
        self._statements.append(text[:400])

    def measure(self, *, on: bool) -> None:
        """Begin or stop counting calls, which slows the program down."""
        if on:
            gc.collect()
            gc.disable()
        else:
            gc.enable()
        self.measuring = on

    def begin(self) -> None:
        """Count from here."""
        self._statements.clear()
        if self.measuring:
            self._counted = cProfile.Profile(subcalls=False)
            self._counted.enable()

    def calls(self) -> int:
        """Calls since then, of the program's own functions and of what is built in."""
        if self._counted is None:
            return 0
        self._counted.disable()
        counted, self._counted = self._counted, None
        return sum(each.callcount for each in counted.getstats())

    def statements(self) -> tuple[int, str]:
        """Statements since then, and what stands for their texts, in order."""
        told = "\0".join(self._statements).encode("utf-8", "surrogateescape")
        return len(self._statements), hashlib.sha256(told).hexdigest()
