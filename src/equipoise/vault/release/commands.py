"""Commands on the final release and on closed work, who may give them, and the streams that they write to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from equipoise.vault.facts import Purpose


@dataclass(frozen=True, slots=True)
class SetValuesLock:
    """Lock the values kept here, or unlock them again."""

    locked: bool


@dataclass(frozen=True, slots=True)
class SignVaultRelease:
    """Sign here, one of two persons. `conditions` is the digest of what the person saw (release.evolve.conditions)."""

    conditions: str


@dataclass(frozen=True, slots=True)
class PublishList:
    """Seeds and nonces are published: the root (hex) of the list, and the SHA-256 of release.json."""

    root: str
    release: str


@dataclass(frozen=True, slots=True)
class OpenClosedWork:
    """Write the table of arms into the closed folder, for the named persons. `table`: SHA-256 of the file."""

    purpose: str
    members: tuple[str, ...]
    table: str


COMMANDS: Mapping[type, frozenset[Purpose]] = MappingProxyType(
    {
        SetValuesLock: frozenset({"LAB", "KEEPER"}),
        SignVaultRelease: frozenset({"KEEPER", "OFFICER"}),
        PublishList: frozenset({"KEEPER"}),
        OpenClosedWork: frozenset({"BOARD", "KEEPER"}),
    }
)
"""Every command of this room, and for which purpose a person must be signed in to give it."""

STREAM = "release"


def streams(command: object) -> tuple[str, ...]:
    """The streams that the decision on a command may append to; its state is the fold of these."""
    if type(command) not in COMMANDS:
        raise TypeError(f"release does not know {type(command).__name__}")
    return (STREAM, "statements") if isinstance(command, PublishList) else (STREAM,)
