"""Covariance structures: Sigma(theta) with its first and second derivatives.

The rule that must stay true: a structure is data (how standard deviations and correlations are shared), and one
place derives it. Unstructured is in the elements of Sigma themselves; every other structure is
Sigma_ab = exp(l_a + l_b) R_ab, with l = log standard deviations (one, or one a visit) and R by correlations.
Names as in SAS PROC MIXED (TYPE=): un, toeph, toep, csh, cs, arh(1), ar(1), ante(1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from equipoise.analysis.ops import Array, Places

UNSTRUCTURED, STRUCTURED = 1e-11, 1e-8
"""Eigenvalues of correlations below which Sigma is no covariance. A factor kept as such is known to
1e-16 / sqrt(1e-11), one made of Sigma(theta) to 1e-16 / 1e-8: what is above is right to 1e-7 in its own scale."""


@dataclass(frozen=True, slots=True)
class Structure:
    """A structure: `shape` of the correlations, and whether each visit has a variance of its own."""

    name: str
    shape: str
    heterogeneous: bool

    @property
    def flattest(self) -> float:
        """The smallest eigenvalue that its correlations may have."""
        return UNSTRUCTURED if self.shape == "us" else STRUCTURED

    def parameters(self, visits: int) -> int:
        """The number of parameters for one group."""
        if self.shape == "us":
            return visits * (visits + 1) // 2
        return (visits if self.heterogeneous else 1) + _correlations(self.shape, visits)


STRUCTURES: Mapping[str, Structure] = {
    name: Structure(name, shape, heterogeneous)
    for name, shape, heterogeneous in (
        ("us", "us", True),
        ("toeph", "toep", True),
        ("toep", "toep", False),
        ("csh", "cs", True),
        ("cs", "cs", False),
        ("ar1h", "ar1", True),
        ("ar1", "ar1", False),
        ("adh", "ad", True),
        ("ad", "ad", False),
    )
}


def _correlations(shape: str, visits: int) -> int:
    return 1 if shape in ("cs", "ar1") else visits - 1


def from_sigma(structure: Structure, sigma: Array) -> Array:
    """A start for theta near an unstructured `sigma` (V, V): averages of what the structure shares."""
    visits = len(sigma)
    rows, columns = np.triu_indices(visits)
    if structure.shape == "us":
        return np.asarray(sigma[rows, columns], np.float64)
    sd = np.sqrt(np.diag(sigma))
    correlation = sigma / np.outer(sd, sd)
    logs = np.log(sd) if structure.heterogeneous else np.array([np.log(np.mean(sd**2)) / 2])
    lags = columns - rows
    by_lag = [float(np.mean(correlation[rows, columns][lags == lag])) for lag in range(1, visits)]
    if structure.shape == "toep":
        rho = np.array(by_lag)
    elif structure.shape == "ad":
        rho = np.diag(correlation, 1).copy()
    elif structure.shape == "ar1":
        rho = np.array(by_lag[:1])
    else:
        rho = np.array([np.mean(correlation[rows, columns][lags > 0])])
    shrink = 1.0
    while shrink > 1e-3:  # an average of correlations need not be positive definite; a shrunken one is
        theta = np.concatenate([logs, shrink * rho])
        if np.linalg.eigvalsh(expand(structure, theta, visits)[0])[0] > 1e-8:
            return theta
        shrink *= 0.8
    return np.concatenate([logs, 0.0 * rho])


def expand(structure: Structure, theta: Array, visits: int) -> tuple[Array, Array, Array]:
    """Sigma (V, V) with its derivatives by theta: (s, t) and (s, t, t), s = elements of the upper triangle."""
    rows, columns = np.triu_indices(visits)
    if structure.shape == "us":
        sigma = np.zeros((visits, visits))
        sigma[rows, columns] = theta
        sigma[columns, rows] = theta
        return sigma, np.eye(len(theta)), np.zeros((len(theta),) * 3)
    own = visits if structure.heterogeneous else 1
    share = np.eye(visits) if structure.heterogeneous else np.ones((visits, 1))
    logs, rho = share @ theta[:own], theta[own:]
    value, first, second = _correlation(structure.shape, rho, columns - rows, rows)
    scale = np.exp(logs[rows] + logs[columns])
    both = share[rows] + share[columns]
    elements = scale * value
    sigma = np.zeros((visits, visits))
    sigma[rows, columns] = elements
    sigma[columns, rows] = elements
    slope = np.concatenate([both * elements[:, None], scale[:, None] * first], axis=1)
    bend = np.zeros((len(rows), len(theta), len(theta)))
    bend[:, :own, :own] = both[:, :, None] * both[:, None, :] * elements[:, None, None]
    mixed = both[:, :, None] * (scale[:, None] * first)[:, None, :]
    bend[:, :own, own:] = mixed
    bend[:, own:, :own] = mixed.transpose(0, 2, 1)
    bend[:, own:, own:] = scale[:, None, None] * second
    return sigma, slope, bend


def _correlation(shape: str, rho: Array, lags: Places, rows: Places) -> tuple[Array, Array, Array]:
    """Correlations of the upper triangle with first and second derivatives by rho."""
    size, number = len(lags), len(rho)
    value, first, second = np.ones(size), np.zeros((size, number)), np.zeros((size, number, number))
    for place, (lag, row) in enumerate(zip(lags.tolist(), rows.tolist(), strict=True)):
        if lag == 0:
            continue
        if shape == "cs":
            value[place], first[place, 0] = rho[0], 1.0
        elif shape == "toep":
            value[place], first[place, lag - 1] = rho[lag - 1], 1.0
        elif shape == "ar1":
            value[place], first[place, 0] = rho[0] ** lag, lag * rho[0] ** (lag - 1)
            second[place, 0, 0] = lag * (lag - 1) * rho[0] ** (lag - 2) if lag > 1 else 0.0
        else:  # ante-dependence: the product of the correlations of the steps between
            steps = range(row, row + lag)
            value[place] = np.prod(rho[row : row + lag])
            for i in steps:
                first[place, i] = np.prod([rho[k] for k in steps if k != i])
                for j in steps:
                    if i != j:
                        second[place, i, j] = np.prod([rho[k] for k in steps if k not in (i, j)])
    return value, first, second
