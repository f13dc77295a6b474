"""Unstructured REML for many trials whose missing values have any pattern: the G form.

What was seen is known by sums of products for each pattern of visits, 2^V - 1 of them. A triangular root of these
sums gives as many rows with the same sums as there are columns, and on these rows the analysis room's own step
functions run, compiled, one trial beside the other. Slower than the M form (monotone.py) by the size of its matrices.

The rules that must stay true: the same estimates, errors and degrees of freedom as `equipoise.analysis.fit_mmrm` on
the same data, and as the M form where missing values are monotone; what has not converged says so.
Sources: as equipoise.analysis.mmrm.steps; Kenward and Roger 1997; Satterthwaite 1946.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from equipoise.analysis.mmrm.method import EM_STEPS, NEAR, STEP_MAX, TOLERANCE
from equipoise.analysis.mmrm.steps import (
    Curvature,
    Fitted,
    Statistics,
    curvature,
    duplication,
    em_step,
    evaluate,
    second_moment,
)
from equipoise.simulation.batch.monotone import Effect
from equipoise.simulation.batch.numbers import Array
from equipoise.simulation.batch.ops import JAX
from equipoise.simulation.batch.small import lower

STEPS = 60
"""Steps at most after the start; five to fifteen are usual."""


class PatternProducts(NamedTuple):
    """Sums of products of (z, x, y) by pattern: counts (2^V, B), sums (2^V, q, q, B) with q = s + r + V.

    Pattern k has visit v where bit v of k is set; y of other visits is not read. s: the number of z, the last of
    which is the arm.
    """

    counts: Array
    sums: Array
    s: int


def fit(data: PatternProducts, visit: int) -> Effect:
    """The arm's effect at visit `visit` (from 0)."""
    visits = int(data.counts.shape[0]).bit_length() - 1
    rows = jnp.moveaxis(_rows(data, visits), -1, 0)
    counts = jnp.moveaxis(data.counts[1:], -1, 0)
    return jax.vmap(lambda mine, these: _one(mine, these, (visits, data.s, visit)))(counts, rows)


def merged(counts: Array, sums: Array, visits: int) -> tuple[Array, Array]:
    """Patterns of the first `visits` visits alone, out of patterns of more."""
    if counts.shape[0] == 2**visits:
        return counts, sums
    place = np.arange(counts.shape[0]) % 2**visits
    fewer = jnp.zeros((2**visits, *counts.shape[1:]), counts.dtype).at[place].add(counts)
    return fewer, jnp.zeros((2**visits, *sums.shape[1:]), sums.dtype).at[place].add(sums)


def seen_at(visits: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """(2^V, V) 1 where a pattern has a visit."""
    return ((np.arange(2**visits)[:, None] >> np.arange(visits)) & 1).astype(np.float64)


def _rows(data: PatternProducts, visits: int) -> Array:
    """(R, V, width + 1, B): rows with the sums of products of each pattern, as rows of the design and the response."""
    q, s = data.sums.shape[1], data.s
    common = q - s - visits
    seen = seen_at(visits)[1:]
    own = np.concatenate([np.ones((len(seen), s + common)), seen], axis=1)
    sums = data.sums[1:] * (own[:, :, None] * own[:, None, :])[:, :, :, None]
    spread = jnp.stack([sums[:, at, at] for at in range(q)], axis=1)
    filled = jnp.where(spread > 0, 0.0, 1.0)  # a column that nobody has
    tiny = 1e-13 * jnp.maximum(spread, 1.0)
    root = lower(sums + (filled + tiny)[:, :, None] * jnp.eye(q)[:, :, None])
    root = root * (spread > 0)[:, :, None] * (spread > 0)[:, None, :]
    place = np.zeros((visits, q, s * visits + common + 1))
    for at in range(visits):
        place[at, np.arange(s), at * s + np.arange(s)] = 1.0
        place[at, s + np.arange(common), s * visits + np.arange(common)] = 1.0
        place[at, s + common + at, -1] = 1.0
    rows = jnp.einsum("kcrb,vcw->krvwb", root, jnp.asarray(place)) * seen[:, None, :, None, None]
    return rows.reshape(-1, *rows.shape[2:])


class _State(NamedTuple):
    half: Array
    ended: Array
    steps: Array


def _one(counts: Array, rows: Array, what: tuple[int, int, int]) -> Effect:
    """One trial. what: V, s, and the visit."""
    visits, s, visit = what
    patterns = 2**visits - 1
    owner = tuple(int(at) for at in np.repeat(np.arange(patterns), rows.shape[0] // patterns))
    data = Statistics(counts, seen_at(visits)[1:], (0,) * patterns, rows, owner, 1)
    half = JAX.fori(EM_STEPS, lambda at: em_step(JAX, data, at, reml=True), _start(data))
    begin = _State(half, jnp.zeros((), bool), jnp.zeros((), jnp.int32))
    end = jax.lax.while_loop(lambda at: ~at.ended & (at.steps < STEPS), lambda at: _step(data, at), begin)
    at, curve = _curved(data, end.half)
    return _effect(data, (at, curve), (visit * s + s - 1, end))


def _start(data: Statistics) -> Array:
    """(1, V, V): a factor of Sigma, variances of what least squares leave, correlation 1/2."""
    p = data.width
    total = jnp.einsum("rvi,rvj->ij", data.rows, data.rows)
    beta = jnp.linalg.solve(total[:p, :p], total[:p, p])
    left = data.rows @ jnp.concatenate([-beta, jnp.ones(1)])
    seen = jnp.maximum(data.counts @ data.seen, 1.0)
    sd = jnp.sqrt(jnp.maximum(jnp.sum(left**2, axis=0) / seen, 1e-8))
    return (sd[:, None] * jnp.linalg.cholesky(0.5 + 0.5 * jnp.eye(data.visits)))[None]


def _curved(data: Statistics, half: Array) -> tuple[Fitted, Curvature]:
    """The evaluation and its derivatives."""
    at = evaluate(JAX, data, half, reml=True)
    return at, curvature(JAX, data, at, reml=True)


def _step(data: Statistics, before: _State) -> _State:
    """Average information at first, Newton near the end; Sigma stays positive definite by the length of a step."""
    _, curve = _curved(data, before.half)
    newton = JAX.solve(curve.observed, curve.score)
    careful = JAX.solve(curve.average, curve.score)
    positive = jnp.all(jnp.isfinite(JAX.cholesky(curve.observed)))
    short = jnp.sqrt(jnp.where(positive, jnp.maximum(curve.score @ newton, 0.0), jnp.inf))
    near = positive & ((short < NEAR) | (curve.score @ careful < NEAR**2))
    move = duplication(JAX, data.visits) @ -jnp.where(near, newton, careful)
    move = move * jnp.minimum(1.0, STEP_MAX / jnp.linalg.norm(move))
    inner = jnp.eye(data.visits) + move.reshape(data.visits, data.visits)
    return _State(before.half @ jnp.linalg.cholesky(inner)[None], short < TOLERANCE, before.steps + 1)


def _effect(data: Statistics, found: tuple[Fitted, Curvature], where: tuple[int, _State]) -> Effect:
    """The coefficient in that place, with its errors."""
    (at, curve), (place, end) = found, where
    spread = 2.0 * jnp.linalg.inv(curve.observed)
    spread = (spread + spread.T) / 2.0
    mine = jnp.linalg.solve(at.root.T, jnp.eye(data.width)[place])
    turned = curve.p @ mine  # (e, p)
    slope = -turned @ mine
    variance = mine @ mine
    df = 2.0 * variance**2 / (slope @ spread @ slope)
    moment = second_moment(JAX, data, at, spread)
    mixed = jnp.sum(spread * (turned @ turned.T))
    adjusted = variance + 2.0 * (mine @ moment @ mine - mixed)
    told = jnp.stack([variance, adjusted, df])
    sound = jnp.all(jnp.isfinite(told)) & jnp.all(told > 0) & jnp.isfinite(at.beta[place])
    return Effect(at.beta[place], variance, adjusted, df, end.ended & sound, end.steps)
