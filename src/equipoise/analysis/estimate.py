"""What an analysis says about one number: the estimate, its uncertainty, its test; and how a result is written as JSON.

The rule that must stay true: a value here is finite. Who makes a result looks before it is made (`all_finite`), and
gives a Problem in its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
from scipy import special

from equipoise.analysis.ops import Array

LEVEL = 0.95
"""The confidence level where none is asked for."""
LARGE = 700.0
"""The logarithm of a ratio beyond which it has no float."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A linear combination of coefficients with its t test against zero (two-sided) and its confidence interval."""

    estimate: float
    se: float
    df: float
    t: float
    p: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Wald:
    """An estimate whose error is taken as normal: its test against zero (two-sided) and its confidence interval."""

    estimate: float
    se: float
    z: float
    p: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio (of odds, risks, rates, wins) with the interval and test of its logarithm; log_se of that logarithm."""

    ratio: float
    low: float
    high: float
    p: float
    log_se: float


@dataclass(frozen=True, slots=True)
class Interval:
    """Two bounds of one level."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ChiSquare:
    """A test whose statistic has a chi-square distribution where there is nothing to find."""

    chi2: float
    df: int
    p: float


@dataclass(frozen=True, slots=True)
class JointTest:
    """A Wald F test of several combinations being zero together."""

    numerator_df: int
    denominator_df: float
    f: float
    p: float


@dataclass(frozen=True, slots=True)
class Marginal:
    """A least-squares mean, or a difference of two: the levels it is of, and its estimate."""

    levels: Mapping[str, str]
    estimate: Estimate


def student(estimate: float, se: float, df: float, level: float = LEVEL) -> Estimate:
    """The t test and interval of an estimate with df degrees of freedom."""
    t = estimate / se
    half = float(special.stdtrit(df, (1.0 + level) / 2.0)) * se
    p = 2.0 * float(special.stdtr(df, -abs(t)))
    low, high = float(estimate - half), float(estimate + half)
    return Estimate(float(estimate), float(se), float(df), float(t), p, low, high)


def f_test(f: float, numerator_df: int, denominator_df: float) -> JointTest:
    """The test of a statistic by the upper tail of F."""
    p = float(special.fdtrc(numerator_df, denominator_df, f))
    return JointTest(numerator_df, float(denominator_df), float(f), p)


def wald(estimate: float, se: float, level: float = LEVEL) -> Wald:
    """The normal test and interval of an estimate."""
    z = estimate / se
    half = quantile(level) * se
    low, high = float(estimate - half), float(estimate + half)
    return Wald(float(estimate), float(se), float(z), two_sided(z), low, high)


def ratio(log: float, log_se: float, level: float = LEVEL) -> Ratio:
    """The ratio whose logarithm is estimated with a normal error.

    Raises OverflowError where a unit of the covariate is so far beyond what was seen that the ratio has no float;
    `some_ratio` gives None there.
    """
    its = wald(log, log_se, level)
    if not max(abs(its.low), abs(its.high)) < LARGE:
        raise OverflowError("the ratio has no float: give the covariate in a smaller unit")
    low, high = np.exp([its.low, its.high])
    return Ratio(float(np.exp(log)), float(low), float(high), its.p, float(log_se))


def some_ratio(its: Wald, level: float = LEVEL) -> Ratio | None:
    """The ratio of an estimated logarithm, or None where it has no float."""
    fits = max(abs(its.low), abs(its.high)) < LARGE
    return ratio(its.estimate, its.se, level) if fits else None


def exponent(interval: Interval | None, unit: float = 1.0) -> Interval | None:
    """The interval of a ratio from that of its logarithm in another unit; None where there is none, or no float."""
    if interval is None or not max(abs(unit * interval.low), abs(unit * interval.high)) < LARGE:
        return None
    low, high = sorted(np.exp([unit * interval.low, unit * interval.high]))
    return Interval(float(low), float(high))


def quantile(level: float) -> float:
    """The normal quantile of a two-sided interval of this level: 1.96 for 0.95."""
    return float(special.ndtri((1.0 + level) / 2.0))


def two_sided(z: float) -> float:
    """The two-sided p-value of a standard normal statistic."""
    return 2.0 * float(special.ndtr(-abs(z)))


def chi_square(value: float, df: int) -> ChiSquare:
    """The test of a statistic by the upper tail of chi-square with df degrees of freedom."""
    return ChiSquare(float(value), int(df), float(special.chdtrc(df, max(value, 0.0))))


def quadratic(value: Array, covariance: Array) -> ChiSquare:
    """The Wald test that all of value (q,) are zero, given their covariance (q, q) of full rank."""
    return chi_square(float(value @ np.linalg.solve(covariance, value)), len(value))


def all_finite(value: Any) -> bool:
    """Whether no number anywhere in a result is infinite or undefined."""
    if isinstance(value, float | np.floating):
        return bool(np.isfinite(value))
    if isinstance(value, np.ndarray):
        return bool(np.isfinite(value.astype(np.float64)).all())
    if isinstance(value, Mapping):
        return all(all_finite(its) for its in value.values())
    if isinstance(value, tuple | list):
        return all(all_finite(its) for its in value)
    if is_dataclass(value) and type(value).__module__.startswith(__name__.rpartition(".")[0]):
        return all(all_finite(getattr(value, its.name)) for its in fields(value))
    return True


def as_json(value: Any) -> Any:
    """A result's values as JSON has them: numbers of an analysis are floats, arrays and tuples are lists."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(name): as_json(its) for name, its in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [as_json(its) for its in value]
    if is_dataclass(value):
        return {its.name: as_json(getattr(value, its.name)) for its in fields(value)}
    return value


def table_json(rows: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Named estimates as a list of lines that begin with their term; what has none is left out."""
    return [{"term": term, **as_json(its)} for term, its in rows.items() if its is not None]
