"""The stage of a rehearsal: both doors, the people, the agenda, and what everything cost.

The rules that must stay true: whatever happens is a command given to the desk by a person who may give it; one thing
happens after another, in the order of the moments at which it is due, and of its planning where moments are equal; the
clock never goes back. A refusal that the script did not foresee ends the rehearsal and says where; where people
enter things of their own beside the script (`passed`), it is told and the script goes on.
"""

from __future__ import annotations

import datetime as dt
import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from equipoise.access.commands import Who
from equipoise.capture.evolve import State
from equipoise.desk.cases import Case as DeskCase
from equipoise.desk.clock import SetClock
from equipoise.desk.courier import Courier
from equipoise.desk.front import FrontDesk
from equipoise.desk.standing import Standing, Trial
from equipoise.desk.views import Outcome
from equipoise.ledger.commit import Committed
from equipoise.ledger.entries import Datum
from equipoise.ledger.facts import Refusal
from equipoise.protocol.study import Study
from equipoise.simulation.rehearsal.chance import Chance
from equipoise.simulation.rehearsal.second_door import SecondDoor
from equipoise.simulation.rehearsal.staff import Person, StaffModel
from equipoise.words.problem import Problem

Deed = Callable[[], None]
Passed = Callable[[str, tuple[Problem, ...]], None]
"""(the step that was passed over, why) -> told."""


class StageDesk(FrontDesk):
    """The desk of a rehearsal: nobody looks at a page after a save, so what would be shown there is not worked out.

    A receipt is not signed either: it is the same whenever it is asked for (ledger.receipts).
    """

    def _after(
        self, subject: str, done: Committed | Refusal, trial: Trial, before: Standing
    ) -> Standing | None:
        return None

    def _receipt(self, done: Committed) -> Mapping[str, str]:
        return {}


class Stopped(Exception):
    """The rehearsal cannot go on: a command was refused that should not be."""

    def __init__(self, step: str, problems: tuple[Problem, ...]) -> None:
        super().__init__(f"{step}: {'; '.join(one.say('en') for one in problems)}")
        self.step, self.problems = step, problems


@dataclass
class Agenda:
    """What is due, by moment and by the order of planning."""

    waiting: list[tuple[dt.datetime, int, Deed]] = field(default_factory=list)
    planned: int = 0

    def plan(self, at: dt.datetime, deed: Deed) -> None:
        """Have something done at a moment."""
        self.planned += 1
        heapq.heappush(self.waiting, (at, self.planned, deed))

    def due(self) -> dt.datetime | None:
        """When something comes next; None when nothing is due any more."""
        return self.waiting[0][0] if self.waiting else None

    def next(self) -> tuple[dt.datetime, Deed] | None:
        """What comes next, taken off; None when nothing is due any more."""
        if not self.waiting:
            return None
        at, _, deed = heapq.heappop(self.waiting)
        return at, deed


@dataclass
class Tally:
    """What the trial cost so far: minutes by role, commands by name, and other counts by name."""

    minutes: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    commands: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)


@dataclass
class Stage:
    """Everything that the script acts with."""

    study: Study
    desk: StageDesk
    clock: SetClock
    courier: Courier
    door: SecondDoor
    staff: StaffModel
    actors: Mapping[str, str]
    """Id of the staff's file -> random id at the desk."""
    chance: Chance
    agenda: Agenda = field(default_factory=Agenda)
    tally: Tally = field(default_factory=Tally)
    keys: int = 0
    values: list[tuple[str, str, str, Mapping[str, Datum]]] = field(default_factory=list)
    """Subject, visit, form and answers that wait for the laboratory behind the second door."""
    passed: Passed | None = None
    """Who is told what was passed over; None: a step that is refused ends the rehearsal."""

    # --- people --------------------------------------------------------------------------------------------------

    def people(self, role: str, site: str | None = None) -> list[Person]:
        """Everybody in a role, at a site where the role is bound to one, in the order of the file."""
        return [one for one in self.staff.people if one.role == role and one.site in (site, None)]

    def person(self, role: str, site: str | None = None, place: int = 0) -> Person:
        """One of them; the last where there are fewer. Raises Stopped where there is nobody."""
        found = self.people(role, site)
        if self.passed is not None:  # a role may have been taken away
            found = [one for one in found if self.desk.who(self.actors[one.id], role)] or found
        if not found:
            raise Stopped(f"nobody is {role} at {site or 'the study'}", ())
        return found[min(place, len(found) - 1)]

    def who(self, person: Person) -> Who:
        """The person in the role held now. Raises Stopped where it is held no more."""
        known = self.desk.who(self.actors[person.id], person.role)
        if known is None:
            raise Stopped(f"{person.id} is no {person.role}", ())
        return known

    # --- time ----------------------------------------------------------------------------------------------------

    def moment(self, site: str, day: dt.date, hour: int = 9, minute: int = 0) -> dt.datetime:
        """An hour of a day on the clocks of a site, in UTC."""
        there = ZoneInfo(self.study.zone_of(site) or "UTC")
        return dt.datetime.combine(day, dt.time(hour, minute), there).astimezone(dt.UTC)

    def day(self, site: str) -> dt.date:
        """The day at a site now."""
        return self.clock.at.astimezone(ZoneInfo(self.study.zone_of(site) or "UTC")).date()

    def pass_minutes(self, minutes: float) -> None:
        """Let time pass."""
        self.clock.at += dt.timedelta(minutes=minutes)

    # --- acting --------------------------------------------------------------------------------------------------

    def key(self) -> str:
        """A fresh idempotency key."""
        self.keys += 1
        return f"rehearsal {self.keys:08d}"

    def give(self, person: Person, command: object, items: int = 0) -> Outcome:
        """Give a command at the desk. `items`: how many answers were typed for it."""
        outcome = self.desk.submit(self.who(person), command, key=self.key())
        name = type(command).__name__
        if outcome.accepted:
            self.tally.commands[name] += 1
        else:
            self.tally.refused[outcome.problems[0].rule] += 1
        self.spend(person.role, name, items)
        return outcome

    def must(self, person: Person, command: object, items: int = 0) -> Outcome:
        """As `give`, for what has to be accepted. Raises Stopped."""
        outcome = self.give(person, command, items)
        if not outcome.accepted:
            self.stop(f"{type(command).__name__} of {person.id}", outcome.problems)
        return outcome

    def stop(self, step: str, problems: tuple[Problem, ...]) -> None:
        """A step cannot be done: it is passed over where people enter things of their own. Raises Stopped otherwise."""
        if self.passed is None:
            raise Stopped(step, problems)
        self.passed(step, problems)

    @contextmanager
    def forgiving(self, step: str) -> Iterator[None]:
        """Whatever stands against a step passes it over, where people enter things of their own."""
        try:
            yield
        except Exception as fault:
            if self.passed is None:
                raise
            problems = getattr(fault, "problems", None) or (getattr(fault, "problem", None),)
            said = getattr(fault, "step", "") or step
            self.passed(said, tuple(one for one in problems if isinstance(one, Problem)))

    def spend(self, role: str, task: str, items: int = 0) -> None:
        """Count the minutes of a task: its own, or those of a form with so many items."""
        minutes = self.staff.minutes
        if items:
            self.tally.minutes[role] += minutes.get("form", 0) + items * minutes.get("item", 0)
        else:
            self.tally.minutes[role] += minutes.get(task, minutes.get("other", 0))

    def captured(self, subject: str) -> State:
        """What is captured of a subject."""
        return self.case(subject).capture

    def case(self, subject: str) -> DeskCase:
        """Everything that is recorded of a subject."""
        with self.desk.reading() as reader:
            return self.desk.case(reader, subject)

    def standing(self, subject: str) -> Standing:
        """What holds for a subject."""
        with self.desk.reading() as reader:
            return self.desk.standing_light(reader, subject)

    def exchange(self) -> None:
        """Let the second door do what is due, and the courier go both ways."""
        self.door.ask("tick", self.clock())
        problem = self.courier.exchange()
        if problem is not None:
            self.stop("exchange", (problem,))
        if self.courier.unrecorded:
            self.stop("exchange", self.courier.unrecorded[0].problems)
            self.courier.unrecorded = ()
        for subject, visit, form, items in self.values:
            told = {name: {"value": one.value, "missing": one.missing} for name, one in items.items()}
            self.door.ask("values", self.clock.at, subject=subject, visit=visit, form=form, items=told)
            self.spend("lab_desk", "RecordValues", len(items))
        self.values.clear()

    def proof(self, person: Person) -> str:
        """A proof of identity, as the web's door gives one."""
        return self.desk.proofs.give(self.actors[person.id], "DEMO")
