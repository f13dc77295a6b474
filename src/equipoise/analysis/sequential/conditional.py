"""At an interim look: what the end will probably say, and how a second stage may be made larger without harm.

The rules that must stay true: the weights of a combination test are fixed before the first look, so that alpha holds
whatever the second stage's size; the size that is proposed lies between the planned and the largest allowed.
t is the information fraction of the look, z its statistic, c the bound at the end.
Sources: Lachin 2005 (conditional power); Spiegelhalter, Freedman and Blackburn 1986 (predictive power); Bauer and
Koehne 1994; Lehmacher and Wassmer 1999; Mehta and Pocock 2011.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

from scipy import special

from equipoise.analysis.ops import Array

Statistic = TypeVar("Statistic", float, Array)
"""Of one trial, or of many."""


def conditional_power(z: float, t: float, c: float, drift: float | None = None) -> float:
    """The chance of z above c at the end. drift: the mean of z at the end; None: what the data suggest, z / sqrt(t)."""
    mean = z / math.sqrt(t) if drift is None else drift
    return float(special.ndtr((z * math.sqrt(t) + mean * (1.0 - t) - c) / math.sqrt(1.0 - t)))


def predictive_power(z: float, t: float, c: float) -> float:
    """The chance of z above c at the end, averaged over what the data say of the drift (a flat prior)."""
    return float(special.ndtr((z - c * math.sqrt(t)) / math.sqrt(1.0 - t)))


def conditional_error(z: float, t: float, c: float) -> float:
    """The chance of z above c at the end where there is no effect: what a changed second stage may spend."""
    return conditional_power(z, t, c, 0.0)


def inverse_normal(z_first: Statistic, z_second: Statistic, weight: float) -> Statistic:
    """The combined z of two stages; weight: the first stage's planned share of the information."""
    return math.sqrt(weight) * z_first + math.sqrt(1.0 - weight) * z_second


def fisher_product(p_first: float, p_second: float) -> float:
    """The p-value of two stages by the product of theirs."""
    product = p_first * p_second
    return product * (1.0 - math.log(product)) if product > 0.0 else 0.0


@dataclass(frozen=True, slots=True)
class Reestimated:
    """A second stage: its information, its conditional power there, and in which zone the look fell."""

    information: float
    power: float
    zone: str


@dataclass(frozen=True, slots=True)
class Zone:
    """When a second stage is made larger: conditional power as planned at least `low`, and below the power wanted."""

    low: float
    wanted: float


def reestimate(z: float, stages: tuple[float, float], most: float, c: float, zone: Zone) -> Reestimated:
    """The second stage's information (in the unit of `stages`) by conditional power at the effect seen so far.

    stages: planned information of the first and the second stage, whose shares are the weights of the combination.
    most: the largest second stage. An unpromising or a favourable look leaves the plan as it is.
    """
    first, planned = stages
    weight = first / (first + planned)
    effect = z / math.sqrt(first)
    needed = (c - math.sqrt(weight) * z) / math.sqrt(1.0 - weight)

    def power(information: float) -> float:
        return float(special.ndtr(effect * math.sqrt(information) - needed))

    now = power(planned)
    if now >= zone.wanted:
        return Reestimated(planned, now, "favourable")
    if now < zone.low or effect <= 0.0:
        return Reestimated(planned, now, "unfavourable")
    asked = ((needed + float(special.ndtri(zone.wanted))) / effect) ** 2
    chosen = min(max(asked, planned), most)
    return Reestimated(chosen, power(chosen), "promising")
