"""Commands on the store, the study's versions, sites and enrolment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class OpenStore:
    """Give a store its purpose, once."""

    purpose: Literal["rehearsal", "trial"]


@dataclass(frozen=True, slots=True)
class ReleaseStudy:
    """Bring a version of the definition into force. `definition` is its canonical JSON text."""

    version: str
    digest: str
    definition: str


@dataclass(frozen=True, slots=True)
class AddSite:
    """Add a site with its time zone (IANA)."""

    site: str
    name: Mapping[str, str]
    zone: str


@dataclass(frozen=True, slots=True)
class ApproveSite:
    """Record the ethics committee's approval."""

    site: str
    approval: str
    on: str
    until: str | None = None


@dataclass(frozen=True, slots=True)
class ActivateSite:
    """Open a site for enrolment."""

    site: str


@dataclass(frozen=True, slots=True)
class DeactivateSite:
    """Close a site for enrolment."""

    site: str
    reason: str


@dataclass(frozen=True, slots=True)
class RecordInterruption:
    """Phones could not reach the server from one moment (UTC, ISO) to another: nobody missed an entry then."""

    since: str
    until: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PauseEnrolment:
    """Stop randomizing for now."""

    reason: str


@dataclass(frozen=True, slots=True)
class ResumeEnrolment:
    """Allow randomizing again."""

    reason: str


@dataclass(frozen=True, slots=True)
class EnrolSecondDoor:
    """Record the second door's public key (Ed25519, hex)."""

    key: str


@dataclass(frozen=True, slots=True)
class RecordAnchor:
    """The second door's statement of an hourly commitment. Given by the program alone."""

    number: int
    commitment: str
    statement: int
    signature: str


@dataclass(frozen=True, slots=True)
class RecordRecall:
    """The second door's statement that bags are not to be used. Given by the program alone."""

    notice: str
    bags: tuple[str, ...]
    statement: int
    signature: str


@dataclass(frozen=True, slots=True)
class RecordReleaseCondition:
    """A condition of the final release is met, or no longer."""

    condition: Literal["DATABASE_LOCKED", "PLAN_SIGNED", "DEVIATIONS_CLASSED", "SETS_SIGNED"]
    met: bool
    reference: str


@dataclass(frozen=True, slots=True)
class SignRelease:
    """Sign the final release, one of two persons. `conditions`: the digest of the conditions as the person saw them."""

    conditions: str


@dataclass(frozen=True, slots=True)
class RecordListRelease:
    """The second door's statement that seeds and nonces were published. Given by the program alone."""

    root: str
    release: str
    statement: int
    signature: str


@dataclass(frozen=True, slots=True)
class ApproveVersion:
    """Record that the site's ethics committee approved a released version on a date."""

    site: str
    version: str
    approval: str
    on: str


@dataclass(frozen=True, slots=True)
class AdoptVersion:
    """Let a released version count at the site from a day on, today at the earliest.

    existing: MOVE: those who are in go over with the site; STAY: each stays until moved.
    """

    site: str
    version: str
    on: str
    existing: Literal["MOVE", "STAY"] = "MOVE"


@dataclass(frozen=True, slots=True)
class ReviewAudit:
    """Record having reviewed the audit trail from one moment (UTC, ISO) to another, of a participant or of all."""

    of_subject: str
    since: str
    until: str
    note: str


@dataclass(frozen=True, slots=True)
class MoveSubject:
    """Let one participant go on under a version that the site has adopted."""

    subject: str
    version: str
    reason: str


@dataclass(frozen=True, slots=True)
class ApproveConsentVersion:
    """Record that the site's ethics committee approved a version of the consent form on a day."""

    site: str
    version: str
    approval: str
    on: str


@dataclass(frozen=True, slots=True)
class NamePrincipalInvestigator:
    """Name the investigator who is responsible for a site and signs its delegation log."""

    site: str
    user: str


@dataclass(frozen=True, slots=True)
class DelegateDuties:
    """Sign that a person of the site does these duties from now on, until a day (ISO) or without end."""

    site: str
    user: str
    duties: tuple[str, ...]
    until: str | None = None


@dataclass(frozen=True, slots=True)
class EndDelegation:
    """Sign that a person no longer does these duties."""

    site: str
    user: str
    duties: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class RecordRanges:
    """Record a laboratory's reference ranges from a file of comma-separated lines: all of them, or none.

    reason: why rows of days that are known already are replaced; empty where none are.
    """

    site: str
    laboratory: str
    text: str
    reason: str = ""


# --- protocol deviations ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RaiseDeviation:
    """Record a deviation that no rule saw. `on` is an ISO date; `visit` may be empty."""

    subject: str
    visit: str
    on: str
    text: str


@dataclass(frozen=True, slots=True)
class ClassDeviation:
    """Say how serious it is."""

    subject: str
    deviation: str
    severity: Literal["MINOR", "MAJOR", "CRITICAL"]
    important: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class ExplainDeviation:
    """Say how it came about and what is done about it."""

    subject: str
    deviation: str
    explanation: str
    action: str = ""


@dataclass(frozen=True, slots=True)
class CloseDeviation:
    """Settle it."""

    subject: str
    deviation: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class ReopenDeviation:
    """Look at a settled one again."""

    subject: str
    deviation: str
    reason: str


@dataclass(frozen=True, slots=True)
class WithdrawDeviation:
    """Say that it was none."""

    subject: str
    deviation: str
    reason: str
