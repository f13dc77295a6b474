"""`fit_cox`: Cox's proportional hazards with Efron's treatment of ties, by strata.

At a time with d events among the risk set R, D those with the event (Efron 1977):

    l = sum_D x'b - sum_(k=0)^(d-1) log( sum_R exp(x'b) - (k / d) sum_D exp(x'b) )

The rule that must stay true: a covariate that orders all events has no finite effect; it is named.
Sources: Cox 1972; Efron 1977.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from equipoise.analysis.estimate import (
    LEVEL,
    Interval,
    Ratio,
    Wald,
    all_finite,
    as_json,
    exponent,
    ratio,
    some_ratio,
    table_json,
    wald,
)
from equipoise.analysis.formula import Frame, Model, load_frame
from equipoise.analysis.groups import finite, zero_or_one
from equipoise.analysis.newton import Height, Peak, maximise, profile
from equipoise.analysis.ops import Array
from equipoise.analysis.rank import check_columns
from equipoise.analysis.separation import SUSPECT, moved, rising
from equipoise.analysis.table import Table, columns, label, row_numbers
from equipoise.words.problem import Problem, problem

FAR = 1e6
"""A linear predictor beyond which differences of exponents are only rounding."""


@dataclass(frozen=True, slots=True)
class _Moment:
    """Rows at risk at a time with events, and those that had it."""

    risk: Array
    died: Array


@dataclass(frozen=True, slots=True)
class CoxFit:
    """beta (p,) named by `terms`: log hazard ratios. loglik: the partial likelihood's."""

    terms: tuple[str, ...]
    beta: Array
    vcov: Array
    loglik: float
    loglik_null: float
    n_obs: int
    events: int
    level: float
    peak: Peak
    size: Array
    moments: tuple[_Moment, ...]

    @property
    def coefficients(self) -> Mapping[str, Wald]:
        """Every coefficient with its standard error, z and p."""
        se = np.sqrt(np.diag(self.vcov))
        return {t: wald(b, s, self.level) for t, b, s in zip(self.terms, self.beta, se, strict=True)}

    def hazard_ratio(self, term: str) -> Ratio:
        """The hazard ratio with Wald's interval."""
        at = self.terms.index(term)
        return ratio(float(self.beta[at]), float(np.sqrt(self.vcov[at, at])), self.level)

    def profile(self, term: str) -> Interval | None:
        """The hazard ratio's interval by the profile of the partial likelihood; None where it has no end."""
        at = self.terms.index(term)
        found = profile(_partial(self.moments), self.peak, at, self.level)
        return exponent(found, 1.0 / float(self.size[at]))

    def to_json(self) -> dict[str, Any]:
        """The whole answer as one JSON value."""
        ratios = [
            {"term": term, **as_json(its), "profile": as_json(self.profile(term))}
            for term, estimate in self.coefficients.items()
            if (its := some_ratio(estimate, self.level))
        ]
        return {
            "coefficients": table_json(self.coefficients),
            "hazard_ratios": ratios,
            "vcov": as_json(self.vcov),
            "loglik": self.loglik,
            "loglik_null": self.loglik_null,
            "ties": "efron",
            "converged": True,
            "n_obs": self.n_obs,
            "events": self.events,
        }


def fit_cox(
    data: Any,
    formula: str,
    *,
    time: str,
    event: str,
    strata: Sequence[str] = (),
    categorical: Sequence[str] = (),
    reference: Mapping[str, str] | None = None,
    level: float = LEVEL,
) -> CoxFit | tuple[Problem, ...]:
    """Fit proportional hazards, or say what is wrong.

    formula: the covariates alone, “arm + age”. time, event: columns; event is 1, or 0 where watching ended.
    """
    table = columns(data)
    if isinstance(table, Problem):
        return (table,)
    model = Model(formula, tuple(categorical), dict(reference or {}), "nothing")
    frame = load_frame(table, model, (time, event, *strata))
    if not isinstance(frame, Frame):
        return frame
    times = finite(time, [table[time][row] for row in frame.rows], frame.rows)
    events = zero_or_one(event, [table[event][row] for row in frame.rows], frame.rows)
    if isinstance(times, Problem) or isinstance(events, Problem):
        return tuple(its for its in (times, events) if isinstance(its, Problem))
    if before := [row for row, its in zip(frame.rows, times, strict=True) if its < 0.0]:
        return (problem("analysis.before-zero", time, rows=row_numbers(before)),)
    if not events.any():
        return (problem("analysis.no-events", event),)
    keep = [at for at, term in enumerate(frame.terms) if term != "Intercept"]
    terms = tuple(frame.terms[at] for at in keep)
    x = frame.x[:, keep]
    if found := check_columns(np.column_stack([np.ones(len(x)), x]), ("Intercept", *terms), frame.nobody):
        return found
    if len(x) <= len(terms):
        return (problem("analysis.too-few", rows=len(x), parameters=len(terms)),)
    stratum = _strata(table, frame, strata)
    return _fitted(x, terms, (times, events, stratum), level)


def _strata(table: Table, frame: Frame, strata: Sequence[str]) -> Array:
    joined = [" / ".join(label(table[name][row]) for name in strata) for row in frame.rows]
    place = {text: at for at, text in enumerate(sorted(set(joined)))}
    return np.array([place[text] for text in joined], np.float64)


def _fitted(
    x: Array, terms: tuple[str, ...], seen: tuple[Array, Array, Array], level: float
) -> CoxFit | tuple[Problem, ...]:
    size = x.std(axis=0)
    moments = _moments((x - x.mean(axis=0)) / size, seen)
    height = _partial(moments)
    start = np.zeros(len(terms))
    peak = maximise(height, start)
    reach = max(float(np.abs(its.risk @ peak.at).max()) for its in moments)
    if not peak.converged or reach > SUSPECT:
        forms = [(died[None] - its.risk) for its in moments for died in its.died]
        direction = rising(np.concatenate(forms))
        if direction is not None:
            lost = moved(direction, terms, np.ones(len(terms)))
            return (problem("analysis.separation", ", ".join(lost)),)
    if not peak.converged or not all_finite((peak.at, peak.height.loglik)):
        return (problem("analysis.no-maximum", steps=peak.steps),)
    return CoxFit(
        terms,
        peak.at / size,
        peak.covariance / np.outer(size, size),
        float(peak.height.loglik),
        float(height(start).loglik),
        len(x),
        int(seen[1].sum()),
        level,
        peak,
        size,
        moments,
    )


def _moments(x: Array, seen: tuple[Array, Array, Array]) -> tuple[_Moment, ...]:
    time, event, stratum = seen
    return tuple(
        _Moment(x[mine & (time >= at)], x[mine & (time == at) & (event == 1.0)])
        for mine in (stratum == its for its in np.unique(stratum))
        for at in np.unique(time[mine & (event == 1.0)])
    )


def _partial(moments: Sequence[_Moment]) -> Callable[[Array], Height]:
    def height(beta: Array) -> Height:
        loglik, score = 0.0, np.zeros(len(beta))
        information = np.zeros((len(beta), len(beta)))
        for its in moments:
            eta = its.risk @ beta
            top = float(eta.max())
            if not abs(top) < FAR:
                return Height(-np.inf, score, information)
            risk, died = np.exp(eta - top), np.exp(its.died @ beta - top)
            count = len(its.died)
            part = np.arange(count) / count
            total = risk.sum() - part * died.sum()
            mean = (risk @ its.risk - np.outer(part, died @ its.died)) / total[:, None]
            square_risk, square_died = (its.risk.T * risk) @ its.risk, (its.died.T * died) @ its.died
            loglik += float((its.died @ beta).sum() - np.log(total).sum() - count * top)
            score += its.died.sum(axis=0) - mean.sum(axis=0)
            information += (1.0 / total).sum() * square_risk - (part / total).sum() * square_died
            information -= mean.T @ mean
        return Height(loglik, score, information)

    return height
