"""The masked number of a bag.

The rules that must stay true: six digits, each number as likely as any other, never used twice; it is made of one fresh
random id and of nothing else: not of the product, the lot, the order, the site or the time; there is no check digit,
which could be a rule that somebody bends. Source: reliability notes L3.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container

DIGITS = 6


def bag_number(fresh: str, used: Container[str]) -> str:
    """A number that no bag bears yet, from one fresh random id (about 79 bits: the digits are even to 1 in 2^59)."""
    turn = 0
    while True:
        digest = hashlib.sha256(f"equipoise bag 1\n{fresh}\n{turn}".encode()).digest()
        number = f"{int.from_bytes(digest, 'big') % 10**DIGITS:0{DIGITS}d}"
        if number not in used:
            return number
        turn += 1
