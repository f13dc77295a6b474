"""One dose through both doors: asked for at the first, prepared at the second, given and brought back at the first.

Source of the story: the issue's "Shows" (a bag is spilled and replaced; the coordinator infuses) and its list of bad
input (a held dose gets no bag; what the first door lost at the bedside is prepared again).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pytest

from equipoise.access.commands import Who
from equipoise.desk.setup import open_site
from equipoise.desk.supply_page import RequestView
from equipoise.supply.commands import (
    CheckBag,
    DecideDosing,
    EndInfusion,
    HoldDosing,
    JudgeDosing,
    RejectBag,
    RequestPreparation,
    ReturnBag,
    StartInfusion,
)
from equipoise.vault.bench import commands as bench
from rooms.vault.test_bench_doors import Bench
from rooms.vault.two_doors import PEOPLE, Doors
from stories.conftest import Story


class Ward(Story):
    """The first door's side: its own people."""

    def who(self, actor: str) -> Who:
        who = self.desk.who(actor, PEOPLE[actor][0])
        assert who is not None
        return who


@dataclass
class Both:
    """A ward and a pharmacy that know each other through the channel alone."""

    ward: Ward
    pharmacy: Bench
    number: str

    @property
    def subject(self) -> str:
        return self.ward.subject(self.number)

    def clock(self, minutes: float = 0) -> str:
        return (self.ward.clock.at + dt.timedelta(minutes=minutes)).isoformat(timespec="seconds")

    def newest(self) -> RequestView:
        page = self.ward.desk.infusions(self.ward.who("crc"), self.number)
        assert page is not None
        return page.doses[0].requests[-1]

    def check(self, form: str, **items: str) -> None:
        assert self.ward.record("crc", self.number, form, dict(items), "V2").accepted

    def ask(self) -> str:
        self.check("DOSREL", RELDAT="2026-06-01", RELTEMP="36.8", RELINF="N", RELICH="N", RELPREG="N")
        self.ward.done("crc", RequestPreparation(self.subject, "D1", self.clock(90), "62.5"))
        self.pharmacy.doors.exchange()
        return self.newest().request

    def prepared(self, request: str, serial: str) -> str:
        bag = self.pharmacy.prepare(request, serial)
        self.pharmacy.finish(request, bag)
        return bag

    def handed_over(self, minutes: int) -> None:
        self.ward.clock.at += dt.timedelta(minutes=minutes)
        self.pharmacy.vault.tick()
        self.pharmacy.doors.exchange()


@pytest.fixture
def both(doors: Doors) -> Both:
    assert open_site(doors.desk, "01", "EC-1", "2026-01-01") == ()
    ward = Ward(doors.desk, doors.clock, doors.folder)
    pharmacy = Bench(doors)
    pharmacy.supply()
    number = ward.eligible(pi="inv")
    assert ward.randomize(number).accepted
    return Both(ward, pharmacy, number)


def test_one_dose_goes_through_both_doors(both: Both) -> None:
    ward, subject = both.ward, both.subject
    request = both.ask()
    spilled_then = both.prepared(request, "01")
    both.handed_over(90)
    one = both.newest()
    assert (one.stage, one.bag) == ("RELEASED", spilled_then)
    assert one.bags[0].left is not None
    assert 0 < one.bags[0].left <= 120  # the study's limit from thaw to the end of the infusion
    # lost at the bedside: the same request is prepared once more
    ward.done("crc", RejectBag(subject, request, one.bag, "SPILLED"))
    both.pharmacy.doors.exchange()
    again = both.prepared(request, "02")
    both.handed_over(1)
    assert (both.newest().stage, both.newest().bag) == ("RELEASED", again)
    both.check("DOSBED", BEDDAT="2026-06-01", BEDTIM="13:00", BEDTEMP="36.9", BEDINF="N", BEDNEURO="N")
    ward.done("crc", JudgeDosing(subject, request, "BEDSIDE"))
    ward.done("crc", CheckBag(subject, request, again, both.number, "inv"))
    ward.done("crc", StartInfusion(subject, request, again, both.clock()))
    ward.clock.at += dt.timedelta(minutes=40)
    ward.done("crc", EndInfusion(subject, request, both.clock(), "COMPLETE", "100"))
    for each in (spilled_then, again):
        ward.done("crc", ReturnBag(subject, request, each, "0"))
    both.pharmacy.doors.exchange()
    assert not ward.desk.courier.unrecorded
    with both.pharmacy.vault.reading() as reader:
        told = both.pharmacy.vault.known(reader).told
    assert told.wanted[request].over
    assert ward.desk.due(ward.who("crc")).totals["RETURNED"] == 2


def test_a_held_dose_gets_no_bag_until_it_was_decided(both: Both) -> None:
    request = both.ask()
    both.ward.done("inv", HoldDosing(both.subject, request, "drowsy"))
    both.pharmacy.doors.exchange()
    with both.pharmacy.vault.reading() as reader:
        assert both.pharmacy.vault.known(reader).told.wanted[request].held
    both.ward.done("inv", DecideDosing(both.subject, request, "OMIT", "worse"))
    both.pharmacy.doors.exchange()
    with both.pharmacy.vault.reading() as reader:
        assert both.pharmacy.vault.known(reader).told.wanted[request].over
    assert both.pharmacy.give(bench.OpenPreparation(request))
