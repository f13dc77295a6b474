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
