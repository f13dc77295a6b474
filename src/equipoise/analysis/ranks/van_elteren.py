"""`fit_van_elteren`: the stratified rank-sum test, and `fit_shift`: Hodges and Lehmann's shift that goes with it.

Both use van Elteren's weights 1 / (n_s + 1), which are best where the shift is one in all strata. The test's
statistic as a function of a shift D taken off the active arm falls in steps at the differences of pairs within
strata; its middle is the estimate, and where it leaves ± z standard deviations the interval ends:

    V(D) = sum_s w_s #{pairs with y_i - x_j > D},  E V = sum_s w_s m_s n_s / 2,
    var V = sum_s w_s^2 m_s n_s (m_s + n_s + 1) / 12

The rule that must stay true: the test's variance has the correction for ties; the interval's has none, so that its
bounds are differences that occur. Sources: van Elteren 1960; Lehmann 1975, chapters 2 and 3; Hollander and Wolfe 1999.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from equipoise.analysis.estimate import LEVEL, as_json, quantile, two_sided
from equipoise.analysis.groups import Groups, Sides, load_groups, numbers
from equipoise.analysis.ops import Array
from equipoise.words.problem import Problem, problem


@dataclass(frozen=True, slots=True)
class VanElterenFit:
    """The test: z is positive where the active arm has higher values. n: of (reference, active)."""

    z: float
    chi2: float
    p: float
    arms: tuple[str, ...]
    strata: tuple[str, ...]
    n: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """The whole answer as one JSON value."""
        value: dict[str, Any] = as_json(self)
        return value


@dataclass(frozen=True, slots=True)
class ShiftFit:
    """How much higher the active arm is: the estimate and its interval, in the response's unit."""

    estimate: float
    low: float
    high: float
    level: float
    arms: tuple[str, ...]
    strata: tuple[str, ...]
    n: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """The whole answer as one JSON value."""
        value: dict[str, Any] = as_json(self)
        return value


def fit_van_elteren(
    data: Any,
    response: str,
    arm: str,
    *,
    strata: Sequence[str] = (),
    reference: str | None = None,
) -> VanElterenFit | tuple[Problem, ...]:
    """The test that the response is the same in two arms, or what is wrong. Without strata it is Wilcoxon's."""
    from scipy import stats  # it takes longer to load than all else here

    loaded = _loaded(data, response, Sides(arm, reference, tuple(strata)))
    if not isinstance(loaded, _Loaded):
        return loaded
    total, variance = 0.0, 0.0
    for active, others in loaded.pairs:
        m, n = len(active), len(others)
        ranks = stats.rankdata(np.concatenate([active, others]))
        weight = 1.0 / (m + n + 1.0)
        total += weight * float(ranks[:m].sum() - m * (m + n + 1.0) / 2.0)
        variance += weight**2 * m * n / (m + n) * float(np.var(ranks, ddof=1)) if m * n else 0.0
    if variance <= 0.0:
        return (problem("analysis.no-comparison"),)
    z, groups = total / np.sqrt(variance), loaded.groups
    return VanElterenFit(
        float(z), float(z**2), two_sided(float(z)), groups.arms, groups.strata, loaded.counts
    )


def fit_shift(
    data: Any,
    response: str,
    arm: str,
    *,
    strata: Sequence[str] = (),
    reference: str | None = None,
    level: float = LEVEL,
) -> ShiftFit | tuple[Problem, ...]:
    """The shift between two arms with its interval, or what is wrong."""
    loaded = _loaded(data, response, Sides(arm, reference, tuple(strata)))
    if not isinstance(loaded, _Loaded):
        return loaded
    differences, weights, variance = [], [], 0.0
    for active, others in loaded.pairs:
        m, n = len(active), len(others)
        weight = 1.0 / (m + n + 1.0)
        differences.append(np.subtract.outer(active, others).ravel())
        weights.append(np.full(m * n, weight))
        variance += weight**2 * m * n * (m + n + 1.0) / 12.0
    found, weight_of = np.concatenate(differences), np.concatenate(weights)
    if not len(found):
        return (problem("analysis.no-comparison"),)
    estimate, low, high = _turning(found, weight_of, quantile(level) * np.sqrt(variance))
    groups = loaded.groups
    return ShiftFit(estimate, low, high, level, groups.arms, groups.strata, loaded.counts)


def _turning(differences: Array, weights: Array, reach: float) -> tuple[float, float, float]:
    """Where the statistic passes its middle, and between which differences it stays within `reach` of it."""
    order = np.argsort(differences, kind="stable")
    values, sizes = differences[order], weights[order]
    middle = float(sizes.sum()) / 2.0
    room = 1e-12 * middle
    upto = np.cumsum(sizes)
    lower = values[int(np.searchsorted(upto, middle - room))]
    upper = values[int(np.searchsorted(upto, middle + room))] if abs(upto - middle).min() <= room else lower
    # above the first difference of the interval stands at most middle + reach, and below the last one likewise
    first = int(np.argmax(2.0 * middle - upto <= middle + reach + room))
    below = np.concatenate([[0.0], upto[:-1]])
    last = len(values) - 1 - int(np.argmax((below <= middle + reach + room)[::-1]))
    return float((lower + upper) / 2.0), float(values[first]), float(values[last])


@dataclass(frozen=True, slots=True)
class _Loaded:
    groups: Groups
    pairs: tuple[tuple[Array, Array], ...]

    @property
    def counts(self) -> tuple[int, ...]:
        active = int(self.groups.active.sum())
        return (len(self.groups.rows) - active, active)


def _loaded(data: Any, response: str, sides: Sides) -> _Loaded | tuple[Problem, ...]:
    groups = load_groups(data, sides, (response,))
    if not isinstance(groups, Groups):
        return groups
    values = numbers(groups, response)
    if isinstance(values, Problem):
        return (values,)
    pairs = []
    for stratum in range(len(groups.strata)):
        mine = groups.stratum == stratum
        pairs.append((values[mine & groups.active], values[mine & ~groups.active]))
    return _Loaded(groups, tuple(pairs))
