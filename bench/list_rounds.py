"""The allocation list: making a large one, and verifying what was published, by certificate and whole.

Every row is one pass in one process. The list is big stick 3 in one stratum, as long as it says.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.table import Row
from equipoise.ledger.vault_entries import ListMade
from equipoise.protocol.digest import study_digest
from equipoise.protocol.study import Study
from equipoise.randomization import verify_allocation
from equipoise.randomization.draws import combined
from equipoise.randomization.public import NAME, public_content, read_public
from equipoise.randomization.tree import list_root
from equipoise.vault.holding import Terms, contributed, public_facts
from equipoise.vault.lists import AllocationList, make_list
from equipoise.vault.release_file import release_content
from equipoise.words.problem import Problem

LARGE, WHOLE = 1_000_000, 100_000
_SEEDS = {"one": b"1" * 32, "two": b"2" * 32, "machine": b"3" * 64}


def made_study(slots: int) -> Study:
    """A study of one stratum with that many places."""
    return Study.model_validate(
        {
            "notation": 1, "id": "bench", "version": "1", "dated": "2026-01-01", "title": "Bench",
            "design": {"cap": slots}, "arms": [{"id": "A", "label": "A"}, {"id": "B", "label": "B"}],
            "randomization": {
                "method": "big_stick", "parameters": {"imbalance": "3"}, "ratio": {"A": 1, "B": 1},
            },
        }
    )  # fmt: skip


def made_list(study: Study) -> AllocationList:
    """Its list. RuntimeError where it cannot be made."""
    found = make_list(study, study_digest(study), combined([_SEEDS[name] for name in sorted(_SEEDS)]))
    if isinstance(found, Problem):
        raise RuntimeError(found.say())
    return found


def _row(measured: str, circumstances: str, count: int, seconds: float, note: str = "") -> Row:
    return Row(measured, circumstances, f"{count / seconds:,.0f} slots/s", note=note or f"{seconds:.1f} s")


def making(slots: int) -> Iterator[Row]:
    """That many slots from a seed: arms, nonces and numbers; then their commitments and the root."""
    study = made_study(slots)
    start = time.perf_counter()
    made = made_list(study)
    drawn = time.perf_counter()
    list_root(made.public())
    ended = time.perf_counter()
    yield _row("make a list", f"{slots:,} slots: arms, nonces, numbers", slots, drawn - start)
    yield _row("commit to a list", f"{slots:,} slots: commitments and root", slots, ended - drawn)


def written(folder: Path, slots: int) -> tuple[Path, Path]:
    """The public list and the release of that many slots, as files."""
    study = made_study(slots)
    made = made_list(study)
    public = made.public()
    root = list_root(public)
    folder.mkdir(parents=True)
    (folder / NAME).write_bytes(public_content(public_facts(study, _SEEDS, Terms()), public, root))
    entry = ListMade("bench", "bench", "bench", root, slots, tuple(contributed(_SEEDS)))
    content = release_content(study, entry, public, _SEEDS)
    if isinstance(content, Problem):
        raise RuntimeError(content.say())
    (folder / "release.json").write_bytes(content)
    return folder / NAME, folder / "release.json"


def verifying(folder: Path, slots: int) -> Iterator[Row]:
    """The published list alone, and the whole of it after a release, by the stand-alone file in a bare Python."""
    public, release = written(folder, slots)
    start = time.perf_counter()
    found = read_public(public)
    taken = time.perf_counter() - start
    if isinstance(found, Problem):
        raise RuntimeError(found.say())
    size = f"{len(public.read_bytes()) / 1e6:.0f} MB"
    yield _row(
        "verify a certificate", f"{slots:,} slots, root and checksum", slots, taken, f"{taken:.1f} s, {size}"
    )
    command = [sys.executable, "-I", str(verify_allocation.__file__), str(public), str(release)]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    taken = time.perf_counter() - start
    yield _row("verify a release, stand-alone", f"{slots:,} slots, made again from seeds", slots, taken,
               f"{taken:.1f} s, {done.stdout.strip()[:40]}")  # fmt: skip


def list_rows(folder: Path, *, large: int = LARGE, whole: int = WHOLE) -> Iterator[Row]:
    """Every row about the list: `large` slots are made, `whole` are verified."""
    yield from verifying(folder, whole)
    yield from making(large)
