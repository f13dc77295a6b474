"""`fit_ordinal`: proportional odds, all or some of them, on any data frame; and what can be asked of the answer.

The rule that must stay true: a coefficient is the logarithm of an odds ratio of a HIGHER category (as R's polr and
clm have it); who wants the odds of a better, lower category says so and gets the reciprocal.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

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
from equipoise.analysis.groups import whole_numbers
from equipoise.analysis.newton import profile
from equipoise.analysis.ops import NUMPY, Array, Mask
from equipoise.analysis.ordinal import assumption as testing
from equipoise.analysis.ordinal import steps
from equipoise.analysis.ordinal.assumption import Assumption
from equipoise.analysis.ordinal.method import Data, Fitted, fit
from equipoise.analysis.rank import check_columns
from equipoise.analysis.table import Table, columns, label, natural, numeric, row_numbers
from equipoise.words.problem import Problem, problem

STEPS_MAX = 12
"""A scale of whole numbers with up to so many steps is taken as one whose every step should occur."""


@dataclass(frozen=True, slots=True)
class OrdinalFit:
    """A maximum. k parameters named by `terms`: cuts ("0|1"), then coefficients at cuts ("arm@0|1"), then common ones.

    theta: (k,), vcov: (k, k). loglik: with all constants. n_obs: rows, or the sum of their frequencies.
    """

    categories: tuple[str, ...]
    terms: tuple[str, ...]
    theta: Array
    vcov: Array
    loglik: float
    n_obs: int
    level: float
    steps: int
    fitted: Fitted
    groups: Mapping[str, Mask]

    @property
    def coefficients(self) -> Mapping[str, Wald]:
        """Every parameter with its standard error, z and p."""
        se = np.sqrt(np.diag(self.vcov))
        values = zip(self.terms, self.theta, se, strict=True)
        return {term: wald(its, error, self.level) for term, its, error in values}

    @property
    def slopes(self) -> tuple[str, ...]:
        """The terms that are no cuts."""
        return self.terms[len(self.categories) - 1 :]

    def odds_ratio(self, term: str, *, of: str = "higher") -> Ratio:
        """The odds ratio of a `higher` (or `lower`) category, with Wald's interval."""
        at = self.terms.index(term)
        sign = {"higher": 1.0, "lower": -1.0}[of]
        return ratio(sign * float(self.theta[at]), float(np.sqrt(self.vcov[at, at])), self.level)

    def profile(self, term: str, *, of: str = "higher") -> Interval | None:
        """The odds ratio's interval by the profile likelihood; None where it has no end. term: a common one."""
        at = self.terms.index(term)
        cuts = len(self.categories) - 1
        columns = np.flatnonzero(self.fitted.turn[at])
        if at < cuts or len(columns) != 1:
            raise KeyError(term)
        unit, data = float(self.fitted.turn[at, columns[0]]), self.fitted.scaled
        found = profile(
            lambda theta: steps.evaluate(NUMPY, data, theta), self.fitted.peak, int(columns[0]), self.level
        )
        return exponent(found, {"higher": 1.0, "lower": -1.0}[of] * unit)

    def assumption(
        self, *names: str, information: Literal["observed", "expected"] = "expected"
    ) -> Assumption:
        """The tests that the odds are proportional for these terms of the formula, all where none is named.

        information: that of the score test; the observed one is PROC LOGISTIC's and far too ready to reject.
        """
        chosen = [self.groups[name] for name in names] or [~self.fitted.data.nominal]
        columns = np.logical_or.reduce(chosen)
        return testing.assumption(self.fitted, columns, expected=information == "expected")

    def to_json(self) -> dict[str, Any]:
        """The whole answer as one JSON value."""
        estimates = self.coefficients
        proportional = [its for its in self.slopes if "@" not in its]
        ratios = [
            {
                "term": term,
                **as_json(its),
                "profile": as_json(self.profile(term)) if term in proportional else None,
            }
            for term in self.slopes
            if (its := some_ratio(estimates[term], self.level))
        ]
        tests = {"all": self.assumption()} if proportional else {}
        free = {name: its for name, its in self.groups.items() if not (its & self.fitted.data.nominal).any()}
        if len(free) > 1:
            tests |= {name: self.assumption(name) for name in free}
        return {
            "coefficients": table_json(self.coefficients),
            "odds_ratios": ratios,
            "vcov": as_json(self.vcov),
            "loglik": self.loglik,
            "converged": True,
            "n_obs": self.n_obs,
            "categories": list(self.categories),
            "proportional_odds": [{"term": name, **_tests(its)} for name, its in tests.items()],
        }


def _tests(found: Assumption) -> dict[str, Any]:
    named = {"score": found.score, "likelihood_ratio": found.likelihood_ratio, "brant": found.brant}
    return {
        name: {"not_computed": its.say()} if isinstance(its, Problem) else as_json(its)
        for name, its in named.items()
    }


def fit_ordinal(
    data: Any,
    formula: str,
    *,
    categories: Sequence[str] | None = None,
    nominal: Sequence[str] = (),
    frequency: str | None = None,
    categorical: Sequence[str] = (),
    reference: Mapping[str, str] | None = None,
    join_empty: bool = False,
    information: Literal["observed", "expected"] = "observed",
    level: float = LEVEL,
) -> OrdinalFit | tuple[Problem, ...]:
    """Fit cumulative logits to a response in ordered categories, or say what is wrong.

    data: a data frame (pandas, polars, pyarrow) or a mapping of columns. formula: “mRS ~ arm + baseline”.
    categories: their order, lowest first; where not given, numbers by size and texts by letters. nominal: terms of
    the formula with a coefficient at every cut (partial proportional odds). frequency: a column of counts.
    join_empty: a category that nobody has is joined to its neighbour, which changes no coefficient. information: that
    of the standard errors; R's clm takes the observed one, PROC LOGISTIC the expected.
    """
    table = columns(data)
    if isinstance(table, Problem):
        return (table,)
    model = Model(formula, tuple(categorical), dict(reference or {}), "levels")
    frame = load_frame(table, model, (frequency,) if frequency else ())
    if not isinstance(frame, Frame):
        return frame
    asked = _data(table, frame, formula.split("~")[0].strip().strip("`"), frequency)
    if not isinstance(asked, _Response):
        return asked
    order = _categories(asked, table, categories, join_empty=join_empty)
    if isinstance(order[0], Problem):
        return order
    groups = _groups(frame)
    absent = [name for name in nominal if name not in groups]
    if absent:
        return tuple(problem("analysis.no-term", name, known=", ".join(groups)) for name in absent)
    keep = [at for at, term in enumerate(frame.terms) if term != "Intercept"]
    stands = asked.frequency > 0  # a row that stands no times is no row
    x = frame.x[stands][:, keep]
    if found := check_columns(
        np.column_stack([np.ones(len(x)), x]),
        ("Intercept", *(frame.terms[at] for at in keep)),
        frame.nobody,
    ):
        return found
    place = {name: at for at, name in enumerate(order)}
    labels = itertools.compress(asked.labels, stands)
    category = np.array([place[text] for text in labels], np.float64)
    free = np.logical_or.reduce([np.zeros(len(keep), bool), *(groups[name] for name in nominal)])
    rows = Data(category, x, asked.frequency[stands], order, tuple(frame.terms[at] for at in keep), free)
    found_fit = fit(rows, expected=information == "expected")
    return _carried(found_fit, groups, level) if isinstance(found_fit, Fitted) else found_fit


def _carried(fitted: Fitted, groups: Mapping[str, Mask], level: float) -> OrdinalFit | tuple[Problem, ...]:
    found = OrdinalFit(
        fitted.data.categories,
        fitted.terms,
        fitted.theta,
        fitted.vcov,
        float(fitted.peak.height.loglik),
        round(fitted.data.frequency.sum()),
        level,
        fitted.peak.steps,
        fitted,
        groups,
    )
    finite = all_finite((found.theta, found.vcov, found.loglik, dict(found.coefficients)))
    return found if finite else (problem("analysis.no-maximum", steps=fitted.peak.steps),)


@dataclass(frozen=True, slots=True)
class _Response:
    """The response of the rows that take part: its column, labels, and how often each row stands."""

    name: str
    labels: tuple[str, ...]
    frequency: Array
    rows: tuple[int, ...]


def _data(table: Table, frame: Frame, name: str, frequency: str | None) -> _Response | tuple[Problem, ...]:
    labels = tuple(label(table[name][row]) for row in frame.rows)
    counts = np.ones(len(labels))
    if frequency:
        found = whole_numbers(frequency, [table[frequency][row] for row in frame.rows], frame.rows)
        if isinstance(found, Problem):
            return (found,)
        counts = found
    return _Response(name, labels, counts, frame.rows)


def _categories(
    asked: _Response, table: Table, wanted: Sequence[str] | None, *, join_empty: bool
) -> tuple[str, ...] | tuple[Problem, ...]:
    """The categories in their order, or what is wrong with them."""
    have = {text for text, count in zip(asked.labels, asked.frequency, strict=True) if count > 0}
    if wanted is not None:
        order = [label(number) if isinstance(number, float | int) else number for number in wanted]
        if twice := [text for at, text in enumerate(order) if text in order[:at]]:
            return (problem("analysis.category-twice", asked.name, value=twice[0]),)
        strange = [row for row, text in zip(asked.rows, asked.labels, strict=True) if text not in order]
        if strange:
            known = ", ".join(order)
            rows, value = row_numbers(strange), label(table[asked.name][strange[0]])
            return (problem("analysis.strange-category", asked.name, rows=rows, value=value, known=known),)
    elif any(numeric(text) for text in have):
        strays = [row for row, text in zip(asked.rows, asked.labels, strict=True) if not numeric(text)]
        if strays:
            value = label(table[asked.name][strays[0]])
            return (problem("analysis.text", asked.name, rows=row_numbers(strays), value=value),)
        order = _scale(sorted(have, key=float))
    else:
        order = sorted(have, key=natural)
    empty = [text for text in order if text not in have]
    if empty and not join_empty:
        return (problem("analysis.empty-category", asked.name, empty=", ".join(empty)),)
    order = [text for text in order if text in have]
    if len(order) < 2:
        return (problem("analysis.one-category", asked.name, value="".join(order)),)
    return tuple(order)


def _scale(labels: list[str]) -> list[str]:
    """The steps of a short scale of whole numbers, those included that nobody has; else the labels themselves."""
    values = [float(text) for text in labels]
    if len(values) < 3 or any(value % 1 for value in values):
        return labels
    step = math.gcd(*(int(b - a) for a, b in itertools.pairwise(values)))
    count = int((values[-1] - values[0]) // step) + 1
    if count > STEPS_MAX:
        return labels
    return [label(values[0] + at * step) for at in range(count)]


def _groups(frame: Frame) -> Mapping[str, Mask]:
    """The terms of the formula with their columns, as masks over the design without its intercept."""
    keep = np.array([term != "Intercept" for term in frame.terms])
    found = {}
    for term, indices in frame.spec.term_indices.items():
        mask = np.zeros(len(frame.terms), bool)
        mask[list(indices)] = True
        if str(term) != "1":
            found[str(term)] = mask[keep]
    return found
