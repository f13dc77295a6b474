"""`fit_logistic`: logistic regression of an event, by maximum likelihood or by Firth's penalised likelihood; and
what the model says of shares: standardised risks, their difference and ratio (g-computation).

    l(b) = sum y x'b - log(1 + exp(x'b));  Firth: l(b) + log det I(b) / 2
    score of Firth's: X'(y - p + h (1/2 - p)), h the leverages of W^(1/2) X
    standardised risk of an arm: mean over all rows of p with the arm's columns set to that arm

The rules that must stay true: separation without Firth's penalty is a Problem; with it the intervals to be read are
those of the profile, because Wald's are not to be trusted there. The risks' errors are by the delta method with the
covariates as they are (fixed). Sources: Firth 1993; Heinze and Schemper 2002; Ge and others 2011.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

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
from equipoise.analysis.formula import Frame, Model, load_frame, rows_at
from equipoise.analysis.groups import zero_or_one
from equipoise.analysis.newton import Height, Peak, maximise, profile
from equipoise.analysis.ops import Array
from equipoise.analysis.rank import check_columns
from equipoise.analysis.separation import SUSPECT, moved, rising
from equipoise.analysis.table import Table, columns, label
from equipoise.words.problem import Problem, problem


@dataclass(frozen=True, slots=True)
class Standardised:
    """Risks if everybody had been in one arm (`risks`) and their comparison with the reference's."""

    arm: str
    reference: str
    risks: Mapping[str, Wald]
    difference: Wald
    risk_ratio: Ratio


@dataclass(frozen=True, slots=True)
class LogisticFit:
    """beta (p,) named by `terms`: log odds ratios of the event. firth: whether the likelihood was penalised."""

    terms: tuple[str, ...]
    beta: Array
    vcov: Array
    loglik: float
    firth: bool
    n_obs: int
    events: int
    level: float
    peak: Peak
    turn: Array
    scaled: Array
    event: Array
    frame: Frame
    table: Table

    @property
    def coefficients(self) -> Mapping[str, Wald]:
        """Every coefficient with its standard error, z and p."""
        se = np.sqrt(np.diag(self.vcov))
        return {t: wald(b, s, self.level) for t, b, s in zip(self.terms, self.beta, se, strict=True)}

    def odds_ratio(self, term: str) -> Ratio:
        """The odds ratio of the event with Wald's interval."""
        at = self.terms.index(term)
        return ratio(float(self.beta[at]), float(np.sqrt(self.vcov[at, at])), self.level)

    def profile(self, term: str) -> Interval | None:
        """The odds ratio's interval by the profile of the (penalised) likelihood; None where it has no end."""
        at = self.terms.index(term)
        moving = np.flatnonzero(self.turn[at])
        if len(moving) != 1:  # the intercept moves with every covariate
            raise KeyError(term)
        unit = float(self.turn[at, moving[0]])
        height = _height(self.scaled, self.event, firth=self.firth)
        found = profile(height, self.peak, int(moving[0]), self.level)
        return exponent(found, unit)

    def standardised(self, factor: str) -> tuple[Standardised, ...]:
        """Each level of the arm `factor` against its reference, every row taken once as of either."""
        reference, *others = self.frame.levels[factor]
        risks = {level: self._risk(factor, level) for level in (reference, *others)}
        return tuple(self._compared(risks, reference, other) for other in others)

    def _risk(self, factor: str, level: str) -> tuple[float, Array]:
        """The mean risk where everybody is of a level, and its slope in beta."""
        rows, spec = self.frame.rows, self.frame
        as_it_is: dict[str, Any] = {name: [self.table[name][row] for row in rows] for name in spec.means}
        as_it_is |= {name: [label(self.table[name][row]) for row in rows] for name in spec.levels}
        x = rows_at(spec, as_it_is | {factor: [level] * len(rows)})
        p = special.expit(x @ self.beta)
        return float(p.mean()), np.asarray((p * (1.0 - p)) @ x / len(rows), np.float64)

    def _compared(self, risks: Mapping[str, tuple[float, Array]], reference: str, other: str) -> Standardised:
        (p0, s0), (p1, s1) = risks[reference], risks[other]

        def error(slope: Array) -> float:
            return float(np.sqrt(slope @ self.vcov @ slope))

        named = {name: wald(risks[name][0], error(risks[name][1]), self.level) for name in (reference, other)}
        difference = wald(p1 - p0, error(s1 - s0), self.level)
        relative = ratio(float(np.log(p1 / p0)), error(s1 / p1 - s0 / p0), self.level)
        return Standardised(other, reference, named, difference, relative)

    def to_json(self) -> dict[str, Any]:
        """The whole answer as one JSON value, with the standardised risks by every factor."""
        ratios = [
            {"term": term, **as_json(its), "profile": as_json(self.profile(term))}
            for term, estimate in self.coefficients.items()
            if term != "Intercept" and (its := some_ratio(estimate, self.level))
        ]
        return {
            "coefficients": table_json(self.coefficients),
            "odds_ratios": ratios,
            "vcov": as_json(self.vcov),
            "loglik": self.loglik,
            "firth": self.firth,
            "converged": True,
            "n_obs": self.n_obs,
            "events": self.events,
            "standardised": {name: as_json(self.standardised(name)) for name in self.frame.levels},
        }


def fit_logistic(
    data: Any,
    formula: str,
    *,
    firth: bool = False,
    categorical: Sequence[str] = (),
    reference: Mapping[str, str] | None = None,
    level: float = LEVEL,
) -> LogisticFit | tuple[Problem, ...]:
    """Fit a logistic regression to a response of 0 and 1, or say what is wrong."""
    table = columns(data)
    if isinstance(table, Problem):
        return (table,)
    frame = load_frame(table, Model(formula, tuple(categorical), dict(reference or {})))
    if not isinstance(frame, Frame):
        return frame
    event = zero_or_one(formula.split("~")[0].strip(), frame.y.tolist(), frame.rows)
    if isinstance(event, Problem):
        return (event,)
    rows, width = frame.x.shape
    if rows <= width:
        return (problem("analysis.too-few", rows=rows, parameters=width),)
    if found := check_columns(frame.x, frame.terms, frame.nobody):
        return found
    if len(set(event.tolist())) < 2:
        return (problem("analysis.one-category", formula.split("~")[0].strip(), value=label(event[0])),)
    return _fitted(table, frame, event, firth=firth, level=level)


def _fitted(
    table: Table, frame: Frame, event: Array, *, firth: bool, level: float
) -> LogisticFit | tuple[Problem, ...]:
    scaled, turn = standardise(frame.x)
    peak = maximise(_height(scaled, event, firth=firth), np.zeros(scaled.shape[1]))
    reach = float(np.abs(scaled @ peak.at).max())
    if not firth and (not peak.converged or reach > SUSPECT):
        direction = rising(np.where(event[:, None] == 1.0, scaled, -scaled))
        if direction is not None:
            lost = moved(turn @ direction, frame.terms, 1.0 / np.abs(turn).max(axis=1))
            return (problem("analysis.separation", ", ".join(lost)),)
    if not peak.converged:
        return (problem("analysis.no-maximum", steps=peak.steps),)
    beta, vcov = turn @ peak.at, turn @ peak.covariance @ turn.T
    if not all_finite((beta, vcov)):
        return (problem("analysis.no-maximum", steps=peak.steps),)
    height = peak.height.loglik
    if firth:  # the penalty is of the caller's scale: det I is that of the scaled covariates over det(turn)^2
        height = height - float(np.linalg.slogdet(turn)[1])
    return LogisticFit(
        frame.terms,
        beta,
        vcov,
        float(height),
        firth,
        len(event),
        int(event.sum()),
        level,
        peak,
        turn,
        scaled,
        event,
        frame,
        table,
    )


def standardise(x: Array) -> tuple[Array, Array]:
    """Columns centred where there is a constant and scaled to length sqrt(N); and turn: beta = turn @ beta_scaled."""
    width = x.shape[1]
    constant = [at for at in range(width) if np.ptp(x[:, at]) == 0.0]
    turn = np.eye(width)
    middle = np.zeros(width)
    if constant:
        middle = x.mean(axis=0)
        middle[constant] = 0.0
    size = np.sqrt(np.mean((x - middle) ** 2, axis=0))
    if constant:
        turn[constant[0]] -= middle / x[0, constant[0]]
        turn[constant[0], constant[0]] = 1.0
    return (x - middle) / size, turn / size


def _information(x: Array, p: Array) -> Array:
    return np.asarray((x.T * (p * (1.0 - p))) @ x, np.float64)


def _height(x: Array, event: Array, *, firth: bool) -> Any:
    """The (penalised) log-likelihood with its score and, as its information, that of the likelihood alone."""

    def height(beta: Array) -> Height:
        eta = x @ beta
        p = special.expit(eta)
        loglik = float(event @ eta - np.logaddexp(0.0, eta).sum())
        information = _information(x, p)
        if not firth:
            return Height(loglik, x.T @ (event - p), information)
        sign, log = np.linalg.slogdet(information)
        if sign <= 0.0:
            return Height(-np.inf, np.zeros_like(beta), information)
        half = np.sqrt(p * (1.0 - p))[:, None] * x
        leverage = np.einsum("np,pq,nq->n", half, np.linalg.inv(information), half)
        score = x.T @ (event - p + leverage * (0.5 - p))
        return Height(loglik + 0.5 * float(log), score, information)

    return height
