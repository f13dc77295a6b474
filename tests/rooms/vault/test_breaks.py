"""One code opened for one person, through both doors: the request first, the arm once, for a minute, and never here.

Sources: DESIGN 5 (three openings), issue Capability 7, reliability notes §4 step 7 and the quota.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from equipoise.access.commands import Who
from equipoise.capture.commands import RecordForm
from equipoise.desk.code_breaks import ask, blind_page, drill_page
from equipoise.desk.knowledge import report
from equipoise.ledger.entries import Datum
from equipoise.ledger.vault_entries import ArmShown, BreakAccepted, BreakRefused, QuotaPassed
from equipoise.randomization.commands import RequestCodeBreak, ReviewCodeBreak
from equipoise.vault.breaks import showing
from equipoise.vault.breaks.codes import code_digest, new_code
from equipoise.vault.breaks.showing import Offer, Shown
from equipoise.vault.facts import Keeper
from equipoise.words.problem import Problem
from equipoise.words.text import Text
from rooms.vault.two_doors import Doors


def stratum(doors: Doors) -> str:
    with doors.desk.reading() as reader:
        return next(iter(doors.desk.trial(reader).allocation.numbers))


def begin(doors: Doors, *subjects: str, site: str = "01") -> None:
    for subject in subjects or ("s1",):
        doors.randomize(subject, stratum(doors), site=site)
    doors.exchange()
    assert doors.enrol("inv", "BREAK").accepted


def me(doors: Doors) -> Who:
    who = doors.desk.who("inv", "investigator")
    assert who is not None
    return who


def keeper(doors: Doors, actor: str = "inv") -> Keeper:
    found = doors.vault.who(actor, "BREAK")
    assert found is not None
    return found


def wanted(letter: str) -> str:
    return letter * 16


def request(doors: Doors, subject: str = "s1", letter: str = "a", **changes: object) -> str:
    command = RequestCodeBreak(
        subject, wanted(letter), "EMERGENCY", urgent=True, to="SELF", reason="canary reason anaphylaxis"
    )
    outcome = ask(doors.desk, me(doors), dataclasses.replace(command, **changes), key=f"ask {letter}")  # type: ignore[arg-type]
    assert outcome.accepted, [one.say() for one in outcome.problems]
    return wanted(letter)


def entries(doors: Doors, stream: str = "breaks") -> list[object]:
    with doors.vault.reading() as reader:
        return [one.entry for one in reader.entries(stream)]


def arm_of(doors: Doors, subject: str) -> Text:
    """The arm as the list has it: the slot opened by the vault's own book, past every rule of this room."""
    with doors.vault.reading() as reader:
        known = doors.vault.known(reader)
    book = doors.vault.book
    assert book is not None
    content = book.open(known.slots.numbers[subject], known.told.published, known.root)
    assert not isinstance(content, Problem)
    return next(one.label for one in doors.study.arms if one.id == book.arms[content.arm])


def rules(came: object) -> set[str]:
    assert isinstance(came, tuple), came
    return {one.rule for one in came}


def test_the_arm_is_shown_once_for_a_minute_to_who_asked(doors):
    begin(doors)
    asked = request(doors)
    doors.vault._clock = lambda: doors.clock.at  # a clock that stands still between two questions
    assert [type(one) for one in entries(doors)] == [BreakAccepted]
    offer = showing.offer(doors.vault, keeper(doors), asked)
    assert isinstance(offer, Offer)
    assert (offer.number, offer.stage) == ("S-s1", "open")
    shown = showing.show(doors.vault, keeper(doors), asked, key="show")
    assert isinstance(shown, Shown), shown
    assert shown.arm == arm_of(doors, "s1")
    assert shown.seconds == 60  # issue, Capability 7
    doors.clock.at += dt.timedelta(seconds=59)
    again = showing.show(doors.vault, keeper(doors), asked, key="again")
    assert isinstance(again, Shown)
    assert again.seconds == 1
    doors.clock.at += dt.timedelta(seconds=1)
    assert rules(showing.show(doors.vault, keeper(doors), asked, key="late")) == {
        "vault_breaks.shown-already"
    }
    assert [type(one) for one in entries(doors)] == [BreakAccepted, ArmShown, BreakRefused]


def test_the_request_stands_before_the_arm_in_a_checkpoint_that_the_vault_accepted(doors):
    """Linearity: for every arm that was shown, an entry of the first door asked for it, in an accepted tree."""
    begin(doors, "s1", "s2")
    for letter, subject in (("a", "s1"), ("b", "s2")):
        showing.show(doors.vault, keeper(doors), request(doors, subject, letter), key=f"show {letter}")
    with doors.vault.reading() as reader:
        inbox = reader.entries("inbox")
        shown = [one for one in reader.entries("breaks") if isinstance(one.entry, ArmShown)]
    accepted = {one.entry.leaf: one for one in inbox if one.header.kind == "EntryAccepted"}  # type: ignore[union-attr]
    with doors.desk.reading() as reader:
        asked = {
            one.entry.request: one  # type: ignore[union-attr]
            for stream in ("subject/s1", "subject/s2")
            for one in reader.entries(stream)
            if one.header.kind == "CodeBreakRequested"
        }
    assert len(shown) == 2
    for one in shown:
        asking = asked[cast(ArmShown, one.entry).request]
        taken_in = accepted[asking.leaf]
        assert taken_in.header.at <= one.header.at
        before = [each.entry.size for each in inbox if each.header.kind == "CheckpointAccepted"  # type: ignore[union-attr]
                  and each.header.seq < taken_in.header.seq]  # fmt: skip
        assert taken_in.entry.index < max(before)  # type: ignore[union-attr]


def test_it_is_checkpointed_at_the_second_door_before_anything_is_shown(doors, monkeypatch):
    begin(doors)
    asked = request(doors)
    order: list[str] = []
    real = type(doors.vault).checkpoint
    monkeypatch.setattr(
        type(doors.vault), "checkpoint", lambda vault: order.append("checkpoint") or real(vault)
    )
    monkeypatch.setattr(showing, "_arm", lambda study, facts: order.append("arm") or Text("arm"))
    assert isinstance(showing.show(doors.vault, keeper(doors), asked, key="show"), Shown)
    assert order[0] == "checkpoint"
    assert "arm" in order


def test_nobody_else_sees_it_and_the_attempt_is_an_entry(doors):
    from equipoise.access.commands import SYSTEM, GrantRole

    begin(doors)
    assert doors.desk.submit(SYSTEM, GrantRole("inv2", "investigator", "01"), key="inv2").accepted
    doors.exchange()
    assert doors.enrol("inv2", "BREAK").accepted
    asked = request(doors)
    other = keeper(doors, "inv2")
    assert showing.offer(doors.vault, other, asked) is None
    assert rules(showing.show(doors.vault, other, asked, key="x")) == {"vault_breaks.other-person"}
    assert rules(showing.show(doors.vault, other, wanted("z"), key="y")) == {"vault_breaks.not-asked-for"}
    refused = [one for one in entries(doors) if isinstance(one, BreakRefused)]
    assert {one.rule for one in refused} == {"vault_breaks.other-person", "vault_breaks.not-asked-for"}
    assert not any(isinstance(one, ArmShown) for one in entries(doors))


def test_a_third_person_sees_it_with_a_code_and_the_investigator_does_not(doors):
    begin(doors)
    asked = request(doors, to="THIRD_PERSON", third_person="canary Dr Wu")
    assert rules(showing.show(doors.vault, keeper(doors), asked, key="s")) == {"vault_breaks.for-a-third"}
    came = showing.hand_over(doors.vault, keeper(doors), asked, key="h", entropy=bytes_of(7))
    (code,) = came
    assert isinstance(code, str)
    assert rules(showing.show_third(doors.vault, "bado-kemi-tuso-rani", key="w")) == {
        "vault_breaks.code-unknown"
    }
    shown = showing.show_third(doors.vault, code.upper().replace("-", " "), key="t")
    assert isinstance(shown, Shown), shown
    assert shown.arm == arm_of(doors, "s1")
    doors.clock.at += dt.timedelta(minutes=2)
    assert rules(showing.show_third(doors.vault, code, key="t2")) == {"vault_breaks.shown-already"}
    doors.exchange()
    view = blind_page(doors.desk, me(doors), "S-s1")
    assert view is not None
    assert view.breaks[0].reader == "third person"
    lines = {(line.who, line.how) for line in report(doors.desk) if line.subject == "S-s1"}
    assert lines == {("inv", "CODE_HELD"), ("third person", "THIRD_PERSON")}


def test_who_holds_a_code_for_another_rates_nobody_of_it_even_if_they_type_it_themselves(doors):
    """Nothing tells who typed a code; so whoever could have typed it counts as knowing (decision 0015)."""
    begin(doors)
    asked = request(doors, to="THIRD_PERSON", third_person="Dr Wu")
    (code,) = showing.hand_over(doors.vault, keeper(doors), asked, key="h", entropy=bytes_of(7))
    assert isinstance(showing.show_third(doors.vault, str(code), key="t"), Shown)
    rating = RecordForm("s1", "V1", "NIHSS", 1, {"NIHSSDAT": Datum("2026-06-01")}, 0)
    outcome = doors.desk.submit(me(doors), rating, key="rate")
    assert "access.knows-the-arm" in rules(outcome.problems)


def bytes_of(start: int):
    count = itertools.count(start)
    return lambda size: bytes(next(count) % 256 for _ in range(size))


def test_a_code_runs_out_and_a_new_one_takes_its_place(doors):
    begin(doors)
    asked = request(doors, to="THIRD_PERSON", third_person="Dr Wu")
    (old,) = showing.hand_over(doors.vault, keeper(doors), asked, key="1", entropy=bytes_of(1))
    doors.clock.at += dt.timedelta(minutes=31)
    assert rules(showing.show_third(doors.vault, str(old), key="2")) == {"vault_breaks.code-too-old"}
    (new,) = showing.hand_over(doors.vault, keeper(doors), asked, key="3", entropy=bytes_of(99))
    assert rules(showing.show_third(doors.vault, str(old), key="4")) == {"vault_breaks.code-unknown"}
    assert isinstance(showing.show_third(doors.vault, str(new), key="5"), Shown)


@given(st.binary(min_size=64, max_size=64))
def test_a_code_can_be_said_and_typed_in_any_way(drawn):
    code = new_code(
        lambda size: (drawn * 8)[:size] if any(byte < 210 for byte in drawn[:16]) else bytes(size)
    )
    assert [len(word) for word in code.split("-")] == [4, 4, 4, 4]
    assert code_digest(code) == code_digest(f"  {code.upper().replace('-', ' ')}. ")


def test_the_first_door_learns_that_it_happened_and_never_what(doors):
    begin(doors)
    asked = request(doors)
    shown = showing.show(doors.vault, keeper(doors), asked, key="show")
    assert isinstance(shown, Shown)
    doors.exchange()
    view = blind_page(doors.desk, me(doors), "S-s1")
    assert view is not None
    (line,) = view.breaks
    assert (line.request, line.mine, line.shown_at is not None) == (asked, True, True)
    assert {(line.who, line.how) for line in report(doors.desk) if line.subject == "S-s1"} == {
        ("inv", "CODE_SHOWN")
    }
    for arm in doors.study.arms:
        for product in [one.id for one in doors.study.supply.products if one.arm == arm.id]:
            assert all(product.encode() not in frame for frame in doors.answered)
    assert all(
        b"canary reason" not in delivery for delivery in doors.asked
    )  # free text stays where it was typed
    assert len({len(frame) for frame in doors.answered}) == 1


def test_a_quota_passed_is_an_alarm_and_blocks_nothing(doors):
    """More than two subjects of a site on a day (reliability notes §4)."""
    subjects = ("s1", "s2", "s3", "s4")
    begin(doors, *subjects)
    for letter, subject in zip("abcd", subjects, strict=True):
        asked = request(doors, subject, letter)
        assert isinstance(showing.show(doors.vault, keeper(doors), asked, key=letter), Shown)
    alarms = [one for one in entries(doors) if isinstance(one, QuotaPassed)]
    assert [(one.site, one.day, one.breaks) for one in alarms] == [
        ("01", "2026-06-01", 3),
        ("01", "2026-06-01", 4),
    ]


def test_a_drill_shows_a_made_up_arm_and_nobody_knows_anything_after_it(doors):
    begin(doors)
    asked = request(doors, "drill-01", "d", drill=True, site="01")
    shown = showing.show(doors.vault, keeper(doors), asked, key="drill")
    assert isinstance(shown, Shown)
    assert shown.drill
    assert shown.number is None
    assert shown.arm in {arm.label for arm in doors.study.arms}
    doors.exchange()
    view = drill_page(doors.desk, me(doors), "01")
    assert view is not None
    assert view.latest[0].shown_at is not None
    assert not [line for line in report(doors.desk) if line.how != "ROLE"]
    assert not any(isinstance(one, QuotaPassed) for one in entries(doors))


def test_a_slot_that_does_not_open_as_committed_shows_nothing(doors, monkeypatch):
    from equipoise.vault.slots import SlotBook

    begin(doors)
    asked = request(doors)
    monkeypatch.setattr(SlotBook, "open", lambda *_: Problem("vault.slot-not-committed", "R"))
    assert rules(showing.show(doors.vault, keeper(doors), asked, key="s")) == {
        "vault_breaks.slot-does-not-open"
    }
    assert not any(isinstance(one, ArmShown) for one in entries(doors))


def test_with_the_second_door_away_the_request_stands_and_arrives_later(doors):
    begin(doors)
    away, doors.courier._line = doors.courier._line, gone
    asked = request(doors)
    view = blind_page(doors.desk, me(doors), "S-s1")
    assert view is not None
    assert not view.second_door_answers
    assert view.breaks[0].request == asked
    assert showing.offer(doors.vault, keeper(doors), asked) is None
    doors.courier._line = away
    doors.exchange()
    assert isinstance(showing.show(doors.vault, keeper(doors), asked, key="s"), Shown)


def gone(delivery: bytes) -> bytes:
    raise ConnectionRefusedError("nobody there")


def test_today_asks_for_the_review_and_the_sponsor_hears_of_it_without_the_arm(doors):
    from equipoise.access.commands import SYSTEM, GrantRole
    from equipoise.desk.lists import today

    begin(doors)
    for actor, role, site in (
        ("spo", "sponsor", None),
        ("rat", "rater", "01"),
        ("pi2", "investigator", "02"),
    ):
        assert doors.desk.submit(SYSTEM, GrantRole(actor, role, site), key=actor).accepted
    request(doors)
    seen = {}
    for actor, role in (
        ("inv", "investigator"),
        ("spo", "sponsor"),
        ("rat", "rater"),
        ("pi2", "investigator"),
    ):
        who = doors.desk.who(actor, role)
        assert who is not None
        view = today(doors.desk, who)
        assert view is not None
        seen[actor] = {
            one.kind for one in view.tasks if one.kind.startswith("break") or one.kind == "rater_reassign"
        }
    assert seen == {"inv": {"break_review"}, "spo": {"break_notice"}, "rat": set(), "pi2": set()}  # L16
    doors.clock.at += dt.timedelta(hours=25)
    view = today(doors.desk, me(doors))
    assert view is not None
    assert {one.kind for one in view.tasks if one.kind.startswith("break")} == {"break_review_late"}
    review = ReviewCodeBreak("s1", wanted("a"), justified=True, note="changed the antidote")
    assert doors.desk.submit(me(doors), review, key="review").accepted
    view = today(doors.desk, me(doors))
    assert view is not None
    assert not [one for one in view.tasks if one.kind.startswith("break")]
