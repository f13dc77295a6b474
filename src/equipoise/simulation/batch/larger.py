"""Sample-size re-estimation at the look: a larger trial where it is promising, tested by a combination of two stages.

A trial of a seed begins with the participants of the same trial at a smaller size, so that what a larger one would have
shown is known: it was run. The second stage is what is left of the final statistic after the first,

    z_2 = (z - sqrt(t) z_1) / sqrt(1 - t),      combined = sqrt(w) z_1 + sqrt(1 - w) z_2

with z the normal quantile of the t statistic's share, and t = w N / n the look's share of the information in a trial of
n participants where N are planned. Both are fixed before the trial: shares of the information as it is estimated
go with the statistics, and the level did not hold. Without a larger size the combined test is the planned one.

The rules that must stay true: the size is chosen by the analysis room's own rule from the look alone; a larger trial
must have the same look as the planned one, else it is refused; a fit without an answer counts as not rejecting.
Sources: Lehmacher and Wassmer 1999; Cui, Hung and Wang 1999 (increments of a statistic over all data); Mehta and
Pocock 2011 (the promising zone).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from scipy import special

from equipoise.analysis.ops import Array, Indices, Mask
from equipoise.analysis.sequential.conditional import Zone, inverse_normal, reestimate
from equipoise.oversight.forecast import MONTH_DAYS
from equipoise.simulation.batch.asked import Reestimation, Scenario
from equipoise.simulation.batch.characteristics import Figure, mean_of, rate_of
from equipoise.simulation.batch.chunks import columns
from equipoise.simulation.batch.numbers import Shape
from equipoise.simulation.batch.scenario import Prepared, Ready
from equipoise.words.problem import Problem, problem


def larger(prepared: Prepared, scenario: Scenario) -> list[Scenario]:
    """The same scenario in the sizes that may be chosen; none where it is not re-estimated."""
    asked, own = prepared.asked.reestimation, scenario.participants or prepared.target
    if asked is None or scenario.id not in asked.scenarios:
        return []
    sizes = sorted(size for size in asked.participants if size > own)
    return [
        scenario.model_copy(update={"id": f"{scenario.id} {size}", "participants": size}) for size in sizes
    ]


def same_look(family: Sequence[Ready]) -> Problem | None:
    """Why there is none: a larger trial may not have more people at the look, recruitment must still be going on."""
    planned = family[0].enrolled[0]
    late = any(one.enrolled[0] != planned for one in family)
    return problem("simulate.reestimation-late", "reestimation", enrolled=planned) if late else None


def reestimated(
    prepared: Prepared, ready: Sequence[Ready], shape: Shape, rows: Mapping[str, Array]
) -> Iterator[Figure]:
    """Measures of the design with re-estimation; ready: as planned, then larger and larger."""
    asked = prepared.asked.reestimation
    if asked is None or shape.looks < 2 or len(ready) < 2:
        return
    names = columns(shape)
    each = [_Final(dict(zip(names, rows[one.digest], strict=True)), prepared.better) for one in ready]
    bound = float(special.ndtri(1.0 - prepared.asked.alpha / 2.0))
    first = each[0]
    chosen = _chosen(asked, [one.participants for one in ready], first, bound)
    z = np.choose(chosen, [one.z for one in each])
    fitted = np.choose(chosen, [one.fitted for one in each]) & first.at_look
    share = asked.weight * ready[0].participants / np.array([one.participants for one in ready])[chosen]
    second = (z - np.sqrt(share) * first.z_first) / np.sqrt(1.0 - share)
    combined = inverse_normal(first.z_first, second, asked.weight)
    yield rate_of("larger", chosen > 0)
    yield rate_of("larger_rejects_better", fitted & (combined > bound))
    yield mean_of("larger_size", np.array([one.participants for one in ready], float)[chosen])
    yield mean_of("larger_months", np.array([one.duration[-1] for one in ready])[chosen] / MONTH_DAYS)
    yield Figure("larger_not_converged", float(np.sum(~fitted)))


class _Final:
    """A size's statistics at the look and at the end; z with a benefit above 0."""

    def __init__(self, named: Mapping[str, Array], better: int) -> None:
        self.at_look: Mask = named["fitted0"] > 0
        self.fitted: Mask = named["fitted1"] > 0
        self.first: Array = 1.0 / np.where(self.at_look, named["adjusted0"], 1.0)
        self.z_first = _normal(named, 0, better)
        self.z = _normal(named, 1, better)


def _normal(named: Mapping[str, Array], look: int, better: int) -> Array:
    """The normal quantile of a t statistic's share; 0 where there is none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        t = better * named[f"effect{look}"] / np.sqrt(named[f"adjusted{look}"])
        tail = special.ndtri(special.stdtr(named[f"df{look}"], -np.abs(t)))
    return np.asarray(np.where(np.isfinite(tail), -np.sign(t) * tail, 0.0), np.float64)


def _chosen(asked: Reestimation, sizes: Sequence[int], first: _Final, bound: float) -> Indices:
    """(trials,) the place of the size that each look asks for: the smallest with the information, or the largest."""
    found = np.zeros(len(first.z_first), np.intp)
    zone = Zone(asked.low, asked.wanted)
    for at in np.flatnonzero(first.at_look):
        one = float(first.first[at])
        planned = one * (1.0 - asked.weight) / asked.weight
        second = [one / asked.weight * size / sizes[0] - one for size in sizes]
        told = reestimate(float(first.z_first[at]), (one, planned), second[-1], bound, zone)
        enough = [place for place, has in enumerate(second) if has >= told.information * (1.0 - 1e-9)]
        found[at] = enough[0] if enough else len(sizes) - 1
    return found
