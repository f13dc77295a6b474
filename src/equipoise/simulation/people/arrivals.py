"""When people come to screening, and where: a Poisson process over sites that open one after another.

The rules that must stay true: arrival k depends on arrivals before it and on no later one; a site's rate rises from 0
to its full value over the ramp. Source: V. V. Anisimov, V. V. Fedorov, Statistics in Medicine 2007;26:4958-4975
(recruitment as Poisson processes of the sites).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from equipoise.oversight.forecast import MONTH_DAYS
from equipoise.simulation.people.chances import Chances
from equipoise.simulation.people.definition import Accrual


def arrive(accrual: Accrual, sites: Sequence[str], seed: int, index: int) -> tuple[int, str]:
    """The day (0: the first site opens) and the site of arrival `index` (from 0)."""
    chances = Chances(seed, "arrivals")
    waited = sum(-math.log(chances.uniform(str(number))) for number in range(index + 1))
    day = _when(accrual, len(sites), waited)
    rates = rates_on(accrual, len(sites), day)
    left = chances.at("site").uniform(str(index)) * sum(rates)
    for site, rate in zip(sites, rates, strict=True):
        left -= rate
        if left < 0:
            return math.floor(day), site
    return math.floor(day), sites[-1]


def rates_on(accrual: Accrual, sites: int, day: float) -> list[float]:
    """Arrivals a day at each site, so many days after the first opened."""
    return [_rate(accrual, day - number * accrual.opens_every_days) for number in range(sites)]


def _rate(accrual: Accrual, since: float) -> float:
    """Arrivals a day at a site that opened so many days ago."""
    if since <= 0:
        return 0.0
    full = accrual.per_month / MONTH_DAYS
    return full if since >= accrual.ramp_days else full * since / accrual.ramp_days


def _expected(accrual: Accrual, since: float) -> float:
    """Arrivals at a site since it opened."""
    if since <= 0:
        return 0.0
    full, ramp = accrual.per_month / MONTH_DAYS, accrual.ramp_days
    return full * since * since / (2 * ramp) if since < ramp else full * (since - ramp / 2)


def _when(accrual: Accrual, sites: int, waited: float) -> float:
    """The day by which so many arrivals are expected over all sites, by halving."""

    def expected(day: float) -> float:
        return sum(_expected(accrual, day - number * accrual.opens_every_days) for number in range(sites))

    low, high = 0.0, 1.0
    while expected(high) < waited:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if expected(middle) < waited else (low, middle)
    return high
