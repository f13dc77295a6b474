"""Complete simulated trials a second, never without the number of fits that did not converge.

A complete trial: 86 participants by 5 visits drawn with baseline, a stratum, big stick allocation and 15 % who leave;
the mixed model to tolerance with Satterthwaite's df and Kenward and Roger's error; proportional odds of seven grades.
`ratio_to_r` is by core, against 8.8 trials a second and core of R 4.2.2 (mmrm 0.3.18 and MASS::polr) on an idle
machine of the same kind. Compilation is told apart. With the engine jax there are `trials_per_cpu_second`, too, which
say more where other programs use the machine. Alone: python -m bench.simulate --json
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from bench.table import Row, render
from equipoise.randomization.methods import big_stick
from equipoise.simulation.batch import engines
from equipoise.simulation.batch.chunks import CHUNK, Work, columns
from equipoise.simulation.batch.lists import slots
from equipoise.simulation.batch.numbers import Numbers, Shape

OF_R = 8.8
"""Trials a second and core: MMRM with Kenward and Roger's linear form, and polr. Source: the notes on statistics."""


@dataclass(frozen=True, slots=True)
class Case:
    """A size of trial."""

    participants: int = 86
    visits: int = 5
    factors: int = 1


def work(case: Case, trials: int, block: int) -> list[Work]:
    """So many trials, in pieces."""
    shape = Shape(case.participants, case.visits, case.factors, case.visits - 1, 7)
    table = slots(big_stick((1, 1), 3), case.participants)
    size = case.visits + 1
    correlation = 0.8 ** np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    limits = special.ndtri(np.cumsum([0.05, 0.1, 0.2, 0.25, 0.2, 0.15])[:-1])
    numbers = Numbers(
        participants=np.int32(case.participants), mean=np.linspace(37.0, 52.0, size), sd=np.full(size, 18.0),
        root=np.linalg.cholesky(correlation), effect=np.zeros(case.visits), lowest=np.float64(-np.inf),
        highest=np.float64(np.inf), unit=np.float64(13.0), factor_limit=np.zeros(case.factors),
        factor_pull=np.full(case.factors, 0.3), stay=np.full((2, case.visits), 0.85 ** (1.0 / case.visits)),
        live=np.ones((2, case.visits)), missed=np.zeros(case.visits),
        pull=np.float64(0.0), composite=np.float64(0.0), after_death=np.float64(0.0),
        grade_start=limits, grade_limits=np.stack([limits, limits]), grade_pull=np.array([-0.7, -0.8]),
        reached=np.full((1, case.participants), case.visits, np.int32), slot_limits=table.limits, slot_arms=table.arms,
        slot_after=table.after, active=np.int32(0),
    )  # fmt: skip
    return [
        Work("", shape, numbers, 1, first, min(CHUNK, trials - first), block)
        for first in range(0, trials, CHUNK)
    ]


def measured(case: Case, trials: int, engine: str, block: int) -> dict[str, Any]:
    """One measurement; the first piece compiles and starts the workers, and is told apart."""
    workers = engines.cores() if engine == "processes" else 1
    pieces = work(case, trials + (1 + 2 * workers) * CHUNK, block)
    names = columns(pieces[0].shape)
    found, done, lost, begun = [], 0, 0, time.perf_counter()
    first = spent = 0.0
    for piece, rows in engines.run(engine, pieces, workers):
        found.append(time.perf_counter())
        if len(found) == 1 + 2 * workers:  # every worker has its program by now
            first, spent = found[-1], time.process_time()
        elif len(found) > 1 + 2 * workers:
            done += piece.count
        lost += int(np.sum(rows[names.index("fitted0")] == 0) + np.sum(rows[names.index("odds_fitted")] == 0))
    speed = done / (found[-1] - first)
    spent = time.process_time() - spent
    return {
        "trials_per_second": round(speed, 1),
        "non_converged": lost,
        "device": engines.device(),
        "dtype": "float64",
        "ratio_to_r": round(speed / workers / OF_R, 1),
        "trials_per_cpu_second": round(done / spent, 1) if engine == "jax" else None,
        "trials": done,
        "engine": engine,
        "workers": workers,
        "participants": case.participants,
        "visits": case.visits,
        "seconds_until_all_run": round(first - begun, 1),
    }


CASES = (Case(), Case(participants=172), Case(visits=3), Case(visits=8), Case(factors=2))


def simulate_rows(trials: int, engine: str, block: int) -> Iterator[Row]:
    """The rows of the table: the complete trial first, then larger ones."""
    for case in CASES:
        told = measured(case, trials, engine, block)
        size = f"{case.participants} x {case.visits}, {case.factors} strata factor(s), {engine}"
        note = f"{told['non_converged']} not converged, {told['ratio_to_r']:.0f} times R a core, {told['device']}"
        yield Row("complete simulated trials", size, f"{told['trials_per_second']:,.0f} trials/s", note=note)


def main() -> None:
    """Measure what is asked, as a table or as one JSON value."""
    parser = argparse.ArgumentParser(prog="python -m bench.simulate", description=__doc__)
    parser.add_argument("--trials", type=int, default=40_000)
    parser.add_argument("--engine", choices=("jax", "processes"), default="processes")
    parser.add_argument("--block", type=int, default=128, help="trials that are worked on together")
    parser.add_argument("--json", action="store_true", help="the complete trial alone, as one JSON value")
    options = parser.parse_args()
    if options.json:
        print(json.dumps(measured(Case(), options.trials, options.engine, options.block)))
        return
    print(render(simulate_rows(options.trials, options.engine, options.block)))


if __name__ == "__main__":
    main()
