"""The fit: a start by expectation and maximisation, average-information steps, Newton on the tail.

The rules that must stay true: convergence is a value that is told with the answer, never assumed from a number of
steps; a step is taken only to a positive definite Sigma with a likelihood no worse; another structure is fitted only
when the caller lists it. Derivatives are in whitened coordinates, by D in Sigma + L D L' with Sigma = L L', where the
information does not suffer from visits that nearly say the same; for an unstructured Sigma the search keeps L alone.
Converged means that the Newton decrement sqrt(g' H^-1 g), the distance to the optimum in standard errors of the
covariance parameters, is below 1e-7 (or below what rounding leaves of it, `_reach`), and that H is positive definite.
A Sigma is positive definite when no eigenvalue of its correlations is below `Structure.flattest`, which is so far
above rounding that whether a fit has an answer is a matter of the data and not of the processor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from equipoise.analysis.mmrm.steps import (
    Curvature,
    Fitted,
    Statistics,
    curvature,
    duplication,
    em_step,
    evaluate,
)
from equipoise.analysis.mmrm.structures import UNSTRUCTURED, Structure, expand, from_sigma
from equipoise.analysis.ops import NUMPY, Array

EM_STEPS = 5
STEPS_MAX = 200
TOLERANCE = 1e-7
NEAR = 0.3
"""The decrement below which Newton's observed information takes over from the average information."""
STEP_MAX = 0.8
"""Largest relative change of Sigma in one step, as the Frobenius norm of Sigma^-1/2 D Sigma^-1/2."""


@dataclass(frozen=True, slots=True)
class Convergence:
    """How a fit ended. `decrement` is the distance to the optimum in standard errors; `steps` after the start."""

    converged: bool
    steps: int
    decrement: float
    structure: str
    passed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Optimum:
    """The point where the search ended, with all that inference needs there.

    half: (groups, V, V) lower factor of Sigma. spread: (s, s) the covariance of the whitened coordinates that `curve`
    is by, from the inverse observed information, all NaN where it has none. parameters: their number.
    """

    half: Array
    at: Fitted
    curve: Curvature
    spread: Array
    parameters: int
    convergence: Convergence

    @property
    def sigma(self) -> Array:
        """(groups, V, V)."""
        found: Array = self.half @ self.half.transpose(0, 2, 1)
        return found


@dataclass(frozen=True, slots=True)
class _Point:
    """theta: the parameters of a structure, empty where unstructured. smallest: eigenvalue of the correlations."""

    theta: Array
    half: Array
    at: Fitted
    smallest: float


def start(data: Statistics, *, reml: bool) -> Array:
    """(groups, V, V) a factor of Sigma: visit variances with correlation 1/2, then a few steps of EM."""
    squares = np.sum(data.rows[..., -1] ** 2, axis=0)
    seen = data.counts @ data.seen
    sd = np.sqrt(np.maximum(squares / np.maximum(seen, 1.0), 1e-20))
    first = sd[:, None] * np.linalg.cholesky(0.5 + 0.5 * np.eye(data.visits))
    half = np.repeat(first[None], data.groups, axis=0)

    def step(at: Array) -> Array:
        moved = em_step(NUMPY, data, at, reml=reml)
        return moved if _smallest(moved) >= UNSTRUCTURED else at

    return NUMPY.fori(EM_STEPS, step, half)


def maximise(data: Statistics, structure: Structure, first: Array, *, reml: bool) -> Optimum:
    """Search from the factor `first` (groups, V, V). Always answers; look at `convergence`."""
    theta = np.zeros(0)
    if structure.shape != "us":
        theta = np.concatenate([from_sigma(structure, half @ half.T) for half in first])
        first = _factor(structure, data, theta)
    point = _point(data, structure, theta, first, reml=reml)
    decrement, steps = np.inf, 0
    while np.isfinite(point.at.minus2) and steps <= STEPS_MAX:
        curve = curvature(NUMPY, data, point.at, reml=reml)
        gradient, average, observed = _by_move(structure, data, point, curve)
        newton = _positive(observed)
        decrement = _decrement(gradient, observed) if newton else np.inf
        if decrement < _reach(structure, data, point):
            break
        near = _decrement(gradient, average) < NEAR or decrement < NEAR
        move = -_solved(observed if newton and near else average, gradient)
        moved = _along(data, structure, point, move, gradient, reml=reml)
        if moved is None and newton:
            moved = _along(data, structure, point, -_solved(observed, gradient), gradient, reml=reml)
        if moved is None:
            break
        point, steps = moved, steps + 1
    return _ended(data, structure, point, decrement=float(decrement), steps=steps, reml=reml)


def fit(data: Statistics, structures: Sequence[Structure], *, reml: bool) -> Optimum:
    """The first structure of the list that converges; the last one tried where none does."""
    first = start(data, reml=reml)
    tried: list[str] = []
    for structure in structures:
        found = maximise(data, structure, first, reml=reml)
        if found.convergence.converged or structure is structures[-1]:
            break
        tried.append(structure.name)
    ended = found.convergence
    told = Convergence(ended.converged, ended.steps, ended.decrement, ended.structure, tuple(tried))
    return Optimum(found.half, found.at, found.curve, found.spread, found.parameters, told)


def _point(data: Statistics, structure: Structure, theta: Array, half: Array, *, reml: bool) -> _Point:
    smallest = _smallest(half)
    if not smallest >= structure.flattest:
        nothing = np.full(data.width, np.nan)
        return _Point(theta, half, Fitted(np.inf, nothing, nothing, nothing, nothing), smallest)
    return _Point(theta, half, evaluate(NUMPY, data, half, reml=reml), smallest)


def _factor(structure: Structure, data: Statistics, theta: Array) -> Array:
    """(groups, V, V) the factor of Sigma(theta); NaN where it has none."""
    parts = theta.reshape(data.groups, -1)
    return NUMPY.cholesky(np.stack([expand(structure, part, data.visits)[0] for part in parts]))


def _smallest(half: Array) -> float:
    """The smallest eigenvalue of the correlations of any Sigma = half half'; NaN where a factor is not finite."""
    if not np.isfinite(half).all():
        return float("nan")
    sizes = np.linalg.norm(half, axis=2, keepdims=True)
    if not (sizes > 0).all():
        return float("nan")
    return float(np.min(np.linalg.svd(half / sizes, compute_uv=False)) ** 2)


def _reach(structure: Structure, data: Statistics, point: _Point) -> float:
    """The decrement at which a search ends: 1e-7, or what rounding leaves of the score where that is more.

    A factor that is kept as such is known to the root of the condition of Sigma, one of Sigma(theta) to the condition.
    """
    known = point.smallest**0.5 if structure.shape == "us" else point.smallest
    rows = float(data.counts @ data.seen.sum(axis=1))
    return max(TOLERANCE, 10.0 * float(np.finfo(np.float64).eps * rows**0.5 / known))


def _by_move(
    structure: Structure, data: Statistics, point: _Point, curve: Curvature
) -> tuple[Array, Array, Array]:
    """Score, average and observed information by the search's own coordinates.

    They are whitened elements for an unstructured Sigma, theta for every other structure (chain rule).
    """
    if structure.shape == "us":
        return curve.score, curve.average, curve.observed
    slope, bends = _slopes(structure, data, point)
    size, own = slope.shape[0] // data.groups, slope.shape[1] // data.groups
    observed = slope.T @ curve.observed @ slope
    for group, bend in enumerate(bends):
        block = slice(group * own, (group + 1) * own)
        observed[block, block] += np.tensordot(curve.score[group * size : (group + 1) * size], bend, axes=1)
    return slope.T @ curve.score, slope.T @ curve.average @ slope, observed


def _slopes(structure: Structure, data: Statistics, point: _Point) -> tuple[Array, list[Array]]:
    """The derivative of all whitened elements by all parameters (blocks by group), and the second ones by group."""
    parts = point.theta.reshape(data.groups, -1)
    own = [expand(structure, part, data.visits)[1:] for part in parts]
    size, width = own[0][0].shape
    slope = np.zeros((data.groups * size, data.groups * width))
    bends = []
    for group, (first, second) in enumerate(own):
        turn = _whitening(point.half[group])
        slope[group * size : (group + 1) * size, group * width : (group + 1) * width] = turn @ first
        bends.append(np.tensordot(turn, second, axes=1))
    return slope, bends


def _whitening(half: Array) -> Array:
    """(s, s): from elements of a change of Sigma to the elements of L^-1 (the change) L^-T."""
    v = len(half)
    rows, columns = np.triu_indices(v)
    matrices = duplication(NUMPY, v).T.reshape(-1, v, v)
    left = np.linalg.solve(half, matrices)
    both: Array = np.linalg.solve(half, left.transpose(0, 2, 1))
    return both[:, rows, columns].T


def _moved(structure: Structure, data: Statistics, point: _Point, move: Array) -> tuple[Array, Array]:
    """Theta and factor after a move in the search's coordinates; the factor is NaN where there is none."""
    if structure.shape != "us":
        theta = point.theta + move
        return theta, _factor(structure, data, theta)
    changes = move.reshape(data.groups, -1) @ duplication(NUMPY, data.visits).T
    inner = np.eye(data.visits) + changes.reshape(-1, data.visits, data.visits)
    return point.theta, point.half @ NUMPY.cholesky(inner)


def _along(
    data: Statistics, structure: Structure, point: _Point, move: Array, gradient: Array, *, reml: bool
) -> _Point | None:
    """The first point on the way of `move`, halved where needed, that is positive definite and no worse."""
    slope = float(gradient @ move)
    if not np.isfinite(slope) or slope > 0:
        return None
    length = min(1.0, STEP_MAX / max(_relative(data, structure, point, move), 1e-300))
    slack = 1e-10 * (1.0 + abs(point.at.minus2))
    for _ in range(40):
        next_ = _point(data, structure, *_moved(structure, data, point, length * move), reml=reml)
        if next_.at.minus2 <= point.at.minus2 + 1e-4 * length * slope + slack:
            return next_
        length /= 2.0
    return None


def _relative(data: Statistics, structure: Structure, point: _Point, move: Array) -> float:
    """The first-order relative change of Sigma that `move` makes, the largest over groups."""
    elements = move if structure.shape == "us" else _slopes(structure, data, point)[0] @ move
    changes = elements.reshape(data.groups, -1) @ duplication(NUMPY, data.visits).T
    return float(np.max(np.linalg.norm(changes, axis=1)))


def _ended(
    data: Statistics, structure: Structure, point: _Point, *, decrement: float, steps: int, reml: bool
) -> Optimum:
    parameters = data.groups * structure.parameters(data.visits)
    size = data.groups * data.visits * (data.visits + 1) // 2
    if not np.isfinite(point.at.minus2):
        blank = np.full((size, size), np.nan)
        none = Curvature(blank[0], blank, blank, blank)
        told = Convergence(False, steps, np.inf, structure.name)  # noqa: FBT003 (a field, not a switch)
        return Optimum(point.half, point.at, none, blank, parameters, told)
    curve = curvature(NUMPY, data, point.at, reml=reml)
    _, _, observed = _by_move(structure, data, point, curve)
    converged = decrement < _reach(structure, data, point) and _positive(observed)
    spread = np.full((size, size), np.nan)
    if converged:
        slope = np.eye(size) if structure.shape == "us" else _slopes(structure, data, point)[0]
        spread = 2.0 * slope @ _solved(observed, slope.T)
    told = Convergence(converged, steps, decrement, structure.name)
    return Optimum(point.half, point.at, curve, (spread + spread.T) / 2.0, parameters, told)


def _scaled(matrix: Array) -> tuple[Array, Array]:
    scale = np.sqrt(np.abs(np.diagonal(matrix)))
    scale = np.where(scale > 0, scale, 1.0)
    return matrix / np.outer(scale, scale), scale


def _positive(matrix: Array) -> bool:
    """Positive definite with room for rounding, whatever the scales of its rows."""
    if not np.isfinite(matrix).all() or (np.diagonal(matrix) <= 0).any():
        return False
    return bool(np.linalg.eigvalsh(_scaled(matrix)[0])[0] >= 1e-11)


def _solved(matrix: Array, right: Array) -> Array:
    """matrix^-1 right for an information matrix; with a ridge where it is singular."""
    whole, scale = _scaled(matrix)
    smallest = float(np.linalg.eigvalsh(whole)[0])
    if smallest < 1e-10:
        whole = whole + (1e-6 - min(smallest, 0.0)) * np.eye(len(whole))
    given = right / (scale if right.ndim == 1 else scale[:, None])
    found = np.linalg.solve(whole, given)
    return np.asarray(found / (scale if right.ndim == 1 else scale[:, None]), np.float64)


def _decrement(gradient: Array, information: Array) -> float:
    return float(np.sqrt(max(float(gradient @ _solved(information, gradient)), 0.0)))
