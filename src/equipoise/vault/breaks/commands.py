"""Commands on opening one code, who may give them, and the streams that they write to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from equipoise.vault.facts import Purpose


@dataclass(frozen=True, slots=True)
class AcceptBreak:
    """Take in a request that the first door's ledger holds. Given by the program."""

    request: str


@dataclass(frozen=True, slots=True)
class ShowArm:
    """Show the arm to the investigator who asked for it."""

    request: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """Give the investigator a one-time code for the third person. `digest` is that of `code_digest`."""

    request: str
    digest: str


@dataclass(frozen=True, slots=True)
class ShowToThird:
    """Show the arm to the third person, who gave a code of this digest. Given by the program for that person."""

    request: str
    digest: str


@dataclass(frozen=True, slots=True)
class RefuseBreak:
    """Record that a request was not answered, and by which rule. Given by the program."""

    request: str
    rule: str


COMMANDS: Mapping[type, frozenset[Purpose]] = MappingProxyType(
    {
        AcceptBreak: frozenset({"KEEPER"}),
        ShowArm: frozenset({"BREAK"}),
        HandOver: frozenset({"BREAK"}),
        ShowToThird: frozenset({"KEEPER"}),
        RefuseBreak: frozenset({"KEEPER"}),
    }
)
"""Every command of this room, and for which purpose a person must be signed in to give it."""

STREAM = "breaks"


def streams(command: object) -> tuple[str, ...]:
    """The streams that the decision on a command may append to; its state is the fold of these."""
    if type(command) not in COMMANDS:
        raise TypeError(f"breaks does not know {type(command).__name__}")
    if isinstance(command, ShowArm | ShowToThird):
        return (STREAM, "statements")
    return (STREAM,)
