"""Intercurrent events and the strategies by which an estimand meets them, on a participant's values in order of visits.

The rules that must stay true: a missing value is not an event, and an event is not a missing value: only a strategy
turns one into the other, by name; values before the event are never touched.
Source: ICH E9(R1), A.3.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Strategy = Literal["treatment policy", "composite", "hypothetical", "while alive"]
Values = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """An event of one participant: the index of the first visit after it, and how the estimand meets it.

    worst: what a composite strategy writes from then on.
    """

    first: int
    strategy: Strategy
    worst: float | None = None


def derive_values(values: Sequence[float | None], events: Sequence[Event]) -> Values:
    """The values that the estimand asks for, None where there is none. Several events: in their order.

    treatment policy: as they were seen. composite: the worst value from the event on, seen or not. hypothetical: what
    was seen after the event does not count, as if it were missing. while alive: values end with the event.
    """
    found = list(values)
    for event in sorted(events, key=lambda its: its.first):
        if event.strategy == "composite":
            if event.worst is None:
                raise ValueError("a composite strategy says what is written")
            found[event.first :] = [event.worst] * (len(found) - event.first)
            break  # nothing that comes later can matter
        if event.strategy in ("hypothetical", "while alive"):
            found[event.first :] = [None] * (len(found) - event.first)
    return tuple(found)


def last_alive(values: Sequence[float | None], events: Sequence[Event]) -> float | None:
    """The while-alive summary: the last value seen before the event that ends the participant's values."""
    seen = [its for its in derive_values(values, events) if its is not None]
    return seen[-1] if seen else None


def derive_ranks(values: Sequence[float | None], ends: Sequence[float | None]) -> tuple[float | None, ...]:
    """The composite rank of every participant: who died ranks below all who lived, the earlier the lower; ties share.

    values: at the visit, of who lived. ends: time of death, None for who lived. None: neither is known.
    """
    keys: list[tuple[int, float] | None] = []
    for value, end in zip(values, ends, strict=True):
        keys.append((0, end) if end is not None else None if value is None else (1, value))
    known = sorted(its for its in keys if its is not None)
    first = {its: known.index(its) for its in known}
    return tuple(None if its is None else first[its] + (known.count(its) + 1) / 2 for its in keys)
