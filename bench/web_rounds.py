"""The pages under load: opening a form and saving it whole, through the real server, by 1, 8 and 32 people at once.

Each person works on a subject of their own (two people on one form is a conflict, not a load). A save carries all
fifteen items of the NIHSS with changed scores, so it writes fifteen new values, the derived ones, and their receipt.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.rounds import Action, Round, run_round
from bench.table import Row, row_of
from bench.visitor import Visitor
from equipoise.cli.study import read_study
from equipoise.desk.desk import Desk
from equipoise.desk.identities import IdentityInput
from equipoise.desk.setup import add_person, create_store, open_site

STUDY = Path("studies/nct07197606")
VISIT, FORM = "V1", "NIHSS"
ITEMS = ("1a", "1b", "1c", "2", "3", "4", "5a", "5b", "6a", "6b", "7", "8", "9", "10", "11")
CLIENTS = (1, 8, 32)
_URL = re.compile(r"http://\S+")


def make_store(folder: Path, subjects: int) -> list[str]:
    """A rehearsal store with that many subjects in screening; their screening numbers."""
    study = read_study(STUDY)
    if isinstance(study, tuple):
        raise RuntimeError(study[0].say())
    desk = create_store(folder, study, "rehearsal")
    if isinstance(desk, tuple):
        raise RuntimeError(desk[0].say())
    try:
        site = study.sites[0].id
        today = dt.datetime.now(dt.UTC).date().isoformat()
        problems = open_site(desk, site, "BENCH", today)
        problems = problems or add_person(desk, "benchnurse", "Bench Nurse", "coordinator", site)
        problems = problems or add_person(desk, "benchrater", "Bench Rater", "rater", site)
        if problems:
            raise RuntimeError(problems[0].say())
        return [_screen(desk, site, number) for number in range(subjects)]
    finally:
        desk.close()


def _screen(desk: Desk, site: str, number: int) -> str:
    nurse = desk.who("benchnurse", "coordinator")
    assert nurse is not None
    person = IdentityInput(f"Bench Person {number}", f"1950-01-{number % 28 + 1:02d}", f"000{number:08d}")
    done = desk.screen(nurse, site, person, key=f"bench screening {number}")
    if done.number is None:
        raise RuntimeError(done.outcome.problems[0].say())
    return done.number


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The program's own server on a free port, as a process of its own; the URL that it prints."""
    command = [sys.executable, "-m", "equipoise.cli.main", "serve", str(folder), "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert server.stdout is not None
        said: list[str] = []
        for line in server.stdout:
            said.append(line)
            found = _URL.search(line)
            if found:
                yield found[0]
                break
        else:
            raise RuntimeError("the server did not start: " + "".join(said)[-500:])
    finally:
        server.terminate()
        server.communicate(timeout=30)


def opening(url: str, numbers: list[str], *, clients: int, seconds: float) -> Round:
    """Form pages opened by `clients` people."""
    with ExitStack() as stack:

        def make(worker: int) -> Action:
            visitor, path = _arrive(stack, url, numbers[worker])
            return lambda: visitor.open_form(path)

        return run_round(make, workers=clients, seconds=seconds)


def saving(url: str, numbers: list[str], *, clients: int, seconds: float) -> Round:
    """Whole forms saved by `clients` people."""
    with ExitStack() as stack:

        def make(worker: int) -> Action:
            visitor, path = _arrive(stack, url, numbers[worker])
            turns = itertools.chain("2", itertools.cycle("01"))  # begins as no earlier round ended

            def once() -> None:
                visitor.save(path, dict.fromkeys(ITEMS, next(turns)))

            once()
            return once

        return run_round(make, workers=clients, seconds=seconds)


def _arrive(stack: ExitStack, url: str, number: str) -> tuple[Visitor, str]:
    visitor, path = Visitor(url), f"/subjects/{number}/forms/{VISIT}/{FORM}"
    stack.callback(visitor.close)
    visitor.sign_in("benchrater", "rater")
    visitor.open_form(path)
    return visitor, path


def web_rows(folder: Path, *, seconds: float, clients: tuple[int, ...] = CLIENTS) -> Iterator[Row]:
    """Every row about the pages; `seconds` is the time of one round. Each number of clients has its own subjects."""
    numbers = make_store(folder, sum(clients))
    with serving(folder) as url:
        for count in clients:
            mine, numbers = numbers[:count], numbers[count:]
            circumstances = f"{count} clients" if count > 1 else "1 client"
            yield row_of(
                "form page, HTTP", circumstances, "pages", opening(url, mine, clients=count, seconds=seconds)
            )
            yield row_of(
                "save of 15 items, HTTP",
                circumstances,
                "saves",
                saving(url, mine, clients=count, seconds=seconds),
            )
