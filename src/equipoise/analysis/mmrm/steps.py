"""The algebra of one MMRM evaluation on pattern statistics: likelihood, score, average and observed information.

Subjects who were seen at the same visits (and, where asked, are of the same group) form a pattern k. Of its data only
n_k and a few rows J_r (V, p + 1) are kept, with the same sums of products as the rows [x_i, y_i] of its subjects
(statistics.py), so an evaluation costs the same for any number of subjects. Every function here is in the elements of
Sigma, where second derivatives of Sigma vanish (the linear form); a structure comes in by the chain rule (method.py).
With W = Sigma_k^-1, Phi = (X'WX)^-1, P = W - WX Phi X'W and E_e the derivative of Sigma by its element e, for
-2 log L:

    score_e  = tr(W E_e) - y'P E_e P y [- tr(Phi X'W E_e W X), REML]
    AI_ef    = y'P E_e P E_f P y
    H_ef     = 2 AI_ef - tr(P E_e P E_f)     (REML; ML has W in place of P in the trace)

Sources: Patterson and Thompson 1971 (REML); Gilmour, Thompson and Cullis 1995 (average information); Jennrich and
Schluchter 1986 (incomplete repeated measures).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

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

    minus2: an array without axes.
    inverse: (K, V, V) W, zero where unseen. weighted: (R, V, q) W times the rows. beta: (p,). phi: (p, p).
    residual: (q,) is [-beta; 1].
    """

    minus2: float
    inverse: Array
    weighted: Array
    beta: Array
    phi: Array
    residual: Array


@dataclass(frozen=True, slots=True)
class Curvature:
    """Derivatives by the elements of Sigma, group after group, row-wise upper triangle.

    score: (s,). average, observed: (s, s). p: (s, p, p) is X'W E_e W X.
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


def evaluate(ops: NumpyOps, data: Statistics, sigma: Array, *, reml: bool) -> Fitted:
    """-2 log L, coefficients and weights at `sigma` (groups, V, V); NaN where some Sigma is not positive definite."""
    xp = ops.xp
    p, eye = data.width, xp.eye(data.visits)
    both = data.seen[:, :, None] * data.seen[:, None, :]
    filled = sigma[np.array(data.group)] * both + eye * (1.0 - data.seen)[:, :, None]
    diagonal = xp.diagonal(ops.cholesky(filled), axis1=1, axis2=2)
    inverse = ops.solve(filled, xp.broadcast_to(eye, filled.shape)) * both
    weighted = inverse[np.array(data.pattern)] @ data.rows
    total = xp.tensordot(data.rows, weighted, axes=((0, 1), (0, 1)))
    information = total[:p, :p]
    lower = ops.cholesky(information)
    phi = ops.solve(information, xp.eye(p))
    beta = phi @ total[:p, p]
    minus2 = 2.0 * (data.counts @ xp.log(diagonal).sum(axis=1)) + total[p, p] - total[p, :p] @ beta
    if reml:
        minus2 = minus2 + 2.0 * xp.log(xp.diagonal(lower)).sum()
    residual = xp.concatenate([-beta, xp.ones(1)])
    return Fitted(minus2, inverse, weighted, beta, (phi + phi.T) / 2.0, residual)


def whitened(data: Statistics, at: Fitted, half: Array) -> Fitted:
    """The same evaluation in other coordinates: its derivatives are by the elements of D in Sigma + L D L'.

    half: (groups, V, V) L. With L the lower factor of Sigma the information is well conditioned however close to each
    other the visits are; by the elements of Sigma itself it is not.
    """
    turn = half.transpose(0, 2, 1)
    its, row = np.array(data.group), np.array(data.group)[np.array(data.pattern)]
    return replace(at, inverse=turn[its] @ at.inverse @ half[its], weighted=turn[row] @ at.weighted)


def scores(ops: NumpyOps, data: Statistics, at: Fitted, *, reml: bool) -> tuple[Array, Array, Array]:
    """(K, V, V) each: the score of each pattern as a matrix, W S W and W M W.

    S is the cross-product of residuals, M that of the fitted values' uncertainty, sum_i X_i Phi X_i'.
    """
    xp, p = ops.xp, data.width
    mine: Array = xp.asarray(np.arange(len(data.counts))[:, None] == np.array(data.pattern), dtype=xp.float64)
    left = at.weighted @ at.residual
    squares = _summed(mine, left[:, :, None] * left[:, None, :])
    x = at.weighted[:, :, :p]
    spread = _summed(mine, (x @ at.phi) @ x.transpose(0, 2, 1))
    score = data.counts[:, None, None] * at.inverse - squares - (spread if reml else 0.0 * spread)
    return score, squares, spread


def _summed(mine: Array, matrices: Array) -> Array:
    """(K, V, V): sums over the rows of each pattern; mine: (K, R) 1 where a row is of a pattern."""
    return (mine @ matrices.reshape(len(matrices), -1)).reshape(-1, *matrices.shape[1:])


def em_step(ops: NumpyOps, data: Statistics, sigma: Array, *, reml: bool) -> Array:
    """One step of expectation and maximisation for unstructured Sigma; stays positive definite."""
    score, _, _ = scores(ops, data, evaluate(ops, data, sigma, reml=reml), reml=reml)
    moved = []
    for group in range(data.groups):
        mine = _patterns(data, group)
        change = sigma[group] @ score[mine].sum(axis=0) @ sigma[group] / data.counts[mine].sum()
        moved.append(sigma[group] - (change + change.T) / 2.0)
    return ops.xp.stack(moved)  # type: ignore[no-any-return]


def curvature(ops: NumpyOps, data: Statistics, at: Fitted, *, reml: bool) -> Curvature:
    """Score, average and observed information of -2 log L by the elements of every group's Sigma."""
    xp, p = ops.xp, data.width
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
    pe = whole[:, :p, :p]
    u = whole[:, :p, :] @ at.residual
    average = seconds - u @ at.phi @ u.T
    observed = 2.0 * average - fixed
    if reml:
        lower = ops.cholesky(at.phi)
        flat = (lower.T @ pe @ lower).reshape(len(pe), -1)
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
    """sum_ef w_ef X'W E_e W E_f W X (Kenward and Roger's Q), with `spread` the covariance w of Sigma's elements."""
    xp, p, v = ops.xp, data.width, data.visits
    table = duplication(ops, v)
    size = table.shape[1]
    middle = []
    for k, group in enumerate(data.group):
        block = slice(group * size, (group + 1) * size)
        omega = (table @ spread[block, block] @ table.T).reshape(v, v, v, v)
        middle.append(xp.einsum("bcde,cd->be", omega, at.inverse[k]))
    x = at.weighted[:, :, :p]
    found: Array = xp.tensordot(x, xp.stack(middle)[np.array(data.pattern)] @ x, axes=((0, 1), (0, 1)))
    return (found + found.T) / 2.0
