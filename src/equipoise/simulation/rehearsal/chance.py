"""Chance in a rehearsal: draws by key, so that what happens to one person depends on nobody else.

The rule that must stay true: the same seed and key give the same draw, in whatever order draws are made and however
many people there are. Source of the numbers: BLAKE2b (RFC 7693), keyed with the seed.
"""

from __future__ import annotations

import hashlib


class Chance:
    """Draws of one rehearsal. Every key is a few words and numbers that say what is drawn."""

    def __init__(self, seed: int) -> None:
        self.seed = hashlib.sha256(f"rehearsal {seed}".encode()).digest()

    def share(self, *key: object) -> float:
        """A number from 0 up to 1, each equally likely."""
        said = "\n".join(map(str, key)).encode()
        drawn = hashlib.blake2b(said, digest_size=8, key=self.seed).digest()
        return int.from_bytes(drawn, "big") / 2**64

    def happens(self, share: float, *key: object) -> bool:
        """Whether something happens that does in this share of cases."""
        return share > 0 and self.share(*key) < share

    def between(self, low: int, high: int, *key: object) -> int:
        """A whole number from `low` to `high`, both possible."""
        return low + int(self.share(*key) * (high - low + 1)) if high > low else low
