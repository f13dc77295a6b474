"""What a model of people implies: the moments that it is held to, by simulation, beside what they should be.

The rules that must stay true: people are drawn as a rehearsal draws them, only without those who fail screening; every
moment comes with the standard error of its simulation, so that a table can be read without knowing how many were drawn.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import correlation, fmean, stdev

from equipoise.analysis import fit_ordinal
from equipoise.protocol.study import Study
from equipoise.simulation.people.chances import Chances
from equipoise.simulation.people.course import course_of
from equipoise.simulation.people.definition import PeopleModel, Target
from equipoise.simulation.people.events import draw_events
from equipoise.simulation.people.formula import Value
from equipoise.simulation.people.moments import Lived, Nature
from equipoise.simulation.people.natures import draw_nature
from equipoise.words.problem import Problem

Moment = Mapping[str, Value]
_ZERO = dt.date(2026, 3, 2)


@dataclass(frozen=True, slots=True)
class Implied:
    """One target with what the model gives: `found` and the standard error of the simulation, `error`."""

    target: Target
    found: float
    error: float

    @property
    def off(self) -> float:
        """How far the model lies from the target."""
        return self.found - self.target.value

    def holds(self, errors: float = 3.0) -> bool:
        """Whether the model is as near as it is meant to be, beside so many errors of the simulation."""
        return abs(self.off) <= self.target.within + errors * self.error


def implied(model: PeopleModel, study: Study, people: int, seed: int) -> tuple[Implied, ...] | Problem:
    """Every target of a model, by drawing so many eligible people (at least 2)."""
    scenario = next(
        (name for name, values in model.scenarios.items() if not any(values.values())), model.default
    )
    natures = []
    for index in range(people):
        drawn = draw_nature(model, study, scenario, Chances(seed, str(index)), (study.sites[0].id, _ZERO))
        if isinstance(drawn, Problem):
            return drawn
        natures.append(drawn)
    moments = _Moments(natures)
    return tuple(_judge(target, moments) for target in model.targets)


class _Moments:
    """The people at their visits, each looked at once; of a moment only what the targets ask for is kept."""

    def __init__(self, natures: Sequence[Nature]) -> None:
        self.natures = natures
        self.model, self.study = natures[0].model, natures[0].study
        self._known: dict[tuple[str, str, str], list[Moment]] = {}
        asked = [one for target in self.model.targets for one in (target.of, target.with_) if one is not None]
        state = {variable.name for variable in self.model.state} | set(natures[0].variables)
        self.asked = frozenset().union(*(one.names for one in asked)) & state

    def at(self, visit: str, scenario: str = "", arm: str = "") -> list[Moment]:
        """Everybody at a visit on its planned day, in a scenario and arm; without treatment where none is named."""
        key = (visit, scenario, arm)
        if key not in self._known:
            found = (self._moment(nature, *key) for nature in self.natures)
            self._known[key] = [{name: moment[name] for name in self.asked} for moment in found]
        return self._known[key]

    def _moment(self, nature: Nature, visit: str, scenario: str, arm: str) -> Moment:
        planned = self.study.visit(visit)
        one = nature.zero + dt.timedelta(days=int(float(nature.variables["wait"])))
        day = planned.day if planned is not None and planned.day is not None else 1
        date = one + dt.timedelta(days=day - 1 if day > 0 else day)
        if not scenario:
            return nature.at(visit, date, None, self._marks())
        variables = {**nature.variables, **self.model.scenarios[scenario]}
        treated = Nature(
            self.model, self.study, scenario, nature.chances, nature.site, nature.zero, variables
        )
        return treated.at(visit, date, Lived(arm, (one,)), self._marks())

    def _marks(self) -> dict[str, float]:
        return dict.fromkeys(self.model.events.marks, 0.0) if self.model.events is not None else {}

    def events(self, target: Target) -> Iterator[float]:
        """1 for everybody who has an event for which the target's condition holds; both doses on their planned days."""
        active, other = self.active()
        arm = active if target.scenario == "active" else other
        for nature in self.natures:
            one = nature.zero + dt.timedelta(days=int(float(nature.variables["wait"])))
            lived = Lived(arm, (one, one + dt.timedelta(days=7)))
            found = draw_events(nature, course_of(nature), lived)
            yield float(any(target.of.number(event.names) for event in found))

    def active(self) -> tuple[str, str]:
        """The arm whose values are greatest, and the other."""
        order = sorted(self.model.arms, key=lambda arm: sum(self.model.arms[arm].values()))
        return order[-1], order[0]


def _judge(target: Target, moments: _Moments) -> Implied:
    match target.measured:
        case "difference":
            active, other = moments.active()
            pairs = zip(
                _values(target, moments.at(target.at, target.scenario or "", active)),
                _values(target, moments.at(target.at, target.scenario or "", other)),
                strict=True,
            )
            gains = [one - two for one, two in pairs]
            return Implied(target, fmean(gains), _error(gains))
        case "odds":
            return _odds(target, moments)
        case "events":
            return _share(target, list(moments.events(target)))
        case "correlation":
            return _correlated(target, moments)
        case "share":
            return _share(target, list(_changes(target, moments)))
        case "mean":
            values = list(_changes(target, moments))
            return Implied(target, fmean(values), _error(values))
        case "sd":
            values = list(_changes(target, moments))
            return Implied(target, stdev(values), stdev(values) / math.sqrt(2 * (len(values) - 1)))


def _share(target: Target, holds: Sequence[float]) -> Implied:
    found = fmean(holds)
    return Implied(target, found, math.sqrt(max(found * (1 - found), 1e-4) / len(holds)))


def _odds(target: Target, moments: _Moments) -> Implied:
    """The common odds ratio of a lower grade under treatment, by the analysis room's cumulative logits."""
    active, other = moments.active()
    scenario = target.scenario or ""
    one = _values(target, moments.at(target.at, scenario, active))
    two = _values(target, moments.at(target.at, scenario, other))
    counts = Counter([*((1, value) for value in one), *((0, value) for value in two)])
    table = {
        "ARM": [float(arm) for arm, _ in counts],
        "GRADE": [value for _, value in counts],
        "COUNT": [float(count) for count in counts.values()],
    }
    fitted = fit_ordinal(table, "GRADE ~ ARM", frequency="COUNT", join_empty=True)
    if isinstance(fitted, tuple):
        return Implied(target, math.nan, math.nan)
    found = fitted.odds_ratio("ARM", of="lower")
    return Implied(target, found.ratio, found.ratio * found.log_se)


def _values(target: Target, at: Sequence[Moment]) -> list[float]:
    return [target.of.number(moment) for moment in at]


def _changes(target: Target, moments: _Moments) -> Iterator[float]:
    """The target's value of each person, or its change since another visit.

    A condition on a change is asked of a scope in which every number is the change.
    """
    after = moments.at(target.at)
    if target.since is None:
        yield from _values(target, after)
        return
    for late, early in zip(after, moments.at(target.since), strict=True):
        names = target.of.names
        yield target.of.number({name: float(late[name]) - float(early[name]) for name in names})


def _correlated(target: Target, moments: _Moments) -> Implied:
    other = target.with_ if target.with_ is not None else target.of
    one = _values(target, moments.at(target.at))
    two = [other.number(moment) for moment in moments.at(target.with_at or target.at)]
    found = correlation(one, two)
    return Implied(target, found, (1 - found**2) / math.sqrt(len(one) - 1))


def _error(values: Sequence[float]) -> float:
    return stdev(values) / math.sqrt(len(values))
