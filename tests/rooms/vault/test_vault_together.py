"""Both doors at work at once: pages, channel and clock of the second door, and the courier that goes by itself.

Sources: DESIGN 4 (append, idempotency), 5 (channel).
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

from equipoise.access.commands import SYSTEM, GrantRole
from equipoise.desk.front import FrontDesk, open_front
from equipoise.ledger.vault_entries import CredentialEnrolled, StatementMade
from equipoise.ledger.verify import verify_path
from equipoise.vault.commands import EnrolCredential
from equipoise.vault.facts import PROGRAM
from equipoise.vault.socket import serve_channel
from equipoise.vault.vault import Vault
from rooms.vault.two_doors import Doors

A = "N6-12/D14-45"


def test_pages_channel_and_clock_do_not_get_in_each_others_way(doors: Doors) -> None:
    """Six people enrol, one courier carries, one clock ticks; nothing is lost, doubled or out of order."""
    doors.exchange()
    faults: list[BaseException] = []
    start, over = threading.Barrier(8), threading.Event()

    def guarded(work) -> None:
        try:
            start.wait()
            work()
        except BaseException as fault:
            faults.append(fault)

    def enrol(worker: int) -> None:
        for count in range(10):
            command = EnrolCredential(f"w{worker}n{count}", "KEEPER")
            assert doors.vault.submit(PROGRAM, command, key=f"{worker} {count}").accepted

    def carry() -> None:
        for count in range(10):
            doors.randomize(f"s{count}", A)
            assert doors.courier.exchange() is None
        over.set()

    def tick() -> None:
        while not over.is_set():
            doors.vault.tick()

    works = [*(lambda worker=worker: enrol(worker) for worker in range(6)), carry, tick]
    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    doors.exchange()
    with doors.vault.reading() as reader:
        assert doors.vault.known(reader).slots.order == 10
        enrolled = [one.entry for head in reader.streams() for one in reader.entries(head.stream)]
        said = [one.entry for one in reader.entries("statements")]
    assert sum(isinstance(one, CredentialEnrolled) for one in enrolled) == 60
    assert [one.number for one in said if isinstance(one, StatementMade)] == list(range(1, len(said) + 1))
    doors.vault.checkpoint()
    assert verify_path(doors.folder / "vault").ok


def until(holds, seconds: float = 30.0) -> bool:
    """Whether it comes to hold within the time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return False


def _knows(vault: Vault, user: str) -> bool:
    with vault.reading() as reader:
        return user in vault.known(reader).told.grants


def test_a_courier_goes_by_itself_and_outlives_a_second_door_that_was_away(
    doors: Doors, tmp_path: Path
) -> None:
    doors.desk.close()
    socket = tmp_path / "door.sock"
    desk = open_front(doors.folder / "first", channel=socket)
    assert isinstance(desk, FrontDesk), desk
    doors.desk = desk
    assert desk.courier is not None
    courier = desk.courier
    assert until(lambda: courier.alarm is not None)
    assert courier.alarm is not None
    assert courier.alarm.rule == "desk.second-door-away"
    stop = serve_channel(doors.vault, socket)
    try:
        assert until(lambda: courier.answers)
        assert desk.submit(SYSTEM, GrantRole("late", "pharmacist", "02"), key="late").accepted
        assert until(lambda: _knows(doors.vault, "late"))
    finally:
        stop()
    assert desk.submit(SYSTEM, GrantRole("later", "pharmacist", "02"), key="later").accepted
    assert until(lambda: courier.alarm is not None)
    stop = serve_channel(doors.vault, socket)
    try:
        assert until(lambda: _knows(doors.vault, "later"))
    finally:
        stop()
