"""Commands of screening."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScreenSubject:
    """Take a person into screening. The desk has asked the identity register: `person` is its random id.

    `number` is the next screening number of the site, `subject` a fresh random id, both drawn by the desk.
    """

    subject: str
    site: str
    number: str
    person: str
    rescreening_of: str | None = None


@dataclass(frozen=True, slots=True)
class ConfirmEligibility:
    """The investigator confirms the verdict as it stands."""

    subject: str


@dataclass(frozen=True, slots=True)
class FailScreening:
    """The person leaves before randomization. Without `reason` the failing criteria are the reason."""

    subject: str
    reason: str = ""
