"""Gaps filled by conditional means, with jackknife errors: one deterministic answer, no draws.

The rules that must stay true: the same data give the same answer to the last digit that rounding leaves; the error is
that of doing everything again without each participant in turn, the model included, so that the reference's means
borrowed by the other arm carry their own error. Rubin's rules would call it larger (see posterior.py).
Sources: Wolbers, Noci, Delmar, Gower-Page, Yiu and Bartlett 2022; Efron 1982 (jackknife).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import optimize

from equipoise.analysis.estimate import Wald, wald
from equipoise.analysis.imputation.filling import Filling, Gaps, filling
from equipoise.analysis.imputation.rules import RULES
from equipoise.analysis.mmrm.method import Optimum, maximise, start
from equipoise.analysis.mmrm.statistics import Scale, gather, gather_without
from equipoise.analysis.mmrm.steps import Statistics
from equipoise.analysis.mmrm.structures import STRUCTURES
from equipoise.analysis.ops import Array, Mask, Places
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
    found = fit_rules(data, gaps, (gaps.rule,))
    return found[gaps.rule] if isinstance(found, Mapping) else found


def fit_rules(data: Any, gaps: Gaps, rules: Sequence[str]) -> Mapping[str, Imputed] | tuple[Problem, ...]:
    """`fit_imputed` under several rules; where no event is named they share one model, fitted once for all."""
    table = columns(data)
    if isinstance(table, Problem):
        return (table,)
    apart = [[rule for rule in rules if (rule == "mar") is at_random] for at_random in (True, False)]
    answers: dict[str, Imputed] = {}
    for mine in (one for one in ([list(rules)] if gaps.event is None else apart) if one):
        made = filling(table, replace(gaps, rule=mine[-1]))
        if not isinstance(made, Filling):
            return made
        found = _jackknifed(made, mine)
        if isinstance(found, Problem):
            return (found,)
        answers |= found
    return answers


def _jackknifed(made: Filling, rules: Sequence[str]) -> Mapping[str, Imputed] | Problem:
    """Every rule's answer, and what it would be without each participant."""
    everyone = np.arange(len(made.values))
    data, scale, without = gather_without(made.design(everyone))
    whole = _optimum(data, scale, None)
    if isinstance(whole, Problem):
        return whole
    solving = Solving(made)
    full = {rule: solving.effect(filled(made, solving.alike, rule, whole), None) for rule in rules}
    kept: dict[str, list[Array]] = {rule: [] for rule in rules}
    for gone in everyone:
        less = without(int(gone))
        again = whole if less is data else _optimum(less, scale, whole[1])
        if isinstance(again, Problem):
            return again
        for rule in rules:
            kept[rule].append(solving.effect(filled(made, solving.alike, rule, again), int(gone)))
    shift, shifts = (
        solving.effect(solving.moved, None),
        [solving.effect(solving.moved, int(i)) for i in everyone],
    )
    count = int(np.isnan(made.values).sum())
    return {
        rule: Imputed(made.visits, rule, full[rule], shift, np.stack(kept[rule]), np.stack(shifts), count)
        for rule in rules
    }


def model_fit(made: Filling) -> tuple[Array, Array] | Problem:
    """Coefficients (p,) and Sigma (V, V) of the model."""
    data, scale = gather(made.design(np.arange(len(made.values))))
    return _optimum(data, scale, None)


def _optimum(data: Statistics, scale: Scale, near: Array | None) -> tuple[Array, Array] | Problem:
    """Coefficients and Sigma in the scale of the data; near: a Sigma to start from."""
    size = scale.scale**2
    first = start(data, reml=True) if near is None else np.asarray(np.linalg.cholesky(near[None] / size))
    found: Optimum = maximise(data, STRUCTURES["us"], first, reml=True)
    if not found.convergence.converged and near is not None:
        found = maximise(data, STRUCTURES["us"], start(data, reml=True), reml=True)
    if not found.convergence.converged:
        return problem("analysis.not-converged", "us", steps=found.convergence.steps)
    return scale.start + scale.scale * scale.turn @ found.at.beta, size * found.sigma[0]


@dataclass(frozen=True, slots=True)
class Alike:
    """Participants (places) with the same gaps, on the same side, under the rule from the same visit on."""

    places: Places
    gone: Mask
    event: int
    treated: bool


def filled(made: Filling, alike: Sequence[Alike], rule: str, model: tuple[Array, Array]) -> Array:
    """(n, V) the values, gaps at their means under the rule given what was seen. model: coefficients and Sigma."""
    beta, sigma = model
    values = made.values.copy()
    for its in alike:
        centre = made.own[its.places] @ beta
        if its.treated and its.event < len(made.visits):
            centre = RULES[rule](centre, made.other[its.places] @ beta, its.event)
        gone, seen = its.gone, ~its.gone
        turn = np.linalg.solve(sigma[np.ix_(seen, seen)], sigma[np.ix_(seen, gone)])
        left = made.values[np.ix_(its.places, seen)] - centre[:, seen]
        values[np.ix_(its.places, gone)] = centre[:, gone] + left @ turn
    return values


class Solving:
    """The arm's effect at each visit by least squares, with everybody or without one participant, at a cost free of n.

    With X = Q R, leaving out row i of X changes Q'Q = I to I - q q', whose inverse is known (Sherman and Morrison).
    """

    def __init__(self, made: Filling) -> None:
        groups: dict[tuple[bytes, int, bool], list[int]] = {}
        missing = np.isnan(made.values)
        for place in np.flatnonzero(missing.any(axis=1)):
            key = (missing[place].tobytes(), int(made.event[place]), bool(made.treated[place]))
            groups.setdefault(key, []).append(int(place))
        self.alike = tuple(
            Alike(np.array(places), missing[places[0]], event, treated)
            for (_, event, treated), places in groups.items()
        )
        late = np.arange(len(made.visits))[None, :] >= np.asarray(made.event)[:, None]
        self.moved = (missing & late & np.asarray(made.treated, bool)[:, None]).astype(np.float64)
        parts = [np.linalg.qr(x) for x in made.after]
        self._after = made.after
        self._row = made.row
        self._q = [q for q, _ in parts]
        self._rows = [np.linalg.solve(r.T, made.row) for _, r in parts]

    def effect(self, values: Array, gone: int | None) -> Array:
        """(V,) the effects of values (n, V); gone: the place of who is left out."""
        found = []
        for visit, (q, row) in enumerate(zip(self._q, self._rows, strict=True)):
            right = q.T @ values[:, visit]
            if gone is not None:
                mine = q[gone]
                free = 1.0 - float(mine @ mine)
                if free < 1e-9:  # the only one of a level: without them a column says nothing
                    found.append(self._slowly(values[:, visit], visit, gone))
                    continue
                right = right - mine * values[gone, visit]
                right = right + mine * float(mine @ right) / free
            found.append(float(row @ right))
        return np.array(found)

    def _slowly(self, values: Array, visit: int, gone: int) -> float:
        x, y = np.delete(self._after[visit], gone, axis=0), np.delete(values, gone)
        return float(self._row @ np.linalg.lstsq(x, y, rcond=None)[0])


def means(made: Filling, rule: str, subject: int, beta: Array) -> Array:
    """(V,) a participant's means under the rule; without an event, or in the reference arm, their own."""
    own: Array = np.asarray(made.own[subject] @ beta, np.float64)
    event = int(made.event[subject])
    if not made.treated[subject] or event >= len(made.visits):
        return own
    return RULES[rule](own, made.other[subject] @ beta, event)
