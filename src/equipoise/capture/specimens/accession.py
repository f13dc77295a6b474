"""Accession numbers: nine digits that tell nothing, and a check digit that tells a slip of the hand.

The rules that must stay true: a number follows from the participant's random id, the kit and the visit and from nothing
else, so that it has neither order nor site in it; every single wrong digit and every swap of neighbours that ISO/IEC
7064 MOD 11,10 finds is found. Source: ISO/IEC 7064:2003, hybrid system MOD 11,10.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator

_DIGITS = 9
_SHAPE = re.compile(r"[0-9]{10}")
_ALIQUOT = re.compile(r"([0-9]{10})-([0-9]{2})")


def check_digit(digits: str) -> str:
    """The check digit of a run of digits."""
    product = 10
    for digit in digits:
        total = (product + int(digit)) % 10 or 10
        product = total * 2 % 11
    return str((11 - product) % 10)


def holds(number: str) -> bool:
    """Whether a text is an accession number whose check digit is right."""
    return _SHAPE.fullmatch(number) is not None and check_digit(number[:-1]) == number[-1]


def candidates(subject: str, kit: str, visit: str) -> Iterator[str]:
    """The numbers that a tube may be given, in the order in which they are tried until one is free."""
    turn = 0
    while True:
        seed = hashlib.sha256(f"specimen\n{subject}\n{kit}\n{visit}\n{turn}".encode()).digest()
        digits = f"{int.from_bytes(seed, 'big') % 10**_DIGITS:0{_DIGITS}d}"
        yield digits + check_digit(digits)
        turn += 1


def typed(text: str) -> str:
    """A number as it was typed or scanned: full-width digits and spaces are no fault."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def aliquot_of(specimen: str, count: int) -> str:
    """The number of an aliquot: its tube's number and its own, from 1."""
    return f"{specimen}-{count:02d}"


def tube_of(aliquot: str) -> str | None:
    """The tube of an aliquot's number; None for a text that is none."""
    found = _ALIQUOT.fullmatch(aliquot)
    return found[1] if found and holds(found[1]) else None


def spaced(number: str) -> str:
    """A number as people read it: 123 456 7890."""
    return f"{number[:3]} {number[3:6]} {number[6:]}"
