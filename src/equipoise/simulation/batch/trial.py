"""Complete trials, many at once: drawn, analysed at every look, answered as one row of numbers each.

The rule that must stay true: a row depends on the seed, the scenario and the trial's number, and on nothing else.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from equipoise.simulation.batch import general, monotone, odds, wins
from equipoise.simulation.batch import ops as _ops  # noqa: F401  # it tells JAX to compute in float64
from equipoise.simulation.batch.course import draw, trial_keys
from equipoise.simulation.batch.numbers import Numbers, Shape
from equipoise.simulation.batch.wins import WinOdds

BLOCK = 256
"""Trials that are worked on together: as many as the fast memory of a processor holds."""


class Rows(NamedTuple):
    """K looks, B trials; the effect in points of the scale, the odds as logarithms.

    effect, variance, adjusted, df: (K, B). fitted: (K, B) whether the search converged. steps: (K, B).
    log_odds, odds_se, odds_fitted, odds_steps, categories: (B,) at the last look.
    whole: (B,) difference of the means of everybody, nobody missing. seen, died, excess, worst: (B,) see `Drawn`.
    wins: None where the shape asks for none.
    """

    effect: Array
    variance: Array
    adjusted: Array
    df: Array
    fitted: Array
    steps: Array
    log_odds: Array
    odds_se: Array
    odds_fitted: Array
    odds_steps: Array
    categories: Array
    whole: Array
    seen: Array
    died: Array
    excess: Array
    worst: Array
    wins: WinOdds | None


def block(shape: Shape, numbers: Numbers, keys: Array) -> Rows:
    """The rows of the trials with these keys (2, B)."""
    drawn = draw(shape, numbers, keys)
    fits = []
    for look in range(shape.looks):
        visits = shape.visits_at(look)
        columns = shape.columns - shape.visits + visits
        sums = drawn.sums[look, :, :columns, :columns]
        if shape.gaps:
            merged = general.merged(drawn.counts[look], sums, visits)
            fits.append(general.fit(general.PatternProducts(*merged, 3), shape.endpoint))
        else:
            data = monotone.Products(drawn.counts[look, :visits], sums[:visits], 3)
            fits.append(monotone.fit(data, shape.endpoint))
    common = odds.fit(drawn.grades, shape.grades, numbers.participants)
    unit = numbers.unit
    means = drawn.whole[1] / drawn.whole[0]
    effect = jnp.stack([fit.estimate for fit in fits]) * unit
    return Rows(
        effect,
        jnp.stack([fit.variance for fit in fits]) * unit**2,
        jnp.stack([fit.adjusted for fit in fits]) * unit**2,
        jnp.stack([fit.df for fit in fits]),
        jnp.stack([fit.converged for fit in fits]),
        jnp.stack([fit.steps for fit in fits]),
        common.log_odds, common.se, common.converged, common.steps, common.categories,
        (means[1] - means[0]) * unit, drawn.seen, drawn.died, drawn.excess, drawn.worst,
        wins.fit(drawn.grades, shape.grades, shape.factors, numbers.participants) if shape.wins else None,
    )  # fmt: skip


@partial(jax.jit, static_argnums=(0, 4, 5))
def trials(shape: Shape, numbers: Numbers, seed: Array, first: Array, blocks: int, size: int = BLOCK) -> Rows:
    """The rows of `blocks` blocks of `size` trials, from trial `first` on; trials on the last axis."""

    def one(number: Array) -> Rows:
        start = first.astype(jnp.uint32) + number.astype(jnp.uint32) * jnp.uint32(size)
        return block(shape, numbers, trial_keys(seed, start, size))

    found = jax.lax.map(one, jnp.arange(blocks))
    rows: Rows = jax.tree.map(lambda each: jnp.moveaxis(each, 0, -2).reshape(*each.shape[1:-1], -1), found)
    return rows
