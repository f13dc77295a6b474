"""The second door by the clock: an anchor for every hour, active or not, and a clock that moves is seen.

Sources: DESIGN 5 (anchors: every hour, active or not; nonces published at release); the issue's bad input: clock moved.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import time

import pytest

from equipoise.ledger.checkpoint import read_tree
from equipoise.ledger.merkle import root_of
from equipoise.ledger.vault_entries import AnchorMade, ClockMoved, StatementMade
from equipoise.vault import vault as vault_module
from equipoise.vault.anchors import anchor_commitment
from rooms.vault.two_doors import Doors


def anchors(doors: Doors) -> list[AnchorMade]:
    with doors.vault.reading() as reader:
        return [one.entry for one in reader.entries("anchors") if isinstance(one.entry, AnchorMade)]


def moves(doors: Doors) -> list[int]:
    with doors.vault.reading() as reader:
        return [one.entry.seconds for one in reader.entries("vault") if isinstance(one.entry, ClockMoved)]


def later(doors: Doors, **by: float) -> None:
    doors.clock.at += dt.timedelta(**by)
    doors.vault.tick()


def test_there_is_an_anchor_for_every_hour_active_or_not(doors: Doors) -> None:
    for quarter in range(24 * 4):
        if quarter == 30:
            doors.randomize("s1", "N6-12/D14-45")
            doors.exchange()
        later(doors, minutes=15)
    numbers = [one.number for one in anchors(doors)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert 24 <= len(numbers) <= 25  # one at once, then one an hour


def test_an_anchor_commits_to_the_ledger_as_it_was(doors: Doors) -> None:
    doors.vault.tick()
    later(doors, hours=1.1)
    tree = read_tree(doors.vault.ledger)
    for one in anchors(doors):
        assert root_of(tree.leaves[: one.size]).hex() == one.root
        # SHA-256 over the domain, the root and the nonce, written out once more
        said = b"equipoise anchor 1\n" + one.root.encode() + bytes.fromhex(one.nonce)
        assert one.commitment == hashlib.sha256(said).hexdigest()
    assert len({one.nonce for one in anchors(doors)}) == 2


def test_the_first_door_holds_the_same_anchors(doors: Doors) -> None:
    from equipoise.ledger.entries import AnchorReceived

    for _ in range(3):
        later(doors, hours=1.1)
        doors.exchange()
    with doors.desk.reading() as reader:
        held = [one.entry for one in reader.entries("second-door") if isinstance(one.entry, AnchorReceived)]
    assert [(one.number, one.commitment) for one in held] == [
        (one.number, one.commitment) for one in anchors(doors)
    ]
    assert all(one.nonce not in repr(held) and one.root not in repr(held) for one in anchors(doors))


def test_a_clock_put_back_brings_neither_a_flood_nor_a_stop(doors: Doors) -> None:
    doors.vault.tick()
    later(doors, hours=-5)
    for _ in range(20):
        later(doors, seconds=10)
    assert len(anchors(doors)) == 1
    later(doors, hours=1.1)
    assert len(anchors(doors)) == 2
    assert len(moves(doors)) == 1
    assert -5 * 3600 - 60 < moves(doors)[0] < -5 * 3600 + 60


def test_entries_never_go_back_in_time(doors: Doors) -> None:
    doors.vault.tick()
    for step in (-3.0, 2.0, -9.0, 1.0):
        later(doors, hours=step)
        doors.randomize(f"s{step}", "N6-12/D14-45")
        doors.exchange()
    with doors.vault.reading() as reader:
        for head in reader.streams():
            moments = [one.header.at for one in reader.entries(head.stream)]
            assert moments == sorted(moments)
        said = [one.entry for one in reader.entries("statements") if isinstance(one.entry, StatementMade)]
    assert [one.number for one in said] == list(range(1, len(said) + 1))


def test_a_door_that_was_opened_with_a_clock_put_back_says_so(doors: Doors) -> None:
    doors.vault.tick()
    doors.clock.at -= dt.timedelta(days=2)
    doors.reopen_vault()
    doors.vault.tick()
    doors.vault.tick()
    assert len(moves(doors)) == 1
    assert moves(doors)[0] < -86_000


def test_a_machine_clock_put_forward_is_seen_against_the_time_that_passed(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: passed[0])
    monkeypatch.setattr(vault_module, "system_clock", doors.clock)
    doors.vault.tick()
    for clock, really in ((30, 30), (5, 7), (3600, 30), (600, 600)):
        passed[0] += really
        later(doors, seconds=clock)
    assert len(moves(doors)) == 1
    assert 3500 < moves(doors)[0] < 3600  # 3600 by the clock while 30 passed, and the clock's own seconds


def test_a_commitment_tells_nothing_without_its_nonce() -> None:
    root = "ab" * 32
    found = {anchor_commitment(root, bytes([count]) * 32) for count in range(8)}
    assert len(found) == 8
    assert all(len(one) == 64 for one in found)
