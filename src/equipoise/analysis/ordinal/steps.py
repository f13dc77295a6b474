"""The log-likelihood of cumulative logits with its derivatives, for one trial or a stack of them.

    P(Y <= j) = F(eta_j),  eta_j = w'alpha_j - x'beta,  F logistic,  j = 1 … J - 1

w = (1, z): the covariates z have a coefficient at each cut (no proportional odds), x one for all. The share of a
category is F(u) - F(l) = F(u) F(-l) (1 - exp(-(u - l))) with u = eta_y and l = eta_(y-1), so its logarithm is a sum
of three concave terms that lose no digits however small the share is:

    log F(u) + log F(-l) + log(1 - exp(-(u - l)))

The rule that must stay true: only `ops` and its array namespace are used, and every array may carry leading axes.
Sources: McCullagh 1980; Peterson and Harrell 1990 (partial proportional odds).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from equipoise.analysis.newton import Height
from equipoise.analysis.ops import Array, NumpyOps


@dataclass(frozen=True, slots=True)
class Cumulative:
    """The data: category (…, N) from 0, w (…, N, 1 + q), x (…, N, p), weight (…, N); cuts J - 1.

    Parameters stand as alpha_1 … alpha_(J-1), each of 1 + q, then beta.
    """

    category: Array
    w: Array
    x: Array
    weight: Array
    cuts: int

    @property
    def width(self) -> int:
        """The number of parameters."""
        return int(self.cuts * self.w.shape[-1] + self.x.shape[-1])


def predictors(ops: NumpyOps, data: Cumulative, theta: Array) -> Array:
    """(…, N, J - 1) eta at every cut."""
    xp = ops.xp
    own = data.cuts * data.w.shape[-1]
    alpha = theta[..., :own].reshape(*theta.shape[:-1], data.cuts, data.w.shape[-1])
    shift = xp.matmul(data.x, theta[..., own:, None])
    at_cuts: Array = xp.matmul(data.w, xp.swapaxes(alpha, -1, -2)) - shift
    return at_cuts


def evaluate(ops: NumpyOps, data: Cumulative, theta: Array, *, expected: bool = False) -> Height:
    """The log-likelihood, score and information (observed, or expected) at theta (…, k); -inf where cuts cross."""
    xp = ops.xp
    eta = predictors(ops, data, theta)
    at = xp.arange(data.cuts)
    y = data.category[..., None]
    up, low = (at == y) * data.weight[..., None], (at == y - 1) * data.weight[..., None]
    above, below = _logistic(xp, -eta), _logistic(xp, eta)  # 1 - F and F
    gap = eta[..., 1:] - eta[..., :-1]
    inner = up[..., 1:] * (low[..., :-1] > 0)  # rows with a cut on either side
    open_ = gap > 0
    safe = xp.where(
        open_, xp.minimum(gap, 700.0), 1.0
    )  # beyond it exp(gap) has no float, and 1 / exp(gap) is nothing
    close = 1.0 / xp.expm1(safe)  # 1 / (exp(gap) - 1)
    parts = (
        xp.sum(up * -xp.logaddexp(0.0, -eta), axis=(-2, -1))
        + xp.sum(low * -xp.logaddexp(0.0, eta), axis=(-2, -1))
        + xp.sum(inner * xp.log(-xp.expm1(-safe)), axis=(-2, -1))
    )
    loglik = xp.where(xp.all(open_ | (inner == 0), axis=(-2, -1)), parts, -xp.inf)
    tie = inner * close
    score = up * above - low * below
    score = score + _pad(xp, tie, after=False) - _pad(xp, tie, after=True)
    if expected:
        diagonal, beside = _expected(xp, eta, data.weight)
    else:
        curve = inner * close * (1.0 + close)  # exp(gap) / (exp(gap) - 1)^2
        diagonal = (up + low) * above * below + _pad(xp, curve, after=False) + _pad(xp, curve, after=True)
        beside = -curve
    return Height(loglik, _gathered(xp, data, score), _information(xp, data, diagonal, beside))


def _logistic(xp: Any, value: Array) -> Array:
    small = xp.exp(-xp.abs(value))
    result: Array = xp.where(value >= 0, 1.0, small) / (1.0 + small)
    return result


def _pad(xp: Any, values: Array, *, after: bool) -> Array:
    """Values of the J - 2 gaps at their upper cut, or (after) at their lower."""
    zero = xp.zeros_like(values[..., :1]) if values.shape[-1] else xp.zeros((*values.shape[:-1], 1))
    padded: Array = xp.concatenate([values, zero] if after else [zero, values], axis=-1)
    return padded


def _expected(xp: Any, eta: Array, weight: Array) -> tuple[Array, Array]:
    below, above = _logistic(xp, eta), _logistic(xp, -eta)
    slope = below * above
    inner = below[..., 1:] * above[..., :-1] * -xp.expm1(eta[..., :-1] - eta[..., 1:])
    shares = xp.concatenate([below[..., :1], inner, above[..., -1:]], axis=-1)
    diagonal = slope**2 * (1.0 / shares[..., :-1] + 1.0 / shares[..., 1:])
    beside = -slope[..., :-1] * slope[..., 1:] / shares[..., 1:-1]
    return diagonal * weight[..., None], beside * weight[..., None]


def _gathered(xp: Any, data: Cumulative, on_eta: Array) -> Array:
    alpha = xp.matmul(xp.swapaxes(on_eta, -1, -2), data.w)
    beta = -xp.sum(xp.sum(on_eta, axis=-1)[..., None] * data.x, axis=-2)
    flat = alpha.reshape(*alpha.shape[:-2], -1)
    joined: Array = xp.concatenate([flat, beta], axis=-1)
    return joined


def _information(xp: Any, data: Cumulative, diagonal: Array, beside: Array) -> Array:
    """(…, k, k) from the information on eta, which is tridiagonal over the cuts of a row."""
    own = _crossed(xp, diagonal, data.w, data.w)
    next_ = _crossed(xp, beside, data.w, data.w)
    one = xp.eye(data.cuts)
    following = xp.eye(data.cuts, k=1)[: data.cuts - 1]
    upper = xp.einsum("...jqr,ji,jk->...iqkr", next_, one[: data.cuts - 1], following)
    lower = xp.einsum("...jqr,ji,jk->...iqkr", next_, following, one[: data.cuts - 1])
    block = xp.einsum("...jqr,ji,jk->...iqkr", own, one, one) + upper + lower
    size = data.cuts * data.w.shape[-1]
    alphas = block.reshape(*block.shape[:-4], size, size)
    rows = diagonal + _pad(xp, beside, after=False) + _pad(xp, beside, after=True)
    mixed = -_crossed(xp, rows, data.w, data.x)
    mixed = mixed.reshape(*mixed.shape[:-3], size, data.x.shape[-1])
    betas = xp.matmul(xp.swapaxes(xp.sum(rows, axis=-1)[..., None] * data.x, -1, -2), data.x)
    above = xp.concatenate([alphas, mixed], axis=-1)
    below = xp.concatenate([xp.swapaxes(mixed, -1, -2), betas], axis=-1)
    whole: Array = xp.concatenate([above, below], axis=-2)
    return whole


def _crossed(xp: Any, weight: Array, left: Array, right: Array) -> Array:
    """(…, J, q, r) sums over rows of weight (…, N, J) times left (…, N, q) times right (…, N, r), by one product."""
    weighted = weight[..., :, None] * left[..., None, :]
    flat = weighted.reshape(*weighted.shape[:-2], -1)
    found = xp.matmul(xp.swapaxes(flat, -1, -2), right)
    sums: Array = found.reshape(*found.shape[:-2], weight.shape[-1], left.shape[-1], right.shape[-1])
    return sums
