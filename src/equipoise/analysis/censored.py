"""`fit_censored`: analysis of covariance of a value that is only known to be below a limit where it is too small.

On the log scale (the default) the differences are ratios of geometric means. A value below its limit of
quantification c counts with the probability of being below it:

    l = sum_seen log phi((y - x'b) / s) - log s  +  sum_below log Phi((c - x'b) / s)

in g = b / s and h = 1 / s, in which it is concave, and carried back with the full covariance.

The rule that must stay true: nothing is put in place of a value that was not measured; an arm in which nothing was
quantified has no mean, which is told. Sources: Tobin 1958; Olsen 1978; Lubin and others 2004 (limits of detection).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from equipoise.analysis.estimate import (
    LEVEL,
    Ratio,
    Wald,
    all_finite,
    as_json,
    ratio,
    some_ratio,
    table_json,
    wald,
)
from equipoise.analysis.formula import Frame, Model, load_frame, mean_row
from equipoise.analysis.groups import zero_or_one
from equipoise.analysis.logistic import standardise
from equipoise.analysis.newton import Height, maximise
from equipoise.analysis.ops import Array, Mask
from equipoise.analysis.rank import check_columns
from equipoise.analysis.separation import SUSPECT, moved, rising
from equipoise.analysis.table import columns, row_numbers
from equipoise.words.problem import Problem, problem


@dataclass(frozen=True, slots=True)
class CensoredFit:
    """beta (p,) named by `terms`; vcov (p + 1, p + 1) with log sigma last. log: whether the logarithm was fitted."""

    terms: tuple[str, ...]
    beta: Array
    vcov: Array
    sigma: float
    loglik: float
    log: bool
    n_obs: int
    n_below: int
    level: float
    frame: Frame

    @property
    def coefficients(self) -> Mapping[str, Wald]:
        """Every coefficient with its standard error, z and p."""
        rows = np.eye(len(self.terms))
        return {term: self.contrast(rows[at]) for at, term in enumerate(self.terms)}

    def contrast(self, row: Sequence[float] | Array) -> Wald:
        """The estimate and test of row @ beta; row: (p,)."""
        at, width = np.asarray(row, np.float64), len(self.terms)
        error = float(np.sqrt(at @ self.vcov[:width, :width] @ at))
        return wald(float(at @ self.beta), error, self.level)

    def mean_ratio(self, term: str) -> Ratio:
        """The ratio of geometric means that a coefficient is on the log scale."""
        its = self.coefficients[term]
        return ratio(its.estimate, its.se, self.level)

    def means(self, factor: str) -> Mapping[str, Wald]:
        """The mean of every level of a factor on the scale of the fit, other factors averaged equally."""
        return {
            level: self.contrast(mean_row(self.frame, {factor: level})) for level in self.frame.levels[factor]
        }

    def to_json(self) -> dict[str, Any]:
        """The whole answer as one JSON value."""
        its = self.coefficients
        ratios = {term: some_ratio(its[term], self.level) for term in self.terms if term != "Intercept"}
        return {
            "coefficients": table_json(self.coefficients),
            "mean_ratios": table_json(ratios) if self.log else None,
            "means": {name: as_json(self.means(name)) for name in self.frame.levels},
            "vcov": as_json(self.vcov),
            "sigma": self.sigma,
            "loglik": self.loglik,
            "log": self.log,
            "converged": True,
            "n_obs": self.n_obs,
            "n_below": self.n_below,
        }


def fit_censored(
    data: Any,
    formula: str,
    *,
    below: str,
    log: bool = True,
    categorical: Sequence[str] = (),
    reference: Mapping[str, str] | None = None,
    level: float = LEVEL,
) -> CensoredFit | tuple[Problem, ...]:
    """Fit the mean of a response some of whose values are below their limit of quantification, or say what is wrong.

    below: a column that is 1 where the response is a limit that the value is below, and 0 where it is the value.
    log: the logarithm of the response is fitted; the loglik is that of the logarithms.
    """
    table = columns(data)
    if isinstance(table, Problem):
        return (table,)
    model = Model(formula, tuple(categorical), dict(reference or {}))
    frame = load_frame(table, model, (below,))
    if not isinstance(frame, Frame):
        return frame
    under = zero_or_one(below, [table[below][row] for row in frame.rows], frame.rows)
    if isinstance(under, Problem):
        return (under,)
    name = formula.split("~")[0].strip()
    y = frame.y
    if log:
        if none := [row for row, value in zip(frame.rows, y, strict=True) if value <= 0.0]:
            return (problem("analysis.not-positive", name, rows=row_numbers(none)),)
        y = np.log(y)
    return _checked(frame, (y, under == 1.0), name, log=log, level=level)


def _checked(
    frame: Frame, seen: tuple[Array, Mask], name: str, *, log: bool, level: float
) -> CensoredFit | tuple[Problem, ...]:
    (y, under), (rows, width) = seen, frame.x.shape
    if rows <= width + 1:
        return (problem("analysis.too-few", rows=rows, parameters=width + 1),)
    if found := check_columns(frame.x, frame.terms, frame.nobody):
        return found
    if under.all():
        return (problem("analysis.all-below", name),)
    left = y[~under] - frame.x[~under] @ np.linalg.lstsq(frame.x[~under], y[~under])[0]
    if np.linalg.norm(left) <= 1e-9 * np.linalg.norm(y[~under] - y[~under].mean()) + 1e-13 * np.linalg.norm(
        y
    ):
        return (problem("analysis.no-residual"),)
    return _fitted(frame, (y, under), log=log, level=level)


def _fitted(
    frame: Frame, seen: tuple[Array, Mask], *, log: bool, level: float
) -> CensoredFit | tuple[Problem, ...]:
    (y, under), (rows, width) = seen, frame.x.shape
    x, turn = standardise(frame.x)
    size = float(np.sqrt(np.mean((y[~under] - y[~under].mean()) ** 2)))
    constant = np.linalg.lstsq(x, np.ones(rows))[0]
    inside = np.abs(x @ constant - 1.0).max() < 1e-8  # without a constant the response may only be scaled
    middle = float(y[~under].mean()) if inside else 0.0
    forms = np.column_stack([-x, (y - middle) / size])
    peak = maximise(_height(forms, under), np.append(np.zeros(width), 1.0))
    if under.any() and (not peak.converged or np.abs(forms @ peak.at).max() > SUSPECT):
        fixed = forms[~under]
        direction = rising(np.concatenate([forms[under], fixed, -fixed]))
        if direction is not None:
            lost = moved(turn @ direction[:-1], frame.terms, 1.0 / np.abs(turn).max(axis=1))
            return (problem("analysis.arm-below", ", ".join(lost)),)
    if not peak.converged:
        return (problem("analysis.no-maximum", steps=peak.steps),)
    g, h = peak.at[:-1], float(peak.at[-1])
    slope = np.zeros((width + 1, width + 1))  # of (b, log s) in (g, h), carried back
    slope[:width, :width] = size * turn / h
    slope[:width, -1] = -size * (turn @ g) / h**2
    slope[-1, -1] = -1.0 / h
    beta = turn @ (size * g / h + middle * constant)
    vcov = slope @ peak.covariance @ slope.T
    count = int(under.sum())
    loglik = float(peak.height.loglik) - (rows - count) * float(np.log(size))
    found = CensoredFit(frame.terms, beta, vcov, size / h, loglik, log, rows, count, level, frame)
    return found if all_finite((beta, vcov, loglik)) else (problem("analysis.no-maximum", steps=peak.steps),)


def _height(forms: Array, under: Mask) -> Callable[[Array], Height]:
    """In (g, h): forms (N, p + 1) = (-x, z), so that forms @ (g, h) = (z - x'b) / s."""
    seen, hidden = forms[~under], forms[under]
    constant = 0.5 * np.log(2.0 * np.pi) * len(seen)

    def height(at: Array) -> Height:
        h = float(at[-1])
        if h <= 0.0:
            return Height(-np.inf, at, np.eye(len(at)))
        r, c = seen @ at, hidden @ at
        log_cdf = special.log_ndtr(c)
        mills = np.exp(-0.5 * c**2 - 0.5 * np.log(2.0 * np.pi) - log_cdf)
        loglik = -0.5 * float(r @ r) + len(seen) * np.log(h) - constant + float(log_cdf.sum())
        score = -seen.T @ r + hidden.T @ mills
        score[-1] += len(seen) / h
        information = seen.T @ seen + (hidden.T * (mills * (mills + c))) @ hidden
        information[-1, -1] += len(seen) / h**2
        return Height(float(loglik), score, information)

    return height
