"""Random identifiers, which say nothing: no time and no order, so that no list of them tells what happened first."""

from __future__ import annotations

from collections.abc import Callable

Entropy = Callable[[int], bytes]
"""n -> n random bytes; `secrets.token_bytes` in a trial, a seeded source on rehearsal stores only."""

_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"


def random_id(entropy: Entropy, length: int = 16) -> str:
    """A random id of `length` characters without look-alikes (about 4.95 bits each)."""
    made = ""
    while len(made) < length:
        made += "".join(_ALPHABET[byte % 31] for byte in entropy(length) if byte < 248)
    return made[:length]
