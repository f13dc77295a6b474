"""What holds now behind the second door: streams folded once, and the facts that a decision is handed.

The rule that must stay true: the product of a subject is among the facts only for a room that opens slots, of that
very subject, and only where slot, commitment and path to the ceremony's root agree; else the fault is, and nothing
more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from equipoise.ledger.entries import Recorded
from equipoise.ledger.reader import Reader
from equipoise.ledger.vault_entries import ListMade
from equipoise.protocol.study import Study
from equipoise.randomization.methods import in_order
from equipoise.randomization.minimization import Minimization, allocations, minimization_of
from equipoise.randomization.sealing import UNDECIDED
from equipoise.vault import anchors, inbox, slots, statements
from equipoise.vault.facts import Keeper, VaultFacts
from equipoise.vault.folding import Memory
from equipoise.vault.room import Room, Rooms
from equipoise.vault.slots import SlotBook, product_of
from equipoise.vault.told import Told
from equipoise.words.problem import Problem

CEREMONY = "ceremony"


def evolve_root(root: str, recorded: Recorded) -> str:
    """The root (hex) of the list that was made last; empty before one was."""
    return recorded.entry.root if isinstance(recorded.entry, ListMade) else root


@dataclass(frozen=True, slots=True)
class Known:
    """What was folded for one reading."""

    inbox: inbox.State
    slots: slots.State
    anchors: anchors.State
    root: str

    @property
    def told(self) -> Told:
        """What the first door said."""
        return self.inbox.told


def know(reader: Reader, memory: Memory) -> Known:
    """The states that every decision rests on."""
    return Known(
        memory.state(reader, "inbox", (inbox.STREAM,), inbox.START, inbox.evolve),
        memory.state(reader, "slots", (slots.STREAM,), slots.START, slots.evolve),
        memory.state(reader, "anchors", (anchors.STREAM,), anchors.START, anchors.evolve),
        memory.state(reader, "root", (CEREMONY,), "", evolve_root),
    )


def subject_of(told: Told, command: object) -> str | None:
    """The subject that a command concerns, by itself or through its request."""
    subject = getattr(command, "subject", None)
    request = str(getattr(command, "request", "") or "")
    if subject is None and request in told.wanted:
        subject = told.wanted[request].subject
    if subject is None and request in told.breaks:
        subject = told.breaks[request].subject
    return subject


class Knowledge:
    """Makes the facts of one open door."""

    def __init__(self, memory: Memory, rooms: Rooms, *, rehearsal: bool) -> None:
        self._memory, self._rooms, self._rehearsal = memory, rooms, rehearsal
        self.book: SlotBook | None = None

    def facts(
        self, reader: Reader, study: Study, room: Room, keeper: Keeper, command: object, now: dt.datetime
    ) -> VaultFacts:
        """The facts for a command, given by `keeper` at the moment `now`."""
        known = know(reader, self._memory)
        told, subject = known.told, subject_of(known.told, command)
        request = str(getattr(command, "request", "") or "")
        facts = VaultFacts(
            rehearsal=self._rehearsal,
            actor=keeper.actor,
            actor_sites=told.sites_of(keeper.actor),
            wanted=told.wanted.get(request),
            asked_break=told.breaks.get(request),
            subject_site=told.sites.get(subject or ""),
            subject_number=told.numbers.get(subject or ""),
            bags_over=told.bags_over,
            definition_released=told.released,
            heard_there=known.inbox.heard,
            said=reader.head(statements.STREAM).seq,
            tubes=told.tubes,
            tube_sites=told.sites,
            roles=told.roles(),
            roles_ever=told.ever,
            number=known.slots.numbers.get(subject or ""),
            slot_fault=known.slots.faults.get(subject or ""),
            first_release_conditions=told.conditions,
            first_release_signers=told.signers,
            first_release_signed=told.signed,
            last_anchor_at=known.anchors.at,
        )
        if room.opens and facts.number is not None and facts.slot_fault is None:
            facts = self._opened(facts, study, facts.number, known)
        for one in self._rooms:
            if one.adds is not None:
                state = self._memory.state(reader, one.name, one.reads, one.start, one.evolve)
                facts = one.adds(facts, state, now)
        return facts

    def state(self, reader: Reader, room: Room, command: object) -> object:
        """The state of a room for a command."""
        said = [stream for stream in room.streams(command) if stream != statements.STREAM]
        streams = (*said, *room.reads)
        return self._memory.state(reader, room.name, streams, room.start, room.evolve)

    def _opened(self, facts: VaultFacts, study: Study, number: str, known: Known) -> VaultFacts:
        arm = self.arm(study, number, known)
        if isinstance(arm, Problem):
            return replace(facts, slot_fault=arm.rule)
        return replace(facts, product=product_of(study, arm))

    def arm(self, study: Study, number: str, known: Known) -> str | Problem:
        """The arm (id) of a slot that was assigned, once everything agrees."""
        book, published, root = self.book, known.told.published, known.root
        if book is None or not root:
            return Problem("vault.list-missing", number)
        opened = book.open(number, published, root)
        if isinstance(opened, Problem):
            return opened
        if opened.arm != UNDECIDED:
            return book.arms[opened.arm]
        drawn: list[tuple[str, bytes]] = []
        for subject, each in known.slots.numbers.items():  # in the order of assignment
            content = book.open(each, published, root)
            if isinstance(content, Problem):
                return content
            drawn.append((known.told.randomized.get(subject, (each, ""))[1], content.draw))
            if each == number:
                break
        return _minimized(study, drawn, book.arms, number)


def _minimized(
    study: Study, drawn: Sequence[tuple[str, bytes]], arms: Sequence[str], number: str
) -> str | Problem:
    """The arm of the last of the participants, worked out from everybody's levels and draws ("mode B")."""
    chosen = in_order(study)
    rule = minimization_of(chosen) if chosen is not None else None
    if not isinstance(rule, Minimization):
        return Problem("vault.slot-not-committed", number)
    try:
        return arms[allocations(rule, drawn)[-1]]
    except ValueError:  # a draw of another length, or levels that no factor has
        return Problem("vault.slot-not-committed", number)
