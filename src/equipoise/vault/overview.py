"""The state of the second door for who keeps it: its ledger, anchors, the channel, the list, who may sign in.

The rule that must stay true: it reads headers and main body parts only, and nothing in it tells an arm: the same facts
an inspector may be given.
"""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.ledger.entries import Recorded
from equipoise.ledger.reader import Reader
from equipoise.ledger.vault_entries import (
    AnchorMade,
    CheckpointAccepted,
    CredentialEnrolled,
    CredentialRevoked,
    DeliveryRefused,
    ListMade,
    SlotHolder,
    SlotRefused,
    SlotsSealed,
    VaultOpened,
    VaultUnlocked,
)
from equipoise.vault.facts import Purpose
from equipoise.vault.views import Alarm

RECENT = 200
"""Entries of the inbox that are looked at for the last checkpoint and for refusals."""
SHOWN = 20
"""Refusals and anchors shown at most."""


@dataclass(frozen=True, slots=True)
class Anchored:
    """An anchor: its number, moment (UTC), the entries it covers, their root (hex)."""

    number: int
    at: str
    size: int
    root: str


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A credential in force, since when (UTC)."""

    user: str
    purpose: Purpose
    since: str


@dataclass(frozen=True, slots=True)
class Overview:
    """What holds now. Moments are UTC, ISO; empty where it has not happened."""

    opened_at: str
    unlocked_at: str
    first_door: str
    entries: int
    accepted_size: int
    accepted_at: str
    list_root: str
    slots: int
    assigned: int
    anchors: tuple[Anchored, ...]
    alarms: tuple[Alarm, ...]
    credentials: tuple[Enrolled, ...]


def overview(reader: Reader) -> Overview:
    """The state of the door at the reader's moment."""
    vault, inbox = reader.entries("vault"), _recent(reader, "inbox")
    accepted = [one for one in inbox if isinstance(one.entry, CheckpointAccepted)]
    opened = next((one for one in vault if isinstance(one.entry, VaultOpened)), None)
    unlocked = [one for one in vault if isinstance(one.entry, VaultUnlocked)]
    lists = [one.entry for one in reader.entries("ceremony") if isinstance(one.entry, ListMade)]
    last = accepted[-1] if accepted else None
    return Overview(
        opened_at=opened.header.at if opened else "",
        unlocked_at=unlocked[-1].header.at if unlocked else "",
        first_door=opened.entry.first_door if opened and isinstance(opened.entry, VaultOpened) else "",
        entries=sum(head.seq for head in reader.streams()),
        accepted_size=last.entry.size if last and isinstance(last.entry, CheckpointAccepted) else 0,
        accepted_at=last.header.at if last else "",
        list_root=lists[-1].root if lists else "",
        slots=lists[-1].slots if lists else 0,
        assigned=reader.head("slots").seq,
        anchors=_anchors(reader),
        alarms=_alarms([*inbox, *_recent(reader, "slots")]),
        credentials=credentials(reader),
    )


def credentials(reader: Reader) -> tuple[Enrolled, ...]:
    """Every credential in force, by person and purpose."""
    held: dict[tuple[str, Purpose], str] = {}
    for head in reader.streams():
        if not head.stream.startswith("user/"):
            continue
        for one in reader.entries(head.stream):
            if isinstance(one.entry, CredentialEnrolled):
                held[one.entry.user, one.entry.purpose] = one.header.at
            elif isinstance(one.entry, CredentialRevoked):
                held = {key: at for key, at in held.items() if key != (one.entry.user, one.entry.purpose)}
    return tuple(Enrolled(user, purpose, since) for (user, purpose), since in sorted(held.items()))


def slot_holders(reader: Reader) -> tuple[SlotHolder, ...]:
    """Who holds a key to the sealed slots of the list that was made last."""
    holders: tuple[SlotHolder, ...] = ()
    for one in reader.entries("ceremony"):
        if isinstance(one.entry, ListMade):
            holders = ()
        elif isinstance(one.entry, SlotsSealed):
            holders = one.entry.holders
    return holders


def _recent(reader: Reader, stream: str) -> tuple[Recorded, ...]:
    return reader.entries(stream, after=max(reader.head(stream).seq - RECENT, 0))


def _anchors(reader: Reader) -> tuple[Anchored, ...]:
    found = [
        Anchored(one.entry.number, one.header.at, one.entry.size, one.entry.root)
        for one in _recent(reader, "anchors")
        if isinstance(one.entry, AnchorMade)
    ]
    return tuple(reversed(found[-SHOWN:]))


def _alarms(recorded: list[Recorded]) -> tuple[Alarm, ...]:
    """What was refused, the newest first."""
    found = []
    for one in recorded:
        if isinstance(one.entry, DeliveryRefused):
            found.append(Alarm(one.header.at, one.entry.rule, one.entry.leaf))
        elif isinstance(one.entry, SlotRefused):
            found.append(Alarm(one.header.at, one.entry.rule, one.entry.number))
    return tuple(sorted(found, key=lambda alarm: alarm.at, reverse=True)[:SHOWN])
