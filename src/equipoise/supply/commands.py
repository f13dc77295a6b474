"""Commands of supply. Bags are known by a random number; nothing here says what is in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class RequestPreparation:
    """Ask the pharmacy for one planned infusion, to be released at `at` (UTC, ISO); `weight` in kg as text."""

    subject: str
    infusion: str
    at: str
    weight: str


@dataclass(frozen=True, slots=True)
class JudgeDosing:
    """Judge the dosing gate for a request, before release or at the bedside."""

    subject: str
    request: str
    at: Literal["RELEASE", "BEDSIDE"]


@dataclass(frozen=True, slots=True)
class DecideDosing:
    """An investigator decides on a held dose."""

    subject: str
    request: str
    decision: Literal["GIVE", "POSTPONE", "OMIT"]
    reason: str


@dataclass(frozen=True, slots=True)
class HoldDosing:
    """Hold a dose, whatever the gate says."""

    subject: str
    request: str
    reason: str


@dataclass(frozen=True, slots=True)
class RecordBagRelease:
    """The second door's statement that a bag was released. Given by the program alone."""

    subject: str
    request: str
    bag: str
    use_by: str
    statement: int
    signature: str


@dataclass(frozen=True, slots=True)
class CheckBag:
    """Bag and participant, scanned by the person who acts and by `second` (an actor's id)."""

    subject: str
    request: str
    scanned_bag: str
    scanned_subject: str
    second: str


@dataclass(frozen=True, slots=True)
class RecordMismatch:
    """What was scanned did not agree, and nothing was given: kept, because a near miss is to be learnt from."""

    subject: str
    request: str
    scanned_bag: str
    scanned_subject: str


@dataclass(frozen=True, slots=True)
class RejectBag:
    """A bag cannot be used."""

    subject: str
    request: str
    bag: str
    because: Literal["SPILLED", "DAMAGED", "LATE", "RECALLED", "NOT_MASKED", "OTHER"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StartInfusion:
    """An infusion began at `at` (UTC, ISO) with this bag."""

    subject: str
    request: str
    bag: str
    at: str


@dataclass(frozen=True, slots=True)
class InterruptInfusion:
    """An infusion stands still since `at` (UTC, ISO)."""

    subject: str
    request: str
    at: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ResumeInfusion:
    """An infusion goes on since `at` (UTC, ISO)."""

    subject: str
    request: str
    at: str


@dataclass(frozen=True, slots=True)
class EndInfusion:
    """An infusion ended; `share` is the part given in percent."""

    subject: str
    request: str
    at: str
    outcome: Literal["COMPLETE", "STOPPED"]
    share: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RecordWrongBag:
    """A bag meant for another request was given."""

    subject: str
    request: str
    given: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReturnBag:
    """A bag goes back to the pharmacy with what is left in it (mL, as text)."""

    subject: str
    request: str
    bag: str
    remaining: str
