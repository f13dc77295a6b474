"""Proportional odds for many trials at once, trials last: the common odds ratio of the arm by Newton's method.

    P(Y <= c) = F(theta_c - eta),   eta = x'beta,   F logistic;   A_c = 1 / (1 + exp(eta) exp(-theta_c))

With A and B those of a participant's own cut and of the one below, the share of the category is A - B, its logarithm
has the derivative A + B - 1 by eta, and one exponential a participant is enough. The information is the observed one.

The rules that must stay true: the same maximum as `equipoise.analysis.fit_ordinal`; a category in which a trial has
nobody is left out of that trial (the ranks above move down); where the likelihood has no maximum (separation), or the
search has not ended, the trial says so and is counted. Source: McCullagh 1980.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from equipoise.simulation.batch.numbers import TILE
from equipoise.simulation.batch.small import applied, inverse, settled

STEPS = 25
"""Newton steps at most; four to six are usual."""
TOLERANCE = 1e-14
"""The squared Newton decrement below which a search has ended; the step that it belongs to is still made."""
LARGEST = 10.0
"""A log odds ratio beyond it is taken for one without end: its odds are above 22,000 to 1."""


class Grades(NamedTuple):
    """category (N, B) from 0, x (p, N, B) with the arm last, seen (N, B) 1 where observed. N is a multiple of TILE."""

    category: Array
    x: Array
    seen: Array


class CommonOdds(NamedTuple):
    """The arm's log odds ratio of a higher category and its standard error, each (B,)."""

    log_odds: Array
    se: Array
    converged: Array
    steps: Array
    categories: Array


def fit(grades: Grades, categories: int, count: int | Array) -> CommonOdds:
    """The common odds ratio; `categories` the number that there can be, `count` participants who are read."""
    squeezed, counts, present = _squeezed(grades, categories, count)
    cuts, p, size = categories - 1, grades.x.shape[0], grades.seen.shape[1]
    top = jnp.sum(present, axis=0) - 1
    free = jnp.arange(cuts)[:, None] < top[None]  # cuts that a trial has
    passed = jnp.cumsum(counts, axis=0)[:-1]
    total = jnp.sum(counts, axis=0)
    share = jnp.where(free, passed / total, 0.5)
    begin = jnp.where(free, jnp.log(share) - jnp.log1p(-share), 0.0)
    theta = jnp.concatenate([begin, jnp.zeros((p, size))])

    def unfinished(state: tuple[Array, Array, Array, Array]) -> Array:
        _, ended, done, _ = state
        return jnp.any(~ended & (done < STEPS))

    def step(state: tuple[Array, Array, Array, Array]) -> tuple[Array, Array, Array, Array]:
        theta, ended, done, variance = state
        gradient, information = _height(squeezed, theta, free, count)
        spread = inverse(information)
        move = applied(spread, gradient)
        decrement = jnp.sum(move * gradient, axis=0)
        going = ~ended & (done < STEPS)
        moved = theta + jnp.where(going, _shrink(theta, move, free), 0.0) * move
        small = (decrement >= 0) & (decrement < TOLERANCE)
        kept = jnp.where(going, spread[-1, -1], variance)
        return jnp.where(going, moved, theta), ended | (going & small), done + going, kept

    start = (theta, jnp.zeros(size, bool), jnp.zeros(size, jnp.int32), jnp.zeros(size))
    theta, ended, done, variance = jax.lax.while_loop(unfinished, step, start)
    sound = jnp.isfinite(theta[-1]) & (variance > 0) & (jnp.max(jnp.abs(theta[cuts:]), axis=0) < LARGEST)
    return CommonOdds(theta[-1], jnp.sqrt(variance), ended & sound & (top > 0), done, top + 1)


def _squeezed(grades: Grades, categories: int, count: int | Array) -> tuple[Grades, Array, Array]:
    """The grades as ranks among those that occur in their trial, counts of the ranks, and which grades occur."""
    at = jnp.arange(categories)[:, None]

    def add(tile: Array, counts: Array) -> Array:
        part = part_of(grades, tile)
        for one in range(TILE):
            counts = counts + (part.category[one][None] == at) * part.seen[one][None]
        return counts

    blank = jnp.zeros((categories, grades.seen.shape[1]), grades.seen.dtype)
    counts = jax.lax.fori_loop(0, (count + TILE - 1) // TILE, add, blank)
    present = counts > 0
    rank = jnp.cumsum(present, axis=0) - 1
    ranks = sum(jnp.where(grades.category == each, rank[each][None], 0) for each in range(categories))
    places = jnp.arange(categories)[:, None, None]
    moved = jnp.sum(jnp.where((rank[None] == places) & present[None], counts[None], 0.0), axis=1)
    return grades._replace(category=jnp.asarray(ranks, jnp.int32)), moved, present


def _shrink(theta: Array, move: Array, free: Array) -> Array:
    """(B,) how much of a step may be made: cuts stay in order, no coefficient moves by more than 2."""
    cuts = free.shape[0]
    gap, closing = theta[1:cuts] - theta[: cuts - 1], move[: cuts - 1] - move[1:cuts]
    tight = free[1:] & (closing > 0.9 * gap)
    room = jnp.min(jnp.where(tight, 0.9 * gap / jnp.where(tight, closing, 1.0), 1.0), axis=0, initial=1.0)
    return jnp.minimum(room, 2.0 / jnp.maximum(2.0, jnp.max(jnp.abs(move), axis=0)))


def _height(grades: Grades, theta: Array, free: Array, count: int | Array) -> tuple[Array, Array]:
    """Gradient (k, B) and observed information (k, k, B) of the log-likelihood; unit rows at cuts that are none."""
    cuts, p, size = free.shape[0], grades.x.shape[0], grades.seen.shape[1]
    factor = jnp.where(free, jnp.exp(-theta[:cuts]), 0.0)  # 0: the cumulative share is 1 from there on
    beta, x_type = theta[cuts:], theta.dtype
    at = jnp.arange(cuts, dtype=x_type)[:, None, None]

    def add(tile: Array, sums: tuple[Array, Array]) -> tuple[Array, Array]:
        by_category, by_slope = sums
        part = part_of(grades, tile)
        grade = part.category.astype(x_type)  # comparing floats with floats is one instruction for several
        rows, slopes = settled(_terms(part, factor, beta))
        for one in range(TILE):
            y = grade[one][None, None]
            by_category = by_category + jnp.where(at == y, rows[0][None, :, one], 0.0)
            by_category = by_category + jnp.where(at == y - 1.0, rows[1][None, :, one], 0.0)
            by_slope = by_slope + slopes[:, :, one]
        return by_category, by_slope

    blank = (jnp.zeros((cuts, 3 + p, size), theta.dtype), jnp.zeros((1 + p, p, size), theta.dtype))
    by_category, by_slope = jax.lax.fori_loop(0, (count + TILE - 1) // TILE, add, blank)
    by_category = jnp.where(free[:, None], by_category, 0.0)
    gradient = jnp.concatenate([by_category[:, 0], by_slope[0]])
    one = jnp.eye(cuts)[:, :, None]
    diagonal = one * (by_category[:, 1] + jnp.where(free, 0.0, 1.0))[:, None]
    off = jnp.zeros((cuts, cuts, size), theta.dtype)
    if cuts > 1:
        pair = jnp.arange(cuts - 1)
        off = off.at[pair, pair + 1].set(by_category[1:, 2]).at[pair + 1, pair].set(by_category[1:, 2])
    cross = -by_category[:, 3:]
    return gradient, jnp.concatenate(
        [
            jnp.concatenate([diagonal + off, cross], axis=1),
            jnp.concatenate([jnp.swapaxes(cross, 0, 1), by_slope[1:]], axis=1),
        ]
    )


def part_of(grades: Grades, tile: Array) -> Grades:
    """The participants of one tile."""
    take = jax.lax.dynamic_slice_in_dim
    at = tile * TILE
    return Grades(
        take(grades.category, at, TILE, 0), take(grades.x, at, TILE, 1), take(grades.seen, at, TILE, 0)
    )


def _terms(part: Grades, factor: Array, beta: Array) -> tuple[tuple[Array, Array], Array]:
    """What T participants add: (3 + p, T, B) at the cut above their grade, the same at the cut below, and the slopes.

    The rows are the score, the information of the cut itself, that with the cut below, and those with the p slopes;
    slopes: (1 + p, p, T, B), the score and the information.
    """
    x, seen, y = part.x, part.seen, part.category.astype(part.x.dtype)
    eta = sum(x[column] * beta[column] for column in range(len(x)))
    e, none = settled(jnp.exp(eta)), jnp.zeros_like(seen)
    upper = sum((jnp.where(y == cut, factor[cut], 0.0) for cut in range(len(factor))), none)
    lower = sum((jnp.where(y - 1 == cut, factor[cut], 0.0) for cut in range(len(factor))), none)
    above = 1.0 / (1.0 + e * upper)
    below = jnp.where(y > 0, 1.0 / (1.0 + e * lower), 0.0)
    share = seen / (above - below)
    f, g = above * (1.0 - above), below * (1.0 - below)
    ratio_f, ratio_g = f * share, g * share
    rows_up = [ratio_f, ratio_f * (2.0 * above - 1.0) + ratio_f**2, -ratio_f * ratio_g, *(f * seen * x)]
    rows_low = [-ratio_g, ratio_g * (1.0 - 2.0 * below) + ratio_g**2, none, *(g * seen * x)]
    weighted = (f + g) * seen * x
    slopes = jnp.concatenate([((above + below - 1.0) * seen * x)[None], weighted[:, None] * x[None]])
    return (jnp.stack(rows_up), jnp.stack(rows_low)), slopes
