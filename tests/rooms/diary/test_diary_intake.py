"""A phone, set up and sending through a desk: what it is told, and what stands in the ledger.

Source of the rules: issue notes on the diary (reliability notes 5, ux notes 3); study NCT07197606's diary.yaml.
"""

from __future__ import annotations

import pytest

from diarists import make_diarists
from equipoise.desk import devices
from equipoise.ledger.receipts import receipt_holds
from equipoise.protocol.load import load_study
from equipoise.words.problem import Problem


@pytest.fixture(scope="module")
def world(tmp_path_factory, root):
    made = make_diarists(tmp_path_factory.mktemp("diary") / "store", load_study(root / "studies/nct07197606"))
    yield made
    made.desk.close()


def test_an_entry_made_in_its_window_is_at_the_hospital_and_its_receipt_holds(world):
    subject = world.plant()
    world.at(1, 18.5)
    phone = world.phone(subject)
    phone.begin("DAILY", "2026-03-02")
    phone.answer("WARN", "NONE")
    phone.answer("HEADACHE", "3")
    phone.answer("MOOD", missing="PREFER_NOT")
    packet = phone.submit()
    assert phone.told[packet] == "PHONE"
    answers = world.send([phone.storage.queue[packet]])
    receipt = answers.answers[0].receipt
    assert receipt is not None
    assert receipt_holds(receipt, world.desk.ledger.keys.public)
    phone.hear(answers)
    assert phone.told[packet] == "HOSPITAL"
    assert not phone.storage.queue
    made = world.diary(subject).made[packet]
    assert made.entry.answers["HEADACHE"].value == "3"
    assert made.entry.answers["MOOD"].missing == "PREFER_NOT"
    assert (made.entry.late, made.entry.clock, made.entry.red_flags) == (False, (), ())
    assert next(one for one in phone.slots if one.slot.period == "2026-03-02").state == "DONE"


def test_the_same_bytes_have_the_same_receipt_and_are_recorded_once(world):
    subject = world.plant()
    world.at(1, 19)
    phone = world.phone(subject)
    phone.begin("DAILY", "2026-03-02")
    packet = phone.submit()
    data = phone.storage.queue[packet]
    first, again = world.send([data, data]), world.send([data])
    assert {one.receipt for one in (*first.answers, *again.answers)} == {first.answers[0].receipt}
    assert list(world.diary(subject).made) == [packet]


def test_wrong_pins_shut_a_code_for_good(world):
    subject = world.plant()
    invited = devices.invite(world.desk, world.crc, subject, "PARTICIPANT", key="to lock")
    wrong = "000000" if invited.pin != "000000" else "111111"
    said = [devices.enrol(world.desk, invited.code, wrong) for _ in range(5)]
    assert all(isinstance(one, Problem) for one in said)
    assert [one.rule for one in said] == ["diary.pin-wrong"] * 4 + ["diary.pin-locked"]
    assert devices.enrol(world.desk, invited.code, invited.pin).rule == "diary.pin-locked"
    assert world.diary(subject).devices[invited.device].state == "REVOKED"
