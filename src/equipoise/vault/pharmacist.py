"""The people behind a rehearsal's second door: a pharmacist who resupplies, prepares, spills a bag, and takes one back.

The rules that must stay true: a rehearsal only; everything is a command given by a person who may give it, in the order
of the study's own bench; what goes wrong is drawn from a seed by rates that are data; the same steps, the same waits
and the same draws for every product. Nothing here knows a product's name.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from equipoise.ledger.vault_entries import BagPrepared
from equipoise.randomization.draws import Draws
from equipoise.vault.bench import commands as bench
from equipoise.vault.bench.scan import request_payload, unit_payload
from equipoise.vault.facts import Keeper, Purpose
from equipoise.vault.stock import commands as stock
from equipoise.vault.stock.availability import on_shelf, unit_faults
from equipoise.vault.stock.evolve import Stock
from equipoise.vault.vault import Vault
from equipoise.words.clock import SetClock
from equipoise.words.problem import Problem

STEP = dt.timedelta(minutes=2)
"""How long a step takes that the study gives no time for."""
TRIES = 3
"""Bags prepared for one request at most: the last one always succeeds."""
SHELF_DAYS = 365
"""Days for which a lot of a rehearsal may be used."""


class Refused(Exception):
    """A command of a rehearsal's pharmacist was refused; what stands against it."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(", ".join(one.rule for one in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Rates:
    """How often something goes wrong at the bench (shares of preparations), and the usual viability in percent."""

    spilled: float = 0.0
    thaw_failed: float = 0.0
    viability: tuple[float, float] = (88.0, 4.0)

    @classmethod
    def read(cls, written: Mapping[str, object]) -> Rates:
        """The rates as the rehearsal's control line gives them. Raises ValueError for what are none."""
        spilled, failed = (float(str(written.get(name, 0))) for name in ("spilled", "thaw_failed"))
        mean, spread = (float(str(each)) for each in cast("list[object]", written.get("viability", [88, 4])))
        if not (0 <= spilled < 1 and 0 <= failed < 1 and spread >= 0):
            raise ValueError("rates lie from 0 to 1")
        return cls(spilled, failed, (mean, spread))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A bag that is ready: its number, the arm whose product is in it (an id), and bags lost before it."""

    bag: str
    arm: str
    lost: int


@dataclass
class Pharmacist:
    """Works at the bench of one rehearsal's vault, by its clock."""

    vault: Vault
    clock: SetClock
    rates: Rates
    draws: Draws
    keys: int = 0
    lots: int = 0
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("bags", "lost", "lots", "shipments"), 0)
    )

    def must(self, keeper: Keeper, command: object) -> None:
        """Give a command. Raises Refused."""
        self.keys += 1
        outcome = self.vault.submit(keeper, command, key=f"rehearsed {self.clock.at:%Y%m%d} {self.keys}")
        if not outcome.accepted:
            raise Refused(outcome.problems)

    def keeper(self, purpose: Purpose, site: str | None = None, other_than: str = "") -> Keeper:
        """The first person, by id, who may act for a purpose, at a site or everywhere. Raises LookupError."""
        with self.vault.reading() as reader:
            grants = self.vault.known(reader).told.grants
        for actor in sorted(grants):
            here = site is None or any(place in (site, None) for _, place in grants[actor])
            found = self.vault.who(actor, purpose) if here and actor != other_than else None
            if found is not None:
                return found
        raise LookupError(f"nobody is enrolled for {purpose} at {site or 'any site'}")

    # --- stock -------------------------------------------------------------------------------------------------

    def shelf(self) -> Stock:
        """What is in stock, everywhere."""
        with self.vault.reading() as reader:
            return cast("Stock", self.vault.state(reader, stock.ReleaseLot("")))

    def supply(self, site: str) -> None:
        """A shipment of every product, in equal number, where a site's shelf has come to its reserve."""
        plan = self.vault.study.supply
        here = on_shelf(self.shelf(), site, self.clock.at.date())
        if all(here.get(one.id, 0) > plan.shipment_reserve for one in plan.products):
            return
        receiver = self.keeper("BENCH", site)
        checker = self.keeper("CHECK", other_than=receiver.actor)
        units = tuple(f"{number:02d}" for number in range(1, plan.shipment_units + 1))
        expiry = (self.clock.at + dt.timedelta(days=SHELF_DAYS)).date().isoformat()
        arrived: dict[str, tuple[str, ...]] = {}
        for product in plan.products:
            self.lots += 1
            lot = f"{'ABCDEFGHJK'[self.lots % 10]}{self.lots:04d}"
            certificate = hashlib.sha256(f"made up: {lot}".encode()).hexdigest()
            self.must(
                receiver,
                stock.ReceiveLot(
                    lot, product.id, units, expiry, certificate, "P5", "2.0e7", "8", "92", "PASS", "PASS"
                ),
            )
            self.must(checker, stock.ReleaseLot(lot))
            arrived[lot] = units
        self.counts["lots"] += len(arrived)
        self.counts["shipments"] += 1
        name = f"SH-{self.counts['shipments']:04d}"
        self.must(receiver, stock.ReceiveShipment(name, site, arrived, self._log()))

    def _log(self) -> str:
        begin = self.clock.at.replace(microsecond=0) - dt.timedelta(hours=2)
        rows = [
            f"{(begin + dt.timedelta(minutes=30 * place)).isoformat()},-17{place + 2}" for place in range(4)
        ]
        return "\n".join(["time,temperature", *rows]) + "\n"

    def _unit(self, product: str, site: str) -> tuple[str, str, dt.date]:
        """The next usable unit of a product at a site: lot, serial number, expiry."""
        held, today = self.shelf(), self.clock.at.date()
        for name, lot in sorted(held.lots.items()):
            for serial in sorted(lot.units):
                if not any(unit_faults(held, name, serial, product=product, site=site, today=today)):
                    return name, serial, dt.date.fromisoformat(lot.certificate.expiry)
        raise LookupError(f"no unit on the shelf of {site}")

    # --- bench -------------------------------------------------------------------------------------------------

    def prepare(self, request: str) -> Prepared:
        """Prepare until a bag is ready; every one that is lost on the way is replaced. Raises Refused."""
        with self.vault.reading() as reader:
            wanted = self.vault.known(reader).told.wanted.get(request)
        if wanted is None:
            raise LookupError(f"no request {request} came here")
        self.supply(wanted.site)
        for attempt in range(TRIES):
            bag, product = self._try(request, wanted.site, fails=attempt < TRIES - 1)
            if bag:
                self.counts["bags"] += 1
                arm = next(one.arm for one in self.vault.study.supply.products if one.id == product)
                return Prepared(bag, arm or "", attempt)
            self.counts["lost"] += 1
        raise AssertionError("the last try does not fail")

    def _try(self, request: str, site: str, *, fails: bool) -> tuple[str, str]:
        """One preparation by the study's bench; the bag (empty: lost) and the product."""
        pharmacist = self.keeper("BENCH", site)
        second = self.keeper("CHECK", other_than=pharmacist.actor).actor
        self.must(pharmacist, bench.OpenPreparation(request))
        with self.vault.reading() as reader:
            product = self.vault.facts(reader, pharmacist, bench.OpenPreparation(request)).product or ""
        cells = {one.id: one.cellular for one in self.vault.study.supply.products}
        drawn, viability = self._chance(), self._viability()
        for step in self.vault.study.supply.bench:
            pair = second if step.two_persons else ""
            self.clock.at += dt.timedelta(minutes=step.minutes) if step.minutes else STEP
            match step.kind:
                case "scan_unit":
                    lot, serial, expiry = self._unit(product, site)
                    command: object = bench.TakeUnit(request, unit_payload(lot, serial, expiry), pair)
                case "viability":
                    command = bench.MeasureViability(request, viability if cells[product] else "", pair)
                case "fill":
                    command = bench.FillBag(request, pair)
                case _:
                    command = bench.DoStep(request, step.id, pair)
            self.must(pharmacist, command)
            if fails and step.kind == "thaw" and drawn < self.rates.thaw_failed:
                self.must(pharmacist, bench.FailPreparation(request, "THAW_FAILED", again=True))
                return "", product
            if fails and step.kind == "fill" and drawn > 1 - self.rates.spilled:
                self.must(pharmacist, bench.FailPreparation(request, "SPILLED", again=True))
                return "", product
        bag = self._bag(request)
        self.clock.at += STEP
        self.must(pharmacist, bench.VerifyBag(request, bag, request_payload(request), second))
        return bag, product

    def _chance(self) -> float:
        return self.draws.below(1_000_000) / 1_000_000

    def _viability(self) -> str:
        """About normal: the mean of twelve draws has a twelfth of the variance of one (1/12 each)."""
        mean, spread = self.rates.viability
        least = float(self.vault.study.supply.viability_at_least or 0)
        drawn = mean + spread * (sum(self._chance() for _ in range(12)) - 6)
        return f"{min(max(drawn, least + 1), 99):.0f}"

    def _bag(self, request: str) -> str:
        with self.vault.reading() as reader:
            made = [
                one.entry for one in reader.entries(f"bench/{request}") if isinstance(one.entry, BagPrepared)
            ]
        return made[-1].bag

    def take_back(self, request: str, site: str, bag: str, remaining: str) -> None:
        """A bag came back from the ward."""
        self.must(self.keeper("BENCH", site), bench.ReceiveBag(request, bag, remaining))
