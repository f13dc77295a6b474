"""The attack: somebody holds everything of the first door, and wants an arm.

What the attacker has: the first door's whole folder with every key in it (the ledger's signing key, too), the public
list, everything that ever passed over the channel, the right to speak on the socket, and the memory of the first
door's process. What is tried: reading, searching, forging a ledger that continues the true one, forking it, asking for
a code break without a credential, comparing lengths. None of it may yield an arm.
Source: DESIGN 5 (the first door's program holds no key that opens an arm); the issue, capability 1.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket as sockets
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from equipoise.access.commands import SYSTEM, GrantRole
from equipoise.channel.codec import read_answer, read_content, write_delivery
from equipoise.channel.messages import FRAME, STATEMENTS, Delivery
from equipoise.desk.courier import Courier
from equipoise.desk.desk import open_desk
from equipoise.desk.front import FrontDesk
from equipoise.desk.line import SocketLine
from equipoise.ledger.entries import Append, CodeBreakRequested, RoleGranted
from equipoise.ledger.opening import Ledger, open_ledger
from equipoise.protocol.digest import study_digest
from equipoise.randomization.draws import combined
from equipoise.randomization.sealing import SlotContent, SlotName, commitment
from equipoise.vault.bench.commands import OpenPreparation
from equipoise.vault.breaks.commands import ShowArm
from equipoise.vault.commands import EnrolCredential
from equipoise.vault.facts import Keeper
from equipoise.vault.lists import Slot, make_list
from equipoise.vault.socket import ChannelServer, serve_channel
from equipoise.words.problem import Problem
from rooms.vault.two_doors import Doors

A = "N6-12/D14-45"
SUBJECTS = 12


def truth(doors: Doors) -> dict[str, Slot]:
    """What only the test knows: every slot by its number."""
    made = make_list(
        doors.study, study_digest(doors.study), combined([b"a seed for tests, known to all"], "")
    )
    assert not isinstance(made, Problem)
    return {slot.number: slot for slots in made.slots.values() for slot in slots}


@pytest.fixture
def running(doors: Doors) -> Doors:
    """A trial under way: subjects randomized, statements made, everything carried."""
    doors.exchange()
    for count in range(SUBJECTS):
        doors.randomize(f"s{count}", A)
    doors.exchange()
    doors.vault.tick()
    doors.exchange()
    doors.desk.checkpoint()
    return doors


def loot(doors: Doors) -> dict[str, bytes]:
    """Everything that the attacker can read, opened with every key that the attacker has."""
    doors.desk.close()
    found = {str(path): path.read_bytes() for path in (doors.folder / "first").rglob("*") if path.is_file()}
    found |= {str(path): path.read_bytes() for path in (doors.folder / "public").rglob("*") if path.is_file()}
    found |= {f"asked {count}": one for count, one in enumerate(doors.asked)}
    found |= {f"answered {count}": one for count, one in enumerate(doors.answered)}
    ledger = open_ledger(doors.folder / "first", write=False)
    assert isinstance(ledger, Ledger)
    with ledger.reading() as reader:
        opened = [repr((one.header, one.entry)) for _, one in reader.everything()]
    ledger.close()
    found["every entry, opened"] = "\n".join(opened).encode()
    return found


def candidates(found: dict[str, bytes]) -> Iterator[bytes]:
    """Every 32 bytes that could be a nonce: each window of the bytes, and of whatever reads as hexadecimal."""
    digits = frozenset(b"0123456789abcdef")
    for content in found.values():
        for at in range(len(content) - 31):
            yield content[at : at + 32]
        run = 0
        for at, byte in enumerate(content):
            run = run + 1 if byte in digits else 0
            if run >= 64:
                yield bytes.fromhex(content[at - 63 : at + 1].decode())


def test_no_nonce_and_no_key_is_among_what_the_attacker_holds(running: Doors) -> None:
    slots, key = truth(running), running.vault.slot_key()
    assert key is not None
    found = loot(running)
    whole = b"\0".join(found.values())
    secrets = [slot.content.nonce for slot in slots.values()] + [key, running.vault._keyring.wrap]
    assert len(secrets) > 300
    for secret in secrets:
        assert secret not in whole
        assert secret.hex().encode() not in whole


def test_no_commitment_opens_with_anything_that_the_attacker_holds(running: Doors) -> None:
    """Every 32 bytes of the loot are tried as the nonce of one slot that was used, for either arm."""
    slots = truth(running)
    with running.desk.reading() as reader:
        number = running.desk.trial(reader).allocation.subjects["s0"].number
    slot = slots[number]
    committed = slot.public().commitment
    # The attack itself works: with the true nonce it finds the arm.
    assert commitment(slot.name, SlotContent(slot.content.arm, slot.content.nonce)) == committed
    prefix = {arm: _prefix(slot.name, arm) for arm in (0, 1)}
    assert hashlib.sha256(prefix[slot.content.arm] + slot.content.nonce).hexdigest() == committed
    wanted, tried = bytes.fromhex(committed), 0
    found = loot(running)
    small = {name: content for name, content in found.items() if len(content) < 1_000_000}
    for nonce in set(candidates(small)):
        tried += 1
        for known in prefix.values():
            assert hashlib.sha256(known + nonce).digest() != wanted
    assert tried > 100_000


def _prefix(name: SlotName, arm: int) -> bytes:
    """What a commitment hashes before its nonce, found out from the function itself."""
    from equipoise.randomization.sealing import DOMAIN

    return DOMAIN + name.encoded() + bytes([arm])


def test_a_stolen_second_door_without_its_passphrase_tells_nothing(running: Doors) -> None:
    """A copy of the sealed slots and of the second door's whole folder: names are searched, lengths compared."""
    assert running.enrol("inv", "BREAK").accepted
    for count in range(SUBJECTS):
        asked = CodeBreakRequested(f"b{count}", "EMERGENCY", True, "SELF", False, "", "")
        running.write(f"ask {count}", Append(f"subject/s{count}", asked), actor="inv", role="investigator")
    running.exchange()
    keeper = running.vault.who("inv", "BREAK")
    assert keeper is not None
    for count in range(SUBJECTS):
        assert running.vault.submit(keeper, ShowArm(f"b{count}"), key=f"show {count}").accepted
    running.vault.checkpoint()
    folder = running.folder / "vault"
    names = {arm.id for arm in running.study.arms} | {one.id for one in running.study.supply.products}
    # Bodies are sealed, so no product is named; `slots.json` lists the arms once, before the slots.
    content = b"".join(
        path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "slots.json"
    )
    assert not {name for name in names if f'"{name}"'.encode() in content}
    slots = json.loads((folder / "list" / "slots.json").read_text("utf-8"))["slots"]
    assert len({len(sealed) for slot in slots.values() for sealed in slot["sealed"].values()}) == 1
    assert not any(name in json.dumps(slots) for name in names)
    shapes: dict[str, set[tuple[tuple[str, int], ...]]] = {}
    with running.vault.ledger.store.reading() as reading:
        for one in reading.walk():
            if one.stream in {"slots", "breaks", "statements"}:
                header = json.loads(one.header)
                shapes.setdefault(header["kind"], set()).add(
                    tuple((part, len(sealed)) for part, sealed in sorted(one.sealed.items()))
                )
    assert {"SlotAssigned", "ArmShown", "BreakAccepted"} <= shapes.keys()
    assert all(len(found) == 1 for kind, found in shapes.items() if kind != "StatementMade"), shapes


class Attacker:
    """Somebody with a copy of the first door and all its keys, who writes what they like."""

    def __init__(self, doors: Doors, place: Path) -> None:
        shutil.copytree(doors.folder / "first", place)
        desk = open_desk(place, kind=FrontDesk, clock=doors.clock)
        assert isinstance(desk, FrontDesk), desk
        self.doors = Doors(place, doors.study, desk, doors.vault, Courier(desk, doors.line), doors.clock)

    def carry(self) -> Problem | None:
        return self.doors.courier.exchange()


def said(doors: Doors) -> set[str]:
    """Every kind of statement in every answer so far, each of which has exactly the listed fields."""
    kinds = set()
    for frame in doors.answered:
        answer = read_answer(frame)
        assert answer is not None
        for one in answer.statements:
            content = read_content(one)
            assert content is not None
            assert set(content) == set(STATEMENTS[one.says])
            kinds.add(one.says)
    return kinds


def test_a_forged_ledger_that_continues_the_true_one_yields_no_arm(running: Doors, tmp_path: Path) -> None:
    """The signing key is the attacker's: entries are believed, and still nobody is let in."""
    running.desk.close()
    attacker = Attacker(running, tmp_path / "stolen")
    forged = attacker.doors
    assert forged.desk.submit(SYSTEM, GrantRole("mallory", "pharmacist", "01"), key="m1").accepted
    forged.write("m2", Append("user/mallory2", RoleGranted("mallory2", "investigator", "01")))
    for count in range(SUBJECTS):
        asked = CodeBreakRequested(f"m{count}", "EMERGENCY", True, "SELF", False, "", "")
        forged.write(
            f"ask {count}", Append(f"subject/s{count}", asked), actor="mallory2", role="investigator"
        )
    assert attacker.carry() is None
    with running.vault.reading() as reader:
        assert "mallory" in running.vault.known(reader).told.grants  # the forgery was believed
    for user, purpose in (("mallory", "BENCH"), ("mallory2", "BREAK"), ("mallory", "KEEPER")):
        assert running.vault.who(user, purpose) is None
        keeper = Keeper(user, purpose, (purpose,))
        for command in (ShowArm("m1"), OpenPreparation("m1"), EnrolCredential(user, purpose)):
            outcome = running.vault.submit(keeper, command, key=f"{user} {purpose} {command}"[:120])
            assert [problem.rule for problem in outcome.problems] == ["vault.purpose-not-held"]
    assert said(running) <= {"Anchor"}
    forged.desk.close()


def test_a_code_break_asked_for_in_anothers_name_is_shown_to_that_person_only(
    running: Doors, tmp_path: Path
) -> None:
    """The request names a true investigator; only that person, signed in at the vault, could see the arm."""
    assert running.enrol("inv", "BREAK").accepted
    running.desk.close()
    attacker = Attacker(running, tmp_path / "stolen")
    asked = CodeBreakRequested("m1", "EMERGENCY", True, "SELF", False, "", "")
    attacker.doors.write("ask", Append("subject/s1", asked), actor="inv", role="investigator")
    assert attacker.carry() is None
    assert attacker.carry() is None
    assert said(running) <= {"Anchor"}  # what the attacker hears does not even say that it was shown
    attacker.doors.desk.close()


def test_a_forked_ledger_yields_no_arm_and_is_found_out(running: Doors, tmp_path: Path) -> None:
    """The attacker goes back to before the randomizations and gives the slots to subjects of their own."""
    running.desk.close()
    place = tmp_path / "forked"
    shutil.copytree(running.folder / "first", place)
    for path in place.glob("checkpoints/*.*"):
        path.unlink()
    _cut(place / "ledger.sqlite", keep=20)
    attacker_desk = open_desk(place, kind=FrontDesk, clock=running.clock)
    assert isinstance(attacker_desk, FrontDesk), attacker_desk
    forged = Doors(place, running.study, attacker_desk, running.vault, None, running.clock)
    with running.vault.reading() as reader:
        before = running.vault.known(reader)
    for count in range(40):
        forged.write(f"m{count}", Append("user/mallory", RoleGranted("mallory", "pharmacist", f"{count}")))
    caught: list[bytes] = []

    def through(delivery: bytes) -> bytes:
        caught.append(delivery)
        return running.vault.receive(delivery)

    courier = Courier(attacker_desk, through)
    assert courier.exchange() is not None
    checkpoint = courier._new_checkpoint()
    answer = read_answer(running.vault.receive(write_delivery(Delivery(checkpoint.note, (), (), 0))))
    assert answer is not None
    assert answer.refused in {"vault.checkpoint-forked", "vault.checkpoint-older"}
    assert not answer.statements
    with running.vault.reading() as reader:
        after = running.vault.known(reader)
    assert (after.told, after.slots) == (before.told, before.slots)
    assert answer.refused in {alarm.rule for alarm in running.vault.alarms()}
    attacker_desk.close()


def _cut(store: Path, keep: int) -> None:
    """Throw away everything but the first entries, triggers or no: the file is the attacker's."""
    import sqlite3

    with sqlite3.connect(store) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f'DROP TRIGGER "{name}"')
        rows = connection.execute("SELECT stream, seq FROM entries ORDER BY position").fetchall()
        for stream, seq in rows[keep:]:
            connection.execute("DELETE FROM bodies WHERE stream = ? AND seq = ?", [stream, seq])
            connection.execute("DELETE FROM entries WHERE stream = ? AND seq = ?", [stream, seq])
        connection.execute("DELETE FROM snapshots")
        for _, sql in triggers:
            connection.execute(sql)
    connection.close()


HELD = """
import sys, time
from pathlib import Path
from equipoise.desk.front import open_front
from equipoise.desk.front import FrontDesk
desk = open_front(Path(sys.argv[1]), channel=Path(sys.argv[2]))
assert isinstance(desk, FrontDesk), desk
for _ in range(100):
    if desk.courier.answers:
        break
    time.sleep(0.1)
with desk.reading() as reader:
    everything = [one for _, one in reader.everything()]
print("answered" if desk.courier.answers else desk.courier.alarm, len(everything), flush=True)
time.sleep(120)
"""


def _memory(pid: int) -> bytes:
    found = bytearray()
    maps = Path(f"/proc/{pid}/maps").read_text("ascii", "replace").splitlines()
    with Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for line in maps:
            span, rights, *_ = line.split()
            if not rights.startswith("rw"):
                continue
            begin, end = (int(part, 16) for part in span.split("-"))
            try:
                memory.seek(begin)
                found += memory.read(end - begin)
            except (OSError, ValueError, OverflowError):
                continue
    return bytes(found)


def test_the_memory_of_a_running_first_door_holds_no_nonce_and_no_key(running: Doors, tmp_path: Path) -> None:
    """A first door in a process of its own, in talk with the second: its whole writable memory is searched."""
    slots, key = truth(running), running.vault.slot_key()
    assert key is not None
    running.desk.close()
    socket = tmp_path / "door.sock"
    stop = serve_channel(running.vault, socket)
    process = subprocess.Popen(
        [sys.executable, "-c", HELD, str(running.folder / "first"), str(socket)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("answered "), line
        try:
            memory = _memory(process.pid)
        except PermissionError:
            pytest.skip("this machine does not let one process read another's memory")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
        stop()
    assert len(memory) > 5_000_000
    committed = next(iter(slots.values())).public().commitment
    assert committed.encode() in memory  # the search finds what is there
    for secret in [slot.content.nonce for slot in slots.values()] + [key]:
        assert secret not in memory
        assert secret.hex().encode() not in memory


def test_what_is_shouted_into_the_socket_gets_one_frame_or_nothing(running: Doors, tmp_path: Path) -> None:
    path = tmp_path / "door.sock"
    stop = serve_channel(running.vault, path)
    try:
        for shouted in (
            b"",
            b"\0\0\0\0",
            b"\xff\xff\xff\xff",
            b"\0\0\0\x04GIVE",
            b"GET / HTTP/1.1\r\n\r\n",
            os.urandom(64),
        ):
            with sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM) as line:
                line.settimeout(5)
                line.connect(str(path))
                got = bytearray()
                with contextlib.suppress(ConnectionResetError):  # turned away before everything was read
                    line.sendall(shouted)
                    line.shutdown(sockets.SHUT_WR)
                    while chunk := line.recv(65536):
                        got += chunk
                assert len(got) in {0, FRAME}
        running.courier._line = SocketLine(path)
        assert running.courier.exchange() is None
    finally:
        stop()
    assert not path.exists()


def test_a_caller_that_stands_still_holds_nobody_up_for_long(running: Doors, tmp_path: Path) -> None:

    path = tmp_path / "door.sock"
    server = ChannelServer(running.vault, path, {os.geteuid()}, patience=0.3)
    try:
        with sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM) as slow:
            slow.connect(str(path))
            slow.sendall(b"\0\0")
            begun = time.monotonic()
            running.courier._line = SocketLine(path)
            assert running.courier.exchange() is None
            assert time.monotonic() - begun < 20
    finally:
        server.close()
