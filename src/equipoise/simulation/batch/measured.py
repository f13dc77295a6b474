"""The moments of a study's virtual participants, as the batch simulation asks for them: measured, not assumed.

The rule that must stay true: every number of an outcome has one home, the model of people (`people.yaml`); what stands
in `simulation.yaml` is what people drawn from it showed, with their number and seed, and can be measured again.
Common random numbers: the same people in both arms and in every scenario, so that effects are differences of pairs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from equipoise.analysis.ops import Array
from equipoise.protocol.study import Study
from equipoise.simulation.people.chances import Chances
from equipoise.simulation.people.checks import BASE
from equipoise.simulation.people.course import course_of
from equipoise.simulation.people.definition import Carried, PeopleModel, Variable
from equipoise.simulation.people.moments import Lived, Nature
from equipoise.simulation.people.natures import draw_nature
from equipoise.words.problem import Problem

OPENS = dt.date(2026, 1, 5)


@dataclass(frozen=True, slots=True)
class Asked:
    """What to measure: scale and grades by their names in the model of people, baseline visit and later ones."""

    scale: str
    grades: str
    baseline: str
    visits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """N people: values (N, 1 + V) and grades (N, 1 + V) by scenario and arm; first entry of the visits is baseline.

    death, leaving: (N,) study days, infinite where it does not happen. other: names asked at baseline -> (N,).
    """

    values: Mapping[tuple[str, str], Array]
    grades: Mapping[tuple[str, str], Array]
    death: Array
    leaving: Array
    days: tuple[int, ...]
    other: Mapping[str, Array]


def measure(
    model: PeopleModel, study: Study, asked: Asked, runs: Sequence[tuple[str, str]], *, count: int, seed: int,
    other: Sequence[str] = (),
) -> Measured | Problem:  # fmt: skip
    """`count` people who may take part, seen at every visit in each of `runs` (scenario, arm)."""
    values: dict[tuple[str, str], list[list[float]]] = {run: [] for run in runs}
    grades: dict[tuple[str, str], list[list[float]]] = {run: [] for run in runs}
    ends: list[tuple[float, float]] = []
    others: dict[str, list[float]] = {name: [] for name in other}
    wanted = {asked.scale, asked.grades, *other}
    few = replace(model, state=_needed(model, wanted | set(model.screening.eligible.names)))
    for index in range(count):
        nature = draw_nature(few, study, runs[0][0], Chances(seed, str(index)), (study.sites[0].id, OPENS))
        if isinstance(nature, Problem):
            return nature
        ends.append(_ends(nature))
        start = _at(nature, study, asked.baseline, None)
        for name in other:
            others[name].append(start[name])
        for scenario, arm in runs:
            treated = Nature(
                few, study, scenario, nature.chances, nature.site, nature.zero,
                {**nature.variables, **model.scenarios[scenario]},
            )  # fmt: skip
            rows = [start, *(_at(treated, study, visit, arm) for visit in asked.visits)]
            values[scenario, arm].append([row[asked.scale] for row in rows])
            grades[scenario, arm].append([row[asked.grades] for row in rows])
    days = tuple(_day(study, visit) for visit in asked.visits)
    told = np.array(ends)
    return Measured(
        {run: np.array(each) for run, each in values.items()}, {run: np.array(each) for run, each in grades.items()},
        told[:, 0], told[:, 1], days, {name: np.array(each) for name, each in others.items()},
    )  # fmt: skip


def _needed(model: PeopleModel, wanted: set[str]) -> tuple[Variable, ...]:
    """The variables of a moment on which these names rest, in their order; a draw is the same without the others."""
    names, kept = {name.removeprefix(BASE) for name in wanted}, []
    for variable in reversed(model.state):
        if variable.name in names:
            kept.append(variable)
            if not isinstance(variable.draw, Carried):
                names |= {name.removeprefix(BASE) for name in variable.draw.names}
    return tuple(reversed(kept))


def _day(study: Study, visit: str) -> int:
    planned = study.visit(visit)
    if planned is None or planned.day is None:
        raise ValueError(visit)
    return planned.day


def _ends(nature: Nature) -> tuple[float, float]:
    """Study days of death and of leaving alive; infinite where it does not happen."""
    course = course_of(nature)
    left = [day for day in (course.withdrawal_day, course.lost_day) if day is not None]
    return (course.death_day or np.inf, min(left) if left else np.inf)


def _at(nature: Nature, study: Study, visit: str, arm: str | None) -> dict[str, float]:
    """The numbers of a person at a visit on its day; before treatment where no arm is named."""
    one = nature.zero + dt.timedelta(days=int(float(nature.variables["wait"])))
    lived, date = None, one
    if arm is not None:
        doses = study.supply.doses if study.supply is not None else ()
        given = course_of(nature).doses
        lived = Lived(
            arm,
            tuple(
                one + dt.timedelta(days=_day(study, dose.visit) - 1)
                for dose in doses
                if given.get(dose.id, 0) > 0
            ),
        )
        date = one + dt.timedelta(days=_day(study, visit) - 1)
    marks = dict.fromkeys(nature.model.events.marks, 0.0) if nature.model.events is not None else {}
    found = nature.at(visit, date, lived, marks)
    return {name: float(value) for name, value in found.items() if isinstance(value, int | float)}
