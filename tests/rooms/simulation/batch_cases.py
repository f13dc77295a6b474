"""A small made-up scenario (two visits, one factor, 40 participants), made-up rows, and the command."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy import special

from equipoise.cli.main import main
from equipoise.randomization.methods import big_stick
from equipoise.simulation.batch import chunks
from equipoise.simulation.batch.lists import slots
from equipoise.simulation.batch.numbers import Numbers, Shape

FOLDER = Path(__file__).resolve().parents[3] / "studies" / "nct07197606"
SMALL = ("--trials", "50", "--seed", "3", "--people", "200", "--scenario", "null,design", "--json")


def made_up(work):
    """Rows that depend on scenario and trial alone."""
    names = chunks.columns(work.shape)
    trials = np.arange(work.first, work.first + work.count)
    start = int(work.digest[:6], 16) + work.seed
    rows = np.stack([np.sin(start + 7.0 * trials + at) for at in range(len(names))])
    for at, name in enumerate(names):
        if "fitted" in name:
            rows[at] = 1.0
        elif name.startswith(("variance", "adjusted", "df", "odds_se")):
            rows[at] = 2.0 + rows[at]
        elif name in ("categories", "seen", "worst"):
            rows[at] = 3.0
    return rows


def answer(capsys, *arguments):
    status = main(["simulate", str(FOLDER), *arguments])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


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
        factor_pull=np.zeros(1), stay=np.full((2, 2), 0.93), live=np.ones((2, 2)), missed=np.zeros(2), pull=np.float64(0.0), composite=np.float64(0.0),
        after_death=np.float64(0.0), grade_start=limits, grade_limits=np.stack([limits, limits]), grade_pull=np.array([-0.6, -0.7]),
        reached=np.full((1, 40), 2, np.int32), slot_limits=table.limits, slot_arms=table.arms, slot_after=table.after,
        active=np.int32(0),
    )  # fmt: skip
    return given._replace(**others)
