"""The bench: order, scans, sham, dose, failures and replacements, hand over, return. Sums are done in the comments."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from decimal import Decimal

import pytest

from equipoise.vault.bench import commands as bench
from equipoise.vault.bench.decide import due, next_step
from equipoise.vault.bench.dose import DoseVolume, dose_volume
from equipoise.vault.bench.masking import bag_number
from equipoise.vault.bench.scan import unit_payload
from equipoise.vault.bench.views import bench_view
from equipoise.vault.stock import commands as stock
from rooms.vault.bench_world import (
    ANNA,
    BEN,
    CARL,
    CELLS,
    EXPIRY,
    HOUR,
    STUDY,
    VEHICLE,
    Pharmacy,
    lot,
    make_study,
)  # fmt: skip


@pytest.fixture
def pharmacy() -> Pharmacy:
    made = Pharmacy()
    made.supply()
    made.want("r1", "s1", CELLS)
    made.want("r2", "s2", VEHICLE)
    return made


def rules(*names: str) -> tuple[str, ...]:
    return tuple(f"vault_bench.{name}" for name in names)


def ready_to_take(pharmacy: Pharmacy, request: str = "r1") -> None:
    pharmacy.must(bench.OpenPreparation(request))
    pharmacy.must(bench.DoStep(request, "read-aloud", BEN))


# --- opening -----------------------------------------------------------------------------------------------------


def test_a_request_that_nobody_made_is_not_opened(pharmacy):
    facts = pharmacy.facts(bench.OpenPreparation("none"))
    found = pharmacy.give(bench.OpenPreparation("none"), facts)
    assert "vault_bench.request-unknown" in found


@pytest.mark.parametrize(
    ("changes", "rule"), [({"held": True}, "request-held"), ({"over": True}, "request-over"),
                          ({"infusing": True}, "request-over")],
)  # fmt: skip
def test_a_hold_or_an_end_at_the_first_door_stops_the_work(pharmacy, changes, rule):
    pharmacy.change("r1", **changes)
    assert pharmacy.give(bench.OpenPreparation("r1")) == rules(rule)


def test_a_slot_that_does_not_open_as_committed_stops_the_work(pharmacy):
    command = bench.OpenPreparation("r1")
    facts = dataclasses.replace(pharmacy.facts(command), slot_fault="vault.slot-not-committed", product=None)
    assert pharmacy.give(command, facts) == rules("slot-fault")


def test_nobody_opens_a_slot_of_a_site_where_they_do_not_work(pharmacy):
    pharmacy.sites = frozenset({"02"})
    assert pharmacy.give(bench.OpenPreparation("r1")) == rules("request-unknown")
    assert pharmacy.give(stock.CountStock("C1", "01", ())) == ("vault_stock.site-of-others",)
    pharmacy.sites = frozenset({"01", "02"})
    pharmacy.must(bench.OpenPreparation("r1"))


def test_a_replacement_is_for_the_same_slot(pharmacy):
    pharmacy.must(bench.OpenPreparation("r1"))
    pharmacy.must(bench.FailPreparation("r1", "SPILLED", again=True))
    command = bench.OpenPreparation("r1")
    facts = dataclasses.replace(pharmacy.facts(command), number="R-other")
    assert pharmacy.give(command, facts) == rules("slot-changed")


# --- steps -------------------------------------------------------------------------------------------------------


def test_steps_are_done_in_the_order_of_the_study(pharmacy):
    pharmacy.must(bench.OpenPreparation("r1"))
    assert pharmacy.give(bench.DoStep("r1", "thaw")) == rules("another-step-first")
    assert pharmacy.give(bench.FillBag("r1")) == rules("another-step-first")
    assert pharmacy.give(bench.TakeUnit("r1", pharmacy.label("r1", "01"))) == rules("another-step-first")


def test_a_step_of_two_persons_needs_the_second(pharmacy):
    pharmacy.must(bench.OpenPreparation("r1"))
    assert pharmacy.give(bench.DoStep("r1", "read-aloud")) == ("vault_stock.second-person-missing",)
    assert pharmacy.give(bench.DoStep("r1", "read-aloud", ANNA)) == (
        "vault_stock.second-person-is-the-first",
    )
    pharmacy.must(bench.DoStep("r1", "read-aloud", CARL))
    assert pharmacy.last("StepDone").second == CARL


def test_every_unit_that_may_not_be_used_is_refused_by_name(pharmacy):
    pharmacy.must(lot("C2", CELLS))  # in quarantine, and still at the depot
    ready_to_take(pharmacy)

    def scan(label: str) -> tuple[str, ...]:
        return pharmacy.give(bench.TakeUnit("r1", label))

    assert scan(unit_payload("V1", "01", EXPIRY)) == ("vault_stock.wrong-product",)
    assert scan(unit_payload("C2", "01", EXPIRY)) == (
        "vault_stock.lot-in-quarantine",
        "vault_stock.unit-elsewhere",
    )
    assert scan(unit_payload("X9", "01", EXPIRY)) == ("vault_stock.lot-unknown",)
    assert scan(unit_payload("C1", "99", EXPIRY)) == ("vault_stock.unit-unknown",)
    assert scan(unit_payload("C1", "01", EXPIRY + dt.timedelta(days=1))) == rules("label-differs")
    assert scan("123456") == rules("not-a-unit")
    assert scan("nonsense") == rules("scan-unreadable")
    pharmacy.must(stock.RecallLot("C1", "contamination"))
    assert scan(unit_payload("C1", "01", EXPIRY)) == ("vault_stock.lot-recalled",)
    assert pharmacy.stock.unit("C1", "01").state == "IN_STOCK"  # a refused scan takes nothing


def test_an_expired_unit_is_never_dispensed(pharmacy):
    pharmacy.now = dt.datetime(2027, 7, 1, 1, 0, tzinfo=dt.UTC)  # the day after the last one
    pharmacy.change("r1", at=(pharmacy.now + HOUR).isoformat())
    ready_to_take(pharmacy)
    assert pharmacy.give(bench.TakeUnit("r1", pharmacy.label("r1", "01"))) == ("vault_stock.lot-expired",)


def test_a_unit_is_used_once_and_on_its_own_site_only(pharmacy):
    pharmacy.until_filled("r1", "01")
    pharmacy.want("r3", "s3", CELLS)
    pharmacy.want("r4", "s4", CELLS, site="02")
    ready_to_take(pharmacy, "r3")
    assert pharmacy.give(bench.TakeUnit("r3", pharmacy.label("r3", "01"))) == ("vault_stock.unit-used",)
    ready_to_take(pharmacy, "r4")
    assert pharmacy.give(bench.TakeUnit("r4", pharmacy.label("r4", "02"))) == ("vault_stock.unit-elsewhere",)


@pytest.mark.parametrize("request_", ["r1", "r2"])
def test_a_step_takes_its_minutes_for_every_product(pharmacy, request_):
    ready_to_take(pharmacy, request_)
    pharmacy.must(bench.TakeUnit(request_, pharmacy.label(request_, "01")))
    pharmacy.must(bench.DoStep(request_, "thaw"))
    pharmacy.now += dt.timedelta(minutes=9, seconds=59)  # the study asks for 10
    percent = "80" if request_ == "r1" else ""
    assert pharmacy.give(bench.MeasureViability(request_, percent)) == rules("step-too-soon")
    pharmacy.now += dt.timedelta(seconds=1)
    pharmacy.must(bench.MeasureViability(request_, percent))


def test_the_course_is_the_same_for_both_products_entry_by_entry(pharmacy):
    pharmacy.until_out("r1", "01")
    first = len(pharmacy.entries)
    stock_before = pharmacy.kinds("stock")
    pharmacy.until_out("r2", "01")
    assert pharmacy.kinds("bench/r1") == pharmacy.kinds("bench/r2")
    taken = len([one for one in pharmacy.entries[:first] if one.header.stream == "stock"])
    since = pharmacy.kinds("stock")[taken:]
    assert stock_before[-len(since) :] == since
    # and each entry has the same body parts: what is empty is not written, and one nonce fewer would be drawn
    first_course = [one.entry for one in pharmacy.entries if one.header.stream == "bench/r1"]
    second_course = [one.entry for one in pharmacy.entries if one.header.stream == "bench/r2"]
    from equipoise.ledger.codec import encode

    assert [encode(one).keys() for one in first_course] == [encode(one).keys() for one in second_course]


def test_the_sham_is_not_read_and_cells_are(pharmacy):
    for request, percent, rule in (("r1", "", "viability-unreadable"), ("r2", "80", "sham-is-not-read"),
                                   ("r1", "101", "viability-unreadable")):  # fmt: skip
        if pharmacy.bench(request).preparation.stage == "NONE":
            ready_to_take(pharmacy, request)
            pharmacy.must(bench.TakeUnit(request, pharmacy.label(request, "01")))
            pharmacy.must(bench.DoStep(request, "thaw"))
            pharmacy.now += dt.timedelta(minutes=10)
        assert pharmacy.give(bench.MeasureViability(request, percent)) == rules(rule)


def test_in_a_rehearsal_a_minute_of_waiting_is_a_second(pharmacy):
    ready_to_take(pharmacy)
    pharmacy.must(bench.TakeUnit("r1", pharmacy.label("r1", "01")))
    pharmacy.must(bench.DoStep("r1", "thaw"))
    command = bench.MeasureViability("r1", "80")
    facts = dataclasses.replace(pharmacy.facts(command), rehearsal=True)
    pharmacy.now += dt.timedelta(seconds=9)
    assert pharmacy.give(command, facts) == rules("step-too-soon")
    pharmacy.now += dt.timedelta(seconds=1)
    assert pharmacy.give(command, facts) == ()


# --- dose and bag ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weight", "viability", "wanted", "taken"),
    [
        ("60", "80", "6.0e7", "3.8"),  # 6e7 / (2e7 x 0.8) = 3.75, to 0.1 mL half up
        ("70.5", "94", "7.05e7", "3.8"),  # 7.05e7 / (2e7 x 0.94) = 3.75
        ("100", "70", "1e8", "7.1"),  # 1e8 / (2e7 x 0.7) = 7.142…
        ("130", "70", "1e8", "7.1"),  # never more than the largest dose
    ],
)
def test_the_dose(weight, viability, wanted, taken):
    certificate = lot("C1", CELLS)
    dose = dose_volume(STUDY.supply, certificate, weight, viability)
    assert isinstance(dose, DoseVolume)
    assert (dose.wanted, dose.taken) == (Decimal(wanted), Decimal(taken))
    assert dose.carrier == 100 - Decimal(taken)
    assert dose.cells == Decimal(taken) * Decimal("2e7") * Decimal(viability) / 100


def test_a_weight_that_is_none_gives_no_dose(pharmacy):
    pharmacy.change("r1", weight="heavy")
    ready_to_take(pharmacy)
    pharmacy.must(bench.TakeUnit("r1", pharmacy.label("r1", "01")))
    pharmacy.must(bench.DoStep("r1", "thaw"))
    pharmacy.now += dt.timedelta(minutes=10)
    pharmacy.must(bench.MeasureViability("r1", "80"))
    assert pharmacy.give(bench.FillBag("r1")) == rules("weight-unusable")


def test_the_bag_says_volume_and_use_by_and_nothing_of_its_content(pharmacy):
    for request in ("r1", "r2"):
        pharmacy.until_filled(request)
    one, other = (entry.entry for entry in pharmacy.entries if entry.header.kind == "BagPrepared"
                  and entry.header.stream != "stock")  # fmt: skip
    assert (one.volume, other.volume) == ("100", "100")
    assert (one.cells, other.cells) == ("60800000", "0")  # 3.8 mL x 2e7 x 0.8
    thawed = next(each.at for each in pharmacy.bench("r1").preparation.current.done if each.step == "thaw")
    assert (
        dt.datetime.fromisoformat(one.use_by) - dt.datetime.fromisoformat(thawed) == 2 * HOUR
    )  # 120 minutes


def test_bag_numbers_are_six_digits_and_never_the_same():
    used: set[str] = set()
    for turn in range(3000):
        number = bag_number(f"fresh {turn}", used)
        assert len(number) == 6
        assert number.isdecimal()
        assert number not in used
        used.add(number)
    # the first digit is as likely as any other: 3000 draws, ten digits; chi-square with 9 degrees of freedom
    # passes 27.88 once in 1000 times (NIST/SEMATECH e-Handbook 1.3.6.7.4)
    counts = [sum(number[0] == str(digit) for number in used) for digit in range(10)]
    assert sum((count - 300) ** 2 / 300 for count in counts) < 27.88


def test_a_number_that_is_taken_is_drawn_again_from_the_same_id():
    first = bag_number("fresh", ())
    second = bag_number("fresh", {first})
    assert second != first
    assert bag_number("fresh", {first}) == second


# --- verification and hand over ----------------------------------------------------------------------------------


def test_two_persons_scan_bag_and_request(pharmacy):
    bag = pharmacy.until_filled("r1")
    verify = bench.VerifyBag("r1", bag, "EQ.REQ.r1", BEN)
    assert pharmacy.give(verify) == rules("another-step-first")  # the bag is not covered yet
    pharmacy.must(bench.DoStep("r1", "mask", BEN))
    other = "000000" if bag != "000000" else "000001"
    assert pharmacy.give(dataclasses.replace(verify, scanned_bag=other)) == rules("wrong-bag")
    assert pharmacy.give(dataclasses.replace(verify, scanned_request="EQ.REQ.r2")) == rules("wrong-request")
    assert pharmacy.give(dataclasses.replace(verify, scanned_request=bag)) == rules("wrong-request")
    assert pharmacy.give(dataclasses.replace(verify, second=ANNA)) == (
        "vault_stock.second-person-is-the-first",
    )
    pharmacy.must(verify)
    assert pharmacy.give(verify) == rules("verified-already")


def test_a_bag_is_handed_over_at_its_hour_and_never_earlier(pharmacy):
    bag = pharmacy.until_ready("r1")
    hour = dt.datetime.fromisoformat(pharmacy.wanted["r1"].at)
    pharmacy.now = hour - dt.timedelta(seconds=1)
    assert list(due(STUDY, pharmacy.stock, pharmacy.now)) == []
    assert pharmacy.give(bench.HandOver("r1", bag)) == rules("before-its-hour")
    pharmacy.now = hour
    assert list(due(STUDY, pharmacy.stock, pharmacy.now)) == [bench.HandOver("r1", bag)]
    pharmacy.must(bench.HandOver("r1", bag))
    assert list(due(STUDY, pharmacy.stock, pharmacy.now)) == []
    said = pharmacy.last("StatementMade")
    assert said.says == "BagReleased"
    use_by = pharmacy.bench("r1").preparation.current.use_by
    assert json.loads(said.content) == {"request": "r1", "subject": "s1", "bag": bag, "use_by": use_by}


def test_what_is_ready_late_is_late_whatever_is_in_it(pharmacy):
    for request in ("r1", "r2"):
        pharmacy.change(request, at=(pharmacy.now - HOUR).isoformat())
        bag = pharmacy.until_ready(request)
        assert bench.HandOver(request, bag) in list(due(STUDY, pharmacy.stock, pharmacy.now))
        pharmacy.must(bench.HandOver(request, bag))


def test_nothing_is_handed_over_held_or_after_its_time(pharmacy):
    bag = pharmacy.until_ready("r1")
    pharmacy.now += HOUR
    pharmacy.change("r1", held=True)
    assert pharmacy.give(bench.HandOver("r1", bag)) == rules("request-held")
    pharmacy.change("r1", held=False)
    pharmacy.now += HOUR  # 120 minutes and more since the thaw
    assert list(due(STUDY, pharmacy.stock, pharmacy.now)) == []
    assert pharmacy.give(bench.HandOver("r1", bag)) == rules("time-passed")
    pharmacy.must(bench.FailPreparation("r1", "TIME_PASSED", again=True))
    assert pharmacy.stock.bags[bag].state == "FAILED"


def test_a_lot_recalled_while_its_dose_is_made_is_not_handed_over(pharmacy):
    bag = pharmacy.until_ready("r1")
    pharmacy.must(stock.RecallLot("C1", "contamination"))
    pharmacy.now += HOUR
    assert pharmacy.give(bench.HandOver("r1", bag)) == rules("lot-recalled-meanwhile")
    pharmacy.must(bench.FailPreparation("r1", "RECALLED", again=True))


# --- failures and replacements -----------------------------------------------------------------------------------


def test_a_viability_below_the_limit_fails_by_itself_and_is_replaced(pharmacy):
    ready_to_take(pharmacy)
    pharmacy.must(bench.TakeUnit("r1", pharmacy.label("r1", "01")))
    pharmacy.must(bench.DoStep("r1", "thaw"))
    pharmacy.now += dt.timedelta(minutes=10)
    pharmacy.must(bench.MeasureViability("r1", "69.9"))
    assert pharmacy.bench("r1").preparation.stage == "FAILED"
    assert (pharmacy.last("PreparationFailed").because, pharmacy.last("PreparationFailed").again) == (
        "VIABILITY_LOW", True,
    )  # fmt: skip
    pharmacy.until_out("r1", "02")
    assert [each.stage for each in pharmacy.bench("r1").preparation.attempts] == ["FAILED", "OUT"]


def test_a_failure_without_replacement_ends_the_request(pharmacy):
    pharmacy.must(bench.OpenPreparation("r1"))
    assert pharmacy.give(bench.FailPreparation("r1", "OTHER", again=False)) == (
        "vault_stock.reason-required",
    )
    pharmacy.must(bench.FailPreparation("r1", "OTHER", again=False, reason="power cut"))
    assert pharmacy.give(bench.OpenPreparation("r1")) == rules("not-to-be-replaced")
    assert pharmacy.give(bench.FailPreparation("r1", "SPILLED", again=True)) == rules("not-open")


def test_a_bag_lost_at_the_bedside_is_replaced_and_told_as_another_bag_only(pharmacy):
    bag = pharmacy.until_out("r1", "01")
    assert pharmacy.give(bench.OpenPreparation("r1")) == rules("bag-is-out")
    pharmacy.change("r1", rejected=(bag,))
    again = pharmacy.until_out("r1", "02")
    assert again != bag
    said = [json.loads(one.entry.content) for one in pharmacy.entries if one.header.kind == "StatementMade"]
    assert [each["bag"] for each in said] == [bag, again]
    assert {frozenset(each) for each in said} == {frozenset(("request", "subject", "bag", "use_by"))}


# --- from the thaw to the end of the infusion ----------------------------------------------------------------------


@pytest.mark.parametrize("request_", ["r1", "r2"])
def test_the_clock_runs_from_the_thaw_to_the_end_of_the_infusion(pharmacy, request_):
    """Sham or not: it is counted from the step that stands for the thaw."""
    bag = pharmacy.until_ready(request_)
    thawed = dt.datetime.fromisoformat(pharmacy.bench(request_).preparation.current.at("thaw"))

    def clock(now: dt.datetime, **given):
        facts = pharmacy.facts(bench.OpenPreparation(request_))
        return bench_view(STUDY, pharmacy.bench(request_), facts, now, **given).clock

    assert clock(thawed + dt.timedelta(minutes=45)).minutes == 45
    began, ended = thawed + dt.timedelta(minutes=60), thawed + dt.timedelta(minutes=119, seconds=59)
    given = {"hung": bag, "infused": (began.isoformat(), ended.isoformat())}
    found = clock(thawed + dt.timedelta(hours=9), **given)
    assert (found.minutes, found.limit, found.late) == (119, 120, False)
    late = (began.isoformat(), (thawed + dt.timedelta(minutes=121)).isoformat())
    assert clock(thawed + dt.timedelta(hours=9), hung=bag, infused=late).late
    # a bag of another request was hung: this request's own clock says nothing of that infusion
    assert clock(thawed, hung="999999", infused=late) is None


# --- return and destruction --------------------------------------------------------------------------------------


def test_a_bag_comes_back_and_is_destroyed_before_a_witness(pharmacy):
    bag = pharmacy.until_out("r1")
    receive = bench.ReceiveBag("r1", bag, "12.5")
    destroy = bench.DestroyBag("r1", bag, BEN, "end of use")
    assert pharmacy.give(destroy) == rules("bag-not-to-be-destroyed")
    assert pharmacy.give(dataclasses.replace(receive, remaining="100.1")) == rules("volume-unusable")
    assert pharmacy.give(dataclasses.replace(receive, remaining="some")) == rules("volume-unusable")
    assert pharmacy.give(dataclasses.replace(receive, request="r2")) == rules("bag-of-another-request")
    pharmacy.must(receive)
    assert pharmacy.give(receive) == rules("bag-not-out")
    assert pharmacy.give(dataclasses.replace(destroy, witness=ANNA)) == (
        "vault_stock.second-person-is-the-first",
    )
    pharmacy.must(destroy)
    assert (pharmacy.stock.bags[bag].state, pharmacy.stock.bags[bag].remaining) == ("DESTROYED", "12.5")


def test_a_study_without_a_thaw_counts_from_taking_the_unit():
    steps = tuple(step for step in STUDY.supply.bench if step.kind != "thaw")
    pharmacy = Pharmacy(make_study(bench=steps))
    pharmacy.supply()
    pharmacy.want("r1", "s1", VEHICLE)
    ready_to_take(pharmacy)
    taken_at = pharmacy.now
    pharmacy.must(bench.TakeUnit("r1", pharmacy.label("r1", "01")))
    pharmacy.now += dt.timedelta(minutes=10)
    pharmacy.must(bench.MeasureViability("r1", ""))
    pharmacy.must(bench.FillBag("r1"))
    assert dt.datetime.fromisoformat(pharmacy.last("BagPrepared").use_by) == taken_at + 2 * HOUR
    assert next_step(pharmacy.study, pharmacy.bench("r1").preparation.current).id == "mask"
