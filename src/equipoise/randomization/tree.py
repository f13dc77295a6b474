"""The Merkle tree over the public slots of an allocation list: one root stands for the whole list.

Source: RFC 6962 section 2.1 (leaf prefix 0x00, node prefix 0x01, split at the largest power of two below n).
Test vectors of its authors stand in tests/rooms/randomization.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from equipoise.ledger.entries import PublicSlot
from equipoise.words.canonical import canonical_bytes


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaves given as data (not yet hashed); SHA-256 of nothing for none."""
    if not leaves:
        return hashlib.sha256().digest()
    level = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]
    while len(level) > 1:
        pairs = [
            hashlib.sha256(b"\x01" + level[place] + level[place + 1]).digest()
            for place in range(0, len(level) - 1, 2)
        ]
        # A node without a neighbour rises as it is: the same tree as splitting at the largest power of two.
        level = pairs + level[len(pairs) * 2 :]
    return level[0]


def slot_leaf(stratum: str, index: int, slot: PublicSlot) -> bytes:
    """What a leaf says of a slot: its stratum, its place from 1, its public number and its commitment."""
    return canonical_bytes(
        {"commitment": slot.commitment, "index": index, "number": slot.number, "stratum": stratum}
    )


def list_root(slots: Mapping[str, Sequence[PublicSlot]]) -> str:
    """The root (hex) over all slots: strata by code, slots in their order."""
    return merkle_root(
        [
            slot_leaf(stratum, index, slot)
            for stratum in sorted(slots)
            for index, slot in enumerate(slots[stratum], 1)
        ]
    ).hex()
