"""A small made-up scenario: two visits, one factor, 40 participants."""

from __future__ import annotations

import numpy as np
from scipy import special

from equipoise.randomization.methods import big_stick
from equipoise.simulation.batch.lists import slots
from equipoise.simulation.batch.numbers import Numbers, Shape


def shape(**others) -> Shape:
    return Shape(**{"most": 40, "visits": 2, "factors": 1, "endpoint": 1, "grades": 5} | others)


def numbers(**others) -> Numbers:
    """Means 40, 46, 50 with deviations 15; 7 % leave before each visit; half in each level of the factor."""
    table = slots(big_stick((1, 1), 3), 40)
    correlation = np.array([[1.0, 0.8, 0.7], [0.8, 1.0, 0.85], [0.7, 0.85, 1.0]])
    limits = special.ndtri(np.array([0.2, 0.5, 0.8]))
    given = Numbers(
        participants=np.int32(40), mean=np.array([40.0, 46.0, 50.0]), sd=np.full(3, 15.0), root=np.linalg.cholesky(correlation),
        effect=np.zeros(2), lowest=np.float64(-np.inf), highest=np.float64(np.inf), unit=np.float64(10.0), factor_limit=np.zeros(1),
        factor_pull=np.zeros(1), stay=np.full((2, 2), 0.93), live=np.ones((2, 2)), pull=np.float64(0.0), composite=np.float64(0.0),
        after_death=np.float64(0.0), grade_start=limits, grade_limits=np.stack([limits, limits]), grade_pull=np.array([-0.6, -0.7]),
        reached=np.full((1, 40), 2, np.int32), slot_limits=table.limits, slot_arms=table.arms, slot_after=table.after,
        active=np.int32(0),
    )  # fmt: skip
    return given._replace(**others)
