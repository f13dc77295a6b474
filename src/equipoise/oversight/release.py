"""The gate of the final release: four conditions, then two signatures, then the second door's own word.

The rules that must stay true: a signature counts for exactly the conditions that its signer saw, so that a condition
which changes afterwards undoes it; two different persons sign, in two different roles; after the release nothing
of this changes any more. The second door folds the same entries with the same code and judges for itself.
Source: ICH E9 5.2 and 5.8 (analysis sets and plan fixed before the blind is broken); ICH E6(R3) 3.16.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from equipoise.ledger.entries import (
    AllocationReleased,
    Entry,
    ReleaseConditionRecorded,
    ReleaseSigned,
)
from equipoise.words.canonical import Json, digest

CONDITIONS: Mapping[str, frozenset[str]] = {
    "DATABASE_LOCKED": frozenset(),
    "DEVIATIONS_CLASSED": frozenset({"data_manager"}),
    "PLAN_SIGNED": frozenset({"statistician"}),
    "SETS_SIGNED": frozenset({"statistician"}),
}
"""Every condition, and the roles that may say that it is met or no longer met.

Nobody says that the database is locked: the entry of that condition is written with the lock itself, by capture.
"""
SIGNING = ("sponsor", "statistician")
"""The roles of which one person each signs."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Whether a condition is met, by what it is shown, and who said so."""

    met: bool
    reference: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Signature:
    """A person's signature over the digest of the conditions."""

    by: str
    role: str
    conditions: str
    at: str


@dataclass(frozen=True, slots=True)
class Gate:
    """The conditions as last recorded, every signature, and what was released."""

    conditions: Mapping[str, Condition] = field(default_factory=lambda: MappingProxyType({}))
    signatures: tuple[Signature, ...] = ()
    released: AllocationReleased | None = None

    def digest(self) -> str:
        """SHA-256 of the conditions as they stand: what a person signs."""
        stand: dict[str, Json] = {
            name: [one.met, one.reference, one.by, one.at] for name, one in self.conditions.items()
        }
        return digest({"conditions": stand})

    def missing(self) -> tuple[str, ...]:
        """The conditions that are not met, in the order of CONDITIONS."""
        met = {name for name, one in self.conditions.items() if one.met}
        return tuple(name for name in CONDITIONS if name not in met)

    def signers(self) -> tuple[Signature, ...]:
        """The signatures that count: over the conditions as they stand, the first of each role and person."""
        counted: list[Signature] = []
        now = self.digest()
        for one in self.signatures:
            taken = {each.by for each in counted} | {each.role for each in counted}
            if one.conditions == now and one.by not in taken and one.role not in taken:
                counted.append(one)
        return tuple(counted)

    @property
    def open(self) -> bool:
        """Whether everything is in place on this side."""
        return not self.missing() and len(self.signers()) == len(SIGNING)


def evolve_gate(gate: Gate, entry: Entry | None, actor: str, role: str, at: str) -> Gate:
    """The gate after one more entry of the stream `study`; `actor`, `role` and `at` are its header's."""
    if isinstance(entry, ReleaseConditionRecorded):
        made = Condition(entry.met, entry.reference, actor, at)
        return replace(gate, conditions=MappingProxyType({**gate.conditions, entry.condition: made}))
    if isinstance(entry, ReleaseSigned):
        return replace(gate, signatures=(*gate.signatures, Signature(actor, role, entry.conditions, at)))
    if isinstance(entry, AllocationReleased):
        return replace(gate, released=entry)
    return gate
