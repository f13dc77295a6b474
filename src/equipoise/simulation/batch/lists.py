"""A method of the randomization room as tables: state -> limits of its branches, arms, states afterwards.

The rule that must stay true: the tables are read off the method's own branches, so that batch and list generator
cannot differ; a draw u in [0, 1) takes the first branch whose limit is above it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from equipoise.analysis.ops import Array
from equipoise.randomization.methods import Method, State

STATES_MAX = 20_000
"""More states than any method needs for lists that people fill."""


@dataclass(frozen=True, slots=True)
class Slots:
    """limits, arms, after: (states, branches); state 0 is the start."""

    limits: Array
    arms: npt.NDArray[np.int32]
    after: npt.NDArray[np.int32]


def slots(method: Method, length: int) -> Slots:
    """The tables for lists of `length` slots; ValueError where there would be more than STATES_MAX states."""
    places: dict[State, int] = {method.start: 0}
    rows: list[list[tuple[float, int, int]]] = []
    front = [method.start]
    for _ in range(length):
        onward: list[State] = []
        for state in front:
            passed, row = method.branches(state), []
            total = passed[0][0] * 0
            for chance, arm, after in passed:
                total += chance
                if after not in places:
                    places[after] = len(places)
                    onward.append(after)
                row.append((float(total), arm, places[after]))
            rows.append(row)
        front = onward
        if len(places) > STATES_MAX:
            raise ValueError(f"{method.name} has more than {STATES_MAX} states")
    rows += [[(1.0, 0, place)] for place in range(len(rows), len(places))]  # past the end of the list
    width = max(len(row) for row in rows)
    limits = np.ones((len(rows), width))
    arms, after_ = np.zeros((len(rows), width), np.int32), np.zeros((len(rows), width), np.int32)
    for at, row in enumerate(rows):
        for branch in range(width):
            limits[at, branch], arms[at, branch], after_[at, branch] = row[min(branch, len(row) - 1)]
    return Slots(limits, arms, after_)
