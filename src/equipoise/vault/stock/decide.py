"""Deciding on lots, shipments, counts, destruction and recall.

The rules that must stay true: a lot is released by a person who did not receive it, on a whole certificate, and only
when one unit of it holds enough for the heaviest participant, so that every dose takes one unit whatever the product;
what arrives is recorded as it is, and what is in doubt goes into quarantine; a count keeps both numbers; a recall tells
the first door the same, in the same form, whatever is in a bag: every bag that is out is called back.
Source: ICH E6(R3) 4.4; reliability notes L5, L6, L21, L22; docs/decisions/0016.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from equipoise.ledger import vault_entries as entries
from equipoise.ledger.entries import Append, Entry
from equipoise.ledger.facts import Decision, Occasion, Refusal
from equipoise.protocol.study import Study
from equipoise.vault.facts import VaultFacts
from equipoise.vault.statements import say
from equipoise.vault.stock import commands
from equipoise.vault.stock.availability import expired, product_of
from equipoise.vault.stock.evolve import DEPOT, Lot, Stock, of_shipment
from equipoise.vault.stock.persons import at_home, second_person_faults
from equipoise.vault.stock.temperature import TemperatureLog, read_log
from equipoise.words.problem import Problem, problem

CODE = re.compile(r"[A-Za-z0-9._-]{1,20}")
"""Lots and serials: at most 20 characters, as GS1 has it for AI 10 and 21, none that label or address must escape."""
_Found = Iterator[Entry | Append | Problem]
_HASH = re.compile(r"[0-9a-f]{64}")


def decide(study: Study, state: Stock, facts: VaultFacts, command: object, occasion: Occasion) -> Decision:
    """Decide a command on the stream `stock`. Entries, or every reason against it."""
    if state.misfits:
        return Refusal((problem("vault_stock.ledger-misfit", seq=state.misfits[0]),))
    judge = _JUDGES.get(type(command))
    if judge is None:
        raise TypeError(f"the stock does not know {type(command).__name__}")
    site = getattr(command, "site", DEPOT)
    if site != DEPOT and not at_home(facts, site):
        return Refusal((problem("vault_stock.site-of-others", "site", site=site),))
    found = tuple(judge(study, state, facts, command, occasion))
    problems = tuple(each for each in found if isinstance(each, Problem))
    if problems:
        return Refusal(problems)
    return tuple(
        each if isinstance(each, Append) else Append("stock", each)
        for each in found
        if not isinstance(each, Problem)
    )


def amount(text: str) -> Decimal | None:
    """A positive decimal number as text, or None."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() and value > 0 else None


def _receive(
    study: Study, state: Stock, facts: VaultFacts, command: commands.ReceiveLot, occasion: Occasion
) -> _Found:
    if command.lot in state.lots:
        yield problem("vault_stock.lot-known", "lot", lot=command.lot)
    if not CODE.fullmatch(command.lot):
        yield problem("vault_stock.code-unfit", "lot")
    if product_of(study, command.product) is None:
        yield problem("vault_stock.product-unknown", "product", product=command.product)
    if not command.units or not all(map(CODE.fullmatch, command.units)):
        yield problem("vault_stock.code-unfit", "units")
    if len(set(command.units)) < len(command.units):
        yield problem("vault_stock.units-repeat", "units")
    try:
        dt.date.fromisoformat(command.expiry)
    except ValueError:
        yield problem("vault_stock.not-a-date", "expiry")
    if not _HASH.fullmatch(command.certificate):
        yield problem("vault_stock.certificate-missing", "certificate")
    if study.supply.cells_per_kg:
        yield from _cell_faults(command)
    yield entries.LotReceived(
        command.lot, command.product, command.units, command.expiry, command.certificate, command.passage,
        command.count, command.volume, command.viability, command.sterility, command.identity,
    )  # fmt: skip


def _cell_faults(command: commands.ReceiveLot) -> Iterator[Problem]:
    """What is missing on a certificate in a study whose dose is counted in cells."""
    for name in ("count", "volume", "viability"):
        value = amount(getattr(command, name))
        if value is None or (name == "viability" and value > 100):
            yield problem("vault_stock.not-an-amount", name)
    if not command.passage.strip():
        yield problem("vault_stock.certificate-without-passage", "passage")


def _lot(state: Stock, name: str) -> Lot | Problem:
    return state.lots.get(name) or problem("vault_stock.lot-unknown", "lot", lot=name)


def _tests(
    study: Study, state: Stock, facts: VaultFacts, command: commands.RecordTests, occasion: Occasion
) -> _Found:
    lot = _lot(state, command.lot)
    if isinstance(lot, Problem):
        yield lot
        return
    held = lot.certificate
    for name in ("sterility", "identity"):
        if getattr(held, name) != "PENDING" and getattr(command, name) != getattr(held, name):
            yield problem("vault_stock.result-stands", name)
    if not _HASH.fullmatch(command.certificate):
        yield problem("vault_stock.certificate-missing", "certificate")
    yield entries.LotTested(command.lot, command.sterility, command.identity, command.certificate)


def _release(
    study: Study, state: Stock, facts: VaultFacts, command: commands.ReleaseLot, occasion: Occasion
) -> _Found:
    lot = _lot(state, command.lot)
    if isinstance(lot, Problem):
        yield lot
        return
    if lot.state != "QUARANTINE":
        yield problem("vault_stock.lot-not-in-quarantine", "lot", lot=command.lot)
    if lot.received_by == facts.actor:
        yield problem("vault_stock.released-by-its-receiver", "lot")
    if expired(lot, occasion.today):
        yield problem("vault_stock.lot-expired", "lot", lot=command.lot, expiry=lot.certificate.expiry)
    yield from _certificate_faults(study, lot)
    yield entries.LotReleased(command.lot)


def _certificate_faults(study: Study, lot: Lot) -> Iterator[Problem]:
    held, limit = lot.certificate, amount(study.supply.viability_at_least)
    for name in ("sterility", "identity"):
        if getattr(held, name) != "PASS":
            yield problem(f"vault_stock.{name}-not-passed", name)
    if not study.supply.cells_per_kg:
        return
    viability, most = Decimal(held.viability), amount(study.supply.cells_at_most)
    if limit is not None and viability < limit:
        yield problem("vault_stock.viability-below-limit", "viability", viability=held.viability, limit=limit)
    # With one unit for every dose, heavier participants need no second one: the work tells neither weight nor product.
    least = Decimal(held.count) * Decimal(held.volume) * (limit or Decimal(100)) / 100
    if most is not None and least < most:
        yield problem("vault_stock.unit-holds-too-little", "count", most=study.supply.cells_at_most)


def _reject(
    study: Study, state: Stock, facts: VaultFacts, command: commands.RejectLot, occasion: Occasion
) -> _Found:
    lot = _lot(state, command.lot)
    if isinstance(lot, Problem):
        yield lot
        return
    if lot.state != "QUARANTINE":
        yield problem("vault_stock.lot-not-in-quarantine", "lot", lot=command.lot)
    if not command.reason.strip():
        yield problem("vault_stock.reason-required", "reason")
    yield entries.LotRejected(command.lot, command.reason)


def bags_out(state: Stock, over: Iterable[str]) -> tuple[str, ...]:
    """Bags that are at the first door and neither infused to the end, rejected nor returned, in order of number."""
    gone = frozenset(over)
    return tuple(sorted(name for name, bag in state.bags.items() if bag.state == "OUT" and name not in gone))


def _recall(
    study: Study, state: Stock, facts: VaultFacts, command: commands.RecallLot, occasion: Occasion
) -> _Found:
    lot = _lot(state, command.lot)
    if isinstance(lot, Problem):
        yield lot
        return
    if lot.state == "RECALLED":
        yield problem("vault_stock.lot-recalled", "lot", lot=command.lot)
    if not command.reason.strip():
        yield problem("vault_stock.reason-required", "reason")
    notice = occasion.fresh[0]
    yield entries.LotRecalled(command.lot, notice, command.reason)
    out = bags_out(state, facts.bags_over)
    if out:
        yield entries.BagsCalledBack(notice, out)
        yield say("BagsRecalled", notice=notice, bags=list(out))


def _ship(
    study: Study, state: Stock, facts: VaultFacts, command: commands.ReceiveShipment, occasion: Occasion
) -> _Found:
    if command.shipment in state.shipments:
        yield problem("vault_stock.shipment-known", "shipment", shipment=command.shipment)
    if not CODE.fullmatch(command.shipment):
        yield problem("vault_stock.code-unfit", "shipment")
    if not command.site:
        yield problem("vault_stock.site-missing", "site")
    if not any(command.units.values()):
        yield problem("vault_stock.shipment-empty", "units")
    yield from _unshippable(state, command.units)
    log = _log(study, command.log)
    if isinstance(log, Problem):
        yield log
        return
    file = hashlib.sha256(command.log.encode()).hexdigest()
    warmest = _celsius(log.warmest) if log else ""
    yield entries.ShipmentReceived(
        command.shipment, command.site, command.units, file, warmest, _kept(command.log)
    )
    if log and log.minutes:
        warm = [each.warmest for each in log.excursions if each.warmest is not None]
        yield entries.ExcursionRecorded(command.shipment, log.minutes, _celsius(max(warm)) if warm else "")


def _unshippable(state: Stock, units: Mapping[str, tuple[str, ...]]) -> Iterator[Problem]:
    for lot, serials in units.items():
        if lot not in state.lots:
            yield problem("vault_stock.lot-unknown", "units", lot=lot)
            continue
        if len(set(serials)) < len(serials):
            yield problem("vault_stock.units-repeat", "units")
        for serial in serials:
            unit = state.unit(lot, serial)
            if unit is None:
                yield problem("vault_stock.unit-unknown", "units", lot=lot, unit=serial)
            elif unit.at != DEPOT or unit.state != "IN_STOCK":
                yield problem("vault_stock.unit-not-at-the-depot", "units", lot=lot, unit=serial)


def _log(study: Study, text: str) -> TemperatureLog | Problem | None:
    """The file, judged; None in a study that names no highest temperature, where no file is asked for."""
    if not study.supply.warmest:
        return None
    try:
        limit = Decimal(study.supply.warmest)
    except InvalidOperation:
        return problem("vault_stock.no-limit-of-temperature", "log")
    return read_log(text, limit)


def _celsius(value: Decimal) -> str:
    return f"{value:f}"


def _kept(text: str) -> str:
    """The file as the ledger keeps texts: lines ended in one way, without a mark of byte order."""
    return "\n".join(text.removeprefix("\ufeff").splitlines())


def _excursion(
    study: Study, state: Stock, facts: VaultFacts, command: commands.RecordExcursion, occasion: Occasion
) -> _Found:
    if command.shipment not in state.shipments:
        yield problem("vault_stock.shipment-unknown", "shipment", shipment=command.shipment)
    if command.minutes < 1:
        yield problem("vault_stock.not-an-amount", "minutes")
    if command.warmest:
        try:
            Decimal(command.warmest)
        except InvalidOperation:
            yield problem("vault_stock.not-an-amount", "warmest")
    yield entries.ExcursionRecorded(command.shipment, command.minutes, command.warmest)


def _decide_excursion(
    study: Study, state: Stock, facts: VaultFacts, command: commands.DecideExcursion, occasion: Occasion
) -> _Found:
    if command.shipment not in state.shipments:
        yield problem("vault_stock.shipment-unknown", "shipment", shipment=command.shipment)
    elif not of_shipment(state, command.shipment, "QUARANTINED"):
        yield problem("vault_stock.nothing-in-quarantine", "shipment", shipment=command.shipment)
    if not command.reason.strip():
        yield problem("vault_stock.reason-required", "reason")
    yield entries.ExcursionDecided(command.shipment, command.decision, command.reason)


def _here(state: Stock, lot: str, site: str) -> frozenset[str]:
    """Units of the lot that should be found at the site, whatever may be done with them."""
    there = ("IN_STOCK", "QUARANTINED", "CONDEMNED")
    units = state.lots[lot].units if lot in state.lots else {}
    return frozenset(serial for serial, unit in units.items() if unit.at == site and unit.state in there)


def _destroy(
    study: Study, state: Stock, facts: VaultFacts, command: commands.DestroyUnits, occasion: Occasion
) -> _Found:
    lot = _lot(state, command.lot)
    if isinstance(lot, Problem):
        yield lot
    elif not command.units or len(set(command.units)) < len(command.units):
        yield problem("vault_stock.units-repeat", "units")
    for serial in sorted(set(command.units) - _here(state, command.lot, command.site)):
        yield problem("vault_stock.unit-not-there", "units", lot=command.lot, unit=serial)
    if not command.reason.strip():
        yield problem("vault_stock.reason-required", "reason")
    yield from second_person_faults(facts, command.witness, "witness")
    yield entries.UnitsDestroyed(command.lot, command.site, command.units, command.witness, command.reason)


def _count(
    study: Study, state: Stock, facts: VaultFacts, command: commands.CountStock, occasion: Occasion
) -> _Found:
    lot = _lot(state, command.lot)
    if isinstance(lot, Problem):
        yield lot
    found, expected = set(command.found), _here(state, command.lot, command.site)
    if len(found) < len(command.found):
        yield problem("vault_stock.units-repeat", "found")
    missing, surplus = tuple(sorted(expected - found)), tuple(sorted(found - expected))
    yield entries.StockCounted(command.lot, command.site, len(found), len(expected), missing, surplus)


_Judge = Callable[[Study, Stock, VaultFacts, Any, Occasion], _Found]
"""Any: the one command type under which it stands."""
_JUDGES: Mapping[type, _Judge] = {
    commands.ReceiveLot: _receive,
    commands.RecordTests: _tests,
    commands.ReleaseLot: _release,
    commands.RejectLot: _reject,
    commands.RecallLot: _recall,
    commands.ReceiveShipment: _ship,
    commands.RecordExcursion: _excursion,
    commands.DecideExcursion: _decide_excursion,
    commands.DestroyUnits: _destroy,
    commands.CountStock: _count,
}
