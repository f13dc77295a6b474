"""The root of an allocation list: one hash that stands for every public number and commitment, in order.

Source of the tree: RFC 6962 section 2.1 (leaf prefix 0x00), as ledger.merkle has it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence

from equipoise.ledger.entries import PublicSlot
from equipoise.ledger.merkle import root_of
from equipoise.words.canonical import Json, canonical_bytes

_PLAIN = re.compile(r"[0-9A-Za-z]+")


def slot_leaf(stratum: str, index: int, slot: PublicSlot) -> bytes:
    """The hash of a leaf: a slot's stratum, its place from 1, its public number and its commitment, as JSON."""
    said: dict[str, Json] = {
        "commitment": slot.commitment,
        "index": index,
        "number": slot.number,
        "stratum": stratum,
    }
    return hashlib.sha256(b"\x00" + canonical_bytes(said)).digest()


def list_root(slots: Mapping[str, Sequence[PublicSlot]]) -> str:
    """The root (hex) over all slots: strata by code, slots in their order."""
    leaves = [leaf for code in sorted(slots) for leaf in _leaves(code, slots[code])]
    return root_of(leaves).hex()


def _leaves(stratum: str, slots: Sequence[PublicSlot]) -> Iterator[bytes]:
    """The leaves of a stratum. The canonical text is put together by hand where nothing in it needs escaping."""
    end = f',"stratum":{canonical_bytes(stratum).decode()}}}'
    for index, slot in enumerate(slots, 1):
        if _PLAIN.fullmatch(slot.number) and _PLAIN.fullmatch(slot.commitment):
            said = f'{{"commitment":"{slot.commitment}","index":{index},"number":"{slot.number}"{end}'
            yield hashlib.sha256(b"\x00" + said.encode()).digest()
        else:
            yield slot_leaf(stratum, index, slot)
