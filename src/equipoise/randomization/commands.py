"""Commands of randomization."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from equipoise.ledger.entries import PublicSlot


@dataclass(frozen=True, slots=True)
class PublishAllocation:
    """Record the public side of an allocation list: numbers and commitments in order, by stratum, and the root."""

    generator: str
    root: str
    slots: Mapping[str, tuple[PublicSlot, ...]]


@dataclass(frozen=True, slots=True)
class Randomize:
    """Take the next sealed slot of the subject's stratum."""

    subject: str
