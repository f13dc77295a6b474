"""The channel: what goes up is believed only when it is proven, what comes down only when it is signed.

Sources of the rules: DESIGN 5 (channel, randomizing, anchors); the issue's bad input: replayed or forged requests, slot
used twice after a restore from backup, vault down.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import shutil
from pathlib import Path

from equipoise.channel.codec import read_answer, read_delivery, write_delivery
from equipoise.channel.messages import FRAME, Delivery
from equipoise.desk.courier import HEARD, Courier
from equipoise.desk.desk import open_desk
from equipoise.desk.front import FrontDesk
from equipoise.ledger.checkpoint import make_checkpoint
from equipoise.ledger.entries import (
    Append,
    CodeBreakRequested,
)
from equipoise.ledger.vault_entries import (
    CheckpointAccepted,
    EntryAccepted,
    SlotAssigned,
)
from equipoise.words.problem import Problem
from rooms.vault.channel_reads import anchors_heard, entries, known, refusals, sent
from rooms.vault.two_doors import Doors

A, B = "N6-12/D14-45", "N13-20/D14-45"


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
    from equipoise.channel.messages import FORWARDED, WHOLE
    from equipoise.ledger.chain import read_header

    doors.exchange()
    doors.randomize("s1", A)
    doors.exchange()
    kinds = set()
    for asked in doors.asked:
        read = read_delivery(asked)
        assert read is not None
        for one in read.entries:
            header = read_header(one.header.encode())
            if header.kind in FORWARDED or one.body:
                kinds.add(header.kind)
            else:  # its header alone, so that nothing of a person's roles can be left out unseen
                assert header.stream.startswith(WHOLE)
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
    assert [one.number for one in anchors_heard(doors)] == [1]


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


def test_statements_are_recorded_in_order_and_once(doors: Doors) -> None:
    for hour in range(3):
        doors.clock.at += dt.timedelta(hours=1, minutes=1)
        doors.vault.tick()
        if hour:
            doors.exchange()
    doors.exchange()
    assert [one.number for one in anchors_heard(doors)] == [1, 2, 3]
    (
        doors.folder / "first" / HEARD
    ).unlink()  # the number of the last one heard is lost: everything is told again
    doors.exchange()
    doors.exchange()
    assert [one.number for one in anchors_heard(doors)] == [1, 2, 3]


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


def test_a_second_door_restored_from_a_backup_is_found_out(doors: Doors, tmp_path: Path) -> None:
    """It would say its statements anew, under numbers that the first door has heard already."""
    doors.exchange()
    doors.vault.close()
    shutil.copytree(doors.folder / "vault", tmp_path / "backup")
    doors.reopen_vault()
    doors.vault.tick()
    doors.exchange()
    assert len(anchors_heard(doors)) == 1
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
