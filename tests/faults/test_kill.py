"""Killed without warning, in the middle of anything: nothing that was acknowledged is lost, nothing is half there."""

from __future__ import annotations

import random
import time

import pytest

from equipoise.ledger.commit import Committed, commit
from equipoise.ledger.opening import Ledger, open_ledger
from equipoise.ledger.receipts import Receipt, receipt_holds
from equipoise.ledger.verify import verify_path
from faults.fault_programs import own_folder, prove_own, start
from rooms.ledger.ledger_world import act

KILLS_IN_USE = 40
KILLS_AT_BIRTH = 10


def killed_after(folder, token, name, seconds, lines):
    """Start saving, let it run until it has printed `lines` and then `seconds` more, kill it; what it printed."""
    process = start("save_for_ever", folder, token, name)
    try:
        printed = [process.stdout.readline() for _ in range(lines)]
        time.sleep(seconds)
    finally:
        prove_own(folder, token)
        process.kill()  # SIGKILL, to the process that this test started
        with process.stdout:  # not communicate(): it would pass over what readline has already fetched
            rest = process.stdout.read()
        process.wait(timeout=60)
    assert process.returncode == -9, "".join(printed) + rest
    # A line cut by the kill was never whole for its reader; only whole lines are acknowledgements.
    said = "".join(printed) + rest
    whole = [line.split() for line in said.splitlines(keepends=True) if line.endswith("\n")]
    assert all(line[:1] in (["try"], ["ack"]) for line in whole), said
    return whole


def acknowledged(printed):
    return [
        (line[1], Receipt(line[2], int(line[3]), line[4], line[5])) for line in printed if line[0] == "ack"
    ]


def open_sound(folder):
    verdict = verify_path(folder / "store")
    assert verdict.ok, verdict.lines()
    ledger = open_ledger(folder / "store", write=True)  # the lock of a dead process is no lock
    assert isinstance(ledger, Ledger), ledger
    return ledger


def leaves(ledger):
    with ledger.reading() as reader:
        return {(one.header.stream, one.header.seq): one.leaf for _, one in reader.everything()}


def test_forty_kills_in_the_middle_of_saving_lose_nothing_that_was_acknowledged(tmp_path):
    folder, token = own_folder(tmp_path)
    draw = random.Random(20260814)
    known: list[tuple[str, Receipt]] = []
    in_flight_kept = in_flight_lost = 0
    for kill in range(KILLS_IN_USE):
        printed = killed_after(folder, token, f"n{kill}", draw.uniform(0, 0.12), lines=draw.choice([1, 2, 9]))
        fresh = acknowledged(printed)
        known += fresh
        ledger = open_sound(folder)
        found = leaves(ledger)
        lost = [key for key, receipt in known if found.get((receipt.stream, receipt.seq)) != receipt.leaf]
        assert lost == []
        assert all(receipt_holds(receipt, ledger.keys.public) for _, receipt in fresh)
        last = printed[-1]
        if last[0] == "try":  # the save that was under way: whole or not there, and the key tells which
            outcome = commit(ledger, act(last[1]), last[2:], lambda reader: ())
            assert isinstance(outcome, Committed)
            assert len(outcome.recorded) in (0, 2 * len(last[2:]))
            in_flight_kept += outcome.replayed
            in_flight_lost += not outcome.replayed
        ledger.close()
    # The test has to have looked at something: many saves, and kills that really fell into a save.
    assert len(known) > 5 * KILLS_IN_USE
    assert in_flight_kept + in_flight_lost > KILLS_IN_USE // 4
    ledger = open_sound(folder)
    for key, receipt in known[:: max(1, len(known) // 50)]:
        streams = [receipt.stream, "allocation"]
        again = commit(ledger, act(key), streams, lambda reader: ())
        assert isinstance(again, Committed)
        assert (again.replayed, again.receipt) == (True, receipt)
    ledger.close()


@pytest.mark.parametrize("kill", range(KILLS_AT_BIRTH))
def test_a_kill_while_the_store_is_being_made_leaves_one_that_can_be_made(tmp_path, kill):
    folder, token = own_folder(tmp_path)
    draw = random.Random(kill)
    process = start("save_for_ever", folder, token, "first")
    store = folder / "store"
    deadline = time.monotonic() + 60
    while not store.exists() and time.monotonic() < deadline:
        time.sleep(0.0005)
    time.sleep(draw.uniform(0, 0.02))
    process.kill()
    process.communicate(timeout=60)
    known = acknowledged(killed_after(folder, token, "second", 0.05, lines=4))
    ledger = open_sound(folder)
    found = leaves(ledger)
    assert len(known) >= 1
    assert all(found[receipt.stream, receipt.seq] == receipt.leaf for _, receipt in known)
    ledger.close()
