"""Three-valued truth (strong Kleene logic).

The rule that must stay true: an unknown is never turned into a yes or a no by convenience. `both` is the
minimum, `either` the maximum, under FALSE < UNKNOWN < TRUE.
Source: S. C. Kleene, Introduction to Metamathematics (1952), §64.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum


class Truth(Enum):
    """TRUE, FALSE or UNKNOWN; the value is the letter used in files and answers."""

    FALSE = "F"
    UNKNOWN = "U"
    TRUE = "T"

    def __bool__(self) -> bool:
        raise TypeError("a Truth has three values: compare it with Truth.TRUE, Truth.FALSE or Truth.UNKNOWN")

    @staticmethod
    def of(value: bool | None) -> Truth:  # noqa: FBT001  a conversion has this one argument
        """TRUE or FALSE for a bool, UNKNOWN for None."""
        if value is None:
            return Truth.UNKNOWN
        return Truth.TRUE if value else Truth.FALSE


_ORDER = {Truth.FALSE: 0, Truth.UNKNOWN: 1, Truth.TRUE: 2}


def negate(a: Truth) -> Truth:
    """NOT: swaps TRUE and FALSE; UNKNOWN stays UNKNOWN."""
    return {Truth.TRUE: Truth.FALSE, Truth.FALSE: Truth.TRUE, Truth.UNKNOWN: Truth.UNKNOWN}[a]


def all_of(values: Iterable[Truth]) -> Truth:
    """AND over any number of values: FALSE dominates, then UNKNOWN; TRUE for none."""
    return min(values, key=_ORDER.__getitem__, default=Truth.TRUE)


def any_of(values: Iterable[Truth]) -> Truth:
    """OR over any number of values: TRUE dominates, then UNKNOWN; FALSE for none."""
    return max(values, key=_ORDER.__getitem__, default=Truth.FALSE)
