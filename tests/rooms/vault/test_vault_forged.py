"""What is forged, stays at the first door, or was never made here: refused by name, written down, and believed by nobody.

Sources of the rules: DESIGN 5 (channel, list); the issue's bad input: replayed or forged requests.
"""

from __future__ import annotations

import dataclasses
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from equipoise.access.commands import SYSTEM
from equipoise.channel.codec import read_answer, read_delivery, write_answer
from equipoise.channel.messages import Delivery
from equipoise.desk.courier import Courier
from equipoise.desk.front import FrontDesk
from equipoise.ledger.entries import (
    Append,
    PreparationRequested,
    StudyReleased,
    SubjectScreened,
)
from equipoise.ledger.opening import Ledger, open_ledger
from equipoise.ledger.vault_entries import (
    SlotRefused,
)
from equipoise.oversight.commands import EnrolSecondDoor
from equipoise.words.problem import Problem
from rooms.vault.channel_reads import anchors_heard, entries, known, refusals, sent, true_delivery
from rooms.vault.two_doors import Doors

A, B = "N6-12/D14-45", "N13-20/D14-45"


def _forged(doors: Doors, how: str) -> tuple[Delivery, str]:
    """A delivery that is not what it says, and the rule by which it must be refused."""
    true = true_delivery(doors)
    one = true.entries[0]
    # Another value of the same length, so that nothing but the content differs.
    other_body = one.body.replace("person s1", "person s2") if "person s1" in one.body else one.body[::-1]
    changed = {
        "signature": dataclasses.replace(true, checkpoint=true.checkpoint[:-8] + "AAAAAA=\n"),
        "size": dataclasses.replace(true, checkpoint=true.checkpoint.replace("\n", "\n9", 1)),
        "no checkpoint": dataclasses.replace(true, checkpoint=""),
        "body": _with(true, dataclasses.replace(one, body=other_body)),
        "nonce": _with(true, dataclasses.replace(one, nonce="00" * 32)),
        "header": _with(true, dataclasses.replace(one, header=one.header.replace('"crc"', '"phar"'))),
        "place": _with(true, dataclasses.replace(one, index=one.index + 1)),
        "path": _with(true, dataclasses.replace(one, path=one.path[:-1])),
        "path of another": _with(true, dataclasses.replace(one, path=true.entries[1].path)),
        "order": dataclasses.replace(true, entries=true.entries[::-1]),
        "twice": dataclasses.replace(true, entries=(one, one)),
        "consistency": dataclasses.replace(true, consistency=()),
        "consistency turned": dataclasses.replace(
            true, consistency=tuple(one[::-1] for one in true.consistency)
        ),
        "no header": _with(true, dataclasses.replace(one, header="{}")),
    }
    rules = {
        "signature": "vault.checkpoint-forged",
        "size": "vault.checkpoint-forged",
        "no checkpoint": "vault.checkpoint-forged",
        "body": "vault.entry-body-differs",
        "nonce": "vault.entry-body-differs",
        "header": "vault.entry-not-in-checkpoint",
        "place": "vault.entry-not-in-checkpoint",
        "path": "vault.entry-not-in-checkpoint",
        "path of another": "vault.entry-not-in-checkpoint",
        "order": "vault.entry-out-of-order",
        "twice": "vault.entry-out-of-order",
        "consistency": "vault.checkpoint-forked",
        "consistency turned": "vault.checkpoint-forked",
        "no header": "vault.delivery-unreadable",
    }
    return changed[how], rules[how]


def _with(true: Delivery, one) -> Delivery:
    return dataclasses.replace(true, entries=(one, *true.entries[1:]))


FORGERIES = (
    "signature", "size", "no checkpoint", "body", "nonce", "header", "place", "path", "path of another", "order",
    "twice", "consistency", "consistency turned", "no header",
)  # fmt: skip


@pytest.mark.parametrize("how", FORGERIES)
def test_a_forged_delivery_is_refused_by_name_and_written_down(pending: Doors, how: str) -> None:
    forged, rule = _forged(pending, how)
    before = known(pending)
    assert sent(pending, forged) == rule
    assert refusals(pending) == [rule]
    after = known(pending)
    assert (after.told, after.slots, after.inbox.size) == (before.told, before.slots, before.inbox.size)
    pending.exchange()  # and the true one is taken in afterwards as if nothing had been
    assert known(pending).slots.order == 1


def test_an_entry_of_a_kind_that_stays_at_the_first_door_is_refused(doors: Doors) -> None:
    """Proven to stand in the checkpoint, and refused all the same."""
    doors.exchange()
    entry = Append("subject/s1", SubjectScreened("s1", "01", "S-1", "person s1"))
    doors.write("screened", entry)
    delivery = true_delivery(doors)
    courier = doors.courier
    assert courier._checkpoint is not None
    size = courier._checkpoint.size
    with doors.desk.ledger.store.reading() as reading:
        stored = [(place, one) for place, one in enumerate(reading.walk()) if b'"SiteAdded"' in one.header]
    disclosed = courier._disclosed(*stored[0], size)
    assert disclosed is not None
    assert sent(doors, dataclasses.replace(delivery, entries=(disclosed,))) == "vault.entry-kind-not-allowed"


def test_a_ledger_signed_by_another_key_is_refused(pending: Doors, tmp_path: Path) -> None:
    """A whole first door of its own, with every proof right, and the wrong key."""
    other = tmp_path / "other"
    shutil.copytree(pending.folder / "first", other)
    for path in (other / "keys", other / "checkpoints"):
        shutil.rmtree(path)
    (other / "ledger.sqlite").unlink()
    for path in other.glob("ledger.sqlite-*"):
        path.unlink()
    ledger = open_ledger(other, write=True, create=True)
    assert isinstance(ledger, Ledger)
    made = Doors(tmp_path, pending.study, FrontDesk(ledger, pending.desk.register, pending.clock, bytes), None, None,
                 pending.clock)  # fmt: skip
    made.write("open", Append("subject/s9", SubjectScreened("s9", "01", "S-9", "p")))
    caught: list[bytes] = []

    def catch(delivery: bytes) -> bytes:
        caught.append(delivery)
        return write_answer(0, 0, "", ())

    Courier(made.desk, catch).exchange()
    forged = read_delivery(caught[-1])
    assert forged is not None
    assert forged.entries
    ledger.close()
    assert sent(pending, forged) == "vault.checkpoint-forged"


@pytest.mark.parametrize(
    ("numbers", "rules"),
    [
        (("first", "first"), ["vault.slot-twice"]),
        (("second",), ["vault.slot-out-of-order"]),
        (("none",), ["vault.slot-unknown"]),
        (("other stratum",), ["vault.slot-unknown"]),
    ],
)
def test_a_slot_out_of_its_order_is_refused_for_the_subject(doors: Doors, numbers, rules) -> None:
    with doors.desk.reading() as reader:
        listed = doors.desk.trial(reader).allocation.numbers
    meant = {
        "first": listed[A][0], "second": listed[A][1], "none": "R0", "other stratum": listed[B][0],
    }  # fmt: skip
    for count, name in enumerate(numbers):
        doors.randomize(f"s{count}", A, meant[name])
    doors.exchange()
    refused = [one for one in entries(doors, "slots") if isinstance(one, SlotRefused)]
    assert [one.rule for one in refused] == rules
    assert refused[-1].subject == f"s{len(numbers) - 1}"
    assert known(doors).slots.faults == {refused[-1].subject: rules[-1]}
    assert [alarm.rule for alarm in doors.vault.alarms()] == rules


def test_a_subject_gets_one_slot(doors: Doors) -> None:
    doors.randomize("s1", A)
    number = doors.next_number(A)
    from equipoise.ledger.entries import SlotTaken

    doors.write("again", Append("allocation", SlotTaken(A, number, "s1")))
    doors.exchange()
    assert [one.rule for one in entries(doors, "slots") if isinstance(one, SlotRefused)] == [
        "vault.slot-twice"
    ]


def test_a_trial_and_a_rehearsal_do_not_talk(doors: Doors, tmp_path: Path) -> None:
    """A first door that says it is a trial, with its own second door, which is a rehearsal."""
    from equipoise.desk.setup import create_store
    from equipoise.vault.opening import create_vault
    from rooms.vault.two_doors import PASSPHRASE, WORK, opened

    desk = create_store(tmp_path / "trial", doors.study, "trial")
    assert not isinstance(desk, tuple)
    key = desk.ledger.keys.public.hex()
    vault = opened(
        create_vault(
            tmp_path / "v", doors.study, "rehearsal", key, None, PASSPHRASE, clock=doors.clock, work=WORK
        )
    )
    courier = Courier(desk, vault.receive)
    problem = courier.exchange()
    assert problem is not None
    assert problem.rule == "desk.second-door-refuses"
    assert [alarm.rule for alarm in vault.alarms()] == ["vault.purpose-differs"]
    desk.close()
    vault.close()


def test_a_list_that_was_not_made_here_is_an_alarm_and_opens_nothing(
    made_doors: Path, tmp_path: Path
) -> None:
    """The first door publishes a list of its own making, before the second door heard of any."""
    from equipoise.access.commands import SYSTEM
    from equipoise.desk.setup import create_store
    from equipoise.vault.opening import create_vault
    from rooms.randomization.made_list import publication
    from rooms.vault.two_doors import PASSPHRASE, WORK, opened, rehearsed_study, write_list

    study = rehearsed_study()
    write_list(study, tmp_path)
    desk = create_store(tmp_path / "first", study, "rehearsal")
    assert not isinstance(desk, tuple)
    assert desk.submit(SYSTEM, publication(study), key="own list").accepted
    key = desk.ledger.keys.public.hex()
    vault = opened(
        create_vault(tmp_path / "v", study, "rehearsal", key, tmp_path / "list", PASSPHRASE, work=WORK)
    )
    assert Courier(desk, vault.receive).exchange() is None
    assert [alarm.rule for alarm in vault.alarms()] == ["vault.list-of-another"]
    with vault.reading() as reader:
        state = vault.known(reader)
        number = state.told.published.slots[A][0].number
        arm = vault._knowledge.arm(study, number, state)
    assert isinstance(arm, Problem)
    desk.close()
    vault.close()


@pytest.mark.parametrize("what", ["signature", "content", "number", "says"])
def test_a_statement_that_the_second_door_did_not_sign_is_not_recorded(doors: Doors, what: str) -> None:
    doors.vault.tick()

    def changing(delivery: bytes) -> bytes:
        answer = read_answer(doors.line(delivery))
        assert answer is not None
        changes = {
            "signature": {"signature": "00" * 64},
            "content": {"content": '{"commitment":"' + "0" * 64 + '","number":1}'},
            "number": {"number": 2},
            "says": {"says": "BagReleased"},
        }[what]
        said = tuple(dataclasses.replace(one, **changes) for one in answer.statements)
        return write_answer(answer.size, answer.upto, "", said)

    doors.courier._line = changing
    problem = doors.courier.exchange()
    assert problem is not None
    assert problem.rule == "desk.second-door-unsigned"
    assert not anchors_heard(doors)


def test_nothing_is_recorded_before_the_second_door_was_enrolled(doors: Doors, tmp_path: Path) -> None:
    from equipoise.desk.setup import create_store

    desk = create_store(tmp_path / "bare", doors.study, "rehearsal", clock=doors.clock)
    assert not isinstance(desk, tuple)
    doors.vault.tick()
    with doors.vault.reading() as reader:
        from equipoise.vault.statements import statements_after

        said = statements_after(reader, doors.vault.ledger.keys, 0)
    assert said
    problem = Courier(desk, lambda delivery: write_answer(0, 0, "", said)).exchange()
    assert problem is not None
    assert problem.rule == "desk.second-door-unsigned"
    assert desk.submit(SYSTEM, EnrolSecondDoor(doors.vault.public_key), key="e").accepted
    desk.close()


def test_a_flood_of_rubbish_does_not_fill_the_ledger(doors: Doors) -> None:
    from equipoise.vault.inbox import REFUSALS_A_DAY

    for count in range(REFUSALS_A_DAY + 30):
        doors.vault.receive(f"rubbish {count}".encode())
    assert len(refusals(doors)) == REFUSALS_A_DAY
    doors.exchange()


@pytest.mark.parametrize(
    ("entry", "rule"),
    [
        (lambda study: StudyReleased("9", "0" * 64, "{}"), "vault.definition-unreadable"),
        (lambda study: StudyReleased("9", sha256(b"{").hexdigest(), "{"), "vault.definition-unreadable"),
        (lambda study: PreparationRequested("r1", "D1", "tomorrow", "70"), "vault.delivery-unreadable"),
        (
            lambda study: PreparationRequested("r1", "D1", "2026-06-01T10:00:00", "70"),
            "vault.delivery-unreadable",
        ),
    ],
)
def test_what_work_here_would_stumble_over_is_refused(doors: Doors, entry, rule: str) -> None:
    """Signed by the true key, and still no value that would stop this door."""
    doors.exchange()
    stream = "study" if rule.startswith("vault.def") else "subject/s1"
    doors.write("wrong", Append(stream, entry(doors.study)), actor="system", role="system")
    assert doors.courier.exchange() is not None
    assert refusals(doors) == [rule]
    assert doors.vault.study == doors.study
    doors.vault.tick()
