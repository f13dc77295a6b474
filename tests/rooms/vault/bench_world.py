"""A pharmacy without a vault around it: rooms decided and folded in memory, a study with two products, two persons.

Numbers of the study are this file's own, chosen so that the sums can be done by hand.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from typing import Any

from equipoise.ledger.entries import Append, Header, Recorded
from equipoise.ledger.facts import Occasion, Refusal
from equipoise.protocol.study import BenchStep, Product, Study, Supply
from equipoise.vault.bench import commands as bench
from equipoise.vault.bench import decide as bench_decide
from equipoise.vault.bench import evolve as bench_evolve
from equipoise.vault.bench.scan import unit_payload
from equipoise.vault.facts import VaultFacts, Wanted
from equipoise.vault.stock import commands as stock
from equipoise.vault.stock import decide as stock_decide
from equipoise.vault.stock import evolve as stock_evolve
from equipoise.words.text import Text

NINE = dt.datetime(2027, 3, 1, 9, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
EXPIRY = dt.date(2027, 6, 30)
CELLS, VEHICLE = "cells", "vehicle"
ANNA, BEN, CARL = "anna", "ben", "carl"
ROLES = {ANNA: ("pharmacist",), BEN: ("pharmacy_checker",), CARL: ("pharmacist",)}
CERTIFICATE = hashlib.sha256(b"certificate").hexdigest()
COLD = "time,temperature\n2027-02-01T08:00:00Z,-170.5\n2027-02-01T08:30:00Z,-168\n2027-02-01T09:00:00Z,-171\n"


def _step(name: str, kind: str = "do", *, two: bool = False, minutes: int = 0) -> BenchStep:
    label = Text(name, f"步骤{name}")
    return BenchStep(
        id=name, label=label, sham=label, kind=kind, two_persons=two, minutes=minutes, source="here"
    )


def make_study(**changes: Any) -> Study:
    supply = Supply(
        products=(
            Product(id=CELLS, arm="A", label=Text("Cells", "细胞"), cellular=True, source="here"),
            Product(id=VEHICLE, arm="B", label=Text("Vehicle", "载液"), cellular=False, source="here"),
        ),
        bench=(
            _step("read-aloud", two=True),
            _step("take", "scan_unit"),
            _step("thaw", "thaw"),
            _step("count", "viability", minutes=10),
            _step("fill", "fill"),
            _step("mask", two=True),
        ),
        volume="100",
        cells_per_kg="1.0e6",
        cells_at_most="1.0e8",
        viability_at_least="70",
        warmest="-150",
        use_within=120,
        release_before=30,
        source="here",
    )
    study = Study(
        notation=1, id="demo", version="1", dated="2026-11-22", title=Text("Demo", "演示"), source="here"
    )
    return study.model_copy(update={"supply": supply.model_copy(update=changes)})


STUDY = make_study()


def lot(lot: str, product: str, units: tuple[str, ...] = ("01", "02", "03", "04"), **changes: Any):
    made = stock.ReceiveLot(
        lot, product, units, EXPIRY.isoformat(), CERTIFICATE, "P4", "2e7", "8", "90", "PASS", "PASS"
    )
    return dataclasses.replace(made, **changes)


class Pharmacy:
    """One bench in memory. Every accepted command is folded; `entries` is everything in order."""

    def __init__(self, study: Study = STUDY) -> None:
        self.study, self.now, self.actor = study, NINE, ANNA
        self.stock = stock_evolve.START
        self.benches: dict[str, bench_evolve.State] = {}
        self.wanted: dict[str, Wanted] = {}
        self.products: dict[str, str] = {}
        self.over: frozenset[str] = frozenset()
        self.sites: frozenset[str] | None = None
        self.entries: list[Recorded] = []
        self.seqs: dict[str, int] = {}
        self.draws = 0

    # --- the world around ---
    def want(self, request: str, subject: str, product: str, **changes: Any) -> None:
        wanted = Wanted(request, subject, "D1", (self.now + HOUR).isoformat(), "60", "01")
        self.wanted[request] = dataclasses.replace(wanted, **changes)
        self.products[request] = product

    def change(self, request: str, **changes: Any) -> None:
        self.wanted[request] = dataclasses.replace(self.wanted[request], **changes)

    def facts(self, command: object) -> VaultFacts:
        request = getattr(command, "request", "")
        known = request in self.wanted
        return VaultFacts(
            actor=self.actor,
            actor_sites=self.sites,
            wanted=self.wanted.get(request),
            bags_over=self.over,
            roles=ROLES,
            number=f"R-{self.wanted[request].subject}" if known else None,
            product=self.products.get(request),
        )

    # --- acting ---
    def give(self, command: object, facts: VaultFacts | None = None) -> tuple[str, ...]:
        """The rules of a refusal; empty when the command was accepted and folded."""
        self.draws += 1
        fresh = tuple(hashlib.sha256(f"{self.draws} {place}".encode()).hexdigest()[:16] for place in (1, 2))
        occasion = Occasion(self.now, "UTC", fresh)
        facts = facts or self.facts(command)
        if type(command) in bench.COMMANDS:
            request = str(getattr(command, "request"))  # noqa: B009
            decision = bench_decide.decide(self.study, self.bench(request), facts, command, occasion)
            allowed = {*bench.streams(command), "statements"}
        else:
            decision = stock_decide.decide(self.study, self.stock, facts, command, occasion)
            allowed = {*stock.streams(command), "statements"}
        if isinstance(decision, Refusal):
            for one in decision.problems:  # every refusal has its words, with nothing left open
                assert "{" not in one.say("en") + one.say("zh"), one
                assert one.say("en") != one.rule
            return tuple(one.rule for one in decision.problems)
        assert {append.stream for append in decision} <= allowed
        for append in decision:
            self._fold(append)
        return ()

    def must(self, command: object) -> None:
        assert self.give(command) == ()

    def bench(self, request: str) -> bench_evolve.State:
        held = self.benches.get(request, bench_evolve.START)
        return dataclasses.replace(held, stock=self.stock)

    def _fold(self, append: Append) -> None:
        seq = self.seqs[append.stream] = self.seqs.get(append.stream, 0) + 1
        header = Header(
            1, "demo", append.stream, seq, "", append.entry.kind, "", self.actor, "BENCH", self.now.isoformat(),
            None, None, "k", 0, "", (),
        )  # fmt: skip
        recorded = Recorded(header, f"leaf {append.stream} {seq}", append.entry)
        self.entries.append(recorded)
        if append.stream == "stock":
            self.stock = stock_evolve.evolve(self.stock, recorded)
        elif append.stream.startswith("bench/"):
            request = append.stream.removeprefix("bench/")
            held = self.benches.get(request, bench_evolve.START)
            self.benches[request] = bench_evolve.evolve(held, recorded)

    def kinds(self, stream: str) -> list[str]:
        return [one.header.kind for one in self.entries if one.header.stream == stream]

    def last(self, kind: str) -> Any:
        return next(one.entry for one in reversed(self.entries) if one.header.kind == kind)

    # --- whole courses ---
    def supply(self, *, units: int = 8) -> None:
        """A released lot of each product on the shelf of site 01."""
        serials = tuple(f"{number:02d}" for number in range(1, units + 1))
        for name, product in (("C1", CELLS), ("V1", VEHICLE)):
            self.must(lot(name, product, serials))
            self.actor = BEN
            self.must(stock.ReleaseLot(name))
            self.actor = ANNA
        self.must(stock.ReceiveShipment("S1", "01", {"C1": serials, "V1": serials}, COLD))

    def label(self, request: str, serial: str) -> str:
        return unit_payload("C1" if self.products[request] == CELLS else "V1", serial, EXPIRY)

    def until_filled(self, request: str, serial: str = "01", viability: str = "80") -> str:
        """Open and fill; the bag's number."""
        self.must(bench.OpenPreparation(request))
        self.must(bench.DoStep(request, "read-aloud", BEN))
        self.must(bench.TakeUnit(request, self.label(request, serial)))
        self.must(bench.DoStep(request, "thaw"))
        self.now += dt.timedelta(minutes=10)
        cellular = self.products[request] == CELLS
        self.must(bench.MeasureViability(request, viability if cellular else ""))
        self.must(bench.FillBag(request))
        return self.last("BagPrepared").bag

    def until_ready(self, request: str, serial: str = "01", viability: str = "80") -> str:
        bag = self.until_filled(request, serial, viability)
        self.must(bench.DoStep(request, "mask", BEN))
        self.must(bench.VerifyBag(request, bag, f"EQ.REQ.{request}", BEN))
        return bag

    def until_out(self, request: str, serial: str = "01") -> str:
        bag = self.until_ready(request, serial)
        self.now = max(self.now, dt.datetime.fromisoformat(self.wanted[request].at))
        self.must(bench.HandOver(request, bag))
        return bag
