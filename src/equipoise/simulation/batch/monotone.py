"""Unstructured REML in its profiled form, for many trials whose missing values are monotone: the M form.

Who was seen at a visit was seen at all before it. Set j holds the participants seen at visit j; z are the covariates
with a coefficient at every visit (1, baseline, arm), x the r common ones. With l_j the rows of the inverse Cholesky
factor of Sigma, -2 log of the restricted likelihood is the minimum over g (r) and T (r, r) of

    sum_j { -2 m_j log l_jj + l_j' M_j l_j } - log|T| - r
    M_j = RY_j - ry_j g 1' - 1 g'ry_j' + (g'R_j g + tr R_j T) 11'

where RY_j, ry_j, R_j are the products of what a regression on z in set j leaves of y_0 … y_j and x, and m_j = n_j - s.
For given g and T the best l_j is explicit, so that a search has r + r(r+1)/2 unknowns and not V(V+1)/2:

    F = sum_j m_j (log h_j - log h'_j) - log|T|,    h = (1 - b'g)^2 + a (g'Rg + tr RT - g'Kg)

with a, b, K = 1'RY^-1 1, ry'RY^-1 1, ry'RY^-1 ry of the whole block and (h') of the block without visit j. At the end
the inverse information of the l_j is explicit, so that Satterthwaite's degrees of freedom and Kenward and Roger's
variance (linear form, which does not depend on the coordinates) need no second search.

The rules that must stay true: the same estimates, errors and degrees of freedom as `equipoise.analysis.fit_mmrm` on
the same data; a trial that has converged is not moved by others that have not; what has not converged says so.
Sources: Patterson and Thompson 1971; Kenward and Roger 1997; Satterthwaite 1946; the profile is our own derivation,
docs/decisions/0037.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from equipoise.simulation.batch.small import applied, inverse, lower, lower_inverse, product, swept

STEPS = 25
"""Newton steps at most; three to five are usual."""
TOLERANCE = 1e-18
"""The squared Newton decrement below which a search has ended; the step that it belongs to is still made."""


class Products(NamedTuple):
    """Sums over set j of products of (z, x, y): counts (V, B), sums (V, q, q, B) with q = s + r + V.

    What belongs to visits after j is not read in set j. s: the number of z, the last of which is the arm.
    """

    counts: Array
    sums: Array
    s: int


class Effect(NamedTuple):
    """The arm's effect at one visit, each (B,): variance by the model, and by Kenward and Roger (linear)."""

    estimate: Array
    variance: Array
    adjusted: Array
    df: Array
    converged: Array
    steps: Array


class _Left(NamedTuple):
    """What the regressions on z leave; j first, trials last. Beyond visit j stand the rows of a unit matrix.

    b (V, s, s, B) inverse products of z; d (V, s, r, B) and e (V, s, V, B) coefficients of x and y on z;
    r (V, r, r, B), ry (V, V, r, B), y (V, V, V, B) what is left; g (V, s + r, s + r, B) products of (z, x); m (V, B).
    """

    b: Array
    d: Array
    e: Array
    r: Array
    ry: Array
    y: Array
    g: Array
    m: Array


def fit(data: Products, visit: int) -> Effect:
    """The arm's effect at visit `visit` (from 0)."""
    left = _left(data)
    start_g, start_t = _start(left)
    root = lower(start_t)
    turned = _turned(left, root)
    g = applied(lower_inverse(root), start_g)
    return _searched(turned, g, visit)


def _left(data: Products) -> _Left:
    s, visits = data.s, data.counts.shape[0]
    done = swept(data.sums, range(s))
    first = done.shape[1] - visits
    own = jnp.tril(jnp.ones((visits, visits)))[:, :, None]  # (j, k): whether visit k is one of set j
    y = done[:, first:, first:] * own[:, :, None] * own[:, None, :]
    y = y + (1.0 - own)[:, :, None] * jnp.eye(visits)[:, :, None]
    return _Left(
        done[:, :s, :s],
        done[:, :s, s:first],
        done[:, :s, first:] * own[:, None],
        done[:, s:first, s:first],
        done[:, first:, s:first] * own[:, :, None],
        y,
        data.sums[:, :first, :first],
        data.counts - s,
    )


def _start(left: _Left) -> tuple[Array, Array]:
    """(r, B) and (r, r, B): g and T for the l_j that would be best without common covariates."""
    rows = _best_rows(inverse(left.y), left.m)
    share = jnp.sum(rows, axis=1)
    t = inverse(jnp.sum((share**2)[:, None, None] * left.r, axis=0))
    seen = jnp.sum(rows[:, :, None] * left.ry, axis=1)
    return applied(t, jnp.sum(share[:, None] * seen, axis=0)), t


def _best_rows(inverse_m: Array, m: Array) -> Array:
    """(V, V, B) l_j = sqrt(m_j / e_j'M_j^-1 e_j) M_j^-1 e_j."""
    visits = m.shape[0]
    at = jnp.arange(visits)
    column = inverse_m[at, :, at]
    own = column[at, at]
    return jnp.tril(jnp.ones((visits, visits)))[:, :, None] * column * jnp.sqrt(m / own)[:, None]


def _turned(left: _Left, root: Array) -> _Left:
    """The same with x in the coordinates in which the first T is the unit matrix."""
    transposed = jnp.swapaxes(root, 0, 1)
    s, r = left.b.shape[1], root.shape[0]
    both = jnp.zeros((s + r, s + r, root.shape[-1]), root.dtype)
    both = both.at[:s, :s].set(jnp.eye(s)[:, :, None]).at[s:, s:].set(root)
    return left._replace(
        d=product(left.d, root[None]),
        r=product(product(transposed[None], left.r), root[None]),
        ry=product(left.ry, root[None]),
        g=product(product(jnp.swapaxes(both, 0, 1)[None], left.g), both[None]),
    )


class _Quadratics(NamedTuple):
    """h = 1 - 2 b'g + g'Cg + tr a(R T) for the whole blocks (weight m) and those without visit j (-m): 2V.

    weight (2V, B), b (2V, r, B), c and ar (2V, r, r, B).
    """

    weight: Array
    b: Array
    c: Array
    ar: Array


def _quadratics(left: _Left) -> _Quadratics:
    visits = left.m.shape[0]
    factor = lower(left.y)
    right = jnp.concatenate(
        [jnp.broadcast_to(_ones(left)[:, :, None], (*left.ry.shape[:2], 1, left.m.shape[1])), left.ry], 2
    )
    solved: list[Array] = []
    for row in range(visits):  # forward substitution
        known = right[:, row]
        for before in range(row):
            known = known - factor[:, row, before][:, None] * solved[before]
        solved.append(known / factor[:, row, row][:, None])
    whole = jnp.stack(solved, axis=1)  # (V, V, 1 + r, B)
    earlier = whole * (1.0 - jnp.eye(visits))[:, :, None, None]
    parts = []
    for half, sign in ((whole, 1.0), (earlier, -1.0)):
        products = jnp.sum(half[:, :, :, None] * half[:, :, None], axis=1)  # (V, 1 + r, 1 + r, B)
        a, b, k = products[:, 0, 0], products[:, 1:, 0], products[:, 1:, 1:]
        ar = a[:, None, None] * left.r
        c = b[:, :, None] * b[:, None] + ar - a[:, None, None] * k
        parts.append((sign * left.m, b, c, ar))
    weight, b, c, ar = (jnp.concatenate(each) for each in zip(*parts, strict=True))
    return _Quadratics(weight, b, c, ar)


def _ones(left: _Left) -> Array:
    visits = left.m.shape[0]
    return jnp.broadcast_to(
        jnp.tril(jnp.ones((visits, visits)))[:, :, None], left.y.shape[:2] + left.m.shape[1:]
    )


def _elements(r: int) -> list[tuple[int, int]]:
    return [(u, v) for u in range(r) for v in range(u, r)]


class _Height(NamedTuple):
    """Gradient (k, B) and Hessian (k, k, B) of F by g and the elements of T."""

    gradient: Array
    hessian: Array


def _height(q: _Quadratics, g: Array, t: Array) -> _Height:
    r = g.shape[0]
    elements = _elements(r)
    cg = applied(q.c, g[None])
    h = 1.0 - jnp.sum((2.0 * q.b - cg) * g[None], axis=1) + jnp.sum(q.ar * t[None], axis=(1, 2))
    by_t = jnp.stack([q.ar[:, u, v] * (1.0 if u == v else 2.0) for u, v in elements], axis=1)
    slope = jnp.concatenate([2.0 * (cg - q.b), by_t], axis=1) / h[:, None]  # (2V, k, B)
    share = q.weight / h
    gradient = jnp.sum(q.weight[:, None] * slope, axis=0)
    hessian = -jnp.sum((q.weight[:, None] * slope)[:, :, None] * slope[:, None], axis=0)
    hessian = hessian.at[:r, :r].add(jnp.sum(2.0 * share[:, None, None] * q.c, axis=0))
    inverse_t = inverse(t)
    sides = [_side(inverse_t, u, v) for u, v in elements]
    own = jnp.stack([inverse_t[u, v] * (1.0 if u == v else 2.0) for u, v in elements])
    curve = jnp.stack(
        [jnp.stack([jnp.sum(one * jnp.swapaxes(two, 0, 1), axis=(0, 1)) for two in sides]) for one in sides]
    )
    return _Height(gradient.at[r:].add(-own), hessian.at[r:, r:].add(curve))


def _side(inverse_t: Array, u: int, v: int) -> Array:
    """T^-1 E_uv (r, r, B)."""
    found = jnp.zeros_like(inverse_t).at[:, v].set(inverse_t[:, u])
    return found if u == v else found.at[:, u].add(inverse_t[:, v])


def _symmetric(elements: Array, r: int) -> Array:
    rows = [[elements[_elements(r).index((min(u, v), max(u, v)))] for v in range(r)] for u in range(r)]
    return jnp.stack([jnp.stack(row) for row in rows])


def _searched(left: _Left, g: Array, visit: int) -> Effect:
    r, count = g.shape
    q = _quadratics(left)
    elements = jnp.array([1.0 if u == v else 0.0 for u, v in _elements(r)])
    theta = jnp.concatenate([g, jnp.broadcast_to(elements[:, None], (len(elements), count))])

    def unfinished(state: tuple[Array, Array, Array]) -> Array:
        _, ended, steps = state
        return jnp.any(~ended & (steps < STEPS))

    def step(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        theta, ended, steps = state
        at = _height(q, theta[:r], _symmetric(theta[r:], r))
        move = -applied(inverse(at.hessian), at.gradient)
        decrement = -jnp.sum(move * at.gradient, axis=0)
        by_t = jnp.sqrt(jnp.sum(move[r:] ** 2, axis=0))
        by_g = jnp.sqrt(jnp.sum(move[:r] ** 2, axis=0))
        shrink = 1.0 / jnp.maximum(
            1.0, jnp.maximum(2.0 * by_t, by_g)
        )  # T stays positive definite near where it began
        moved = theta + jnp.where(ended, 0.0, shrink) * move
        going = ~ended & (steps < STEPS)
        done = (decrement >= 0) & (decrement < TOLERANCE)
        return jnp.where(going, moved, theta), ended | (going & done), steps + going

    start = (theta, jnp.zeros(count, bool), jnp.zeros(count, jnp.int32))
    theta, ended, steps = jax.lax.while_loop(unfinished, step, start)
    found = _effect(left, q, (theta[:r], _symmetric(theta[r:], r)), visit)
    told = jnp.stack([found.estimate, found.variance, found.adjusted, found.df])
    sound = jnp.all(jnp.isfinite(told), axis=0) & jnp.all(told[1:] > 0, axis=0)
    return found._replace(converged=ended & sound, steps=steps)


class _Point(NamedTuple):
    """Optimum: g (r, B), T (r, r, B), inverse M_j (V, V, V, B), rows l_j and factor (V, V, B), share l_j'1 (V, B)."""

    g: Array
    t: Array
    inverse_m: Array
    rows: Array
    factor: Array
    share: Array


def _point(left: _Left, g: Array, t: Array) -> _Point:
    ones = _ones(left)
    w = jnp.sum(left.ry * g[None, None], axis=2)
    size = jnp.sum(left.r * (g[:, None] * g[None] + t)[None], axis=(1, 2))
    cross = w[:, :, None] * ones[:, None]
    m = left.y - cross - jnp.swapaxes(cross, 1, 2) + size[:, None, None] * ones[:, :, None] * ones[:, None]
    inverse_m = inverse(m)
    rows = _best_rows(inverse_m, left.m)
    return _Point(g, t, inverse_m, rows, lower_inverse(rows), jnp.sum(rows, axis=1))


def _effect(left: _Left, q: _Quadratics, at: tuple[Array, Array], visit: int) -> Effect:
    point = _point(left, *at)
    arm = left.b.shape[1] - 1
    weight = point.factor[visit]  # (V, B) what set j has in the effect at this visit
    own = jnp.sum(left.e[:, arm] * point.rows, axis=1) - point.share * jnp.sum(
        left.d[:, arm] * point.g[None], axis=1
    )
    common = jnp.sum((weight * point.share)[:, None] * left.d[:, arm], axis=0)
    by_t = applied(point.t, common)
    variance = jnp.sum(weight**2 * left.b[:, arm, arm], axis=0) + jnp.sum(common * by_t, axis=0)
    psi = weight[:, None] * left.b[:, :, arm] + point.share[:, None] * applied(left.d, by_t[None])
    at_visit = jnp.sum(point.factor[:, :, None] * psi[None], axis=1)  # (V, s, B)
    phi = jnp.concatenate([at_visit, jnp.broadcast_to(-by_t[None], (len(weight), *by_t.shape))], axis=1)
    spread = _spread(left, q, point)
    reach = applied(left.g[:, None], phi[None])  # (J, k, s + r, B): products of set J with phi at visit k
    gamma = jnp.sum(reach[:, :, None] * phi[None, None], axis=3)  # (J, k, k', B)
    slope = _flat(-2.0 * applied(gamma, point.rows))
    df = 2.0 * variance**2 / jnp.sum(slope * applied(spread, slope), axis=0)
    bias = _moment(point, gamma, spread) - _mixed(left, point, reach, spread)
    blank = jnp.zeros_like(df)
    return Effect(jnp.sum(weight * own, axis=0), variance, variance + 2.0 * bias, df, blank > 1, blank)


def _places(visits: int) -> tuple[Array, Array]:
    """The set and the visit of each coordinate l_jk, k <= j."""
    pairs = [(j, k) for j in range(visits) for k in range(j + 1)]
    return jnp.array([j for j, _ in pairs]), jnp.array([k for _, k in pairs])


def _flat(values: Array) -> Array:
    """(V, V, …, B) by (j, k) as (coordinates, …, B)."""
    j, k = _places(values.shape[0])
    return values[j, k]


def _spread(left: _Left, q: _Quadratics, point: _Point) -> Array:
    """(c, c, B) covariance of the coordinates l_jk: the inverse of half the information on -2 log L."""
    visits, r = left.m.shape[0], point.g.shape[0]
    own = _ones(left)
    block = point.inverse_m - point.rows[:, :, None] * point.rows[:, None] / (2.0 * left.m)[:, None, None]
    block = block * own[:, :, None] * own[:, None]
    seen = jnp.sum(left.ry * point.rows[:, :, None], axis=1)  # (V, r, B) ry_j'l_j
    turn = 2.0 * applied(left.r, point.g[None])
    share = point.share[:, None]
    by_g = -left.ry * share[:, None] + ((turn * share) - seen)[:, None] * own[:, :, None]  # (V, V, r, B)
    by_t = [
        (left.r[:, u, v] * point.share * (1.0 if u == v else 2.0))[:, None] * own for u, v in _elements(r)
    ]
    both = jnp.concatenate([by_g, jnp.stack(by_t, axis=2)], axis=2)  # (V, V, k, B) of M_j l_j
    directions = _flat(product(block, both))  # (c, k, B)
    at = _height(q, point.g, point.t)
    joint = product(product(directions, inverse(at.hessian)), jnp.swapaxes(directions, 0, 1))
    j, k = _places(visits)
    same = (j[:, None] == j[None])[:, :, None]
    return jnp.where(same, block[j[:, None], k[:, None], k[None]], 0.0) + 2.0 * joint


def _moment(point: _Point, gamma: Array, spread: Array) -> Array:
    """sum w_ab phi'Q_ab phi over all pairs of coordinates; phi = Phi c."""
    visits = point.rows.shape[0]
    j, k = _places(visits)
    sigma = product(point.factor, jnp.swapaxes(point.factor, 0, 1))
    rowed = jnp.sum(gamma[:, None] * point.rows[None, :, None], axis=3)  # (J, j, k, B): (Gamma_J l_j)_k
    full = jnp.sum(rowed[:, :, None] * point.rows[None, None], axis=3)  # (J, j, j', B)
    a, b = j[:, None], j[None]
    ka, kb = k[:, None], k[None]
    set_ = jnp.maximum(a, b)
    same = (a == b)[:, :, None]
    found = point.factor[kb, a] * rowed[set_, b, ka] + point.factor[ka, b] * rowed[set_, a, kb]
    found = found + jnp.where(same, gamma[set_, ka, kb], 0.0) + sigma[ka, kb] * full[set_, a, b]
    return jnp.sum(spread * found, axis=(0, 1))


def _mixed(left: _Left, point: _Point, reach: Array, spread: Array) -> Array:
    """sum w_ab (P_a phi)'Phi (P_b phi) over all pairs of coordinates."""
    visits, s = point.rows.shape[0], left.b.shape[1]
    j, k = _places(visits)
    whole = jnp.sum(reach * point.rows[:, :, None], axis=1)  # (J, s + r, B): G_J a_J
    alpha, beta = whole[j], reach[j, k]  # (c, s + r, B)
    on = (jnp.arange(visits)[None] == j[:, None])[:, :, None, None]
    z = point.factor[k][:, :, None] * alpha[:, None, :s] + jnp.where(
        on, beta[:, None, :s], 0.0
    )  # (c, V, s, B)
    x = alpha[:, s:] + point.share[j][:, None] * beta[:, s:]
    back = jnp.sum(left.d[None] * z[:, :, :, None], axis=2)  # (c, V, r, B): D_J'z_J
    x = x - jnp.sum(point.share[None, :, None] * back, axis=1)
    z_scaled = applied(left.b[None], z)
    x_scaled = applied(point.t[None], x)
    one = jnp.concatenate([z.reshape(len(j), -1, z.shape[-1]), x], axis=1)
    two = jnp.concatenate([z_scaled.reshape(len(j), -1, z.shape[-1]), x_scaled], axis=1)
    spread_two = jnp.sum(spread[:, :, None] * two[None], axis=1)
    return jnp.sum(one * spread_two, axis=(0, 1))
