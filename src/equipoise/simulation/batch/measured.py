"""The moments of a study's virtual participants, as the batch simulation asks for them: measured, not assumed.

The rule that must stay true: every number of an outcome has one home, the model of people (`people.yaml`); what stands
in `simulation.yaml` is what people drawn from it showed, with their number and seed, and can be measured again.
Common random numbers: the same people in both arms and in every scenario, so that effects are differences of pairs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from equipoise.analysis.ops import Array
from equipoise.protocol.study import Study
from equipoise.simulation.people import Lived, PeopleModel, VirtualParticipant, draw_participant

OPENS = dt.date(2026, 1, 5)


@dataclass(frozen=True, slots=True)
class Asked:
    """What to measure: the name of the scale and of the grades in the model of people, baseline visit and later ones.

    stratum: name -> formula-free limit: a person is in the upper level where the model's value is above the limit.
    """

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
) -> Measured:  # fmt: skip
    """`count` people who may take part, seen at every visit in each of `runs` (scenario, arm)."""
    values: dict[tuple[str, str], list[list[float]]] = {run: [] for run in runs}
    grades: dict[tuple[str, str], list[list[float]]] = {run: [] for run in runs}
    ends: list[tuple[float, float]] = []
    others: dict[str, list[float]] = {name: [] for name in other}
    index = found = 0
    while found < count:
        for at, (scenario, arm) in enumerate(runs):
            person = draw_participant(model, study, scenario, seed, index, OPENS)
            if not isinstance(person, VirtualParticipant):
                raise ValueError(person[0].say() if isinstance(person, tuple) else str(person))
            if person.fails is not None:
                break
            rows = _seen(person, study, asked, arm)
            values[scenario, arm].append([row[asked.scale] for row in rows])
            grades[scenario, arm].append([row[asked.grades] for row in rows])
            if at == 0:
                found += 1
                for name in other:
                    others[name].append(float(rows[0][name]))
                ends.append(_ends(person))
        index += 1
    days = tuple(_day(study, visit) for visit in asked.visits)
    told = np.array(ends)
    return Measured(
        {run: np.array(each) for run, each in values.items()}, {run: np.array(each) for run, each in grades.items()},
        told[:, 0], told[:, 1], days, {name: np.array(each) for name, each in others.items()},
    )  # fmt: skip


def _day(study: Study, visit: str) -> int:
    planned = study.visit(visit)
    if planned is None or planned.day is None:
        raise ValueError(visit)
    return planned.day


def _ends(person: VirtualParticipant) -> tuple[float, float]:
    course = person.course
    left = [day for day in (course.withdrawal_day, course.lost_day) if day is not None]
    return (course.death_day or np.inf, min(left) if left else np.inf)


def _seen(person: VirtualParticipant, study: Study, asked: Asked, arm: str) -> list[dict[str, float]]:
    doses = study.supply.doses if study.supply is not None else ()
    given = tuple(
        person.day_one + dt.timedelta(days=_day(study, dose.visit) - 1)
        for dose in doses
        if person.course.doses.get(dose.id, 0) > 0
    )
    marks = dict.fromkeys(person.nature.model.events.marks, 0.0) if person.nature.model.events else {}
    rows = []
    for visit in (asked.baseline, *asked.visits):
        before = visit == asked.baseline
        date = person.day_one if before else person.day_one + dt.timedelta(days=_day(study, visit) - 1)
        found = person.nature.at(visit, date, None if before else Lived(arm, given), marks)
        rows.append({name: float(value) for name, value in found.items() if isinstance(value, int | float)})
    return rows
