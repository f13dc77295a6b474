"""Random draws from a seed: deterministic, versioned, the same on every machine.

The rule that must stay true: the same seed and purpose give the same draws for ever; a change of anything here is a
new VERSION. Every draw is exactly uniform (rejection sampling), none uses a float.
Sources: HKDF, RFC 5869; HMAC, RFC 2104; both with SHA-256. Block i of the stream is HMAC(key, i as 8 bytes).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from fractions import Fraction
from math import lcm

VERSION = "equipoise-draws-1"


def hkdf(material: bytes, salt: bytes, info: bytes, length: int = 32) -> bytes:
    """HKDF-SHA256 (RFC 5869): extract, then expand to `length` bytes."""
    key = hmac.digest(salt or bytes(32), material, "sha256")
    found, block = b"", b""
    for counter in range(1, -(-length // 32) + 1):
        block = hmac.digest(key, block + info + bytes([counter]), "sha256")
        found += block
    return found[:length]


def combined(contributions: Sequence[bytes]) -> bytes:
    """One seed out of what several people brought: no contributor alone can choose it. Order counts."""
    material = b"".join(
        len(each).to_bytes(8, "big") + hashlib.sha256(each).digest() + each for each in contributions
    )
    return hkdf(material, VERSION.encode(), b"combined seed")


class Draws:
    """A stream of draws for one purpose; another purpose of the same seed is an independent stream."""

    def __init__(self, seed: bytes, purpose: str) -> None:
        self._key = hkdf(seed, VERSION.encode(), purpose.encode())
        self._counter = 0
        self._waiting = b""

    def take(self, count: int) -> bytes:
        """The next `count` bytes of the stream."""
        while len(self._waiting) < count:
            self._waiting += hmac.digest(self._key, self._counter.to_bytes(8, "big"), "sha256")
            self._counter += 1
        found, self._waiting = self._waiting[:count], self._waiting[count:]
        return found

    def below(self, bound: int) -> int:
        """A whole number from 0 to bound - 1, each equally likely. Raises ValueError for a bound below 1."""
        if bound < 1:
            raise ValueError(f"nothing lies below {bound}")
        size = (bound.bit_length() + 7) // 8
        limit = 256**size // bound * bound
        while True:
            found = int.from_bytes(self.take(size), "big")
            if found < limit:
                return found % bound

    def choose(self, chances: Sequence[Fraction]) -> int:
        """An index, each as likely as its chance; the chances sum to 1."""
        whole = lcm(*(chance.denominator for chance in chances))
        drawn = self.below(whole)
        for index, chance in enumerate(chances):
            drawn -= int(chance * whole)
            if drawn < 0:
                return index
        raise ValueError("the chances do not sum to 1")
