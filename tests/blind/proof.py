"""The proof as a whole: play the worlds, compare them, ask the gate, replay the leaks, and say what came of it.

`python -m tests.blind`             the proof that every change has to pass (`make prove-blind`)
`python -m tests.blind --full`      the nightly one: twenty relabellings, every play without its leak, ten times the lists
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
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blind.compare import Difference, differences
from blind.leaks import Leak
from blind.page import PAGE, render
from blind.playing import Running, load_everything, play_whole
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
    parser.add_argument("--keep", action="store_true", help="leave what was seen, and say where")
    options = parser.parse_args(arguments)
    load_everything()
    folder = Path(tempfile.mkdtemp(prefix="blind-"))
    try:
        proof = prove(folder, QUICK if not options.full else nightly(), only=tuple(options.leak))
        return tell(proof, write=options.write, page=not (options.leak or options.full))
    finally:
        if options.keep:
            say(f"kept {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def prove(folder: Path, worlds: tuple[Secret, ...], only: tuple[str, ...] = ()) -> Proof:
    """Everything, or only the named leaks."""
    proof = Proof(worlds)
    leaks = [each for each in every_leak() if not only or each.name in only]
    if not only:
        _worlds(proof, folder / "whole")
        proof.statistics = measured(full=len(worlds) > len(QUICK))
    if not proof.faults:
        _leaks(proof, folder / "leaks", leaks)
    return proof


def _worlds(proof: Proof, folder: Path) -> None:
    """Play the worlds, two at a time, and compare each with the first."""
    waiting, running = list(proof.worlds), list[tuple[Secret, Running]]()
    while waiting or running:
        while waiting and len(running) < 2:
            secret = waiting.pop(0)
            running.append((secret, Running(folder / secret.name, play_whole(secret, folder / secret.name))))
        secret, world = running.pop(0)
        fault = world.wait()
        proof.faults += [f"{secret.name}: {fault}"] if fault else []
        if proof.faults:
            continue
        if secret is DRAWN:
            proof.told = json.loads((folder / secret.name / "told.json").read_text("utf-8"))
        else:
            count, found = differences(folder / DRAWN.name / "seen", folder / secret.name / "seen")
            proof.compared += count
            proof.differences += [(secret, each) for each in found]
            shutil.rmtree(folder / secret.name)


def _leaks(proof: Proof, folder: Path, leaks: list[Leak]) -> None:
    secrets = dict.fromkeys(secret for each in leaks for secret in each.pair)
    fault = make_scenes(folder, secrets)
    if fault:
        proof.faults.append(fault)
        return
    proof.clean = replay_clean(folder, leaks, every=len(proof.worlds) > len(QUICK))
    proof.verdicts = replay_leaks(folder, leaks)


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
