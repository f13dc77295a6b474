"""Linear algebra on stacks of small matrices, trials on the last axis, as loops that the compiler makes one pass of.

The rule that must stay true: an array is (…, B) with the trials last, so that every operation is the same operation on
neighbouring numbers; library factorizations work through a stack one matrix after another. Nothing is pivoted: the
matrices are sums of squares. One that is singular gives what is not finite, never an exception.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jax import Array

Arrays = TypeVar("Arrays")
_barrier: Any = jax.lax.optimization_barrier  # it carries no types


def settled(arrays: Arrays) -> Arrays:
    """The same arrays, worked out before they are used: else each use of a number makes it again."""
    found: Arrays = _barrier(arrays)
    return found


def swept(matrices: Array, pivots: Iterable[int]) -> Array:
    """Symmetric matrices (…, q, q, B) after the sweep of some of their rows.

    With A the swept block, the result holds A^-1 in its place, A^-1 C beside it, and S - C'A^-1 C in place of S: at
    once the inverse, the coefficients of a regression and what it leaves. Source: Goodnight 1979.
    """
    size = matrices.shape[-2]
    place = jnp.arange(size)[:, None]
    for pivot in pivots:
        row = matrices[..., pivot, :, :]
        column = matrices[..., :, pivot, :]
        scale = 1.0 / row[..., pivot, :]
        row = scale[..., None, :] * jnp.where(place == pivot, 1.0, row)
        kept = jnp.where(place[:, None] == pivot, 0.0, matrices)
        kept = jnp.where(place[None] == pivot, 0.0, kept)
        column = jnp.where(place == pivot, -1.0, column)
        matrices = kept - column[..., :, None, :] * row[..., None, :, :]
    return matrices


def inverse(matrices: Array) -> Array:
    """The inverses of symmetric positive definite matrices (…, q, q, B)."""
    return swept(matrices, range(matrices.shape[-2]))


def product(left: Array, right: Array) -> Array:
    """(…, a, b, B) times (…, b, c, B)."""
    return jnp.sum(left[..., :, :, None, :] * right[..., None, :, :, :], axis=-3)


def applied(matrices: Array, vectors: Array) -> Array:
    """(…, a, b, B) times (…, b, B)."""
    return jnp.sum(matrices * vectors[..., None, :, :], axis=-2)


def lower(matrices: Array) -> Array:
    """Lower Cholesky factors of symmetric positive definite matrices (…, q, q, B)."""
    size = matrices.shape[-2]
    place = jnp.arange(size)[:, None]
    left, columns = matrices, []
    for pivot in range(size):
        column = left[..., :, pivot, :] / jnp.sqrt(left[..., pivot, pivot, :])[..., None, :]
        column = jnp.where(place >= pivot, column, 0.0)
        left = left - column[..., :, None, :] * column[..., None, :, :]
        columns.append(column)
    return jnp.stack(columns, axis=-2)


def lower_inverse(factors: Array) -> Array:
    """The inverses of lower triangular matrices (q, q, B)."""
    size = factors.shape[-2]
    rows: list[Array] = []
    for row in range(size):
        start = jnp.zeros_like(factors[0]).at[row].set(1.0)
        for before in range(row):
            start = start - factors[row, before] * rows[before]
        rows.append(start / factors[row, row])
    return jnp.stack(rows)
