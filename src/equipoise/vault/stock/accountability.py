"""The accountability log: what came, went, was used, came back and was destroyed, by whom and when. Plain data.

The rules that must stay true: one line for each entry that moved a unit or a bag, in the order of the ledger, none left
out; the balance of a lot adds up to what was received, that of the bags to what was handed over; it is behind the
second door, because lots tell products. Source: ICH E6(R3) 4.4; 21 CFR 312.62(a).
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from equipoise.documents.balance import LotBalance
from equipoise.ledger import vault_entries as entries
from equipoise.ledger.entries import Recorded
from equipoise.vault.stock.evolve import Stock


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `at` in UTC; `who` and `second` are ids; `act` is the kind of the entry; `units` are serials."""

    at: str
    who: str
    act: str
    lot: str = ""
    units: tuple[str, ...] = ()
    site: str = ""
    shipment: str = ""
    request: str = ""
    subject: str = ""
    bag: str = ""
    second: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class BagBalance:
    """All bags handed over: handed_over = infused + rejected + returned + at_the_ward. `destroyed` of those back."""

    handed_over: int
    infused: int
    rejected: int
    returned: int
    at_the_ward: int
    destroyed: int


def accountability(recorded: Iterable[Recorded]) -> tuple[Line, ...]:
    """The log from the entries of the stream `stock`, in their order."""
    lines: list[Line] = []
    taken: dict[str, entries.UnitTaken] = {}
    places: dict[tuple[str, str], str] = {}
    for one in recorded:
        entry = one.entry
        if entry is None or one.header.stream != "stock":
            continue
        if isinstance(entry, entries.UnitTaken):
            taken[entry.request] = entry
        if isinstance(entry, entries.ShipmentReceived):
            places |= {(lot, unit): entry.site for lot, some in entry.units.items() for unit in some}
            lines += [
                Line(one.header.at, one.header.actor, entry.kind, lot, serials, entry.site, entry.shipment)
                for lot, serials in sorted(entry.units.items())
            ]
            continue
        line = _line(one, entry, taken)
        place = places.get((line.lot, line.units[0]), "") if line.request and line.units else ""
        lines.append(dataclasses.replace(line, site=line.site or place))
    return tuple(lines)


def _line(
    recorded: Recorded, entry: Any, taken: Mapping[str, entries.UnitTaken]
) -> Line:  # Any: every kind of stock
    request = getattr(entry, "request", "")
    unit = taken.get(request)
    lot, subject = (unit.lot, unit.subject) if unit else ("", "")
    units = getattr(entry, "units", (unit.unit,) if unit else ())
    return Line(
        recorded.header.at,
        recorded.header.actor,
        entry.kind,
        getattr(entry, "lot", lot) or lot,
        units if isinstance(units, tuple) else (),
        getattr(entry, "site", ""),
        getattr(entry, "shipment", ""),
        request,
        getattr(entry, "subject", subject),
        getattr(entry, "bag", ""),
        getattr(entry, "second", "") or getattr(entry, "witness", ""),
        _note(entry),
    )


def _note(entry: object) -> str:
    """What a reader of the log wants beside the kind, in figures and codes."""
    match entry:
        case entries.StockCounted():
            return f"{entry.counted}/{entry.expected}"
        case entries.ExcursionRecorded():
            return f"{entry.minutes} min {entry.warmest}".strip()
        case entries.ExcursionDecided():
            return f"{entry.decision}: {entry.reason}"
        case entries.PreparationFailed():
            return f"{entry.because} {entry.reason}".strip()
        case entries.BagTakenBack():
            return f"{entry.remaining} mL"
        case entries.BagsCalledBack():
            return ", ".join(entry.bags)
        case _:
            return str(getattr(entry, "reason", ""))


def balances(stock: Stock) -> tuple[LotBalance, ...]:
    """Every lot, by name."""
    found = []
    for name, lot in sorted(stock.lots.items()):
        by = Counter(unit.state for unit in lot.units.values())
        found.append(
            LotBalance(
                name, lot.certificate.product, lot.state, lot.certificate.expiry, len(lot.units), by["IN_STOCK"],
                by["QUARANTINED"] + by["CONDEMNED"], by["USED"], by["DESTROYED"], by["LOST"],
            )
        )  # fmt: skip
    return tuple(found)


def bag_balance(stock: Stock, hung: Iterable[str], rejected: Iterable[str]) -> BagBalance:
    """All bags. hung: bags with which an infusion began; rejected: bags that the first door rejected."""
    given, lost = frozenset(hung), frozenset(rejected)
    fates: Counter[str] = Counter()
    for name, bag in stock.bags.items():
        if bag.handed_over:
            fate = (
                "infused" if name in given else "rejected" if name in lost
                else "at_the_ward" if bag.state == "OUT" else "returned"
            )  # fmt: skip
            fates.update((fate, "handed", *(("destroyed",) if bag.state == "DESTROYED" else ())))
    return BagBalance(
        fates["handed"], fates["infused"], fates["rejected"], fates["returned"], fates["at_the_ward"],
        fates["destroyed"],
    )  # fmt: skip
