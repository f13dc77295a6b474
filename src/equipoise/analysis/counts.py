"""`fit_counts`: rates of counts (diary days, relapses) by negative binomial or Poisson regression with exposure.

    log mu = x'b + log exposure,  var y = mu + a mu^2
    l = sum_(k < y) log(1 + a k) + y log mu - (y + 1 / a) log(1 + a mu) - log y!

written so that no digits are lost as a falls to zero, where it is Poisson's. b and log a are found together.

The rules that must stay true: counts that vary no more than Poisson's have no negative binomial fit (a would be zero
or less), which is told; Poisson is fitted only when the caller lists it after. Errors are by the observed
information of all parameters, as PROC GENMOD gives them (R's glm.nb holds a fixed).
Sources: Lawless 1987; Cameron and Trivedi 1998.
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
from equipoise.analysis.formula import Frame, Model, load_frame
from equipoise.analysis.groups import finite, whole_numbers
from equipoise.analysis.logistic import standardise
from equipoise.analysis.newton import Height, maximise
from equipoise.analysis.ops import Array
from equipoise.analysis.rank import check_columns
from equipoise.analysis.separation import moved, rising
from equipoise.analysis.table import Table, columns, row_numbers
from equipoise.words.problem import Problem, problem

FAMILIES = ("negative-binomial", "poisson")
LARGE = 300.0
"""The logarithm of a mean beyond which its square has no float."""


@dataclass(frozen=True, slots=True)
class CountsFit:
    """beta (p,) named by `terms`: log rate ratios. dispersion: a of the variance mu + a mu^2, None for Poisson.

    passed: families that were tried before and have no maximum.
    """

    terms: tuple[str, ...]
    beta: Array
    vcov: Array
    dispersion: Wald | None
    loglik: float
    family: str
    passed: tuple[str, ...]
    n_obs: int
    total: int
    level: float

    @property
    def coefficients(self) -> Mapping[str, Wald]:
        """Every coefficient with its standard error, z and p."""
        se = np.sqrt(np.diag(self.vcov))
        return {t: wald(b, s, self.level) for t, b, s in zip(self.terms, self.beta, se, strict=True)}

    def rate_ratio(self, term: str) -> Ratio:
        """The ratio of rates with Wald's interval."""
        at = self.terms.index(term)
        return ratio(float(self.beta[at]), float(np.sqrt(self.vcov[at, at])), self.level)

    def to_json(self) -> dict[str, Any]:
        """The whole answer as one JSON value."""
        its = self.coefficients
        ratios = {term: some_ratio(its[term], self.level) for term in self.terms if term != "Intercept"}
        return {
            "coefficients": table_json(self.coefficients),
            "rate_ratios": table_json(ratios),
            "dispersion": as_json(self.dispersion),
            "vcov": as_json(self.vcov),
            "loglik": self.loglik,
            "family": self.family,
            "passed": list(self.passed),
            "converged": True,
            "n_obs": self.n_obs,
            "total": self.total,
        }


@dataclass(frozen=True, slots=True)
class _Data:
    count: Array
    x: Array
    turn: Array
    offset: Array
    terms: tuple[str, ...]


def fit_counts(
    data: Any,
    formula: str,
    *,
    exposure: str | None = None,
    family: str | Sequence[str] = "negative-binomial",
    categorical: Sequence[str] = (),
    reference: Mapping[str, str] | None = None,
    level: float = LEVEL,
) -> CountsFit | tuple[Problem, ...]:
    """Fit rates of counts, or say what is wrong.

    exposure: a column of positive numbers, the time or days that a count is of. family: one of FAMILIES, or several
    in the order in which they are tried: a later one is fitted only when the one before has no maximum.
    """
    wanted = (family,) if isinstance(family, str) else tuple(family)
    if not wanted or any(its not in FAMILIES for its in wanted):
        return (problem("analysis.family", ", ".join(wanted), known=", ".join(FAMILIES)),)
    table = columns(data)
    if isinstance(table, Problem):
        return (table,)
    roles = (exposure,) if exposure else ()
    frame = load_frame(table, Model(formula, tuple(categorical), dict(reference or {})), roles)
    if not isinstance(frame, Frame):
        return frame
    rows, width = frame.x.shape
    if rows <= width:
        return (problem("analysis.too-few", rows=rows, parameters=width),)
    asked = _asked(table, frame, formula.split("~")[0].strip(), exposure)
    if not isinstance(asked, _Data):
        return asked
    found: CountsFit | tuple[Problem, ...] = ()
    for at, its in enumerate(wanted):
        found = _fitted(asked, its, wanted[:at], level)
        if isinstance(found, CountsFit):
            return found
    return found


def _asked(table: Table, frame: Frame, name: str, exposure: str | None) -> _Data | tuple[Problem, ...]:
    count = whole_numbers(name, frame.y.tolist(), frame.rows)
    days: Array | Problem = np.ones(len(frame.rows))
    if exposure:
        days = finite(exposure, [table[exposure][row] for row in frame.rows], frame.rows)
        if not isinstance(days, Problem) and (days <= 0.0).any():
            none = [row for row, its in zip(frame.rows, days, strict=True) if its <= 0.0]
            days = problem("analysis.exposure", exposure, rows=row_numbers(none))
    if isinstance(count, Problem) or isinstance(days, Problem):
        return tuple(its for its in (count, days) if isinstance(its, Problem))
    if found := check_columns(frame.x, frame.terms, frame.nobody):
        return found
    if not count.any():
        return (problem("analysis.one-category", name, value="0"),)
    scaled, turn = standardise(frame.x)
    return _Data(count, scaled, turn, np.log(days), frame.terms)


def _fitted(
    data: _Data, family: str, passed: tuple[str, ...], level: float
) -> CountsFit | tuple[Problem, ...]:
    width = data.x.shape[1]
    rate = np.log(data.count.sum() / np.exp(data.offset).sum())
    start = np.linalg.lstsq(data.x, np.full(len(data.x), rate))[0]
    poisson = maximise(_poisson(data), start)
    none = data.count == 0.0
    if none.any() and (not poisson.converged or (data.x @ poisson.at + data.offset).min() < -12.0):
        forms = np.concatenate([-data.x[none], data.x[~none], -data.x[~none]])
        direction = rising(forms)  # rows that counted stay where they are, rows that did not fall for ever
        if direction is not None:
            lost = moved(data.turn @ direction, data.terms, 1.0 / np.abs(data.turn).max(axis=1))
            return (problem("analysis.separation", ", ".join(lost)),)
    peak = poisson
    if family == "negative-binomial":
        mean = np.exp(data.x @ poisson.at + data.offset)
        excess = float(np.sum((data.count - mean) ** 2 - data.count))
        if excess <= 0.0:  # the slope of the likelihood at a = 0 is half of it
            return (problem("analysis.underdispersed"),)
        first = max(excess / float(np.sum(mean**2)), 1e-3)
        peak = maximise(_negative_binomial(data), np.append(poisson.at, np.log(first)), steps=200)
    if not peak.converged or not all_finite((peak.at, peak.height.loglik)):
        return (problem("analysis.no-maximum", steps=peak.steps),)
    spread = peak.covariance
    beta, vcov = data.turn @ peak.at[:width], data.turn @ spread[:width, :width] @ data.turn.T
    dispersion = None
    if family == "negative-binomial":
        size = float(np.exp(peak.at[-1]))
        dispersion = wald(size, size * float(np.sqrt(spread[-1, -1])), level)
    total = int(data.count.sum())
    loglik = float(peak.height.loglik)
    return CountsFit(data.terms, beta, vcov, dispersion, loglik, family, passed, len(data.x), total, level)


def _poisson(data: _Data) -> Callable[[Array], Height]:
    constant = float(special.gammaln(data.count + 1.0).sum())

    def height(beta: Array) -> Height:
        eta = data.x @ beta + data.offset
        if eta.max() > LARGE:
            return Height(-np.inf, beta, np.eye(len(beta)))
        mu = np.exp(eta)
        loglik = float(data.count @ eta - mu.sum()) - constant
        return Height(loglik, data.x.T @ (data.count - mu), (data.x.T * mu) @ data.x)

    return height


def _negative_binomial(data: _Data) -> Callable[[Array], Height]:
    """In (b, log a). The sums over k below y stand once for all rows: how many rows have a count above k."""
    y = data.count
    below = np.arange(int(y.max()), dtype=np.float64)
    above = len(y) - np.searchsorted(np.sort(y), below, side="right").astype(np.float64)
    constant = float(special.gammaln(y + 1.0).sum())

    def height(at: Array) -> Height:
        eta = data.x @ at[:-1] + data.offset
        if eta.max() > LARGE or abs(at[-1]) > 28.0:  # a from 1e-12 to 1e12
            return Height(-np.inf, at, np.eye(len(at)))
        mu, a = np.exp(eta), float(np.exp(at[-1]))
        grown, log = 1.0 + a * mu, np.log1p(a * mu)
        share = below / (1.0 + a * below)
        loglik = float(above @ np.log1p(a * below) + y @ eta - (y + 1.0 / a) @ log) - constant
        by_eta = (y - mu) / grown
        slope = float(above @ share) + float(np.sum(log / a**2 - (y + 1.0 / a) * mu / grown))
        bend = -float(above @ share**2)
        bend += float(
            np.sum(-2.0 * log / a**3 + 2.0 * mu / (a**2 * grown) + (y + 1.0 / a) * (mu / grown) ** 2)
        )
        curve = mu * (1.0 + a * y) / grown**2
        mixed = -data.x.T @ ((y - mu) * mu / grown**2) * a
        score = np.append(data.x.T @ by_eta, a * slope)
        information = np.zeros((len(at), len(at)))
        information[:-1, :-1] = (data.x.T * curve) @ data.x
        information[:-1, -1] = information[-1, :-1] = -mixed
        information[-1, -1] = -(a * slope + a**2 * bend)
        return Height(loglik, score, information)

    return height
