"""From people who were measured to the numbers of a compiled trial, scenario by scenario.

The rules that must stay true: the shape is the same for every scenario of a study; the digest of a scenario is that of
its numbers, so that results are used again only for the same numbers. No JAX here.
Sources: polyserial correlation, Olsson, Drasgow and Dorans 1982; leaving and death as products of chances to stay,
Kaplan and Meier 1958.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from equipoise.analysis.ops import Array, Places
from equipoise.oversight.forecast import MONTH_DAYS
from equipoise.protocol.study import Study
from equipoise.randomization.methods import in_order, method_of
from equipoise.simulation.arms import control_arm
from equipoise.simulation.batch.asked import Scenario, Simulation, Stratum
from equipoise.simulation.batch.limits import limit_of
from equipoise.simulation.batch.lists import Slots, slots
from equipoise.simulation.batch.measured import Asked, Measured, measure
from equipoise.simulation.batch.numbers import Numbers, Shape
from equipoise.simulation.people import PeopleModel
from equipoise.simulation.people.definition import Accrual
from equipoise.words.problem import Problem, problem

SEED = 20_260_105
"""Of the people on whom moments are measured: the trials of two seeds are of the same scenario."""
READ = 12
"""People who must have come to a visit for a look to analyse it."""
FEWEST = 200
"""People on whom moments may rest: with fewer, a correlation is known to no better than 0.07."""


def planned_size(study: Study) -> int:
    """How many a study wants to take in; 100 where it says nothing."""
    return study.design.target or study.design.cap or 100


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that scenarios of a study share. days of the visits; rate: participants a day; better: 1 or -1."""

    study: Study
    asked: Simulation
    people: Measured
    control: str
    active: str
    days: tuple[int, ...]
    rate: float
    better: int
    after_death: float
    accrual: Accrual

    @property
    def target(self) -> int:
        """The study's own number of participants."""
        return planned_size(self.study)

    @property
    def endpoint(self) -> int:
        """The index of the endpoint's visit."""
        visits = {one.id: one.visit for one in self.study.endpoints}
        return self.asked.scale.visits.index(str(visits[self.asked.scale.endpoint]))


@dataclass(frozen=True, slots=True)
class Ready:
    """A scenario that can be run: its numbers, their digest, and what the look and the end mean in time.

    enrolled: participants who have come in at each look. duration: days from the first participant to each look.
    """

    scenario: Scenario
    participants: int
    numbers: Numbers
    digest: str
    enrolled: tuple[int, ...]
    duration: tuple[float, ...]


def prepare(
    study: Study, asked: Simulation, model: PeopleModel, scenarios: Sequence[Scenario], *, count: int
) -> Prepared | tuple[Problem, ...]:
    """Draw and measure `count` people, the same for every seed of trials."""
    found = _arms(study)
    if isinstance(found, Problem):
        return (found,)
    if count < FEWEST:
        return (problem("simulate.too-few-people", "--people", count=count, fewest=FEWEST),)
    active, control = found
    scale = asked.scale
    every = dict.fromkeys(one.people for one in scenarios)
    runs = [(next(iter(every)), control)]
    runs += [(name, active) for name in every]
    people = measure(
        model, study, Asked(scale.of, asked.grades.of, scale.baseline, scale.visits), runs, count=count, seed=SEED,
        other=[one.of for one in asked.strata],
    )  # fmt: skip
    if isinstance(people, Problem):
        return (people,)
    recruited = study.design.recruitment
    months = recruited.months if recruited is not None else 12
    variable = {one.id: one.variable for one in study.endpoints}[scale.endpoint]
    rule = study.analysis.parameter(str(variable))
    return Prepared(
        study, asked, people, control, active, people.days, planned_size(study) / (months * MONTH_DAYS),
        -1 if rule is not None and rule.better == "lower" else 1,
        float(rule.after_death) if rule is not None and rule.after_death is not None else scale.lowest,
        model.accrual,
    )  # fmt: skip


def _arms(study: Study) -> tuple[str, str] | Problem:
    """The active arm and the control."""
    arms = [arm.id for arm in study.arms]
    control = control_arm(study)
    if len(arms) != 2 or control not in arms:
        return problem("simulate.two-arms", "arms", arms=", ".join(arms), control=control)
    return next(arm for arm in arms if arm != control), control


def shape(prepared: Prepared, scenarios: list[Scenario]) -> Shape:
    """What a program is compiled for, so that it serves all these scenarios."""
    sizes = [one.participants or prepared.target for one in scenarios]
    visits = len(prepared.days)
    early = _visits_at_look(prepared, min(sizes))
    return Shape(
        most=max(sizes), visits=visits, factors=len(prepared.asked.strata), endpoint=prepared.endpoint,
        grades=prepared.asked.grades.number, included=(early, visits) if early is not None else (visits,),
        depends=any(one.pull for one in scenarios), wins=prepared.asked.grades.win_odds,
        gaps=any(one.missed for one in scenarios),
    )  # fmt: skip


def _visits_at_look(prepared: Prepared, size: int) -> int | None:
    """Visits that enough people have come to at the look of a trial of this size; None where there is no look."""
    if prepared.asked.look is None:
        return None
    entry, time = np.arange(size) / prepared.rate, _look_day(prepared, size)
    come = [int(np.sum(entry + day <= time + 1e-9)) for day in prepared.days]
    return max(prepared.endpoint + 1, sum(count >= READ for count in come))


def _look_day(prepared: Prepared, size: int) -> float:
    """Days from the first participant to the look."""
    look = prepared.asked.look
    if look is None:
        raise ValueError("no look is asked")
    visit = prepared.asked.scale.visits.index(look.visit)
    return (min(look.results, size) - 1) / prepared.rate + prepared.days[visit]


def ready(prepared: Prepared, scenario: Scenario, compiled: Shape) -> Ready | Problem:
    """The numbers of one scenario."""
    size = scenario.participants or prepared.target
    table = _list(prepared, size)
    if isinstance(table, Problem):
        return table
    base_run = next(iter(prepared.people.values))
    run = (scenario.people, prepared.active)
    values, moved = prepared.people.values[base_run], prepared.people.values[run]
    correlation = np.corrcoef(values.T)
    stay, live = _kept(prepared.people.leaving, prepared.days), _kept(prepared.people.death, prepared.days)
    start, end = prepared.people.grades[base_run], prepared.people.grades[base_run]
    other_end = prepared.people.grades[run]
    at, levels = prepared.endpoint + 1, prepared.asked.grades.number - 1
    factors = [_factor(prepared, one, values[:, 0]) for one in prepared.asked.strata]
    reached, enrolled, duration = _looks(prepared, size, compiled)
    numbers = Numbers(
        participants=np.int32(size), mean=values.mean(axis=0), sd=values.std(axis=0, ddof=1),
        root=np.linalg.cholesky(correlation), effect=(moved - values).mean(axis=0)[1:],
        lowest=np.float64(prepared.asked.scale.lowest), highest=np.float64(prepared.asked.scale.highest),
        unit=np.float64(values[:, at].std(ddof=1)), factor_limit=np.array([one[0] for one in factors]),
        factor_pull=np.array([one[1] for one in factors]), stay=np.tile(stay**scenario.leaving, (2, 1)),
        live=np.tile(live, (2, 1)), missed=np.full(len(prepared.days), scenario.missed), pull=np.float64(scenario.pull),
        composite=np.float64(scenario.death == "composite"), after_death=np.float64(prepared.after_death),
        grade_start=_limits(start[:, 0], levels),
        grade_limits=np.stack([_limits(end[:, at], levels), _limits(other_end[:, at], levels)]),
        grade_pull=np.array([_polyserial(start[:, 0], values[:, 0]), _polyserial(end[:, at], values[:, at])]),
        reached=reached.astype(np.int32), slot_limits=table[0].limits, slot_arms=table[0].arms,
        slot_after=table[0].after, active=np.int32(table[1]),
    )  # fmt: skip
    return Ready(scenario, size, numbers, digest(numbers, compiled), enrolled, duration)


def digest(numbers: Numbers, compiled: Shape) -> str:
    """SHA-256 over shape and numbers, names included."""
    told = hashlib.sha256(repr(compiled).encode())
    for name, value in zip(numbers._fields, numbers, strict=True):
        array = np.ascontiguousarray(value)
        told.update(f"{name} {array.dtype} {array.shape} ".encode() + array.tobytes())
    return told.hexdigest()


def _list(prepared: Prepared, size: int) -> tuple[Slots, int] | Problem:
    chosen = in_order(prepared.study)
    if chosen is None:
        return problem("vault.nothing-to-allocate", "randomization")
    method = method_of(chosen, size)
    if isinstance(method, Problem):
        return method
    try:
        table = slots(method, size)
    except ValueError as fault:
        return problem("simulate.list", "randomization", reason=fault)
    return table, list(chosen.ratio).index(prepared.active)


def _kept(days: Array, visits: tuple[int, ...]) -> Array:
    """(V,) the share of those who were there until the visit before who still are at this one."""
    there = np.array([np.mean(days >= day) for day in (0, *visits)])
    return np.asarray(np.clip(there[1:] / there[:-1], 1e-12, 1.0), np.float64)


def _limits(grades: Array, levels: int) -> Array:
    """Thresholds of a standard normal for the shares of the grades 0 … levels - 1, half a person added to each."""
    counts = np.bincount(np.clip(grades, 0, levels - 1).astype(int), minlength=levels) + 0.5
    return np.asarray(special.ndtri(np.cumsum(counts)[:-1] / counts.sum()), np.float64)


def _polyserial(grades: Array, values: Array) -> float:
    """The correlation of the normal quantity behind the grades with the values; in two steps."""
    levels = int(grades.max()) + 1
    limits = _limits(grades, levels)
    slope = float(np.sum(np.exp(-(limits**2) / 2.0)) / math.sqrt(2.0 * math.pi))
    found = float(np.corrcoef(grades, values)[0, 1]) * float(grades.std()) / slope if levels > 1 else 0.0
    return float(np.clip(found, -0.98, 0.98))


def _factor(prepared: Prepared, one: Stratum, baseline: Array) -> tuple[float, float]:
    """Threshold and correlation with the baseline of a factor of stratification."""
    limit = limit_of(prepared.study, one.factor)
    if limit is None:
        raise ValueError(one.factor)
    upper = (one.times * prepared.people.other[one.of] > limit).astype(float)
    return float(_limits(upper, 2)[0]), _polyserial(upper, baseline)


def _looks(
    prepared: Prepared, size: int, compiled: Shape
) -> tuple[Places, tuple[int, ...], tuple[float, ...]]:
    """(K, most) visits reached; participants enrolled and days passed at each look. People come in evenly."""
    entry = np.arange(compiled.most) / prepared.rate
    end = (size - 1) / prepared.rate + prepared.days[-1]
    times = [end] if prepared.asked.look is None else [_look_day(prepared, size), end]
    reached = np.stack(
        [np.sum([entry + day <= time + 1e-9 for day in prepared.days], axis=0) for time in times]
    ).astype(np.intp)
    reached[-1] = len(prepared.days)
    enrolled = tuple(min(size, int(np.sum(entry <= time))) for time in times)
    return reached, enrolled, tuple(float(time) for time in times)
