"""What a ledger says of its allocation list: from a store of the first door, or from an archive of it.

The rule that must stay true: a ledger that does not verify says nothing; only then is one entry of it believed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from equipoise.ledger.codec import decode
from equipoise.ledger.entries import AllocationPublished, Entry, SlotTaken, SubjectRandomized
from equipoise.ledger.opening import open_ledger
from equipoise.ledger.store import StoreFault
from equipoise.ledger.verify import find_ledger, verify_path
from equipoise.randomization.dispensing import Taken
from equipoise.words.problem import Problem, problem

_KINDS = tuple(kind.__name__ for kind in (AllocationPublished, SlotTaken, SubjectRandomized))


def read_taken(path: Path) -> Taken | Problem:
    """What was published and taken. Problem where the ledger does not verify or holds no list."""
    verdict = verify_path(path)
    target = find_ledger(path)
    if not verdict.ok or target is None:
        return problem("cli.ledger-not-verified", str(path), finding=verdict.lines()[-1])
    try:
        return _taken(_archived(target) if target.suffix == ".jsonl" else _stored(target.parent), path)
    except (StoreFault, OSError, ValueError, KeyError, TypeError) as fault:
        return problem("cli.ledger-not-verified", str(path), finding=" ".join(str(fault).split()))


def _taken(entries: Iterable[tuple[str, Entry]], path: Path) -> Taken | Problem:
    published: AllocationPublished | None = None
    taken: list[SlotTaken] = []
    strata: dict[str, str] = {}
    for stream, entry in entries:
        if isinstance(entry, AllocationPublished):
            published = entry
        elif isinstance(entry, SlotTaken):
            taken.append(entry)
        elif isinstance(entry, SubjectRandomized):
            strata[stream.removeprefix("subject/")] = entry.stratum
    if published is None:
        return problem("cli.ledger-without-list", str(path))
    return Taken(published.root, published.slots, tuple(taken), strata)


def _stored(folder: Path) -> Iterator[tuple[str, Entry]]:
    """The entries of a store, read without disturbing a server that works on it. Raises StoreFault."""
    ledger = open_ledger(folder, write=False)
    if isinstance(ledger, Problem):
        raise StoreFault(ledger)
    try:
        with ledger.reading() as reader:
            for recorded in reader.of_kind(*_KINDS):  # the chain was verified; other entries stay closed
                if recorded.entry is not None:
                    yield recorded.header.stream, recorded.entry
    finally:
        ledger.close()


def _archived(path: Path) -> Iterator[tuple[str, Entry]]:
    """The entries of an archive whose bodies were opened. Raises ValueError for one that is withheld."""
    with path.open("rb") as lines:
        for line in lines:
            value = json.loads(line)
            header = value.get("header", {})
            if header.get("kind") not in _KINDS:
                continue
            entry = decode(header["kind"], value["bodies"]["main"]["body"])
            if isinstance(entry, Problem):
                raise ValueError(entry.say())
            yield header["stream"], entry
