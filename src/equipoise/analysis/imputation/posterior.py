"""Gaps filled by draws: proper imputations from the model's posterior, pooled by Rubin's rules.

The rules that must stay true: each data set is filled under coefficients and a covariance matrix drawn anew, so that
what is not known of the model is in the answer; the same seed gives the same draws. The sampler takes turns: the gaps
given the model, Sigma given coefficients and values (inverse Wishart), coefficients given Sigma and values (normal),
with the prior |Sigma|^-(V + 1)/2. For j2r and cr Rubin's variance is larger than that of repeated trials, which
means.py has.
Sources: Schafer 1997 (data augmentation); Carpenter, Roger and Kenward 2013.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from equipoise.analysis.estimate import Estimate
from equipoise.analysis.imputation.filling import Filling, Gaps, filling
from equipoise.analysis.imputation.means import means, model_fit
from equipoise.analysis.imputation.rubin import pool
from equipoise.analysis.imputation.rules import conditional
from equipoise.analysis.ops import Array
from equipoise.analysis.table import columns
from equipoise.words.problem import Problem, problem


@dataclass(frozen=True, slots=True)
class Sampler:
    """draws: data sets to fill. burn: turns before the first; thin: turns between two. delta: added as in means.py."""

    seed: int
    draws: int = 100
    burn: int = 200
    thin: int = 20
    delta: float = 0.0


@dataclass(frozen=True, slots=True)
class Pooled:
    """The arm's effect at each visit, pooled over the draws."""

    rule: str
    draws: int
    effects: Mapping[str, Estimate]


def fit_drawn(data: Any, gaps: Gaps, sampler: Sampler) -> Pooled | tuple[Problem, ...]:
    """Fill gaps by draws and pool the arm's effect at each visit, or say what is wrong; data as for `fit_imputed`."""
    if sampler.draws < 2 or min(sampler.burn, sampler.thin) < 1:
        return (problem("analysis.draws"),)
    table = columns(data)
    if isinstance(table, Problem):
        return (table,)
    made = filling(table, gaps)
    if not isinstance(made, Filling):
        return made
    first = model_fit(made)
    if isinstance(first, Problem):
        return (first,)
    found = [_analysed(made, values) for values in _filled(made, gaps.rule, sampler, first)]
    n, k = made.after.shape[1:]
    effects = {
        visit: pool([its[0][place] for its in found], [its[1][place] for its in found], n - k)
        for place, visit in enumerate(made.visits)
    }
    return Pooled(gaps.rule, sampler.draws, effects)


def _filled(made: Filling, rule: str, sampler: Sampler, first: tuple[Array, Array]) -> Iterator[Array]:
    """(n, V) values without gaps, one data set after the other."""
    rng = np.random.default_rng(sampler.seed)
    beta, sigma = first
    for turn in range(sampler.burn + (sampler.draws - 1) * sampler.thin):
        beta, sigma = _turn(made, rng, beta, sigma)
        if turn + 1 >= sampler.burn and (turn + 1 - sampler.burn) % sampler.thin == 0:
            ruled = np.stack([means(made, rule, subject, beta) for subject in range(len(made.values))])
            values = _drawn(rng, made.values, ruled, sigma)
            late = np.arange(values.shape[1])[None, :] >= made.event[:, None]
            moved = np.isnan(made.values) & late & made.treated[:, None].astype(bool)
            yield values + sampler.delta * moved


def _turn(made: Filling, rng: np.random.Generator, beta: Array, sigma: Array) -> tuple[Array, Array]:
    """One turn: gaps of what the model may use, Sigma, coefficients."""
    values = _drawn(rng, made.fitted, made.own @ beta, sigma)
    n, v = values.shape
    residual = values - made.own @ beta
    # W ~ Wishart(n, S^-1) by Bartlett: with S^-1 = L L', W = L A A' L', A lower with chi on its diagonal
    lower = np.linalg.cholesky(np.linalg.inv(residual.T @ residual))
    a = np.tril(rng.normal(size=(v, v)), -1) + np.diag(np.sqrt(rng.chisquare(n - np.arange(v))))
    half = lower @ a
    precision = half @ half.T
    weighted = np.einsum("ab,nbp->nap", precision, made.own)
    information = np.einsum("nap,naq->pq", made.own, weighted)
    right = np.einsum("nap,na->p", weighted, values)
    centre = np.linalg.solve(information, right)
    draw = np.linalg.solve(np.linalg.cholesky(information).T, rng.normal(size=len(centre)))
    return centre + draw, np.asarray(np.linalg.inv(precision), np.float64)


def _drawn(rng: np.random.Generator, values: Array, centre: Array, sigma: Array) -> Array:
    """(n, V) with every gap drawn given what was seen."""
    filled = values.copy()
    for subject in np.flatnonzero(np.isnan(values).any(axis=1)):
        gone = np.isnan(values[subject])
        mean, spread = conditional(centre[subject], sigma, values[subject])
        filled[subject, gone] = mean + np.linalg.cholesky(spread) @ rng.normal(size=len(mean))
    return filled


def _analysed(made: Filling, values: Array) -> tuple[Array, Array]:
    """(V,) effects and their variances by least squares at each visit."""
    effects, variances = [], []
    for visit, x in enumerate(made.after):
        inverse = np.linalg.inv(x.T @ x)
        beta = inverse @ x.T @ values[:, visit]
        left = values[:, visit] - x @ beta
        effects.append(made.row @ beta)
        variances.append(left @ left / (len(x) - len(beta)) * (made.row @ inverse @ made.row))
    return np.array(effects), np.array(variances)
