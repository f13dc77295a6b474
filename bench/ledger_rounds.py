"""The ledger alone: durable appends, verification, and reading one participant.

An append is one save of a form of fifteen items (the NIHSS has fifteen), with the desk's own followers keeping the read
tables. Each writer has a subject of its own, as two nurses with two patients have.
"""

from __future__ import annotations

import datetime as dt
import itertools
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.rounds import Action, Round, run_round
from bench.table import Row, row_of
from equipoise.desk.cases import CASE
from equipoise.desk.followers import FOLLOWERS
from equipoise.ledger.commit import Act, Committed, commit
from equipoise.ledger.entries import Append, Datum, FormSaved, SubjectScreened
from equipoise.ledger.opening import Ledger, open_ledger
from equipoise.ledger.reader import Reader
from equipoise.words.problem import Problem

ITEMS = 15
LONG_STREAM = 2000
_DIGEST = "0" * 64


def open_for_bench(folder: Path) -> Ledger:
    """A new ledger in `folder`, with the desk's read tables."""
    found = open_ledger(folder, write=True, create=True, followers=FOLLOWERS)
    if isinstance(found, Problem):
        raise RuntimeError(found.say())
    return found


def form(number: int) -> FormSaved:
    """One save: fifteen items whose values differ from save to save."""
    items = {f"ITEM{item:02d}": Datum(str((number + item) % 4)) for item in range(ITEMS)}
    total = sum((number + item) % 4 for item in range(ITEMS))
    return FormSaved("V1", "NIHSS", 1, items, {"TOTAL": Datum(str(total))}, complete=True)


def act(key: str) -> Act:
    """Who saves, when: one fixed person, now."""
    return Act("bench", _DIGEST, "a" * 16, "coordinator", dt.datetime.now(dt.UTC), None, "UTC", key, _DIGEST)


def save(
    ledger: Ledger, stream: str, key: str, entry: FormSaved | SubjectScreened, *, fold: bool = False
) -> None:
    """One durable append, folding the stream before it as the desk does, or not. RuntimeError where it was refused."""

    def decide(reader: Reader) -> tuple[Append, ...]:
        if fold:
            reader.fold(stream, CASE)
        return (Append(stream, entry),)

    done = commit(ledger, act(key), [stream], decide)
    if not isinstance(done, Committed):
        raise RuntimeError(done.problems[0].say())


def writer(ledger: Ledger, name: str, *, fold: bool = False) -> Action:
    """What one writer does again and again, in a stream of its own."""
    stream = f"subject/{name}"
    save(ledger, stream, f"{name} screened", SubjectScreened(name, "01", name, f"person{name}"))
    numbers = itertools.count()

    def once() -> None:
        number = next(numbers)
        save(ledger, stream, f"{name} {number}", form(number), fold=fold)

    return once


def appends(ledger: Ledger, *, writers: int, seconds: float, name: str) -> Round:
    """Appends by `writers` at once, each in its own stream."""
    return run_round(lambda worker: writer(ledger, f"{name}{worker}"), workers=writers, seconds=seconds)


def long_stream(ledger: Ledger, entries: int) -> str:
    """A subject with that many entries, saved as the desk saves, with snapshots; the name of its stream."""
    again = writer(ledger, "long", fold=True)
    for _ in range(entries - 1):
        again()
    return "subject/long"


def fold_everything(reader: Reader, stream: str) -> object:
    """The state of a stream from its first entry, as it is computed where there is no snapshot."""
    state = CASE.start
    for recorded in reader.entries(stream):
        state = CASE.evolve(state, recorded)
    return state


def reads(ledger: Ledger, read: Callable[[Reader], object], *, seconds: float) -> Round:
    """One reader that reads again and again, each time at a new moment."""

    def once() -> None:
        with ledger.reading() as reader:
            read(reader)

    return run_round(lambda _: once, workers=1, seconds=seconds)


def verification(folder: Path) -> tuple[float, str]:
    """Seconds and last line of the stand-alone verifier on a store, in a Python without the program installed."""
    import equipoise.ledger.verify as verifier

    start = time.perf_counter()
    command = [sys.executable, "-I", str(verifier.__file__), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    lines = (done.stdout or done.stderr).strip().splitlines()
    return time.perf_counter() - start, lines[-1] if lines else f"exit {done.returncode}"


def ledger_rows(folder: Path, *, seconds: float, entries: int = LONG_STREAM) -> Iterator[Row]:
    """Every row about the ledger; `seconds` is the time of one round."""
    ledger = open_for_bench(folder)
    try:
        for writers in (1, 8):
            result = appends(ledger, writers=writers, seconds=seconds, name=f"w{writers}x")
            yield row_of(
                "append, on disk", f"{writers} writers" if writers > 1 else "1 writer", "entries", result
            )
        stream = long_stream(ledger, entries)
        whole = reads(ledger, lambda reader: fold_everything(reader, stream), seconds=seconds)
        yield row_of("load and fold a participant", f"{entries:,} entries, from the first", "folds", whole)
        short = reads(ledger, lambda reader: reader.fold(stream, CASE), seconds=seconds)
        yield row_of("load and fold a participant", f"{entries:,} entries, snapshot and tail", "folds", short)
        with ledger.reading() as reader:
            count = sum(head.seq for head in reader.streams())
    finally:
        ledger.close()
    taken, last = verification(folder)
    yield Row("verify, stand-alone", f"{count:,} entries", f"{count / taken:,.0f} entries/s", note=last[:60])
