"""`simulation.yaml` beside a study: what a batch simulation is asked, or every fault in it with its place.

The rules that must stay true: what cannot be (a share over 1, a scale whose lowest value is not the lowest, an unknown
endpoint, visit or scenario) is a Problem here, before anything is drawn; a study without the file is told to write it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from equipoise.protocol.notation import MAX_BYTES, Located, Steps, read_yaml
from equipoise.protocol.study import Study
from equipoise.simulation.batch.limits import limit_of
from equipoise.simulation.people import PeopleModel
from equipoise.words.problem import Problem, problem

FILE = "simulation.yaml"
GAPS_MOST = 5
"""Visits at most where some may be missed: 31 patterns of what was seen."""
Death = Literal["composite", "while-alive"]


class Part(BaseModel):
    """A part of the file: frozen, nothing unknown in it, no number that is not finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Scale(Part):
    """The endpoint's scale: `of` its name in the model of people; visits in order, one of them the endpoint's."""

    endpoint: str
    of: str
    baseline: str
    visits: tuple[str, ...] = Field(min_length=2, max_length=12)
    lowest: float
    highest: float


class Grades(Part):
    """The ordered endpoint; `number` counts death, its last grade. win_odds: they are compared by win odds, too."""

    endpoint: str
    of: str
    number: int = Field(ge=3, le=20)
    win_odds: bool = False


class Stratum(Part):
    """A factor of stratification: the upper level is where the quantity lies above the study's limit.

    times: by what the quantity is multiplied to be in the unit of the study's rule.
    """

    factor: str
    of: str
    times: float = Field(default=1.0, gt=0)


class Look(Part):
    """A look for futility: when so many have come to a visit; the conditional power below which a trial stops."""

    results: int = Field(ge=4)
    visit: str
    futility: float = Field(gt=0, lt=1)
    because: str


class Scenario(Part):
    """One scenario. leaving: the people's rate of leaving times this; pull: it goes with exp(pull change).

    missed: the chance that a visit is missed by somebody who has not left.
    participants: the study's target where none is named. death: the estimand's strategy.
    """

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    people: str
    participants: int | None = Field(default=None, ge=8, le=5_000)
    leaving: float = Field(default=1.0, ge=0, le=100)
    pull: float = Field(default=0.0, ge=-3, le=3)
    missed: float = Field(default=0.0, ge=0, lt=1)
    death: Death = "composite"


class Reestimation(Part):
    """At the look, a larger trial: sizes to choose from, and when (conditional power at least `low`, below `wanted`).

    weight: the first stage's share of the information in the combination test, fixed before the trial.
    """

    participants: tuple[int, ...] = Field(min_length=1, max_length=6)
    low: float = Field(gt=0, lt=1)
    wanted: float = Field(gt=0, lt=1)
    weight: float = Field(gt=0, lt=1)
    scenarios: tuple[str, ...] = Field(min_length=1)
    because: str


class Shelves(Part):
    """What the study's rule of supply does not say: days a shipment takes, days a unit keeps, units that fail."""

    lead_days: int = Field(ge=0, le=365)
    shelf_days: int = Field(ge=1, le=3_650)
    fails: float = Field(ge=0, lt=1)
    because: str


class Hopeless(Part):
    """A point of the grid is given up where its power is below `power`, but for a chance of `error`."""

    power: float = Field(gt=0, lt=1)
    error: float = Field(default=0.001, gt=0, lt=0.5)


class Grid(Part):
    """Sizes and rates of leaving for the plot of power."""

    people: str
    participants: tuple[int, ...] = Field(min_length=1, max_length=12)
    leaving: tuple[float, ...] = Field(default=(1.0,), min_length=1, max_length=4)
    hopeless: Hopeless | None = None

    def scenarios(self) -> Iterator[Scenario]:
        """Every point as a scenario."""
        for leaving in self.leaving:
            for size in self.participants:
                yield Scenario(
                    id=f"{self.people}-{size}-{leaving:g}",
                    people=self.people,
                    participants=size,
                    leaving=leaving,
                )


class Simulation(Part):
    """The whole file."""

    study: str
    scale: Scale
    grades: Grades
    strata: tuple[Stratum, ...] = Field(min_length=1, max_length=3)
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    look: Look | None = None
    scenarios: tuple[Scenario, ...] = Field(min_length=1)
    grid: Grid | None = None
    reestimation: Reestimation | None = None
    shelves: Shelves | None = None


def load_simulation(folder: Path, study: Study, people: PeopleModel) -> Simulation | tuple[Problem, ...]:
    """The file of a study folder, held against study and people; or what is wrong with it."""
    path = folder / FILE
    try:
        with path.open("rb") as file:
            read = read_yaml(file.read(MAX_BYTES + 1), FILE)
    except FileNotFoundError:
        return (problem("simulate.no-file", str(path), file=FILE, folder=folder),)
    except OSError:
        return (problem("protocol.file-unreadable", FILE),)
    return (read,) if isinstance(read, Problem) else read_simulation(read, study, people)


def read_simulation(read: Located, study: Study, people: PeopleModel) -> Simulation | tuple[Problem, ...]:
    """The file as it was read."""

    def where(path: Steps) -> str:
        place = next(
            (read.values[path[:n]] for n in range(len(path), -1, -1) if path[:n] in read.values), FILE
        )
        return f"{place} {'.'.join(str(step) for step in path)}".rstrip()

    try:
        found = Simulation.model_validate(read.value)
    except ValidationError as fault:
        return tuple(
            problem(
                "simulate.value",
                where(tuple(one["loc"])),
                found=str(one.get("input"))[:80],
                sign=_sign(one["type"]),
            )
            for one in fault.errors()[:20]
        )
    faults = [problem(rule, where(path), **told) for path, rule, told in _faults(found, study, people)]
    return tuple(faults) or found


def _sign(kind: str) -> str:
    """The library's kind of fault as a short sign that both languages read."""
    signs = {"missing": "∅", "extra_forbidden": "?", "greater_than": ">", "greater_than_equal": "≥"}
    return signs.get(kind, {"less_than": "<", "less_than_equal": "≤"}.get(kind, "≠"))


def _faults(
    found: Simulation, study: Study, people: PeopleModel
) -> Iterator[tuple[Steps, str, dict[str, object]]]:
    if found.study != study.id:
        yield ("study",), "virtual.other-study", {"found": found.study, "study": study.id}
    endpoints = {one.id: one for one in study.endpoints}
    for name, endpoint in (("scale", found.scale.endpoint), ("grades", found.grades.endpoint)):
        if endpoint not in endpoints:
            yield (
                (name, "endpoint"),
                "simulate.endpoint-unknown",
                {"endpoint": endpoint, "known": _listed(endpoints)},
            )
    visits = [visit.id for visit in study.schedule.visits if visit.day is not None]
    asked: list[tuple[Steps, str]] = [(("scale", "baseline"), found.scale.baseline)]
    asked += [(("scale", "visits", at), one) for at, one in enumerate(found.scale.visits)]
    if found.look is not None:
        asked.append((("look", "visit"), found.look.visit))
    for path, visit in asked:
        if visit not in visits:
            yield path, "simulate.visit-unknown", {"visit": visit, "known": _listed(visits)}
    main = endpoints.get(found.scale.endpoint)
    if main is not None and main.visit not in found.scale.visits:
        yield ("scale", "visits"), "simulate.endpoint-visit", {"endpoint": main.id, "visit": main.visit}
    if found.scale.lowest >= found.scale.highest:
        yield (
            ("scale",),
            "simulate.scale-empty",
            {"lowest": found.scale.lowest, "highest": found.scale.highest},
        )
    factors = [one.id for one in study.randomization.factors] if study.randomization is not None else []
    for at, one in enumerate(found.strata):
        if one.factor not in factors:
            yield (
                ("strata", at, "factor"),
                "simulate.factor-unknown",
                {"factor": one.factor, "known": _listed(factors)},
            )
        elif limit_of(study, one.factor) is None:
            yield ("strata", at, "factor"), "simulate.factor-limit", {"factor": one.factor}
    yield from _larger(found)
    if len(found.scale.visits) > GAPS_MOST and any(one.missed for one in found.scenarios):
        yield ("scale", "visits"), "simulate.gaps-visits", {"most": GAPS_MOST}
    names = {one.name for one in people.state} | {"w"}
    quantities: list[tuple[Steps, str]] = [
        (("scale", "of"), found.scale.of),
        (("grades", "of"), found.grades.of),
    ]
    quantities += [(("strata", at, "of"), one.of) for at, one in enumerate(found.strata)]
    for path, name in quantities:
        if name not in names:
            yield path, "simulate.quantity-unknown", {"name": name, "known": _listed(sorted(names))}
    scenarios: list[tuple[Steps, str]] = []
    scenarios += [(("scenarios", at, "people"), one.people) for at, one in enumerate(found.scenarios)]
    scenarios += [(("grid", "people"), found.grid.people)] if found.grid is not None else []
    for path, name in scenarios:
        if name not in people.scenarios:
            yield path, "simulate.people-unknown", {"name": name, "known": _listed(people.scenarios)}


def _larger(found: Simulation) -> Iterator[tuple[Steps, str, dict[str, object]]]:
    """A larger trial needs a look, scenarios that there are, and is decided below the power that is wanted."""
    asked = found.reestimation
    if asked is None:
        return
    if found.look is None:
        yield ("reestimation",), "simulate.reestimation-look", {}
    if asked.low >= asked.wanted:
        yield ("reestimation", "low"), "simulate.scale-empty", {"lowest": asked.low, "highest": asked.wanted}
    known = [one.id for one in found.scenarios]
    for at, name in enumerate(asked.scenarios):
        if name not in known:
            place = ("reestimation", "scenarios", at)
            yield place, "simulate.scenario-unknown", {"name": name, "known": _listed(known)}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
