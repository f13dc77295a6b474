"""Commitments to slots, and sealing a slot to a person. Behind the second door only.

The rules that must stay true: a commitment fixes study, stratum, place and arm, and tells nothing without its nonce;
every sealed slot has the same length, whatever it holds; it opens only for the holder of the key, only as the slot it
was made for, and whoever opens it compares the commitment. Sources: SHA-256, FIPS 180-4; X25519, RFC 7748; HKDF,
RFC 5869; ChaCha20-Poly1305, RFC 8439 (a fresh key for every seal, so the nonce may be constant).
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from equipoise.randomization.draws import hkdf
from equipoise.words.ids import Entropy
from equipoise.words.problem import Problem, problem

DOMAIN = b"equipoise-slot-1"
NONCE_BYTES = 32
SEALED_BYTES = 32 + 1 + NONCE_BYTES + 16
"""Ephemeral public key, arm, nonce, authentication tag."""


@dataclass(frozen=True, slots=True)
class SlotName:
    """Which slot is meant: study, stratum, place in the stratum from 1."""

    study: str
    stratum: str
    index: int

    def encoded(self) -> bytes:
        """The name as bytes that no other name shares."""
        texts = (self.study.encode(), self.stratum.encode())
        return b"".join(len(text).to_bytes(2, "big") + text for text in texts) + self.index.to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class SlotContent:
    """What a slot holds: the place of its arm in the study's ratio, and the nonce of its commitment.

    Never printed: its text is the same for every content.
    """

    arm: int
    nonce: bytes

    def __repr__(self) -> str:
        return "SlotContent(sealed)"


def commitment(slot: SlotName, content: SlotContent) -> str:
    """SHA-256 (hex) over domain, study, stratum, place, one byte for the arm, 32 bytes of nonce."""
    if len(content.nonce) != NONCE_BYTES or not 0 <= content.arm < 256:
        raise ValueError("a slot has one byte for its arm and a nonce of 32 bytes")
    return hashlib.sha256(DOMAIN + slot.encoded() + bytes([content.arm]) + content.nonce).hexdigest()


def new_key(entropy: Entropy) -> bytes:
    """A private X25519 key (32 bytes)."""
    return entropy(32)


def public_key(private: bytes) -> bytes:
    """The public X25519 key (32 bytes) of a private one."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def seal(slot: SlotName, content: SlotContent, recipient: bytes, entropy: Entropy) -> bytes:
    """The slot for the holder of `recipient` (a public key), SEALED_BYTES long."""
    ephemeral = X25519PrivateKey.from_private_bytes(entropy(32))
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(recipient))
    own = ephemeral.public_key().public_bytes_raw()
    cipher = ChaCha20Poly1305(hkdf(shared, DOMAIN, own + recipient))
    return own + cipher.encrypt(bytes(12), bytes([content.arm]) + content.nonce, slot.encoded())


def unseal(slot: SlotName, sealed: bytes, private: bytes, committed: str) -> SlotContent | Problem:
    """What the slot holds, once it is shown to be the one that was committed to."""
    if len(sealed) != SEALED_BYTES:
        return problem("vault.slot-unreadable", slot.stratum)
    own, key = sealed[:32], X25519PrivateKey.from_private_bytes(private)
    try:
        shared = key.exchange(X25519PublicKey.from_public_bytes(own))
        cipher = ChaCha20Poly1305(hkdf(shared, DOMAIN, own + public_key(private)))
        plain = cipher.decrypt(bytes(12), sealed[32:], slot.encoded())
    except (InvalidTag, ValueError):
        return problem("vault.slot-unreadable", slot.stratum)
    content = SlotContent(plain[0], plain[1:])
    if not hmac.compare_digest(commitment(slot, content), committed):
        return problem("vault.slot-not-committed", slot.stratum)
    return content
