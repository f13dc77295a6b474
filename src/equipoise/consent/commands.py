"""Commands of consent. Dates are ISO, complete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Signer = Literal["PARTICIPANT", "LEGAL_REPRESENTATIVE"]


@dataclass(frozen=True, slots=True)
class RecordCapacity:
    """Record whether the participant has the capacity to consent."""

    subject: str
    capacity: Literal["HAS", "LACKS", "NOT_ASSESSED"]
    on: str


@dataclass(frozen=True, slots=True)
class RecordConsent:
    """Record a signature, or (given=False) a refusal, on a version of the consent form."""

    subject: str
    version: str
    by: Signer
    given: bool
    on: str
    relation: str | None = None


@dataclass(frozen=True, slots=True)
class WithdrawConsent:
    """Record that consent ended."""

    subject: str
    by: Signer
    on: str
    reason: str = ""
