"""`fit_responders`: how often an event happened in two arms, and their difference, risk ratio and odds ratio.

Of one stratum: y_1 of n_1 in the active arm, y_0 of n_0 in the reference, N together; w = n_1 n_0 / N.

    Mantel–Haenszel difference  sum w (y_1/n_1 - y_0/n_0) / sum w, with Sato's variance
    Mantel–Haenszel ratios      of risks (variance of Greenland and Robins) and odds (of Robins, Breslow, Greenland)
    Newcombe's interval         Wilson's bounds of both arms, squared distances added; by strata with weights w
    Miettinen–Nurminen          score interval, variance times N / (N - 1); by strata with weights w

The rule that must stay true: what is not defined (nobody, or everybody, had the event) is None, not a number.
Sources: Mantel and Haenszel 1959; Sato 1989; Greenland and Robins 1985; Robins, Breslow and Greenland 1986;
Newcombe 1998; Kim and Won 2013 (by strata; PROC FREQ takes the
weights of Yan and Su 2010, which are others); Miettinen and Nurminen 1985.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from equipoise.analysis.estimate import LEVEL, Interval, Ratio, Wald, as_json, quantile, ratio, wald
from equipoise.analysis.groups import Groups, Sides, counted, load_groups, zero_or_one
from equipoise.analysis.ops import Array
from equipoise.words.problem import Problem, problem


@dataclass(frozen=True, slots=True)
class Share:
    """Of n participants of an arm, how many had the event, with Wilson's interval of the share."""

    arm: str
    events: int
    n: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ResponderFit:
    """Two arms, the reference first. difference: of shares by strata; newcombe, miettinen_nurminen: its intervals.

    A ratio is None where it would be zero, infinite or undefined.
    """

    shares: tuple[Share, ...]
    crude: float
    difference: Wald | None
    newcombe: Interval
    miettinen_nurminen: Interval
    risk_ratio: Ratio | None
    odds_ratio: Ratio | None
    strata: tuple[str, ...]
    level: float

    def to_json(self) -> dict[str, Any]:
        """The whole answer as one JSON value."""
        value: dict[str, Any] = as_json(self)
        return value


def fit_responders(
    data: Any,
    response: str,
    arm: str,
    *,
    strata: Sequence[str] = (),
    reference: str | None = None,
    frequency: str | None = None,
    level: float = LEVEL,
) -> ResponderFit | tuple[Problem, ...]:
    """Compare the shares of an event (a column of 0 and 1) between two arms, or say what is wrong."""
    needed = (response, frequency) if frequency else (response,)
    groups = load_groups(data, Sides(arm, reference, tuple(strata)), needed)
    if not isinstance(groups, Groups):
        return groups
    event = zero_or_one(response, groups.values(response), groups.rows)
    weight = counted(groups, frequency)
    if isinstance(event, Problem) or isinstance(weight, Problem):
        return tuple(its for its in (event, weight) if isinstance(its, Problem))
    events, n = np.zeros((2, len(groups.strata))), np.zeros((2, len(groups.strata)))
    np.add.at(events, (groups.arm, groups.stratum), event * weight)
    np.add.at(n, (groups.arm, groups.stratum), weight)
    if not (n[0] * n[1]).any():
        return (problem("analysis.no-comparison"),)
    shares = tuple(_share(name, events[at].sum(), n[at].sum(), level) for at, name in enumerate(groups.arms))
    return ResponderFit(
        shares,
        shares[1].share - shares[0].share,
        mantel_haenszel_difference(events, n, level),
        newcombe(events, n, level),
        miettinen_nurminen(events, n, level),
        mantel_haenszel_risk_ratio(events, n, level),
        mantel_haenszel_odds_ratio(events, n, level),
        groups.strata,
        level,
    )


def _share(arm: str, events: float, n: float, level: float) -> Share:
    bounds = wilson(events / n, 1.0 / n, level)
    return Share(arm, round(events), round(n), float(events / n), bounds.low, bounds.high)


def wilson(share: float, size: float, level: float = LEVEL) -> Interval:
    """The P with (share - P)^2 <= z^2 P (1 - P) size; size is 1 / n, or a sum of w^2 / n over strata."""
    z2 = quantile(level) ** 2 * size
    middle, half = share + z2 / 2.0, np.sqrt(z2 * share * (1.0 - share) + z2**2 / 4.0)
    return Interval(
        max(float((middle - half) / (1.0 + z2)), 0.0), min(float((middle + half) / (1.0 + z2)), 1.0)
    )


def newcombe(events: Array, n: Array, level: float = LEVEL) -> Interval:
    """Newcombe's interval of the difference; events, n: (2, strata). One stratum gives his method 10.

    With strata: Mantel and Haenszel's weights, and Wilson's interval of each arm's weighted share.
    """
    kept = (n > 0).all(axis=0)
    y, m = events[:, kept], n[:, kept]
    w = m[0] * m[1] / m.sum(axis=0)
    w = w / w.sum()
    shares, sizes = (w * y / m).sum(axis=1), (w**2 / m).sum(axis=1)
    bounds = [wilson(float(share), float(size), level) for share, size in zip(shares, sizes, strict=True)]
    difference = shares[1] - shares[0]
    down = np.hypot(shares[1] - bounds[1].low, bounds[0].high - shares[0])
    up = np.hypot(bounds[1].high - shares[1], shares[0] - bounds[0].low)
    return Interval(float(difference - down), float(difference + up))


def mantel_haenszel_difference(events: Array, n: Array, level: float = LEVEL) -> Wald | None:
    """The common difference with Sato's variance, good in few large strata and in many small ones alike."""
    total = n.sum(axis=0)
    kept = total > 0
    (x0, x1), (n0, n1), total = events[:, kept], n[:, kept], total[kept]
    weight = n1 * n0 / total
    difference = float(((x1 * n0 - x0 * n1) / total).sum() / weight.sum())
    p = (n1**2 * x0 - n0**2 * x1 + n1 * n0 * (n0 - n1) / 2.0) / total**2
    q = (x1 * (n0 - x0) + x0 * (n1 - x1)) / (2.0 * total)
    variance = float((difference * p.sum() + q.sum()) / weight.sum() ** 2)
    return wald(difference, float(np.sqrt(variance)), level) if variance > 0.0 else None


def mantel_haenszel_risk_ratio(events: Array, n: Array, level: float = LEVEL) -> Ratio | None:
    """The common risk ratio with the variance of Greenland and Robins."""
    total = n.sum(axis=0)
    kept = total > 0
    (x0, x1), (n0, n1), total = events[:, kept], n[:, kept], total[kept]
    above, below = float((x1 * n0 / total).sum()), float((x0 * n1 / total).sum())
    if above <= 0.0 or below <= 0.0:
        return None
    variance = float(((n1 * n0 * (x1 + x0) - x1 * x0 * total) / total**2).sum() / (above * below))
    return ratio(float(np.log(above / below)), float(np.sqrt(variance)), level) if variance > 0.0 else None


def mantel_haenszel_odds_ratio(events: Array, n: Array, level: float = LEVEL) -> Ratio | None:
    """The common odds ratio with the variance of Robins, Breslow and Greenland."""
    total = n.sum(axis=0)
    kept = total > 0
    (x0, x1), (n0, n1), total = events[:, kept], n[:, kept], total[kept]
    r, s = x1 * (n0 - x0) / total, x0 * (n1 - x1) / total
    p, q = (x1 + n0 - x0) / total, (x0 + n1 - x1) / total
    above, below = float(r.sum()), float(s.sum())
    if above <= 0.0 or below <= 0.0:
        return None
    variance = (
        float((p * r).sum()) / (2.0 * above**2)
        + float((p * s + q * r).sum()) / (2.0 * above * below)
        + float((q * s).sum()) / (2.0 * below**2)
    )
    return ratio(float(np.log(above / below)), float(np.sqrt(variance)), level)


def miettinen_nurminen(events: Array, n: Array, level: float = LEVEL) -> Interval:
    """The score interval of the difference; events, n: (2,) or (2, strata), the reference first.

    Over strata: the differences d such that (sum w (p1 - p0 - d))^2 = z^2 sum w^2 v(d), w Mantel and Haenszel's and v
    the variance where each stratum's shares are most likely under d.
    """
    from scipy import optimize

    y, m = (np.asarray(its, np.float64).reshape(2, -1) for its in (events, n))
    kept = (m > 0).all(axis=0)
    y, m = y[:, kept], m[:, kept]
    total = m.sum(axis=0)
    weight = m[0] * m[1] / total
    weight = weight / weight.sum()
    reach = quantile(level) ** 2
    difference = float(weight @ (y[1] / m[1] - y[0] / m[0]))

    def beyond(d: float) -> float:
        p0 = np.array(
            [
                _restricted(float(its[0]), float(its[1]), (float(n0), float(n1)), d)
                for its, n0, n1 in zip(y.T, *m, strict=True)
            ]
        )
        p1 = p0 + d
        variance = (p1 * (1.0 - p1) / m[1] + p0 * (1.0 - p0) / m[0]) * total / (total - 1.0)
        return (difference - d) ** 2 / max(float(weight**2 @ variance), 1e-300) - reach

    ends = []
    for end in (-1.0, 1.0):
        near = end * (1.0 - 1e-12)
        if abs(difference - end) < 1e-9 or beyond(near) <= 0.0:
            ends.append(end)  # everybody in one arm and nobody in the other
        else:
            ends.append(float(optimize.brentq(beyond, *sorted((difference, near)), xtol=1e-14)))
    return Interval(ends[0], ends[1])


def _restricted(x0: float, x1: float, sizes: tuple[float, float], d: float) -> float:
    """The reference's share most likely where the difference is d: a root of a cubic (Miettinen and Nurminen 1985)."""
    n0, n1 = sizes
    total = n0 + n1
    a3, a2 = total, d * (n1 + 2.0 * n0) - total - x0 - x1
    a1, a0 = d * (d * n0 - total - 2.0 * x0) + x0 + x1, x0 * d * (1.0 - d)
    q = a2**3 / (3.0 * a3) ** 3 - a2 * a1 / (6.0 * a3**2) + a0 / (2.0 * a3)
    p = np.copysign(np.sqrt(max((a2 / (3.0 * a3)) ** 2 - a1 / (3.0 * a3), 0.0)), q)
    angle = (np.pi + np.arccos(np.clip(q / p**3 if p else 0.0, -1.0, 1.0))) / 3.0
    share = 2.0 * p * np.cos(angle) - a2 / (3.0 * a3)
    return float(np.clip(share, max(0.0, -d), min(1.0, 1.0 - d)))
