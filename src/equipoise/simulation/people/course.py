"""What becomes of a person in the trial: doses missed, visits missed or moved, withdrawal, loss, death.

The rules that must stay true: a course is the same in both arms unless its draws ask for the arm's values, which they
cannot; participation ends once, by whatever comes first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from equipoise.simulation.people.chances import Chances
from equipoise.simulation.people.definition import COURSE_NAMES, PeopleModel
from equipoise.simulation.people.formula import Value
from equipoise.simulation.people.moments import Nature, plain

DEATH, WITHDRAWAL, LOST, COMPLETED = "DEATH", "WITHDRAWAL BY SUBJECT", "LOST TO FOLLOW-UP", "COMPLETED"
"""Terms of CDISC's codelist NCOMPLT (C66727)."""
_OF_PERSON = (
    "wait", "never_infused", "dies", "death_day", "withdraws", "withdrawal_day", "lost", "lost_day",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Course:
    """The course of one person. Days are study days (day 1: the first dose, or the day planned for it).

    wait: days from screening to day 1. never_infused: randomized, and no dose is given. doses: dose id -> the share (%)
    that is given, 0 for one that is missed. missed: visits that do not take place. shift: visit -> days off plan.
    death_day, withdrawal_day, lost_day: None where it does not happen in twelve months.
    """

    wait: int
    never_infused: bool
    doses: Mapping[str, int]
    missed: frozenset[str]
    shift: Mapping[str, int]
    death_day: int | None
    withdrawal_day: int | None
    lost_day: int | None

    @property
    def end(self) -> tuple[str, int] | None:
        """How and on which study day participation ends before its time, or None."""
        ends = [(DEATH, self.death_day), (WITHDRAWAL, self.withdrawal_day), (LOST, self.lost_day)]
        known = [(day, how) for how, day in ends if day is not None]
        return (min(known)[1], min(known)[0]) if known else None

    def outcome_by(self, day: int, *, final: bool) -> str:
        """How participation has ended by a study day: empty while it goes on, COMPLETED at the final visit."""
        if self.end is not None and self.end[1] <= day:
            return self.end[0]
        return COMPLETED if final else ""


def draw_course(model: PeopleModel, chances: Chances, variables: Mapping[str, Value]) -> dict[str, Value]:
    """The draws of a person's course that are made once."""
    scope: dict[str, Value] = {**dict.fromkeys(COURSE_NAMES, 0.0), **variables, "visit": "", "dose": ""}
    for name, draw in model.course.items():
        if name in _OF_PERSON:
            scope[name] = plain(draw.draw(chances, f"course:{name}", scope))
    return {name: scope[name] for name in COURSE_NAMES}


def course_of(nature: Nature) -> Course:
    """The course of a person, with what is drawn for each dose and visit."""
    model, chances, scope = nature.model, nature.chances, nature.variables
    doses: dict[str, int] = {}
    for position, dose in enumerate(nature.study.supply.doses if nature.study.supply is not None else ()):
        at = chances.at(f"dose:{dose.id}")
        here: dict[str, Value] = {**scope, "dose": dose.id, "visit": dose.visit}
        missed = position > 0 and model.course["misses_dose"].number(at, "misses_dose", here)
        broken = model.course["interrupted"].number(at, "interrupted", here)
        share = round(model.course["share"].number(at, "share", here)) if broken else 100
        doses[dose.id] = 0 if missed or scope["never_infused"] else min(max(share, 1), 100)
    visits = [visit for visit in nature.study.schedule.visits if visit.day is not None and visit.day > 1]
    missed_visits, shift = set(), {}
    for visit in visits:
        at, here = chances.at(f"course:{visit.id}"), {**scope, "visit": visit.id, "dose": ""}
        if model.course["misses_visit"].number(at, "misses_visit", here):
            missed_visits.add(visit.id)
        shift[visit.id] = round(model.course["shift"].number(at, "shift", here))
    return Course(
        round(float(scope["wait"])), bool(scope["never_infused"]), doses, frozenset(missed_visits), shift,
        _day(scope, "dies", "death_day"), _day(scope, "withdraws", "withdrawal_day"), _day(scope, "lost", "lost_day"),
    )  # fmt: skip


def _day(scope: Mapping[str, Value], happens: str, day: str) -> int | None:
    return max(2, round(float(scope[day]))) if scope[happens] else None
