"""The courier: the first door's end of the channel. It carries proven entries up and signed statements down.

The rules that must stay true: what goes up is a signed checkpoint and entries of the kinds that channel.messages lists,
nothing else; a statement is recorded only when the pinned key of the second door signed it, in the order of its number,
by a command of the program like any other; when the second door is away, or does not believe this one, nothing is lost
and randomizing goes on: the next exchange begins where the last one ended.
The file `second-door.heard` holds the number of the last statement dealt with. It may be lost: commands are replayed.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from equipoise.access.commands import SYSTEM
from equipoise.channel.codec import read_answer, read_content, statement_bytes, write_delivery
from equipoise.channel.messages import FORWARDED, LOST, WHOLE, Answer, Delivery, Disclosed, Statement
from equipoise.desk.desk import Desk
from equipoise.desk.routes import ROUTES
from equipoise.ledger.chain import leaf_of, read_header, unseal
from equipoise.ledger.checkpoint import Checkpoint, make_checkpoint
from equipoise.ledger.entries import Header, Recorded
from equipoise.ledger.merkle import GrowingTree
from equipoise.ledger.notes import write_whole
from equipoise.ledger.store import StoredEntry, StoreFault
from equipoise.oversight.commands import RecordAnchor, RecordListRelease, RecordRecall
from equipoise.oversight.evolve import DOOR_START, evolve_door
from equipoise.randomization.commands import RecordCodeBreak
from equipoise.supply.commands import RecordBagRelease
from equipoise.words.canonical import Json
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text

Line = Callable[[bytes], bytes]
"""A delivery's bytes -> the answer's frame. Raises OSError where nobody answers."""
HEARD = "second-door.heard"
ENTRIES_AT_MOST = 200
"""Entries in one delivery; what is left goes with the next."""
ROUNDS_AT_MOST = 200
EVERY = 5.0
"""Seconds after which the second door is asked again though nothing happened here."""
LATELY = dt.timedelta(seconds=60)
_PASSING = frozenset({"ledger.busy", "ledger.disk-full", "ledger.unavailable", "ledger.read-only"})
"""Rules under which a statement could not be recorded now, and will be later."""

_BEHIND = frozenset({"vault.checkpoint-older", "vault.checkpoint-forked"})
"""Refusals that say: this store is not the one whose ledger was accepted, or not any more."""


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """A statement that this door's rooms refused: its number, what it said, and why."""

    number: int
    says: str
    problems: tuple[Problem, ...]


def _said(rule: str) -> Text:
    """The message of the second door's refusal, in both languages."""
    found = Problem(rule)
    return Text(found.say("en"), found.say("zh"))


class _Stop(Exception):
    """The exchange ends here; `problem` says why."""

    def __init__(self, reason: Problem) -> None:
        super().__init__(reason.rule)
        self.problem = reason


class Courier:
    """Carries for one desk. `exchange()` at will; `start()` lets it go by itself until `close()`."""

    def __init__(self, desk: Desk, line: Line, *, lately: dt.timedelta | None = LATELY) -> None:
        """lately: how old an answer may be to count as one; None where time leaps and says nothing about that."""
        self._desk, self._line, self._lately = desk, line, lately
        self._heard_file = desk.ledger.places.store.parent / HEARD
        self._tree = GrowingTree()
        self._position = 0
        self._forwarded: list[tuple[int, StoredEntry]] = []
        self._checkpoint: Checkpoint | None = None
        self._accepted: Answer | None = None
        self._answered_at: dt.datetime | None = None
        self._behind = False
        self._exchanging = threading.Lock()
        self._wanted, self._closing = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self.alarm: Problem | None = None
        """Why the last exchange did not go through; None where it did."""
        self.unrecorded: tuple[Unrecorded, ...] = ()
        """Statements that a room of this door refused."""

    @property
    def troubles(self) -> tuple[Problem, ...]:
        """What people of this door should know: why nothing goes over the channel, and what was not recorded."""
        left = [
            problem(
                "desk.second-door-unrecorded",
                number=one.number,
                says=one.says,
                why=_said(one.problems[0].rule),
            )
            for one in self.unrecorded
        ]
        return (*([self.alarm] if self.alarm is not None else []), *left)

    @property
    def answers(self) -> bool:
        """Whether the second door answered lately, and believes what it is told."""
        at = self._answered_at
        if at is None or self.alarm is not None:
            return False
        return self._lately is None or abs(self._desk.now() - at) <= self._lately

    @property
    def behind(self) -> bool:
        """Whether the second door knows a later ledger of this store, or another than this."""
        return self._behind

    def noticed(self, recorded: Sequence[Recorded]) -> None:
        """Something was written at this door: go soon, where it concerns the second one."""
        if any(_goes_up(one.header) for one in recorded):
            self._wanted.set()

    def exchange(self) -> Problem | None:
        """Carry everything that waits, both ways; None when all of it arrived, else why not."""
        with self._exchanging:
            try:
                self._carry()
            except _Stop as stopped:
                self.alarm = stopped.problem
            except OSError as error:
                self.alarm = problem("desk.second-door-away", detail=error.strerror or type(error).__name__)
            except StoreFault as fault:
                self.alarm = fault.problem
            else:
                self.alarm, self._behind = None, False
                self._answered_at = self._desk.now()
        return self.alarm

    def start(self) -> None:
        """Exchange after what is noticed and every few seconds, in a thread of its own."""
        self._thread = threading.Thread(target=self._go, name="courier", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop going by itself."""
        self._closing.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join()

    def _go(self) -> None:
        while not self._closing.is_set():
            self._wanted.clear()
            begun = time.monotonic()
            self.exchange()
            # A delivery reads the whole ledger back: rest ten times as long as that took, then wait for a reason.
            self._closing.wait(10 * min(time.monotonic() - begun, 1.0))
            self._wanted.wait(EVERY)

    # --- up ----------------------------------------------------------------------------------------------------

    def _carry(self) -> None:
        heard = self._heard()
        answer = self._accepted or self._send(Delivery("", (), (), heard))
        for _ in range(ROUNDS_AT_MOST):
            self._read_on()
            waiting = [one for one in self._forwarded if one[0] >= answer.upto]
            sent = waiting[:ENTRIES_AT_MOST]
            answer = self._send(self._delivery(answer, sent, heard))
            self._accepted = answer
            heard = self._record(answer.statements, heard)
            self._forwarded = [one for one in self._forwarded if one[0] >= answer.upto]
            if len(sent) == len(waiting) and not answer.statements:
                return

    def _send(self, delivery: Delivery) -> Answer:
        """The answer. Raises _Stop where it refuses, or cannot be read."""
        answer = read_answer(self._line(write_delivery(delivery)))
        if answer is None:
            raise _Stop(problem("desk.second-door-unreadable"))
        if answer.refused:
            self._accepted = None
            self._behind = self._behind or answer.refused in _BEHIND
            raise _Stop(problem("desk.second-door-refuses", why=_said(answer.refused)))
        return answer

    def _delivery(self, known: Answer, sent: Sequence[tuple[int, StoredEntry]], heard: int) -> Delivery:
        """The next message: what was accepted before where nothing waits, else a checkpoint over everything."""
        if known.size > len(self._tree):
            self._accepted, self._behind = None, True
            # Shown all the same, so that the second door writes it down, too; its answer is a refusal.
            self._line(write_delivery(Delivery(self._new_checkpoint().note, (), (), heard)))
            raise _Stop(problem("desk.second-door-ahead", theirs=known.size, ours=len(self._tree)))
        checkpoint = self._checkpoint
        if checkpoint is None or sent or checkpoint.size != known.size:
            checkpoint = self._new_checkpoint()
        consistency: tuple[bytes, ...] = ()
        if 0 < known.size < checkpoint.size:
            consistency = self._tree.consistency(known.size, checkpoint.size)
        entries = [self._disclosed(index, stored, checkpoint.size) for index, stored in sent]
        return Delivery(
            checkpoint.note,
            tuple(one.hex() for one in consistency),
            tuple(one for one in entries if one is not None),
            heard,
        )

    def _new_checkpoint(self) -> Checkpoint:
        made = make_checkpoint(self._desk.ledger, self._desk.now())
        if isinstance(made, Problem):
            raise _Stop(made)
        self._checkpoint = made
        if made.size > len(self._tree):
            self._read_on()
        return made

    def _read_on(self) -> None:
        """The leaves that were added since, and the entries among them that go up."""
        with self._desk.ledger.store.reading() as reading:
            for stored in reading.walk(self._position):
                self._position = stored.position
                header = read_header(stored.header)
                if header is not None and _goes_up(header):
                    self._forwarded.append((len(self._tree), stored))
                self._tree.add(bytes.fromhex(leaf_of(stored.header)))

    def _disclosed(self, index: int, stored: StoredEntry, size: int) -> Disclosed | None:
        """An entry with its main body and its proof; None where the body was erased and there is nothing to show."""
        header = read_header(stored.header)
        main = next((part for part in header.bodies if part.part == "main"), None) if header else None
        cipher = self._desk.ledger.keys.cipher(stored.stream, "main")
        if header is not None and header.kind not in FORWARDED:
            path = tuple(one.hex() for one in self._tree.inclusion(index, size))
            return Disclosed(stored.header.decode(), "", "", index, path)
        if header is None or main is None or cipher is None:
            return None
        opened = unseal(cipher, header, main, stored.sealed.get("main", b""))
        if isinstance(opened, Problem):
            raise _Stop(opened)
        nonce, body = opened
        path = tuple(one.hex() for one in self._tree.inclusion(index, size))
        return Disclosed(stored.header.decode(), body.decode(), nonce.hex(), index, path)

    # --- down --------------------------------------------------------------------------------------------------

    def _heard(self) -> int:
        try:
            return int(self._heard_file.read_text("ascii"))
        except (OSError, ValueError):
            return 0

    def _record(self, given: Sequence[Statement], heard: int) -> int:
        """Record statements in their order; the number of the last one dealt with."""
        for statement in given:
            if statement.number != heard + 1 or not self._signed(statement):
                raise _Stop(problem("desk.second-door-unsigned", number=statement.number))
            command = command_of(statement)
            if (
                statement.says == LOST
            ):  # its number is used up; what it said, this door has heard or never will
                heard = statement.number
                self._remember(heard)
                continue
            if command is None:
                raise _Stop(problem("desk.second-door-unreadable"))
            if type(command) not in ROUTES:
                raise _Stop(problem("desk.second-door-unreadable"))
            outcome = self._desk.submit(SYSTEM, command, key=f"statement {statement.number}")
            if any(one.rule in _PASSING for one in outcome.problems):
                raise _Stop(outcome.problems[0])
            if not outcome.accepted:
                left = Unrecorded(statement.number, statement.says, outcome.problems)
                self.unrecorded = (*self.unrecorded, left)
            heard = statement.number
            self._remember(heard)
        return heard

    def _remember(self, heard: int) -> None:
        """Write down the number of the last statement that was dealt with."""
        write_whole(self._heard_file, f"{heard}\n", durable=self._desk.ledger.store.durable)

    def _signed(self, statement: Statement) -> bool:
        """Whether the pinned key of the second door signed it."""
        door = DOOR_START
        with self._desk.reading() as reader:
            for recorded in reader.entries("second-door"):
                door = evolve_door(door, recorded)
        if door.key is None:
            return False
        said = statement_bytes(statement.number, statement.says, statement.content)
        try:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(door.key))
            key.verify(bytes.fromhex(statement.signature), said)
        except (InvalidSignature, ValueError):
            return False
        return True


def _goes_up(header: Header) -> bool:
    """Whether an entry of this door goes up: whole, or by its header alone."""
    return header.kind in FORWARDED or header.stream.startswith(WHOLE)


def command_of(statement: Statement) -> object | None:
    """The command that records a statement; None for one whose fields are not those of its kind."""
    content = read_content(statement)
    making = _COMMANDS.get(statement.says)
    if content is None or making is None:
        return None
    number, signature = statement.number, statement.signature
    try:
        return making(content, number, signature)
    except (TypeError, ValueError):
        return None


def _text(content: Mapping[str, Json], name: str) -> str:
    value = content[name]
    if not isinstance(value, str):
        raise TypeError(name)
    return value


def _bag(content: Mapping[str, Json], number: int, signature: str) -> object:
    subject, request = _text(content, "subject"), _text(content, "request")
    bag, use_by = _text(content, "bag"), _text(content, "use_by")
    return RecordBagRelease(subject, request, bag, use_by, number, signature)


def _recall(content: Mapping[str, Json], number: int, signature: str) -> object:
    bags = content["bags"]
    if not isinstance(bags, list) or not all(isinstance(bag, str) for bag in bags):
        raise TypeError("bags")
    return RecordRecall(_text(content, "notice"), tuple(cast("list[str]", bags)), number, signature)


def _break(content: Mapping[str, Json], number: int, signature: str) -> object:
    subject, request = _text(content, "subject"), _text(content, "request")
    reader, shown_at = _text(content, "reader"), _text(content, "shown_at")
    return RecordCodeBreak(subject, request, reader, shown_at, number, signature)


def _anchor(content: Mapping[str, Json], number: int, signature: str) -> object:
    count = content["number"]
    if not isinstance(count, int):
        raise TypeError("number")
    return RecordAnchor(count, _text(content, "commitment"), number, signature)


def _release(content: Mapping[str, Json], number: int, signature: str) -> object:
    return RecordListRelease(_text(content, "root"), _text(content, "release"), number, signature)


_COMMANDS: Mapping[str, Callable[[Mapping[str, Json], int, str], object]] = {
    "BagReleased": _bag,
    "BagsRecalled": _recall,
    "CodeShown": _break,
    "Anchor": _anchor,
    "ListReleased": _release,
}
