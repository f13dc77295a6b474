"""Whether a unit may be used for a dose, and what a site has on its shelf.

The rules that must stay true: a unit is dispensed only from a released lot, before the end of its last day, from the
shelf of the participant's own site, and never when any person or paper put a doubt on it; expiry is computed from the
date, so that nobody has to remember to block a lot; every reason against a unit is named, all at once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

from equipoise.protocol.study import Product, Study
from equipoise.vault.stock.evolve import Lot, LotState, Stock, UnitState
from equipoise.words.problem import Problem, problem

_LOT_FAULTS: Mapping[LotState, str] = {
    "QUARANTINE": "vault_stock.lot-in-quarantine",
    "REJECTED": "vault_stock.lot-rejected",
    "RECALLED": "vault_stock.lot-recalled",
}
_UNIT_FAULTS: Mapping[UnitState, str] = {
    "QUARANTINED": "vault_stock.unit-in-quarantine",
    "CONDEMNED": "vault_stock.unit-condemned",
    "USED": "vault_stock.unit-used",
    "DESTROYED": "vault_stock.unit-destroyed",
    "LOST": "vault_stock.unit-lost",
}


def product_of(study: Study, product: str) -> Product | None:
    """The product of that id in the study's definition."""
    return next((each for each in study.supply.products if each.id == product), None)


def expired(lot: Lot, today: dt.date) -> bool:
    """Whether the lot's last day of use is over; `today` is the calendar day at the site."""
    return today > dt.date.fromisoformat(lot.certificate.expiry)


def lot_faults(name: str, lot: Lot, today: dt.date) -> Iterator[Problem]:
    """What stands against using any unit of the lot."""
    if lot.state in _LOT_FAULTS:
        yield problem(_LOT_FAULTS[lot.state], "unit", lot=name)
    if expired(lot, today):
        yield problem("vault_stock.lot-expired", "unit", lot=name, expiry=lot.certificate.expiry)


def unit_faults(
    stock: Stock, lot: str, serial: str, *, product: str, site: str, today: dt.date
) -> Iterator[Problem]:
    """Every reason why this unit may not be used for a dose of `product` at `site`."""
    held = stock.lots.get(lot)
    unit = stock.unit(lot, serial)
    if held is None:
        yield problem("vault_stock.lot-unknown", "unit", lot=lot)
        return
    if held.certificate.product != product:
        yield problem("vault_stock.wrong-product", "unit", lot=lot, unit=serial)
    yield from lot_faults(lot, held, today)
    if unit is None:
        yield problem("vault_stock.unit-unknown", "unit", lot=lot, unit=serial)
        return
    if unit.state in _UNIT_FAULTS:
        yield problem(_UNIT_FAULTS[unit.state], "unit", lot=lot, unit=serial)
    elif unit.at != site:
        yield problem("vault_stock.unit-elsewhere", "unit", lot=lot, unit=serial)


def on_shelf(stock: Stock, site: str, today: dt.date) -> Mapping[str, int]:
    """Units that may be used at a site now, by product. For the second door only."""
    found: dict[str, int] = {}
    for name, lot in stock.lots.items():
        usable = 0 if any(lot_faults(name, lot, today)) else 1
        here = sum(unit.at == site and unit.state == "IN_STOCK" for unit in lot.units.values())
        found[lot.certificate.product] = found.get(lot.certificate.product, 0) + usable * here
    return found
