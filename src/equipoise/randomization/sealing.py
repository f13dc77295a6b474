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
DRAW_BYTES = 8
"""Of the uniform draw that a slot of minimization holds."""
UNDECIDED = 255
"""What stands in the place of the arm where the slot holds a draw: no place of any ratio."""
OVERHEAD = 32 + 16
"""Ephemeral public key and authentication tag: what a seal adds."""
SEALED_BYTES = OVERHEAD + 1 + NONCE_BYTES
"""Of a sealed slot with an arm; one with a draw is DRAW_BYTES longer, and a list holds one sort only."""


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

    With minimization `arm` is UNDECIDED and `draw` holds the uniform draw; the arm follows from it and from the
    participants before (`minimization.arm_for`). Never printed: its text is the same for every content.
    """

    arm: int
    nonce: bytes
    draw: bytes = b""

    def encoded(self) -> bytes:
        """Arm, draw, nonce: as long for every slot of a list. Raises ValueError for what is not a slot's content."""
        whole = DRAW_BYTES if self.arm == UNDECIDED else 0
        if len(self.nonce) != NONCE_BYTES or not 0 <= self.arm < 256 or len(self.draw) != whole:
            raise ValueError(
                "a slot has one byte for its arm, a draw only with no arm, and a nonce of 32 bytes"
            )
        return bytes([self.arm]) + self.draw + self.nonce

    def __repr__(self) -> str:
        return "SlotContent(sealed)"


def commitment(slot: SlotName, content: SlotContent) -> str:
    """SHA-256 (hex) over domain, study, stratum, place, one byte for the arm (and the draw), 32 bytes of nonce."""
    return hashlib.sha256(DOMAIN + slot.encoded() + content.encoded()).hexdigest()


def new_key(entropy: Entropy) -> bytes:
    """A private X25519 key (32 bytes)."""
    return entropy(32)


def public_key(private: bytes) -> bytes:
    """The public X25519 key (32 bytes) of a private one."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def seal_bytes(plain: bytes, recipient: bytes, context: bytes, entropy: Entropy) -> bytes:
    """`plain` for the holder of `recipient` (a public key), OVERHEAD longer; it opens in the same context only."""
    ephemeral = X25519PrivateKey.from_private_bytes(entropy(32))
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(recipient))
    own = ephemeral.public_key().public_bytes_raw()
    cipher = ChaCha20Poly1305(hkdf(shared, DOMAIN, own + recipient))
    return own + cipher.encrypt(bytes(12), plain, context)


def unseal_bytes(sealed: bytes, private: bytes, context: bytes) -> bytes | None:
    """What was sealed, or None where key, context or a byte of it is another."""
    own, key = sealed[:32], X25519PrivateKey.from_private_bytes(private)
    try:
        shared = key.exchange(X25519PublicKey.from_public_bytes(own))
        cipher = ChaCha20Poly1305(hkdf(shared, DOMAIN, own + key.public_key().public_bytes_raw()))
        return cipher.decrypt(bytes(12), sealed[32:], context)
    except (InvalidTag, ValueError):
        return None


def seal(slot: SlotName, content: SlotContent, recipient: bytes, entropy: Entropy) -> bytes:
    """The slot for the holder of `recipient` (a public key), as long as every other of its list."""
    return seal_bytes(content.encoded(), recipient, slot.encoded(), entropy)


def seal_for_two(
    slot: SlotName, content: SlotContent, first: bytes, second: bytes, entropy: Entropy
) -> bytes:
    """The slot for two persons together: sealed for `first`, and that again for `second`. Neither opens it alone."""
    return seal_bytes(seal(slot, content, first, entropy), second, slot.encoded(), entropy)


def unseal(slot: SlotName, sealed: bytes, private: bytes, committed: str) -> SlotContent | Problem:
    """What the slot holds, once it is shown to be the one that was committed to."""
    plain = unseal_bytes(sealed, private, slot.encoded())
    if plain is None or len(plain) not in {1 + NONCE_BYTES, 1 + DRAW_BYTES + NONCE_BYTES}:
        return problem("vault.slot-unreadable", slot.stratum)
    content = SlotContent(plain[0], plain[-NONCE_BYTES:], plain[1:-NONCE_BYTES])
    if (content.arm == UNDECIDED) != bool(content.draw):
        return problem("vault.slot-unreadable", slot.stratum)
    if not hmac.compare_digest(commitment(slot, content), committed):
        return problem("vault.slot-not-committed", slot.stratum)
    return content


def unseal_by_two(
    slot: SlotName, sealed: bytes, privates: tuple[bytes, bytes], committed: str
) -> SlotContent | Problem:
    """As `unseal`, with the private keys of the two persons in any order."""
    for first, second in (privates, privates[::-1]):
        inner = unseal_bytes(sealed, second, slot.encoded())
        if inner is not None:
            return unseal(slot, inner, first, committed)
    return problem("vault.slot-unreadable", slot.stratum)
