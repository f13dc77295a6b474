"""Lots, shipments, excursions, counts, destruction, recall. Rules as in stock/decide.py and ICH E6(R3) 4.4."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from equipoise.protocol.study import Study
from equipoise.vault.bench import commands as bench
from equipoise.vault.stock import commands as stock
from equipoise.vault.stock.availability import on_shelf
from equipoise.vault.stock.evolve import of_shipment
from rooms.vault.bench_world import (
    ANNA,
    BEN,
    CARL,
    CELLS,
    COLD,
    EXPIRY,
    NINE,
    STUDY,
    VEHICLE,
    Pharmacy,
    lot,
    make_study,
)  # fmt: skip

WARM = COLD + "2027-02-01T09:30:00Z,-120\n2027-02-01T10:00:00Z,-165\n"


@pytest.fixture
def pharmacy() -> Pharmacy:
    return Pharmacy()


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"product": "other"}, "product-unknown"),
        ({"units": ()}, "code-unfit"),
        ({"units": ("1", "1")}, "units-repeat"),
        ({"units": ("(1)",)}, "code-unfit"),
        ({"lot": "A" * 21}, "code-unfit"),
        ({"expiry": "30.06.2027"}, "not-a-date"),
        ({"certificate": ""}, "certificate-missing"),
        ({"viability": "101"}, "not-an-amount"),
        ({"count": "0"}, "not-an-amount"),
        ({"volume": "NaN"}, "not-an-amount"),
        ({"passage": " "}, "certificate-without-passage"),
    ],
)
def test_a_lot_is_received_with_a_whole_certificate(pharmacy, changes, rule):
    assert pharmacy.give(dataclasses.replace(lot("C1", CELLS), **changes)) == (f"vault_stock.{rule}",)


def test_a_lot_is_received_once(pharmacy):
    pharmacy.must(lot("C1", CELLS))
    assert pharmacy.give(lot("C1", CELLS)) == ("vault_stock.lot-known",)


def test_a_lot_is_released_by_a_person_who_did_not_receive_it(pharmacy):
    pharmacy.must(lot("C1", CELLS))
    assert pharmacy.give(stock.ReleaseLot("C1")) == ("vault_stock.released-by-its-receiver",)
    pharmacy.actor = BEN
    pharmacy.must(stock.ReleaseLot("C1"))
    assert (pharmacy.stock.lots["C1"].state, pharmacy.stock.lots["C1"].decided_by) == ("RELEASED", BEN)
    assert pharmacy.give(stock.ReleaseLot("C1")) == ("vault_stock.lot-not-in-quarantine",)
    assert pharmacy.give(stock.RejectLot("C1", "late")) == ("vault_stock.lot-not-in-quarantine",)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"sterility": "PENDING"}, "sterility-not-passed"),
        ({"identity": "FAIL"}, "identity-not-passed"),
        ({"viability": "69.9"}, "viability-below-limit"),  # the study's limit is 70
        ({"expiry": "2027-02-28"}, "lot-expired"),  # it is 1 March
        # 1.7e7 cells/mL x 8 mL x 70 % = 9.52e7, less than the largest dose of 1e8; 2e7 x 8 x 0.7 = 1.12e8 is enough
        ({"count": "1.7e7"}, "unit-holds-too-little"),
    ],
)
@pytest.mark.parametrize("product", [CELLS, VEHICLE])
def test_a_lot_is_released_on_what_its_certificate_says_whatever_the_product(
    pharmacy, product, changes, rule
):
    pharmacy.must(lot("C1", product, **changes))
    pharmacy.actor = BEN
    assert pharmacy.give(stock.ReleaseLot("C1")) == (f"vault_stock.{rule}",)


def test_a_pending_result_comes_in_and_is_not_changed_again(pharmacy):
    pharmacy.must(lot("C1", CELLS, sterility="PENDING"))
    certificate = "0" * 64
    pharmacy.must(stock.RecordTests("C1", "FAIL", "PASS", certificate))
    assert pharmacy.give(stock.RecordTests("C1", "PASS", "PASS", certificate)) == (
        "vault_stock.result-stands",
    )


def test_a_warm_shipment_goes_into_quarantine_until_a_person_decides(pharmacy):
    pharmacy.must(lot("C1", CELLS))
    pharmacy.must(stock.ReceiveShipment("S1", "01", {"C1": ("01", "02")}, WARM))
    # warm at 09:30 only: from 09:00, cold for the last time, to 10:00 are 60 minutes
    assert (pharmacy.last("ExcursionRecorded").minutes, pharmacy.last("ExcursionRecorded").warmest) == (
        60,
        "-120",
    )
    assert of_shipment(pharmacy.stock, "S1", "QUARANTINED") == {"C1": ("01", "02")}
    assert pharmacy.give(stock.DecideExcursion("S1", "USE", " ")) == ("vault_stock.reason-required",)
    pharmacy.must(stock.DecideExcursion("S1", "USE", "below the glass transition throughout"))
    assert of_shipment(pharmacy.stock, "S1", "IN_STOCK") == {"C1": ("01", "02")}
    assert pharmacy.give(stock.DecideExcursion("S1", "USE", "again")) == (
        "vault_stock.nothing-in-quarantine",
    )


def test_a_later_excursion_touches_what_is_still_there_only(pharmacy):
    pharmacy.supply()
    pharmacy.want("r1", "s1", CELLS)
    pharmacy.until_filled("r1", "01")
    pharmacy.must(stock.RecordExcursion("S1", 30, "-100"))
    assert pharmacy.stock.unit("C1", "01").state == "USED"
    assert pharmacy.stock.unit("C1", "02").state == "QUARANTINED"
    pharmacy.must(stock.DecideExcursion("S1", "DESTROY", "too warm"))
    assert pharmacy.stock.unit("C1", "02").state == "CONDEMNED"


def test_a_shipment_holds_what_is_at_the_depot_and_a_file_that_can_be_read(pharmacy):
    pharmacy.must(lot("C1", CELLS))
    assert pharmacy.give(stock.ReceiveShipment("S1", "01", {"C1": ("09",)}, COLD)) == (
        "vault_stock.unit-unknown",
    )
    assert pharmacy.give(stock.ReceiveShipment("S1", "01", {"C9": ("01",)}, COLD)) == (
        "vault_stock.lot-unknown",
    )
    assert pharmacy.give(stock.ReceiveShipment("S1", "01", {}, COLD)) == ("vault_stock.shipment-empty",)
    assert pharmacy.give(stock.ReceiveShipment("S1", "01", {"C1": ("01",)}, "time,temperature")) == (
        "vault_stock.log-empty",
    )
    pharmacy.must(stock.ReceiveShipment("S1", "01", {"C1": ("01",)}, COLD))
    assert pharmacy.give(stock.ReceiveShipment("S2", "02", {"C1": ("01",)}, COLD)) == (
        "vault_stock.unit-not-at-the-depot",
    )


def test_a_study_without_a_limit_of_temperature_asks_for_no_file():
    pharmacy = Pharmacy(make_study(warmest=""))
    pharmacy.must(lot("C1", CELLS))
    pharmacy.must(stock.ReceiveShipment("S1", "01", {"C1": ("01",)}, ""))
    pharmacy.study = make_study(warmest="cold")  # a limit that is none is a fault of the definition
    assert pharmacy.give(stock.ReceiveShipment("S2", "01", {"C1": ("02",)}, COLD)) == (
        "vault_stock.no-limit-of-temperature",
    )


def test_a_study_without_cells_asks_for_no_cells_on_a_certificate():
    """Any product that is handed out in units: the whole unit is the dose."""
    pharmacy = Pharmacy(make_study(cells_per_kg="", cells_at_most="", viability_at_least="", warmest=""))
    for name, product in (("C1", CELLS), ("V1", VEHICLE)):
        pharmacy.must(dataclasses.replace(lot(name, product), count="", volume="", viability="", passage=""))
        pharmacy.actor = BEN
        pharmacy.must(stock.ReleaseLot(name))
        pharmacy.actor = ANNA
    pharmacy.must(stock.ReceiveShipment("S1", "01", {"V1": ("01",)}, ""))
    pharmacy.want("r1", "s1", VEHICLE)
    pharmacy.until_out("r1")
    assert (pharmacy.last("BagPrepared").taken, pharmacy.last("BagPrepared").cells) == ("WHOLE", "0")


def test_a_count_keeps_both_numbers_and_what_is_missing_is_lost(pharmacy):
    pharmacy.supply(units=4)
    pharmacy.must(stock.CountStock("C1", "01", ("01", "02", "77")))
    counted = pharmacy.last("StockCounted")
    assert (counted.counted, counted.expected) == (3, 4)
    assert (counted.missing, counted.surplus) == (("03", "04"), ("77",))
    assert pharmacy.stock.unit("C1", "03").state == "LOST"
    # found again at the next count: it has no proven cold chain
    pharmacy.must(stock.CountStock("C1", "01", ("01", "02", "03")))
    assert pharmacy.stock.unit("C1", "03").state == "CONDEMNED"
    pharmacy.want("r1", "s1", CELLS)
    pharmacy.must(bench.OpenPreparation("r1"))
    pharmacy.must(bench.DoStep("r1", "read-aloud", BEN))
    assert pharmacy.give(bench.TakeUnit("r1", pharmacy.label("r1", "03"))) == ("vault_stock.unit-condemned",)


def test_destruction_needs_a_witness_who_is_another_person_of_the_pharmacy(pharmacy):
    pharmacy.supply(units=4)
    destroy = stock.DestroyUnits("C1", "01", ("01",), BEN, "broken")
    for witness, rule in (
        ("", "second-person-missing"),
        (ANNA, "second-person-is-the-first"),
        ("stranger", "second-person-not-of-the-pharmacy"),
    ):
        assert pharmacy.give(dataclasses.replace(destroy, witness=witness)) == (f"vault_stock.{rule}",)
    pharmacy.must(destroy)
    assert pharmacy.give(destroy) == ("vault_stock.unit-not-there",)
    assert pharmacy.give(dataclasses.replace(destroy, site="02", units=("02",))) == (
        "vault_stock.unit-not-there",
    )


def test_expiry_is_computed_and_needs_nobody(pharmacy):
    pharmacy.supply(units=4)
    assert on_shelf(pharmacy.stock, "01", EXPIRY) == {CELLS: 4, VEHICLE: 4}  # the last day counts
    assert on_shelf(pharmacy.stock, "01", EXPIRY + dt.timedelta(days=1)) == {CELLS: 0, VEHICLE: 0}


@pytest.mark.parametrize("recalled", ["C1", "V1"])
def test_a_recall_tells_the_first_door_the_same_whatever_was_recalled(pharmacy, recalled):
    """Every bag that is out is named, whichever lot it is of: the notice tells neither product nor who shares one."""
    pharmacy.supply()
    for number, product in enumerate((CELLS, VEHICLE, CELLS), 1):
        pharmacy.want(f"r{number}", f"s{number}", product)
    out = [pharmacy.until_out("r1", "01"), pharmacy.until_out("r2", "01"), pharmacy.until_out("r3", "02")]
    pharmacy.over = frozenset({out[2]})  # infused to the end
    pharmacy.must(stock.RecallLot(recalled, "contamination"))
    notice = pharmacy.last("BagsCalledBack")
    assert notice.bags == tuple(sorted(out[:2]))
    said = pharmacy.last("StatementMade")
    assert said.says == "BagsRecalled"
    assert recalled not in said.content
    assert pharmacy.give(stock.RecallLot(recalled, "again")) == ("vault_stock.lot-recalled",)


def test_a_recall_with_no_bag_out_says_nothing(pharmacy):
    pharmacy.supply()
    pharmacy.must(stock.RecallLot("C1", "contamination"))
    assert "statements" not in pharmacy.seqs


def test_a_lot_in_quarantine_or_rejected_is_recalled_too(pharmacy):
    pharmacy.must(lot("C1", CELLS))
    pharmacy.must(stock.RejectLot("C1", "torn bags"))
    pharmacy.must(stock.RecallLot("C1", "contamination"))
    assert pharmacy.stock.lots["C1"].state == "RECALLED"


def test_nothing_is_dispensed_from_a_ledger_that_does_not_fit(pharmacy):
    pharmacy.supply()
    pharmacy.stock = dataclasses.replace(pharmacy.stock, misfits=(7,))
    assert pharmacy.give(stock.ReleaseLot("C1")) == ("vault_stock.ledger-misfit",)
    pharmacy.want("r1", "s1", CELLS)
    assert pharmacy.give(bench.OpenPreparation("r1")) == ("vault_stock.ledger-misfit",)


def test_the_study_of_these_tests_is_a_study():
    assert isinstance(STUDY, Study)
    assert NINE.tzinfo is not None
    assert CARL != BEN
