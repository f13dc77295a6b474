"""How much of a unit goes into a bag: cells per kilogram, never more than the largest dose, by count and viability.

The rules that must stay true: exact decimal arithmetic; the same sum for every product, so that a vehicle's volume is
that of the cells which it is matched to; no dose is made that one unit does not hold.
Source: the study's supply (cells_per_kg, cells_at_most, volume).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from equipoise.ledger.vault_entries import LotReceived
from equipoise.protocol.study import Supply
from equipoise.vault.stock.decide import amount
from equipoise.words.problem import Problem, problem

STEP = Decimal("0.1")
"""mL to which a volume can be drawn up."""


@dataclass(frozen=True, slots=True)
class DoseVolume:
    """`wanted`: viable cells; `taken`: mL from the unit; `carrier`: mL beside it; `cells`: viable cells in `taken`."""

    wanted: Decimal
    taken: Decimal
    carrier: Decimal
    cells: Decimal


def dose_volume(
    supply: Supply, certificate: LotReceived, weight: str, viability: str
) -> DoseVolume | Problem | None:
    """The volume for a participant of `weight` (kg), with cells viable to `viability` percent.

    None in a study whose dose is not counted in cells: the whole unit is given.
    Problems: `vault_bench.weight-unusable`, `vault_bench.dose-undefined`, `vault_bench.unit-too-small`.
    """
    if not supply.cells_per_kg:
        return None
    kilograms, per_kg, bag = amount(weight), amount(supply.cells_per_kg), amount(supply.volume)
    count, share, held = amount(certificate.count), amount(viability), amount(certificate.volume)
    if kilograms is None:
        return problem("vault_bench.weight-unusable", "weight", weight=weight)
    if per_kg is None or bag is None or count is None or share is None or held is None:
        return problem("vault_bench.dose-undefined", "dose")
    wanted = min(kilograms * per_kg, amount(supply.cells_at_most) or kilograms * per_kg)
    viable = count * share / 100
    taken = (wanted / viable).quantize(STEP, ROUND_HALF_UP)
    if taken > min(held, bag):
        return problem("vault_bench.unit-too-small", "unit", needed=taken, held=min(held, bag))
    return DoseVolume(wanted, taken, bag - taken, (taken * viable).quantize(Decimal(1), ROUND_HALF_UP))
