"""Commands on who may work at the second door. Those of its rooms stand with the rooms."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.vault.facts import Purpose


@dataclass(frozen=True, slots=True)
class EnrolCredential:
    """Let a person sign in here for one purpose. `user` is the random id that the first door knows, too."""

    user: str
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class RevokeCredential:
    """Let the person in no more for that purpose."""

    user: str
    purpose: Purpose
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SetSecondFactor:
    """The person gives one-time codes beside the password from now on. Given by the program, once a code was right."""

    user: str


@dataclass(frozen=True, slots=True)
class UseRecoveryCode:
    """The person came in by one of the codes for the day on which the app is gone; `left` more are left."""

    user: str
    left: int


@dataclass(frozen=True, slots=True)
class RemoveSecondFactor:
    """Take the second factor from a person who lost it."""

    user: str
    reason: str = ""
