"""The stock, folded from the stream `stock`: every lot, every unit by serial number, every bag and what it came from.

The rules that must stay true: state = fold of deltas, nothing is ever set; every unit that was received is in exactly
one state, so that received = in stock + quarantine + used + destroyed + lost, always; an entry that does not fit what
stood before is not applied but remembered as a misfit, and nothing is dispensed from a ledger with one.
Source: ICH E6(R3) 4.4 (accountability of the investigational product); EU GMP Annex 13.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from equipoise.ledger import vault_entries as entries
from equipoise.ledger.entries import Recorded

DEPOT = ""
"""Where a lot is before it is shipped to a site."""
UnitState = Literal["IN_STOCK", "QUARANTINED", "CONDEMNED", "USED", "DESTROYED", "LOST"]
"""CONDEMNED: in quarantine and only waiting for its destruction. LOST: missing at a count."""
LotState = Literal["QUARANTINE", "RELEASED", "REJECTED", "RECALLED"]
BagState = Literal["FILLED", "VERIFIED", "OUT", "FAILED", "BACK", "DESTROYED"]
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: where it is, in what state, with which shipment it came, and for which request it was used."""

    at: str = DEPOT
    state: UnitState = "IN_STOCK"
    shipment: str = ""
    request: str = ""


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot: its certificate as it stands now, its state, who received it and who decided on it last."""

    certificate: entries.LotReceived
    state: LotState
    units: Mapping[str, Unit]
    received_by: str
    decided_by: str = ""


@dataclass(frozen=True, slots=True)
class Shipment:
    """A shipment: where to, what was in it, and the minutes of its excursions (0: none)."""

    site: str
    units: Mapping[str, tuple[str, ...]]
    warmest: str
    minutes: int = 0


@dataclass(frozen=True, slots=True)
class Bag:
    """A masked bag: whose, from which unit, and where it is."""

    request: str
    subject: str
    lot: str
    unit: str
    use_by: str
    state: BagState = "FILLED"
    release_at: str = ""
    remaining: str = ""
    handed_over: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """The unit that was taken last for a request."""

    subject: str
    lot: str
    unit: str


@dataclass(frozen=True, slots=True)
class Stock:
    """Everything by its name. `misfits`: seqs of entries that did not fit; `recalls`: notice -> lot."""

    lots: Mapping[str, Lot] = field(default_factory=lambda: _NOTHING)
    shipments: Mapping[str, Shipment] = field(default_factory=lambda: _NOTHING)
    bags: Mapping[str, Bag] = field(default_factory=lambda: _NOTHING)
    taken: Mapping[str, Taken] = field(default_factory=lambda: _NOTHING)
    recalls: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    misfits: tuple[int, ...] = ()

    def unit(self, lot: str, serial: str) -> Unit | None:
        """The unit, or None where no such was received."""
        held = self.lots.get(lot)
        return held.units.get(serial) if held else None


START = Stock()


class _Misfit(Exception):
    """An entry that cannot follow what stands. Inside this module only."""


def evolve(stock: Stock, recorded: Recorded) -> Stock:
    """The stock after one more entry of the stream `stock`."""
    entry, header = recorded.entry, recorded.header
    if header.stream != "stock":
        return stock
    apply = _APPLY.get(header.kind)
    if entry is None or apply is None:
        return replace(stock, misfits=(*stock.misfits, header.seq))
    try:
        return apply(stock, entry, header.actor)
    except _Misfit:
        return replace(stock, misfits=(*stock.misfits, header.seq))


def _with(mapping: Mapping[str, _V], name: str, value: _V) -> Mapping[str, _V]:
    return MappingProxyType({**mapping, name: value})


def _known(mapping: Mapping[str, _V], name: str) -> _V:
    try:
        return mapping[name]
    except KeyError as absent:
        raise _Misfit from absent


def _lot(stock: Stock, name: str, lot: Lot) -> Stock:
    return replace(stock, lots=_with(stock.lots, name, lot))


def _move(
    stock: Stock, lot: str, serials: Iterable[str], allowed: Iterable[UnitState], **changes: Any
) -> Stock:  # Any: fields of Unit
    """The units with `changes`, all of which must be in an allowed state now."""
    held, states = _known(stock.lots, lot), set(allowed)
    units = dict(held.units)
    for serial in serials:
        unit = _known(units, serial)
        if unit.state not in states:
            raise _Misfit
        units[serial] = replace(unit, **changes)
    return _lot(stock, lot, replace(held, units=MappingProxyType(units)))


def _received(stock: Stock, entry: entries.LotReceived, actor: str) -> Stock:
    if entry.lot in stock.lots or len(set(entry.units)) < len(entry.units):
        raise _Misfit
    units = MappingProxyType({serial: Unit() for serial in entry.units})
    return _lot(stock, entry.lot, Lot(entry, "QUARANTINE", units, actor))


def _tested(stock: Stock, entry: entries.LotTested, actor: str) -> Stock:
    held = _known(stock.lots, entry.lot)
    now = replace(
        held.certificate, sterility=entry.sterility, identity=entry.identity, certificate=entry.certificate
    )
    return _lot(stock, entry.lot, replace(held, certificate=now))


def _decided(
    state: LotState, *before: LotState
) -> Callable[[Stock, Any, str], Stock]:  # Any: a kind with `lot`
    def apply(stock: Stock, entry: Any, actor: str) -> Stock:  # Any: as above
        held = _known(stock.lots, entry.lot)
        if held.state not in before:
            raise _Misfit
        return _lot(stock, entry.lot, replace(held, state=state, decided_by=actor))

    return apply


def _recalled(stock: Stock, entry: entries.LotRecalled, actor: str) -> Stock:
    after = _decided("RECALLED", "QUARANTINE", "RELEASED", "REJECTED")(stock, entry, actor)
    return replace(after, recalls=_with(after.recalls, entry.notice, entry.lot))


def _called_back(stock: Stock, entry: entries.BagsCalledBack, actor: str) -> Stock:
    if not set(entry.bags) <= stock.bags.keys():
        raise _Misfit
    return stock


def _shipped(stock: Stock, entry: entries.ShipmentReceived, actor: str) -> Stock:
    if entry.shipment in stock.shipments:
        raise _Misfit
    for lot, serials in entry.units.items():
        if any(_known(_known(stock.lots, lot).units, serial).at != DEPOT for serial in serials):
            raise _Misfit
        stock = _move(stock, lot, serials, ("IN_STOCK",), at=entry.site, shipment=entry.shipment)
    arrived = Shipment(entry.site, entry.units, entry.warmest)
    return replace(stock, shipments=_with(stock.shipments, entry.shipment, arrived))


def of_shipment(stock: Stock, shipment: str, state: UnitState) -> Mapping[str, tuple[str, ...]]:
    """Units that came with a shipment and are in `state` now: lot -> serial numbers."""
    came = stock.shipments[shipment].units if shipment in stock.shipments else {}
    found = {
        lot: tuple(s for s in serials if (unit := stock.unit(lot, s)) is not None and unit.state == state)
        for lot, serials in came.items()
    }
    return {lot: serials for lot, serials in found.items() if serials}


def _excursion(stock: Stock, entry: entries.ExcursionRecorded, actor: str) -> Stock:
    held = _known(stock.shipments, entry.shipment)
    for lot, serials in of_shipment(stock, entry.shipment, "IN_STOCK").items():
        stock = _move(stock, lot, serials, ("IN_STOCK",), state="QUARANTINED")
    now = replace(held, minutes=held.minutes + entry.minutes, warmest=entry.warmest or held.warmest)
    return replace(stock, shipments=_with(stock.shipments, entry.shipment, now))


def _excursion_decided(stock: Stock, entry: entries.ExcursionDecided, actor: str) -> Stock:
    _known(stock.shipments, entry.shipment)
    after: UnitState = "IN_STOCK" if entry.decision == "USE" else "CONDEMNED"
    for lot, serials in of_shipment(stock, entry.shipment, "QUARANTINED").items():
        stock = _move(stock, lot, serials, ("QUARANTINED",), state=after)
    return stock


def _destroyed(stock: Stock, entry: entries.UnitsDestroyed, actor: str) -> Stock:
    return _move(stock, entry.lot, entry.units, ("IN_STOCK", "QUARANTINED", "CONDEMNED"), state="DESTROYED")


def _counted(stock: Stock, entry: entries.StockCounted, actor: str) -> Stock:
    """Missing units are lost; a lost unit that turns up has no proven cold chain and waits for its destruction."""
    held = _known(stock.lots, entry.lot)
    stock = _move(stock, entry.lot, entry.missing, ("IN_STOCK", "QUARANTINED", "CONDEMNED"), state="LOST")
    again = [s for s in entry.surplus if s in held.units and held.units[s].state == "LOST"]
    return _move(stock, entry.lot, again, ("LOST",), state="CONDEMNED", at=entry.site)


def _unit_taken(stock: Stock, entry: entries.UnitTaken, actor: str) -> Stock:
    stock = _move(stock, entry.lot, (entry.unit,), ("IN_STOCK",), state="USED", request=entry.request)
    now = Taken(entry.subject, entry.lot, entry.unit)
    return replace(stock, taken=_with(stock.taken, entry.request, now))


def _bag_prepared(stock: Stock, entry: entries.BagPrepared, actor: str) -> Stock:
    taken = _known(stock.taken, entry.request)
    if entry.bag in stock.bags:
        raise _Misfit
    bag = Bag(entry.request, taken.subject, taken.lot, taken.unit, entry.use_by)
    return replace(stock, bags=_with(stock.bags, entry.bag, bag))


def _failed(stock: Stock, entry: entries.PreparationFailed, actor: str) -> Stock:
    """The bag of the request that was filled last, if one was, is no longer to be given."""
    bags = {
        name: replace(bag, state="FAILED")
        if bag.request == entry.request and bag.state in {"FILLED", "VERIFIED"}
        else bag
        for name, bag in stock.bags.items()
    }
    return replace(stock, bags=MappingProxyType(bags))


def _bag_moved(after: BagState, *before: BagState) -> Callable[[Stock, Any, str], Stock]:  # Any: with `bag`
    def apply(stock: Stock, entry: Any, actor: str) -> Stock:  # Any: as above
        bag = _known(stock.bags, entry.bag)
        if bag.state not in before or bag.request != entry.request:
            raise _Misfit
        kept = {name: getattr(entry, name) for name in ("remaining", "release_at") if hasattr(entry, name)}
        out = bag.handed_over or after == "OUT"
        now = replace(bag, state=after, handed_over=out, **kept)
        return replace(stock, bags=_with(stock.bags, entry.bag, now))

    return apply


_APPLY: Mapping[str, Callable[[Stock, Any, str], Stock]] = MappingProxyType(  # Any: the kind of its name
    {
        "LotReceived": _received,
        "LotTested": _tested,
        "LotReleased": _decided("RELEASED", "QUARANTINE"),
        "LotRejected": _decided("REJECTED", "QUARANTINE"),
        "LotRecalled": _recalled,
        "BagsCalledBack": _called_back,
        "ShipmentReceived": _shipped,
        "ExcursionRecorded": _excursion,
        "ExcursionDecided": _excursion_decided,
        "UnitsDestroyed": _destroyed,
        "StockCounted": _counted,
        "UnitTaken": _unit_taken,
        "BagPrepared": _bag_prepared,
        "PreparationFailed": _failed,
        "BagVerified": _bag_moved("VERIFIED", "FILLED"),
        "BagHandedOver": _bag_moved("OUT", "VERIFIED"),
        "BagTakenBack": _bag_moved("BACK", "OUT"),
        "BagDestroyed": _bag_moved("DESTROYED", "FAILED", "BACK"),
    }
)
