"""Commands of consent. Dates are ISO, complete; times are of the site, HH:MM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Signer = Literal["PARTICIPANT", "LEGAL_REPRESENTATIVE"]
Level = Literal["FULL", "FROM_CONTACT", "FROM_VISITS", "FROM_TREATMENT", "FROM_SAMPLES"]
"""How far a withdrawal goes; `consent.withdrawal` says what each level stops."""


@dataclass(frozen=True, slots=True)
class RecordCapacity:
    """Record whether the participant has the capacity to consent."""

    subject: str
    capacity: Literal["HAS", "LACKS", "NOT_ASSESSED"]
    on: str


@dataclass(frozen=True, slots=True)
class RecordConsent:
    """Record a signature, or (given=False) a refusal, on a version of the consent form.

    `signer` and `witness` are random ids of the identity register; `agreed` and `declined` are ids of optional parts.
    """

    subject: str
    version: str
    by: Signer
    given: bool
    on: str
    relation: str | None = None
    at: str = ""
    explained_by: str = ""
    copy_given: bool = False
    signer: str | None = None
    witness: str | None = None
    because: str = ""
    agreed: tuple[str, ...] = ()
    declined: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerOption:
    """Record that an optional part of the consent is agreed to, or no longer."""

    subject: str
    option: str
    given: bool
    by: Signer
    on: str


@dataclass(frozen=True, slots=True)
class WithdrawConsent:
    """Record that consent ended, in full or in part."""

    subject: str
    by: Signer
    on: str
    reason: str = ""
    level: Level = "FULL"


@dataclass(frozen=True, slots=True)
class RecordCaregiver:
    """Record that a caregiver agreed to keep the diary, or (given=False) no longer does. `caregiver`: register's id."""

    subject: str
    caregiver: str
    given: bool
    on: str
    relation: str = ""
