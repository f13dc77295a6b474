"""A person at a moment: the variables of the model at one visit or day, for one arm.

The rules that must stay true: a moment is a pure function of person, arm, doses, visit and day; chances are those of
the visit, so the arm changes nothing but what the model says it changes; what is carried from visit to visit depends
on the visits before and on nothing after.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from equipoise.protocol.study import Study
from equipoise.protocol.windows import day_of
from equipoise.simulation.people.chances import Chances
from equipoise.simulation.people.checks import BASE
from equipoise.simulation.people.definition import Carried, PeopleModel
from equipoise.simulation.people.draws import Drawn, Missing
from equipoise.simulation.people.formula import Value

NEVER = 1e6
"""A day that does not come."""


@dataclass(frozen=True, slots=True)
class Lived:
    """What was done with a person: the arm, and the dates on which the doses were given, in order."""

    arm: str
    doses: tuple[dt.date, ...] = ()


@dataclass(frozen=True, slots=True)
class Nature:
    """A person before anything happens to them: variables and course, on their own axis of days (0 is screening).

    `untreated`: the arm whose values hold where no arm matters (before treatment).
    """

    model: PeopleModel
    study: Study
    scenario: str
    chances: Chances
    site: str
    zero: dt.date
    variables: Mapping[str, Value]
    _base: dict[str, Value] = field(default_factory=dict)

    def day(self, date: dt.date) -> int:
        """A date on the person's axis."""
        return (date - self.zero).days

    def at(
        self, visit: str, date: dt.date, lived: Lived | None, marks: Mapping[str, float]
    ) -> dict[str, Value]:
        """Every name that formulas may ask at a moment, with its value."""
        today = self.day(date)
        scope: dict[str, Value] = {
            **self.variables,
            **self.clock(visit, today, lived),
            **self.base(),
            **marks,
        }
        place = self.chances.at(self.place(visit, date))
        for variable in self.model.state:
            if isinstance(variable.draw, Carried):
                scope[variable.name] = self._carried(variable.name, variable.draw, visit, date, lived)
            else:
                scope[variable.name] = plain(variable.draw.draw(place, variable.name, scope))
        return scope

    def clock(self, visit: str, today: int, lived: Lived | None) -> dict[str, Value]:
        """What a formula may ask of the moment, and of the arm."""
        doses = [self.day(one) for one in lived.doses] if lived is not None else []
        begun = [day for day in doses if day <= today]
        wait = int(float(self.variables["wait"]))
        first = doses[0] if doses else wait
        onset = float(self.variables.get("onset", 0.0))
        arm = self.model.arms.get(lived.arm, {}) if lived is not None else {}
        words = {word for values in self.model.arms.values() for word in values}
        return {
            **{word: arm.get(word, 0.0) for word in words},
            "today": float(today), "visit": visit, "w": (today - onset) / 7.0,
            "dosed_weeks": (today - first) / 7.0 if begun else 0.0,
            "dosed": float(first), "second": float(doses[1]) if len(doses) > 1 else NEVER,
            "doses": float(len(begun)), "site": self.site,
        }  # fmt: skip

    def base(self) -> Mapping[str, Value]:
        """The variables of a moment at the last visit before treatment, under their names after `base_`."""
        if not self._base and self.model.screening.visits:
            self._base.update({BASE + variable.name: 0.0 for variable in self.model.state})
            visit = self.model.screening.visits[-1]
            date = self.screened(visit)
            marks = dict.fromkeys(self.model.events.marks, 0.0) if self.model.events is not None else {}
            found = self.at(visit, date, None, marks)
            self._base.update({BASE + one.name: found[one.name] for one in self.model.state})
        return self._base

    def screened(self, visit: str) -> dt.date:
        """The date of a visit before treatment: that of screening for the first, else day 1."""
        first = self.study.schedule.visits[0].id
        return self.zero + dt.timedelta(days=0 if visit == first else int(float(self.variables["wait"])))

    def place(self, visit: str, date: dt.date) -> str:
        """Where the chances of a visit stand: with the visit, or with its day too where the schedule names none."""
        found = self.study.visit(visit)
        return visit if found is not None and found.day is not None else f"{visit}@{self.day(date)}"

    def _carried(self, name: str, carried: Carried, visit: str, date: dt.date, lived: Lived | None) -> float:
        """The carried quantity at a visit: that of the latest of its visits that is not later."""
        last = self._latest(carried.visits, visit, date, lived)
        value = carried.sd * self.chances.at(carried.visits[0]).normal(name)
        fresh = carried.sd * math.sqrt(1.0 - carried.rho**2)
        for each in carried.visits[1 : last + 1]:
            value = carried.rho * value + fresh * self.chances.at(each).normal(name)
        return value

    def _latest(self, visits: tuple[str, ...], visit: str, date: dt.date, lived: Lived | None) -> int:
        planned = self.study.visit(visit)
        anchor = lived.doses[0] if lived is not None and lived.doses else None
        if planned is not None and planned.day is not None:
            day = planned.day
        else:
            day = day_of(date, anchor) if anchor is not None else -1
        days = [found.day for each in visits if (found := self.study.visit(each)) is not None]
        return max((at for at, one in enumerate(days) if one is not None and one <= day), default=0)


def plain(drawn: Drawn) -> Value:
    """A drawn value where formulas need one: nothing is 0."""
    return 0.0 if drawn is None or isinstance(drawn, Missing) else drawn
