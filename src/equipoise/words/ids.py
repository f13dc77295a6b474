"""Identifiers: names chosen by people, and random ones that say nothing.

Random ids carry no time and no order, so that no list of them tells what happened first.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NewType

SubjectId = NewType("SubjectId", str)
"""Random id of a participant's stream; never shown, never reused."""
ActorId = NewType("ActorId", str)
"""Random id of a person or process that acts."""

Entropy = Callable[[int], bytes]
"""n -> n random bytes; `secrets.token_bytes` in a trial, a seeded source on rehearsal stores only."""

_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


def random_id(entropy: Entropy, length: int = 16) -> str:
    """A random id of `length` characters without look-alikes (about 4.95 bits each)."""
    made = ""
    while len(made) < length:
        made += "".join(_ALPHABET[byte % 31] for byte in entropy(length) if byte < 248)
    return made[:length]


def is_name(text: str) -> bool:
    """Whether `text` may serve as a name in a definition: a letter, then letters, digits, `_`, `-`; at most 64."""
    return _NAME.fullmatch(text) is not None
