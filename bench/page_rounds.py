"""Pages that read a whole participant, and pages that read across participants, through the real server.

A casebook, and its PDF, of one participant who was followed for a year, opened by 1, 8 and 32 people at once; the lists
opened by one person in studies of 86, 2,000 and 20,000 participants (see large_store): a page must not take longer
because the study is larger.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from bench.large_store import make_large_store
from bench.rounds import Action, Round, run_round
from bench.table import Row, row_of
from bench.visitor import Visitor
from bench.web_rounds import CLIENTS, serving

SIZES = (86, 2_000)
LARGE = 20_000
LISTS = (
    ("participants", "benchcra", "monitor", "/subjects"),
    ("participants by visits", "benchcra", "monitor", "/subjects/matrix"),
    ("visits due, one site", "benchnurse", "coordinator", "/visits"),
    ("visits due, all sites", "benchcra", "monitor", "/visits"),
    ("Today of a site", "benchnurse", "coordinator", "/today"),
    ("Today of a monitor", "benchcra", "monitor", "/today"),
    ("doses due, one site", "benchnurse", "coordinator", "/due"),
    ("doses due, all sites", "benchcra", "monitor", "/due"),
    ("queries", "benchcra", "monitor", "/queries"),
    ("to sign", "benchpi", "investigator", "/signatures"),
    ("to verify", "benchcra", "monitor", "/verification"),
    ("lock checklist", "benchdm", "data_manager", "/lock"),
    ("audit trail", "benchins", "inspector", "/audit"),
)
"""What it is called, who opens it, as what, and its address."""


def opening(url: str, path: str, user: str, role: str, *, clients: int, seconds: float) -> Round:
    """A page opened by `clients` people."""
    with ExitStack() as stack:

        def make(worker: int) -> Action:
            visitor = Visitor(url)
            stack.callback(visitor.close)
            visitor.sign_in(user, role)
            visitor.open(path)
            return lambda: visitor.open(path)

        return run_round(make, workers=clients, seconds=seconds)


def casebook_rows(
    url: str, number: str, *, seconds: float, clients: tuple[int, ...] = CLIENTS
) -> Iterator[Row]:
    """The casebook of a participant, as a page and as a PDF."""
    for what, path in (("casebook page, HTTP", ""), ("casebook PDF, HTTP", "/casebook.pdf")):
        for count in clients:
            done = opening(
                url, f"/subjects/{number}{path}", "benchnurse", "coordinator", clients=count, seconds=seconds
            )
            yield row_of(what, f"{count} clients" if count > 1 else "1 client", "pages", done)


def page_rows(folder: Path, *, seconds: float, sizes: tuple[int, ...] = SIZES) -> Iterator[Row]:
    """Every row about these pages; `seconds` is the time of one round."""
    for size in sizes:
        numbers = make_large_store(folder / str(size), size)
        with serving(folder / str(size)) as url:
            if size == sizes[0]:
                yield from casebook_rows(url, numbers[0], seconds=seconds)
            for what, user, role, path in LISTS:
                done = opening(url, path, user, role, clients=1, seconds=seconds / 2)
                yield row_of(f"{what}, HTTP", f"{size:,} participants", "pages", done)
