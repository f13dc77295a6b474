"""MMRM: one fit and many, three sizes, beside R where it is installed (nlme::gls, lme4 with pbkrtest, mmrm).

Made-up trials with 15 % drop-out, baseline by visit, arm by visit, unstructured covariance, REML. "Whole" is from
columns to degrees of freedom, formula included; "core" is what a simulation repeats: statistics, search, Kenward-Roger.
R reads the same file and is timed inside R, after one fit that is not counted. Alone: python -m bench.analysis_rounds
"""

from __future__ import annotations

import statistics as numbers
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.beside_r import beside_r
from bench.table import Row, render
from equipoise.analysis import MmrmFit, fit_mmrm
from equipoise.analysis.mmrm.design import Design, Question, design
from equipoise.analysis.mmrm.inference import adjusted
from equipoise.analysis.mmrm.method import fit
from equipoise.analysis.mmrm.statistics import gather
from equipoise.analysis.mmrm.steps import second_moment
from equipoise.analysis.mmrm.structures import STRUCTURES
from equipoise.analysis.ops import NUMPY
from equipoise.analysis.table import columns

FORMULA = "chg ~ base * visit + arm * visit"
SIZES = ((86, 5), (1_000, 10), (5_000, 12))
MANY = 1_000
PACKAGES = {"gls": ("nlme",), "lme4": ("lme4", "pbkrtest"), "mmrm": ("mmrm",)}
_R = """
a <- commandArgs(TRUE); d <- read.csv(a[1], stringsAsFactors = TRUE); kind <- a[2]; times <- as.integer(a[3])
d$t <- as.integer(as.character(d$visit)); d$visit <- factor(d$t)
f <- chg ~ base * visit + arm * visit
run <- switch(kind,
  gls = function() nlme::gls(f, d, correlation = nlme::corSymm(form = ~ t | id),
    weights = nlme::varIdent(form = ~ 1 | visit)),
  lme4 = function() { m <- lme4::lmer(chg ~ base * visit + arm * visit + (0 + visit | id), d,
    control = lme4::lmerControl(check.nobs.vs.nRE = "ignore", calc.derivs = FALSE)); pbkrtest::vcovAdj(m) },
  mmrm = function() mmrm::mmrm(chg ~ base * visit + arm * visit + us(visit | id), d, method = "Kenward-Roger",
    vcov = "Kenward-Roger-Linear"))
invisible(suppressWarnings(suppressMessages(run())))
taken <- sapply(seq_len(times), function(i) system.time(suppressWarnings(suppressMessages(run())))[["elapsed"]])
cat(median(taken))
"""
_FIRST = """
import sys, time, resource
start = time.perf_counter()
from bench.analysis_rounds import FORMULA, trial
from equipoise.analysis import fit_mmrm
loaded = time.perf_counter()
fit_mmrm(trial(86, 5), FORMULA, subject="id", visit="visit")
print(loaded - start, time.perf_counter() - loaded, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def trial(subjects: int, visits: int, seed: int = 1) -> dict[str, list[Any]]:
    """Columns of a made-up trial; drop-out grows evenly to 15 % and is for good."""
    rng = np.random.default_rng(seed)
    lags = np.abs(np.subtract.outer(np.arange(visits), np.arange(visits)))
    half = np.linalg.cholesky(36.0 * (0.3 + 0.7 * 0.8**lags))
    base, arm = rng.normal(20.0, 5.0, subjects), rng.permutation(np.arange(subjects) % 2)
    values = rng.normal(size=(subjects, visits)) @ half.T + 0.3 * base[:, None] + 2.0 * arm[:, None]
    last = np.where(rng.random(subjects) < 0.15, rng.integers(1, visits, subjects), visits)
    rows = [(i, v) for i in range(subjects) for v in range(int(last[i]))]
    return {
        "id": [f"S{i}" for i, _ in rows],
        "visit": [str(v + 1) for _, v in rows],
        "arm": ["MSC" if arm[i] else "PBO" for i, _ in rows],
        "base": [float(base[i]) for i, _ in rows],
        "chg": [float(values[i, v]) for i, v in rows],
    }


def _timed(action: Callable[[], object], times: int) -> list[float]:
    """Seconds of each call after one that is not counted."""
    action()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        taken.append(time.perf_counter() - start)
    return taken


def _core(made: Design) -> None:
    data, _ = gather(made)
    found = fit(data, [STRUCTURES["us"]], reml=True)
    moment = second_moment(NUMPY, data, found.at, found.spread)
    adjusted(found.curve.p, found.spread, moment)


def analysis_rows(folder: Path) -> Iterator[Row]:
    """The rows of the table, smallest trial first."""
    folder.mkdir(parents=True, exist_ok=True)
    told = subprocess.run(
        [sys.executable, "-c", _FIRST], capture_output=True, text=True, check=True
    ).stdout.split()
    loading, first, size_mib = map(float, told)
    note = f"import {loading:.2f} s, fit {first:.2f} s, {size_mib:.0f} MiB"
    yield Row("MMRM, first call", "new process, 86 x 5", note=note)
    for subjects, visits in SIZES:
        table, size = trial(subjects, visits), f"{subjects:,} x {visits}"
        whole = _timed(lambda table=table: _fitted(table), 9 if subjects < 500 else 3)
        yield _row("MMRM, whole fit", size, whole)
        made = design(columns(table), Question(FORMULA, "id", "visit"))
        if not isinstance(made, Design):
            raise RuntimeError(made[0].say())
        core = _timed(lambda made=made: _core(made), MANY if subjects < 500 else 3)
        yield _row("MMRM, core", size, core)
        ours = numbers.median(whole)
        yield from beside_r(
            folder, table, size, _R, PACKAGES, times=1 if subjects > 500 else 5,
            compared=lambda theirs, ours=ours: f"{theirs / ours:.1f} times our whole fit",
        )  # fmt: skip


def _fitted(table: dict[str, list[Any]]) -> MmrmFit:
    found = fit_mmrm(table, FORMULA, subject="id", visit="visit")
    if isinstance(found, tuple):
        raise RuntimeError(found[0].say())
    return found


def _row(measured: str, size: str, taken: list[float], note: str = "") -> Row:
    order = sorted(taken)
    p50, p95 = (f"{1000 * order[min(len(order) - 1, int(share * len(order)))]:.1f}" for share in (0.5, 0.95))
    return Row(
        measured, size, f"{len(taken) / sum(taken):,.1f} fits/s", p50, p95, note=note or f"n={len(taken)}"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        print(render(analysis_rows(Path(scratch))))
