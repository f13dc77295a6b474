"""The fit: a start by expectation and maximisation, average-information steps, Newton on the tail.

The rules that must stay true: convergence is a value that is told with the answer, never assumed from a number of
steps; a step is taken only to a positive definite Sigma with a likelihood no worse; another structure is fitted only
when the caller lists it. Derivatives are in whitened coordinates, by D in Sigma + L D L' with Sigma = L L', where the
information does not suffer from visits that nearly say the same.
Converged means that the Newton decrement sqrt(g' H^-1 g), the distance to the optimum in standard errors of the
covariance parameters, is below 1e-7, and that H is positive definite.
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
    whitened,
)
from equipoise.analysis.mmrm.structures import Structure, expand, from_sigma
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

    sigma: (groups, V, V). at: whitened, so that `curve` and `spread` are in whitened coordinates. spread: (s, s)
    their covariance by the inverse observed information, all NaN where it has none. parameters: their number.
    """

    sigma: Array
    at: Fitted
    curve: Curvature
    spread: Array
    parameters: int
    convergence: Convergence


@dataclass(frozen=True, slots=True)
class _Point:
    theta: Array
    sigma: Array
    half: Array
    at: Fitted


def start(data: Statistics, *, reml: bool) -> Array:
    """(groups, V, V): visit variances of the data with correlation 1/2, then a few steps of EM."""
    squares = np.sum(data.rows[..., -1] ** 2, axis=0)
    seen = data.counts @ data.seen
    sd = np.sqrt(np.maximum(squares / np.maximum(seen, 1.0), 1e-8))
    first = np.outer(sd, sd) * (0.5 + 0.5 * np.eye(data.visits))
    sigma = np.repeat(first[None], data.groups, axis=0)

    def step(at: Array) -> Array:
        moved = em_step(NUMPY, data, at, reml=reml)
        return moved if _positive(moved) else at

    return NUMPY.fori(EM_STEPS, step, sigma)


def maximise(data: Statistics, structure: Structure, first: Array, *, reml: bool) -> Optimum:
    """Search from `first` (groups, V, V). Always answers; look at `convergence`."""
    theta = np.concatenate([from_sigma(structure, sigma) for sigma in first])
    point = _point(data, structure, theta, reml=reml)
    decrement, steps = np.inf, 0
    while np.isfinite(point.at.minus2) and steps <= STEPS_MAX:
        curve = curvature(NUMPY, data, whitened(data, point.at, point.half), reml=reml)
        gradient, average, observed = _by_move(structure, data, point, curve)
        newton = _positive(observed)
        decrement = _decrement(gradient, observed) if newton else np.inf
        if decrement < TOLERANCE:
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
    return Optimum(found.sigma, found.at, found.curve, found.spread, found.parameters, told)


def _point(data: Statistics, structure: Structure, theta: Array, *, reml: bool) -> _Point:
    parts = theta.reshape(data.groups, -1)
    sigma = np.stack([expand(structure, part, data.visits)[0] for part in parts])
    if not _positive(sigma):
        nothing = np.full(data.width, np.nan)
        blank = Fitted(np.inf, nothing, nothing, nothing, nothing, nothing)
        return _Point(theta, sigma, sigma, blank)
    half = np.asarray(np.linalg.cholesky(sigma), np.float64)
    return _Point(theta, sigma, half, evaluate(NUMPY, data, sigma, reml=reml))


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


def _theta_move(structure: Structure, data: Statistics, point: _Point, move: Array) -> Array:
    """A move in the search's coordinates as a move of theta."""
    if structure.shape != "us":
        return move
    v = data.visits
    rows, columns = np.triu_indices(v)
    changes = (move.reshape(data.groups, -1) @ duplication(NUMPY, v).T).reshape(-1, v, v)
    back = point.half @ changes @ point.half.transpose(0, 2, 1)
    return np.asarray(back[:, rows, columns].reshape(-1), np.float64)


def _along(
    data: Statistics, structure: Structure, point: _Point, move: Array, gradient: Array, *, reml: bool
) -> _Point | None:
    """The first point on the way of `move`, halved where needed, that is positive definite and no worse."""
    slope = float(gradient @ move)
    if not np.isfinite(slope) or slope > 0:
        return None
    length = min(1.0, STEP_MAX / max(_relative(data, structure, point, move), 1e-300))
    slack = 1e-10 * (1.0 + abs(point.at.minus2))
    change = _theta_move(structure, data, point, move)
    for _ in range(40):
        next_ = _point(data, structure, point.theta + length * change, reml=reml)
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
    parameters = len(point.theta)
    size = data.groups * data.visits * (data.visits + 1) // 2
    if not np.isfinite(point.at.minus2):
        blank = np.full((size, size), np.nan)
        none = Curvature(blank[0], blank, blank, blank)
        told = Convergence(False, steps, np.inf, structure.name)  # noqa: FBT003 (a field, not a switch)
        return Optimum(point.sigma, point.at, none, blank, parameters, told)
    at = whitened(data, point.at, point.half)
    curve = curvature(NUMPY, data, at, reml=reml)
    _, _, observed = _by_move(structure, data, point, curve)
    converged = decrement < TOLERANCE and _positive(observed)
    spread = np.full((size, size), np.nan)
    if converged:
        slope = np.eye(size) if structure.shape == "us" else _slopes(structure, data, point)[0]
        spread = 2.0 * slope @ _solved(observed, slope.T)
    told = Convergence(converged, steps, decrement, structure.name)
    return Optimum(point.sigma, at, curve, (spread + spread.T) / 2.0, parameters, told)


def _scaled(matrix: Array) -> tuple[Array, Array]:
    scale = np.sqrt(np.abs(np.diagonal(matrix)))
    scale = np.where(scale > 0, scale, 1.0)
    return matrix / np.outer(scale, scale), scale


def _positive(matrices: Array) -> bool:
    """Positive definite with room for rounding, whatever the scales of its rows."""
    if not np.isfinite(matrices).all():
        return False
    for matrix in matrices if matrices.ndim == 3 else matrices[None]:
        if (np.diagonal(matrix) <= 0).any() or np.linalg.eigvalsh(_scaled(matrix)[0])[0] < 1e-11:
            return False
    return True


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
