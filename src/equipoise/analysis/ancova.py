"""`fit_ancova`: least squares with model-based or heteroscedasticity-consistent errors, and least-squares means.

    beta = (X'X)^-1 X'y,   vcov = s^2 (X'X)^-1   or   (X'X)^-1 X' diag(e_i^2 g_i) X (X'X)^-1

    g: 1 (HC0), N / (N - p) (HC1), 1 / (1 - h_i) (HC2), 1 / (1 - h_i)^2 (HC3), h_i the leverages.

The rule that must stay true: the degrees of freedom are N - p whatever the errors are, and the answer says which
errors it has. Sources: White 1980; MacKinnon and White 1985; Long and Ervin 2000 (HC3 in small samples).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from equipoise.analysis.estimate import (
    LEVEL,
    Estimate,
    JointTest,
    Marginal,
    all_finite,
    as_json,
    f_test,
    student,
    table_json,
)
from equipoise.analysis.formula import Frame, Model, load_frame, mean_row
from equipoise.analysis.marginal import differences, lsmeans
from equipoise.analysis.ops import Array
from equipoise.analysis.rank import check_columns
from equipoise.analysis.table import columns, row_numbers
from equipoise.words.problem import Problem, problem

ERRORS = ("model", "HC0", "HC1", "HC2", "HC3")


@dataclass(frozen=True, slots=True)
class AncovaFit:
    """Least squares: beta (p,) named by `terms`, vcov (p, p) by `errors`, df = N - p, sigma the residual SD."""

    terms: tuple[str, ...]
    beta: Array
    vcov: Array
    sigma: float
    df: int
    errors: str
    n_obs: int
    level: float
    frame: Frame

    @property
    def coefficients(self) -> Mapping[str, Estimate]:
        """Every coefficient with its standard error, t and p."""
        rows = np.eye(len(self.terms))
        return {term: self.contrast(rows[at]) for at, term in enumerate(self.terms)}

    @property
    def loglik(self) -> float:
        """The normal log-likelihood at its maximum, with all constants (variance by N)."""
        rest = self.sigma**2 * self.df / self.n_obs
        return float(-self.n_obs / 2.0 * (np.log(2.0 * np.pi * rest) + 1.0))

    def contrast(self, row: Sequence[float] | Array) -> Estimate:
        """The estimate and test of row @ beta; row: (p,) in the order of `terms`."""
        at = np.asarray(row, np.float64)
        return student(float(at @ self.beta), float(np.sqrt(at @ self.vcov @ at)), self.df, self.level)

    def joint_test(self, rows: Sequence[Sequence[float]] | Array) -> JointTest:
        """The F test that rows @ beta = 0 together; rows: (q, p), independent."""
        at = np.asarray(rows, np.float64)
        value, spread = at @ self.beta, at @ self.vcov @ at.T
        return f_test(float(value @ np.linalg.solve(spread, value)) / len(at), len(at), self.df)

    def mean_row(self, levels: Mapping[str, str]) -> Array:
        """(p,) the row of a least-squares mean: other factors averaged equally, numbers at their mean."""
        return mean_row(self.frame, levels)

    def lsmeans(self, *by: str) -> tuple[Marginal, ...]:
        """Least-squares means of every combination of levels of the factors `by`."""
        return lsmeans(self.frame, self.contrast, by)

    def differences(self, factor: str, *by: str) -> tuple[Marginal, ...]:
        """Each level of `factor` minus its reference, within every combination of the factors `by`."""
        return differences(self.frame, self.contrast, factor, by)

    def to_json(self) -> dict[str, Any]:
        """The whole answer as one JSON value, with the least-squares means of every factor."""
        factors = self.frame.levels
        return {
            "coefficients": table_json(self.coefficients),
            "vcov": as_json(self.vcov),
            "sigma": self.sigma,
            "df": self.df,
            "errors": self.errors,
            "loglik": self.loglik,
            "converged": True,
            "n_obs": self.n_obs,
            "lsmeans": {name: [_line(its) for its in self.lsmeans(name)] for name in factors},
            "differences": {name: [_line(its) for its in self.differences(name)] for name in factors},
        }


def _line(marginal: Marginal) -> dict[str, Any]:
    return {"levels": dict(marginal.levels), **as_json(marginal.estimate)}


def fit_ancova(
    data: Any,
    formula: str,
    *,
    errors: str = "model",
    categorical: Sequence[str] = (),
    reference: Mapping[str, str] | None = None,
    level: float = LEVEL,
) -> AncovaFit | tuple[Problem, ...]:
    """Fit an analysis of covariance, or say what is wrong.

    data: a data frame (pandas, polars, pyarrow) or a mapping of columns. errors: `model`, or one of HC0 to HC3.
    """
    if errors not in ERRORS:
        return (problem("analysis.errors", errors, known=", ".join(ERRORS)),)
    table = columns(data)
    if isinstance(table, Problem):
        return (table,)
    frame = load_frame(table, Model(formula, tuple(categorical), dict(reference or {})))
    if not isinstance(frame, Frame):
        return frame
    rows, width = frame.x.shape
    if rows <= width:
        return (problem("analysis.too-few", rows=rows, parameters=width + 1),)
    if found := check_columns(frame.x, frame.terms, frame.nobody):
        return found
    return _solved(frame, errors, level)


def _solved(frame: Frame, errors: str, level: float) -> AncovaFit | tuple[Problem, ...]:
    rows, width = frame.x.shape
    scale = np.linalg.norm(frame.x, axis=0)
    q, r = np.linalg.qr(frame.x / scale)
    back = np.linalg.solve(r, np.eye(width)) / scale[:, None]
    beta = back @ (q.T @ frame.y)
    left = frame.y - frame.x @ beta
    size = max(1e-9 * np.linalg.norm(frame.y - frame.y.mean()), 1e-13 * np.linalg.norm(frame.y))
    if np.linalg.norm(left) <= size:
        return (problem("analysis.no-residual"),)
    df, leverage = rows - width, np.sum(q**2, axis=1)
    sigma2 = float(left @ left) / df
    if errors == "model":
        middle = sigma2 * np.eye(width)
    else:
        alone = [row for row, its in zip(frame.rows, leverage, strict=True) if its > 1.0 - 1e-9]
        if alone:
            return (problem("analysis.leverage", errors, rows=row_numbers(alone)),)
        weight = _weights(errors, leverage, rows / df)
        middle = (q.T * (left**2 * weight)) @ q
    vcov = back @ middle @ back.T
    found = AncovaFit(frame.terms, beta, vcov, float(np.sqrt(sigma2)), df, errors, rows, level, frame)
    if not all_finite((beta, vcov, sigma2)):
        return (problem("analysis.no-residual"),)
    return _without_spread(found, sigma2 * back @ back.T) or found


def _without_spread(found: AncovaFit, plain: Array) -> tuple[Problem, ...]:
    """Coefficients and means whose robust error is zero, because all residuals that it is made of are."""
    rows = dict(zip(found.terms, np.eye(len(found.terms)), strict=True))
    for name, levels in found.frame.levels.items():
        means = {level: found.mean_row({name: level}) for level in levels}
        rows |= {f"{name} {level}": row for level, row in means.items()}
        rows |= {
            f"{name} {level}": row - means[levels[0]] for level, row in means.items() if level != levels[0]
        }
    return tuple(
        problem("analysis.no-spread", where, errors=found.errors)
        for where, row in rows.items()
        if not row @ found.vcov @ row > 1e-18 * (row @ plain @ row)
    )


def _weights(errors: str, leverage: Array, more: float) -> Array:
    one = np.ones_like(leverage)
    return {
        "HC0": lambda: one,
        "HC1": lambda: one * more,
        "HC2": lambda: one / (1.0 - leverage),
        "HC3": lambda: one / (1.0 - leverage) ** 2,
    }[errors]()
