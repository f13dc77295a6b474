"""What is known of one participant's diary, folded from the stream `diary/<subject>`.

The rules that must stay true: a packet's id stands for its first bytes for ever; of two entries by the same reporter
for one slot the one begun first is the reported one, and nothing replaces another; entries of the participant (alone or
with help) and of a caregiver are never one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal, TypeVar

from equipoise.diary.commands import PARTICIPANT
from equipoise.ledger.entries import (
    Datum,
    DeviceEnrolled,
    DeviceRevoked,
    DiaryChangeDecided,
    DiaryChangeRequested,
    DiaryEntryLinked,
    DiaryEntryRecorded,
    DiaryEvidenceRecorded,
    DiaryFlagHandled,
    DiaryFormShown,
    DiaryGapExplained,
    DiaryHelpAsked,
    DiaryInterviewRecorded,
    DiaryInvited,
    DiaryReminderDispatched,
    DiaryReminderPlanned,
    DiaryReviewed,
    DiarySitePaged,
    Recorded,
)

Value = TypeVar("Value")
DeviceState = Literal["INVITED", "ENROLLED", "REVOKED"]
Side = Literal["PARTICIPANT", "CAREGIVER"]
"""Whose word an entry is: the participant's, tapped alone or with help, or a caregiver's."""


def side_of(reporter: str) -> Side:
    """Whose word it is."""
    return "CAREGIVER" if reporter == "CAREGIVER" else "PARTICIPANT"


@dataclass(frozen=True, slots=True)
class Device:
    """A phone, from its invitation on. Moments are those of headers."""

    device: str
    holder: str
    zone: str
    until: str
    state: DeviceState
    invited_at: str
    enrolled_at: str | None = None
    revoked_at: str | None = None
    reason: str = ""

    @property
    def side(self) -> Side:
        """Whose word it sends."""
        return "PARTICIPANT" if self.holder == PARTICIPANT else "CAREGIVER"


@dataclass(frozen=True, slots=True)
class Packet:
    """What became of a packet: recorded, or kept as evidence by a rule. `seq` and `leaf` are of its entry."""

    sealed: str
    rule: str
    where: str
    seq: int
    leaf: str


@dataclass(frozen=True, slots=True)
class Made:
    """An entry of the diary with its place in the stream and when (UTC, ISO) it arrived.

    `changes`: answers that the site changed on request; the entry keeps its own.
    """

    entry: DiaryEntryRecorded
    seq: int
    at: str
    changes: Mapping[str, Datum] = field(default_factory=lambda: MappingProxyType({}))
    place: str = ""

    @property
    def answers(self) -> Mapping[str, Datum]:
        """The answers that count."""
        return {**self.entry.answers, **self.changes} if self.changes else self.entry.answers


@dataclass(frozen=True, slots=True)
class Request:
    """A request to change an entry, and how the site decided."""

    entry: DiaryChangeRequested
    seq: int
    at: str
    decided: DiaryChangeDecided | None = None
    decided_at: str = ""
    decided_by: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """One participant's diary. Keys: device id; packet id; packet id of the request."""

    zone: str = ""
    devices: Mapping[str, Device] = field(default_factory=lambda: MappingProxyType({}))
    packets: Mapping[str, Packet] = field(default_factory=lambda: MappingProxyType({}))
    by_digest: Mapping[str, Packet] = field(default_factory=lambda: MappingProxyType({}))
    """What became of the very bytes of that SHA-256: an id that was used twice has one row here for each."""
    made: Mapping[str, Made] = field(default_factory=lambda: MappingProxyType({}))
    requests: Mapping[str, Request] = field(default_factory=lambda: MappingProxyType({}))
    others: tuple[Recorded, ...] = ()
    """Reminders, views, calls for help, gaps, interviews, reviews and evidence, in order."""

    def entries(self, form: str, period: str | None, side: str) -> tuple[Made, ...]:
        """The entries of one side for one slot by when they were begun: the reported one, then the further ones."""
        found = [
            one for one in self.made.values()
            if (one.entry.form, one.entry.period, side_of(one.entry.reporter)) == (form, period, side)
        ]  # fmt: skip
        return tuple(sorted(found, key=_begun))

    def reported(self) -> tuple[Made, ...]:
        """The entries that count: of every slot the first of each side, and every entry for an event; oldest first."""
        first: dict[tuple[str, str, str], Made] = {}
        events: list[Made] = []
        for one in sorted(self.made.values(), key=_begun):
            if one.entry.period is None:
                events.append(one)
            else:
                first.setdefault((one.entry.form, one.entry.period, side_of(one.entry.reporter)), one)
        return tuple(sorted([*first.values(), *events], key=_begun))


def _begun(one: Made) -> tuple[str, int]:
    return one.entry.begun, one.seq


START = State()
_FROM_PHONES = (
    DiaryEntryRecorded,
    DiaryChangeRequested,
    DiaryHelpAsked,
    DiaryFormShown,
    DiaryEvidenceRecorded,
)
_OTHERS = (
    DiaryReminderDispatched,
    DiaryFormShown,
    DiaryHelpAsked,
    DiaryGapExplained,
    DiaryInterviewRecorded,
    DiaryReviewed,
    DiaryEvidenceRecorded,
    DiaryFlagHandled,
    DiaryReminderPlanned,
    DiarySitePaged,
)


def evolve(state: State, recorded: Recorded) -> State:
    """The state after one more entry of the stream."""
    entry, at = recorded.entry, recorded.header.at
    match entry:
        case DiaryInvited():
            made = Device(entry.device, entry.holder, entry.zone, entry.until, "INVITED", at)
            return replace(state, zone=entry.zone, devices=_with(state.devices, entry.device, made))
        case DeviceEnrolled() | DeviceRevoked():
            return _device(state, entry, at)
        case DiaryEntryRecorded():
            made_now = Made(entry, recorded.header.seq, at)
            state = replace(state, made=_with(state.made, entry.packet, made_now))
        case DiaryChangeRequested():
            asked = Request(entry, recorded.header.seq, at)
            state = replace(state, requests=_with(state.requests, entry.packet, asked))
        case DiaryChangeDecided():
            return _decided(state, entry, at, recorded.header.actor)
        case DiaryEntryLinked():
            return _linked(state, entry)
        case _ if not isinstance(entry, _OTHERS):
            return state
    if isinstance(entry, _OTHERS):
        state = replace(state, others=(*state.others, recorded))
    return _packet(state, recorded)


def _device(state: State, entry: DeviceEnrolled | DeviceRevoked, at: str) -> State:
    known = state.devices.get(entry.device)
    if known is None:
        return state
    if isinstance(entry, DeviceEnrolled):
        changed = replace(known, state="ENROLLED", enrolled_at=at)
    else:
        changed = replace(known, state="REVOKED", revoked_at=at, reason=entry.reason)
    return replace(state, devices=_with(state.devices, entry.device, changed))


def _packet(state: State, recorded: Recorded) -> State:
    """What became of the packet that an entry came from: its first entry says it for good."""
    entry = recorded.entry
    if not isinstance(entry, _FROM_PHONES):
        return state
    rule, where = (entry.rule, entry.where) if isinstance(entry, DiaryEvidenceRecorded) else ("", "")
    kept = Packet(entry.sealed, rule, where, recorded.header.seq, recorded.leaf)
    state = replace(state, by_digest=_with(state.by_digest, entry.sealed, kept))
    if entry.packet in state.packets:
        return state
    return replace(state, packets=_with(state.packets, entry.packet, kept))


def _decided(state: State, entry: DiaryChangeDecided, at: str, by: str) -> State:
    asked, about = state.requests.get(entry.request), state.made.get(entry.about)
    if asked is not None:
        asked = replace(asked, decided=entry, decided_at=at, decided_by=by)
        state = replace(state, requests=_with(state.requests, entry.request, asked))
    if about is not None and entry.changes:
        about = replace(about, changes=MappingProxyType({**about.changes, **entry.changes}))
        state = replace(state, made=_with(state.made, entry.about, about))
    return state


def _linked(state: State, entry: DiaryEntryLinked) -> State:
    about = state.made.get(entry.about)
    if about is None:
        return state
    return replace(state, made=_with(state.made, entry.about, replace(about, place=entry.place)))


def _with(known: Mapping[str, Value], key: str, value: Value) -> Mapping[str, Value]:
    return MappingProxyType({**known, key: value})


def kinds(state: State, kind: type) -> Iterable[Recorded]:
    """The entries of one of the other kinds, in order."""
    return (one for one in state.others if isinstance(one.entry, kind))
