"""What is worked out of a value that never changes, kept by the value's identity.

The rules that must stay true: what is kept is handed out for the very object that it was made from, which is held as
long as it is; there are never more than `at_most`, and who asks gets the same answer whether it was kept or not. Safe
to use from several threads: two that ask at once may both make it, and both are right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

Of = TypeVar("Of")
Made = TypeVar("Made")


class Kept(Generic[Of, Made]):
    """`Kept(make, at_most)(of)` is `make(of)`, made once for each object among the last few."""

    def __init__(self, make: Callable[[Of], Made], at_most: int) -> None:
        self._make, self._at_most = make, at_most
        self._known: dict[int, tuple[Of, Made]] = {}

    def __call__(self, of: Of) -> Made:
        """What is made of `of`."""
        known = self._known.get(id(of))
        if known is None or known[0] is not of:
            if len(self._known) >= self._at_most:
                self._known.clear()
            known = self._known[id(of)] = of, self._make(of)
        return known[1]
