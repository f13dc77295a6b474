"""Degrees of freedom and adjusted covariances: Satterthwaite, and Kenward and Roger in the linear form.

With w the covariance of Sigma's elements (or of other coordinates in which Sigma is linear: the answers are the same),
P_e = -X'W E_e W X and d_e = d Phi / d sigma_e = -Phi P_e Phi:

    Satterthwaite, one row c:  df = 2 (c'Phi c)^2 / sum_ef w_ef (c'd_e c)(c'd_f c)
    Kenward-Roger, linear:     Phi_A = Phi + 2 Phi { sum_ef w_ef (Q_ef - P_e Phi P_f) } Phi

In the linear form the term R_ef (second derivatives of Sigma) is left out; for an unstructured Sigma it is zero in
the elements of Sigma, which is what SAS does for TYPE=UN. w is the inverse of the observed information.
Everything is worked out for z = R'^-1 c with R'R = X'WX, so that Phi is the unit matrix: the small variance of a
contrast of visits that nearly say the same is then a sum of squares and no difference of large numbers.
Sandwich covariances have their own degrees of freedom (sandwich.py).
Sources: Satterthwaite 1946; Fai and Cornelius 1996 (several rows); Kenward and Roger 1997, 2009.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.analysis.estimate import Estimate, JointTest, f_test, student
from equipoise.analysis.mmrm.sandwich import Sandwich
from equipoise.analysis.ops import NUMPY, Array

METHODS = ("satterthwaite", "kenward-roger")


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """What is known of the coefficients' covariance, in the caller's scale.

    root: (p, p) upper triangular R with R'R = Phi^-1. inner: (p, p), the covariance being R^-1 inner R'^-1; the unit
    matrix where it is the model's own. slopes: (s, p, p) likewise, the derivatives of Phi by the coordinates of Sigma.
    spread: (s, s) w. method: one of METHODS.
    """

    root: Array
    inner: Array
    slopes: Array
    spread: Array
    method: str
    sandwich: Sandwich | None = None

    @property
    def vcov(self) -> Array:
        """(p, p) the covariance of the coefficients."""
        back = self.turned(np.eye(len(self.root)))
        found: Array = back @ self.inner @ back.T
        return (found + found.T) / 2.0

    def turned(self, rows: Array) -> Array:
        """(q, p) rows c as z = R'^-1 c; rows: (q, p)."""
        return NUMPY.forward(self.root.T, rows.T).T


def single(beta: Array, known: Uncertainty, row: Array) -> Estimate:
    """The test of row @ beta = 0 with its degrees of freedom (for one row, the same by both methods)."""
    z = known.turned(row[None])
    df = _satterthwaite(known, z)[0]
    estimate, se = float(row @ beta), float(np.sqrt(z[0] @ known.inner @ z[0]))
    return student(estimate, se, float(df))


def joint(beta: Array, known: Uncertainty, rows: Array) -> JointTest:
    """The F test of rows @ beta = 0; rows (q, p) independent."""
    if len(rows) == 1:
        one = single(beta, known, rows[0])
        return JointTest(1, one.df, one.t**2, one.p)
    answer = _kenward_roger if known.method == "kenward-roger" else _fai_cornelius
    df, f = answer(beta, known, rows)
    return f_test(f, len(rows), df)


def _satterthwaite(known: Uncertainty, z: Array) -> Array:
    """(q,) the degrees of freedom of each row of z."""
    if known.sandwich is not None:
        return np.array([known.sandwich.df(row) for row in z])
    slopes = np.einsum("qi,eij,qj->qe", z, known.slopes, z, optimize=True)
    spread = np.einsum("qe,ef,qf->q", slopes, known.spread, slopes, optimize=True)
    return np.asarray(2.0 * np.sum(z**2, axis=1) ** 2 / spread, np.float64)


def _fai_cornelius(beta: Array, known: Uncertainty, rows: Array) -> tuple[float, float]:
    """Denominator df and F: independent combinations, each with its own df, matched to an F by its mean."""
    z = known.turned(rows)
    values, vectors = np.linalg.eigh(z @ known.inner @ z.T)
    f = float(np.mean((vectors.T @ (rows @ beta)) ** 2 / values))
    dfs = _satterthwaite(known, vectors.T @ z)
    if np.ptp(dfs) < 1e-8:
        return float(dfs.mean()), f
    mean = float(np.sum(dfs[dfs > 2] / (dfs[dfs > 2] - 2)))
    return (2.0 * mean / (mean - len(rows)) if mean > len(rows) else 2.0), f


def _kenward_roger(beta: Array, known: Uncertainty, rows: Array) -> tuple[float, float]:
    """Denominator df and lambda F (Kenward and Roger 1997, the section on the F statistic)."""
    q, z = len(rows), known.turned(rows)
    basis, _ = np.linalg.qr(z.T)
    turned = np.einsum("ia,eij,jb->eab", basis, known.slopes, basis, optimize=True)
    traces = np.einsum("eii->e", turned)
    a1 = float(traces @ known.spread @ traces)
    pairs = np.einsum("eij,fji->ef", turned, turned, optimize=True)
    a2 = float(np.sum(known.spread * pairs))
    b = (a1 + 6.0 * a2) / (2.0 * q)
    g = ((q + 1) * a1 - (q + 4) * a2) / ((q + 2) * a2)
    under = 3.0 * q + 2.0 * (1.0 - g)
    c1, c2, c3 = g / under, (q - g) / under, (q + 2 - g) / under
    mean = 1.0 / (1.0 - a2 / q)
    variance = 2.0 / q * (1.0 + c1 * b) / ((1.0 - c2 * b) ** 2 * (1.0 - c3 * b))
    rho = variance / (2.0 * mean**2)
    df = 4.0 + (q + 2.0) / (q * rho - 1.0)
    scale = df / (mean * (df - 2.0))
    value = rows @ beta
    f = float(value @ np.linalg.solve(z @ known.inner @ z.T, value)) / q
    return float(df), scale * f


def adjusted(p: Array, spread: Array, moment: Array) -> Array:
    """Kenward and Roger's covariance in the linear form where Phi is the unit matrix; p, moment as in steps.py."""
    mixed = np.einsum("ef,eij,fjl->il", spread, p, p, optimize=True)
    bias = moment - mixed
    return np.asarray(np.eye(len(bias)) + bias + bias.T, np.float64)
