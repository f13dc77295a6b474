"""One lot at the end of a log: where every unit of it is. The stock makes it, a document prints it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LotBalance:
    """One lot at the end. What was received is in stock, in quarantine, used, destroyed or lost, and nothing else."""

    lot: str
    product: str
    state: str
    expiry: str
    received: int
    in_stock: int
    quarantine: int
    used: int
    destroyed: int
    lost: int

    @property
    def adds_up(self) -> bool:
        """Whether every unit is accounted for."""
        return self.received == self.in_stock + self.quarantine + self.used + self.destroyed + self.lost
