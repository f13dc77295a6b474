"""`equipoise demo`: a rehearsal of a study with made-up people, both doors served on this machine; prints two URLs.

The stores are made once and kept; `--reset` starts over. The rules that must stay true: what is removed is a rehearsal
that this command made, that no server works on, and that can be removed whole; and nothing is removed before it is
certain that a new one can be made.
"""

from __future__ import annotations

import argparse
import datetime as dt
import errno
import os
import secrets
import shutil
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from equipoise.cli.allocation import make_process
from equipoise.cli.answer import Answer, line, refused, told
from equipoise.cli.played import PARTICIPANTS, Asked, Doors, is_played, make_played, plan_played, serve_played
from equipoise.cli.rehearse import count
from equipoise.cli.serve import port_number
from equipoise.cli.study import read_study
from equipoise.cli.two_doors import PASSPHRASE, PORT, VAULT_PORT, Ports, chosen_port, introduce, serve_both
from equipoise.cli.vault import vault_process
from equipoise.desk.archive import definition_in_force
from equipoise.desk.clock import SetClock, system_clock
from equipoise.desk.demo import Demo, load_participants, load_staff, read_demo
from equipoise.desk.desk import Desk
from equipoise.desk.setup import create_store, give, publish_allocation
from equipoise.ledger.opening import open_ledger
from equipoise.ledger.store import StoreFault
from equipoise.oversight.commands import EnrolSecondDoor
from equipoise.protocol.digest import study_digest
from equipoise.protocol.study import Study
from equipoise.words.canonical import Json
from equipoise.words.problem import Problem, problem

_MARK = "made-by-equipoise-demo"
"""The file that says whose a folder is. While the folder is being filled it holds `_UNFINISHED`."""
_UNFINISHED = "unfinished\n"


def declare(subjects: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    command = subjects.add_parser("demo", help="play a trial with made-up people")
    command.add_argument(
        "--study", type=Path, metavar="DIR", help="the first study under studies/ with people to play"
    )
    command.add_argument("--store", type=Path, default=Path(".equipoise"), metavar="DIR")
    command.add_argument("--vault", type=Path, default=Path(".equipoise-vault"), metavar="DIR")
    command.add_argument(
        "--port", type=port_number, help=f"{PORT}, or any free port where that is taken; 0 for any"
    )
    command.add_argument("--vault-port", type=port_number, help=f"the second door's, as {VAULT_PORT}")
    command.add_argument(
        "--rehearsed",
        action="store_true",
        help="a whole trial in rehearsal, half-way today, that is played on",
    )
    command.add_argument(
        "--participants",
        type=count,
        default=PARTICIPANTS,
        metavar="N",
        help="of --rehearsed; to be randomized",
    )
    command.add_argument("--reset", action="store_true", help="start over; what was entered is lost")
    command.add_argument("--no-serve", action="store_true", help="make the store only")
    command.set_defaults(run=_demo)


def _demo(options: argparse.Namespace) -> Answer:
    store, vault = options.store, options.vault
    folder = options.study or playable(Path("studies"))
    fresh = options.reset or not _finished(store)
    if not fresh and not _finished(vault):
        return refused((problem("cli.second-door-missing", str(vault), store=store),))
    if fresh and options.rehearsed:
        return _play(folder, options)
    if not fresh and is_played(store) and not options.no_serve:
        doors = _doors(options)
        return refused((doors,)) if isinstance(doors, Problem) else serve_played(folder, doors, None, print)
    if fresh:
        problems = make_demo(folder, store, vault)
        if problems:
            return refused(problems)
    if options.no_serve:
        return Answer(
            0,
            {"store": str(store), "vault": str(vault)},
            (told("cli.demo-made" if fresh else "cli.demo-kept", path=store),),
        )
    for notice in changed_since(folder, store):
        sys.stderr.write(line(notice) + "\n")
    return serve_both(store, vault, Ports(options.port, options.vault_port))


def _play(folder: Path, options: argparse.Namespace) -> Answer:
    """Make both stores by a rehearsal up to today, then serve them in play."""
    store, vault = options.store, options.vault
    doors, asked = _doors(options), Asked(options.participants)
    if isinstance(doors, Problem):
        return refused((doors,))
    now = system_clock()
    planned = plan_played(folder, store, vault, asked, now)
    if isinstance(planned, tuple):
        return refused(planned)
    refusal = _why_not(store, vault)
    if refusal is not None:
        return refused((refusal,))
    for each in (store, vault):
        _empty(each)

    def finished() -> None:
        for each in (vault, store):
            (each / _MARK).write_text("", "utf-8")

    if options.no_serve:
        with ExitStack() as stack:
            made = make_played(stack, planned, now)
            if made is not None:
                return refused((made,))
        finished()
        return Answer(0, {"store": str(store), "vault": str(vault)}, (told("cli.demo-made", path=store),))
    return serve_played(folder, doors, asked, finished)


def _doors(options: argparse.Namespace) -> Doors | Problem:
    """Where the two doors are served, or why not."""
    from equipoise.pages.serving import free_port

    ports = []
    for asked, usual in ((options.port, PORT), (options.vault_port, VAULT_PORT)):
        found = chosen_port(asked, usual)
        found = free_port("127.0.0.1", found) if found == 0 else found
        if isinstance(found, Problem):
            return found
        ports.append(found)
    return Doors(options.store, options.vault, ports[0], ports[1])


def changed_since(folder: Path, store: Path) -> tuple[Problem, ...]:
    """That the study's folder is not what the store runs under, or cannot be read; empty where all is well."""
    study, held = read_study(folder), definition_in_force(store)
    if isinstance(study, tuple):
        return study
    if isinstance(held, Problem) or held.digest in {"", study_digest(study)}:
        return ()
    return (problem("cli.definition-changed", str(folder), version=held.study.version),)


def playable(studies: Path) -> Path:
    """The first study folder, by name, that has made-up people; the folder of studies itself where none has."""
    return next((path.parent for path in sorted(studies.glob("*/demo.yaml"))), studies)


def _finished(store: Path) -> bool:
    mark = store / _MARK
    return mark.is_file() and mark.read_text("utf-8") != _UNFINISHED


def make_demo(study_folder: Path, store: Path, vault: Path) -> tuple[Problem, ...]:
    """Make both rehearsal stores: the list behind the second door, then everything else through the desk.

    An earlier demonstration in the two folders is removed, once the study is known to be good for a new one.
    """
    study, demo = read_study(study_folder), read_demo(study_folder)
    if isinstance(study, tuple):
        return study
    if isinstance(demo, Problem):
        return (demo,)
    refusal = _why_not(store, vault)
    if refusal is not None:
        return (refusal,)
    for folder in (store, vault):
        _empty(folder)
    ceremony = vault / "ceremony"
    alone = ["--few-seeds-reason", "a demonstration: nobody is treated by this list"]
    made = make_process(
        [str(study_folder), "--public", str(store / "allocation"), "--vault", str(ceremony), *alone]
    )
    if made.status:
        return (problem("cli.allocation-failed", reason=" ".join(made.lines)),)
    problems = _fill(study, demo, store, _SecondDoor(study_folder, vault, ceremony))
    if not problems:
        for folder in (vault, store):  # the store last: while it is unfinished, both are made again
            (folder / _MARK).write_text("", "utf-8")
    return problems


@dataclass(frozen=True, slots=True)
class _SecondDoor:
    """Where the second door of a demonstration is made, and what from."""

    study: Path
    folder: Path
    ceremony: Path

    def make(self, desk: Desk) -> tuple[Problem, ...]:
        """Make the vault by a passphrase of its own, shown once, and let each door know the other's key."""
        self.folder.chmod(0o700)
        passphrase = "-".join(secrets.token_hex(3) for _ in range(4))
        held = os.open(self.folder / PASSPHRASE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(held, "w", encoding="ascii") as file:
            file.write(passphrase + "\n")
        arguments = [str(self.folder), "--study", str(self.study), "--purpose", "rehearsal"]
        arguments += ["--first-door", desk.ledger.keys.public.hex(), "--ceremony", str(self.ceremony)]
        made = vault_process("init", arguments, self.folder / PASSPHRASE)
        if made.status or not isinstance(made.value, dict):
            return (problem("cli.second-door-failed", reason=" ".join(made.lines)),)
        shutil.rmtree(self.ceremony)
        sys.stderr.write(told("cli.demo-passphrase", passphrase=passphrase) + "\n")
        return give(desk, EnrolSecondDoor(str(made.value["public_key"])))

    def fill_shelves(self) -> tuple[Problem, ...]:
        """Lots and shipments, received and released by the made-up people of the pharmacy."""
        arguments = [str(self.folder), "--study", str(self.study)]
        made = vault_process("shelves", arguments, self.folder / PASSPHRASE)
        return (problem("cli.second-door-failed", reason=" ".join(made.lines)),) if made.status else ()


def _people(demo: Demo) -> list[Json]:
    """The made-up people of the second door, as it is told of them."""
    return [
        {
            "actor": one["actor"],
            "name": one["name"]["en"],
            "name_zh": one["name"]["zh"],
            "purposes": list(one["second_door"]),
        }
        for one in demo.staff
        if "second_door" in one
    ]


def _why_not(store: Path, vault: Path) -> Problem | None:
    """Why the two folders cannot be made anew: they do not lie apart, one is not ours, in use, or not removable."""
    inner, outer = vault.resolve(), store.resolve()
    if inner.is_relative_to(outer) or outer.is_relative_to(inner):
        return problem("cli.doors-not-apart", str(vault), store=store)
    for folder in (store, vault):
        if folder.exists() and not (
            folder.is_dir() and ((folder / _MARK).exists() or not any(folder.iterdir()))
        ):
            return problem("cli.not-a-demo", str(folder))
        held = [Path(at) for at, _, _ in os.walk(folder)]
        fixed = next((at for at in held if not os.access(at, os.W_OK | os.X_OK)), None)
        if fixed is not None:
            return problem("cli.no-access", str(fixed), reason=os.strerror(errno.EACCES))
    return _in_use(store) or _in_use(vault)


def _in_use(folder: Path) -> Problem | None:
    """The problem that names the process working on a store, or None. A store that is damaged is in nobody's use."""
    if not (folder / "ledger.sqlite").exists():
        return None
    try:
        ledger = open_ledger(folder, write=True)
    except StoreFault:
        return None
    if isinstance(ledger, Problem):
        return ledger if ledger.rule == "ledger.locked" else None
    ledger.close()
    return None


def _empty(folder: Path) -> None:
    """Remove what a folder holds, the mark last, and mark it as unfinished. Raises OSError where something stays."""
    folder.mkdir(parents=True, exist_ok=True)
    for held in sorted(folder.iterdir(), key=lambda each: each.name == _MARK):
        if held.is_dir() and not held.is_symlink():
            shutil.rmtree(held)
        else:
            held.unlink()
    (folder / _MARK).write_text(_UNFINISHED, "utf-8")


def _fill(study: Study, demo: Demo, store: Path, second_door: _SecondDoor) -> tuple[Problem, ...]:
    """Everything through the desk, by a clock that walks from ninety days ago to now; then the doors are introduced."""
    today = dt.datetime.now(ZoneInfo(study.sites[0].zone)).date()
    clock = SetClock(dt.datetime.combine(today, dt.time(), dt.UTC) - dt.timedelta(days=90))
    desk = create_store(store, study, "rehearsal", clock=clock)
    if isinstance(desk, tuple):
        return desk
    try:
        problems = (
            load_staff(desk, demo, today)
            or publish_allocation(desk, store / "allocation")
            or second_door.make(desk)
            or load_participants(desk, demo, clock, today)
        )
        clock.at = max(clock.at, dt.datetime.now(dt.UTC))
        return problems or introduce(desk, second_door.folder, _people(demo)) or second_door.fill_shelves()
    finally:
        desk.close()
