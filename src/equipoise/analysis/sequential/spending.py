"""How much of alpha may be spent by when: spending functions of the information fraction.

The rule that must stay true: a function rises from 0 at 0 to alpha at 1, and beyond 1 it stays there, so that a trial
that runs over its planned information spends no more. One-sided throughout.
Sources: Lan and DeMets 1983; Hwang, Shih and DeCani 1990.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from scipy import special

Spending = Callable[[float, float], float]
"""(alpha, information fraction) -> cumulative alpha spent."""


def _obrien_fleming(alpha: float, fraction: float) -> float:
    return float(2.0 * special.ndtr(special.ndtri(alpha / 2.0) / math.sqrt(fraction)))


def _pocock(alpha: float, fraction: float) -> float:
    return alpha * math.log(1.0 + (math.e - 1.0) * fraction)


SPENDING: Mapping[str, Spending] = {
    "lan-demets-obrien-fleming": _obrien_fleming,
    "lan-demets-pocock": _pocock,
}
"""Spending functions without a parameter, by name."""


def hwang_shih_decani(gamma: float) -> Spending:
    """The family with parameter gamma: near -4 like O'Brien and Fleming, near 1 like Pocock, 0 in proportion."""

    def spent(alpha: float, fraction: float) -> float:
        if gamma == 0.0:
            return alpha * fraction
        return alpha * math.expm1(-gamma * fraction) / math.expm1(-gamma)

    return spent


def spent_by(spending: Spending, alpha: float, fraction: float) -> float:
    """Cumulative alpha at an information fraction; nothing at 0, everything from 1 on."""
    if fraction <= 0.0:
        return 0.0
    return alpha if fraction >= 1.0 else spending(alpha, fraction)
