"""A whole simulation: scenarios made ready, work run by an engine, rows kept, characteristics worked out.

The rule that must stay true: the same study, people, seed and number of trials give the same characteristics, whatever
the engine, the memory and the number of times that a run was broken off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from equipoise.protocol.study import Study
from equipoise.simulation.batch import engines
from equipoise.simulation.batch.asked import Scenario, Simulation, load_simulation
from equipoise.simulation.batch.characteristics import Characteristics, characteristics
from equipoise.simulation.batch.chunks import (
    Results,
    all_missing,
    fitting_block,
    free_memory,
    open_results,
    results_bytes,
)
from equipoise.simulation.batch.numbers import Shape
from equipoise.simulation.batch.scenario import Prepared, Ready, prepare, ready, shape
from equipoise.simulation.people import PeopleModel, load_people
from equipoise.words.problem import Problem, problem

PEOPLE = 2_000
"""People on whom moments are measured: a standard deviation is then known to 1.6 %."""
Told = Callable[[int, int], None]
"""Called with the trials done and those wanted."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted. trials: of each scenario. people: on whom moments are measured. memory: bytes; None: all."""

    trials: int
    seed: int
    engine: str = "jax"
    people: int = PEOPLE
    memory: int | None = None
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Simulated:
    """What came out, scenario by scenario in the order asked; grid: the points of the plot of power."""

    prepared: Prepared
    shape: Shape
    order: Order
    scenarios: Sequence[Ready]
    found: Mapping[str, Characteristics]
    results: Results
    reused: int


class Design(NamedTuple):
    """What is asked of a study, and the people of whom it is asked."""

    asked: Simulation
    people: PeopleModel


def read_design(folder: Path, study: Study) -> Design | tuple[Problem, ...]:
    """The simulation and the people of a study's folder."""
    people = load_people(folder, study)
    if isinstance(people, tuple):
        return people
    asked = load_simulation(folder, study, people)
    return Design(asked, people) if isinstance(asked, Simulation) else asked


def named(asked: Simulation, names: Sequence[str]) -> list[Scenario] | Problem:
    """The scenarios of those names, in the order of the file; all where none is named."""
    known = {one.id: one for one in asked.scenarios}
    for name in names:
        if name not in known:
            return problem("simulate.scenario-unknown", "--scenario", name=name, known=", ".join(known))
    return [one for one in asked.scenarios if not names or one.id in names]


def simulate(
    study: Study, design: Design, scenarios: Sequence[Scenario], order: Order,
    told: Told = lambda done, wanted: None,
) -> Simulated | tuple[Problem, ...]:  # fmt: skip
    """Run what has not been run, and work out the characteristics."""
    if (absent := engines.missing_engine(order.engine)) is not None:
        return (absent,)
    asked, people = design
    prepared = prepare(study, asked, people, scenarios, count=order.people)
    if isinstance(prepared, tuple):
        return prepared
    compiled = shape(prepared, list(scenarios))
    made = [ready(prepared, one, compiled) for one in scenarios]
    if faults := tuple(one for one in made if isinstance(one, Problem)):
        return faults
    able = [one for one in made if isinstance(one, Ready)]
    results = _run(compiled, able, order, told)
    if isinstance(results, Problem):
        return (results,)
    found = {
        one.scenario.id: characteristics(prepared, one, compiled, results[0].rows[one.digest]) for one in able
    }
    return Simulated(prepared, compiled, order, able, found, results[0], results[1])


def _run(compiled: Shape, able: Sequence[Ready], order: Order, told: Told) -> tuple[Results, int] | Problem:
    """The rows, and how many of them an earlier run had left."""
    workers = engines.cores() if order.engine == "processes" else 1
    memory = free_memory() if order.memory is None else order.memory
    held = results_bytes(compiled, able, order.trials)
    block = fitting_block(compiled, memory, workers, held)
    while isinstance(block, Problem) and workers > 1:  # fewer at a time before none at all
        workers -= 1
        block = fitting_block(compiled, memory, workers, held)
    if isinstance(block, Problem):
        return block
    results = open_results(compiled, able, seed=order.seed, trials=order.trials, folder=order.folder)
    if isinstance(results, Problem):
        return results
    reused, wanted = results.done, order.trials * len(results.rows)
    told(reused, wanted)
    for piece, rows in engines.run(order.engine, all_missing(results, able, block), workers):
        results.take(piece, rows)
        told(results.done, wanted)
    return results, reused
