"""A filled ledger: what is sealed in it tells nothing by its length, nor by being there or not.

Source: DESIGN 5; reliability notes, channel L13 (plain labels tell themselves apart by their sealed length).
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.ledger.codec import parts_of
from equipoise.ledger.commit import Committed, commit
from equipoise.ledger.entries import KINDS, Append, Entry
from equipoise.ledger.opening import Ledger, open_ledger
from equipoise.ledger.vault_entries import CredentialRevoked, PreparationOpened
from equipoise.ledger.verify import verify_path
from rooms.ledger.ledger_world import act

PAIRS: list[tuple[Entry, Entry]] = [
    (
        PreparationOpened("r1", "s1", "R1", 1, "cells"),
        PreparationOpened("r1", "s1", "R1", 1, "a much longer name of a placebo"),
    ),
    (CredentialRevoked("u1", "BENCH", "left the hospital"), CredentialRevoked("u1", "BENCH", "")),
]


def written(folder: Path, entry: Entry, fill: int) -> tuple[list[str], list[int]]:
    ledger = open_ledger(folder, write=True, create=True, fill=fill)
    assert isinstance(ledger, Ledger)
    done = commit(ledger, act("k"), ["bench/r1"], lambda _: (Append("bench/r1", entry),))
    assert isinstance(done, Committed)
    with ledger.store.reading() as reading:
        (stored,) = reading.entries("bench/r1")
    with ledger.reading() as reader:
        assert [one.entry for one in reader.entries("bench/r1")] == [entry]
    ledger.close()
    assert verify_path(folder).ok
    parts = [part.part for part in done.recorded[0].header.bodies]
    return parts, [len(stored.sealed[part]) for part in parts]


@pytest.mark.parametrize("pair", PAIRS)
def test_two_contents_of_one_kind_look_alike_once_they_are_filled(tmp_path: Path, pair) -> None:
    filled = [written(tmp_path / f"filled {count}", entry, 256) for count, entry in enumerate(pair)]
    plain = [written(tmp_path / f"plain {count}", entry, 1) for count, entry in enumerate(pair)]
    assert filled[0] == filled[1]
    assert plain[0] != plain[1]  # without it they tell themselves apart


@given(st.sampled_from(sorted(KINDS)))
def test_the_parts_of_a_kind_are_those_that_an_entry_of_it_may_have(name: str) -> None:
    kind = KINDS[name]
    assert parts_of(kind)[0] == "main"
    assert ("aside" in parts_of(kind)) == any(
        field.metadata.get("part") == "aside" for field in kind.__dataclass_fields__.values()
    )
