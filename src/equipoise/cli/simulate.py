"""`equipoise simulate DIR --trials N --seed S --scenario NAME …`: many trials of a study, and what they show.

The same study, people, seed and number of trials give the same bytes, whatever the engine. With `-o` the rows of the
trials are kept as they come, and a run that was broken off goes on where it was.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from equipoise.cli.answer import Answer, done, refused, told
from equipoise.words.canonical import Json
from equipoise.words.problem import Problem, problem

if TYPE_CHECKING:
    from equipoise.simulation.batch.asked import Scenario, Simulation
    from equipoise.simulation.batch.characteristics import Characteristics
    from equipoise.simulation.batch.run import Simulated

MOST = 100_000_000


def declare(subjects: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    command = subjects.add_parser("simulate", help="run many trials of a study that never happened")
    command.add_argument(
        "study", type=Path, metavar="DIR", help="a study folder with people.yaml and simulation.yaml"
    )
    command.add_argument("--trials", type=int, required=True, metavar="N", help="of each scenario")
    command.add_argument("--seed", type=int, required=True, metavar="S")
    command.add_argument(
        "--scenario",
        action="append",
        default=[],
        metavar="NAME[,NAME…]",
        help="of simulation.yaml; all where none is named",
    )
    command.add_argument(
        "--participants", type=int, metavar="N", help="in place of the study's number; not of the grid's"
    )
    command.add_argument(
        "--leaving", type=float, metavar="TIMES", help="the rate of leaving, times this; not in the grid"
    )
    command.add_argument(
        "--death", choices=("composite", "while-alive"), help="in place of each scenario's strategy"
    )
    command.add_argument("--grid", action="store_true", help="power by size and rate of leaving, too")
    command.add_argument("--engine", choices=("jax", "processes", "ray"), default="jax")
    command.add_argument("--people", type=int, metavar="N", help="people on whom moments are measured")
    command.add_argument(
        "--memory", type=int, metavar="MIB", help="at most so much memory; what is free otherwise"
    )
    command.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="rows, tables and the report; a run goes on there"
    )
    command.add_argument("--json", action="store_true", help="print one JSON value")
    command.set_defaults(run=_simulate)


def _simulate(options: argparse.Namespace) -> Answer:
    from equipoise.protocol.load import load_study
    from equipoise.protocol.study import Study
    from equipoise.simulation.batch.run import PEOPLE, Design, Order, read_design, simulate

    for name, value, most in (("--trials", options.trials, MOST), ("--seed", options.seed, 2**32 - 1)):
        if not (0 if name == "--seed" else 1) <= value <= most:
            return refused((problem("simulate.out-of-range", name, found=value, most=most),))
    study = load_study(options.study)
    if not isinstance(study, Study):
        return refused(study)
    design = read_design(options.study, study)
    if not isinstance(design, Design):
        return refused(design)
    scenarios = _scenarios(options, design.asked)
    if isinstance(scenarios, Problem):
        return refused((scenarios,))
    order = Order(
        options.trials, options.seed, options.engine, PEOPLE if options.people is None else options.people,
        None if options.memory is None else options.memory * 2**20, options.output,
    )  # fmt: skip
    found = simulate(study, design, scenarios, order, _progress)
    if isinstance(found, tuple):
        return refused(found)
    files = _written(found) if options.output is not None else ()
    return done(
        _json(found, files), *_lines(found), *(told("simulate.told-file", path=path) for path in files)
    )


def _scenarios(options: argparse.Namespace, asked: Simulation) -> list[Scenario] | Problem:
    """Those that are named, as the options change them, and the points of the grid with their own sizes and rates."""
    from pydantic import ValidationError

    from equipoise.simulation.batch.run import named

    names = [name.strip() for given in options.scenario for name in given.split(",") if name.strip()]
    found = named(asked, names)
    if isinstance(found, Problem):
        return found
    death = {"death": options.death} if options.death is not None else {}
    sized = {name: getattr(options, name) for name in ("participants", "leaving")}
    changes = death | {name: value for name, value in sized.items() if value is not None}
    points = list(asked.grid.scenarios()) if options.grid and asked.grid is not None else []
    try:
        return [
            *(one.model_validate(one.model_dump() | changes) for one in found),
            *(one.model_validate(one.model_dump() | death) for one in points),
        ]
    except ValidationError as fault:
        first = fault.errors()[0]
        return problem("simulate.value", f"--{first['loc'][0]}", found=first.get("input"), sign="≠")


def _progress(done_: int, wanted: int) -> None:
    if sys.stderr is not None and sys.stderr.isatty():
        sys.stderr.write(f"\r{done_:,} / {wanted:,}" + ("\n" if done_ >= wanted else ""))
        sys.stderr.flush()


def _written(found: Simulated) -> tuple[str, ...]:
    from equipoise.documents.report_files import write_briefs, write_report_files
    from equipoise.simulation.batch.brief import brief_report
    from equipoise.simulation.batch.report import simulation_report
    from equipoise.simulation.batch.tables import write_tables

    if found.order.folder is None:
        return ()
    folder = found.order.folder
    tables = list(write_tables(found))
    brief = write_briefs(brief_report(found), folder)
    return tuple(
        str(path) for path in (*tables, *brief, *write_report_files(simulation_report(found), folder))
    )


def _json(found: Simulated, files: tuple[str, ...]) -> Json:
    from equipoise.simulation.batch.tables import value_of

    return {
        "study": found.prepared.study.id,
        "seed": found.order.seed,
        "trials": found.order.trials,
        "people": found.order.people,
        "dtype": "float64",
        "scenarios": [value_of(found, one) for one in found.scenarios],
        "files": list(files),
    }


def _lines(found: Simulated) -> list[str]:
    lines = [told("simulate.told-head", trials=f"{found.order.trials:,}", seed=found.order.seed)]
    return lines + [_line(found.found[one.scenario.id]) for one in found.scenarios]


def _line(one: Characteristics) -> str:
    def said(name: str, percent: bool = True) -> str:  # noqa: FBT001, FBT002  # a shorthand of this function alone
        figure = one[name]
        scale = 100.0 if percent else 1.0
        return f"{scale * figure.value:.2f}{figure.bracket(scale)}"

    return told(
        "simulate.told-scenario", name=one.scenario, participants=one.participants, rejects=said("rejects"),
        odds=said("odds_rejects"), effect=said("effect", percent=False), covers=said("covers"),
        lost=int(one["not_converged"].value + one["odds_not_converged"].value),
    )  # fmt: skip
