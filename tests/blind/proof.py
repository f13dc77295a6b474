"""The proof as a whole: play the worlds, compare them, ask the gate, replay the leaks, and say what came of it.

`python -m tests.blind`             the proof that every change has to pass (`make prove-blind`)
`python -m tests.blind --full`      the nightly one: twenty relabellings, every play without its leak, ten times the lists,
                                    each page twice as often
`python -m tests.blind --write`     also writes the page of the documentation; without it, the page must be as it would be
`python -m tests.blind --leak NAME` one leak, with what was seen of it
Exit: 0 proven, 1 not.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from blind.compare import Difference, differences
from blind.page import PAGE, render
from blind.playing import AT_ONCE, Task, load_everything, play_all, play_whole
from blind.replays import Verdict, every_leak, make_scenes, replay_clean, replay_leaks
from blind.secret import DRAWN, QUICK, Secret, nightly
from blind.statistics import Measured, measured

SHOWN = 20
"""Differences that are printed."""


@dataclass
class Proof:
    """What came of a run."""

    worlds: tuple[Secret, ...]
    faults: list[str] = field(default_factory=list)
    differences: list[tuple[Secret, Difference]] = field(default_factory=list)
    compared: int = 0
    told: dict[str, Any] = field(default_factory=dict)
    clean: list[str] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    statistics: list[Measured] = field(default_factory=list)

    @property
    def proven(self) -> bool:
        """Whether nothing is missing."""
        return not (self.faults or self.differences or self.told.get("gaps") or self.clean) and all(
            each.good for each in (*self.verdicts, *self.statistics)
        )

    @property
    def last_line(self) -> str:
        """The line with which a run ends."""
        caught = sum(each.good for each in self.verdicts) + sum(each.leak_caught for each in self.statistics)
        leaks = len(self.verdicts) + len(self.statistics)
        return (
            f"{caught} of {leaks} seeded leaks caught; {self.told.get('covered', 0)} operations x roles x states "
            f"compared, {len(self.differences)} differences"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the proof. The exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.blind", description="Prove the blind.")
    parser.add_argument("--full", action="store_true", help="the nightly proof")
    parser.add_argument("--write", action="store_true", help="write the page of the documentation")
    parser.add_argument("--leak", action="append", default=[], metavar="NAME", help="one leak only")
    parser.add_argument(
        "--at-once", type=int, default=AT_ONCE, metavar="N", help="worlds played at the same time"
    )
    parser.add_argument("--keep", action="store_true", help="leave what was seen, and say where")
    options = parser.parse_args(arguments)
    load_everything()
    folder = Path(tempfile.mkdtemp(prefix="blind-"))
    try:
        worlds = QUICK if not options.full else nightly()
        proof = prove(folder, worlds, only=tuple(options.leak), at_once=options.at_once)
        return tell(proof, write=options.write, page=not (options.leak or options.full))
    finally:
        if options.keep:
            say(f"kept {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def prove(
    folder: Path, worlds: tuple[Secret, ...], only: tuple[str, ...] = (), at_once: int = AT_ONCE
) -> Proof:
    """Everything, or only the named leaks. The scenes come first; then all worlds as processors are free, the longest first."""
    proof = Proof(worlds)
    leaks = [each for each in every_leak() if not only or each.name in only]
    place, every = folder / "leaks", len(worlds) > len(QUICK)
    play_all(
        make_scenes(place, [secret for each in leaks for secret in each.pair], proof.faults.append), at_once
    )
    if proof.faults:
        return proof
    replays = replay_leaks(place, leaks, proof.verdicts.append)
    clean = replay_clean(place, leaks, proof.clean.append, every=every)
    play_all([*(() if only else _whole(proof, folder / "whole", full=every)), *clean, *replays], at_once)
    proof.verdicts.sort(key=lambda verdict: leaks.index(verdict.leak))
    return proof


def _whole(proof: Proof, folder: Path, *, full: bool) -> Iterator[Task]:
    """The whole script in every world, each compared with the first; and the tests of many lists."""
    ended: list[Secret] = []

    def compare(fault: str, secret: Secret) -> None:
        proof.faults += [f"{secret.name}: {fault}"] if fault else []
        ended.append(secret)
        if proof.faults or DRAWN not in ended:
            return
        if secret is DRAWN:
            proof.told = json.loads((folder / DRAWN.name / "told.json").read_text("utf-8"))
        for each in [one for one in ended if one is not DRAWN]:
            count, found = differences(folder / DRAWN.name / "seen", folder / each.name / "seen")
            proof.compared += count
            proof.differences += [(each, one) for one in found]
            shutil.rmtree(folder / each.name)
            ended.remove(each)

    for secret in proof.worlds:
        place = folder / secret.name
        yield Task([(place, play_whole(secret, place, dense=full))], partial(compare, secret=secret))

    def lists() -> None:
        told = [asdict(each) for each in measured(full=full)]
        (folder / "lists" / "told.json").write_text(json.dumps(told), "utf-8")

    def read(fault: str) -> None:
        told = folder / "lists" / "told.json"
        proof.faults += [fault] if fault else []
        proof.statistics = [] if fault else [Measured(**each) for each in json.loads(told.read_text("utf-8"))]

    yield Task([(folder / "lists", lists)], read)


def tell(proof: Proof, *, write: bool, page: bool) -> int:
    """Print what came of it, and see to the page. The exit status."""
    for fault in proof.faults:
        say(f"the script did not go through:\n{fault[-3000:]}")
    for secret, each in proof.differences[:SHOWN]:
        say(f"DIFFERENCE {secret.name} {each}")
    for gap in proof.told.get("gaps", []):
        say(f"NOT COVERED {gap}")
    for line in proof.clean:
        say(f"WITHOUT A LEAK {line[-1500:]}")
    for verdict in (*proof.verdicts, *proof.statistics):
        if not verdict.good:
            say(str(verdict))
    stale = False
    if page and proof.proven:
        text = render(proof)
        if write:
            PAGE.write_text(text, "utf-8")
        stale = not PAGE.exists() or PAGE.read_text("utf-8") != text
    if stale:
        say(f"{PAGE.name} is not what this run says; `make prove-blind WRITE=--write` writes it")
    say(proof.last_line)
    return 0 if proof.proven and not stale else 1


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
