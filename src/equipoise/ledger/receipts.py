"""Receipts: what the holder of a saved form can later prove.

A receipt is an Ed25519 signature over (stream, seq, leaf). Ed25519 is deterministic (RFC 8032), so the same entry
always has the same receipt: it is computed again whenever it is asked for, and stored nowhere. As every entry
holds the leaf before it, a receipt vouches for the whole stream up to its entry.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from equipoise.ledger.entries import Recorded
from equipoise.ledger.keys import Keys
from equipoise.words.canonical import canonical_bytes

_CONTEXT = b"equipoise receipt v1\n"  # keeps these signatures apart from those on checkpoints


@dataclass(frozen=True, slots=True)
class Receipt:
    """That the entry with this leaf stands at `seq` of `stream`; `signature` is hexadecimal."""

    stream: str
    seq: int
    leaf: str
    signature: str


def receipt_message(stream: str, seq: int, leaf: str) -> bytes:
    """What is signed."""
    return _CONTEXT + canonical_bytes({"leaf": leaf, "seq": seq, "stream": stream})


def receipt_for(keys: Keys, recorded: Recorded) -> Receipt:
    """The receipt of an entry that is on disk."""
    header = recorded.header
    signature = keys.sign(receipt_message(header.stream, header.seq, recorded.leaf))
    return Receipt(header.stream, header.seq, recorded.leaf, signature.hex())


def receipt_holds(receipt: Receipt, public: bytes) -> bool:
    """Whether the store with this public key (32 bytes) gave the receipt."""
    try:
        message = receipt_message(receipt.stream, receipt.seq, receipt.leaf)
        Ed25519PublicKey.from_public_bytes(public).verify(bytes.fromhex(receipt.signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True
