"""Commands on the stock of the second door, who may give them, and the streams that they write to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from equipoise.vault.facts import Purpose

TestResult = Literal["PASS", "FAIL", "PENDING"]


@dataclass(frozen=True, slots=True)
class ReceiveLot:
    """Take a lot into quarantine, as its certificate says. Fields as in `LotReceived`."""

    lot: str
    product: str
    units: tuple[str, ...]
    expiry: str
    certificate: str
    passage: str
    count: str
    volume: str
    viability: str
    sterility: TestResult
    identity: TestResult


@dataclass(frozen=True, slots=True)
class RecordTests:
    """A pending result of a lot's certificate came in; `certificate` is the SHA-256 of the new file."""

    lot: str
    sterility: TestResult
    identity: TestResult
    certificate: str


@dataclass(frozen=True, slots=True)
class ReleaseLot:
    """Release a lot for use."""

    lot: str


@dataclass(frozen=True, slots=True)
class RejectLot:
    """Reject a lot that is in quarantine."""

    lot: str
    reason: str


@dataclass(frozen=True, slots=True)
class RecallLot:
    """Call a lot back, used or not."""

    lot: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReceiveShipment:
    """Units (lot -> serial numbers) arrived at a site; `log` is the text of the temperature file."""

    shipment: str
    site: str
    units: Mapping[str, tuple[str, ...]]
    log: str


@dataclass(frozen=True, slots=True)
class RecordExcursion:
    """What came with a shipment was, later and in the store, warmer than allowed; `warmest` empty where unwatched."""

    shipment: str
    minutes: int
    warmest: str


@dataclass(frozen=True, slots=True)
class DecideExcursion:
    """What becomes of the units of a shipment that are in quarantine."""

    shipment: str
    decision: Literal["USE", "DESTROY"]
    reason: str


@dataclass(frozen=True, slots=True)
class DestroyUnits:
    """Units were destroyed before a witness (an actor's id)."""

    lot: str
    site: str
    units: tuple[str, ...]
    witness: str
    reason: str


@dataclass(frozen=True, slots=True)
class CountStock:
    """Units (serial numbers) of a lot that were found at a site when it was counted."""

    lot: str
    site: str
    found: tuple[str, ...]


_BENCH: frozenset[Purpose] = frozenset({"BENCH"})
_EITHER: frozenset[Purpose] = frozenset({"BENCH", "CHECK"})
COMMANDS: Mapping[type, frozenset[Purpose]] = MappingProxyType(
    {
        ReceiveLot: _BENCH,
        RecordTests: _EITHER,
        ReleaseLot: _EITHER,
        RejectLot: _EITHER,
        RecallLot: frozenset({"BENCH", "CHECK", "KEEPER"}),
        ReceiveShipment: _BENCH,
        RecordExcursion: _BENCH,
        DecideExcursion: _EITHER,
        DestroyUnits: _BENCH,
        CountStock: _BENCH,
    }
)
"""Every command of the stock, and for which purposes a person must have signed in to give it."""


def streams(command: object) -> tuple[str, ...]:
    """The streams that the decision on a command may append to, beside statements; its state is the fold of these."""
    if type(command) not in COMMANDS:
        raise TypeError(f"the stock does not know {type(command).__name__}")
    return ("stock",)
