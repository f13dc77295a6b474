"""The operations of the analysis room's step functions on JAX, in float64.

The rule that must stay true: a step function gives here what it gives on NumPy, compiled or not, to the last digits
that rounding leaves. JAX computes in float32 unless it is told otherwise; it is told here, once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from equipoise.analysis.ops import Array, NumpyOps, State

jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call,unused-ignore]  # noqa: FBT003  # as it is; jax may be missing


class JaxOps(NumpyOps):
    """JAX in float64. A matrix that is not positive definite gives NaN by itself."""

    xp: Any = jnp

    def cholesky(self, matrices: Array) -> Array:
        """Lower factors of a stack of symmetric matrices (…, V, V); NaN where one has none."""
        found: Array = jnp.linalg.cholesky(matrices)
        return found

    def lower(self, wide: Array) -> Array:
        """Lower factors L with L L' = wide wide'; NaN where there is none. By the products, which is quicker here."""
        return self.cholesky(wide @ jnp.swapaxes(wide, -1, -2))

    def forward(self, lower: Array, right: Array) -> Array:
        """The solutions of lower @ x = right for lower triangular matrices; not finite where there is none."""
        solve: Any = jax.lax.linalg.triangular_solve
        size = lower.shape[-1]
        inverse = solve(lower, jnp.broadcast_to(jnp.eye(size), lower.shape), left_side=True, lower=True)
        found: Array = inverse @ right  # a product of large matrices is quicker than so many right sides
        return found

    def solve(self, matrices: Array, right: Array) -> Array:
        """The solutions of matrices @ x = right; not finite where there is none."""
        found: Array = jnp.linalg.solve(matrices, right)
        return found

    def fori(self, times: int, step: Callable[[State], State], start: State) -> State:
        """`step` done `times` times, as one loop of the compiled program."""
        found: State = jax.lax.fori_loop(0, times, lambda _, state: step(state), start)
        return found


JAX = JaxOps()
