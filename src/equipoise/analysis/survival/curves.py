"""`fit_survival`: Kaplan and Meier's curves with intervals, and `fit_logrank`: the (stratified) log-rank test.

    S(t) = prod_(t_i <= t) (1 - d_i / n_i),  Greenwood: var log S = sum d_i / (n_i (n_i - d_i))
    log-log interval: S^exp(± z se), se = sqrt(var log S) / |log S|
    log-rank: observed less expected events by group, hypergeometric covariance at each time, summed over strata

The rule that must stay true: where a curve has no interval (before the first event, after it fell to zero) the bounds
are None. Sources: Kaplan and Meier 1958; Kalbfleisch and Prentice 2002; Brookmeyer and Crowley 1982 (medians);
Mantel 1966.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from equipoise.analysis.estimate import LEVEL, ChiSquare, as_json, chi_square, quantile
from equipoise.analysis.groups import Groups, Sides, load_groups, numbers, zero_or_one
from equipoise.analysis.ops import Array, Indices
from equipoise.analysis.table import row_numbers
from equipoise.words.problem import Problem, problem


@dataclass(frozen=True, slots=True)
class Point:
    """A curve just after a time: who was at risk before it, events at it, and the share that is left."""

    time: float
    at_risk: int
    events: int
    censored: int
    survival: float
    se: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Curve:
    """A group's curve at every time that occurs. median: with its interval, each None where it is not reached."""

    group: str
    n: int
    events: int
    points: tuple[Point, ...]
    median: float | None
    median_low: float | None
    median_high: float | None

    def at(self, time: float) -> Point | None:
        """The curve at a time: its last point up to it, None before the first."""
        return next((its for its in reversed(self.points) if its.time <= time), None)


@dataclass(frozen=True, slots=True)
class SurvivalFit:
    """One curve a group."""

    curves: tuple[Curve, ...]
    level: float

    def to_json(self) -> dict[str, Any]:
        """The whole answer as one JSON value."""
        value: dict[str, Any] = as_json(self)
        return value


@dataclass(frozen=True, slots=True)
class LogrankFit:
    """The test that the groups' hazards are one. observed, expected: events by group, over strata."""

    test: ChiSquare
    observed: tuple[float, ...]
    expected: tuple[float, ...]
    arms: tuple[str, ...]
    strata: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The whole answer as one JSON value."""
        value: dict[str, Any] = as_json(self)
        return value


def fit_survival(
    data: Any, time: str, event: str, *, by: str | None = None, level: float = LEVEL
) -> SurvivalFit | tuple[Problem, ...]:
    """Kaplan and Meier's curves by the levels of a column, or what is wrong."""
    loaded = load_times(data, (time, event), Sides(by or event), arms=0)
    if not isinstance(loaded, Times):
        return loaded
    names = loaded.groups.arms if by else ("",)
    of = loaded.groups.arm if by else np.zeros(len(loaded.time), np.intp)
    curves = [
        _curve(name, loaded.time[of == at], loaded.event[of == at], level) for at, name in enumerate(names)
    ]
    return SurvivalFit(tuple(curves), level)


@dataclass(frozen=True, slots=True)
class Times:
    """Times (N,) of an event (1) or the end of watching (0), with the rows' groups."""

    groups: Groups
    time: Array
    event: Array


def load_times(
    data: Any, named: tuple[str, str], sides: Sides, *, arms: int | None
) -> Times | tuple[Problem, ...]:
    """The rows with a time and an event; a time below zero and an event that is not 0 or 1 are named.

    arms: how many there have to be; two or more where None, any number where 0.
    """
    time, event = named
    groups = load_groups(data, sides, named, arms=arms)
    if not isinstance(groups, Groups):
        return groups
    times = numbers(groups, time)
    events = zero_or_one(event, groups.values(event), groups.rows)
    if isinstance(times, Problem) or isinstance(events, Problem):
        return tuple(its for its in (times, events) if isinstance(its, Problem))
    before = [row for row, its in zip(groups.rows, times, strict=True) if its < 0.0]
    if before:
        return (problem("analysis.before-zero", time, rows=row_numbers(before)),)
    return Times(groups, times, events)


def _curve(group: str, time: Array, event: Array, level: float) -> Curve:
    moments = np.unique(time)
    at_risk = len(time) - np.searchsorted(np.sort(time), moments, side="left")
    events = np.array([event[time == its].sum() for its in moments])
    left = np.array([(1.0 - event[time == its]).sum() for its in moments])
    survival = np.cumprod(1.0 - events / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(np.where(events > 0, events / (at_risk * (at_risk - events)), 0.0))
        spread = quantile(level) * np.sqrt(greenwood) / -np.log(survival)
        low, high = survival ** np.exp(spread), survival ** np.exp(-spread)
    inside = (survival > 0.0) & (survival < 1.0)
    points = tuple(
        Point(
            float(moments[k]),
            int(at_risk[k]),
            int(events[k]),
            int(left[k]),
            float(survival[k]),
            float(survival[k] * np.sqrt(greenwood[k])) if inside[k] else 0.0,
            float(low[k]) if inside[k] else None,
            float(high[k]) if inside[k] else None,
        )
        for k in range(len(moments))
    )
    bounds = [_half(moments, np.where(inside, its, survival)) for its in (survival, low, high)]
    return Curve(group, len(time), int(event.sum()), points, bounds[0], bounds[1], bounds[2])


def _half(moments: Array, curve: Array) -> float | None:
    """The first time at which a curve is below one half, or half way along a stretch at one half."""
    reached = np.flatnonzero(curve <= 0.5 + 1e-12)
    if not len(reached):
        return None
    first = int(reached[0])
    if abs(curve[first] - 0.5) < 1e-12:
        lower = np.flatnonzero(curve < 0.5 - 1e-12)
        return float((moments[first] + moments[lower[0]]) / 2.0) if len(lower) else float(moments[first])
    return float(moments[first])


def fit_logrank(
    data: Any,
    time: str,
    event: str,
    arm: str,
    *,
    strata: Sequence[str] = (),
    reference: str | None = None,
) -> LogrankFit | tuple[Problem, ...]:
    """The log-rank test of two or more groups, or what is wrong."""
    loaded = load_times(data, (time, event), Sides(arm, reference, tuple(strata)), arms=None)
    if not isinstance(loaded, Times):
        return loaded
    groups, size = loaded.groups, len(loaded.groups.arms)
    observed, expected, spread = np.zeros(size), np.zeros(size), np.zeros((size, size))
    for stratum in range(len(groups.strata)):
        mine = groups.stratum == stratum
        seen, thought, its = _counted(loaded.time[mine], loaded.event[mine], groups.arm[mine], size)
        observed, expected, spread = observed + seen, expected + thought, spread + its
    values, vectors = np.linalg.eigh(spread)
    kept = values > 1e-10 * max(float(values.max()), 1e-300)
    if values.max() <= 0.0:
        return (problem("analysis.no-events", event),)
    along = vectors.T[kept] @ (observed - expected)
    test = chi_square(float(np.sum(along**2 / values[kept])), int(kept.sum()))
    return LogrankFit(test, tuple(observed.tolist()), tuple(expected.tolist()), groups.arms, groups.strata)


def _counted(time: Array, event: Array, arm: Indices, size: int) -> tuple[Array, Array, Array]:
    """Events by group, those expected, and their covariance, of one stratum."""
    moments = np.unique(time[event == 1.0])
    member = arm[:, None] == np.arange(size)
    risk = np.array([member[time >= its].sum(axis=0) for its in moments], np.float64).reshape(-1, size)
    died = np.array([member[(time == its) & (event == 1.0)].sum(axis=0) for its in moments], np.float64)
    died = died.reshape(-1, size)
    n, d = risk.sum(axis=1), died.sum(axis=1)
    share = risk / n[:, None]
    factor = np.where(n > 1, d * (n - d) / np.maximum(n - 1.0, 1.0), 0.0)
    spread = np.diag(factor @ share) - (share.T * factor) @ share
    return died.sum(axis=0), d @ share, spread
