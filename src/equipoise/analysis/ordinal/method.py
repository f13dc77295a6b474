"""From a response in ordered categories and a design to the maximum of the likelihood, or to why there is none.

The rule that must stay true: the search runs on centred and scaled covariates, so that units do not matter; a fit
that has no maximum (separation) is told with the terms that cause it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from equipoise.analysis.newton import Peak, maximise
from equipoise.analysis.ops import NUMPY, Array, Mask
from equipoise.analysis.ordinal import steps
from equipoise.analysis.ordinal.steps import Cumulative
from equipoise.analysis.separation import SUSPECT, moved, rising
from equipoise.words.problem import Problem, problem


@dataclass(frozen=True, slots=True)
class Data:
    """Rows: category (N,) from 0, x (N, p) without an intercept, frequency (N,); names of both.

    nominal: (p,) which columns have a coefficient at every cut.
    """

    category: Array
    x: Array
    frequency: Array
    categories: tuple[str, ...]
    terms: tuple[str, ...]
    nominal: Mask

    @property
    def cuts(self) -> tuple[str, ...]:
        """The names of the cuts, as R's packages write them: "0|1"."""
        return tuple(f"{a}|{b}" for a, b in zip(self.categories[:-1], self.categories[1:], strict=True))


@dataclass(frozen=True, slots=True)
class Fitted:
    """A maximum: theta (k,) named by `terms`, vcov (k, k); peak and scaled hold the search's own scale.

    turn: (k, k) theta = turn @ peak.at. expected: whether vcov is by the expected information.
    """

    data: Data
    scaled: Cumulative
    peak: Peak
    turn: Array
    terms: tuple[str, ...]
    expected: bool = False

    @property
    def theta(self) -> Array:
        """(k,) cuts first, then coefficients at each cut, then common ones; a log odds of a higher category."""
        return np.asarray(self.turn @ self.peak.at, np.float64)

    @property
    def vcov(self) -> Array:
        """(k, k) the inverse of the information."""
        information = self.peak.height.information
        if self.expected:
            information = steps.evaluate(NUMPY, self.scaled, self.peak.at, expected=True).information
        return np.asarray(self.turn @ np.linalg.inv(information) @ self.turn.T, np.float64)


def fit(data: Data, *, expected: bool = False) -> Fitted | tuple[Problem, ...]:
    """The maximum of the likelihood."""
    scaled, turn, terms = scaled_data(data)
    if data.frequency.sum() <= len(terms):
        rows = int(data.frequency.sum())
        return (problem("analysis.too-few", rows=rows, parameters=len(terms)),)
    peak = maximise(lambda theta: steps.evaluate(NUMPY, scaled, theta), start(scaled))
    reach = np.abs(steps.predictors(NUMPY, scaled, peak.at)).max()
    if (not peak.converged or reach > SUSPECT) and (lost := _separated(scaled, turn, terms)):
        return (problem("analysis.separation", ", ".join(lost)),)
    if not peak.converged:
        return (problem("analysis.no-maximum", steps=peak.steps),)
    return Fitted(data, scaled, peak, turn, terms, expected)


def start(data: Cumulative) -> Array:
    """(k,) cuts at the shares of the categories, every coefficient zero."""
    total = data.weight.sum()
    counts = [(data.weight * (data.category <= cut)).sum() for cut in range(data.cuts)]
    theta = np.zeros(data.width)
    theta[: data.cuts * data.w.shape[-1] : data.w.shape[-1]] = special.logit(np.array(counts) / total)
    return theta


def scaled_data(data: Data) -> tuple[Cumulative, Array, tuple[str, ...]]:
    """The data centred and scaled, the way back, and the names of what comes back."""
    middle = np.average(data.x, axis=0, weights=data.frequency)
    size = np.sqrt(np.average((data.x - middle) ** 2, axis=0, weights=data.frequency))
    x = (data.x - middle) / size
    own, cuts = np.flatnonzero(data.nominal), len(data.cuts)
    common = np.flatnonzero(~data.nominal)
    w = np.column_stack([np.ones(len(x)), x[:, own]])
    q, p = len(own), len(common)
    turn = np.zeros((cuts * (1 + q) + p, cuts * (1 + q) + p))
    terms = list(data.cuts)
    for cut, name in enumerate(data.cuts):
        first = cut * (1 + q)
        turn[cut, first] = 1.0
        for at, column in enumerate(own):
            turn[cut, first + 1 + at] = -middle[column] / size[column]
            turn[cuts + cut * q + at, first + 1 + at] = -1.0 / size[column]
            terms.append(f"{data.terms[column]}@{name}")
        for at, column in enumerate(common):
            turn[cut, cuts * (1 + q) + at] = middle[column] / size[column]
    for at, column in enumerate(common):
        turn[cuts * (1 + q) + at, cuts * (1 + q) + at] = 1.0 / size[column]
        terms.append(data.terms[column])
    return Cumulative(data.category, w, x[:, common], data.frequency, cuts), turn, tuple(terms)


def _separated(data: Cumulative, turn: Array, terms: Sequence[str]) -> tuple[str, ...]:
    """The terms along which the likelihood rises for ever; none where it has a maximum."""
    forms = []
    for cut in range(data.cuts):
        row = np.zeros((len(data.x), data.width))
        width = data.w.shape[1]
        row[:, cut * width : (cut + 1) * width] = data.w
        row[:, data.cuts * width :] = -data.x
        forms += [row[(data.category == cut) & (data.weight > 0)]]
        forms += [-row[(data.category == cut + 1) & (data.weight > 0)]]
    direction = rising(np.concatenate(forms))
    if direction is None:
        return ()
    slopes = set(terms[data.cuts :])
    lost = moved(turn @ direction, tuple(terms), 1.0 / np.maximum(np.abs(turn).max(axis=1), 1e-300))
    return tuple(name for name in lost if name in slopes) or lost


def with_nominal(data: Data, nominal: Mask) -> Data:
    """The same data with other columns free at every cut."""
    return replace(data, nominal=nominal)
