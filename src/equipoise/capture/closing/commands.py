"""Commands that close what was captured.

A scope is a form (`visit`, `form`, `repeat`), a visit (`form` empty, `repeat` 0), or the participant (all empty, 0).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from equipoise.capture.commands import CancelQuery, ReopenQuery
from equipoise.ledger.entries import SignedPlace


@dataclass(frozen=True, slots=True)
class VerifyItems:
    """Say that items agree with their source. `base`: the seq of the form's last save that the page had seen.

    exceptions: item -> what does not agree; each becomes a query.
    """

    subject: str
    visit: str
    form: str
    repeat: int
    base: int
    items: tuple[str, ...]
    exceptions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReviewForm:
    """Say that a form was read by data management. `base` as above."""

    subject: str
    visit: str
    form: str
    repeat: int
    base: int


@dataclass(frozen=True, slots=True)
class SignForms:
    """Sign forms of one participant as they were shown. `proof`: the desk's token for user name and password."""

    subject: str
    places: tuple[SignedPlace, ...]
    meaning: Literal["FORM", "CASEBOOK"]
    proof: str


@dataclass(frozen=True, slots=True)
class FreezeData:
    """Let sites change nothing in a scope."""

    subject: str
    visit: str = ""
    form: str = ""
    repeat: int = 0


@dataclass(frozen=True, slots=True)
class UnfreezeData:
    """Let sites change it again."""

    subject: str
    visit: str = ""
    form: str = ""
    repeat: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LockData:
    """Let nobody change anything in a scope."""

    subject: str
    visit: str = ""
    form: str = ""
    repeat: int = 0


@dataclass(frozen=True, slots=True)
class UnlockData:
    """Open a locked scope."""

    subject: str
    visit: str = ""
    form: str = ""
    repeat: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RecordLockCondition:
    """A condition of the database lock that nothing here can count is met, or no longer."""

    condition: Literal["REVEALING_SETTLED", "NOTHING_UNSENT"]
    met: bool
    reference: str


@dataclass(frozen=True, slots=True)
class ProposeDatabaseLock:
    """The first person of two: the checklist is green."""

    proof: str


@dataclass(frozen=True, slots=True)
class LockDatabase:
    """The second person of two."""

    proposal: str
    proof: str


@dataclass(frozen=True, slots=True)
class ProposeDatabaseUnlock:
    """The first person of two."""

    reason: str
    proof: str


@dataclass(frozen=True, slots=True)
class UnlockDatabase:
    """The second person of two."""

    proposal: str
    proof: str


ScopeCommand: TypeAlias = FreezeData | UnfreezeData | LockData | UnlockData
SubjectCommand: TypeAlias = CancelQuery | ReopenQuery | VerifyItems | ReviewForm | SignForms | ScopeCommand
DatabaseCommand: TypeAlias = (
    RecordLockCondition | ProposeDatabaseLock | LockDatabase | ProposeDatabaseUnlock | UnlockDatabase
)
CLOSING_A_CASE = (VerifyItems, ReviewForm, SignForms, FreezeData, UnfreezeData, LockData, UnlockData)
CLOSING_THE_DATABASE = (
    RecordLockCondition,
    ProposeDatabaseLock,
    LockDatabase,
    ProposeDatabaseUnlock,
    UnlockDatabase,
)
"""Every command on the stream `study` that capture decides."""
