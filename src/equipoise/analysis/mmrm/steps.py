"""The algebra of one MMRM evaluation on pattern statistics: likelihood, score, average and observed information.

Subjects who were seen at the same visits (and, where asked, are of the same group) form a pattern k. Of its data only
n_k and a few rows J_r (V, p + 1) are kept, with the same sums of products as the rows [x_i, y_i] of its subjects
(statistics.py), so an evaluation costs the same for any number of subjects.

Derivatives are by the elements of D in Sigma + L D L', with Sigma = L L': second derivatives of Sigma vanish (the
linear form), and a structure comes in by the chain rule (method.py). With W = Sigma_k^-1, Phi = (X'WX)^-1,
P = W - WX Phi X'W and E_e the derivative of Sigma by the element e of D, for -2 log L:

    score_e  = tr(W E_e) - y'P E_e P y [- tr(Phi X'W E_e W X), REML]
    AI_ef    = y'P E_e P E_f P y
    H_ef     = 2 AI_ef - tr(P E_e P E_f)     (REML; ML has W in place of P in the trace)

The rule that must stay true: Sigma comes in as L, and nothing is made of Sigma^-1 or of X'WX. Rows are divided by
triangular factors instead: C_k = L_k^-1 F_k (F_k: the rows of L that were seen, L_k L_k' = F_k F_k'), rows L_k^-1 J,
and X turned until X'WX is the unit matrix. Rounding then grows with the root of the condition of Sigma, not with the
condition itself, so that visits that nearly say the same need no luck.

Sources: Patterson and Thompson 1971 (REML); Gilmour, Thompson and Cullis 1995 (average information); Jennrich and
Schluchter 1986 (incomplete repeated measures).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from equipoise.analysis.ops import Array, NumpyOps


@dataclass(frozen=True, slots=True)
class Statistics:
    """What an evaluation needs of the data. K patterns, V visits, R rows, q = p + 1 columns (design, then response).

    counts: (K,) subjects. seen: (K, V) 1 where observed, else 0. group: (K,) index of the group.
    rows: (R, V, q), 0 where unseen. pattern: (R,) whose row it is. groups: their number.
    """

    counts: Array
    seen: Array
    group: tuple[int, ...]
    rows: Array
    pattern: tuple[int, ...]
    groups: int

    @property
    def width(self) -> int:
        """p, the number of coefficients."""
        return int(self.rows.shape[-1]) - 1

    @property
    def visits(self) -> int:
        """V."""
        return int(self.seen.shape[1])


@dataclass(frozen=True, slots=True)
class Fitted:
    """One evaluation at a Sigma: -2 log L without constants, and what the derivatives are made of.

    minus2: an array without axes. inverse: (K, V, V) L'W_k L = C_k'C_k. weighted: (R, V, p + 1) L'W times the rows:
    the design in the coordinates in which Phi is the unit matrix, then the residual. beta: (p,). root: (p, p) upper
    triangular, root' root = X'WX.
    """

    minus2: float
    inverse: Array
    weighted: Array
    beta: Array
    root: Array


@dataclass(frozen=True, slots=True)
class Curvature:
    """Derivatives by the elements of D, group after group, row-wise upper triangle.

    score: (s,). average, observed: (s, s). p: (s, p, p) is X'W E_e W X for the turned X, whose Phi is the unit matrix.
    """

    score: Array
    average: Array
    observed: Array
    p: Array


def duplication(ops: NumpyOps, visits: int) -> Array:
    """(V*V, V(V+1)/2): the columns are vec(E_e) for the elements e = (a, b), a <= b."""
    rows, columns = np.triu_indices(visits)
    found = np.zeros((visits, visits, len(rows)))
    found[rows, columns, np.arange(len(rows))] = 1.0
    found[columns, rows, np.arange(len(rows))] = 1.0
    return ops.xp.asarray(found.reshape(visits * visits, len(rows)))  # type: ignore[no-any-return]


def evaluate(ops: NumpyOps, data: Statistics, half: Array, *, reml: bool) -> Fitted:
    """-2 log L, coefficients and weights at Sigma = half half'; half: (groups, V, V) lower, not singular."""
    xp = ops.xp
    p, eye, pattern = data.width, xp.eye(data.visits), np.array(data.pattern)
    seen = half[np.array(data.group)] * data.seen[:, :, None]
    factor = ops.lower(xp.concatenate([seen, eye * (1.0 - data.seen)[:, :, None]], axis=2))
    inverse = ops.forward(factor, xp.broadcast_to(eye, factor.shape))
    turned, white = inverse @ seen, inverse[pattern] @ data.rows
    flat = white.reshape(-1, white.shape[-1])
    lower = ops.lower(flat[:, :p].T)
    x = ops.forward(lower, flat[:, :p].T)
    along = x @ flat[:, p]
    residual = flat[:, p] - along @ x
    again = x @ residual  # what rounding left along x
    residual = residual - again @ x
    logs = xp.log(xp.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
    minus2 = 2.0 * (data.counts @ logs) + residual @ residual
    if reml:
        minus2 = minus2 + 2.0 * xp.log(xp.diagonal(lower)).sum()
    back = xp.swapaxes(turned, 1, 2)
    rows = xp.concatenate([x.T, residual[:, None]], axis=1).reshape(white.shape)
    return Fitted(minus2, back @ turned, back[pattern] @ rows, ops.solve(lower.T, along + again), lower.T)


def scores(ops: NumpyOps, data: Statistics, at: Fitted, *, reml: bool) -> tuple[Array, Array, Array]:
    """(K, V, V) each: the score of each pattern as a matrix, L'W S W L and L'W M W L.

    S is the cross-product of residuals, M that of the fitted values' uncertainty, sum_i X_i Phi X_i'.
    """
    xp = ops.xp
    mine: Array = xp.asarray(np.arange(len(data.counts))[:, None] == np.array(data.pattern), dtype=xp.float64)
    left, x = at.weighted[:, :, -1], at.weighted[:, :, :-1]
    squares = _summed(mine, left[:, :, None] * left[:, None, :])
    spread = _summed(mine, x @ x.transpose(0, 2, 1))
    score = data.counts[:, None, None] * at.inverse - squares - (spread if reml else 0.0 * spread)
    return score, squares, spread


def _summed(mine: Array, matrices: Array) -> Array:
    """(K, V, V): sums over the rows of each pattern; mine: (K, R) 1 where a row is of a pattern."""
    return (mine @ matrices.reshape(len(matrices), -1)).reshape(-1, *matrices.shape[1:])


def em_step(ops: NumpyOps, data: Statistics, half: Array, *, reml: bool) -> Array:
    """The factor of Sigma after a step of expectation and maximisation for unstructured Sigma."""
    score, _, _ = scores(ops, data, evaluate(ops, data, half, reml=reml), reml=reml)
    eye, moved = ops.xp.eye(data.visits), []
    for group in range(data.groups):
        mine = _patterns(data, group)
        change = score[mine].sum(axis=0) / data.counts[mine].sum()
        moved.append(half[group] @ ops.cholesky(eye - (change + change.T) / 2.0))
    return ops.xp.stack(moved)  # type: ignore[no-any-return]


def curvature(ops: NumpyOps, data: Statistics, at: Fitted, *, reml: bool) -> Curvature:
    """Score, average and observed information of -2 log L by the elements of every group's D."""
    xp = ops.xp
    table = duplication(ops, data.visits)
    score, squares, spread = scores(ops, data, at, reml=reml)
    slopes, products, fixed_by, seconds_by = [], [], [], []
    for group in range(data.groups):
        mine = _patterns(data, group)
        w = at.inverse[mine]
        slopes.append(table.T @ score[mine].sum(axis=0).reshape(-1))
        own = np.array([row for row, k in enumerate(data.pattern) if data.group[k] == group])
        products.append(_sandwiched(at.weighted[own], table))
        own_fixed = _paired(data.counts[mine][:, None, None] * w, w, table)
        fixed_by.append(own_fixed - 2.0 * _paired(w, spread[mine], table) if reml else own_fixed)
        seconds_by.append(_paired(w, squares[mine], table))
    fixed, seconds = _diagonal(ops, fixed_by), _diagonal(ops, seconds_by)
    whole = xp.concatenate(products)
    pe, u = whole[:, :-1, :-1], whole[:, :-1, -1]
    average = seconds - u @ u.T
    observed = 2.0 * average - fixed
    if reml:
        flat = pe.reshape(len(pe), -1)
        observed = observed - flat @ flat.T
    return Curvature(xp.concatenate(slopes), average, observed, pe)


def _patterns(data: Statistics, group: int) -> Array:
    """The patterns of one group."""
    return np.array([k for k, its in enumerate(data.group) if its == group])


def _diagonal(ops: NumpyOps, blocks: Sequence[Array]) -> Array:
    """A matrix with the blocks on its diagonal."""
    xp = ops.xp
    found: Array = xp.block(
        [
            [
                block if row == column else xp.zeros((len(other), len(block)))
                for column, block in enumerate(blocks)
            ]
            for row, other in enumerate(blocks)
        ]
    )
    return found


def _paired(left: Array, right: Array, table: Array) -> Array:
    """sum_k tr(E_e L_k E_f R_k) for all pairs of elements."""
    k, v, _ = left.shape
    summed = (left.reshape(k, -1).T @ right.reshape(k, -1)).reshape(v, v, v, v)
    found: Array = table.T @ summed.transpose(3, 0, 1, 2).reshape(v * v, v * v) @ table
    return (found + found.T) / 2.0


def _sandwiched(weighted: Array, table: Array) -> Array:
    """(elements, q, q): sum over rows of J'W E_e W J."""
    r, v, q = weighted.shape
    flat = weighted.reshape(r, v * q)
    whole = (flat.T @ flat).reshape(v, q, v, q).transpose(0, 2, 1, 3)
    found: Array = (table.T @ whole.reshape(v * v, q * q)).reshape(-1, q, q)
    return (found + found.transpose(0, 2, 1)) / 2.0


def second_moment(ops: NumpyOps, data: Statistics, at: Fitted, spread: Array) -> Array:
    """sum_ef w_ef X'W E_e W E_f W X (Kenward and Roger's Q) of the turned X; `spread`: w, covariance of D."""
    xp, v = ops.xp, data.visits
    table = duplication(ops, v)
    size = table.shape[1]
    middle = []
    for k, group in enumerate(data.group):
        block = slice(group * size, (group + 1) * size)
        omega = (table @ spread[block, block] @ table.T).reshape(v, v, v, v)
        middle.append(xp.einsum("bcde,cd->be", omega, at.inverse[k]))
    x = at.weighted[:, :, :-1]
    found: Array = xp.tensordot(x, xp.stack(middle)[np.array(data.pattern)] @ x, axes=((0, 1), (0, 1)))
    return (found + found.T) / 2.0
