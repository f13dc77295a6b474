"""From rows of trials to operating characteristics, each with its Monte Carlo error.

The rules that must stay true: a fit that did not converge counts as a trial that did not reject, and is counted; no
number stands without its error; the truth that bias and coverage are measured against is the mean difference of
everybody with nobody missing, from the same trials. Rates have the error sqrt(p (1 - p) / n),
which is none where nothing or everything was hit: there Wilson's interval (95 %) says how much is known.
Sources: Burton et al. 2006 and Morris, White and Crowther 2019 (measures and their errors); FDA 2019 and ICH E20 (what
a report on a simulation holds).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special

from equipoise.analysis.estimate import Interval
from equipoise.analysis.multiplicity import fixed_sequence
from equipoise.analysis.ops import Array, Mask
from equipoise.analysis.responders import wilson
from equipoise.analysis.sequential.conditional import conditional_power
from equipoise.oversight.forecast import MONTH_DAYS
from equipoise.simulation.batch.chunks import columns
from equipoise.simulation.batch.numbers import Shape
from equipoise.simulation.batch.scenario import Prepared, Ready


@dataclass(frozen=True, slots=True)
class Figure:
    """A measure with its Monte Carlo error; error None where it is known exactly, or where a rate is 0 or 1.

    interval: of a rate, Wilson's of 95 %.
    """

    name: str
    value: float
    error: float | None = None
    interval: Interval | None = None

    def bracket(self, scale: float) -> str:
        """The error, or the interval where there is none, times `scale`, in brackets; empty where it is exact."""
        if self.error is not None:
            return f" ({scale * self.error:.2f})"
        if self.interval is not None:
            return f" ({scale * self.interval.low:.2f}–{scale * self.interval.high:.2f})"
        return ""


@dataclass(frozen=True, slots=True)
class Characteristics:
    """What the trials of one scenario showed."""

    scenario: str
    participants: int
    trials: int
    figures: Mapping[str, Figure]

    def __getitem__(self, name: str) -> Figure:
        """The measure of that name."""
        return self.figures[name]


def characteristics(prepared: Prepared, ready: Ready, shape: Shape, rows: Array) -> Characteristics:
    """rows: (columns, trials) of one scenario, all of them run."""
    named = dict(zip(columns(shape), rows, strict=True))
    found = list(_figures(prepared, ready, shape, named))
    return Characteristics(
        ready.scenario.id, ready.participants, rows.shape[1], {one.name: one for one in found}
    )


def rejecting(shape: Shape, rows: Array, alpha: float) -> Mask:
    """(trials,) whether the primary test rejects at the end; a fit without an answer does not."""
    last, names = shape.looks - 1, columns(shape)
    effect, adjusted, df, fitted = (
        rows[names.index(f"{name}{last}")] for name in ("effect", "adjusted", "df", "fitted")
    )
    return np.asarray((fitted > 0) & (p_values(effect, adjusted, df) < alpha))


def p_values(estimate: Array, variance: Array, df: Array) -> Array:
    """Two-sided p of t statistics; 1 where there is none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found = 2.0 * special.stdtr(df, -np.abs(estimate) / np.sqrt(variance))
    return np.asarray(np.where(np.isfinite(found), found, 1.0), np.float64)


def _figures(prepared: Prepared, ready: Ready, shape: Shape, named: Mapping[str, Array]) -> Iterator[Figure]:
    last, alpha = shape.looks - 1, prepared.asked.alpha
    effect, fitted = named[f"effect{last}"], named[f"fitted{last}"] > 0
    adjusted, variance, df = named[f"adjusted{last}"], named[f"variance{last}"], named[f"df{last}"]
    p = np.where(fitted, p_values(effect, adjusted, df), 1.0)
    satterthwaite = np.where(fitted, p_values(effect, variance, df), 1.0)
    odds_fitted = named["odds_fitted"] > 0
    odds_p = np.where(odds_fitted, 2.0 * special.ndtr(-np.abs(named["log_odds"] / named["odds_se"])), 1.0)
    better = prepared.better * effect > 0
    yield rate_of("rejects", p < alpha)
    yield rate_of("rejects_better", (p < alpha) & better)
    yield rate_of("rejects_satterthwaite", satterthwaite < alpha)
    yield rate_of("odds_rejects", odds_p < alpha)
    yield from _in_sequence(p, odds_p, alpha)
    yield from _estimates(named["whole"], effect, adjusted, (df, fitted, alpha))
    yield mean_of("odds_log", named["log_odds"][odds_fitted])
    yield from _won(named, alpha)
    yield Figure("not_converged", float(np.sum(~fitted)))
    yield Figure("odds_not_converged", float(np.sum(~odds_fitted)))
    yield mean_of("observed_share", named["seen"] / ready.participants)
    yield mean_of("died", named["died"])
    yield rate_of("grade_empty", named["categories"] < shape.grades)
    yield mean_of("imbalance", np.abs(named["excess"]))
    yield Figure("imbalance_95", float(np.quantile(np.abs(named["excess"]), 0.95)))
    yield Figure("imbalance_stratum_worst", float(np.max(named["worst"])))
    yield from _sized(prepared, ready, shape, named, (p < alpha) & better)


def _won(named: Mapping[str, Array], alpha: float) -> Iterator[Figure]:
    """The win odds of the grades, where they were asked."""
    if "wins_log" not in named:
        return
    fitted = named["wins_fitted"] > 0
    log, se = named["wins_log"], np.where(fitted, named["wins_se"], 1.0)
    yield rate_of("wins_rejects", fitted & (2.0 * special.ndtr(-np.abs(log / se)) < alpha))
    yield mean_of("wins_log", log[fitted])
    yield Figure("wins_not_fitted", float(np.sum(~fitted)))


def _in_sequence(p: Array, odds_p: Array, alpha: float) -> Iterator[Figure]:
    """The key secondary endpoint in the fixed sequence, by the analysis room's procedure on each kind of pair."""
    both = np.stack([p < alpha, odds_p < alpha])
    decided: dict[tuple[bool, bool], bool] = {}
    for first in (False, True):
        for second in (False, True):
            given = {"first": alpha / 2 if first else 1.0, "second": alpha / 2 if second else 1.0}
            tested = fixed_sequence(given, alpha)
            decided[first, second] = bool(tested[1].rejected)  # type: ignore[union-attr]
    rejected = np.array(
        [[decided[False, False], decided[False, True]], [decided[True, False], decided[True, True]]]
    )
    yield rate_of("sequence_second", rejected[both[0].astype(int), both[1].astype(int)])


def _estimates(
    whole: Array, effect: Array, adjusted: Array, how: tuple[Array, Mask, float]
) -> Iterator[Figure]:
    df, fitted, alpha = how
    truth = float(np.mean(whole))
    yield mean_of("truth", whole)
    yield mean_of("effect", effect[fitted])
    yield mean_of("bias", (effect - whole)[fitted])
    mine = effect[fitted]
    spread = float(np.std(mine, ddof=1)) if len(mine) > 1 else math.nan
    yield Figure("effect_sd", spread, spread / math.sqrt(2.0 * max(len(mine) - 1, 1)))
    yield mean_of("effect_se", np.sqrt(adjusted[fitted]))
    reach = special.stdtrit(df[fitted], 1.0 - alpha / 2.0) * np.sqrt(adjusted[fitted])
    yield rate_of("covers", np.abs(mine - truth) <= reach)


def _sized(
    prepared: Prepared, ready: Ready, shape: Shape, named: Mapping[str, Array], succeeds: Mask
) -> Iterator[Figure]:
    """Stopping for futility, expected size and duration."""
    if prepared.asked.look is None or shape.looks < 2:
        yield Figure("expected_size", float(ready.participants))
        yield Figure("expected_months", ready.duration[-1] / MONTH_DAYS)
        return
    fitted = (named["fitted0"] > 0) & (named["fitted1"] > 0)
    planned = float(np.mean(named["adjusted1"][fitted])) if fitted.any() else math.nan
    with np.errstate(invalid="ignore", divide="ignore"):
        z = prepared.better * named["effect0"] / np.sqrt(named["adjusted0"])
        share = np.clip(planned / named["adjusted0"], 1e-6, 1.0 - 1e-6)
    bound = float(special.ndtri(1.0 - prepared.asked.alpha / 2.0))
    power = np.ones(len(z))
    power[fitted] = [
        conditional_power(float(one), float(t), bound)
        for one, t in zip(z[fitted], share[fitted], strict=True)
    ]
    stops = power < prepared.asked.look.futility
    yield rate_of("stops", stops)
    yield rate_of("look_not_converged", named["fitted0"] <= 0)
    yield mean_of("information", share[fitted])
    yield rate_of("succeeds_with_look", succeeds & ~stops)
    yield mean_of("expected_size", np.where(stops, ready.enrolled[0], ready.enrolled[1]).astype(float))
    months = np.where(stops, ready.duration[0], ready.duration[1]) / MONTH_DAYS
    yield mean_of("expected_months", months)


def rate_of(name: str, hits: Mask) -> Figure:
    """The share of trials with its error, and with Wilson's interval."""
    if not len(hits):
        return Figure(name, math.nan, math.nan)
    share = float(np.mean(hits))
    error = math.sqrt(share * (1.0 - share) / len(hits)) if 0.0 < share < 1.0 else None
    return Figure(name, share, error, wilson(share, 1.0 / len(hits)))


def mean_of(name: str, values: Array) -> Figure:
    """The mean over trials with its error."""
    if len(values) < 2:
        return Figure(name, float(values[0]) if len(values) else math.nan, math.nan)
    return Figure(name, float(np.mean(values)), float(np.std(values, ddof=1)) / math.sqrt(len(values)))
