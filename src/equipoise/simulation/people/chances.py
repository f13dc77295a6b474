"""Random numbers by name: one uniform number for each thing that is drawn of each virtual participant.

The rules that must stay true: a number depends on the seed, the participant, the place (a visit, a row) and the name of
what is drawn, and on nothing else. So participant k is the same whatever their number, a new item changes no other, and
both arms see the same chances (common random numbers). Source: counter-based generators, J. K. Salmon et al.,
"Parallel random numbers: as easy as 1, 2, 3", SC11 (2011); the counter here goes through BLAKE2b.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from statistics import NormalDist

_NORMAL = NormalDist()
_STEPS = 1 << 53


@dataclass(frozen=True, slots=True)
class Chances:
    """The random numbers of one participant (`person`), or of one place of theirs."""

    seed: int
    person: str
    place: str = ""

    def at(self, place: str) -> Chances:
        """The numbers of a place: a visit, a row of a log."""
        return Chances(self.seed, self.person, place)

    def uniform(self, name: str) -> float:
        """A number above 0 and below 1, with 53 bits."""
        key = f"{self.seed}|{self.person}|{self.place}|{name}".encode()
        whole = int.from_bytes(blake2b(key, digest_size=8).digest(), "big") >> 11
        return (whole + 0.5) / _STEPS

    def normal(self, name: str) -> float:
        """A standard normal number, by the inverse of its distribution."""
        return _NORMAL.inv_cdf(self.uniform(name))
