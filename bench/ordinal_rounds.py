"""Proportional odds: one fit and many, three sizes, beside R's polr and clm where R is installed.

Made-up trials: seven categories, one covariate and the arm. "Whole" is from columns to coefficients with their errors,
formula included; "core" is what a simulation repeats. R reads the same file and is timed inside R, after one fit
that is not counted. Alone: python -m bench.ordinal_rounds
"""

from __future__ import annotations

import statistics as numbers
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.analysis_rounds import MANY, _row, _timed
from bench.beside_r import beside_r
from bench.table import Row, render
from equipoise.analysis import OrdinalFit, fit_ordinal
from equipoise.analysis.ordinal.method import fit

FORMULA = "grade ~ arm + base"
SIZES = (86, 1_000, 5_000)
PACKAGES = {"MASS": ("MASS",), "ordinal": ("ordinal",)}
_R = """
a <- commandArgs(TRUE); d <- read.csv(a[1]); d$grade <- ordered(d$grade); times <- as.integer(a[3])
run <- switch(a[2],
  MASS = function() MASS::polr(grade ~ arm + base, d, Hess = TRUE),
  ordinal = function() ordinal::clm(grade ~ arm + base, data = d))
invisible(run())
cat(median(sapply(seq_len(times), function(i) system.time(run())[["elapsed"]])))
"""


def trial(subjects: int, seed: int = 1) -> dict[str, list[Any]]:
    """Columns of a made-up trial in which the odds are proportional."""
    rng = np.random.default_rng(seed)
    arm, base = np.arange(subjects) % 2, rng.normal(size=subjects)
    cuts = np.array([-2.0, -0.7, 0.5, 1.6, 2.8, 3.6])
    grade = ((rng.logistic(size=subjects) + 0.8 * base - 0.5 * arm)[:, None] > cuts).sum(axis=1)
    return {"grade": grade.tolist(), "arm": arm.tolist(), "base": base.tolist()}


def ordinal_rows(folder: Path) -> Iterator[Row]:
    """The rows of the table, smallest trial first."""
    folder.mkdir(parents=True, exist_ok=True)
    for subjects in SIZES:
        table, size = trial(subjects), f"{subjects:,}"
        found = fit_ordinal(table, FORMULA)
        if not isinstance(found, OrdinalFit):
            raise RuntimeError(found[0].say())
        whole = _timed(lambda table=table: fit_ordinal(table, FORMULA), 9)
        yield _row("proportional odds, whole fit", size, whole)
        data = found.fitted.data
        core = _timed(lambda data=data: fit(data), MANY if subjects < 500 else 9)
        yield _row("proportional odds, core", size, core)
        ours = (numbers.median(whole), numbers.median(core))
        yield from beside_r(
            folder, table, size, _R, PACKAGES, times=9,
            compared=lambda theirs, ours=ours: (
                f"{theirs / ours[0]:.1f} times our whole fit, {theirs / ours[1]:.1f} times the core"
            ),
        )  # fmt: skip


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        print(render(ordinal_rows(Path(scratch))))
