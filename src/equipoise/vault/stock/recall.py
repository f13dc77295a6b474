"""Who got a unit of a lot: the list that a recall needs, at the second door only.

The rule that must stay true: it names every participant for whom a unit of the lot was taken, also the one who was
given a bag meant for somebody else; it is read out of what is folded already, so that it takes no time.
Source: domain notes 5.3 (recall by lot lists all participants); docs/decisions/0016.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from equipoise.vault.facts import Wanted
from equipoise.vault.stock.evolve import Stock

Reached = Literal["GIVEN", "RUNNING", "AT_THE_WARD", "NOT_GIVEN"]


@dataclass(frozen=True, slots=True)
class Affected:
    """One unit of the lot that was used: for whom it was meant, in which bag, and how far it came.

    `given_to` is the participant whose infusion began with it, who may be another than the one it was meant for.
    """

    unit: str
    request: str
    subject: str
    bag: str
    reached: Reached
    given_to: str = ""


def affected(
    stock: Stock, lot: str, hung: Mapping[str, str], wanted: Mapping[str, Wanted]
) -> tuple[Affected, ...]:
    """Every unit of `lot` that was taken, in order of its serial number.

    hung: request -> the bag with which its infusion began. wanted: request -> what the first door asked for.
    """
    held = stock.lots.get(lot)
    if held is None:
        return ()
    hung_for = {bag: request for request, bag in hung.items()}
    bags = {bag.unit: name for name, bag in stock.bags.items() if bag.lot == lot}
    found = [
        _one(stock, serial, unit.request, bags.get(serial, ""), hung_for, wanted)
        for serial, unit in held.units.items()
        if unit.state == "USED"
    ]
    return tuple(sorted(found, key=lambda each: each.unit))


def _one(
    stock: Stock,
    serial: str,
    request: str,
    bag: str,
    hung_for: Mapping[str, str],
    wanted: Mapping[str, Wanted],
) -> Affected:
    meant = wanted.get(request)
    subject = stock.bags[bag].subject if bag else (meant.subject if meant else "")
    bedside = hung_for.get(bag)
    if bedside is not None:
        dose = wanted.get(bedside)
        reached: Reached = "RUNNING" if dose is not None and dose.infusing else "GIVEN"
        return Affected(serial, request, subject, bag, reached, dose.subject if dose else subject)
    out = bag != "" and stock.bags[bag].state == "OUT"
    return Affected(serial, request, subject, bag, "AT_THE_WARD" if out else "NOT_GIVEN")
