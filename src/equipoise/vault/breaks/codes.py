"""The one-time code that an investigator tells a third person: four words of two syllables each.

The rules that must stay true: a code can be said on the telephone in any language and typed without looking twice; it
has 49 bits, counts for one request, once, for half an hour; only its digest is written down. The word is drawn from
bytes that the caller brings.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re

from equipoise.words.ids import Entropy

GOOD_FOR = dt.timedelta(minutes=30)
WORDS = 4
_CONSONANTS = "bdfgklmnprstvz"
_VOWELS = "aeiou"
_SYLLABLES = tuple(consonant + vowel for consonant in _CONSONANTS for vowel in _VOWELS)
_DOMAIN = b"equipoise handover 1\n"


def new_code(entropy: Entropy) -> str:
    """A fresh code, like `bado-kemi-tuso-rani`: 8 of 70 syllables, log2(70) * 8 = 49 bits."""
    drawn: list[str] = []
    while len(drawn) < 2 * WORDS:
        # 210 = 3 * 70: bytes above it are left out, so that every syllable is as likely as any other.
        drawn += [_SYLLABLES[byte % len(_SYLLABLES)] for byte in entropy(16) if byte < 210]
    pairs = zip(drawn[: 2 * WORDS : 2], drawn[1 : 2 * WORDS : 2], strict=True)
    return "-".join(first + second for first, second in pairs)


def code_digest(typed: str) -> str:
    """SHA-256 (hex) over a code as somebody typed it: upper case, spaces and dashes make no difference."""
    letters = re.sub(r"[^a-z]", "", typed.lower())
    return hashlib.sha256(_DOMAIN + letters.encode()).hexdigest()
