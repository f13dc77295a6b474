"""Tests that one odds ratio serves every cut: score, likelihood ratio, and Brant's.

Each compares the fit with one in which some terms have a coefficient at every cut. The score test needs only the
fit that there is; the likelihood ratio needs the larger one, which may have no maximum where a cut has few
participants; Brant's compares separate logistic fits at every cut.

The rule that must stay true: the score test's default is by the expected information, which keeps its level in a
trial of this size (tests/rooms/analysis/test_ordinal.py); by the observed one, which PROC LOGISTIC takes, it rejects
a true assumption in every second trial of 86 participants with seven categories.
Sources: Peterson and Harrell 1990 (score), Brant 1990.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.analysis.estimate import ChiSquare, chi_square, quadratic
from equipoise.analysis.ops import NUMPY, Array, Mask
from equipoise.analysis.ordinal import steps
from equipoise.analysis.ordinal.method import Data, Fitted, fit, scaled_data, with_nominal
from equipoise.words.problem import Problem, problem

Answer = ChiSquare | Problem


@dataclass(frozen=True, slots=True)
class Assumption:
    """The three tests for some terms together. What cannot be computed is a Problem that says why."""

    score: Answer
    likelihood_ratio: Answer
    brant: Answer


def assumption(fitted: Fitted, columns: Mask, *, expected: bool = True) -> Assumption:
    """The tests for the columns (a mask over the terms) of a fit in which they have common coefficients."""
    if len(fitted.data.cuts) < 2:
        said = problem("analysis.two-categories")
        return Assumption(said, said, said)
    by_score = score(fitted, columns, expected=expected)
    return Assumption(by_score, likelihood_ratio(fitted, columns), brant(fitted.data, columns))


def score(fitted: Fitted, columns: Mask, *, expected: bool = True) -> Answer:
    """The score test by the expected information, or by the observed one as PROC LOGISTIC gives it.

    Where a cell is empty the observed information has no inverse; like there, the directions that hold nothing are
    left out.
    """
    data, small = fitted.data, fitted.scaled
    wider = with_nominal(data, data.nominal | columns)
    large, turn, terms = scaled_data(wider)
    known = dict(zip(fitted.terms, fitted.theta, strict=True))
    theta = [known[term] if term in known else known[term.rpartition("@")[0]] for term in terms]
    at = np.linalg.solve(turn, np.array(theta))
    height = steps.evaluate(NUMPY, large, at, expected=expected)
    size = np.sqrt(np.maximum(np.diag(height.information), 0.0))
    size[size == 0.0] = 1.0
    values, vectors = np.linalg.eigh(height.information / np.outer(size, size))
    along = (vectors.T @ (height.score / size))[values > 1e-9]
    value = float(np.sum(along**2 / values[values > 1e-9]))
    return chi_square(value, large.width - small.width)


def likelihood_ratio(fitted: Fitted, columns: Mask) -> Answer:
    """Twice the gain of log-likelihood of the larger fit."""
    larger = fit(with_nominal(fitted.data, fitted.data.nominal | columns))
    if not isinstance(larger, Fitted):
        return larger[0]
    gain = float(larger.peak.height.loglik - fitted.peak.height.loglik)
    return chi_square(2.0 * gain, len(larger.terms) - len(fitted.terms))


def brant(data: Data, columns: Mask) -> Answer:
    """Brant's Wald test that the slopes of separate logistic fits at every cut are one."""
    fits = []
    for cut in range(len(data.cuts)):
        names = (f"<={data.categories[cut]}", f">{data.categories[cut]}")
        above = (data.category > cut).astype(np.float64)
        two = Data(above, data.x, data.frequency, names, data.terms, np.zeros(len(data.terms), bool))
        one = fit(two)
        if not isinstance(one, Fitted):
            return problem("analysis.brant", data.cuts[cut], reason=one[0].where or one[0].say())
        fits.append(one)
    slopes, spread = _joined(fits, columns)
    cuts, q = len(fits), int(columns.sum())
    differences = np.kron(np.column_stack([np.ones(cuts - 1), -np.eye(cuts - 1)]), np.eye(q))
    return quadratic(differences @ slopes, differences @ spread @ differences.T)


def _joined(fits: list[Fitted], columns: Mask) -> tuple[Array, Array]:
    """The slopes of all cuts in one row, and their covariance across cuts (Brant 1990, appendix)."""
    q = int(columns.sum())
    keep = np.concatenate([[False], columns])
    spread = np.zeros((len(fits) * q, len(fits) * q))
    below = [
        np.asarray(1.0 / (1.0 + np.exp(-steps.predictors(NUMPY, f.scaled, f.peak.at)[:, 0]))) for f in fits
    ]
    for j, first in enumerate(fits):
        for k in range(j, len(fits)):
            second = fits[k]
            # the intercept of the design here is that of F(alpha - x'beta)
            design = [np.column_stack([np.ones(len(f.scaled.x)), -f.scaled.x]) for f in (first, second)]
            middle = first.scaled.weight * below[j] * (1.0 - below[k])
            mixed = first.peak.covariance @ (design[0].T * middle) @ design[1] @ second.peak.covariance
            block = (first.turn @ mixed @ second.turn.T)[np.ix_(keep, keep)]
            spread[j * q : (j + 1) * q, k * q : (k + 1) * q] = block
            spread[k * q : (k + 1) * q, j * q : (j + 1) * q] = block.T
    return np.concatenate([f.theta[keep] for f in fits]), spread
