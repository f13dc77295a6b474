"""The shelves of a rehearsal: lots and shipments from a study's `demo.yaml`, received and released by made-up people.

The rules that must stay true: a rehearsal only; everything is a command given by a person who may give it, in the
order in which a pharmacy would; a step that is refused stops the filling and says why. Nothing here knows a product.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from yaml import YAMLError

from equipoise.vault.facts import Keeper, Purpose
from equipoise.vault.stock import commands as stock
from equipoise.vault.stock.serials import serials
from equipoise.vault.vault import Vault
from equipoise.words.problem import Problem, problem
from equipoise.words.yaml_text import yaml_values

Plan = Mapping[str, Any]  # Any: as written in demo.yaml
EVERY = dt.timedelta(minutes=30)
"""Time between two readings of a made-up temperature file."""


def read_plan(study_folder: Path) -> Plan | Problem:
    """The section `stock` of a study's `demo.yaml`; empty where there is none."""
    path = study_folder / "demo.yaml"
    try:
        written = yaml_values(path.read_text("utf-8"))
        return dict(written.get("stock") or {})
    except (OSError, UnicodeDecodeError, YAMLError, AttributeError, ValueError, TypeError) as fault:
        return problem("vault.demo-unreadable", str(path), reason=fault)


def fill_shelves(vault: Vault, plan: Plan) -> tuple[Problem, ...]:
    """Give every command of the plan. The faults of the first that is refused, or nothing."""
    if vault.purpose != "rehearsal":
        return (problem("vault.rehearsal-only"),)
    receiver = _keeper(vault, "BENCH", at={str(one["site"]) for one in plan.get("shipments", ())})
    checker = _keeper(vault, "CHECK", other_than=receiver)
    if receiver is None or checker is None:
        return (problem("vault.demo-without-pharmacy"),) if plan else ()
    try:
        steps = [
            (receiver if by == "BENCH" else checker, command) for by, command in _steps(plan, vault.now())
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        return (problem("vault.demo-unreadable", "stock", reason=fault),)
    for number, (keeper, command) in enumerate(steps):
        outcome = vault.submit(keeper, command, key=f"rehearsed stock {number}")
        if not outcome.accepted:
            return outcome.problems
    return ()


def _keeper(
    vault: Vault, purpose: Purpose, other_than: Keeper | None = None, at: Collection[str] = ()
) -> Keeper | None:
    """The first person who may act for a purpose: who works at one of the sites `at` before others, then by id."""
    with vault.reading() as reader:
        grants = vault.known(reader).told.grants
    actors = sorted(grants, key=lambda one: (not any(site in at for _, site in grants[one]), one))
    but = other_than.actor if other_than else ""
    return next((found for one in actors if one != but and (found := vault.who(one, purpose))), None)


def _steps(plan: Plan, now: dt.datetime) -> Iterator[tuple[Purpose, object]]:
    for lot in plan.get("lots", ()):
        certificate = hashlib.sha256(f"made up: {lot['lot']}".encode()).hexdigest()
        expiry = now.date() + dt.timedelta(days=int(lot["days_left"]))
        yield "BENCH", stock.ReceiveLot(
            lot["lot"], lot["product"], serials(lot["units"]) or (), expiry.isoformat(), certificate,
            lot.get("passage", ""), lot.get("count", ""), lot.get("volume", ""), lot.get("viability", ""), "PASS",
            "PASS",
        )  # fmt: skip
        if lot.get("released", True):
            yield "CHECK", stock.ReleaseLot(lot["lot"])
    for one in plan.get("shipments", ()):
        units = {lot: serials(text) or () for lot, text in one["units"].items()}
        yield "BENCH", stock.ReceiveShipment(one["shipment"], one["site"], units, _log(one["celsius"], now))


def _log(celsius: list[str], now: dt.datetime) -> str:
    """A temperature file whose last reading was taken just now."""
    begin = now.replace(microsecond=0) - EVERY * len(celsius)
    rows = [f"{(begin + EVERY * place).isoformat()},{value}" for place, value in enumerate(celsius)]
    return "\n".join(["time,temperature", *rows]) + "\n"
