"""What the first door said, taken in: verified against its pinned key, and folded to what the rooms here ask for.

The rules that must stay true: an entry is taken in only when it stands in a checkpoint that is signed by the one key
pinned when this store was made and that continues the last one accepted; entries come in the order of the first
door's tree and once each, those about a person's roles without a gap; what does not hold is refused whole, by rule,
and the refusal is an entry; the same delivery a second time changes nothing. A first door that is older than what was
accepted, or another than it was, is refused. Source: DESIGN 5 (channel); RFC 6962 2.1 (proofs).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from equipoise.channel.messages import FORWARDED, WHOLE, Delivery, Disclosed
from equipoise.ledger.chain import commitment_of, leaf_of, read_header
from equipoise.ledger.checkpoint import Checkpoint, read_note
from equipoise.ledger.codec import decode
from equipoise.ledger.entries import (
    Append,
    Entry,
    Header,
    PreparationRequested,
    Recorded,
    SlotTaken,
    StudyReleased,
)
from equipoise.ledger.merkle import consistency_holds, inclusion_holds
from equipoise.ledger.vault_entries import CheckpointAccepted, DeliveryRefused, EntryAccepted, RestoreNoticed
from equipoise.protocol.digest import study_from_text
from equipoise.vault.told import START as NOTHING_TOLD
from equipoise.vault.told import Told, hear
from equipoise.words.problem import Problem

STREAM = "inbox"
REFUSALS_A_DAY = 200
"""Refused deliveries of one day that are written down; a flood of more is still refused."""
_NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class State:
    """The last checkpoint accepted (size, root), how far entries were taken in, and what they say.

    index: place of the last entry taken in, -1 before the first. seqs: the last seq taken in, by stream.
    """

    size: int = 0
    root: str = ""
    index: int = -1
    seqs: Mapping[str, int] = field(default_factory=lambda: _NONE)
    told: Told = NOTHING_TOLD
    refused: tuple[tuple[str, str], ...] = ()
    """(moment, rule) of every refusal that was written down."""
    heard: int = 0
    """The most statements that the first door ever claimed to have heard beyond what was said here."""


START = State()


def evolve(state: State, recorded: Recorded) -> State:
    """The state after one more entry of the stream `inbox`."""
    entry = recorded.entry
    if isinstance(entry, CheckpointAccepted):
        return replace(state, size=entry.size, root=entry.root)
    if isinstance(entry, DeliveryRefused):
        return replace(state, refused=(*state.refused, (recorded.header.at, entry.rule)))
    if isinstance(entry, RestoreNoticed):
        return replace(state, heard=max(state.heard, entry.heard))
    if isinstance(entry, EntryAccepted):
        header = read_header(entry.header.encode())
        inner = decode(entry.kind_there, json.loads(entry.body)) if entry.body else None
        seqs = MappingProxyType({**state.seqs, entry.stream: entry.seq})
        told = state.told
        if header is not None and isinstance(inner, Entry):
            told = hear(told, header, inner)
        return replace(state, index=entry.index, seqs=seqs, told=told)
    return state


@dataclass(frozen=True, slots=True)
class Heard:
    """An entry of the first door that was found to hold; None for a kind of which only the header goes up."""

    header: Header
    entry: Entry | None
    leaf: str
    disclosed: Disclosed


@dataclass(frozen=True, slots=True)
class Taken:
    """What a delivery brings: the checkpoint and the entries that were not known yet, and the state after them."""

    checkpoint: Checkpoint
    entries: tuple[Heard, ...]
    after: State

    def appends(self, before: State) -> tuple[Append, ...]:
        """The entries to write; none where the delivery brings nothing new."""
        found: list[Append] = []
        if (self.checkpoint.size, self.checkpoint.root) != (before.size, before.root):
            accepted = CheckpointAccepted(self.checkpoint.size, self.checkpoint.root, self.checkpoint.note)
            found.append(Append(STREAM, accepted))
        found += [Append(STREAM, _accepted(one)) for one in self.entries]
        return tuple(found)

    def slots(self) -> Iterator[SlotTaken]:
        """The slots that were taken, in the first door's order."""
        yield from (one.entry for one in self.entries if isinstance(one.entry, SlotTaken))


def _accepted(one: Heard) -> EntryAccepted:
    header, disclosed = one.header, one.disclosed
    return EntryAccepted(
        header.stream, header.seq, header.kind, one.leaf, disclosed.index, disclosed.header, disclosed.body
    )


def judge(state: State, delivery: Delivery, first_door: bytes, study: str, purpose: str) -> Taken | str:
    """What the delivery brings, or the message key of why nothing of it is taken.

    first_door: the pinned public key. A delivery whose entries are all known brings nothing, and is no fault.
    """
    checkpoint = read_note(delivery.checkpoint, first_door)
    if checkpoint is None:
        return "vault.checkpoint-forged"
    contradicted = _continues(state, checkpoint, delivery.consistency)
    if contradicted:
        return contradicted
    after, found = replace(state, size=checkpoint.size, root=checkpoint.root), list[Heard]()
    last = -1
    for disclosed in delivery.entries:
        if disclosed.index <= last:
            return "vault.entry-out-of-order"
        last = disclosed.index
        heard = _entry(disclosed, checkpoint)
        if isinstance(heard, str):
            return heard
        if disclosed.index <= state.index:
            continue
        fault = _place_fault(after, heard, study, purpose)
        if fault:
            return fault
        found.append(heard)
        after = _after(after, heard)
    return Taken(checkpoint, tuple(found), after)


def _continues(state: State, checkpoint: Checkpoint, consistency: Sequence[str]) -> str:
    """The rule by which a checkpoint does not continue the last one accepted; empty where it does."""
    if checkpoint.size < state.size:
        return "vault.checkpoint-older"
    if state.size == 0:
        return ""
    path = _hashes(consistency)
    old, new = bytes.fromhex(state.root), bytes.fromhex(checkpoint.root)
    if checkpoint.size == state.size:
        return "" if old == new else "vault.checkpoint-forked"
    if path is None or not consistency_holds(state.size, checkpoint.size, old, new, path):
        return "vault.checkpoint-forked"
    return ""


def _entry(disclosed: Disclosed, checkpoint: Checkpoint) -> Heard | str:
    """The entry, shown to stand in the checkpoint with this body; or the rule by which it is refused."""
    data = disclosed.header.encode()
    header, leaf, path = read_header(data), leaf_of(data), _hashes(disclosed.path)
    if header is None or path is None:
        return "vault.delivery-unreadable"
    root = bytes.fromhex(checkpoint.root)
    if not inclusion_holds(bytes.fromhex(leaf), disclosed.index, checkpoint.size, path, root):
        return "vault.entry-not-in-checkpoint"
    if header.kind not in FORWARDED:
        bare = header.stream.startswith(WHOLE) and not disclosed.body and not disclosed.nonce
        return Heard(header, None, leaf, disclosed) if bare else "vault.entry-kind-not-allowed"
    main = next((part for part in header.bodies if part.part == "main"), None)
    try:
        nonce, body = bytes.fromhex(disclosed.nonce), disclosed.body.encode()
        if main is None or commitment_of(nonce, body) != main.commitment:
            return "vault.entry-body-differs"
        entry = decode(header.kind, json.loads(body))
    except (ValueError, RecursionError):
        return "vault.delivery-unreadable"
    return (
        "vault.delivery-unreadable" if isinstance(entry, Problem) else Heard(header, entry, leaf, disclosed)
    )


def _place_fault(state: State, heard: Heard, study: str, purpose: str) -> str:
    """Whether an entry that holds has its place here: study, definition, purpose, order of its stream."""
    header = heard.header
    if header.study != study:
        return "vault.entry-of-other-study"
    known = state.seqs.get(header.stream, 0)
    if header.seq <= known:
        return "vault.entry-out-of-order"
    if header.seq > known + 1 and header.stream.startswith(WHOLE):
        return "vault.entry-left-out"
    told = state.told
    if told.definitions and header.study_digest not in told.definitions and header.kind != "StudyReleased":
        return "vault.entry-of-other-definition"
    if heard.entry is None:
        return ""
    if told.purpose_of(heard.entry, purpose) != purpose:
        return "vault.purpose-differs"
    return _content_fault(heard.entry, study)


def _content_fault(entry: Entry, study: str) -> str:
    """Whether a value is one that work here would stumble over: the first door may be in anybody's hands."""
    try:
        if isinstance(entry, StudyReleased):
            text = entry.definition.encode()
            defined = study_from_text(entry.definition)
            if hashlib.sha256(text).hexdigest() != entry.digest or defined.id != study:
                return "vault.definition-unreadable"
        if isinstance(entry, PreparationRequested) and dt.datetime.fromisoformat(entry.at).tzinfo is None:
            return "vault.delivery-unreadable"
    except (ValueError, RecursionError):
        wrong = isinstance(entry, StudyReleased)
        return "vault.definition-unreadable" if wrong else "vault.delivery-unreadable"
    return ""


def _after(state: State, heard: Heard) -> State:
    seqs = MappingProxyType({**state.seqs, heard.header.stream: heard.header.seq})
    told = hear(state.told, heard.header, heard.entry) if heard.entry is not None else state.told
    return replace(state, index=heard.disclosed.index, seqs=seqs, told=told)


def _hashes(texts: Sequence[str]) -> tuple[bytes, ...] | None:
    """SHA-256 values from hexadecimal; None where one of them is none."""
    try:
        found = tuple(bytes.fromhex(text) for text in texts)
    except ValueError:
        return None
    return found if all(len(one) == 32 for one in found) else None
