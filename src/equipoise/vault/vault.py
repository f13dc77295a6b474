"""The vault: the only writer of the second door, and the one place that its pages, its channel and its commands ask.

How to use it:

    vault = open_vault(folder, passphrase)                       # Vault | Problem, see opening.py
    keeper = vault.who(actor, "BENCH")                           # Keeper | None
    outcome = vault.submit(keeper, OpenPreparation("…"), key="…")
    answer = vault.receive(delivery)                             # the channel: bytes in, one frame out
    with vault.reading() as reader: …                            # reads; vault.known(reader), vault.state(reader, …)
    vault.tick()                                                 # by the clock, every few seconds

The rules that must stay true: nobody acts but for a purpose that is enrolled here and borne by a role at the first
door at that moment; what is decided, with its statements, is one commit; an outcome is given only when it is on disk;
no method returns an arm, only decisions and pages of those who may see one do. Keys are never printed. Fake clocks
and seeded entropy work on rehearsal stores only.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from equipoise.channel.codec import read_delivery, write_answer
from equipoise.ledger.checkpoint import make_checkpoint, read_tree
from equipoise.ledger.commit import Act, Committed, commit
from equipoise.ledger.entries import AllocationPublished, Append
from equipoise.ledger.facts import Decision, Occasion, Refusal
from equipoise.ledger.marks import Marker, command_json, in_normal_form, usable_key
from equipoise.ledger.opening import Ledger
from equipoise.ledger.reader import Reader
from equipoise.ledger.vault_entries import (
    ClockMoved,
    DeliveryRefused,
    RestoreNoticed,
    SlotRefused,
    UnlockingRefused,
    VaultOpened,
    VaultUnlocked,
)
from equipoise.protocol.digest import study_from_text
from equipoise.protocol.study import Study
from equipoise.vault import anchors, credentials, inbox, keeping, slots, statements
from equipoise.vault.facts import PROGRAM, Keeper, Purpose, VaultFacts
from equipoise.vault.folding import Memory
from equipoise.vault.keyring import Keyring, take_refusals
from equipoise.vault.knowing import CEREMONY, Knowledge, Known, know, subject_of
from equipoise.vault.lists_held import held_list, left_list, of_a_rehearsal, slot_key, take_in_list
from equipoise.vault.room import Room, Rooms
from equipoise.vault.slots import SlotBook
from equipoise.vault.views import Alarm, Outcome
from equipoise.words.canonical import Json, canonical_bytes
from equipoise.words.clock import Clock, system_clock
from equipoise.words.ids import Entropy, random_id
from equipoise.words.problem import Problem, problem

STREAM = "vault"
CHECKPOINT_WITHIN = 60.0
"""Seconds after which what was written stands in a checkpoint: making one reads the whole ledger back."""
CLOCK_MAY_DIFFER = dt.timedelta(minutes=2)
"""A step of the clock larger than this, against the time that really passed, is written down."""


@dataclasses.dataclass(frozen=True, slots=True)
class _As:
    actor: str
    role: str


class Vault:
    """An open second door. Make it with `create_vault` or `open_vault` of opening.py."""

    def __init__(
        self,
        folder: Path,
        ledger: Ledger,
        keyring: Keyring,
        opened: VaultOpened,
        *,
        rooms: Rooms,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._rooms = rooms
        self._routes = {command: room for room in rooms for command in room.commands}
        self.folder, self.ledger = folder, ledger
        self._keyring, self._opened, self._clock, self._entropy = keyring, opened, clock, entropy
        self._memory, self._marker = Memory(), Marker(ledger.keys)
        self._knowledge = Knowledge(self._memory, rooms, rehearsal=opened.purpose == "rehearsal")
        self._studies: dict[str, tuple[str, Study]] = {}
        self._receiving = threading.Lock()
        self._ticking = threading.Lock()
        self._anchored: dt.datetime | None = None
        self._seen: tuple[dt.datetime, float] | None = None
        self._unchecked, self._rested_at = False, 0.0

    # --- what is asked -----------------------------------------------------------------------------------------

    @property
    def study(self) -> Study:
        """The definition by which this door works: the one that it was made with, or that a keeper confirmed last."""
        with self.reading() as reader:
            return self._circumstances(reader)[1]

    @property
    def purpose(self) -> Literal["rehearsal", "trial"]:
        """What the store is for."""
        return self._opened.purpose

    @property
    def public_key(self) -> str:
        """This door's public key (Ed25519, hex), which the first door pins."""
        return self.ledger.keys.public.hex()

    @property
    def web_secret(self) -> str:
        """The secret of the pages' sessions."""
        return self._keyring.web_secret

    def sealed(self, name: str, content: bytes) -> bytes:
        """`content` as it may lie in this door's folder: opened under the same name, by the passphrase alone."""
        return self._keyring.seal(name, content, self._entropy)

    def unsealed(self, name: str, sealed: bytes) -> bytes | None:
        """What `sealed` made; None for anything else."""
        return self._keyring.open(name, sealed)

    def now(self) -> dt.datetime:
        """The time, in UTC."""
        return self._clock()

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """One consistent moment to read."""
        with self.ledger.reading() as reader:
            yield reader

    def known(self, reader: Reader) -> Known:
        """What the first door said, who holds which slot, the anchors, and the root of the list."""
        return know(reader, self._memory)

    def state(self, reader: Reader, command: object) -> object:
        """The state of the room that decides such a command, as its decision would see it."""
        return self._knowledge.state(reader, self._routes[type(command)], command)

    def facts(self, reader: Reader, keeper: Keeper, command: object) -> VaultFacts:
        """The facts that a decision on such a command, given by `keeper` now, would be handed."""
        study = self._circumstances(reader)[1]
        room = self._routes[type(command)]
        return self._knowledge.facts(reader, study, room, keeper, command, self.now())

    def who(self, actor: str, purpose: Purpose) -> Keeper | None:
        """The person, for a purpose enrolled here now and borne by a role at the first door; None otherwise."""
        with self.reading() as reader:
            held = self._held(reader, actor)
        return Keeper(actor, purpose, held) if purpose in held else None

    def alarms(self) -> tuple[Alarm, ...]:
        """Everything that was refused over the channel, and every slot that was, latest first."""
        with self.reading() as reader:
            known = self.known(reader)
        found = [Alarm(at, rule, "") for at, rule in known.inbox.refused]
        found += [Alarm(at, rule, number) for at, rule, number in known.slots.alarms]
        return tuple(sorted(found, key=lambda alarm: alarm.at, reverse=True))

    def slot_key(self) -> bytes | None:
        """The key that opens this door's seals: for the final release and for closed work, inside this process."""
        return slot_key(self.folder, self._keyring)

    # --- what is done ------------------------------------------------------------------------------------------

    def submit(self, keeper: Keeper, command: object, *, key: str) -> Outcome:
        """Let the room decide, and write. `key` is the idempotency key that the page made."""
        room, command = self._routes[type(command)], in_normal_form(command)
        fresh = (random_id(self._entropy), random_id(self._entropy))
        faulty: list[tuple[str, str, str]] = []

        def decide(reader: Reader, at: dt.datetime) -> Decision:
            refused = self._refusal(reader, keeper, room.commands[type(command)])
            if refused is not None:
                return Refusal((refused,))
            study = self._circumstances(reader)[1]
            facts = self._knowledge.facts(reader, study, room, keeper, command, at)
            faulty[:] = self._new_faults(reader, command, facts)
            occasion = Occasion(at, study.zone_of(facts.subject_site or ""), fresh)
            return room.decide(study, self._knowledge.state(reader, room, command), facts, command, occasion)

        outcome = self._commit(keeper, room.streams(command), command_json(command), key, decide)
        for number, subject, rule in faulty:
            self._note(f"slot {number} {rule}", Append(slots.STREAM, SlotRefused(number, subject, rule)))
        return outcome

    def receive(self, delivery: bytes) -> bytes:
        """Take in what the first door sends; one frame of one length, whatever came and whatever is answered."""
        with self._receiving:
            read = read_delivery(delivery)
            heard = read.heard if read is not None else 0
            refused = self._older_than_heard(heard)
            if not refused and (read is None or read.checkpoint or read.entries):
                refused = self._take_in(delivery)
            with self.reading() as reader:
                state = self.known(reader).inbox
                waiting = () if refused else statements.statements_after(reader, self.ledger.keys, heard)
            return write_answer(state.size, state.index + 1, refused, waiting)

    def refuse(self, rule: str, about: str) -> None:
        """Write down that something came over the channel that was not even read: a stranger, a broken frame."""
        with self.reading() as reader:
            today = self.now().date().isoformat()
            refused = self.known(reader).inbox.refused
        if sum(at.startswith(today) for at, _ in refused) < inbox.REFUSALS_A_DAY:
            self._note(f"refused {rule} {about}", Append(inbox.STREAM, DeliveryRefused(rule, about)))

    def tick(self) -> None:
        """What is done by the clock: anchors, what rooms have due, a look at the clock itself, a checkpoint."""
        with self._ticking:
            self._watch_clock()
            self._anchor()
            self._do_what_is_due()
            by_the_wall = self._clock is system_clock  # under another, whoever moves it asks for checkpoints
            if self._unchecked and by_the_wall and time.monotonic() >= self._rested_at:
                self.checkpoint()

    def checkpoint(self) -> Problem | None:
        """Publish a signed checkpoint over everything written so far."""
        self._unchecked, self._rested_at = False, time.monotonic() + CHECKPOINT_WITHIN
        made = make_checkpoint(self.ledger, self.now())
        return made if isinstance(made, Problem) else None

    def take_in_list(self, source: Path) -> Problem | None:
        """Take in the list that a ceremony left in `source`, and the record of it; its key is sealed here."""
        if self.book is not None:
            return problem("vault.list-already-held", str(self.folder), folder=self.folder)
        entries = left_list(source, self._opened.study)
        if isinstance(entries, Problem):
            return entries
        if self.purpose == "trial" and of_a_rehearsal(entries):
            return problem("randomization.list-of-a-rehearsal", str(source))
        with self.reading() as reader:
            known = reader.head(CEREMONY).seq
        if entries[known:]:
            self._note(f"ceremony {known}", *(Append(CEREMONY, entry) for entry in entries[known:]))
        return take_in_list(self.folder, source, self._keyring, self._entropy) or self.load_list()

    def load_list(self) -> Problem | None:
        """Read the sealed slots that lie here."""
        book = held_list(self.folder, self._keyring, self._opened.study)
        if isinstance(book, Problem):
            return book
        self._knowledge.book = book
        return None

    @property
    def book(self) -> SlotBook | None:
        """The sealed slots; None before a list was taken in."""
        return self._knowledge.book

    def begin(self, *, first: bool) -> Problem | None:
        """Write down that the door was made, or unlocked, and how many wrong passphrases were tried before."""
        tries, moment = take_refusals(self.folder), random_id(self._entropy)
        appends = [Append(STREAM, self._opened if first else VaultUnlocked())]
        appends += [Append(STREAM, UnlockingRefused(tries))] if tries else []
        noted = self._note(f"begun {moment}", *appends)
        return None if noted.accepted else noted.problems[0]

    def close(self) -> None:
        """Publish a last checkpoint and give everything back."""
        if self._unchecked:
            self.checkpoint()
        self.ledger.close()

    # --- inside ------------------------------------------------------------------------------------------------

    def _circumstances(self, reader: Reader) -> tuple[str, Study]:
        """Digest and content of the definition in force."""
        kept = self._memory.state(reader, keeping.STREAM, (keeping.STREAM,), keeping.START, keeping.evolve)
        text = self._opened.definition
        if kept.confirmed:
            text = self.known(reader).told.definitions.get(kept.confirmed, text)
        if text not in self._studies:
            study = study_from_text(text)
            self._studies = {text: (hashlib.sha256(text.encode()).hexdigest(), study)}
        return self._studies[text]

    def _held(self, reader: Reader, actor: str) -> tuple[Purpose, ...]:
        stream, told = f"user/{actor}", self.known(reader).told
        state = self._memory.state(reader, "credentials", (stream,), credentials.START, credentials.evolve)
        roles, ever = told.roles().get(actor, ()), told.ever.get(actor, ())
        return tuple(
            one for one in credentials.NEEDED if one in state.purposes and credentials.borne(one, roles, ever)
        )

    def _refusal(self, reader: Reader, keeper: Keeper, allowed: frozenset[Purpose]) -> Problem | None:
        """Why the person may not give the command now; the program may give what no person or a keeper may."""
        if keeper == PROGRAM:
            return None if not allowed or "KEEPER" in allowed else problem("vault.not-allowed")
        if keeper.purpose not in self._held(reader, keeper.actor):
            return problem("vault.purpose-not-held")
        return None if keeper.purpose in allowed else problem("vault.not-allowed")

    def _new_faults(self, reader: Reader, command: object, facts: VaultFacts) -> list[tuple[str, str, str]]:
        known = self.known(reader)
        subject = subject_of(known.told, command)
        if facts.slot_fault is None or facts.number is None or subject in known.slots.faults:
            return []
        return [(facts.number, subject or "", facts.slot_fault)]

    def _commit(
        self,
        keeper: Keeper,
        streams: Sequence[str],
        asked: Json,
        key: str,
        decide: Callable[[Reader, dt.datetime], Decision],
    ) -> Outcome:
        """Write what `decide` says, with its statements numbered in their order."""
        if not usable_key(key):
            return Outcome(accepted=False, problems=(problem("vault.key-unfit"),))
        with self.reading() as reader:
            digest, study = self._circumstances(reader)
        at, mark = self.now(), self._marker.mark(_As(keeper.actor, keeper.purpose), asked)
        act = Act(study.id, digest, keeper.actor, keeper.purpose, at, None, None, key, mark)

        def numbered(reader: Reader) -> Decision:
            decision = decide(reader, at)
            return decision if isinstance(decision, Refusal) else statements.numbered(reader, decision)

        done = commit(self.ledger, act, tuple(dict.fromkeys((*streams, statements.STREAM))), numbered)
        if isinstance(done, Refusal):
            return Outcome(accepted=False, problems=done.problems)
        self._unchecked = self._unchecked or bool(done.recorded and not done.replayed)
        return _outcome(done)

    def _note(self, key: str, *appends: Append) -> Outcome:
        """Write entries of the program itself."""
        named = hashlib.sha256(key.encode()).hexdigest()
        streams = tuple(dict.fromkeys(append.stream for append in appends))
        return self._commit(PROGRAM, streams, {"noted": key}, f"note {named}", lambda reader, at: appends)

    def _older_than_heard(self, heard: int) -> str:
        """The rule where the first door heard more than this door ever said: it was put back from a backup, then."""
        with self.reading() as reader:
            said, known = reader.head(statements.STREAM).seq, self.known(reader).inbox.heard
        if heard <= said:
            return ""
        self.refuse("vault.heard-more", f"heard {heard} said {said}")
        if heard > max(known, said):  # so that a keeper can decide; see vault.keeping
            self._note(f"restored {heard} {said}", Append(inbox.STREAM, RestoreNoticed(heard, said)))
        return "vault.heard-more"

    def _take_in(self, delivery: bytes) -> str:
        """Judge a delivery and write what it brings; the message key of its refusal, or empty."""
        named = hashlib.sha256(delivery).hexdigest()
        read = read_delivery(delivery)
        if read is None:
            self.refuse("vault.delivery-unreadable", named)
            return "vault.delivery-unreadable"
        ruled: list[str] = []
        heard: list[inbox.Heard] = []

        def decide(reader: Reader, at: dt.datetime) -> Decision:
            ruled.clear()
            heard.clear()
            known = self.known(reader)
            pinned = bytes.fromhex(self._opened.first_door)
            taken = inbox.judge(known.inbox, read, pinned, self._opened.study, self.purpose)
            if isinstance(taken, str):
                ruled.append(taken)
                return ()
            heard.extend(taken.entries)
            assigned = slots.assign(known.slots, taken.after.told, tuple(taken.slots()))
            return (*taken.appends(known.inbox), *_strange_list(taken, known.root), *assigned)

        streams = (inbox.STREAM, slots.STREAM)
        outcome = self._commit(PROGRAM, streams, {"delivery": named}, f"delivery {named}", decide)
        if not outcome.accepted:
            return outcome.problems[0].rule
        if ruled:
            self.refuse(ruled[0], named)
            return ruled[0]
        for one in heard:
            self._react(one)
        return ""

    def _react(self, heard: inbox.Heard) -> None:
        if heard.entry is None:
            return
        for room in self._rooms:
            for count, command in enumerate(room.hears(heard.header, heard.entry) if room.hears else ()):
                self.submit(PROGRAM, command, key=f"heard {heard.leaf} {room.name} {count}")

    def _anchor(self) -> None:
        """An anchor for every hour, counted by this door's clock; a clock put back starts its hour anew."""
        now = self.now()
        with self.reading() as reader:
            last = self.known(reader).anchors.at
        since = self._anchored or last
        if since is not None and since > now:
            self._anchored = since = now
        if since is not None and now - since < anchors.EVERY:
            return
        tree = read_tree(self.ledger)
        if isinstance(tree, Problem):
            return
        size, root, nonce = len(tree.leaves), tree.grown.root().hex(), self._entropy(anchors.NONCE_BYTES)

        def decide(reader: Reader, at: dt.datetime) -> Decision:
            return anchors.make_anchor(self.known(reader).anchors, size, root, nonce)

        named = f"anchor {size} {now.isoformat()}"
        if self._commit(PROGRAM, (anchors.STREAM,), {"anchor": size}, named, decide).accepted:
            self._anchored = now

    def _do_what_is_due(self) -> None:
        """What rooms do by the clock; a command that was refused is tried again at the next tick."""
        with self.reading() as reader:
            study, now = self._circumstances(reader)[1], self.now()
            due = [
                (room.name, command)
                for room in self._rooms
                if room.due is not None
                for command in room.due(study, self._own_state(reader, room), now)
            ]
        for name, command in due:
            said = canonical_bytes(command_json(command))
            self.submit(PROGRAM, command, key=f"due {name} {hashlib.sha256(said).hexdigest()}")

    def _own_state(self, reader: Reader, room: Room) -> object:
        return self._memory.state(reader, room.name, room.reads, room.start, room.evolve)

    def _watch_clock(self) -> None:
        """Write down a clock that stepped: against the time that really passed, or back behind the last entry."""
        now, passed = self.now(), time.monotonic()
        with self.reading() as reader:
            head = reader.entries(STREAM, after=max(reader.head(STREAM).seq - 1, 0))
        latest = dt.datetime.fromisoformat(head[-1].header.at) if head else now
        step = now - latest if now < latest else dt.timedelta()
        if self._seen is not None and self._clock is system_clock:
            step = now - self._seen[0] - dt.timedelta(seconds=passed - self._seen[1])
        elif self._seen is not None:
            step = min(now - self._seen[0], dt.timedelta())
        self._seen = (now, passed)
        if abs(step) > CLOCK_MAY_DIFFER:
            self._note(f"clock {now.isoformat()}", Append(STREAM, ClockMoved(int(step.total_seconds()))))


def _strange_list(taken: inbox.Taken, root: str) -> tuple[Append, ...]:
    """An alarm for a published list that is not the one made here. The entry is taken in; no slot of it opens."""
    return tuple(
        Append(inbox.STREAM, DeliveryRefused("vault.list-of-another", one.leaf))
        for one in taken.entries
        if isinstance(one.entry, AllocationPublished) and one.entry.root != root
    )


def _outcome(done: Committed) -> Outcome:
    receipt = done.receipt
    if receipt is None:
        return Outcome(accepted=True, replayed=done.replayed)
    last = done.recorded[-1].header
    told = dataclasses.asdict(receipt)
    return Outcome(accepted=True, receipt=told, seq=receipt.seq, at=last.at, replayed=done.replayed)
