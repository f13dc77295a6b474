"""The bench through both doors: a request, a spilled bag and its replacement, the hand over, what the first door hears.

Source of the story: the issue's "Shows" (the pharmacist prepares two bags and one is spilled and replaced).
"""

from __future__ import annotations

import datetime as dt
import hashlib

import pytest

from equipoise.ledger import vault_entries as kinds
from equipoise.ledger.entries import (
    Append,
    BagReleased,
    InfusionStarted,
    PreparationRequested,
    RecallReceived,
)
from equipoise.vault.bench import commands as bench
from equipoise.vault.bench.scan import request_payload, unit_payload
from equipoise.vault.facts import Keeper
from equipoise.vault.stock import commands as stock
from equipoise.vault.stock.recall import affected
from rooms.vault.two_doors import Doors

CERTIFICATE = hashlib.sha256(b"certificate").hexdigest()
EXPIRY = dt.date(2027, 6, 30)
SERIALS = tuple(f"{number:02d}" for number in range(1, 9))
LOTS = {"LOT-A": "hUC-MSC", "LOT-B": "carrier"}
COLD = "time,temperature\n2026-05-30T08:00:00Z,-170\n2026-05-30T08:30:00Z,-168\n"


class Bench:
    """Two people of the pharmacy at the second door's bench."""

    def __init__(self, doors: Doors) -> None:
        self.doors, self.vault, self.count = doors, doors.vault, 0
        doors.exchange()
        for user, purpose in (("phar", "BENCH"), ("phar", "CHECK"), ("chk", "CHECK")):
            assert doors.enrol(user, purpose).accepted

    def give(self, command: object, user: str = "phar", purpose: str = "BENCH") -> tuple[str, ...]:
        self.count += 1
        keeper = self.vault.who(user, purpose)
        assert isinstance(keeper, Keeper)
        outcome = self.vault.submit(keeper, command, key=f"bench {self.count}")
        return tuple(one.rule for one in outcome.problems)

    def must(self, command: object, user: str = "phar", purpose: str = "BENCH") -> None:
        assert self.give(command, user, purpose) == ()

    def supply(self) -> None:
        for lot, product in LOTS.items():
            self.must(
                stock.ReceiveLot(
                    lot, product, SERIALS, EXPIRY.isoformat(), CERTIFICATE, "P5", "2e7", "8", "92", "PASS", "PASS"
                )
            )  # fmt: skip
            self.must(stock.ReleaseLot(lot), "chk", "CHECK")
        self.must(stock.ReceiveShipment("S1", "01", dict.fromkeys(LOTS, SERIALS), COLD))

    def ask(self, subject: str, request: str, minutes: int = 60) -> None:
        at = (self.doors.clock() + dt.timedelta(minutes=minutes)).isoformat(timespec="seconds")
        self.doors.randomize(subject, "N6-12/D14-45")
        self.doors.write(
            f"ask {request}",
            Append(
                f"subject/{subject}", PreparationRequested(request, "D1", at.replace("+00:00", "Z"), "62.5")
            ),
        )
        self.doors.exchange()

    def product(self, request: str) -> str:
        keeper = self.vault.who("phar", "BENCH")
        with self.vault.reading() as reader:
            product = self.vault.facts(reader, keeper, bench.OpenPreparation(request)).product
        assert product in LOTS.values()
        return product

    def prepare(self, request: str, serial: str) -> str:
        """Every step of the study's bench; the bag's number."""
        product = self.product(request)
        lot = next(name for name, each in LOTS.items() if each == product)
        wait = dt.timedelta(minutes=11)
        self.must(bench.OpenPreparation(request))
        self.must(bench.DoStep(request, "open-request", "chk"))
        self.must(bench.TakeUnit(request, unit_payload(lot, serial, EXPIRY)))
        self.doors.clock.at += wait
        self.must(bench.DoStep(request, "thaw"))
        self.must(bench.DoStep(request, "dilute"))
        self.doors.clock.at += wait
        self.must(bench.MeasureViability(request, "91" if product == "hUC-MSC" else ""))
        self.must(bench.FillBag(request))
        return self.state(request).preparation.current.bag

    def finish(self, request: str, bag: str) -> None:
        self.must(bench.DoStep(request, "mask", "chk"))
        self.must(bench.DoStep(request, "label", "chk"))
        self.must(bench.VerifyBag(request, bag, request_payload(request), "chk"))

    def state(self, request: str):
        with self.vault.reading() as reader:
            return self.vault.state(reader, bench.OpenPreparation(request))

    def heard(self, kind: type) -> list[object]:
        self.doors.exchange()
        with self.doors.desk.reading() as reader:
            return [
                one.entry for head in reader.streams() for one in reader.entries(head.stream)
                if isinstance(one.entry, kind)
            ]  # fmt: skip


@pytest.fixture
def pharmacy(doors: Doors) -> Bench:
    made = Bench(doors)
    made.supply()
    return made


def test_a_spilled_bag_is_replaced_and_the_first_door_hears_of_one_bag(pharmacy):
    request = "abcdefgh23456789"
    pharmacy.ask("subject1", request)
    spilled = pharmacy.prepare(request, "01")
    pharmacy.must(bench.FailPreparation(request, "SPILLED", again=True))
    bag = pharmacy.prepare(request, "02")
    pharmacy.finish(request, bag)
    pharmacy.vault.tick()
    assert pharmacy.heard(BagReleased) == []  # before the hour nothing is said
    pharmacy.doors.clock.at += dt.timedelta(hours=1)
    pharmacy.vault.tick()
    (released,) = pharmacy.heard(BagReleased)
    assert (released.request, released.bag) == (request, bag)
    assert spilled != bag
    pharmacy.vault.tick()
    assert len(pharmacy.heard(BagReleased)) == 1  # said once
    with pharmacy.vault.reading() as reader:
        course = [one.entry for one in reader.entries(f"bench/{request}")]
    assert sum(isinstance(one, kinds.PreparationFailed) for one in course) == 1


def test_a_lot_recalled_in_the_middle_of_an_infusion(pharmacy):
    """The running bag and the one that waits are named alike; who got the lot is listed at the second door."""
    both = ((1, "abcdefgh2222222a"), (2, "abcdefgh2222222b"))
    for number, request in both:
        pharmacy.ask(f"subject{number}", request)
    for number, request in both:
        bag = pharmacy.prepare(request, f"0{number}")
        pharmacy.finish(request, bag)
    pharmacy.doors.clock.at += dt.timedelta(minutes=30)
    pharmacy.vault.tick()
    one, other = pharmacy.heard(BagReleased)
    at = pharmacy.doors.clock().isoformat(timespec="seconds").replace("+00:00", "Z")
    pharmacy.doors.write(
        "start", Append("subject/subject1", InfusionStarted("abcdefgh2222222a", one.bag if one.request ==
                        "abcdefgh2222222a" else other.bag, at))
    )  # fmt: skip
    pharmacy.doors.exchange()
    lot = next(name for name, each in LOTS.items() if each == pharmacy.product("abcdefgh2222222a"))
    pharmacy.must(stock.RecallLot(lot, "contamination"), "chk", "CHECK")
    (notice,) = pharmacy.heard(RecallReceived)
    assert set(notice.bags) == {one.bag, other.bag}
    with pharmacy.vault.reading() as reader:
        told = pharmacy.vault.known(reader).told
        held = pharmacy.vault.state(reader, stock.RecallLot(lot, ""))
    running = next(each for each in affected(held, lot, told.hung, told.wanted) if each.subject == "subject1")
    assert (running.reached, running.given_to) == ("RUNNING", "subject1")


def test_nobody_but_the_pharmacy_prepares(pharmacy):
    pharmacy.ask("subject1", "abcdefgh23456789")
    assert pharmacy.give(bench.OpenPreparation("abcdefgh23456789"), "chk", "CHECK") == ("vault.not-allowed",)
