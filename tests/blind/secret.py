"""The secret in which two worlds differ, and the ideal commitments that stand for it at the first door.

A world's arms are those that the program's own ceremony drew, given new names by `Secret`; its revealing values are
another set of numbers. Commitments are replaced by ideal ones: values that bind nothing and depend on the slot's name and
nonce alone. This is the usual argument of a proof by parts: that a real commitment (SHA-256 over arm and 32 random bytes)
tells nothing about the arm is a statement about SHA-256 and is taken from there; that nothing *else* at the first door
tells anything is what two worlds with ideal commitments show, because then every byte must be the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

How = Literal["drawn", "swapped", "but-one", "mixed"]


@dataclass(frozen=True, slots=True)
class Secret:
    """What is hidden. `drawn`: the arms as the ceremony drew them; `swapped`: each the other one (with the contents of all
    lots); `but-one`: swapped but for the second slot of each list, so that who had the same arm has not any more; `mixed`:
    each slot's arm drawn anew by a coin (`number` says which coins). `values`: which set of revealing laboratory values is
    typed in; `fever`: what was measured around an infusion, which a rater may not see.
    """

    how: How = "drawn"
    number: int = 0
    values: int = 0
    fever: int = 0

    @property
    def name(self) -> str:
        """A short name for folders and messages."""
        return f"{self.how}-{self.number}-{self.values}-{self.fever}"

    @property
    def scene(self) -> str:
        """The worlds in which the scene of the leaks is the same: those of the same arms."""
        return f"{self.how}-{self.number}"

    def arms(self, drawn: Sequence[int], count: int, purpose: str) -> tuple[int, ...]:
        """The arms of one stratum in this world; `count` arms there are."""
        if self.how == "drawn":
            return tuple(drawn)
        if self.how in ("swapped", "but-one"):
            stays = 1 if self.how == "but-one" else None
            return tuple(arm if at == stays else count - 1 - arm for at, arm in enumerate(drawn))
        coins = hashlib.shake_128(f"{self.number} {purpose}".encode()).digest(len(drawn))
        return tuple(coin % count for coin in coins)

    def value(self, low: int, high: int, place: str) -> str:
        """A revealing value of this world between two bounds."""
        coin = hashlib.sha256(f"{self.values} {place}".encode()).digest()[0]
        return str(low + coin * (high - low) // 255)


DRAWN = Secret()
SWAPPED = Secret("swapped")
MIXED = Secret("mixed", 1)
VALUES = Secret("drawn", 0, 1)
FEVER = Secret("drawn", 0, 0, 1)
BUT_ONE = Secret("but-one", 0, 1)
QUICK = (DRAWN, BUT_ONE)
"""The pair of the quick proof; laboratory values differ, too. A mere swap could not show "the same arm as", a mix could not
show half of the arms: here every arm but one of each list is another, and that one is another's no more.
"""


def nightly() -> tuple[Secret, ...]:
    """The worlds of the nightly proof: the swap, twenty relabellings, and other sets of laboratory values."""
    mixed = tuple(Secret("mixed", number) for number in range(1, 21))
    return (*QUICK, SWAPPED, *mixed, *(Secret("drawn", 0, number) for number in (2, 3)))


def ideal_commitment(slot: object, content: object) -> str:
    """In place of `randomization.sealing.commitment`: the same for every arm."""
    told = slot.encoded() + content.nonce  # type: ignore[attr-defined]
    return hashlib.sha256(b"ideal slot" + told).hexdigest()


def ideal_anchor(root: str, nonce: bytes) -> str:
    """In place of `vault.anchors.anchor_commitment`: the same whatever stands in the second door's ledger."""
    return hashlib.sha256(b"ideal anchor" + nonce).hexdigest()
