"""`equipoise demo`: a rehearsal of a study with made-up people, served on this machine; prints one URL.

The store is made once and kept; `--reset` starts over. The rules that must stay true: what is removed is a rehearsal
that this command made, that no server works on, and that can be removed whole; and nothing is removed before it is
certain that a new one can be made.
"""

from __future__ import annotations

import argparse
import datetime as dt
import errno
import os
import shutil
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

from equipoise.cli.allocation import make_process
from equipoise.cli.answer import Answer, line, refused, told
from equipoise.cli.serve import port_number, serve_store
from equipoise.cli.study import read_study
from equipoise.desk.archive import definition_in_force
from equipoise.desk.clock import SetClock
from equipoise.desk.demo import Demo, load_participants, load_staff, read_demo
from equipoise.desk.desk import open_desk
from equipoise.desk.setup import create_store, publish_allocation
from equipoise.ledger.store import StoreFault
from equipoise.protocol.digest import study_digest
from equipoise.protocol.study import Study
from equipoise.words.problem import Problem, problem

_MARK = "made-by-equipoise-demo"
"""The file that says whose a folder is. While the folder is being filled it holds `_UNFINISHED`."""
_UNFINISHED = "unfinished\n"
PORT = 8000


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
    command.add_argument("--reset", action="store_true", help="start over; what was entered is lost")
    command.add_argument("--no-serve", action="store_true", help="make the store only")
    command.set_defaults(run=_demo)


def _demo(options: argparse.Namespace) -> Answer:
    store, vault = options.store, options.vault
    folder = options.study or playable(Path("studies"))
    fresh = options.reset or not _finished(store)
    if fresh:
        problems = make_demo(folder, store, vault)
        if problems:
            return refused(problems)
    if options.no_serve:
        return Answer(
            0, {"store": str(store)}, (told("cli.demo-made" if fresh else "cli.demo-kept", path=store),)
        )
    for notice in changed_since(folder, store):
        sys.stderr.write(line(notice) + "\n")
    return _serve(store, options.port)


def _serve(store: Path, port: int | None) -> Answer:
    """Serve on the usual port, or on any free one where nobody asked for a port and the usual one is taken."""
    served = serve_store(store, PORT if port is None else port)
    taken = any(found.rule == "pages.port-in-use" for found in served.problems)
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


def _finished(store: Path) -> bool:
    mark = store / _MARK
    return mark.is_file() and mark.read_text("utf-8") != _UNFINISHED


def make_demo(study_folder: Path, store: Path, vault: Path) -> tuple[Problem, ...]:
    """Make the rehearsal store: the list behind the second door, then everything else through the desk.

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
    made = make_process([str(study_folder), "--public", str(store / "allocation"), "--vault", str(vault)])
    if made.status:
        return (problem("cli.allocation-failed", reason=" ".join(made.lines)),)
    return _fill(study, demo, store)


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
    return _in_use(store)


def _in_use(store: Path) -> Problem | None:
    """The problem that names the process working on a store, or None. A store that is damaged is in nobody's use."""
    if not (store / "ledger.sqlite").exists():
        return None
    try:
        desk = open_desk(store)
    except StoreFault:
        return None
    if isinstance(desk, Problem):
        return desk if desk.rule == "ledger.locked" else None
    desk.close()
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
        (store / _MARK).write_text("", "utf-8")
    return problems
