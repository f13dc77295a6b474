"""Win odds of the grades for many trials at once, trials last: every pair across arms, within strata.

A pair is won where the participant of the active arm has the higher grade. With grades everything follows from counts
by stratum, arm and grade: the mean over opponents is the same for all participants of a grade.

The rules that must stay true: the same estimate and error as `equipoise.analysis.wins.fit_win_odds` with the factors as
strata; a trial in which an arm has one participant in a stratum has no error, says so and is counted.
Sources: Brunner, Vandemeulebroecke and Mütze 2021 (win odds); Dong and others 2018 (strata).
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from equipoise.simulation.batch.numbers import TILE
from equipoise.simulation.batch.odds import Grades, part_of


class WinOdds(NamedTuple):
    """The logarithm of the win odds of a higher grade, its standard error, and whether there is one; each (B,)."""

    log_odds: Array
    se: Array
    fitted: Array


def fit(grades: Grades, categories: int, factors: int, count: int | Array) -> WinOdds:
    """The win odds of the first `count` participants; the covariates end with the `factors` and the arm."""
    counts = _counts(grades, categories, factors, count)  # (strata, arm, grade, B)
    control, active = counts[:, 0], counts[:, 1]
    n, m = jnp.sum(control, axis=1), jnp.sum(active, axis=1)  # (strata, B)
    used = (m > 0) & (n > 0)
    safe_m, safe_n = jnp.maximum(m, 1.0)[:, None], jnp.maximum(n, 1.0)[:, None]
    by_active, by_control = (
        _gap(control) / safe_n,
        -_gap(active) / safe_m,
    )  # wins less losses over all opponents
    mean = jnp.sum(active * by_active, axis=1) / safe_m[:, 0]
    spread = (
        _variance(active, by_active, mean) / safe_m[:, 0]
        + _variance(control, by_control, mean) / safe_n[:, 0]
    )
    weight = jnp.where(used, m * n / jnp.maximum(m + n, 1.0), 0.0)
    pairs = jnp.sum(weight, axis=0)
    benefit = jnp.sum(weight * mean, axis=0) / pairs
    error = jnp.sqrt(jnp.sum(weight**2 * jnp.where(used, spread, 0.0), axis=0)) / pairs
    told = jnp.all(~used | ((m > 1) & (n > 1)), axis=0) & (error > 0) & (1.0 - jnp.abs(benefit) > 1e-12)
    log_odds = jnp.log1p(benefit) - jnp.log1p(-benefit)
    return WinOdds(log_odds, 2.0 / (1.0 - benefit**2) * error, told & jnp.isfinite(log_odds))


def _gap(counts: Array) -> Array:
    """(strata, grade, B) opponents below a grade less those above it."""
    below = jnp.cumsum(counts, axis=1) - counts
    return below - (jnp.sum(counts, axis=1, keepdims=True) - below - counts)


def _variance(counts: Array, values: Array, mean: Array) -> Array:
    """(strata, B) variance of what participants have on average, `counts` of them `values`."""
    squares = jnp.sum(counts * (values - mean[:, None]) ** 2, axis=1)
    return squares / jnp.maximum(jnp.sum(counts, axis=1) - 1.0, 1.0)


def _counts(grades: Grades, categories: int, factors: int, count: int | Array) -> Array:
    """(strata, 2, categories, B) participants with a grade; the second of the arms is the active one."""
    groups, size = 2 ** (factors + 1), grades.seen.shape[1]
    at = jnp.arange(groups * categories, dtype=jnp.int32)[:, None]
    powers = [2 * 2**factor for factor in range(factors)] + [1]

    def add(tile: Array, found: Array) -> Array:
        part = part_of(grades, tile)
        columns = part.x[-factors - 1 :]
        group = sum(power * columns[place].astype(jnp.int32) for place, power in enumerate(powers))
        cell = group * categories + part.category
        for one in range(TILE):
            found = found + (cell[one][None] == at) * part.seen[one][None]
        return found

    blank = jnp.zeros((groups * categories, size), grades.seen.dtype)
    found: Array = jax.lax.fori_loop(0, (count + TILE - 1) // TILE, add, blank)
    return found.reshape(2**factors, 2, categories, size)
