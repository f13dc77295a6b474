"""The few array operations that the analysis room's step functions are written against.

The rule that must stay true: everything is float64, and a step function (a function that takes `ops`) uses only
`ops` and its array namespace, so that the same source runs on another back end. Loops that end on a condition,
fallback and the handling of single trials belong to the back end, not here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from scipy import linalg

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]
Places = npt.NDArray[np.intp]
State = TypeVar("State")


class NumpyOps:
    """NumPy in float64. A matrix that is not positive definite gives NaN, as array back ends do, not an exception."""

    xp: Any = np  # the array namespace; other back ends put their own here

    def cholesky(self, matrices: Array) -> Array:
        """Lower factors of a stack of symmetric matrices (…, V, V); all NaN where one has none."""
        try:
            return np.asarray(np.linalg.cholesky(matrices), np.float64)
        except np.linalg.LinAlgError:
            return np.full_like(matrices, np.nan)

    def lower(self, wide: Array) -> Array:
        """Lower factors L of a stack (…, a, b), b >= a, with L L' = wide wide'; the products are never formed."""
        upper = np.linalg.qr(np.swapaxes(wide, -1, -2), mode="r")
        signs = np.where(np.diagonal(upper, axis1=-2, axis2=-1) < 0, -1.0, 1.0)
        return np.asarray(np.swapaxes(upper * signs[..., None], -1, -2), np.float64)

    def forward(self, lower: Array, right: Array) -> Array:
        """The solutions of lower @ x = right for lower triangular matrices; not finite where there is none."""
        if lower.ndim == 2 and np.diagonal(lower).all():
            return np.asarray(
                linalg.solve_triangular(lower, right, lower=True, check_finite=False), np.float64
            )
        found = np.zeros(np.broadcast_shapes(lower.shape[:-1] + right.shape[-1:], right.shape))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            for row in range(lower.shape[-1]):
                known = (lower[..., row : row + 1, :row] @ found[..., :row, :])[..., 0, :]
                found[..., row, :] = (right[..., row, :] - known) / lower[..., row, row, None]
        return found

    def solve(self, matrices: Array, right: Array) -> Array:
        """The solutions of matrices @ x = right; NaN where there is none."""
        try:
            return np.asarray(np.linalg.solve(matrices, right), np.float64)
        except np.linalg.LinAlgError:
            return np.full(np.broadcast_shapes(matrices.shape, right.shape), np.nan)

    def fori(self, times: int, step: Callable[[State], State], start: State) -> State:
        """`step` done `times` times."""
        state = start
        for _ in range(times):
            state = step(state)
        return state


NUMPY = NumpyOps()
