"""The shelves of a rehearsal come from the study's demo.yaml, through the same commands as any."""

from __future__ import annotations

from equipoise.vault.rehearsed import fill_shelves, read_plan
from equipoise.vault.stock import commands as stock
from equipoise.vault.stock.availability import on_shelf
from equipoise.words.problem import Problem
from rooms.vault.two_doors import STUDY, Doors


def shelf(doors: Doors):
    with doors.vault.reading() as reader:
        held = doors.vault.state(reader, stock.CountStock("", "", ()))
    return held, on_shelf(held, "01", doors.vault.now().date())


def test_lots_are_received_by_one_person_and_released_by_another(doors):
    doors.exchange()
    for user, purpose in (("phar", "BENCH"), ("chk", "CHECK")):
        assert doors.enrol(user, purpose).accepted
    plan = read_plan(STUDY)
    assert not isinstance(plan, Problem)
    assert fill_shelves(doors.vault, plan) == ()
    held, usable = shelf(doors)
    # the first shipment of demo.yaml: units 01 to 06 of a released lot of either product
    assert usable == {"hUC-MSC": 6, "carrier": 6}
    released = [lot for lot in held.lots.values() if lot.state == "RELEASED"]
    assert {lot.received_by for lot in released} == {"phar"}
    assert {lot.decided_by for lot in released} == {"chk"}
    assert [name for name, lot in held.lots.items() if lot.state == "QUARANTINE"] == ["C2610"]


def test_without_people_nothing_is_filled_and_that_is_said(doors):
    doors.exchange()
    assert [one.rule for one in fill_shelves(doors.vault, {"lots": []})] == ["vault.demo-without-pharmacy"]
    assert fill_shelves(doors.vault, {}) == ()


def test_a_plan_that_cannot_be_read_is_named(doors, tmp_path):
    doors.exchange()
    for user, purpose in (("phar", "BENCH"), ("chk", "CHECK")):
        doors.enrol(user, purpose)
    assert [one.rule for one in fill_shelves(doors.vault, {"lots": [{}]})] == ["vault.demo-unreadable"]
    (tmp_path / "demo.yaml").write_text("[")
    assert isinstance(read_plan(tmp_path), Problem)
    assert isinstance(read_plan(tmp_path / "nowhere"), Problem)
