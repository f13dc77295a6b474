"""Gaps filled by conditional means, with jackknife errors: one deterministic answer, no draws.

The rules that must stay true: the same data give the same answer to the last digit that rounding leaves; the error is
that of doing everything again without each participant in turn, the model included, so that the reference's means
borrowed by the other arm carry their own error. Rubin's rules would call it larger (see posterior.py).
Sources: Wolbers, Noci, Delmar, Gower-Page, Yiu and Bartlett 2022; Efron 1982 (jackknife).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize

from equipoise.analysis.estimate import Wald, wald
from equipoise.analysis.imputation.filling import Filling, Gaps, filling
from equipoise.analysis.imputation.rules import RULES, conditional
from equipoise.analysis.mmrm.method import Optimum, maximise, start
from equipoise.analysis.mmrm.statistics import gather
from equipoise.analysis.mmrm.structures import STRUCTURES
from equipoise.analysis.ops import Array, Places
from equipoise.analysis.table import columns
from equipoise.words.problem import Problem, problem


@dataclass(frozen=True, slots=True)
class Imputed:
    """The arm's effect at each visit by conditional means; `shift`: by how much a delta of 1 moves it (V,).

    Both are kept without each participant in turn, (n, V), so that a delta costs no new fit.
    """

    visits: tuple[str, ...]
    rule: str
    effect: Array
    shift: Array
    effects_without: Array
    shifts_without: Array
    filled: int

    def at(self, visit: str, delta: float = 0.0) -> Wald:
        """The effect at a visit, with every value filled in after an event outside the reference arm moved by delta."""
        place = self.visits.index(visit)
        without = self.effects_without[:, place] + delta * self.shifts_without[:, place]
        n = len(without)
        se = float(np.sqrt((n - 1) / n * np.sum((without - without.mean()) ** 2)))
        return wald(float(self.effect[place] + delta * self.shift[place]), se)

    def tipping_point(self, visit: str, alpha: float = 0.05, limit: float = 1e4) -> float | None:
        """The delta nearest to 0, against the effect, at which its test is no longer below alpha.

        None where nothing can tip it: no value was filled in, or no delta up to `limit` does. 0 where it is not below
        alpha to begin with.
        """
        if self.at(visit).p >= alpha:
            return 0.0
        sign = -float(np.sign(self.effect[self.visits.index(visit)]))
        size = 1.0
        while self.at(visit, sign * size).p < alpha:
            size *= 2.0
            if size > limit:
                return None
        low = 0.0 if size == 1.0 else size / 2.0
        found = optimize.brentq(lambda its: self.at(visit, sign * its).p - alpha, low, size, xtol=1e-10)
        return float(sign * found)


def fit_imputed(data: Any, gaps: Gaps) -> Imputed | tuple[Problem, ...]:
    """Fill gaps by conditional means and estimate the arm's effect at each visit, or say what is wrong.

    data: a data frame or mapping of columns with a row for every participant and planned visit, the response empty
    where it was not seen.
    """
    table = columns(data)
    if isinstance(table, Problem):
        return (table,)
    made = filling(table, gaps)
    if not isinstance(made, Filling):
        return made
    everyone = np.arange(len(made.values))
    whole = model_fit(made, everyone, None)
    if isinstance(whole, Problem):
        return (whole,)
    effect, shift = effects(made, gaps.rule, everyone, *whole)
    without = []
    for gone in everyone:
        kept = np.delete(everyone, gone)
        again = model_fit(made, kept, whole[1])
        if isinstance(again, Problem):
            return (again,)
        without.append(effects(made, gaps.rule, kept, *again))
    effects_without, shifts_without = (np.stack(its) for its in zip(*without, strict=True))
    filled = int(np.isnan(made.values).sum())
    return Imputed(made.visits, gaps.rule, effect, shift, effects_without, shifts_without, filled)


def model_fit(made: Filling, kept: Places, near: Array | None) -> tuple[Array, Array] | Problem:
    """Coefficients (p,) and Sigma (V, V) of the model without those who are not kept; near: a Sigma to start from."""
    data, scale = gather(made.design(kept))
    size = scale.scale**2
    first = start(data, reml=True) if near is None else near[None] / size
    found: Optimum = maximise(data, STRUCTURES["us"], first, reml=True)
    if not found.convergence.converged and near is not None:
        found = maximise(data, STRUCTURES["us"], start(data, reml=True), reml=True)
    if not found.convergence.converged:
        return problem("analysis.not-converged", "us", steps=found.convergence.steps)
    return scale.start + scale.scale * scale.turn @ found.at.beta, size * found.sigma[0]


def effects(made: Filling, rule: str, kept: Places, beta: Array, sigma: Array) -> tuple[Array, Array]:
    """(V,) the arm's effect at each visit, and how much a delta of 1 on what was filled in after events moves it."""
    values, moved = made.values[kept].copy(), np.zeros((len(kept), len(made.visits)))
    for place, subject in enumerate(kept):
        gone = np.isnan(values[place])
        if gone.any():
            centre, _ = conditional(means(made, rule, int(subject), beta), sigma, values[place])
            late = np.arange(len(made.visits)) >= made.event[subject]
            moved[place, gone & late & bool(made.treated[subject])] = 1.0
            values[place, gone] = centre
    found = []
    for visit in range(len(made.visits)):
        x = made.after[visit][kept]
        solved = np.linalg.lstsq(x, np.column_stack([values[:, visit], moved[:, visit]]), rcond=None)[0]
        found.append(made.row @ solved)
    both = np.array(found)
    return both[:, 0], both[:, 1]


def means(made: Filling, rule: str, subject: int, beta: Array) -> Array:
    """(V,) a participant's means under the rule; without an event, or in the reference arm, their own."""
    own: Array = np.asarray(made.own[subject] @ beta, np.float64)
    event = int(made.event[subject])
    if not made.treated[subject] or event >= len(made.visits):
        return own
    return RULES[rule](own, made.other[subject] @ beta, event)
