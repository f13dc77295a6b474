"""One rehearsal from the ceremony to the release: the stage is set, the agenda is played, and the end is closed.

    with open_stage(plan) as stage:
        play(stage, plan, progress)

The rules that must stay true: the same seed, study and numbers give the same entries, byte for byte; nothing is written
but through the desk and the second door; what was begun and not ended says so in its folder.
"""

from __future__ import annotations

import datetime as dt
import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from equipoise.desk.clock import SetClock
from equipoise.desk.courier import Courier
from equipoise.desk.line import SocketLine
from equipoise.desk.setup import add_person, create_store, fill_log, give, open_site, publish_allocation
from equipoise.oversight.commands import EnrolSecondDoor
from equipoise.protocol.digest import canonical_study
from equipoise.protocol.study import Study
from equipoise.randomization.draws import Draws
from equipoise.simulation.rehearsal.account import account
from equipoise.simulation.rehearsal.case import Case, Participant, made_up_name
from equipoise.simulation.rehearsal.chance import Chance
from equipoise.simulation.rehearsal.closing import Closing
from equipoise.simulation.rehearsal.diaries import Diaries
from equipoise.simulation.rehearsal.dosing import Ward
from equipoise.simulation.rehearsal.entering import Typist
from equipoise.simulation.rehearsal.rounds import Rounds
from equipoise.simulation.rehearsal.script import Script
from equipoise.simulation.rehearsal.second_door import DoorPages, SecondDoor
from equipoise.simulation.rehearsal.staff import StaffModel
from equipoise.simulation.rehearsal.stage import Stage, StageDesk, Stopped
from equipoise.words.canonical import Json, canonical_bytes
from equipoise.words.ids import random_id
from equipoise.words.problem import Problem

Draw = Callable[[int], Participant]
"""Index -> the virtual participant."""
Told = Callable[[dt.date, int], None]
"""(the day, participants who need no more) as the rehearsal goes on."""
STORE, VAULT, PUBLIC, CEREMONY = "store", "vault", "allocation", "ceremony"
SETTING_UP = dt.timedelta(days=7)
"""Between the setting up of the store and the day on which the first site opens."""
RENEWED_DAYS = 300
"""Days after which trainings and certificates are renewed."""
AFTER_LAST = dt.timedelta(days=30)
"""Between the last visit and the lock."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be rehearsed. `until`: the day after which it stops half-way; None: to the release."""

    folder: Path
    study_folder: Path
    study: Study
    staff: StaffModel
    draw: Draw
    participants: int
    seed: int
    begins: dt.date
    passphrase: str
    until: dt.date | None = None
    scenario: str = ""
    apart: tuple[Path, Path] | None = None
    """The two stores, where they do not lie in `folder`."""

    @property
    def opened(self) -> dt.datetime:
        """The moment at which the store is made: one o'clock UTC, seven days before the first site opens."""
        return dt.datetime.combine(self.begins - SETTING_UP, dt.time(1), dt.UTC)

    @property
    def store(self) -> Path:
        """The first door's store."""
        return self.apart[0] if self.apart else self.folder / STORE

    @property
    def vault(self) -> Path:
        """The second door's."""
        return self.apart[1] if self.apart else self.folder / VAULT

    @property
    def public(self) -> Path:
        """The public side of the list."""
        return (self.apart[0] if self.apart else self.folder) / PUBLIC

    @property
    def ceremony(self) -> Path:
        """Where the ceremony leaves the list."""
        return (self.apart[1] if self.apart else self.folder) / CEREMONY


@contextmanager
def open_stage(plan: Plan, clock: SetClock | None = None, pages: DoorPages | None = None) -> Iterator[Stage]:
    """Both doors made where the plan says and the ceremony has left its list. Raises Stopped and DoorFault.

    clock: the rehearsal's own, put to the day of the setting up. pages: those of the second door, where it has any.
    """
    chance, clock = Chance(plan.seed), clock or SetClock(plan.opened)
    clock.at = plan.opened
    entropy = Draws(chance.seed, "first door").take
    desk = create_store(
        plan.store,
        plan.study,
        "rehearsal",
        clock=clock,
        entropy=entropy,
        timed=False,
        kind=StageDesk,
    )
    if isinstance(desk, tuple):
        raise Stopped("the store", desk)
    try:
        desk.relax()
        actors = {one.id: random_id(entropy) for one in plan.staff.people}
        _open_sites(desk, plan, actors)
        with SecondDoor(plan.vault, pages) as door:
            made = door.ask(
                "begin", clock.at, study=canonical_bytes(canonical_study(plan.study)).decode(), seed=chance.seed.hex(),
                passphrase=plan.passphrase, channel=str(door.socket),
                rates=plan.staff.rates.bench.model_dump(mode="json"),
                make={
                    "first_door": desk.ledger.keys.public.hex(),
                    "ceremony": str(plan.ceremony.resolve()),
                },
            )  # fmt: skip
            _must("the second door", give(desk, EnrolSecondDoor(str(made["public_key"]))))
            courier = desk.send(Courier(desk, SocketLine(door.socket), lately=None))
            stage = Stage(plan.study, desk, clock, courier, door, plan.staff, actors, chance)
            stage.exchange()
            door.ask("people", clock(), people=_second_people(plan, actors))
            yield stage
    finally:
        desk.close()


def _open_sites(desk: StageDesk, plan: Plan, actors: dict[str, str]) -> None:
    """Sites open, people granted, the logs signed, and the public side of the list published."""
    on = (plan.begins - dt.timedelta(days=30)).isoformat()
    for site in plan.study.sites:
        _must("site", open_site(desk, site.id, f"EC-{site.id}", on))
    for one in plan.staff.people:
        name = " ".join(dict.fromkeys((one.name.get("en", one.id), one.name.get("zh", ""))))
        _must(one.id, add_person(desk, actors[one.id], name.strip(), one.role, one.site))
    _must("log", fill_log(desk))
    _must("allocation", publish_allocation(desk, plan.public))


def _second_people(plan: Plan, actors: dict[str, str]) -> list[dict[str, object]]:
    return [
        {
            "actor": actors[one.id], "name": one.name.get("en", one.id), "name_zh": one.name.get("zh", ""),
            "purposes": list(one.second_door),
        }
        for one in plan.staff.people
        if one.second_door
    ]  # fmt: skip


def _must(step: str, problems: tuple[Problem, ...]) -> None:
    if problems:
        raise Stopped(step, problems)


@dataclass
class Play:
    """A trial in play on a stage."""

    stage: Stage
    plan: Plan

    def __post_init__(self) -> None:
        self.typist, self.ward = Typist(self.stage), Ward(self.stage)
        self.diaries = Diaries(self.stage)
        self.script = Script(self.stage, self.typist, self.ward, self.diaries)
        self.rounds = Rounds(self.stage, self.typist, self.script.cases)
        self.cases: list[Case] = []

    def enrol(self) -> None:
        """Plan the arrival of everybody: as many as it takes for so many to be eligible."""
        for _ in range(self.plan.participants):
            self.enrol_one()
        self.script.look_for_another = self.enrol_one

    def enrol_one(self) -> None:
        """Plan the arrival of people up to the next one who is eligible; nobody comes before today."""
        while True:
            index = len(self.cases)
            person = self.plan.draw(index)
            tomorrow = self.stage.day(person.site) + dt.timedelta(days=1)
            screened = max(self.plan.begins + dt.timedelta(days=person.arrives), tomorrow)
            case = Case(index, person, made_up_name(index), screened)
            self.cases.append(case)
            at = self.stage.moment(person.site, screened, 9, index * 7 % 60)
            self.stage.agenda.plan(at, lambda case=case: self.script.screen(case))  # type: ignore[misc]
            if not person.fails:
                return

    def plan_rounds(self) -> None:
        """Have the staff's rounds come again and again, as long as there is anything else to come."""
        days, rounds, sites = (
            self.plan.staff.rounds_days,
            self.rounds,
            [one.id for one in self.plan.study.sites],
        )
        contacts = self.diaries.contacts
        for number, site in enumerate(sites):
            self._again(days.queries, number, lambda site=site: rounds.answer(site))  # type: ignore[misc]
            self._again(RENEWED_DAYS, number, lambda site=site: rounds.renew(site))  # type: ignore[misc]
            self._again(days.monitoring, number * 3, lambda site=site: rounds.monitor(site))  # type: ignore[misc]
            self._again(days.signing, number * 3 + 1, lambda site=site: rounds.sign(site))  # type: ignore[misc]
            if self.plan.study.diary.forms:
                self._again(days.diary, number, lambda site=site: contacts.round(site))  # type: ignore[misc]
        self._again(days.data_management, 2, self._manage)
        self._again(days.monitoring, 5, self.stage.desk.checkpoint)

    def _manage(self) -> None:
        self.rounds.close_answers()
        self.rounds.deviations()

    def _again(self, days: int, offset: int, deed: Callable[[], object]) -> None:
        """Plan a round that plans the next one, while participants are on their way."""
        agenda = self.stage.agenda

        def due(at: dt.datetime) -> None:
            with self.stage.forgiving("a round"):
                deed()
            if not all(case.over for case in self.cases):
                following = at + dt.timedelta(days=days)
                agenda.plan(following, lambda: due(following))

        first = self.stage.moment("", self.plan.begins + dt.timedelta(days=offset + days), 16)
        agenda.plan(first, lambda: due(first))

    def run(self, told: Told) -> bool:
        """Play what is due until nothing is, or until the day asked for; whether it came to its end."""
        until = self.plan.until
        if until is None:
            return self.run_to(None, told)
        last = dt.datetime.combine(until + dt.timedelta(days=1), dt.time(), dt.UTC)
        if self.run_to(last, told):
            return True
        self.stage.clock.at = max(self.stage.clock.at, last - dt.timedelta(minutes=1))
        return False

    def run_to(self, last: dt.datetime | None, told: Told) -> bool:
        """Play what is due before a moment; whether nothing is due any more. None: to the end."""
        stage = self.stage
        while (due := stage.agenda.due()) is not None:
            following = stage.agenda.next() if last is None or due < last else None
            if following is None:
                return False
            at, deed = following
            stage.clock.at = max(stage.clock.at, at)
            with stage.forgiving("a step"):
                deed()
            told(stage.clock.at.date(), sum(case.over for case in self.cases))
        return True

    def close(self) -> str:
        """Lock, sign and publish; the folder of what was published."""
        self.diaries.settle(self.cases)
        self.stage.clock.at += AFTER_LAST
        closing = Closing(self.stage, self.typist, self.rounds, self.ward)
        closing.settle([case for case in self.cases if case.subject])
        closing.lock()
        return closing.release()


@contextmanager
def seldom_looking() -> Iterator[None]:
    """Look seldom for what nobody holds any more: few of all the values that are made anew form circles."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(200_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a rehearsal ended: the folder of what was released (empty half-way), its last day, and the account."""

    release: str
    on: dt.date
    account: Mapping[str, Json]


def play(stage: Stage, plan: Plan, told: Told) -> Ended:
    """The whole trial, or as far as the plan goes. Raises Stopped and DoorFault."""
    playing = Play(stage, plan)
    with seldom_looking():
        playing.enrol()
        playing.plan_rounds()
        if playing.run(told):
            release = playing.close()
        else:
            playing.ward.settle()
            release = ""
    return Ended(
        release, stage.day(plan.study.sites[0].id), account(stage, playing.cases, released=bool(release))
    )
