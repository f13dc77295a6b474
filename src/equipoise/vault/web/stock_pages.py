"""The stock: lots with their certificates, shipments with their temperature files, counts, recall, accountability.

The rule that must stay true: these pages hold lots and products and are therefore of this door alone, for the pharmacy;
what a form brings is read into one command and judged by the room, never by the page.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from typing import cast

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from equipoise.pages import problems
from equipoise.vault.facts import Keeper
from equipoise.vault.stock import commands as stock
from equipoise.vault.stock.accountability import accountability, bag_balance, balances
from equipoise.vault.stock.availability import expired, on_shelf, product_of
from equipoise.vault.stock.evolve import Lot, Stock, of_shipment
from equipoise.vault.stock.recall import affected
from equipoise.vault.stock.resupply import Policy, propose, short_of
from equipoise.vault.stock.serials import serials
from equipoise.vault.stock.temperature import BYTES_AT_MOST
from equipoise.vault.vault import Vault
from equipoise.vault.web.request import Asked, at_site, found, kept, new_key
from equipoise.vault.web.second_person import choices, names, second_of
from equipoise.words.problem import Problem, problem

LOTS = {
    "QUARANTINE": ("vault_stock.state-quarantine", "warn"),
    "RELEASED": ("vault_stock.state-released", "good"),
    "REJECTED": ("vault_stock.state-rejected", "bad"),
    "RECALLED": ("vault_stock.state-recalled", "bad"),
    "EXPIRED": ("vault_stock.state-expired", "bad"),
}
UNITS = {
    "IN_STOCK": "vault_stock.unit-state-in-stock",
    "QUARANTINED": "vault_stock.unit-state-quarantined",
    "CONDEMNED": "vault_stock.unit-state-condemned",
    "USED": "vault_stock.unit-state-used",
    "DESTROYED": "vault_stock.unit-state-destroyed",
    "LOST": "vault_stock.unit-state-lost",
}
REACHED = {
    "GIVEN": ("vault_stock.reached-given", "bad"),
    "RUNNING": ("vault_stock.reached-running", "bad"),
    "AT_THE_WARD": ("vault_stock.reached-at-the-ward", "warn"),
    "NOT_GIVEN": ("vault_stock.reached-not-given", "plain"),
}
ACTS = {
    "LotReceived": "vault_stock.act-lot-received",
    "LotTested": "vault_stock.act-lot-tested",
    "LotReleased": "vault_stock.act-lot-released",
    "LotRejected": "vault_stock.act-lot-rejected",
    "LotRecalled": "vault_stock.act-lot-recalled",
    "BagsCalledBack": "vault_stock.act-bags-called-back",
    "ShipmentReceived": "vault_stock.act-shipment-received",
    "ExcursionRecorded": "vault_stock.act-excursion-recorded",
    "ExcursionDecided": "vault_stock.act-excursion-decided",
    "UnitsDestroyed": "vault_stock.act-units-destroyed",
    "StockCounted": "vault_stock.act-stock-counted",
    "UnitTaken": "vault_stock.act-unit-taken",
    "BagPrepared": "vault_stock.act-bag-prepared",
    "BagVerified": "vault_stock.act-bag-verified",
    "PreparationFailed": "vault_stock.act-preparation-failed",
    "BagHandedOver": "vault_stock.act-bag-handed-over",
    "BagTakenBack": "vault_stock.act-bag-taken-back",
    "BagDestroyed": "vault_stock.act-bag-destroyed",
}
RESULTS = {
    "PASS": "vault_stock.result-pass",
    "FAIL": "vault_stock.result-fail",
    "PENDING": "vault_stock.result-pending",
}


def opened() -> Vault:
    """The vault itself: these pages ask more of it than the shell does."""
    return cast(Vault, settings.VAULT)


def _stock() -> Stock:
    vault = opened()
    with vault.reading() as reader:
        return cast(Stock, vault.state(reader, stock.CountStock("", "", ())))


def _look(lot: Lot) -> tuple[str, str]:
    """Words and colour of a lot's state; a released lot that expired is shown as expired."""
    late = lot.state == "RELEASED" and expired(lot, opened().now().date())
    return LOTS["EXPIRED" if late else lot.state]


@require_GET
@kept("BENCH", "CHECK")
def index(request: Asked, keeper: Keeper) -> HttpResponse:
    """Lots, shipments, what is on the shelves, and what should be sent."""
    held, study = _stock(), opened().study
    today = opened().now().date()
    policy = Policy(study.supply.shipment_units, study.supply.shipment_reserve)
    lots = [
        {"balance": one, "look": _look(held.lots[one.lot]), "product": _product(one.product)}
        for one in balances(held)
    ]
    shipments = [
        {"name": name, "shipment": one, "waiting": bool(of_shipment(held, name, "QUARANTINED")),
         "units": sum(len(serials) for serials in one.units.values())}
        for name, one in held.shipments.items()
    ]  # fmt: skip
    shelves = [
        {
            "site": site, "shelf": [(_product(name), count) for name, count in on_shelf(held, site.id, today).items()],
            "proposal": propose(study, held, site.id, policy) if policy.each else None, "each": policy.each,
            "short": [_product(name) for name in short_of(study, held, site.id, policy, today)] if policy.each else [],
        }
        for site in study.sites
    ]  # fmt: skip
    context = {"lots": lots, "shipments": shipments, "shelves": shelves, "may": keeper.purpose == "BENCH"}
    return render(request, "vault/stock.html", context | {"at": "/stock"})


def _product(name: str) -> object:
    known = product_of(opened().study, name)
    return known.label if known else name


# --- lots --------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@kept("BENCH")
def new_lot(request: Asked, keeper: Keeper) -> HttpResponse:
    """Receive a lot."""
    shown: tuple[Problem, ...] = ()
    if request.method == "POST":
        units = serials(_post(request, "units"))
        command = stock.ReceiveLot(
            _post(request, "lot"), _post(request, "product"), units or (), _post(request, "expiry"),
            _digest(request, "certificate"), _post(request, "passage"), _post(request, "count"),
            _post(request, "volume"), _post(request, "viability"), _result(request, "sterility"),
            _result(request, "identity"),
        )  # fmt: skip
        outcome = opened().submit(keeper, command, key=_key(request))
        if outcome.accepted:
            return redirect(f"/stock/lots/{command.lot}")
        shown = outcome.problems
    products = [(each.id, each.label) for each in opened().study.supply.products]
    context = {"products": products, "problems": shown, "given": request.POST, "results": RESULTS,
               "key": new_key(), "at": "/stock"}  # fmt: skip
    return _rendered(request, "vault/stock_lot_new.html", context, shown)


@require_GET
@kept("BENCH", "CHECK")
def one_lot(request: Asked, keeper: Keeper, name: str) -> HttpResponse:
    """A lot: certificate, units, who got one, and what may be decided."""
    return _lot_page(request, keeper, name)


def _lot_page(request: Asked, keeper: Keeper, name: str, shown: tuple[Problem, ...] = ()) -> HttpResponse:
    vault = opened()
    with vault.reading() as reader:
        told = vault.known(reader).told
        held = cast(Stock, vault.state(reader, stock.CountStock("", "", ())))
    lot = found(held.lots.get(name))
    got = [
        {
            "one": one, "look": REACHED[one.reached], "number": told.numbers.get(one.subject, one.subject),
            "given_to": told.numbers.get(one.given_to, one.given_to) if one.given_to != one.subject else "",
            "site": told.sites.get(one.given_to or one.subject, ""),
        }
        for one in affected(held, name, told.hung, told.wanted)
    ]  # fmt: skip
    places = [("", None), *((site.id, site.name) for site in vault.study.sites)]
    sites = told.sites_of(keeper.actor)
    mine = [one for one in got if sites is None or one["site"] in sites]
    units = [
        {"serial": serial, "unit": unit, "says": UNITS[unit.state]} for serial, unit in lot.units.items()
    ]
    context = {
        "name": name, "lot": lot, "look": _look(lot), "product": _product(lot.certificate.product),
        "got": mine, "elsewhere": len(got) - len(mine), "units": units, "sites": places,
        "received_by": names().get(lot.received_by, lot.received_by),
        "decided_by": names().get(lot.decided_by, lot.decided_by), "results": RESULTS,
        "pending": "PENDING" in (lot.certificate.sterility, lot.certificate.identity),
        "may": keeper.purpose == "BENCH", "seconds": choices(keeper.actor), "problems": shown, "key": new_key(),
        "at": "/stock",
    }  # fmt: skip
    return _rendered(request, "vault/stock_lot.html", context, shown)


@require_POST
@kept("BENCH", "CHECK")
def act_on_lot(request: Asked, keeper: Keeper, name: str, what: str) -> HttpResponse:
    """One decision on a lot."""
    making = found(_ON_LOTS.get(what))
    second = second_of(request) if what == "destroy" else ""
    command = second if isinstance(second, Problem) else making(request, name, second)
    if not isinstance(command, Problem):
        outcome = opened().submit(keeper, command, key=_key(request))
        if outcome.accepted:
            return redirect(f"/stock/lots/{name}")
        return _lot_page(request, keeper, name, outcome.problems)
    return _lot_page(request, keeper, name, (command,))


def _tested(request: Asked, lot: str, second: str) -> object:
    return stock.RecordTests(
        lot, _result(request, "sterility"), _result(request, "identity"), _digest(request, "certificate")
    )


def _listed(request: Asked, name: str) -> tuple[str, ...] | Problem:
    found_ = serials(_post(request, name))
    return problem("vault_stock.code-unfit", name) if found_ is None else found_


def _destroyed(request: Asked, lot: str, second: str) -> object:
    units = _listed(request, "units")
    if isinstance(units, Problem):
        return units
    return stock.DestroyUnits(lot, _post(request, "site"), units, second, _post(request, "reason"))


def _counted(request: Asked, lot: str, second: str) -> object:
    units = _listed(request, "units")
    return units if isinstance(units, Problem) else stock.CountStock(lot, _post(request, "site"), units)


_ON_LOTS: dict[str, Callable[[Asked, str, str], object]] = {
    "release": lambda request, lot, second: stock.ReleaseLot(lot),
    "reject": lambda request, lot, second: stock.RejectLot(lot, _post(request, "reason")),
    "recall": lambda request, lot, second: stock.RecallLot(lot, _post(request, "reason")),
    "tests": _tested,
    "destroy": _destroyed,
    "count": _counted,
}


# --- shipments ---------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@kept("BENCH")
def new_shipment(request: Asked, keeper: Keeper) -> HttpResponse:
    """Receive a shipment with its temperature file."""
    held, shown = _stock(), tuple[Problem, ...]()
    at_depot = {
        name: [serial for serial, unit in lot.units.items() if unit.at == "" and unit.state == "IN_STOCK"]
        for name, lot in held.lots.items()
    }
    if request.method == "POST":
        lists = {name: _listed(request, f"units-{name}") for name in at_depot}
        units = {name: some for name, some in lists.items() if not isinstance(some, Problem) and some}
        shown = tuple(some for some in lists.values() if isinstance(some, Problem))
        command = stock.ReceiveShipment(
            _post(request, "shipment"), _post(request, "site"), units, _file(request, "log")
        )
        if not shown:
            outcome = opened().submit(keeper, command, key=_key(request))
            if outcome.accepted:
                return redirect(f"/stock/shipments/{command.shipment}")
            shown = outcome.problems
    study = opened().study
    lots = [
        {"name": name, "product": _product(held.lots[name].certificate.product), "left": len(some),
         "given": request.POST.get(f"units-{name}", "")}
        for name, some in at_depot.items() if some
    ]  # fmt: skip
    context = {"lots": lots, "sites": study.sites, "warmest": study.supply.warmest, "problems": shown,
               "given": request.POST, "key": new_key(), "at": "/stock"}  # fmt: skip
    return _rendered(request, "vault/stock_shipment_new.html", context, shown)


@require_GET
@kept("BENCH", "CHECK")
def one_shipment(request: Asked, keeper: Keeper, name: str) -> HttpResponse:
    """A shipment, its excursions, and what becomes of its units."""
    return _shipment_page(request, keeper, name)


def _shipment_page(
    request: Asked, keeper: Keeper, name: str, shown: tuple[Problem, ...] = ()
) -> HttpResponse:
    held = _stock()
    shipment = found(held.shipments.get(name))
    context = {
        "name": name, "shipment": shipment, "warmest": opened().study.supply.warmest,
        "units": {lot: ", ".join(some) for lot, some in shipment.units.items()},
        "waiting": {lot: ", ".join(some) for lot, some in of_shipment(held, name, "QUARANTINED").items()},
        "may": keeper.purpose == "BENCH", "problems": shown, "key": new_key(), "at": "/stock",
    }  # fmt: skip
    return _rendered(request, "vault/stock_shipment.html", context, shown)


@require_POST
@kept("BENCH", "CHECK")
def act_on_shipment(request: Asked, keeper: Keeper, name: str, what: str) -> HttpResponse:
    """An excursion found later, or the decision on one."""
    minutes = _post(request, "minutes")
    command: object = {
        "excursion": stock.RecordExcursion(
            name, int(minutes) if minutes.isdecimal() and len(minutes) < 7 else 0, _post(request, "warmest")
        ),
        "use": stock.DecideExcursion(name, "USE", _post(request, "reason")),
        "destroy": stock.DecideExcursion(name, "DESTROY", _post(request, "reason")),
    }.get(what)
    outcome = opened().submit(keeper, found(command), key=_key(request))
    if outcome.accepted:
        return redirect(f"/stock/shipments/{name}")
    return _shipment_page(request, keeper, name, outcome.problems)


# --- accountability ----------------------------------------------------------------------------------------------


@require_GET
@kept("BENCH", "CHECK")
def log(request: Asked, keeper: Keeper) -> HttpResponse:
    """The accountability log, latest first, with the balances of lots and bags."""
    vault = opened()
    with vault.reading() as reader:
        told = vault.known(reader).told
        held = cast(Stock, vault.state(reader, stock.CountStock("", "", ())))
        lines = accountability(reader.entries("stock"))
    people = names()
    rejected = {bag for wanted in told.wanted.values() for bag in wanted.rejected}
    sites = told.sites_of(keeper.actor)
    rows = [
        {
            "line": line, "at": at_site(line.at, line.site or None), "act": ACTS[line.act],
            "who": people.get(line.who, line.who), "second": people.get(line.second, line.second),
            "units": ", ".join(line.units), "number": told.numbers.get(line.subject, line.subject),
        }
        for line in reversed(lines)
        if sites is None or line.site in sites or not line.request
    ]  # fmt: skip
    lots = [dataclasses.asdict(one) | {"label": _product(one.product)} for one in balances(held)]
    context = {
        "rows": rows, "lots": lots, "bags": bag_balance(held, told.hung.values(), rejected), "at": "/stock",
    }  # fmt: skip
    return render(request, "vault/stock_log.html", context)


def _post(request: Asked, name: str) -> str:
    return request.POST.get(name, "").strip()[:20000]


def _key(request: Asked) -> str:
    return request.POST.get("key") or new_key()


def _result(request: Asked, name: str) -> stock.TestResult:
    given = _post(request, name)
    return cast(stock.TestResult, given if given in RESULTS else "PENDING")


def _digest(request: Asked, name: str) -> str:
    """SHA-256 of a file that was sent along; empty where none was."""
    sent = request.FILES.get(name)
    return hashlib.sha256(sent.read()).hexdigest() if sent is not None and sent.size else ""


def _file(request: Asked, name: str) -> str:
    """The text of a file that was sent along; bytes that are no text make a line that cannot be read."""
    sent = request.FILES.get(name)
    return sent.read(BYTES_AT_MOST + 1).decode("utf-8-sig", "replace") if sent is not None else ""


def _rendered(
    request: Asked, template: str, context: Mapping[str, object], shown: tuple[Problem, ...]
) -> HttpResponse:
    status = problems.status_of(shown) if shown else 200
    return render(request, template, dict(context), status=status)


urlpatterns: list[URLPattern] = [
    path("stock", index),
    path("stock/receive-lot", new_lot),
    path("stock/lots/<str:name>", one_lot),
    path("stock/lots/<str:name>/<str:what>", act_on_lot),
    path("stock/receive-shipment", new_shipment),
    path("stock/shipments/<str:name>", one_shipment),
    path("stock/shipments/<str:name>/<str:what>", act_on_shipment),
    path("stock/accountability", log),
]
