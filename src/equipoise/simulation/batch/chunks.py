"""The chunk runner: which trials are still to be run, and a file to which their rows are appended as they come.

The rules that must stay true: a piece of work is a scenario's digest with a range of trials, and doing it twice gives
the same; the file is only appended to, every record carries the digest of its bytes, and what is cut off or damaged
is found when it is read and run again; rows never depend on how the work was cut. No JAX here.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from equipoise.analysis.ops import Array
from equipoise.simulation.batch.numbers import Numbers, Shape
from equipoise.simulation.batch.scenario import Ready
from equipoise.words.problem import Problem, problem

FILE = "trials.dat"
CHUNK = 4_096
"""Trials of one piece of work: about half a second of a processor's core."""
MARK = b"equipoise-trials-1\n"


@dataclass(frozen=True, slots=True)
class Work:
    """A piece of work: trials first … first + count - 1 of a scenario, `block` at a time."""

    digest: str
    shape: Shape
    numbers: Numbers
    seed: int
    first: int
    count: int
    block: int


def columns(shape: Shape) -> tuple[str, ...]:
    """The names of the rows of a result, in order; those of a look have its number."""
    by_look = ("effect", "variance", "adjusted", "df", "fitted", "steps")
    return (
        *(f"{name}{look}" for name in by_look for look in range(shape.looks)),
        "log_odds", "odds_se", "odds_fitted", "odds_steps", "categories",
        "whole", "seen", "died", "excess", "worst",
        *(("wins_log", "wins_se", "wins_fitted") if shape.wins else ()),
    )  # fmt: skip


@dataclass(slots=True)
class Results:
    """Rows by scenario: (columns, trials) with NaN where a trial has not been run yet. path: its file, if any.

    done: how many trials of all scenarios have been run, counted as they come.
    """

    shape: Shape
    seed: int
    trials: int
    rows: dict[str, Array]
    path: Path | None = None
    done: int = 0

    def missing(self, ready: Ready, block: int, until: int) -> Iterator[Work]:
        """What is still to be run of a scenario's first `until` trials, a whole number of chunks or all of them."""
        blank = np.isnan(self.rows[ready.digest][0])
        for first in range(0, min(until, self.trials), CHUNK):
            count = min(CHUNK, self.trials - first)
            if blank[first : first + count].any():
                yield Work(ready.digest, self.shape, ready.numbers, self.seed, first, count, block)

    def take(self, work: Work, found: Array) -> None:
        """Rows that were run: into the file first, then into memory."""
        if self.path is not None:
            _append(self.path, work, found)
        self.put(work.digest, work.first, found)

    def put(self, digest: str, first: int, found: Array) -> None:
        """Rows of trials from `first` on, into memory."""
        place = self.rows[digest][:, first : first + found.shape[1]]
        before = np.count_nonzero(np.isnan(place[0]))
        place[:] = found
        self.done += int(before - np.count_nonzero(np.isnan(place[0])))


def open_results(
    shape: Shape, scenarios: Sequence[Ready], *, seed: int, trials: int, folder: Path | None
) -> Results | Problem:
    """New results, with what a file of an earlier run in `folder` holds of the same work."""
    width = len(columns(shape))
    found = Results(shape, seed, trials, {one.digest: np.full((width, trials), np.nan) for one in scenarios})
    if folder is None:
        return found
    folder.mkdir(parents=True, exist_ok=True)
    found.path = folder / FILE
    if not found.path.exists():
        _write(found.path, MARK)
        return found
    if found.path.read_bytes()[: len(MARK)] != MARK:
        return problem("simulate.other-file", str(found.path))
    _resume(found, found.path)
    return found


def _resume(found: Results, path: Path) -> None:
    """Take in every whole record; cut off what follows the last of them."""
    sound = len(MARK)
    for header, rows, end in records(path):
        sound = end
        mine = found.rows.get(str(header["digest"]))
        first, count = int(header["first"]), int(header["count"])
        if mine is None or header["seed"] != found.seed or rows.shape[0] != len(mine):
            continue
        stop = min(first + count, found.trials)
        if stop > first:
            found.put(str(header["digest"]), first, rows[:, : stop - first])
    if sound < path.stat().st_size:
        with path.open("r+b") as file:
            file.truncate(sound)


def records(path: Path) -> Iterator[tuple[Mapping[str, Any], Array, int]]:
    """Header, rows and end of each record, up to the first that is cut off or damaged."""
    with path.open("rb") as file:
        file.seek(len(MARK))
        while line := file.readline(1_000):
            try:
                header = json.loads(line)
                size = int(header["rows"]) * int(header["count"]) * 8
            except (ValueError, KeyError, TypeError):
                return
            data = file.read(size)
            if len(data) != size or hashlib.sha256(data).hexdigest() != header["sha256"]:
                return
            yield (
                header,
                np.frombuffer(data, "<f8").reshape(int(header["rows"]), int(header["count"])),
                file.tell(),
            )


def _append(path: Path, work: Work, found: Array) -> None:
    data = np.ascontiguousarray(found, "<f8").tobytes()
    header = {
        "digest": work.digest, "seed": work.seed, "first": work.first, "count": work.count, "rows": len(found),
        "sha256": hashlib.sha256(data).hexdigest(),
    }  # fmt: skip
    _write(path, json.dumps(header, sort_keys=True).encode() + b"\n" + data)


def _write(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def results_bytes(shape: Shape, scenarios: Sequence[Ready], trials: int) -> int:
    """Bytes that the rows of so many trials of all scenarios take while they are in memory."""
    return 8 * len(columns(shape)) * trials * len({one.digest for one in scenarios})


def fitting_block(shape: Shape, memory: int, workers: int, held: int = 0) -> int | Problem:
    """Trials of one block, a power of two, so that workers and the `held` bytes together stay within `memory`."""
    block = 256
    while block >= 8:
        needed = held + workers * (PROGRAM + block * per_trial(shape) + CHUNK * len(columns(shape)) * 16)
        if needed <= memory:
            return block
        block //= 2
    least = held + workers * (PROGRAM + 8 * per_trial(shape))
    return problem("simulate.no-memory", "--memory", memory=_mebibytes(memory), least=_mebibytes(least))


PROGRAM = 400 * 2**20
"""Bytes of a process with the compiled program in it, before any trial; measured 330 to 380 MiB."""


def per_trial(shape: Shape) -> int:
    """Bytes that one trial of a block takes: participants' rows, sums of products, and the matrices of a fit."""
    coordinates = shape.visits * (shape.visits + 1) // 2
    sets = 2**shape.visits * shape.columns if shape.gaps else shape.visits
    numbers = shape.most * (shape.factors + 6) + shape.looks * sets * 3 * shape.columns**2
    return 8 * (
        numbers + 12 * coordinates**2 + 60 * shape.visits**2 + 24 * (shape.visits + shape.factors + 8) * 12
    )


def free_memory() -> int:
    """Bytes that the system says are free for programs; 1 GiB where it does not say."""
    try:
        with Path("/proc/meminfo").open(encoding="ascii") as file:
            found = next((line for line in file if line.startswith("MemAvailable:")), "")
        return int(found.split()[1]) * 1024
    except (OSError, IndexError, ValueError):
        return 2**30


def _mebibytes(count: int) -> int:
    return -(-count // 2**20)


def all_missing(
    results: Results, scenarios: Iterable[Ready], block: int, until: int | None = None
) -> list[Work]:
    """Everything that is still to be run of the first `until` trials; scenarios of one digest are run once."""
    once = {ready.digest: ready for ready in scenarios}
    wanted = results.trials if until is None else until
    return [work for ready in once.values() for work in results.missing(ready, block, wanted)]
