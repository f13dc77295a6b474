"""The record of ceremonies in a vault folder: `ceremony.json`, append-only, until the second door's ledger takes it.

The rules that must stay true: a step is added and never changed or taken away; each step holds the digest of the one
before, so that a changed, lost or inserted step is seen; an aborted ceremony stays in the record for ever. The steps
are entries of `ledger.vault_entries` (stream `ceremony`); no seed and no arm is in them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from equipoise.ledger.codec import decode, encode
from equipoise.ledger.entries import Entry
from equipoise.ledger.vault_entries import (
    CeremonyAborted,
    CeremonyStarted,
    FewSeedsAccepted,
    ListMade,
    SeedCommitted,
    SeedRevealed,
    SlotsSealed,
)
from equipoise.words.canonical import Json, NotCanonical, canonical_bytes
from equipoise.words.problem import Problem, problem

NAME = "ceremony.json"
FORMAT = "equipoise-ceremony-1"
FIRST = "0" * 64
KINDS = (
    CeremonyStarted,
    FewSeedsAccepted,
    SeedCommitted,
    SeedRevealed,
    CeremonyAborted,
    ListMade,
    SlotsSealed,
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its entry, and when (UTC, ISO; empty in a rehearsal, which is the same every time)."""

    entry: Entry
    at: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What the record says now. `open` is the id of the ceremony that is being held, or "".

    digest: of the study's definition; public_value: the name given to it at the beginning; committed: name -> digest
    of the seed; made: whether a list was made in this folder; aborted: how many ceremonies were.
    """

    open: str = ""
    digest: str = ""
    public_value: str = ""
    committed: Mapping[str, str] = field(default_factory=dict)
    revealed: tuple[str, ...] = ()
    made: bool = False
    aborted: int = 0


def ceremony_entries(folder: Path) -> tuple[Entry, ...] | Problem:
    """The entries of the ceremonies held in a vault folder, in order, for the stream `ceremony` of its ledger.

    A Problem `vault.record-broken` where the file is missing, or a step in it was changed.
    """
    steps = read_record(folder)
    return steps if isinstance(steps, Problem) else tuple(step.entry for step in steps)


def read_record(folder: Path) -> tuple[Step, ...] | Problem:
    """Every step, once the chain holds. An empty record is one of a folder where none was begun."""
    path = folder / NAME
    if not path.exists():
        return ()
    try:
        data = path.read_bytes()
        content = json.loads(data)
        if data != canonical_bytes(content) + b"\n" or content["format"] != FORMAT:
            raise ValueError(f"format is not {FORMAT}")
        return tuple(_steps(content["steps"]))
    except (OSError, ValueError, KeyError, TypeError, NotCanonical, RecursionError) as fault:
        return problem("vault.record-broken", str(path), fault=" ".join(str(fault).split()))


def _steps(written: Sequence[Mapping[str, Any]]) -> list[Step]:
    """Raises ValueError at the first step that does not follow from the one before."""
    known = {kind.__name__ for kind in KINDS}
    before, found = FIRST, []
    for number, each in enumerate(written, 1):
        body = {name: value for name, value in each.items() if name != "digest"}
        if each["before"] != before or each["digest"] != _digest(body) or each["kind"] not in known:
            raise ValueError(f"step {number}")
        entry = decode(each["kind"], each["body"])
        if isinstance(entry, Problem):
            raise ValueError(f"step {number}")
        found.append(Step(entry, each["at"]))
        before = each["digest"]
    return found


def _digest(body: Mapping[str, Json]) -> str:
    return hashlib.sha256(canonical_bytes(body)).hexdigest()


def record_bytes(steps: Sequence[Step]) -> bytes:
    """The whole file."""
    before, written = FIRST, []
    for step in steps:
        body: dict[str, Json] = {
            "at": step.at,
            "before": before,
            "body": encode(step.entry)["main"],
            "kind": step.entry.kind,
        }
        before = _digest(body)
        written.append({**body, "digest": before})
    return canonical_bytes({"format": FORMAT, "steps": written}) + b"\n"


def write_record(folder: Path, steps: Sequence[Step]) -> None:
    """Put the record in its place, whole and on disk before this returns. Raises OSError."""
    draft = folder / (NAME + ".draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(record_bytes(steps))
        file.flush()
        os.fsync(descriptor)
    draft.replace(folder / NAME)


def standing(steps: Sequence[Step]) -> Standing:
    """What holds after the steps."""
    begun: CeremonyStarted | None = None
    committed: dict[str, str] = {}
    revealed: list[str] = []
    made, aborted = False, 0
    for step in steps:
        entry = step.entry
        if isinstance(entry, CeremonyStarted):
            begun, committed, revealed = entry, {}, []
        elif isinstance(entry, SeedCommitted):
            committed[entry.by] = entry.digest
        elif isinstance(entry, SeedRevealed):
            revealed.append(entry.by)
        elif isinstance(entry, CeremonyAborted):
            begun, aborted = None, aborted + 1
        elif isinstance(entry, ListMade):
            begun, made = None, True
    if begun is None:
        return Standing("", "", "", committed, tuple(revealed), made, aborted)
    return Standing(
        begun.ceremony, begun.definition, begun.public_value, committed, tuple(revealed), made, aborted
    )
