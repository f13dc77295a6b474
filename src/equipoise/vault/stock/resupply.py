"""When a site is sent more, and how much: a proposal that tells nobody who got what.

The rules that must stay true: a shipment holds the same number of units of every product, whatever is left of each;
when it is proposed depends on the number of doses taken at the site, all products together, and on nothing else. Expiry
and losses differ by product and are therefore no part of it; a shelf that ran short through them is shown at the second
door alone (`short_of`) and is made up for by a balanced shipment too.
Why no product runs out: of `shipped` units of each product at most as many were used as doses were taken; the next
shipment is proposed while `reserve` doses of every product must still be there.
Source: reliability notes L21 (fixed balanced shipments, trigger on the total).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from equipoise.protocol.study import Study
from equipoise.vault.stock.availability import on_shelf
from equipoise.vault.stock.evolve import DEPOT, Stock


@dataclass(frozen=True, slots=True)
class Policy:
    """`each`: units of every product in one shipment; `reserve`: doses that may be taken while it is on its way."""

    each: int
    reserve: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """Send this to a site: product -> units, the same number for every product."""

    site: str
    units: Mapping[str, int]


def doses_taken(stock: Stock, site: str) -> int:
    """Units taken for doses at a site, all products together: what its people can count anyway."""
    return sum(
        unit.at == site and unit.state == "USED" for lot in stock.lots.values() for unit in lot.units.values()
    )


def shipped(study: Study, stock: Stock, site: str) -> int:
    """Units of each product that ever came to a site; of the product of which fewest came."""
    came = {product.id: 0 for product in study.supply.products}
    for lot in stock.lots.values():
        here = sum(unit.at == site != DEPOT for unit in lot.units.values())
        came[lot.certificate.product] = came.get(lot.certificate.product, 0) + here
    return min(came.values(), default=0)


def propose(study: Study, stock: Stock, site: str, policy: Policy) -> Proposal | None:
    """What to send now, or None while nothing is due."""
    if doses_taken(stock, site) < shipped(study, stock, site) - policy.reserve:
        return None
    return Proposal(site, {product.id: policy.each for product in study.supply.products})


def short_of(study: Study, stock: Stock, site: str, policy: Policy, today: dt.date) -> tuple[str, ...]:
    """Products of which fewer than `reserve` usable units are left at a site. For the second door only."""
    left = on_shelf(stock, site, today)
    return tuple(product.id for product in study.supply.products if left.get(product.id, 0) < policy.reserve)
