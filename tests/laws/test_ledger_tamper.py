"""A law of the store's file: change any one byte, and it is found with a place, or nothing that is read is different.

The whole file is drawn from: the database's header, its schema, table and index pages, bodies, snapshots, free space.
"Read" means by the program with its keys: every entry, every folded state, every head, and the read tables' shapes.
"""

from __future__ import annotations

import random
import shutil

import pytest

from equipoise.ledger.checkpoint import make_checkpoint
from equipoise.ledger.commit import commit
from equipoise.ledger.opening import Ledger, open_ledger
from equipoise.ledger.store import StoreFault
from equipoise.ledger.verify import verify_path
from rooms.ledger.ledger_world import COUNTING, NOON, act, fill, fresh, save

ROUNDS = 8
FLIPS = 60


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "store"
    ledger = fresh(folder)
    fill(ledger, subjects=2, saves=3)

    def decide(reader):
        reader.fold("subject/s0", COUNTING)
        return tuple(save("subject/s0", number, "text" * (number % 3)) for number in range(104))

    commit(ledger, act("many"), ["subject/s0"], decide)
    make_checkpoint(ledger, NOON)
    ledger.close()
    return folder


def everything(ledger):
    """All that the program reads of a store."""
    with ledger.reading() as reader:
        entries = [(position, recorded) for position, recorded in reader.everything()]
        streams = reader.streams()
        by_stream = {head.stream: reader.entries(head.stream) for head in streams}
        by_key = [reader.keyed(one.header.stream, one.header.idempotency_key) for _, one in entries[::7]]
        states = {head.stream: reader.fold(head.stream, COUNTING) for head in streams}
    return entries, streams, by_stream, by_key, states


def read(folder):
    """What is read, or the rule of the fault that reading names."""
    ledger = open_ledger(folder, write=False)
    if not isinstance(ledger, Ledger):
        return ledger.rule
    try:
        return everything(ledger)
    except StoreFault as reason:
        return reason.problem.rule
    finally:
        ledger.close()


@pytest.mark.parametrize("part", range(ROUNDS))
def test_a_flipped_byte_is_found_or_harmless(made, tmp_path, part):
    folder = tmp_path / "store"
    shutil.copytree(made, folder)
    path = folder / "ledger.sqlite"
    data = path.read_bytes()
    whole = read(folder)
    assert not isinstance(whole, str)
    draw = random.Random(part)
    # One part in eight of the flips goes to the first 200 bytes, where the file says what it is.
    places = [draw.randrange(200 if number % 8 == 0 else len(data)) for number in range(FLIPS)]
    found = harmless = 0
    for at in places:
        changed = bytearray(data)
        changed[at] ^= draw.randrange(1, 256)
        path.write_bytes(changed)
        verdict = verify_path(folder)
        assert path.read_bytes() == bytes(changed), "the verifier wrote to what it verifies"
        if not verdict.ok:
            assert verdict.lines()[-1].startswith("BAD "), at
            found += 1
            continue
        back = read(folder)
        assert back == whole, (
            f"byte {at}: the verifier passed it, and what is read is different: {str(back)[:200]}"
        )
        harmless += 1
        path.write_bytes(data)
    assert found + harmless == FLIPS
    assert found > FLIPS // 4  # most of the file is data: a verifier that finds nothing is no verifier


def test_every_byte_of_an_entry_counts(made, tmp_path):
    # Not a sample: each byte of one header, its leaf and its body, wherever the file holds them.
    folder = tmp_path / "store"
    shutil.copytree(made, folder)
    path = folder / "ledger.sqlite"
    data = path.read_bytes()
    ledger = fresh_reading(folder)
    with ledger.store.reading() as reading:
        stored = reading.entries("subject/s1")[1]
    ledger.close()
    for piece in (stored.header, stored.leaf.encode(), stored.sealed["main"]):
        start = data.find(piece)
        assert start > 0, "the test looks at the wrong bytes"
        for at in range(start, start + len(piece), 5):
            changed = bytearray(data)
            changed[at] ^= 0x01
            path.write_bytes(changed)
            verdict = verify_path(folder)
            named = {(one.stream, one.seq) for one in verdict.findings}
            assert ("subject/s1", 2) in named or ("subject/s1", 3) in named, (at - start, verdict.lines())


def fresh_reading(folder):
    ledger = open_ledger(folder, write=False)
    assert isinstance(ledger, Ledger)
    return ledger
