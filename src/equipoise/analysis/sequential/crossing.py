"""The chance of crossing a boundary at each look, by integrating from look to look.

Z_k at information fraction t_k is normal with mean d sqrt(t_k) and covariance sqrt(t_j / t_k), d the drift (the mean of
Z at fraction 1). The density of having gone on and standing at z is carried from one look to the next; each integral is
by Gauss and Legendre over the region in which the trial goes on, cut off where nothing is left.
Sources: Armitage, McPherson and Rowe 1969; Jennison and Turnbull 2000, chapter 19.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from equipoise.analysis.ops import Array

NODES = 320
_REACH = 8.5
"""Standard deviations beyond which a normal density holds less than 1e-16."""
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(NODES)


@dataclass(frozen=True, slots=True)
class Crossing:
    """The chance of stopping first at each look: `upper` for efficacy, `lower` for futility."""

    upper: tuple[float, ...]
    lower: tuple[float, ...]

    @property
    def rejecting(self) -> float:
        """The chance of rejecting at any look."""
        return float(sum(self.upper))

    def stopping(self) -> tuple[float, ...]:
        """The chance of stopping at each look for either reason; the last look ends the trial whatever it finds."""
        found = [up + down for up, down in zip(self.upper, self.lower, strict=True)]
        return (*found[:-1], 1.0 - float(sum(found[:-1])))


@dataclass(slots=True)
class Walk:
    """Where a trial that goes on may stand: nodes and density at the last look; None before the first."""

    drift: float
    fraction: float = 0.0
    nodes: Array | None = None
    mass: Array | None = None  # density times weight of integration

    def beyond(self, fraction: float, bound: float, *, above: bool) -> float:
        """The chance of going on until now and standing above (or below) a bound at the next look."""
        sign = 1.0 if above else -1.0
        if self.nodes is None or self.mass is None:
            return float(special.ndtr(sign * (self.drift * np.sqrt(fraction) - bound)))
        step = fraction - self.fraction
        mean = self.nodes * np.sqrt(self.fraction) + self.drift * step
        return float(self.mass @ special.ndtr(sign * (mean - bound * np.sqrt(fraction)) / np.sqrt(step)))

    def on(self, fraction: float, low: float, high: float) -> None:
        """Go on at the next look, between two bounds."""
        middle = self.drift * np.sqrt(fraction)
        low, high = max(low, middle - _REACH), min(high, middle + _REACH)
        half = max(high - low, 0.0) / 2.0
        nodes = (low + high) / 2.0 + half * _POINTS
        if self.nodes is None or self.mass is None:
            density = np.exp(-((nodes - middle) ** 2) / 2.0) / np.sqrt(2.0 * np.pi)
        else:
            step = fraction - self.fraction
            mean = self.nodes * np.sqrt(self.fraction) + self.drift * step
            apart = (nodes[:, None] * np.sqrt(fraction) - mean[None, :]) / np.sqrt(step)
            density = np.exp(-(apart**2) / 2.0) @ self.mass * np.sqrt(fraction / step / (2.0 * np.pi))
        self.fraction, self.nodes, self.mass = fraction, nodes, density * _WEIGHTS * half


def crossing(
    fractions: Sequence[float], upper: Sequence[float], lower: Sequence[float], drift: float
) -> Crossing:
    """The chances of stopping at each look. lower: -inf where there is no bound; at the last look it is not asked."""
    walk, up, down = Walk(drift), list[float](), list[float]()
    for place, fraction in enumerate(fractions):
        up.append(walk.beyond(fraction, upper[place], above=True))
        last = place == len(fractions) - 1
        low = -np.inf if last else lower[place]
        down.append(0.0 if low == -np.inf else walk.beyond(fraction, low, above=False))
        walk.on(fraction, low, upper[place])
    return Crossing(tuple(up), tuple(down))
