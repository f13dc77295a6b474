"""The channel: what goes up is believed only when it is proven, what comes down only when it is signed.

Sources of the rules: DESIGN 5 (channel, randomizing, anchors); the issue's bad input: replayed or forged requests, slot
used twice after a restore from backup, vault down.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from equipoise.access.commands import SYSTEM
from equipoise.channel.codec import read_answer, read_delivery, write_answer, write_delivery
from equipoise.channel.messages import FRAME, Delivery
from equipoise.desk.courier import HEARD, Courier
from equipoise.desk.desk import open_desk
from equipoise.desk.front import FrontDesk
from equipoise.ledger.checkpoint import make_checkpoint
from equipoise.ledger.entries import (
    Append,
    CodeBreakRequested,
    PreparationRequested,
    StudyReleased,
    SubjectScreened,
)
from equipoise.ledger.opening import Ledger, open_ledger
from equipoise.ledger.vault_entries import (
    CheckpointAccepted,
    DeliveryRefused,
    EntryAccepted,
    SlotAssigned,
    SlotRefused,
)
from equipoise.oversight.commands import EnrolSecondDoor
from equipoise.words.problem import Problem
from rooms.vault.two_doors import Doors

A, B = "N6-12/D14-45", "N13-20/D14-45"


def entries(doors: Doors, stream: str):
    with doors.vault.reading() as reader:
        return [recorded.entry for recorded in reader.entries(stream)]


def refusals(doors: Doors) -> list[str]:
    return [one.rule for one in entries(doors, "inbox") if isinstance(one, DeliveryRefused)]


def known(doors: Doors):
    with doors.vault.reading() as reader:
        return doors.vault.known(reader)


def sent(doors: Doors, delivery: Delivery) -> str:
    """What the second door says of a delivery: the rule of its refusal, or nothing."""
    answer = read_answer(doors.vault.receive(write_delivery(delivery)))
    assert answer is not None
    return answer.refused


def true_delivery(doors: Doors) -> Delivery:
    """A delivery of the courier's that was not taken in yet: a subject randomized since the last exchange."""
    caught: list[bytes] = []

    def catch(delivery: bytes) -> bytes:
        caught.append(delivery)
        raise ConnectionRefusedError("caught on the way")

    doors.courier._line = catch
    assert doors.courier.exchange() is not None
    doors.courier._line = doors.line
    read = read_delivery(caught[-1])
    assert read is not None
    assert read.entries
    return read


@pytest.fixture
def pending(doors: Doors) -> Doors:
    """Both doors after an exchange, with something new at the first one."""
    doors.exchange()
    doors.randomize("s1", A)
    return doors


def test_what_the_first_door_wrote_is_known_at_the_second(doors: Doors) -> None:
    doors.exchange()
    number = doors.randomize("s1", A)
    doors.exchange()
    found = known(doors)
    assert found.told.sites == {"s1": "01"}
    assert found.told.randomized == {"s1": (number, A)}
    assert found.slots.numbers == {"s1": number}
    assert [one.order for one in entries(doors, "slots") if isinstance(one, SlotAssigned)] == [1]
    assert "pharmacist" in found.told.roles()["phar"]
    assert found.told.published is not None
    assert found.told.published.root == found.root
    assert not refusals(doors)


def test_nothing_but_the_listed_kinds_goes_up(doors: Doors) -> None:
    from equipoise.channel.messages import FORWARDED
    from equipoise.ledger.chain import read_header

    doors.exchange()
    doors.randomize("s1", A)
    doors.exchange()
    kinds = set()
    for asked in doors.asked:
        read = read_delivery(asked)
        assert read is not None
        kinds |= {read_header(one.header.encode()).kind for one in read.entries}
    assert "SlotTaken" in kinds
    assert kinds <= FORWARDED.keys()
    assert not kinds & {"SiteAdded", "SecondDoorEnrolled"}  # the store holds these, and they stay


def test_every_answer_has_one_length(pending: Doors) -> None:
    pending.vault.tick()
    pending.exchange()
    pending.vault.receive(b"")
    pending.vault.receive(b"\xff" * 99)
    assert len(pending.answered) >= 3
    assert {len(answer) for answer in pending.answered} == {FRAME}
    assert len(pending.vault.receive(b"nonsense")) == FRAME


def test_the_same_delivery_again_changes_nothing(pending: Doors) -> None:
    pending.exchange()
    before = len(entries(pending, "inbox")), len(entries(pending, "slots"))
    for asked in pending.asked[-3:]:
        pending.vault.receive(asked)
    assert (len(entries(pending, "inbox")), len(entries(pending, "slots"))) == before
    assert known(pending).slots.order == 1


def test_a_checkpoint_of_long_ago_is_refused_and_written_down_once(pending: Doors) -> None:
    first = next(read for asked in pending.asked if (read := read_delivery(asked)) and read.entries)
    pending.exchange()
    state = known(pending)
    for _ in range(3):
        answer = read_answer(
            pending.vault.receive(write_delivery(dataclasses.replace(first, entries=first.entries[:-1])))
        )
        assert answer is not None
        assert answer.refused == "vault.checkpoint-older"
        assert not answer.statements
    assert refusals(pending) == ["vault.checkpoint-older"]
    assert known(pending).slots == state.slots
    assert known(pending).told == state.told


def test_a_lost_answer_loses_nothing(doors: Doors) -> None:
    doors.exchange()
    doors.vault.tick()
    doors.randomize("s1", A)
    lost: list[bytes] = []

    def losing(delivery: bytes) -> bytes:
        answer = doors.line(delivery)
        if len(lost) < 3:
            lost.append(answer)
            raise ConnectionResetError("the line broke after the answer")
        return answer

    doors.courier._line = losing
    for _ in range(3):
        assert doors.courier.exchange() is not None
    assert doors.courier.exchange() is None
    assert known(doors).slots.order == 1
    assert [one.number for one in _anchors(doors)] == [1]


def test_a_door_that_is_away_holds_up_nothing_and_is_caught_up_with(doors: Doors) -> None:
    doors.exchange()
    assert doors.courier.answers

    def away(delivery: bytes) -> bytes:
        raise FileNotFoundError(2, "No such file or directory")

    doors.courier._line = away
    for name in ("s1", "s2", "s3"):
        doors.randomize(name, A)
        problem = doors.courier.exchange()
        assert problem is not None
        assert problem.rule == "desk.second-door-away"
    assert not doors.courier.answers
    doors.courier._line = doors.line
    doors.exchange()
    assert known(doors).slots.order == 3
    assert doors.courier.answers


def test_many_entries_go_in_several_deliveries(doors: Doors) -> None:
    for count in range(70):
        doors.randomize(f"s{count}", A)
    doors.exchange()
    assert known(doors).slots.order == 70
    assert max(len(read_delivery(asked).entries) for asked in doors.asked) <= 200
    assert sum(len(read_delivery(asked).entries) for asked in doors.asked) > 210


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
        "consistency turned": dataclasses.replace(true, consistency=true.consistency[::-1]),
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
    rows = _rows(courier)
    with doors.desk.ledger.store.reading() as reading:
        stored = [(place, one) for place, one in enumerate(reading.walk()) if b'"SiteAdded"' in one.header]
    disclosed = courier._disclosed(*stored[0], rows)
    assert disclosed is not None
    assert sent(doors, dataclasses.replace(delivery, entries=(disclosed,))) == "vault.entry-kind-not-allowed"


def _rows(courier: Courier):
    from equipoise.ledger.merkle import rows_of

    return rows_of(courier._leaves[: courier._checkpoint.size])


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


def restored(doors: Doors, backup: Path) -> Doors:
    """The same doors after the first one was put back as it was in a backup."""
    doors.desk.close()
    shutil.rmtree(doors.folder / "first")
    shutil.copytree(backup, doors.folder / "first")
    desk = open_desk(doors.folder / "first", kind=FrontDesk, clock=doors.clock)
    assert isinstance(desk, FrontDesk), desk
    doors.desk = desk
    doors.courier = desk.send(Courier(desk, doors.line))
    return doors


def backed_up(doors: Doors, place: Path) -> Path:
    """A copy of the first door as it stands."""
    doors.desk.close()
    shutil.copytree(doors.folder / "first", place)
    return restored(doors, place).folder and place


def test_a_first_door_restored_from_a_backup_is_found_out_and_gives_no_slot_twice(
    doors: Doors, tmp_path: Path
) -> None:
    doors.exchange()
    backup = backed_up(doors, tmp_path / "backup")
    first = doors.randomize("s1", A)
    doors.exchange()
    restored(doors, backup)
    problem = doors.courier.exchange()
    assert problem is not None
    assert problem.rule == "desk.second-door-ahead"
    assert refusals(doors) == ["vault.checkpoint-older"]
    second = doors.randomize("s2", A)
    assert second == first  # the first door does not know better
    for name in ("s3", "s4", "s5", "s6"):  # until it is longer than what was accepted
        doors.randomize(name, A)
    problem = doors.courier.exchange()
    assert problem is not None
    assert problem.rule == "desk.second-door-refuses"
    assert known(doors).slots.numbers == {"s1": first}
    assert not doors.courier.answers
    assert [alarm.rule for alarm in doors.vault.alarms()] == [
        "vault.checkpoint-forked",
        "vault.checkpoint-older",
    ]


def test_an_older_ledger_is_refused_and_written_down(doors: Doors, tmp_path: Path) -> None:
    doors.exchange()
    backup = backed_up(doors, tmp_path / "backup")
    for name in ("s1", "s2", "s3"):
        doors.randomize(name, A)
    doors.exchange()
    restored(doors, backup)
    doors.randomize("s9", A)
    made = make_checkpoint(doors.desk.ledger, doors.clock())
    assert not isinstance(made, Problem)
    assert sent(doors, Delivery(made.note, (), (), 0)) == "vault.checkpoint-older"
    assert refusals(doors) == ["vault.checkpoint-older"]


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


def _anchors(doors: Doors):
    from equipoise.ledger.entries import AnchorReceived

    with doors.desk.reading() as reader:
        return [one.entry for one in reader.entries("second-door") if isinstance(one.entry, AnchorReceived)]


def test_statements_are_recorded_in_order_and_once(doors: Doors) -> None:
    for hour in range(3):
        doors.clock.at += dt.timedelta(hours=1, minutes=1)
        doors.vault.tick()
        if hour:
            doors.exchange()
    doors.exchange()
    assert [one.number for one in _anchors(doors)] == [1, 2, 3]
    (
        doors.folder / "first" / HEARD
    ).unlink()  # the number of the last one heard is lost: everything is told again
    doors.exchange()
    doors.exchange()
    assert [one.number for one in _anchors(doors)] == [1, 2, 3]


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
    assert not _anchors(doors)


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


def test_what_a_body_was_erased_from_is_left_out_and_the_rest_goes_on(doors: Doors) -> None:
    doors.exchange()
    doors.randomize("s1", A)
    doors.desk.ledger.keys.destroy("subject/s1")
    doors.randomize("s2", A)
    doors.exchange()
    found = known(doors)
    assert set(found.told.sites) == {"s2"}
    assert set(found.slots.numbers) == {
        "s1",
        "s2",
    }  # the stream `allocation` names the subject, not the person


def test_the_second_door_forgets_nothing_when_it_is_opened_again(pending: Doors) -> None:
    pending.exchange()
    before = known(pending)
    pending.reopen_vault()
    assert known(pending) == before
    pending.randomize("s2", A)
    pending.exchange()
    assert known(pending).slots.order == 2


def test_a_courier_of_a_restarted_first_door_goes_on_where_it_was(pending: Doors) -> None:
    pending.exchange()
    count = len([one for one in entries(pending, "inbox") if isinstance(one, EntryAccepted)])
    courier = Courier(pending.desk, pending.line)
    assert courier.exchange() is None
    assert len([one for one in entries(pending, "inbox") if isinstance(one, EntryAccepted)]) == count
    sizes = [one.size for one in entries(pending, "inbox") if isinstance(one, CheckpointAccepted)]
    assert sizes == sorted(set(sizes))


def test_a_request_of_the_first_door_is_known_with_who_asked(doors: Doors) -> None:
    doors.randomize("s1", A)
    asked = CodeBreakRequested("r1", "EMERGENCY", True, "SELF", False, "secret free text", "")
    doors.write("ask", Append("subject/s1", asked), actor="inv", role="investigator")
    doors.exchange()
    found = known(doors).told.breaks["r1"]
    assert (found.subject, found.actor, found.role, found.site) == ("s1", "inv", "investigator", "01")
    assert not any(b"secret free text" in one for one in doors.asked)  # free text stays at the first door


def test_a_flood_of_rubbish_does_not_fill_the_ledger(doors: Doors) -> None:
    from equipoise.vault.inbox import REFUSALS_A_DAY

    for count in range(REFUSALS_A_DAY + 30):
        doors.vault.receive(f"rubbish {count}".encode())
    assert len(refusals(doors)) == REFUSALS_A_DAY
    doors.exchange()


def test_a_second_door_restored_from_a_backup_is_found_out(doors: Doors, tmp_path: Path) -> None:
    """It would say its statements anew, under numbers that the first door has heard already."""
    doors.exchange()
    doors.vault.close()
    shutil.copytree(doors.folder / "vault", tmp_path / "backup")
    doors.reopen_vault()
    doors.vault.tick()
    doors.exchange()
    assert len(_anchors(doors)) == 1
    doors.vault.close()
    shutil.rmtree(doors.folder / "vault")
    shutil.copytree(tmp_path / "backup", doors.folder / "vault")
    doors.reopen_vault()
    doors.courier = doors.desk.send(Courier(doors.desk, doors.line))
    problem = doors.courier.exchange()
    assert problem is not None
    assert problem.rule == "desk.second-door-refuses"
    assert [alarm.rule for alarm in doors.vault.alarms()] == ["vault.heard-more"]
    assert not doors.courier.behind  # it is the other one that is behind: randomizing goes on


def test_a_store_put_back_randomizes_nobody_once_it_knows(doors: Doors, tmp_path: Path) -> None:
    doors.exchange()
    backup = backed_up(doors, tmp_path / "backup")
    doors.randomize("s1", A)
    doors.exchange()
    restored(doors, backup)
    assert not doors.courier.behind
    doors.courier.exchange()
    assert doors.courier.behind
    with doors.desk.reading() as reader:
        assert doors.desk.standing_light(reader, "s1").facts.store_behind


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


def test_today_says_what_is_wrong_between_the_doors(doors: Doors) -> None:
    doors.exchange()
    who = doors.desk.who("crc", "coordinator")
    assert who is not None

    def told() -> list[str]:
        view = doors.desk.today(who)
        assert view is not None
        return [task.key for task in view.tasks if task.kind == "second_door"]

    assert told() == []

    def away(delivery: bytes) -> bytes:
        raise FileNotFoundError(2, "No such file or directory")

    doors.courier._line = away
    doors.courier.exchange()
    assert told() == ["desk.second-door-away"]
    doors.courier._line = doors.line
    doors.exchange()
    assert told() == []
