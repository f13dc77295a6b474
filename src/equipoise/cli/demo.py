"""`equipoise demo`: a rehearsal of a study with made-up people, served on this machine; prints one URL.

The store is made once and kept; `--reset` starts over. What is reset must be a rehearsal that this command made.
"""

from __future__ import annotations

import argparse
import datetime as dt
import shutil
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

from equipoise.cli.allocation import make_process
from equipoise.cli.answer import Answer, line, occupied, refused, told
from equipoise.cli.serve import serve_store
from equipoise.cli.study import read_study
from equipoise.desk.archive import definition_in_force
from equipoise.desk.clock import SetClock
from equipoise.desk.demo import Demo, load_participants, load_staff, read_demo
from equipoise.desk.setup import create_store, publish_allocation
from equipoise.protocol.digest import study_digest
from equipoise.protocol.study import Study
from equipoise.words.problem import Problem, problem

_MARK = "made-by-equipoise-demo"
PORT = 8000


def declare(subjects: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    command = subjects.add_parser("demo", help="play a trial with made-up people")
    command.add_argument(
        "--study", type=Path, metavar="DIR", help="the first study under studies/ with people to play"
    )
    command.add_argument("--store", type=Path, default=Path(".equipoise"), metavar="DIR")
    command.add_argument("--vault", type=Path, default=Path(".equipoise-vault"), metavar="DIR")
    command.add_argument("--port", type=int, help=f"{PORT}, or any free port where that is taken; 0 for any")
    command.add_argument("--reset", action="store_true", help="start over; what was entered is lost")
    command.add_argument("--no-serve", action="store_true", help="make the store only")
    command.set_defaults(run=_demo)


def _demo(options: argparse.Namespace) -> Answer:
    store, vault = options.store, options.vault
    if options.reset:
        refusal = _clear(store, vault)
        if refusal is not None:
            return refused((refusal,))
    folder = options.study or playable(Path("studies"))
    if not (store / _MARK).exists():
        problems = make_demo(folder, store, vault)
        if problems:
            return refused(problems)
    if options.no_serve:
        return Answer(0, {"store": str(store)}, (told("cli.demo-made", path=store),))
    for notice in changed_since(folder, store):
        sys.stderr.write(line(notice) + "\n")
    return _serve(store, options.port)


def _serve(store: Path, port: int | None) -> Answer:
    """Serve on the usual port, or on any free one where nobody asked for a port and the usual one is taken."""
    served = serve_store(store, PORT if port is None else port)
    taken = any(found.rule == "web.port-in-use" for found in served.problems)
    return serve_store(store, 0) if port is None and taken else served


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


def _clear(store: Path, vault: Path) -> Problem | None:
    """Remove the folders of an earlier demonstration; a Problem where one was not made by this command."""
    for folder in (store, vault):
        if occupied(folder) and not (folder / _MARK).exists():
            return problem("cli.not-a-demo", str(folder))
    for folder in (store, vault):
        shutil.rmtree(folder, ignore_errors=True)
    return None


def make_demo(study_folder: Path, store: Path, vault: Path) -> tuple[Problem, ...]:
    """Make the rehearsal store: the list behind the second door, then everything else through the desk."""
    study, demo = read_study(study_folder), read_demo(study_folder)
    if isinstance(study, tuple):
        return study
    if isinstance(demo, Problem):
        return (demo,)
    refusal = _clear(store, vault)
    if refusal is not None:
        return (refusal,)
    made = make_process([str(study_folder), "--public", str(store / "allocation"), "--vault", str(vault)])
    if made.status:
        return (problem("cli.allocation-failed", reason=" ".join(made.lines)),)
    (vault / _MARK).touch()
    return _fill(study, demo, store)


def _fill(study: Study, demo: Demo, store: Path) -> tuple[Problem, ...]:
    """Everything through the desk, by a clock that walks from ninety days ago to now."""
    today = dt.datetime.now(ZoneInfo(study.sites[0].zone)).date()
    clock = SetClock(dt.datetime.combine(today, dt.time(), dt.UTC) - dt.timedelta(days=90))
    desk = create_store(store, study, "rehearsal", clock=clock)
    if isinstance(desk, tuple):
        return desk
    try:
        problems = (
            load_staff(desk, demo, today)
            or publish_allocation(desk, store / "allocation")
            or load_participants(desk, demo, clock, today)
        )
    finally:
        desk.close()
    if not problems:
        (store / _MARK).touch()
    return problems
