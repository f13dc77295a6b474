"""Sandwich covariances: standard errors that stay honest where the covariance structure is wrong.

With X_i, e_i and W_i of one subject, Phi = (X'WX)^-1 and H_i = L_i^-1 X_i Phi X_i' L_i^-T (Sigma_i = L_i L_i'):

    empirical                 Phi { sum X_i' L_i^-T          r_i r_i'          L_i^-1 X_i } Phi,  r_i = L_i^-1 e_i
    empirical-bias-reduced    the same with (I - H_i)^-1/2 r_i in place of r_i
    empirical-jackknife       the same with (I - H_i)^-1 r_i

Degrees of freedom of a row c, matched to the working model: with A_i the power of I - H_i above, v_i = A_i L_i^-1 X_i
Phi c and P of elements v_i'(delta_ij I - L_i^-1 X_i Phi X_j' L_j^-T) v_j, df = (tr P)^2 / tr(P P). The sums are over
subjects, not over patterns: this is the one part of a fit whose cost grows with their number.
Sources: Liang and Zeger 1986; Bell and McCaffrey 2002; Pustejovsky and Tipton 2018.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from equipoise.analysis.mmrm.design import Design
from equipoise.analysis.ops import NUMPY, Array

KINDS = ("empirical", "empirical-bias-reduced", "empirical-jackknife")
_POWER = {"empirical": 0.0, "empirical-bias-reduced": -0.5, "empirical-jackknife": -1.0}
_SINGULAR = 1e-10
"""Eigenvalues of I - H_i below this are of combinations that one subject alone determines: they carry no residual."""


@dataclass(frozen=True, slots=True)
class Sandwich:
    """In the coordinates in which Phi is the unit matrix. inner: (p, p) the sandwich's filling.

    lever: (n, v, p) is A_i L_i^-1 X_i of each subject, zero rows where unseen; white: L_i^-1 X_i.
    """

    inner: Array
    lever: Array
    white: Array

    def df(self, row: Array) -> float:
        """The degrees of freedom of row @ beta = 0; row: (p,) turned likewise."""
        v = self.lever @ row  # (n, v)
        own = np.einsum("nv,nv->n", v, v)
        reach = np.einsum("nv,nvp->np", v, self.white)
        crossed = np.einsum("np,np->n", reach, reach)
        trace = float(np.sum(own - crossed))
        inner = reach.T @ reach
        squares = float(np.sum(own**2) - 2.0 * np.sum(own * crossed) + np.sum(inner * inner.T))
        return trace**2 / squares


def sandwich(design: Design, beta: Array, half: Array, root: Array, kind: str) -> Sandwich:
    """The covariance of beta of that kind; half: (groups, V, V) L, root: (p, p) with root'root = Phi^-1, unscaled."""
    levers, whites, scores = [], [], []
    for x, e, factor in _subjects(design, beta, half):
        n, v, p = x.shape
        flat = NUMPY.forward(factor, x.transpose(1, 0, 2).reshape(v, -1)).reshape(v * n, p)
        white = NUMPY.forward(root.T, flat.T).T.reshape(v, n, p).transpose(1, 0, 2)
        residual = NUMPY.forward(factor, e.T).T
        left = np.eye(v) - white @ white.transpose(0, 2, 1)
        lever = _powered(left, _POWER[kind]) @ white
        levers.append(_padded(lever, len(design.visits)))
        whites.append(_padded(white, len(design.visits)))
        scores.append(np.einsum("nvp,nv->np", lever, residual))
    score = np.concatenate(scores)
    return Sandwich(score.T @ score, np.concatenate(levers), np.concatenate(whites))


def _subjects(design: Design, beta: Array, half: Array) -> Iterator[tuple[Array, Array, Array]]:
    """Subjects with the same visits together: rows (n, v, p), residuals (n, v), lower factor of their Sigma (v, v)."""
    root = np.sqrt(design.weights)
    x, e = design.x * root[:, None], (design.y - design.x @ beta) * root
    for (group, visits), rows in design.patterns().items():
        at = np.array(rows)
        yield x[at], e[at], NUMPY.lower(half[group][list(visits)])


def _powered(matrices: Array, power: float) -> Array:
    if not power:
        return np.broadcast_to(np.eye(matrices.shape[-1]), matrices.shape)
    values, vectors = np.linalg.eigh(matrices)
    kept = values > _SINGULAR
    found: Array = np.where(kept, np.where(kept, values, 1.0) ** power, 0.0)
    return np.asarray((vectors * found[..., None, :]) @ vectors.transpose(0, 2, 1), np.float64)


def _padded(matrices: Array, visits: int) -> Array:
    found = np.zeros((len(matrices), visits, matrices.shape[-1]))
    found[:, : matrices.shape[1]] = matrices
    return found
