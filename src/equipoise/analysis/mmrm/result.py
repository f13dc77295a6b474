"""`fit_mmrm`: a mixed model for repeated measures on any data frame, and what can be asked of the answer.

The rule that must stay true: there is no answer with a number that only looks right. What the data cannot say, and
a search that did not end, is a Problem; an answer has converged and holds no NaN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from equipoise.analysis.estimate import Estimate, JointTest, Marginal
from equipoise.analysis.formula import mean_row
from equipoise.analysis.marginal import differences, lsmeans
from equipoise.analysis.mmrm import design as asking
from equipoise.analysis.mmrm.design import Design, Question
from equipoise.analysis.mmrm.inference import (
    METHODS,
    Uncertainty,
    adjusted,
    joint,
    single,
)
from equipoise.analysis.mmrm.method import Convergence, Optimum, fit
from equipoise.analysis.mmrm.sandwich import KINDS, sandwich
from equipoise.analysis.mmrm.statistics import Scale, check, gather
from equipoise.analysis.mmrm.steps import Statistics, second_moment
from equipoise.analysis.mmrm.structures import STRUCTURES
from equipoise.analysis.ops import NUMPY, Array
from equipoise.analysis.table import columns
from equipoise.words.problem import Problem, problem


@dataclass(frozen=True, slots=True)
class MmrmFit:
    """A converged fit. p coefficients named by `terms`, V visits.

    beta: (p,). vcov: (p, p), Kenward and Roger's or a sandwich where asked for. sigma: group -> (V, V), visits in the
    order of `visits`. loglik: with all constants. parameters: of the covariance.
    """

    terms: tuple[str, ...]
    beta: Array
    vcov: Array
    sigma: Mapping[str, Array]
    visits: tuple[str, ...]
    loglik: float
    reml: bool
    df_method: str
    convergence: Convergence
    n_obs: int
    n_subjects: int
    parameters: int
    known: Uncertainty
    design: Design

    @property
    def coefficients(self) -> Mapping[str, Estimate]:
        """Every coefficient with its standard error, degrees of freedom, t and p."""
        rows = np.eye(len(self.terms))
        return {term: self.contrast(rows[at]) for at, term in enumerate(self.terms)}

    @property
    def aic(self) -> float:
        """Akaike's criterion by the number of covariance parameters (REML) or of all (ML)."""
        return 2.0 * self._counted - 2.0 * self.loglik

    @property
    def bic(self) -> float:
        """Schwarz's criterion with the number of subjects, as PROC MIXED counts."""
        return float(self._counted * np.log(self.n_subjects) - 2.0 * self.loglik)

    @property
    def _counted(self) -> int:
        return self.parameters + (0 if self.reml else len(self.terms))

    def contrast(self, row: Sequence[float] | Array) -> Estimate:
        """The estimate and test of row @ beta; row: (p,) in the order of `terms`."""
        return single(self.beta, self.known, np.asarray(row, np.float64))

    def joint_test(self, rows: Sequence[Sequence[float]] | Array) -> JointTest:
        """The F test that rows @ beta = 0 together; rows: (q, p), independent."""
        return joint(self.beta, self.known, np.asarray(rows, np.float64))

    def mean_row(self, levels: Mapping[str, str]) -> Array:
        """(p,) the row of a least-squares mean: other factors averaged equally, numbers at their mean."""
        return mean_row(self.design.frame, levels)

    def lsmeans(self, *by: str) -> tuple[Marginal, ...]:
        """Least-squares means of every combination of levels of the factors `by`."""
        return lsmeans(self.design.frame, self.contrast, by)

    def differences(self, factor: str, *by: str) -> tuple[Marginal, ...]:
        """Each level of `factor` minus its reference, within every combination of the factors `by`."""
        return differences(self.design.frame, self.contrast, factor, by)


def fit_mmrm(
    data: Any,
    formula: str,
    *,
    subject: str,
    visit: str,
    group: str | None = None,
    weights: str | None = None,
    covariance: str | Sequence[str] = "us",
    df: str = "kenward-roger",
    vcov: str = "model",
    reml: bool = True,
    categorical: Sequence[str] = (),
    reference: Mapping[str, str] | None = None,
) -> MmrmFit | tuple[Problem, ...]:
    """Fit an MMRM, or say what is wrong.

    data: a data frame (pandas, polars, pyarrow) or a mapping of columns. covariance: a structure (`us`, `toeph`,
    `toep`, `csh`, `cs`, `ar1h`, `ar1`, `adh`, `ad`), or several in the order in which they are tried: a later one is
    fitted only when the one before does not converge. group: a column whose levels have covariances of their own.
    df: `satterthwaite`, or `kenward-roger` in its linear form. weights: a column; a row of weight w has 1/w of the
    variance. vcov: `model`, or a sandwich (`empirical`, `empirical-bias-reduced`, `empirical-jackknife`), which has
    Satterthwaite's degrees of freedom. categorical, reference: see `Question`.
    """
    wanted = (covariance,) if isinstance(covariance, str) else tuple(covariance)
    strange = [name for name in wanted if name not in STRUCTURES]
    if strange or not wanted:
        return (problem("analysis.structure", strange[0] if strange else "", known=", ".join(STRUCTURES)),)
    if df not in METHODS:
        return (problem("analysis.df", df, known=", ".join(METHODS)),)
    if vcov not in ("model", *KINDS):
        return (problem("analysis.vcov", vcov, known=", ".join(("model", *KINDS))),)
    if df == "kenward-roger" and vcov != "model":
        return (problem("analysis.kr-with-sandwich", vcov),)
    if df == "kenward-roger" and not reml:
        return (problem("analysis.kr-needs-reml"),)
    table = columns(data)
    if isinstance(table, Problem):
        return (table,)
    question = Question(formula, subject, visit, group, weights, tuple(categorical), dict(reference or {}))
    design = asking.design(table, question)
    if isinstance(design, tuple):
        return design
    structures = [STRUCTURES[name] for name in wanted]
    if found := check(design, structures):
        return found
    statistics, scale = gather(design)
    optimum = fit(statistics, structures, reml=reml)
    if not optimum.convergence.converged:
        return (_advice(optimum),)
    return _carried(design, statistics, scale, optimum, df=df, vcov=vcov, reml=reml)


def _advice(optimum: Optimum) -> Problem:
    ended = optimum.convergence
    tried = (*ended.passed, ended.structure)
    sizes = [
        np.linalg.eigvalsh(its / np.sqrt(np.outer(np.diag(its), np.diag(its))))[0] for its in optimum.sigma
    ]
    flat = min(sizes) < 1e-6
    return problem(
        "analysis.singular" if flat else "analysis.not-converged", ", ".join(tried), steps=ended.steps
    )


def _carried(
    design: Design, data: Statistics, scale: Scale, optimum: Optimum, *, df: str, vcov: str, reml: bool
) -> MmrmFit | tuple[Problem, ...]:
    """The answer in the caller's scale; a value that is not finite anywhere in it is a Problem."""
    at, curve, size = optimum.at, optimum.curve, scale.scale**2
    root = at.root @ scale.back / scale.scale
    beta, robust = scale.start + scale.scale * scale.turn @ at.beta, None
    inner = np.eye(len(beta))
    if vcov != "model":
        robust = sandwich(design, beta, scale.scale * optimum.half, root, vcov)
        inner = robust.inner
    elif df == "kenward-roger":
        inner = adjusted(curve.p, optimum.spread, second_moment(NUMPY, data, at, optimum.spread))
    known = Uncertainty(root, inner, curve.p, optimum.spread, df, robust)
    covariance = known.vcov
    width = len(design.terms)
    free = scale.rows - width if reml else scale.rows
    minus2 = at.minus2 - scale.logs + free * (np.log(2.0 * np.pi) + np.log(size))
    if reml:
        minus2 += 2.0 * np.sum(np.log(np.abs(np.diagonal(scale.back))))
    found = MmrmFit(
        design.terms,
        beta,
        covariance,
        {name: size * sigma for name, sigma in zip(design.groups, optimum.sigma, strict=True)},
        design.visits,
        float(-minus2 / 2.0),
        reml,
        df,
        optimum.convergence,
        scale.rows,
        len(np.unique(design.subject)),
        optimum.parameters,
        known,
        design,
    )
    values = [(its.se, its.df, its.t, its.p) for its in found.coefficients.values()]
    finite = all(np.isfinite(its).all() for its in (values, covariance, found.loglik))
    if not finite or (np.diag(covariance) <= 0).any():
        return (_advice(optimum),)
    return found
