"""Commands at the bench, who may give them, and the streams that they write to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from equipoise.vault.facts import Purpose

FailedBecause = Literal[
    "THAW_FAILED", "VIABILITY_LOW", "SPILLED", "BAG_BROKEN", "TIME_PASSED", "RECALLED", "OTHER"
]


@dataclass(frozen=True, slots=True)
class OpenPreparation:
    """Begin, or begin again, to prepare what a request asks for."""

    request: str


@dataclass(frozen=True, slots=True)
class TakeUnit:
    """The unit's label, as the scanner typed it. `second`: the actor who checked, where the step asks for two."""

    request: str
    scanned: str
    second: str = ""


@dataclass(frozen=True, slots=True)
class DoStep:
    """A step (its id) of the study's bench was done, or its sham."""

    request: str
    step: str
    second: str = ""


@dataclass(frozen=True, slots=True)
class MeasureViability:
    """Viability after thawing, in percent; empty for a product without cells, whose step is a sham."""

    request: str
    percent: str
    second: str = ""


@dataclass(frozen=True, slots=True)
class FillBag:
    """The dose was filled into a bag; the bag gets its masked number."""

    request: str
    second: str = ""


@dataclass(frozen=True, slots=True)
class VerifyBag:
    """Two persons scanned bag and request: the one who acts, and `second`."""

    request: str
    scanned_bag: str
    scanned_request: str
    second: str


@dataclass(frozen=True, slots=True)
class FailPreparation:
    """The preparation came to nothing. `again`: a replacement is prepared for the same request."""

    request: str
    because: FailedBecause
    again: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class HandOver:
    """Release the bag to the first door. Given by the program when the hour has come, never by hand."""

    request: str
    bag: str


@dataclass(frozen=True, slots=True)
class ReceiveBag:
    """A bag came back from the ward, with what was left in it (mL)."""

    request: str
    bag: str
    remaining: str


@dataclass(frozen=True, slots=True)
class DestroyBag:
    """A bag and what was left in it was destroyed before a witness (an actor's id)."""

    request: str
    bag: str
    witness: str
    reason: str


_BENCH: frozenset[Purpose] = frozenset({"BENCH"})
COMMANDS: Mapping[type, frozenset[Purpose]] = MappingProxyType(
    {
        OpenPreparation: _BENCH,
        TakeUnit: _BENCH,
        DoStep: _BENCH,
        MeasureViability: _BENCH,
        FillBag: _BENCH,
        VerifyBag: _BENCH,
        FailPreparation: _BENCH,
        HandOver: frozenset({"KEEPER"}),
        ReceiveBag: _BENCH,
        DestroyBag: _BENCH,
    }
)
"""Every command of the bench, and for which purposes a person must have signed in to give it."""


def streams(command: object) -> tuple[str, ...]:
    """The streams that the decision on a command may append to; its state is the fold of these."""
    if type(command) not in COMMANDS:
        raise TypeError(f"the bench does not know {type(command).__name__}")
    return (f"bench/{getattr(command, 'request', '')}", "stock")
