"""Boundaries of a group sequential test, one-sided, and what the design costs and gives.

The rules that must stay true: the chance of rejecting where there is no effect is alpha to the precision of the
integration, for any looks; futility bounds are not binding unless asked, so that ignoring one costs no error.
Sources: O'Brien and Fleming 1979; Pocock 1977; Lan and DeMets 1983; Jennison and Turnbull 2000.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import optimize, special

from equipoise.analysis.sequential.crossing import Crossing, Walk, crossing
from equipoise.analysis.sequential.spending import SPENDING, Spending, spent_by
from equipoise.words.problem import Problem, problem

SHAPES = ("obrien-fleming", "pocock")
_BOUND_MAX = 12.0


@dataclass(frozen=True, slots=True)
class Boundaries:
    """Looks at information fractions with their bounds on the z scale, and alpha spent by each look.

    futility: -inf where there is none; the last look's is its efficacy bound. binding: whether efficacy counts on it.
    """

    fractions: tuple[float, ...]
    efficacy: tuple[float, ...]
    futility: tuple[float, ...]
    spent: tuple[float, ...]
    alpha: float
    binding: bool = False

    def crossing(self, drift: float) -> Crossing:
        """The chances of stopping at each look for a drift: the mean of z at fraction 1."""
        return crossing(self.fractions, self.efficacy, self.futility, drift)

    def power(self, drift: float) -> float:
        """The chance of rejecting, futility bounds kept to."""
        return self.crossing(drift).rejecting

    def drift_for(self, power: float) -> float:
        """The drift at which the power is reached; its square is the design's shift."""
        return float(optimize.brentq(lambda drift: self.power(drift) - power, 0.0, 20.0, xtol=1e-12))

    def inflation(self, power: float) -> float:
        """The largest information, in that of a test with one look and the same alpha and power."""
        one = float(special.ndtri(1.0 - self.alpha) + special.ndtri(power))
        return float((self.drift_for(power) / one) ** 2)

    def expected_fraction(self, drift: float) -> float:
        """The expected information at the end, as a share of the largest."""
        return float(np.dot(self.fractions, self.crossing(drift).stopping()))


def boundaries(
    fractions: Sequence[float],
    spending: str | Spending = "lan-demets-obrien-fleming",
    *,
    alpha: float = 0.025,
    futility: Sequence[float] = (),
    binding: bool = False,
) -> Boundaries | tuple[Problem, ...]:
    """The bounds for looks at these fractions of the planned information, or what is wrong with the question.

    fractions: ascending; the last look spends what is left of alpha, whether it comes before or after fraction 1.
    spending: a name in SPENDING or SHAPES (the classical shapes, whose bounds fall as their names say), or a function.
    futility: z below which one stops at each look but the last; -inf for none. alpha: one-sided.
    """
    looks, stops = tuple(map(float, fractions)), tuple(map(float, futility))
    if found := _faults(looks, alpha, spending, stops):
        return found
    low = (*(stops or (-math.inf,) * (len(looks) - 1)), -math.inf)
    counted = low if binding else (-math.inf,) * len(looks)
    if isinstance(spending, str) and spending in SHAPES:
        efficacy = _shaped(looks, alpha, spending, counted)
    else:
        rule = SPENDING[spending] if isinstance(spending, str) else spending
        efficacy = _spent(looks, alpha, rule, counted)
    crossed = [efficacy[place] < low[place] for place in range(len(looks) - 1)]
    if any(crossed):
        return (problem("analysis.futility-above", look=crossed.index(True) + 1),)
    spent = np.cumsum(crossing(looks, efficacy, counted, 0.0).upper)
    ends = (*low[:-1], efficacy[-1])
    return Boundaries(looks, tuple(efficacy), ends, tuple(map(float, spent)), alpha, binding)


def _spent(
    looks: tuple[float, ...], alpha: float, spending: Spending, low: Sequence[float]
) -> tuple[float, ...]:
    walk, found, before = Walk(0.0), list[float](), 0.0
    for place, fraction in enumerate(looks):
        by = alpha if place == len(looks) - 1 else spent_by(spending, alpha, fraction)
        bound = _bound(lambda z, fraction=fraction: walk.beyond(fraction, z, above=True), by - before)  # type: ignore[misc]
        found.append(bound)
        before = by
        walk.on(fraction, low[place], bound)
    return tuple(found)


def _bound(beyond: Callable[[float], float], wanted: float) -> float:
    """The z beyond which the wanted chance lies; none is spent beyond the largest bound."""
    if wanted <= beyond(_BOUND_MAX):
        return _BOUND_MAX
    return float(optimize.brentq(lambda z: beyond(z) - wanted, -_BOUND_MAX, _BOUND_MAX, xtol=1e-13))


def _shaped(looks: tuple[float, ...], alpha: float, shape: str, low: Sequence[float]) -> tuple[float, ...]:
    end = looks[-1]
    falls = [math.sqrt(end / fraction) if shape == "obrien-fleming" else 1.0 for fraction in looks]

    def excess(constant: float) -> float:
        return crossing(looks, [constant * its for its in falls], low, 0.0).rejecting - alpha

    constant = float(optimize.brentq(excess, 0.1, _BOUND_MAX, xtol=1e-13))
    return tuple(constant * its for its in falls)


def _faults(
    looks: tuple[float, ...], alpha: float, spending: str | Spending, stops: tuple[float, ...]
) -> tuple[Problem, ...]:
    found = []
    rising = all(one < two for one, two in pairwise(looks))
    if not looks or not rising or not all(0.0 < its < math.inf for its in looks):
        found.append(problem("analysis.looks"))
    if not 0.0 < alpha < 0.5:
        found.append(problem("analysis.alpha-one-sided", given=str(alpha)))
    if isinstance(spending, str) and spending not in (*SPENDING, *SHAPES):
        found.append(problem("analysis.spending", spending, known=", ".join((*SPENDING, *SHAPES))))
    if stops and len(stops) != len(looks) - 1:
        found.append(problem("analysis.futility-looks", looks=len(looks) - 1))
    return tuple(found)
