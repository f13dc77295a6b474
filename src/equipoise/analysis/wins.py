"""`fit_winratio`: wins, losses and ties of every pair across arms by outcomes in order of priority.

A pair is decided by the first outcome that decides it. Within strata the shares of wins and losses are means over
pairs, so their errors are those of a two-sample U-statistic: the variance of each participant's mean over its
opponents. Strata are weighted by m n / (m + n) (Mantel and Haenszel's), which is Dong's stratified win ratio.

    win ratio    wins / losses                    net benefit  (wins - losses) / pairs
    win odds     (wins + ties / 2) / (losses + ties / 2) = (1 + net benefit) / (1 - net benefit)

The rules that must stay true: who is censored has not lost, and has won only against an event that came while they
were watched; a missing value decides nothing and the next outcome is asked.
Sources: Pocock and others 2012; Dong and others 2018; Brunner, Vandemeulebroecke and Mütze 2021 (win odds).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from equipoise.analysis.estimate import LEVEL, Ratio, Wald, all_finite, as_json, ratio, wald
from equipoise.analysis.groups import Groups, Sides, finite, load_groups, zero_or_one
from equipoise.analysis.ops import Array, Indices, Mask
from equipoise.analysis.table import row_numbers
from equipoise.words.problem import Problem, problem


@dataclass(frozen=True, slots=True)
class Outcome:
    """A column by which pairs are compared.

    better: which of two values wins. margin: a difference of up to so much decides nothing. event: where the column
    is a time, the column that says 1 where the event came at that time and 0 where watching ended; `better` then
    says whether a later (`higher`) event wins, or an earlier one.
    """

    column: str
    better: Literal["higher", "lower"] = "higher"
    margin: float = 0.0
    event: str | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many pairs an outcome decided, and how many it left to the next."""

    outcome: str
    wins: int
    losses: int
    ties: int


@dataclass(frozen=True, slots=True)
class WinFit:
    """Wins of the active arm over the reference. wins, losses, ties: pairs, over all strata. tallies: by outcome.

    win_ratio is None where no pair, or every decided pair, was won: it would be zero or infinite.
    """

    wins: int
    losses: int
    ties: int
    win_ratio: Ratio | None
    win_odds: Ratio
    net_benefit: Wald
    tallies: tuple[Tally, ...]
    arms: tuple[str, ...]
    strata: tuple[str, ...]
    n: tuple[int, ...]
    level: float

    def to_json(self) -> dict[str, Any]:
        """The whole answer as one JSON value."""
        value: dict[str, Any] = as_json(self)
        return value


def fit_winratio(
    data: Any,
    outcomes: Sequence[Outcome],
    arm: str,
    *,
    strata: Sequence[str] = (),
    reference: str | None = None,
    level: float = LEVEL,
) -> WinFit | tuple[Problem, ...]:
    """Compare every participant of the active arm with every one of the reference in the same stratum.

    data: a data frame (pandas, polars, pyarrow) or a mapping of columns, one row a participant. outcomes: the most
    important first. reference: the level of `arm` that is compared against.
    """
    if not outcomes:
        return (problem("analysis.no-outcome"),)
    known = [its.column for its in outcomes] + [its.event for its in outcomes if its.event]
    groups = load_groups(data, Sides(arm, reference, tuple(strata)), (), known=known)
    if not isinstance(groups, Groups):
        return groups
    read = [_read(groups, its) for its in outcomes]
    if found := tuple(its for its in read if isinstance(its, Problem)):
        return found
    judged = [
        _judged(groups, stratum, [its for its in read if isinstance(its, _Column)]) for stratum in _of(groups)
    ]
    if found := _too_small(groups, judged):
        return found
    return _answered(groups, outcomes, judged, level)


def fit_win_odds(
    data: Any,
    response: str,
    arm: str,
    *,
    better: Literal["higher", "lower"] = "higher",
    strata: Sequence[str] = (),
    reference: str | None = None,
    level: float = LEVEL,
) -> WinFit | tuple[Problem, ...]:
    """The same for one response, such as an ordinal score: read `win_odds`. Rows without it are left out."""
    groups = load_groups(data, Sides(arm, reference, tuple(strata)), (response,))
    if not isinstance(groups, Groups):
        return groups
    kept = {name: groups.values(name) for name in (arm, response, *strata)}
    first = groups.arms[0]
    return fit_winratio(kept, [Outcome(response, better)], arm, strata=strata, reference=first, level=level)


@dataclass(frozen=True, slots=True)
class _Column:
    """An outcome's values turned so that more is better, NaN where missing; event as 1 and 0, all 1 for a value."""

    value: Array
    event: Array
    margin: float
    timed: bool
    later: bool


@dataclass(frozen=True, slots=True)
class _Stratum:
    """Pairs (m, n) that were won and lost, and by outcome how many were won, lost and left."""

    won: Array
    lost: Array
    tallies: tuple[tuple[int, int, int], ...]


def _read(groups: Groups, outcome: Outcome) -> _Column | Problem:
    if outcome.better not in ("higher", "lower") or not outcome.margin >= 0.0:
        return problem("analysis.outcome", outcome.column)
    values = finite(outcome.column, groups.values(outcome.column), groups.rows)
    if isinstance(values, Problem):
        return values
    later = outcome.better == "higher"
    if outcome.event is None:
        turned = values if later else -values
        return _Column(turned, np.ones_like(values), outcome.margin, timed=False, later=later)
    seen, rows = groups.values(outcome.event), groups.rows
    if before := [row for row, value in zip(rows, values, strict=True) if value < 0.0]:
        return problem("analysis.before-zero", outcome.column, rows=row_numbers(before))
    with_time = [at for at, value in enumerate(values) if not np.isnan(value)]
    events = zero_or_one(outcome.event, [seen[at] for at in with_time], [rows[at] for at in with_time])
    if isinstance(events, Problem):
        return events
    event = np.full(len(values), np.nan)
    event[with_time] = events
    return _Column(values, event, outcome.margin, timed=True, later=later)


def _of(groups: Groups) -> list[Mask]:
    return [np.asarray(groups.stratum == at) for at in range(len(groups.strata))]


def _judged(groups: Groups, mine: Mask, columns: Sequence[_Column]) -> _Stratum:
    active, others = np.flatnonzero(mine & groups.active), np.flatnonzero(mine & ~groups.active)
    won = np.zeros((len(active), len(others)), bool)
    lost, open_ = won.copy(), ~won
    tallies = []
    for column in columns:
        wins, losses = _compared(column, active, others)
        wins, losses = wins & open_, losses & open_
        won, lost, open_ = won | wins, lost | losses, open_ & ~wins & ~losses
        tallies.append((int(wins.sum()), int(losses.sum()), int(open_.sum())))
    return _Stratum(won.astype(np.float64), lost.astype(np.float64), tuple(tallies))


def _compared(column: _Column, active: Indices, others: Indices) -> tuple[Mask, Mask]:
    """(m, n) which pairs the active participant wins and loses; a comparison with a missing value is neither."""
    gap = np.subtract.outer(column.value[active], column.value[others])
    if not column.timed:
        return gap > column.margin, gap < -column.margin
    mine, theirs = (column.event[its] == 1.0 for its in (active, others))
    # later than an event that was seen, or watched up to it without one
    beyond = (gap > column.margin) | ((gap == 0.0) & ~mine[:, None] & (column.margin == 0.0))
    short = (gap < -column.margin) | ((gap == 0.0) & ~theirs[None] & (column.margin == 0.0))
    after, before = beyond & theirs[None], short & mine[:, None]
    return (after, before) if column.later else (before, after)


def _too_small(groups: Groups, judged: Sequence[_Stratum]) -> tuple[Problem, ...]:
    """Strata in which an arm has one participant: the error of their shares cannot be told."""
    found = []
    for name, its, mine in zip(groups.strata, judged, _of(groups), strict=True):
        if its.won.size and min(its.won.shape) < 2:
            rows = row_numbers([row for row, here in zip(groups.rows, mine, strict=True) if here])
            found.append(problem("analysis.small-stratum", name, rows=rows))
    if not found and not any(its.won.size for its in judged):
        found.append(problem("analysis.no-comparison"))
    return tuple(found[:10])


def _answered(
    groups: Groups, outcomes: Sequence[Outcome], judged: Sequence[_Stratum], level: float
) -> WinFit | tuple[Problem, ...]:
    shares, spread, pairs = np.zeros(2), np.zeros((2, 2)), 0.0
    for its in judged:
        m, n = its.won.shape
        if not m * n:
            continue
        weight = m * n / (m + n)
        both = np.stack([its.won, its.lost])
        rows, columns = both.mean(axis=2), both.mean(axis=1)
        shares += weight * both.mean(axis=(1, 2))
        spread += weight**2 * (np.cov(rows) / m + np.cov(columns) / n)
        pairs += weight
    won, lost = shares / pairs
    spread = spread / pairs**2
    step = np.array([1.0, -1.0])
    error = float(np.sqrt(step @ spread @ step))
    benefit = float(won - lost)
    if error <= 0.0 or 1.0 - abs(benefit) <= 1e-12:
        return (problem("analysis.all-won"),)
    counts = np.sum([its.tallies for its in judged], axis=0)
    wins, losses = (int(its) for its in counts.sum(axis=0)[:2])
    active = int(groups.active.sum())
    found = WinFit(
        wins,
        losses,
        int(counts[-1][2]),
        _win_ratio(float(won), float(lost), spread, level),
        ratio(float(np.log1p(benefit) - np.log1p(-benefit)), 2.0 / (1.0 - benefit**2) * error, level),
        wald(benefit, error, level),
        tuple(Tally(o.column, *(int(n) for n in its)) for o, its in zip(outcomes, counts, strict=True)),
        groups.arms,
        groups.strata,
        (len(groups.rows) - active, active),
        level,
    )
    return found if all_finite(found) else (problem("analysis.all-won"),)


def _win_ratio(won: float, lost: float, spread: Array, level: float) -> Ratio | None:
    if won <= 0.0 or lost <= 0.0:
        return None
    slope = np.array([1.0 / won, -1.0 / lost])
    error = float(np.sqrt(slope @ spread @ slope))
    return ratio(float(np.log(won / lost)), error, level) if error > 0.0 else None
