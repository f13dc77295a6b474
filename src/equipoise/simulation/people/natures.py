"""Drawing who comes: a person's variables and course, until somebody is eligible, or fails as wanted.

The rule that must stay true: attempt a of person k has chances of its own, so what others draw changes nobody.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from equipoise.protocol.study import Study
from equipoise.simulation.people.chances import Chances
from equipoise.simulation.people.course import draw_course
from equipoise.simulation.people.definition import Carried, Failure, PeopleModel
from equipoise.simulation.people.formula import Value
from equipoise.simulation.people.moments import Nature, plain
from equipoise.words.problem import Problem, problem

ATTEMPTS = 2000
"""How many people may come before one is found who is eligible, or fails as wanted."""


def draw_nature(
    model: PeopleModel, study: Study, scenario: str, chances: Chances, at: tuple[str, dt.date]
) -> Nature | Problem:
    """An eligible person who comes to a site on a day. `chances.person` is the index of the person."""
    return _found(model, study, scenario, chances, at, None)


def draw_failing(
    model: PeopleModel, study: Study, scenario: str, chances: Chances, at: tuple[str, dt.date]
) -> tuple[Nature, Failure | None] | Problem:
    """A person who comes, and how they fail screening; None where they are eligible."""
    failure = _failure(model, chances)
    nature = _found(model, study, scenario, chances, at, failure)
    return nature if isinstance(nature, Problem) else (nature, failure)


def _failure(model: PeopleModel, chances: Chances) -> Failure | None:
    if chances.uniform("fails") >= model.screening.fails:
        return None
    failures = model.screening.failures
    left = chances.uniform("fails by") * sum(failure.share for failure in failures)
    for failure in failures:
        left -= failure.share
        if left < 0:
            return failure
    return failures[-1]


def _found(
    model: PeopleModel,
    study: Study,
    scenario: str,
    chances: Chances,
    at: tuple[str, dt.date],
    failure: Failure | None,
) -> Nature | Problem:
    if scenario not in model.scenarios:
        return problem("virtual.scenario", scenario, scenario=scenario, known=", ".join(model.scenarios))
    site, zero = at
    for attempt in range(ATTEMPTS):
        own = Chances(chances.seed, f"{chances.person}.{attempt}")
        nature = Nature(
            model, study, scenario, own, site, zero, _variables(model, scenario, site, own, failure)
        )
        if _taken(nature, failure):
            return nature
    return problem("virtual.nobody-eligible", "screening", attempts=ATTEMPTS)


def _variables(
    model: PeopleModel, scenario: str, site: str, chances: Chances, failure: Failure | None
) -> Mapping[str, Value]:
    variables: dict[str, Value] = {**model.scenarios[scenario], "site": site}
    for variable in model.person:
        own = failure.set.get(variable.name) if failure is not None else None
        draw = own if own is not None else variable.draw
        if isinstance(draw, Carried):
            raise TypeError(f"{variable.name}: what is carried from visit to visit is of a moment")
        variables[variable.name] = plain(draw.draw(chances, variable.name, variables))
    return variables | draw_course(model, chances, variables)


def _taken(nature: Nature, failure: Failure | None) -> bool:
    """Whether the person is as wanted at each visit before treatment."""
    screening = nature.model.screening
    wanted = failure.accept if failure is not None and failure.accept is not None else screening.eligible
    marks = dict.fromkeys(nature.model.events.marks, 0.0) if nature.model.events is not None else {}
    for visit in screening.visits:
        scope = nature.at(visit, nature.screened(visit), None, marks)
        if not wanted.number(scope):
            return False
    return True
