"""Points of a design grid that are given up, and why: their power is too low to be worth more trials.

The rules that must stay true: a point is judged after fixed numbers of trials, on all of them, so that the answer does
not depend on the engine or on what an earlier run left; all looks together give up a point of enough power with no
more than the chance that is asked; a scenario whose arms do not differ is never given up, because its share is an
error of the first kind. Source: Clopper and Pearson 1934 (bounds of a share), Bonferroni over the looks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from equipoise.simulation.batch import chunks
from equipoise.simulation.batch.characteristics import rejecting
from equipoise.simulation.batch.chunks import Results
from equipoise.simulation.batch.scenario import Prepared, Ready


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Why a point has no more trials: after `trials` of them its power was at most `bound`, below `wanted`."""

    trials: int
    bound: float
    wanted: float


def looks(trials: int) -> tuple[int, ...]:
    """After how many trials one looks: a chunk, two, four, … and at the end all of them."""
    found, at = [], chunks.CHUNK
    while at < trials:
        found.append(at)
        at *= 2
    return (*found, trials)


def rounds(
    prepared: Prepared, results: Results, able: Sequence[Ready], given_up: dict[str, GivenUp]
) -> Iterator[tuple[list[Ready], int]]:
    """Who is to be run until which trial, look after look; `given_up` (scenario -> why) is filled in between."""
    asked = prepared.asked.grid.hopeless if prepared.asked.grid is not None else None
    points = {one.id for one in prepared.asked.grid.scenarios()} if prepared.asked.grid is not None else set()
    judged = [one for one in able if one.scenario.id in points and _effective(prepared, one)]
    if asked is None or not judged:
        yield list(able), results.trials
        return
    at_looks = looks(results.trials)
    for number, until in enumerate(at_looks):
        kept = [one for one in able if one.scenario.id not in given_up]
        yield (kept, until)
        if number + 1 == len(at_looks):
            return
        for one in judged:
            if one.scenario.id not in given_up:
                bound = _most(prepared, results, one, (until, asked.error / (len(at_looks) - 1)))
                if bound < asked.power:
                    given_up[one.scenario.id] = GivenUp(until, bound, asked.power)


def known(ready: Ready, results: Results, given_up: Mapping[str, GivenUp]) -> int:
    """How many trials of a scenario count."""
    why = given_up.get(ready.scenario.id)
    return results.trials if why is None else why.trials


def _effective(prepared: Prepared, one: Ready) -> bool:
    return bool(one.numbers.effect[prepared.endpoint] != 0)


def _most(prepared: Prepared, results: Results, one: Ready, how: tuple[int, float]) -> float:
    """The upper bound of the power after so many trials, but for a chance."""
    until, error = how
    hits = rejecting(results.shape, results.rows[one.digest][:, :until], prepared.asked.alpha)
    count = int(np.sum(hits))
    return 1.0 if count == until else float(special.betaincinv(count + 1, until - count, 1.0 - error))
