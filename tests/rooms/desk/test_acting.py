"""How the desk acts: who is asked for, in which moment, under which definition, and what a replay is.

Sources of the rules: DESIGN 2.3 (judge without touching), 4 (append, idempotency), 5 (randomizing).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
import threading
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.access.commands import Grant, GrantRole, RevokeRole, Who
from equipoise.capture.commands import DateVisit, RecordForm
from equipoise.capture.evolve import Place
from equipoise.consent.commands import RecordConsent
from equipoise.desk.setup import adopt, give, release
from equipoise.desk.views import Outcome
from equipoise.ledger.entries import (
    AllocationPublished,
    ConsentDocumented,
    Datum,
    Header,
    Recorded,
    SlotTaken,
    SubjectRandomized,
)
from equipoise.ledger.keys import Keys
from equipoise.ledger.marks import Marker, claimed_moment, command_json, in_normal_form
from equipoise.randomization.commands import Randomize
from equipoise.words.canonical import digest
from stories.conftest import Story, made_store, story

__all__ = ["made_store", "story"]  # the fixtures, taken over from the stories

MARKER = Marker(Keys(Path("none"), bytes(range(32)), bytes, write=False))


def _entries(one: Story, stream: str) -> tuple[Recorded, ...]:
    with one.desk.reading() as reader:
        return reader.entries(stream)


def _last(one: Story, subject: str) -> Header:
    return _entries(one, f"subject/{subject}")[-1].header


def test_the_header_does_not_let_a_value_be_found_out_by_trying(story: Story) -> None:
    subject = story.subject(story.screen())
    story.done("rater", RecordForm(subject, "V1", "NIHSS", 1, {"3": Datum("2")}, 0))
    kept = _last(story, subject).command
    for score in ("0", "1", "2", "3"):
        asked = command_json(RecordForm(subject, "V1", "NIHSS", 1, {"3": Datum(score)}, 0))
        for said in (asked, {"actor": "rater", "role": "rater", "asked": asked}):
            assert digest(said) != kept


def test_the_same_key_is_a_replay_for_the_same_person_only(story: Story) -> None:
    number = story.screen()
    command = RecordForm(story.subject(number), "V1", "NIHSS", 1, {"3": Datum("2")}, 0)
    first = story.submit("rater", command, key="one key")
    assert story.submit("rater", command, key="one key").receipt == first.receipt
    before = len(_entries(story, f"subject/{command.subject}"))
    other = story.submit("crc", command, key="one key")
    assert [problem.rule for problem in other.problems] == ["ledger.key-reused"]
    assert len(_entries(story, f"subject/{command.subject}")) == before


def test_the_same_key_may_serve_for_two_subjects(story: Story) -> None:
    one, two = (story.subject(story.screen(name)) for name in ("甲", "乙"))
    for subject in (one, two):
        outcome = story.submit("rater", RecordForm(subject, "V1", "NIHSS", 1, {"3": Datum("2")}, 0), key="k")
        assert outcome.accepted
        assert not outcome.replayed


def test_a_role_revoked_since_the_page_was_opened_is_not_held(story: Story) -> None:
    subject = story.subject(story.screen())
    who = story.who("rater")
    assert give(story.desk, RevokeRole("rater", "rater", "01")) == ()
    command = RecordForm(subject, "V1", "NIHSS", 1, {"3": Datum("2")}, 0)
    refused = story.desk.submit(who, command, key="late")
    assert [problem.rule for problem in refused.problems] == ["access.role-not-held"]


def test_who_says_that_a_role_is_held_is_not_believed(story: Story) -> None:
    subject = story.subject(story.screen())
    made_up = Who("spo", "coordinator", (Grant("coordinator", None),))
    refused = story.desk.submit(made_up, Randomize(subject), key="made up")
    assert [problem.rule for problem in refused.problems] == ["access.role-not-held"]


@pytest.mark.parametrize("user", ["system", "", "a/b", "Zhang Wei", "张伟", "x" * 65])
def test_nobody_is_given_the_id_of_the_program_or_one_that_is_none(story: Story, user: str) -> None:
    assert [problem.rule for problem in give(story.desk, GrantRole(user, "monitor"))] == ["access.user-unfit"]
    assert story.desk.who("system", "system") is None


def test_decision_and_header_have_one_moment(story: Story) -> None:
    """At 23:59:59 at the site: a decision that asked the clock again would already see tomorrow."""
    subject = story.subject(story.screen())
    for day, accepted in (("2026-06-02", False), ("2026-06-01", True)):
        story.clock.at = dt.datetime(2026, 6, 1, 15, 59, 58, tzinfo=dt.UTC)
        assert story.submit("crc", DateVisit(subject, "V1", day)).accepted is accepted
    assert _last(story, subject).at.startswith("2026-06-01T15:59:59")


def test_every_entry_of_a_participant_names_the_zone_of_the_site(story: Story) -> None:
    subject = story.subject(story.eligible())
    zones = {recorded.header.zone for recorded in _entries(story, f"subject/{subject}")}
    assert zones == {story.desk.study.sites[0].zone}


def test_an_act_is_decided_under_the_definition_that_its_header_names(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another version comes into force at the site after the act began and before it is decided."""
    subject = story.subject(story.screen())
    study, begin = story.desk.study, story.desk._circumstances
    assert release(story.desk, study.model_copy(update={"version": "9.1"})) == ()
    waiting = ["9.1"]

    def interrupted(stream: str, site: str | None, at: dt.datetime, place: object) -> object:
        found = begin(stream, site, at, place)
        if waiting and stream.startswith("subject/"):
            today = story.clock.at.date().isoformat()
            assert adopt(story.desk, "01", waiting.pop(), "EC-01-2", today, today) == ()
        return found

    monkeypatch.setattr(story.desk, "_circumstances", interrupted)
    story.done("rater", RecordForm(subject, "V1", "NIHSS", 1, {"3": Datum("2")}, 0))
    with story.desk.reading() as reader:
        trial = story.desk.trial(reader)
    assert trial.study.version == "9.1"
    assert _last(story, subject).study_digest == trial.digest


def test_many_at_once_get_the_slots_one_after_another(story: Story) -> None:
    """Eight people press the button for twelve participants of one stratum, each participant by two of them."""
    subjects = [story.subject(story.eligible(f"人{count}")) for count in range(12)]
    who, outcomes = story.who("crc"), dict[tuple[str, int], Outcome]()
    asked = [(subject, hand) for hand in range(2) for subject in subjects]
    start = threading.Barrier(8)

    def press(thread: int) -> None:
        start.wait()
        for subject, hand in asked[thread::8]:
            outcomes[subject, hand] = story.desk.submit(who, Randomize(subject), key=f"{subject} {hand}")

    threads = [threading.Thread(target=press, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stream = _entries(story, "allocation")
    published = next(one.entry for one in stream if isinstance(one.entry, AllocationPublished))
    taken = [one.entry for one in stream if isinstance(one.entry, SlotTaken)]
    assert Counter(subject for (subject, _), one in outcomes.items() if one.accepted) == Counter(subjects)
    assert {one.stratum for one in taken} == {taken[0].stratum}
    listed = [slot.number for slot in published.slots[taken[0].stratum]]
    assert [one.number for one in taken] == listed[:12]
    assert sorted(one.subject for one in taken) == sorted(subjects)
    for one in taken:
        own = [each.entry for each in _entries(story, f"subject/{one.subject}")]
        numbers = [entry.number for entry in own if isinstance(entry, SubjectRandomized)]
        assert numbers == [one.number]
    refused = {problem.rule for one in outcomes.values() for problem in one.problems}
    assert refused == {"randomization.already-randomized"}


@pytest.mark.parametrize("key", ["", "键", "x" * 129, "a\nb"])
def test_a_key_that_is_none_is_refused(story: Story, key: str) -> None:
    subject = story.subject(story.screen())
    command = RecordForm(subject, "V1", "NIHSS", 1, {"3": Datum("2")}, 0)
    refused = story.desk.submit(story.who("rater"), command, key=key)
    assert [problem.rule for problem in refused.problems] == ["desk.key-unfit"]


def test_the_devices_clock_says_a_moment_or_nothing(story: Story) -> None:
    subject = story.subject(story.screen())
    for text, kept in (("2026-06-01T10:00:00+08:00", "2026-06-01T10:00:00+08:00"), ("Zhang San", None)):
        assert claimed_moment(text) == kept
        command = RecordForm(subject, "V1", "NIHSS", 1, {"3": Datum("2" if kept else "1")}, 9)
        assert story.desk.submit(story.who("rater"), command, key=f"{kept}", client_at=text).accepted
        assert _last(story, subject).client_at == kept


DECOMPOSED = unicodedata.normalize("NFD", "café")


def test_a_text_typed_in_another_normal_form_is_recorded(story: Story) -> None:
    """Some keyboards and PDFs give letters and accents apart; the ledger keeps them in normal form C."""
    assert DECOMPOSED != "café"
    number = story.screen()
    subject, day = story.subject(number), "2026-06-01"
    story.done("crc", RecordForm(subject, "LOG", "MH", 1, {"MHTERM": Datum(DECOMPOSED)}, 0))
    view = story.desk.form(story.who("crc"), number, "LOG", "MH")
    assert view is not None
    assert view.items[0].value == Datum("café")
    story.done(
        "crc", RecordConsent(subject, "1.0", "LEGAL_REPRESENTATIVE", given=True, on=day, relation=DECOMPOSED)
    )
    consented = [
        one.entry for one in _entries(story, f"subject/{subject}") if isinstance(one.entry, ConsentDocumented)
    ]
    assert [entry.relation for entry in consented] == ["café"]


@pytest.mark.parametrize("item", ["项目", DECOMPOSED, "\ud800", "", "x" * 5000])
def test_an_item_of_any_name_is_answered_and_never_a_crash(story: Story, item: str) -> None:
    subject = story.subject(story.screen())
    command = RecordForm(subject, "LOG", "MH", 1, {item: Datum("\ud800 x"), "MHTERM": Datum("\ud800")}, 0)
    refused = story.submit("crc", command)
    assert [problem.rule for problem in refused.problems] == ["capture.item-unknown"]


@given(st.text(), st.text(), st.integers())
def test_every_command_has_a_mark_and_another_command_another(one: str, two: str, repeat: int) -> None:
    asked = command_json(
        in_normal_form(RecordForm("s", one, "F", repeat, {one: Datum(one), two: Datum(two)}, 0))
    )
    who = Who("a", "rater", ())
    assert MARKER.mark(who, asked) == MARKER.mark(who, asked)
    others = [
        (who, command_json(RecordForm("s", f"{one}.", "F", repeat, {}, 0))),
        (Who("a", "monitor", ()), asked),
        (Who("b", "rater", ()), asked),
    ]
    assert MARKER.mark(who, asked) not in {MARKER.mark(*other) for other in others}


@pytest.mark.parametrize("seed", range(3))
def test_what_answers_a_save_is_what_the_next_page_reads(story: Story, seed: int) -> None:
    """The strip comes from the decision's own fold (DESIGN 7); a desk that remembers nothing reads the same."""
    draw = random.Random(seed)
    number = story.screen(f"人{seed}")
    subject, who = story.subject(number), story.who("rater")
    for turn in range(12):
        base = story.captured(number).form(Place("V1", "NIHSS", 1)).seq
        item, value = draw.choice(["1b", "2", "3", "8", "NIHSSDAT"]), str(draw.randint(0, 3))
        typed = Datum("2026-05-30" if item == "NIHSSDAT" else value)
        command = RecordForm(subject, "V1", "NIHSS", 1, {item: typed}, base)
        outcome, shown = story.desk.save(who, command, number, key=f"save {seed} {turn}")
        again, replayed = story.desk.save(who, command, number, key=f"save {seed} {turn}")
        story.desk._memory = story.desk._memory.emptied()
        read = story.desk.form(who, number, "V1", "NIHSS")
        assert shown is not None
        assert read is not None
        assert (
            dataclasses.replace(shown, rules=read.rules)
            == read
            == dataclasses.replace(replayed or shown, rules=read.rules)
        )
        assert again.accepted == outcome.accepted


def test_facts_that_are_kept_are_those_that_are_found_anew(story: Story) -> None:
    """Facts are kept while what they rest on stands still: the same person, site, definition and day."""
    number = story.screen()
    subject = story.subject(number)

    def held() -> None:
        with story.desk.reading() as reader:
            kept = story.desk.standing(reader, subject)
            story.desk._memory = story.desk._memory.emptied()
            assert dataclasses.replace(story.desk.standing(reader, subject), now=kept.now) == kept

    held()
    story.consent(number)
    held()
    story.assess(number)
    held()
    story.clock.at += dt.timedelta(days=40)
    held()
