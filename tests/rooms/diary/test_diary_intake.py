"""A phone, set up and sending through a desk: what it is told, and what stands in the ledger.

Source of the rules: issue notes on the diary (reliability notes 5, ux notes 3); study NCT07197606's diary.yaml.
"""

from __future__ import annotations

import json
import random

import pytest

from diarists import make_diarists
from equipoise.desk import devices
from equipoise.desk.audit import Search, audit_page
from equipoise.desk.diary_post import make_round
from equipoise.desk.diary_wire import definition_json
from equipoise.desk.gateways import Ways
from equipoise.desk.setup import add_person, release
from equipoise.desk.views import Outcome
from equipoise.ledger.receipts import receipt_holds
from equipoise.protocol.digest import study_digest
from equipoise.protocol.load import load_study
from equipoise.simulation.phone import Phone
from equipoise.words.problem import Problem, problem


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


def test_a_lost_answer_locks_nobody_out_and_a_heard_phone_closes_its_code(world):
    """Code and PIN give the same key again until the phone was heard; from then on the code is over."""
    invited = devices.invite(world.desk, world.crc, world.plant(), "PARTICIPANT", key="answer lost")
    first = devices.enrol(world.desk, invited.code, invited.pin)
    again = devices.enrol(world.desk, invited.code, invited.pin)
    assert (first.device, first.key) == (again.device, again.key)
    phone = Phone(world.clock, random.Random(1))
    phone.set_up(again)
    assert phone.sync(world.send)
    assert devices.enrol(world.desk, invited.code, invited.pin).rule == "diary.invitation-over"


def test_the_same_invitation_is_given_once_and_its_code_shown_once(world):
    subject = world.plant()
    assert devices.invite(world.desk, world.crc, subject, "PARTICIPANT", key="twice").code
    again = devices.invite(world.desk, world.crc, subject, "PARTICIPANT", key="twice")
    assert [one.rule for one in again] == ["diary.invitation-given"]
    assert len(world.diary(subject).devices) == 1


def test_a_code_lapses_after_the_days_of_the_study(world):
    """14 days, studies/nct07197606/diary.yaml."""
    world.at(1, 12)
    invited = devices.invite(world.desk, world.crc, world.plant(), "PARTICIPANT", key="to lapse")
    world.at(15, 12.1)
    assert devices.enrol(world.desk, invited.code, invited.pin).rule == "diary.invitation-over"


def test_where_the_disk_is_full_the_phone_is_asked_to_send_again(world, monkeypatch):
    subject = world.plant()
    world.at(1, 19)
    phone = world.phone(subject)
    phone.begin("DAILY", "2026-03-02")
    packet = phone.submit()
    full = Outcome(accepted=False, problems=(problem("ledger.disk-full", path="", detail=""),))
    with monkeypatch.context() as patched:
        patched.setattr(world.desk, "submit", lambda *given, **named: full)
        assert phone.sync(world.send)
    assert phone.told[packet] == "PHONE"
    assert phone.sync(world.send)
    assert phone.told[packet] == "HOSPITAL"


def test_an_entry_of_an_earlier_version_counts_by_that_version(world):
    """A phone that was offline over an amendment sends what it was asked: here a question that the new version lost."""
    subject = world.plant()
    world.at(1, 19)
    phone = world.phone(subject)
    phone.begin("DAILY", "2026-03-02")
    phone.answer("SLEEP", "7")
    old = phone.submit()
    sections = tuple(
        one.model_copy(update={"items": tuple(item for item in one.items if item.id != "SLEEP")})
        for one in world.study.diary.sections
    )
    plan = world.study.diary.model_copy(update={"sections": sections})
    changed = world.study.model_copy(update={"version": "1.1", "diary": plan})
    assert release(world.desk, changed) == ()
    phone.storage.definition = study_digest(changed)
    phone.begin("DAILY", "2026-03-02")
    phone.answer("SLEEP", "7")
    new = phone.submit()
    assert phone.sync(world.send)
    assert (phone.told[old], phone.told[new]) == ("HOSPITAL", "diary.item-unknown")


def test_the_trail_shows_a_diary_to_its_own_site_alone(world):
    subject = world.plant()
    world.phone(subject)
    for site, seen in (("01", True), ("02", False)):
        add_person(world.desk, f"cra{site}", f"CRA {site}", "monitor", site)
        who = world.desk.who(f"cra{site}", "monitor")
        lines = audit_page(world.desk, who, Search(kind="DeviceEnrolled")).lines
        assert any(line.stream == f"diary/{subject}" for line in lines) is seen


def test_wrong_pins_shut_a_code_for_good(world):
    subject = world.plant()
    invited = devices.invite(world.desk, world.crc, subject, "PARTICIPANT", key="to lock")
    wrong = "000000" if invited.pin != "000000" else "111111"
    said = [devices.enrol(world.desk, invited.code, wrong) for _ in range(5)]
    assert all(isinstance(one, Problem) for one in said)
    assert [one.rule for one in said] == ["diary.pin-wrong"] * 4 + ["diary.pin-locked"]
    assert devices.enrol(world.desk, invited.code, invited.pin).rule == "diary.pin-locked"
    assert world.diary(subject).devices[invited.device].state == "REVOKED"


def test_what_wrong_pins_shut_stands_in_the_ledger_once_it_can_be_written(world, monkeypatch):
    """The last wrong PIN came while the disk was full, and nobody ever tries again: the next round of the post does it."""
    subject = world.plant()
    invited = devices.invite(world.desk, world.crc, subject, "PARTICIPANT", key="to lock unseen")
    wrong = "000000" if invited.pin != "000000" else "111111"
    full = Outcome(accepted=False, problems=(problem("ledger.disk-full", path="", detail=""),))
    with monkeypatch.context() as patched:
        patched.setattr(world.desk, "submit", lambda *given, **named: full)
        said = [devices.enrol(world.desk, invited.code, wrong).rule for _ in range(5)]
    assert said[-1] == "diary.pin-locked"
    assert world.diary(subject).devices[invited.device].state == "INVITED"
    make_round(world.desk, Ways({}))
    assert world.diary(subject).devices[invited.device].state == "REVOKED"
    assert devices.record_locked(world.desk) == 0


def test_a_phone_is_given_the_questions_and_not_where_they_come_from(world):
    """Sources, assumptions and notes are for who reviews the definition (protocol.elements.Element)."""
    plan = json.loads(json.dumps(definition_json(world.desk, world.digest)))

    def keys(part):
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        return (set(part) if isinstance(part, dict) else set()).union(*(keys(one) for one in inner))

    assert not keys(plan) & {"source", "assumption", "note"}
    assert plan["digest"] == world.digest
    diary = world.study.diary
    assert [form["id"] for form in plan["forms"]] == [form.id for form in diary.forms]
    asked = {item["id"]: item for section in plan["sections"] for item in section["items"]}
    assert asked["WARN"]["question"] == dict(diary.sections[0].items[0].question.as_mapping())
    assert asked["WARN"]["flag"] == ["FACE", "LIMB", "SPEECH", "FIT", "CHEST", "FEVER"]  # diary.yaml
    assert plan["emergency"]["number"] == "120"  # diary.yaml
    assert definition_json(world.desk, "0" * 64) is None
