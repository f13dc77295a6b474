"""Degrees of freedom and adjusted covariances: Satterthwaite, and Kenward and Roger in the linear form.

With w the covariance of Sigma's elements (or of other coordinates in which Sigma is linear: the answers are the same),
P_e = -X'W E_e W X and d_e = d Phi / d sigma_e = -Phi P_e Phi:

    Satterthwaite, one row c:  df = 2 (c'Phi c)^2 / sum_ef w_ef (c'd_e c)(c'd_f c)
    Kenward-Roger, linear:     Phi_A = Phi + 2 Phi { sum_ef w_ef (Q_ef - P_e Phi P_f) } Phi

In the linear form the term R_ef (second derivatives of Sigma) is left out; for an unstructured Sigma it is zero in
the elements of Sigma, which is what SAS does for TYPE=UN. w is the inverse of the observed information.
Sandwich covariances have their own degrees of freedom (sandwich.py).
Sources: Satterthwaite 1946; Fai and Cornelius 1996 (several rows); Kenward and Roger 1997, 2009.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.analysis.estimate import Estimate, JointTest, f_test, student
from equipoise.analysis.mmrm.sandwich import Sandwich
from equipoise.analysis.ops import Array

METHODS = ("satterthwaite", "kenward-roger")


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """What is known of the coefficients' covariance, in the caller's scale.

    phi: (p, p) model-based. adjusted: (p, p) Kenward and Roger's, a sandwich's, or phi itself. slopes: (s, p, p), the
    derivatives of Phi by the coordinates of Sigma.
    spread: (s, s) w. method: one of METHODS.
    """

    phi: Array
    adjusted: Array
    slopes: Array
    spread: Array
    method: str
    sandwich: Sandwich | None = None


def single(beta: Array, known: Uncertainty, row: Array) -> Estimate:
    """The test of row @ beta = 0 with its degrees of freedom (for one row, the same by both methods)."""
    variance = float(row @ known.phi @ row)
    df = _satterthwaite(known, row[None], np.array([variance]))[0]
    estimate, se = float(row @ beta), float(np.sqrt(row @ known.adjusted @ row))
    return student(estimate, se, float(df))


def joint(beta: Array, known: Uncertainty, rows: Array) -> JointTest:
    """The F test of rows @ beta = 0; rows (q, p) independent."""
    if len(rows) == 1:
        one = single(beta, known, rows[0])
        return JointTest(1, one.df, one.t**2, one.p)
    answer = _kenward_roger if known.method == "kenward-roger" else _fai_cornelius
    df, f = answer(beta, known, rows)
    return f_test(f, len(rows), df)


def _satterthwaite(known: Uncertainty, rows: Array, variances: Array) -> Array:
    if known.sandwich is not None:
        return np.array([known.sandwich.df(row) for row in rows])
    slopes = np.einsum("qi,eij,qj->qe", rows, known.slopes, rows, optimize=True)
    spread = np.einsum("qe,ef,qf->q", slopes, known.spread, slopes, optimize=True)
    return np.asarray(2.0 * variances**2 / spread, np.float64)


def _fai_cornelius(beta: Array, known: Uncertainty, rows: Array) -> tuple[float, float]:
    """Denominator df and F: independent combinations, each with its own df, matched to an F by its mean."""
    values, vectors = np.linalg.eigh(rows @ known.adjusted @ rows.T)
    turned = vectors.T @ rows
    f = float(np.mean((turned @ beta) ** 2 / values))
    dfs = _satterthwaite(known, turned, values)
    if np.ptp(dfs) < 1e-8:
        return float(dfs.mean()), f
    mean = float(np.sum(dfs[dfs > 2] / (dfs[dfs > 2] - 2)))
    return (2.0 * mean / (mean - len(rows)) if mean > len(rows) else 2.0), f


def _kenward_roger(beta: Array, known: Uncertainty, rows: Array) -> tuple[float, float]:
    """Denominator df and lambda F (Kenward and Roger 1997, the section on the F statistic)."""
    q = len(rows)
    theta = rows.T @ np.linalg.solve(rows @ known.phi @ rows.T, rows)
    turned = np.einsum("ij,ejk->eik", theta, known.slopes, optimize=True)
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
    f = float(value @ np.linalg.solve(rows @ known.adjusted @ rows.T, value)) / q
    return float(df), scale * f


def adjusted(phi: Array, p: Array, spread: Array, moment: Array) -> Array:
    """Kenward and Roger's covariance in the linear form; p: (s, p, p) X'W E_e W X, moment: sum w_ef Q_ef."""
    mixed = np.einsum("ef,eij,jk,fkl->il", spread, p, phi, p, optimize=True)
    bias = phi @ (moment - mixed) @ phi
    return np.asarray(phi + bias + bias.T, np.float64)
