"""What a phone must not send: refused with a reason, kept as evidence where a known phone sent it, and its owner is told.

Source: issue on the diary, bad input; reliability notes 5; each expected rule is the one that names the fault.
"""

from __future__ import annotations

import datetime as dt
import json
import random

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from diarists import Diarists, make_diarists
from equipoise.consent.commands import RecordCaregiver, WithdrawConsent
from equipoise.desk import devices
from equipoise.desk.diary_intake import Answer
from equipoise.desk.diary_wire import answers_json
from equipoise.diary.commands import RecordDiary, Sent
from equipoise.diary.packets import LARGEST_SEALED, Unfit, b64, bound, open_news, pad, seal, unb64
from equipoise.protocol.load import load_study
from equipoise.simulation.phone import Phone

DAY = "2026-03-02"


@pytest.fixture(scope="module")
def world(tmp_path_factory, root):
    made = make_diarists(tmp_path_factory.mktemp("diary") / "store", load_study(root / "studies/nct07197606"))
    yield made
    made.desk.close()


@pytest.fixture
def kept(world):
    """A participant in the evening of day 1, with a phone."""
    subject = world.plant(caregiver="caregiver01")
    world.at(1, 19)
    return subject, world.phone(subject)


def content(world: Diarists, phone: Phone, **changes: object) -> dict[str, object]:
    """An entry that counts, but for the changes."""
    now = {"wall": world.clock.at.isoformat(), "mono": 1}
    return {
        "v": 1, "kind": "entry", "reporter": "PARTICIPANT", "form": "DAILY", "period": DAY,
        "digest": phone.storage.definition, "begun": now, "submitted": now, "zone": "Asia/Shanghai", "skew_ms": 0,
        "synced": None, "offline": False, "language": "zh", "modes": {}, "answers": {"SLEEP": {"value": "8"}},
        "shown": ["SLEEP"], **changes,
    }  # fmt: skip


def answered(world: Diarists, phone: Phone, data: bytes) -> Answer:
    """What the desk says to one packet, in both languages."""
    answer = world.send([data]).answers[0]
    if answer.state != "HOSPITAL":
        for text in (answer.says, answer.next):
            assert text.en
            assert text.zh
            assert not text.en.startswith("diary."), "a rule without its words"
    return answer


def sent(world: Diarists, phone: Phone, **changes: object) -> Answer:
    packet = phone.put(content(world, phone, **changes))
    return answered(world, phone, phone.storage.queue[packet])


def evidence(world: Diarists, subject: str) -> list[str]:
    return [one.rule for one in world.diary(subject).by_digest.values() if one.rule]


def test_the_entry_that_the_others_are_made_from_counts(world, kept):
    subject, phone = kept
    assert sent(world, phone).state == "HOSPITAL"
    assert evidence(world, subject) == []


BAD = {
    "diary.form-unknown": {"form": "MONTHLY"},
    "diary.period-unknown": {"period": "2026-06-30"},
    "diary.window-not-open": {"period": "2026-03-03"},
    "diary.version-unknown": {"digest": "ab" * 32},
    "diary.item-unknown": {"answers": {"NOSUCH": {"value": "Y"}}},
    "diary.answer-unfit": {"answers": {"SLEEP": {"value": "99"}}},
    "diary.item-not-asked": {"answers": {"FELL": {"value": "N"}, "FALLS": {"value": "2"}}},
    "diary.reporter": {"reporter": "CAREGIVER"},
    "diary.packet-version": {"v": 2},
    "diary.content-unreadable": {"answers": {"SLEEP": 8}},
}


@pytest.mark.parametrize("rule", BAD)
def test_what_cannot_be_diary_data_is_kept_as_evidence(world, kept, rule):
    subject, phone = kept
    answer = sent(world, phone, **BAD[rule])
    assert (answer.state, answer.rule) == ("EVIDENCE", rule)
    assert answer.receipt is not None
    assert evidence(world, subject) == [rule]
    assert world.diary(subject).made == {}
    kept_as = next(
        one.entry for one in world.diary(subject).others if one.entry.kind == "DiaryEvidenceRecorded"
    )
    assert json.loads(kept_as.content)["kind"] == "entry", "what was sent can be read again"


@pytest.mark.parametrize(
    "bad",
    [
        {"kind": "order"}, {"kind": None}, {"period": "yesterday"}, {"begun": {"wall": "soon"}}, {"begun": None},
        {"begun": {"wall": "2026-03-02T18:30:00", "mono": 1}}, {"begun": {"wall": "0001-01-01T00:00:00+14:00"}},
        {"begun": {"wall": "2026-03-02\ud80018:30:00+08:00", "mono": 1}},
        {"skew_ms": 1.5}, {"skew_ms": 10**15}, {"skew_ms": True}, {"zone": 8}, {"offline": "no"}, {"modes": []},
        {"modes": {"a": {"b": 1}}}, {"answers": []}, {"answers": {"SLEEP": {"value": "8", "missing": "CANNOT_TELL"}}},
        {"answers": {"SLEEP": {"missing": "LAZY"}}}, {"answers": {"SLEEP": {"value": "8\n"}}}, {"shown": [1]},
        {"shown": "SLEEP"}, {"digest": ""}, {"language": "\ud800"}, {"form": ["DAILY"]},
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_kept_as_it_was_written(world, kept, bad):
    subject, phone = kept
    text = json.dumps(content(world, phone, **bad)).encode()
    nonce, device = random.randbytes(12), phone.storage.device
    box = AESGCM(phone.storage.key).encrypt(nonce, pad(text), bound(device, "packet000001"))
    data = json.dumps({"v": 1, "device": device, "id": "packet000001", "nonce": b64(nonce), "box": b64(box)})
    answer = answered(world, phone, data.encode())
    assert (answer.state, answer.rule) == ("EVIDENCE", "diary.content-unreadable")
    assert evidence(world, subject) == ["diary.content-unreadable"]


def test_an_entry_begun_after_the_window_closed_is_evidence(world, kept):
    _, phone = kept
    world.at(2, 18.1)
    assert sent(world, phone).rule == "diary.window-closed"


def test_an_entry_made_in_time_and_received_late_counts_and_says_so(world, kept):
    subject, phone = kept
    packet = phone.put(content(world, phone))
    world.at(9, 12)
    assert answered(world, phone, phone.storage.queue[packet]).state == "HOSPITAL"
    assert world.diary(subject).made[packet].entry.late


def test_an_unknown_phone_is_refused_and_nothing_is_kept(world, kept):
    _, phone = kept
    data = seal(bytes(32), "nosuchdevice", "packet000001", bytes(12), content(world, phone))
    answer = answered(world, phone, data)
    assert (answer.state, answer.rule, answer.receipt) == ("REFUSED", "diary.device-unknown", None)


def test_a_forged_packet_of_a_known_phone_is_evidence_and_cannot_fill_the_store(world, kept):
    subject, phone = kept
    for number in range(60):
        made = content(world, phone, modes={"n": f"n{number}"})
        data = seal(bytes(32), phone.storage.device, f"packet{number:06d}", bytes(12), made)
        assert answered(world, phone, data).rule == "diary.packet-forged"
    assert evidence(world, subject) == ["diary.packet-forged"] * 50


def test_who_only_names_a_phone_is_told_nothing_of_its_diary(world, kept):
    """Its id stands in clear on every packet; its key is what shows that it is the phone."""
    _, phone = kept
    forged = seal(bytes(32), phone.storage.device, "packet000001", bytes(12), content(world, phone))
    unsealed = json.dumps(
        {
            "v": 1,
            "device": phone.storage.device,
            "id": "packet000002",
            "nonce": b64(bytes(12)),
            "box": b64(b"x"),
        }
    ).encode()
    for sending in ([forged], [unsealed], [forged, unsealed], [b"{}", forged]):
        told = world.send(sending)
        assert (told.definition, told.slots, told.ends) == ("", (), "")
        assert {(one.state, one.receipt) for one in told.answers} == {("REFUSED", None)}
    told = world.send([forged, phone.hello()])
    assert told.definition == phone.storage.definition, "the phone itself is told, whatever else came with it"
    assert told.slots
    assert [(one.state, one.receipt) for one in told.answers] == [("REFUSED", None), ("HOSPITAL", None)]


def test_who_sends_again_what_a_phone_had_sent_has_its_receipt_and_cannot_read_the_news(world, kept):
    """A packet can be copied on its way. What is new in the diary is sealed: only who holds the phone's key reads it."""
    _, phone = kept
    copied = seal(phone.storage.key, phone.storage.device, "packet000001", bytes(12), content(world, phone))
    hello = phone.hello()
    first, again = (
        json.loads(json.dumps(answers_json(world.desk, world.send([copied, hello])))) for _ in range(2)
    )
    assert first["answers"] == again["answers"]
    assert again["answers"][0]["receipt"] is not None
    assert again.keys() == {"server_time", "news", "answers"}
    for said in (phone.storage.definition, "2026-03-03", "DAILY", "OPEN", "DONE", "LATER"):
        assert said not in json.dumps(again), said
    news = open_news(phone.storage.key, phone.storage.device, again["news"])
    assert [one[4] for one in news["slots"] if one[:2] == ["DAILY", DAY]] == ["DONE"]
    assert news["definition"] == phone.storage.definition
    assert len(unb64(again["news"]["box"])) % 1024 == 16, (
        "its length tells blocks (and 16 bytes of tag), no more"
    )
    stranger = world.phone(world.plant())
    for key, device in (
        (stranger.storage.key, phone.storage.device),
        (phone.storage.key, stranger.storage.device),
    ):
        with pytest.raises(Unfit):
            open_news(key, device, again["news"])


def test_a_phone_taken_out_of_use_is_told_so_when_it_says_hello(world, kept):
    subject, phone = kept
    assert [one.state for one in world.send([phone.hello()]).answers] == ["HOSPITAL"]
    devices.revoke(
        world.desk, world.crc, subject, phone.storage.device, "lost", key=f"out {phone.storage.device}"
    )
    (said,) = world.send([phone.hello()]).answers
    assert (said.state, said.rule, said.receipt) == ("REFUSED", "diary.device-revoked", None)
    assert "new card" in said.next.say(), "what its owner can do"


def test_another_phone_s_own_packet_opens_nothing_of_the_phone_it_names_beside_it(world, kept):
    """Somebody with a phone of their own sends beside it a forged packet of another's: told of the own diary alone."""
    _, phone = kept
    own = world.phone(world.plant(randomized=False))
    forged = seal(own.storage.key, phone.storage.device, "packet000001", bytes(12), content(world, phone))
    told = world.send([own.hello(), forged])
    assert told.definition == own.storage.definition
    assert told.slots == (), "who was not randomized has no day to fill in"


def test_a_packet_of_another_participant_s_phone_does_not_open(world, kept):
    subject, phone = kept
    other = world.phone(world.plant())
    data = seal(other.storage.key, phone.storage.device, "packet000001", bytes(12), content(world, phone))
    assert answered(world, phone, data).rule == "diary.packet-forged"
    assert world.diary(subject).made == {}


def test_an_oversized_packet_is_refused(world, kept):
    _, phone = kept
    answer = answered(world, phone, b" " * (LARGEST_SEALED + 1))
    assert (answer.state, answer.rule) == ("REFUSED", "diary.packet-too-large")


def test_another_entry_under_a_known_id_is_evidence_and_the_first_stays(world, kept):
    subject, phone = kept
    first = phone.put(content(world, phone))
    answered(world, phone, phone.storage.queue[first])
    other = content(world, phone, answers={"SLEEP": {"value": "2"}})
    data = seal(phone.storage.key, phone.storage.device, first, bytes(12), other)
    for _ in range(2):
        answer = answered(world, phone, data)
        assert (answer.state, answer.rule) == ("REFUSED", "diary.id-reused")
    assert world.diary(subject).made[first].answers["SLEEP"].value == "8"
    assert evidence(world, subject) == ["diary.id-reused"]


def test_a_revoked_phone_sends_evidence_only(world, kept):
    subject, phone = kept
    assert (
        devices.revoke(world.desk, world.crc, subject, phone.storage.device, "lost", key="revoke one") == ()
    )
    answer = sent(world, phone)
    assert (answer.state, answer.rule) == ("REFUSED", "diary.device-revoked")
    assert evidence(world, subject) == ["diary.device-revoked"]


def test_a_caregiver_scores_neither_pain_nor_mood_nor_tiredness(world, kept):
    subject, _ = kept
    phone = world.phone(subject, "caregiver01")
    for item, value in (("PAIN", "3"), ("HEADACHE", "3"), ("MOOD", "2"), ("TIRED", "5"), ("NUMB", "Y")):
        answers = {item: {"value": value}}
        answer = sent(world, phone, reporter="CAREGIVER", answers=answers, shown=[])
        assert answer.rule == "diary.item-not-for-proxy", item
    assert sent(world, phone, reporter="CAREGIVER").state == "HOSPITAL"


def test_what_a_caregiver_sends_after_withdrawing_is_neither_taken_nor_kept(world, kept):
    subject, _ = kept
    phone = world.phone(subject, "caregiver01")
    withdrawn = RecordCaregiver(subject, "caregiver01", given=False, on=DAY)
    assert world.desk.submit(world.crc, withdrawn, key=f"withdrawn {subject}").accepted
    assert sent(world, phone, reporter="CAREGIVER").rule == "diary.caregiver-withdrawn"
    last = world.diary(subject).others[-1].entry
    assert (last.kind, last.content) == ("DiaryEvidenceRecorded", "")


def seen(world: Diarists, phone: Phone, **changes: object) -> Answer:
    """The phone says that its owner saw what is due."""
    return sent(world, phone, **{"kind": "seen", "answers": {}, "shown": [], **changes})


def test_what_nobody_can_have_seen_is_evidence(world, kept):
    subject, phone = kept
    assert seen(world, phone).state == "HOSPITAL"
    for rule, changes in (
        ("diary.form-unknown", {"form": "MONTHLY"}),
        ("diary.period-unknown", {"period": "2026-06-30"}),
        ("diary.period-unknown", {"form": "FALL", "period": None}),
        ("diary.version-unknown", {"digest": "ab" * 32}),
    ):
        assert seen(world, phone, **changes).rule == rule
    shown = [one for one in world.diary(subject).others if one.entry.kind == "DiaryFormShown"]
    assert [(one.entry.form, one.entry.period) for one in shown] == [("DAILY", DAY)]


def test_after_a_withdrawal_that_stops_records_a_request_and_a_view_count_for_nothing_and_help_is_heard(
    world, kept
):
    subject, phone = kept
    entry = phone.put(content(world, phone))
    assert phone.sync(world.send)
    withdrawn = WithdrawConsent(subject, "PARTICIPANT", DAY, "")
    assert world.desk.submit(world.crc, withdrawn, key=f"all of it {subject}").accepted
    request = phone.ask(entry, "it was 7 hours")
    assert answered(world, phone, phone.storage.queue[request]).rule == "diary.ended"
    assert seen(world, phone).rule == "diary.ended"
    kept_of_it = [
        one.entry for one in world.diary(subject).others if one.entry.kind == "DiaryEvidenceRecorded"
    ]
    assert [one.content for one in kept_of_it] == ["", ""], "nothing of what they say is kept"
    assert world.diary(subject).requests == {}
    call = phone.put({"v": 1, "kind": "help"})
    assert answered(world, phone, phone.storage.queue[call]).state == "HOSPITAL"


def test_of_an_erased_participant_nothing_is_taken_and_no_phone_is_asked_to_try_again(world, kept):
    subject, phone = kept
    world.desk.ledger.keys.destroy(f"subject/{subject}")
    answer = sent(world, phone)
    assert (answer.state, answer.rule) == ("REFUSED", "diary.ended")


def test_a_caregiver_without_consent_gets_no_phone(world):
    said = devices.invite(world.desk, world.crc, world.plant(), "caregiver02", key="no consent")
    assert [one.rule for one in said] == ["diary.caregiver-not-consented"]


def test_before_the_first_day_there_is_nothing_to_fill_in(world):
    subject = world.plant(randomized=False)
    phone = world.phone(subject)
    assert phone.slots == ()
    assert sent(world, phone).rule == "diary.period-unknown"
    event = {"form": "NEWDEVICE", "period": None, "answers": {}, "shown": []}
    assert sent(world, phone, **event).rule == "diary.not-begun"


def test_a_request_is_kept_beside_the_entry_and_changes_nothing(world, kept):
    subject, phone = kept
    entry = phone.put(content(world, phone))
    wish = phone.ask(entry, "我点错了，睡了7个小时")
    for packet in (entry, wish):
        assert answered(world, phone, phone.storage.queue[packet]).state == "HOSPITAL"
    assert world.diary(subject).made[entry].answers["SLEEP"].value == "8"
    assert world.diary(subject).requests[wish].entry.about == entry
    nothing = phone.ask("nosuchentry0", "change it")
    assert answered(world, phone, phone.storage.queue[nothing]).rule == "diary.entry-unknown"


def test_no_person_sends_as_a_phone_and_no_phone_as_another(world, kept):
    subject, phone = kept
    one = Sent("packet000001", "ab" * 32, "help", "{}")
    for who in (world.crc, world.desk.who("pi", "investigator")):
        refused = world.desk.submit(
            who, RecordDiary(subject, phone.storage.device, (one,)), key=f"as {who.role}"
        )
        assert [each.rule for each in refused.problems] == ["access.not-allowed"]


@pytest.mark.parametrize("ahead", [dt.timedelta(days=365), -dt.timedelta(days=365), dt.timedelta(minutes=6)])
def test_a_clock_that_is_off_and_known_to_be_so_is_marked_and_counts(world, kept, ahead):
    subject, phone = kept
    phone.ahead = ahead
    assert phone.sync(world.send)
    phone.begin("DAILY", DAY)
    packet = phone.submit()
    assert phone.sync(world.send)
    assert phone.told[packet] == "HOSPITAL"
    entry = world.diary(subject).made[packet].entry
    assert entry.clock == ("OFF",)
    assert dt.datetime.fromisoformat(entry.begun) == world.clock.at
    assert entry.claimed_begun.startswith(str((world.clock.at + ahead).year))


def test_a_clock_that_was_moved_while_the_page_lived_is_marked_and_the_counter_tells(world, kept):
    subject, phone = kept
    world.clock.at += dt.timedelta(hours=1)
    phone.ahead = dt.timedelta(hours=-30)
    phone.begin("DAILY", DAY)
    packet = phone.submit()
    assert phone.sync(world.send)
    entry = world.diary(subject).made[packet].entry
    assert entry.clock == ("MOVED",)
    assert dt.datetime.fromisoformat(entry.begun) == world.clock.at
