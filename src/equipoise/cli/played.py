"""`equipoise demo --rehearsed`: both doors over a rehearsal that is half-way today and stays in play; prints two URLs.

The stores are made once and kept. One process plays the people and serves the first door, another is the second door
and serves its pages. The rules that must stay true: what is made is a rehearsal, and nothing else is ever played; time
is moved on by whoever looks, from where it stands; when the program was ended in between the stores are served as they
stand, and say that nobody plays on.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import secrets
import shutil
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from equipoise.cli.answer import Answer, done, refused, told
from equipoise.cli.rehearse import (
    REPORT,
    Bar,
    hold_ceremony,
    keep_secret,
    plan_of,
    report_release,
    stopped_at,
)
from equipoise.cli.two_doors import PASSPHRASE
from equipoise.desk.clock import system_clock
from equipoise.pages.journey import Gate, PlayClock, Standing, State, day_of
from equipoise.words.problem import Problem

if TYPE_CHECKING:
    from equipoise.desk.front import FrontDesk
    from equipoise.pages.serving import Opened
    from equipoise.protocol.study import Study
    from equipoise.simulation.rehearsal.onward import Onward
    from equipoise.simulation.rehearsal.rehearse import Plan
    from equipoise.simulation.rehearsal.second_door import DoorPages

STATE = "rehearsal.json"
"""Where time stands in a store that is played, for a program that is started anew."""
PARTICIPANTS, DAYS, SEED = 30, 190, 2
"""Randomized in all, days from the first site's opening to today, and the seed. With them today is half-way: the last
are in screening, the first have been in for months, and some have left."""


@dataclass(frozen=True, slots=True)
class Doors:
    """Where a rehearsal in play lives and is served. addresses of ports are of this machine."""

    store: Path
    vault: Path
    port: int
    second_port: int

    @property
    def first(self) -> str:
        """The first door's address."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def second(self) -> str:
        """The second door's."""
        return f"http://localhost:{self.second_port}/"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be played: participants to be randomized, days up to today, and the seed."""

    participants: int = PARTICIPANTS
    days: int = DAYS
    seed: int = SEED


def is_played(store: Path) -> bool:
    """Whether a store is one that was in play."""
    return (store / STATE).is_file()


def serve_played(folder: Path, doors: Doors, asked: Asked | None, finished: Callable[[], None]) -> Answer:
    """Serve both doors until Ctrl-C. asked: what is to be made and played; None: the stores stand already.

    finished: called once the stores are made. Exit 1 where something cannot be had.
    """
    from equipoise.pages.serving import serve_door

    def opening() -> Opened | Problem:
        return _stand(doors) if asked is None else _play(folder, doors, asked, finished)

    def ready(address: str) -> None:
        sys.stdout.write(f"{address}\n{doors.second}\n")
        sys.stdout.flush()

    refusal = serve_door(opening, port=doors.port, ready=ready)
    return refused((refusal,)) if isinstance(refusal, Problem) else done(None)


# --- made and played -------------------------------------------------------------------------------------------------


def plan_played(
    folder: Path, store: Path, vault: Path, asked: Asked, now: dt.datetime
) -> Plan | tuple[Problem, ...]:
    """The plan of a rehearsal whose first site opened so many days before now."""
    begins = now.date() - dt.timedelta(days=asked.days)
    given = argparse.Namespace(
        study=folder,
        participants=asked.participants,
        seed=asked.seed,
        scenario=None,
        begin=begins,
        until=None,
    )
    plan = plan_of(given, store)
    if isinstance(plan, tuple):
        return plan
    passphrase = "-".join(secrets.token_hex(3) for _ in range(4))
    return replace(plan, apart=(store, vault), passphrase=passphrase)


def _play(folder: Path, doors: Doors, asked: Asked, finished: Callable[[], None]) -> Opened | Problem:
    """Make both stores, play up to now, and let people in."""
    from equipoise.pages.serving import Opened
    from equipoise.simulation.rehearsal.second_door import DoorPages

    now = system_clock()
    plan = plan_played(folder, doors.store, doors.vault, asked, now)
    if isinstance(plan, tuple):
        return plan[0]
    sys.stderr.write(told("travel.making") + "\n")
    sys.stderr.flush()
    stack = ExitStack()
    onward = _made(stack, plan, now, DoorPages(doors.second_port, doors.first))
    if isinstance(onward, Problem):
        stack.close()
        return onward
    finished()
    sys.stderr.write(told("cli.demo-passphrase", passphrase=plan.passphrase) + "\n")
    made = _application(onward.desk, doors, Played(onward, plan.folder / REPORT))

    def close() -> None:
        onward.close()
        stack.close()

    return Opened(made, close)


def make_played(stack: ExitStack, plan: Plan, now: dt.datetime) -> Problem | None:
    """Make both stores and play up to now, with nobody looking; the stores then stand as they are."""
    onward = _made(stack, plan, now, None)
    if isinstance(onward, Problem):
        return onward
    onward.close()
    return None


def _made(stack: ExitStack, plan: Plan, now: dt.datetime, pages: DoorPages | None) -> Onward | Problem:
    from equipoise.simulation.rehearsal.drawn import NobodyDrawn
    from equipoise.simulation.rehearsal.second_door import DoorFault
    from equipoise.simulation.rehearsal.stage import Stopped

    held = hold_ceremony(plan)
    if held is not None:
        return held
    try:
        return begin(stack, plan, now, pages)
    except (NobodyDrawn, DoorFault) as fault:
        return fault.problem
    except Stopped as stopped:
        return stopped_at(stopped)


def begin(stack: ExitStack, plan: Plan, now: dt.datetime, pages: DoorPages | None = None) -> Onward:
    """Set the stage, play up to now, and let time rest. Raises Stopped, DoorFault and NobodyDrawn."""
    from equipoise.simulation.rehearsal.onward import Onward
    from equipoise.simulation.rehearsal.rehearse import Play, open_stage, seldom_looking

    clock, bar = PlayClock(plan.opened), Bar((now.date() - plan.begins).days)
    stage = stack.enter_context(open_stage(plan, clock, pages))
    keep_secret(plan.vault / PASSPHRASE, plan.passphrase)
    shutil.rmtree(plan.ceremony)
    playing = Play(stage, plan)
    try:
        with seldom_looking():
            playing.enrol()
            playing.plan_rounds()
            playing.run_to(now, lambda day, _: bar.show(day, max((day - plan.begins).days, 0)))
    finally:
        bar.close()
    clock.at = max(clock.at, now)
    if pages is not None:
        stage.door.ask("address", clock.at)

    def finish(on: dt.date) -> str | Problem:
        came = report_release(plan, on, pdf=False)
        return came if isinstance(came, str) else came.problems[0]

    onward = Onward(playing, clock, finish, plan.store / STATE)
    onward.rest()
    return onward


@dataclass(frozen=True, slots=True)
class Played:
    """The rehearsal in play, as the pages ask it."""

    onward: Onward
    report: Path

    @property
    def gate(self) -> Gate:
        """What is shut while time passes."""
        return self.onward.gate

    def standing(self) -> Standing:
        """Where it stands now."""
        return self.onward.standing()

    def move(self, step: str) -> bool:
        """Begin to let time pass."""
        return self.onward.move(step)

    def wait(self, seconds: float) -> bool:
        """Wait so long for a turn to be over."""
        return self.onward.wait(seconds)


# --- as it stands ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Left:
    """A rehearsal whose program was ended: it is looked at, and nobody plays on."""

    clock: PlayClock
    study: Study
    report: Path
    gate: Gate
    state: State
    verified: str

    def standing(self) -> Standing:
        """Where it stands now."""
        return Standing(self.state, day_of(self.study, self.clock()), verified=self.verified)

    def move(self, step: str) -> bool:
        """Nobody is there to move time on."""
        return False

    def wait(self, seconds: float) -> bool:
        """Nothing passes."""
        return True


def _stand(doors: Doors) -> Opened | Problem:
    """Open both stores as they stand, under a clock that goes on from where it was."""
    from equipoise.desk.courier import Courier
    from equipoise.desk.front import open_front
    from equipoise.desk.line import SocketLine
    from equipoise.pages.serving import Opened
    from equipoise.simulation.rehearsal.second_door import DoorFault, DoorPages, SecondDoor

    kept = json.loads((doors.store / STATE).read_text("utf-8"))
    clock = PlayClock(dt.datetime.fromisoformat(kept["at"]))
    clock.rest()
    stack = ExitStack()
    door = stack.enter_context(SecondDoor(doors.vault, DoorPages(doors.second_port, doors.first)))
    desk = open_front(doors.store, clock=clock)  # while the other door comes up
    if isinstance(desk, Problem):
        stack.close()
        return desk
    stack.callback(desk.close)
    clock.at = max(clock.at, _last_written(desk))  # a program that was killed did not say where it was
    passphrase = (doors.vault / PASSPHRASE).read_text("ascii").strip()
    try:
        door.ask("resume", clock.at, passphrase=passphrase, channel=str(door.socket))
        door.ask("address", clock.at)
    except DoorFault as fault:
        stack.close()
        return fault.problem
    desk.send(Courier(desk, SocketLine(door.socket))).start()
    state: State = "ENDED" if kept["state"] == "ENDED" else "LEFT"
    left = Left(clock, desk.study, doors.store / REPORT, Gate(), state, str(kept["verified"]))

    def close() -> None:
        kept["at"] = clock().isoformat()
        (doors.store / STATE).write_text(json.dumps(kept) + "\n", "utf-8")
        stack.close()

    return Opened(_application(desk, doors, left), close)


def _last_written(desk: FrontDesk) -> dt.datetime:
    """When the last entry was written."""
    with desk.reading() as reader:
        stands = sum(head.seq for head in reader.streams())
        last = [recorded.header.at for _, recorded in reader.everything(stands - 1)]
    return dt.datetime.fromisoformat(max(last)) if last else dt.datetime.min.replace(tzinfo=dt.UTC)


def _application(desk: Any, doors: Doors, journey: Any) -> Any:  # Any: Django's room is imported late
    from equipoise.web.wsgi import application

    return application(desk, doors.store, ("127.0.0.1",), second_door=doors.second, journey=journey)
