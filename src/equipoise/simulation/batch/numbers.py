"""What a compiled trial is told: `Shape`, for which it is compiled, and the `Numbers` of a scenario.

The rule that must stay true: nothing of a scenario that is a number is part of the shape, so that a sweep over
effects, covariances, rates and sizes shares one compilation. No JAX here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

TILE = 12
"""Participants who are worked on in one pass of a loop: sums are then read and written once for all of them."""
Array = Any  # NumPy's where it is made, JAX's where it is used


@dataclass(frozen=True, slots=True)
class Shape:
    """most: participants at most; visits after baseline; factors of stratification, two levels each.

    endpoint: index of the visit of the endpoint. grades of the ordered scale, the last of which is death.
    included: how many visits are analysed at each look, the last of which is the final analysis; all at one
    look where nothing is named. depends: leaving goes with the last change. wins: the grades have win odds, too.
    gaps: visits may be missed between others, so that missing values have any pattern.
    """

    most: int
    visits: int
    factors: int
    endpoint: int
    grades: int
    included: tuple[int, ...] = ()
    depends: bool = False
    wins: bool = False
    gaps: bool = False

    @property
    def looks(self) -> int:
        """How often a trial is analysed."""
        return len(self.included) or 1

    def visits_at(self, look: int) -> int:
        """How many visits are analysed at a look."""
        return self.included[look] if self.included else self.visits

    @property
    def columns(self) -> int:
        """1, baseline, arm, factors, and a change for each visit."""
        return 3 + self.factors + self.visits


class Numbers(NamedTuple):
    """A scenario as arrays. V visits, F factors, C grades, K looks; place 0 of a pair of arms is the control.

    participants: (). mean, sd: (V + 1,), baseline first. root: (V + 1, V + 1) lower Cholesky factor of the correlation.
    effect: (V,) of the active arm, in points. lowest, highest: of the scale. unit: points of one
    unit of the analysis.
    factor_limit, factor_pull: (F,) threshold and correlation with the baseline. stay, live: (2, V) the chance to stay
    (to live) from the visit before to this one. missed: (V,) the chance that who has not left misses a visit.
    pull: how leaving goes with the last change, per unit.
    composite: 1 where a death is a value (after_death), 0 where values after it are missing.
    grade_start: (C - 2,) thresholds at baseline; grade_limits: (2, C - 2) at the endpoint; grade_pull: (2,).
    reached: (K, most) visits that a participant has come to at a look.
    slot_limits, slot_arms, slot_after: (states, branches) of the list; active: the place of the active arm in it.
    """

    participants: Array
    mean: Array
    sd: Array
    root: Array
    effect: Array
    lowest: Array
    highest: Array
    unit: Array
    factor_limit: Array
    factor_pull: Array
    stay: Array
    live: Array
    missed: Array
    pull: Array
    composite: Array
    after_death: Array
    grade_start: Array
    grade_limits: Array
    grade_pull: Array
    reached: Array
    slot_limits: Array
    slot_arms: Array
    slot_after: Array
    active: Array
