"""Commands of randomization."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from equipoise.ledger.entries import PublicSlot


@dataclass(frozen=True, slots=True)
class PublishAllocation:
    """Record the public side of an allocation list: numbers and commitments in order, by stratum, and the root."""

    generator: str
    root: str
    slots: Mapping[str, tuple[PublicSlot, ...]]


@dataclass(frozen=True, slots=True)
class Randomize:
    """Take the next sealed slot of the subject's stratum."""

    subject: str


@dataclass(frozen=True, slots=True)
class CorrectStratum:
    """The subject was randomized in a stratum that was not the true one, which is now known."""

    subject: str
    corrected: str
    reason: str


@dataclass(frozen=True, slots=True)
class RequestCodeBreak:
    """Ask the second door for one participant's arm. `request` is a fresh random id that the page made.

    A drill names the made-up participant `drill-<site>` and its `site`; else `site` stays empty.
    """

    subject: str
    request: str
    category: Literal["EMERGENCY", "SERIOUS_EVENT", "PREGNANCY", "OVERDOSE", "OTHER"]
    urgent: bool
    to: Literal["SELF", "THIRD_PERSON"]
    reason: str
    third_person: str = ""
    drill: bool = False
    site: str = ""


@dataclass(frozen=True, slots=True)
class RecordCodeBreak:
    """The second door's statement that an arm was shown. Given by the program alone."""

    subject: str
    request: str
    reader: str
    shown_at: str
    statement: int
    signature: str


@dataclass(frozen=True, slots=True)
class ReviewCodeBreak:
    """The review that is due within 24 hours of a code break."""

    subject: str
    request: str
    justified: bool
    note: str


@dataclass(frozen=True, slots=True)
class RecordCardOpening:
    """A sealed paper card was opened while no system was at hand."""

    subject: str
    opened_at: str
    opened_by: str
    witnessed_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class AssignRater:
    """From now on `user` (an actor's id) rates this participant."""

    subject: str
    user: str
    because: Literal["FIRST", "CODE_BREAK", "ABSENCE", "OTHER"] = "FIRST"
