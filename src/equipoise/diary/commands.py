"""Commands of the diary. Moments are UTC (ISO), days ISO, answers as `ledger.entries.Datum`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from equipoise.ledger.entries import Datum

PARTICIPANT = "PARTICIPANT"
"""The holder of a phone who is the participant; any other holder is a caregiver's id in the register."""
Told = Literal["entry", "request", "seen", "help"]


@dataclass(frozen=True, slots=True)
class InviteDevice:
    """Let somebody set up a phone: the participant, or a caregiver who consented. `device`: a fresh random id.

    zone: the participant's IANA zone; empty for the site's.
    """

    subject: str
    device: str
    holder: str
    zone: str = ""


@dataclass(frozen=True, slots=True)
class EnrolDevice:
    """Record that a phone was set up: the program's, once code and PIN were found right."""

    subject: str
    device: str


@dataclass(frozen=True, slots=True)
class RevokeDevice:
    """Let a phone, or an invitation, count no more. `automatic`: the program's, after too many wrong PINs."""

    subject: str
    device: str
    reason: str = ""
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment as a device tells it: its wall clock (ISO with offset), and a counter in ms that only runs forward while
    its page lives (None where the page was loaded anew since, so that the two cannot be compared)."""

    wall: str
    mono: int | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """One packet as it was opened and parsed (`parsing`). `rule`: why it can be no diary data whatever stands in it.

    skew_ms: server less device, when last known, at `synced`; None where it never was. content: its text, for evidence.
    What the phone had seen when the entry was begun, where it says so: `heard`, the server's time (ISO) as last told;
    `after`, its own wall clock (ISO) at the end of the latest entry that it made since then.
    """

    packet: str
    sealed: str
    kind: Told
    content: str
    rule: str = ""
    where: str = ""
    reporter: str = ""
    form: str = ""
    period: str | None = None
    definition: str = ""
    begun: Instant = Instant("")
    submitted: Instant = Instant("")
    synced: Instant | None = None
    heard: str | None = None
    after: str | None = None
    zone: str = ""
    skew_ms: int | None = None
    offline: bool = False
    language: str = ""
    modes: Mapping[str, str] | None = None
    answers: Mapping[str, Datum] | None = None
    shown: tuple[str, ...] = ()
    about: str = ""
    wish: str = ""


@dataclass(frozen=True, slots=True)
class RecordDiary:
    """Take in what a phone sent, in one go: each packet becomes an entry, or is kept as evidence."""

    subject: str
    device: str
    sent: tuple[Sent, ...]


@dataclass(frozen=True, slots=True)
class KeepDiaryEvidence:
    """Keep what a phone sent that may send nothing (any more), or that could not be opened: the program's."""

    subject: str
    device: str
    sent: tuple[Sent, ...]
