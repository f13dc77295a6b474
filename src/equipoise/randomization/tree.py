"""The root of an allocation list: one hash that stands for every public number and commitment, in order.

Source of the tree: RFC 6962 section 2.1 (leaf prefix 0x00), as ledger.merkle has it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from equipoise.ledger.entries import PublicSlot
from equipoise.ledger.merkle import root_of
from equipoise.words.canonical import Json, canonical_bytes


def slot_leaf(stratum: str, index: int, slot: PublicSlot) -> bytes:
    """The hash of a leaf: a slot's stratum, its place from 1, its public number and its commitment."""
    said: dict[str, Json] = {
        "commitment": slot.commitment,
        "index": index,
        "number": slot.number,
        "stratum": stratum,
    }
    return hashlib.sha256(b"\x00" + canonical_bytes(said)).digest()


def list_root(slots: Mapping[str, Sequence[PublicSlot]]) -> str:
    """The root (hex) over all slots: strata by code, slots in their order."""
    leaves = [
        slot_leaf(code, index, slot) for code in sorted(slots) for index, slot in enumerate(slots[code], 1)
    ]
    return root_of(leaves).hex()
