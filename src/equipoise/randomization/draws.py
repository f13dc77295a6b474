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
_BLOCKS = 64
"""Blocks made at a time where they are wanted."""


def hkdf(material: bytes, salt: bytes, info: bytes, length: int = 32) -> bytes:
    """HKDF-SHA256 (RFC 5869): extract, then expand to `length` bytes."""
    key = hmac.digest(salt or bytes(32), material, "sha256")
    found, block = b"", b""
    for counter in range(1, -(-length // 32) + 1):
        block = hmac.digest(key, block + info + bytes([counter]), "sha256")
        found += block
    return found[:length]


def combined(contributions: Sequence[bytes], public_value: str = "") -> bytes:
    """One seed out of what several people brought: no contributor alone can choose it. Order counts.

    public_value: a value that nobody could know when the seeds were committed to (a beacon's, a stock index); empty
    where none was named.
    """
    parts = [*contributions, public_value.encode()] if public_value else list(contributions)
    material = b"".join(len(each).to_bytes(8, "big") + hashlib.sha256(each).digest() + each for each in parts)
    info = b"combined seed with public value" if public_value else b"combined seed"
    return hkdf(material, VERSION.encode(), info)


class Draws:
    """A stream of draws for one purpose; another purpose of the same seed is an independent stream."""

    def __init__(self, seed: bytes, purpose: str) -> None:
        self._key = hkdf(seed, VERSION.encode(), purpose.encode())
        self._counter = 0
        self._waiting = b""
        self._used = 0

    def take(self, count: int) -> bytes:
        """The next `count` bytes of the stream."""
        end = self._used + count
        if end > len(self._waiting):
            self._refill(count)
            end = count
        found = self._waiting[self._used : end]
        self._used = end
        return found

    def _refill(self, count: int) -> None:
        """Make blocks until `count` bytes wait, beginning with those that are left."""
        left = self._waiting[self._used :]
        wanted = max(_BLOCKS if self._counter else 1, -(-(count - len(left)) // 32))
        made = [
            hmac.digest(self._key, number.to_bytes(8, "big"), "sha256")
            for number in range(self._counter, self._counter + wanted)
        ]
        self._counter += wanted
        self._waiting, self._used = left + b"".join(made), 0

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
