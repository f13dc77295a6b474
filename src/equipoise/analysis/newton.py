"""Newton's method with step control for a smooth log-likelihood, and intervals by its profile.

The rule that must stay true: a point is called converged only where the step that is left is far below the standard
errors and the information is positive definite. Nothing here gives up silently: `converged` says what happened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import linalg, special

from equipoise.analysis.estimate import LEVEL, Interval
from equipoise.analysis.ops import Array

DECREMENT = 1e-9
"""The length of the step that is left, in standard errors, below which a fit has converged."""


@dataclass(frozen=True, slots=True)
class Height:
    """A log-likelihood at one point with its score (k,) and information (k, k), the negative second derivatives."""

    loglik: float
    score: Array
    information: Array


@dataclass(frozen=True, slots=True)
class Peak:
    """Where a search ended."""

    at: Array
    height: Height
    steps: int
    converged: bool

    @property
    def covariance(self) -> Array:
        """(k, k) the inverse of the information."""
        return np.asarray(np.linalg.inv(self.height.information), np.float64)


Evaluate = Callable[[Array], Height]


def maximise(evaluate: Evaluate, start: Array, *, free: Array | None = None, steps: int = 100) -> Peak:
    """The maximum of a log-likelihood by damped Newton steps from `start`.

    evaluate: gives -inf (or NaN) outside its domain. free: (k,) which parameters move; all where None.
    """
    at = np.asarray(start, np.float64).copy()
    moving = np.ones(len(at), bool) if free is None else free
    here = evaluate(at)
    for step in range(steps + 1):
        move, decrement, definite = _direction(here, moving)
        if decrement < DECREMENT or step == steps or not np.isfinite(here.loglik):
            return Peak(at, here, step, definite and decrement < DECREMENT)
        found = _shorten(evaluate, at, here, move)
        if (
            found is None
        ):  # no better point in this direction: rounding is all that is left, or it is no maximum
            return Peak(at, here, step, definite and decrement < 1e-5)
        at, here = found
    raise AssertionError("the loop returns")


def _direction(here: Height, moving: Array) -> tuple[Array, float, bool]:
    """The step, its length in standard errors, and whether the information is positive definite."""
    move = np.zeros(len(here.score))
    score, information = here.score[moving], here.information[np.ix_(moving, moving)]
    if not len(score):
        return move, 0.0, True
    if not np.isfinite(information).all():
        return move, np.inf, False
    size = np.sqrt(np.maximum(np.abs(np.diag(information)), 1e-300))
    scaled = information / np.outer(size, size)
    definite = True
    try:
        part = linalg.cho_solve(linalg.cho_factor(scaled, check_finite=False), score / size) / size
    except linalg.LinAlgError:  # uphill all the same: every direction by the size of its curvature
        definite = False
        values, vectors = np.linalg.eigh(scaled)
        curved = np.maximum(np.abs(values), 1e-3)
        part = vectors @ ((vectors.T @ (score / size)) / curved) / size
    move[moving] = part
    return move, float(np.sqrt(max(score @ part, 0.0))), definite


def _shorten(evaluate: Evaluate, at: Array, here: Height, move: Array) -> tuple[Array, Height] | None:
    room = 1e-13 * (1.0 + abs(here.loglik))
    for halvings in range(40):
        there = at + move * 0.5**halvings
        found = evaluate(there)
        if np.isfinite(found.loglik) and found.loglik >= here.loglik - (room if halvings == 0 else 0.0):
            return (there, found) if not np.array_equal(there, at) else None
    return None


def profile(evaluate: Evaluate, peak: Peak, at: int, level: float = LEVEL) -> Interval | None:
    """The interval of parameter `at` by the profile of the log-likelihood; None where it has no end.

    A bound is where twice the loss of log-likelihood, the others at their best, is the quantile of chi-square with
    one degree of freedom. Source: Venzon and Moolgavkar 1988.
    """
    loss = float(special.chdtri(1, 1.0 - level)) / 2.0
    free = np.arange(len(peak.at)) != at
    se = float(np.sqrt(peak.covariance[at, at]))
    bounds = [_bound(evaluate, peak, at, free, (sign * se, loss)) for sign in (-1.0, 1.0)]
    return None if bounds[0] is None or bounds[1] is None else Interval(bounds[0], bounds[1])


def _bound(evaluate: Evaluate, peak: Peak, at: int, free: Array, aim: tuple[float, float]) -> float | None:
    from scipy import optimize

    (unit, loss), starts = aim, {0.0: peak.at}

    def left(distance: float) -> float:
        """How much of the allowed loss is left where parameter `at` is so many units from its best."""
        if distance == 0.0:
            return loss
        nearest = starts[min(starts, key=lambda known: abs(known - distance))].copy()
        nearest[at] = peak.at[at] + distance * unit
        found = maximise(evaluate, nearest, free=free)
        if not np.isfinite(
            found.height.loglik
        ):  # a warm start may stand outside the domain; the peak's does not
            again = peak.at.copy()
            again[at] = nearest[at]
            found = maximise(evaluate, again, free=free)
        if np.isfinite(found.height.loglik):
            starts[distance] = found.at
        return loss - (peak.height.loglik - found.height.loglik)

    far = 2.0
    while left(far) > 0.0:
        far *= 1.5
        if far > 60.0:
            return None
    root = optimize.brentq(left, 0.0, far, xtol=1e-12, rtol=1e-12)
    return float(peak.at[at] + root * unit)
