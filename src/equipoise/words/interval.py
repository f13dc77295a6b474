"""What is known of a number: the closed interval it lies in.

A known number is a point; a number of which nothing is known is the whole line (both ends None).
Comparisons answer TRUE or FALSE only when every point of the interval agrees.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from equipoise.words.truth import Truth, all_of, negate


@dataclass(frozen=True, slots=True)
class Interval:
    """Closed interval of decimals; an end that is None is unbounded."""

    low: Decimal | None
    high: Decimal | None

    def __post_init__(self) -> None:
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"interval with low {self.low} above high {self.high}")

    @staticmethod
    def point(value: Decimal | int) -> Interval:
        """The interval of one known value."""
        number = Decimal(value)
        return Interval(number, number)

    @property
    def known(self) -> bool:
        """Whether the interval is a single value."""
        return self.low is not None and self.low == self.high

    def at_least(self, bound: Interval) -> Truth:
        """self >= bound."""
        if self.low is not None and bound.high is not None and self.low >= bound.high:
            return Truth.TRUE
        if self.high is not None and bound.low is not None and self.high < bound.low:
            return Truth.FALSE
        return Truth.UNKNOWN

    def above(self, bound: Interval) -> Truth:
        """self > bound."""
        return negate(bound.at_least(self))

    def equals(self, other: Interval) -> Truth:
        """self == other: TRUE only for two equal points, FALSE when the intervals do not meet."""
        return all_of((self.at_least(other), other.at_least(self)))

    def between(self, low: Interval, high: Interval) -> Truth:
        """low <= self <= high, both ends included."""
        return all_of((self.at_least(low), high.at_least(self)))

    def meet(self, other: Interval) -> Interval | None:
        """The values that both allow, or None where they contradict each other."""
        lows = [end for end in (self.low, other.low) if end is not None]
        highs = [end for end in (self.high, other.high) if end is not None]
        low, high = max(lows, default=None), min(highs, default=None)
        if low is not None and high is not None and low > high:
            return None
        return Interval(low, high)


ANYTHING = Interval(None, None)
