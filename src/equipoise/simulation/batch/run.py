"""A whole simulation: scenarios made ready, work run by an engine, rows kept, characteristics worked out.

The rule that must stay true: the same study, people, seed and number of trials give the same characteristics, whatever
the engine, the memory and the number of times that a run was broken off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from equipoise.protocol.study import Study
from equipoise.simulation.batch import engines
from equipoise.simulation.batch.asked import Scenario, Simulation, load_simulation
from equipoise.simulation.batch.characteristics import Characteristics, Figure, characteristics
from equipoise.simulation.batch.chunks import (
    Results,
    all_missing,
    fitting_block,
    free_memory,
    open_results,
    results_bytes,
)
from equipoise.simulation.batch.hopeless import GivenUp, known, rounds
from equipoise.simulation.batch.larger import larger, reestimated, same_look
from equipoise.simulation.batch.numbers import Shape
from equipoise.simulation.batch.scenario import Prepared, Ready, prepare, ready, shape
from equipoise.simulation.batch.shelves import supply_figures
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
    """What came out, scenario by scenario in the order asked. given_up: points of the grid with fewer trials."""

    prepared: Prepared
    shape: Shape
    order: Order
    scenarios: Sequence[Ready]
    found: Mapping[str, Characteristics]
    results: Results
    reused: int
    given_up: Mapping[str, GivenUp]


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
    sizes = {one.id: larger(prepared, one) for one in scenarios}
    every = [*scenarios, *(each for one in sizes.values() for each in one)]
    compiled = shape(prepared, every)
    made = {one.id: ready(prepared, one, compiled) for one in every}
    if faults := tuple(one for one in made.values() if isinstance(one, Problem)):
        return faults
    able = {name: one for name, one in made.items() if isinstance(one, Ready)}
    families = {one.id: [able[each.id] for each in (one, *sizes[one.id])] for one in scenarios}
    late = {name: fault for name, family in families.items() if (fault := same_look(family)) is not None}
    if faults := tuple(
        fault for name, fault in late.items() if families[name][0].scenario.participants is None
    ):
        return faults
    families |= {
        name: families[name][:1] for name in late
    }  # a size of the order's own: it is not made larger
    given_up: dict[str, GivenUp] = {}
    each = [one for family in families.values() for one in family]
    run = _run(prepared, compiled, (each, order, given_up), told)
    if isinstance(run, Problem):
        return (run,)
    of_size = {family[0].participants: family[0] for family in families.values()}
    bags = {
        size: tuple(supply_figures(prepared, one, order.seed, order.trials)) for size, one in of_size.items()
    }
    found = {
        name: _measured(prepared, compiled, family, (run[0], known(family[0], run[0], given_up), bags))
        for name, family in families.items()
    }
    visible = [able[one.id] for one in scenarios]
    return Simulated(prepared, compiled, order, visible, found, run[0], run[1], given_up)


def _measured(
    prepared: Prepared, compiled: Shape, family: Sequence[Ready],
    what: tuple[Results, int, Mapping[int, Sequence[Figure]]],
) -> Characteristics:  # fmt: skip
    """All measures of a scenario; family: as planned, then larger. what: rows, how many count, bags by size."""
    results, count, bags = what
    one = family[0]
    base = characteristics(prepared, one, compiled, results.rows[one.digest][:, :count])
    more = [*reestimated(prepared, family, compiled, results.rows), *bags[one.participants]]
    return replace(base, figures={**base.figures, **{figure.name: figure for figure in more}})


def _run(
    prepared: Prepared, compiled: Shape, what: tuple[list[Ready], Order, dict[str, GivenUp]], told: Told
) -> tuple[Results, int] | Problem:
    """The rows, and how many of them an earlier run had left; what is given up is filled in."""
    able, order, given_up = what
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
    for kept, until in rounds(prepared, results, able, given_up):
        for piece, rows in engines.run(order.engine, all_missing(results, kept, block, until), workers):
            results.take(piece, rows)
            told(results.done, wanted)
    told(results.done, results.done)
    return results, reused
