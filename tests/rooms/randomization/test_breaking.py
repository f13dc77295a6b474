"""One participant's blind at the first door: asking, the second door's word, review, cards, raters, both truths.

Sources of the rules: DESIGN 5 (three openings, people); EMA on emergency unblinding (never gated by the sponsor).
"""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.ledger.entries import (
    CardOpened,
    CodeBreakRequested,
    CodeBreakReviewed,
    CodeBroken,
    RaterAssigned,
    StratumCorrected,
    SubjectRandomized,
)
from equipoise.ledger.facts import Facts, Occasion
from equipoise.randomization.blind import (
    START,
    THIRD_PERSON,
    State,
    add_facts,
    evolve,
    state_from_json,
    state_to_json,
)
from equipoise.randomization.breaking import decide
from equipoise.randomization.commands import (
    AssignRater,
    CorrectStratum,
    RecordCardOpening,
    RecordCodeBreak,
    RequestCodeBreak,
    ReviewCodeBreak,
)
from equipoise.words.canonical import canonical_bytes, read_canonical
from equipoise.words.truth import Truth
from rooms.capture.conduct_study import READY, folded, made_study, recorded, refused, rules, written

STUDY = made_study()
ID = "abcdefgh23456789"
ME = "actor-1"  # who acts in every header that `recorded` makes
NOW = dt.datetime(2026, 8, 15, 3, 20, tzinfo=dt.UTC)
MINE = Occasion(NOW, "Asia/Shanghai", by=ME, role="investigator")
RANDOMIZED = folded(evolve, START, [SubjectRandomized("R1", "L/E")])
ASK = RequestCodeBreak("s1", ID, "EMERGENCY", urgent=True, to="SELF", reason="anaphylaxis")


def after(state: State, *commands: object, facts: Facts = READY, occasion: Occasion = MINE) -> State:
    for command in commands:
        for append in written(decide(STUDY, state, facts, command, occasion)):
            assert append.stream == "subject/s1"
            state = evolve(
                state, recorded(append.stream, len(state.breaks) + len(state.cards) + 2, append.entry)
            )
    return state


def shown(reader: str = ME, request: str = ID) -> RecordCodeBreak:
    return RecordCodeBreak("s1", request, reader, "2026-08-15T03:21:00+00:00", 1, "ab")


def test_a_request_is_an_entry_with_category_and_reason():
    (append,) = written(decide(STUDY, RANDOMIZED, READY, ASK, MINE))
    entry = CodeBreakRequested(ID, "EMERGENCY", True, "SELF", False, "anaphylaxis", "")
    assert (append.stream, append.entry) == ("subject/s1", entry)


@given(
    facts=st.builds(
        Facts,
        rehearsal=st.booleans(),
        enrolment_open=st.booleans(),
        site_known=st.booleans(),
        site_approved=st.booleans(),
        site_active=st.booleans(),
        subject_known=st.just(True),
        status=st.sampled_from(["RANDOMIZED", "SCREEN_FAILURE"]),
        verdict=st.sampled_from(["ELIGIBLE", "INELIGIBLE", "NOT_EVALUABLE"]),
        consent_in_force=st.sampled_from(list(Truth)),
        code_broken_for=st.sets(st.sampled_from([ME, "other"])).map(frozenset),
        infused=st.booleans(),
        second_door_answers=st.booleans(),
        randomized_count=st.integers(0, 200),
    )
)
def test_nothing_of_the_trial_stands_in_the_way_of_a_request(facts):
    """EMA: the sponsor may neither require a contact nor delay it; no state of the trial may either."""
    assert written(decide(STUDY, RANDOMIZED, facts, ASK, MINE))


@pytest.mark.parametrize(
    ("change", "state", "rule"),
    [
        ({"reason": " "}, RANDOMIZED, "randomization.break-without-reason"),
        ({"to": "THIRD_PERSON"}, RANDOMIZED, "randomization.third-person-unnamed"),
        ({"request": "../../login"}, RANDOMIZED, "randomization.request-unfit"),
        ({}, START, "randomization.nothing-to-break"),
        ({"site": "site-1"}, RANDOMIZED, "randomization.nothing-to-break"),
        ({"drill": True}, RANDOMIZED, "randomization.drill-of-a-participant"),
        ({"drill": True, "site": "site-1"}, RANDOMIZED, "randomization.drill-of-a-participant"),
    ],
)
def test_what_cannot_be_asked_for_is_named(change, state, rule):
    command = dataclasses.replace(ASK, **change)
    assert rules(decide(STUDY, state, READY, command, MINE)) == {rule}


def test_the_same_request_twice_is_one_and_another_of_its_number_is_refused():
    state = after(RANDOMIZED, ASK)
    assert written(decide(STUDY, state, READY, ASK, MINE)) == ()
    for other in (
        dataclasses.replace(ASK, category="PREGNANCY"),
        dataclasses.replace(ASK, to="THIRD_PERSON", third_person="Dr Wu"),
    ):
        assert rules(decide(STUDY, state, READY, other, MINE)) == {"randomization.request-known"}
    stranger = dataclasses.replace(MINE, by="actor-2")
    assert rules(decide(STUDY, state, READY, ASK, stranger)) == {"randomization.request-known"}


def test_a_drill_is_of_a_made_up_participant_and_gives_no_knowledge():
    drill = dataclasses.replace(ASK, subject="drill-site-1", site="site-1", drill=True)
    (append,) = written(decide(STUDY, START, READY, drill, MINE))
    assert append.stream == "subject/drill-site-1"
    state = evolve(START, recorded(append.stream, 1, append.entry))
    assert not state.knowing()
    assert not state.waiting_for_review()


def test_the_second_doors_word_is_taken_once_for_what_was_asked_and_for_nothing_else():
    assert rules(decide(STUDY, RANDOMIZED, READY, shown(), MINE)) == {"randomization.break-not-requested"}
    state = after(RANDOMIZED, ASK)
    for reader in ("actor-2", THIRD_PERSON):
        assert rules(decide(STUDY, state, READY, shown(reader), MINE)) == {"randomization.break-for-another"}
    state = after(state, shown())
    assert state.breaks[ID].reader == ME
    assert written(decide(STUDY, state, READY, shown(), MINE)) == ()
    assert rules(decide(STUDY, state, READY, shown("actor-2"), MINE)) == {"randomization.break-known"}


def test_who_asked_may_know_it_from_then_on_also_who_had_it_given_to_another():
    """Decision 0015: the code for another passes through the hands of who asked, who could have typed it."""
    assert set(after(RANDOMIZED, ASK).knowing()) == {ME}
    third = dataclasses.replace(ASK, to="THIRD_PERSON", third_person="Dr Wu")
    for state in (after(RANDOMIZED, third), after(RANDOMIZED, third, shown(THIRD_PERSON))):
        asked = state.breaks[ID].at
        assert state.knowing() == {ME: asked}  # from asking on, not from the moment when somebody looked
        assert add_facts(READY, state).code_broken_for == {ME}
    drill = dataclasses.replace(third, subject="drill-01", site="01", drill=True)
    here = dataclasses.replace(READY, site_known=True)
    (append,) = written(decide(STUDY, RANDOMIZED, here, drill, MINE))
    assert not evolve(START, recorded("subject/drill-01", 1, append.entry)).knowing()


def test_a_review_is_due_within_24_hours_once_with_a_note():
    state = after(RANDOMIZED, ASK)
    (waiting,) = state.waiting_for_review()
    asked = dt.datetime.fromisoformat(waiting.at)
    assert dt.datetime.fromisoformat(waiting.review_due) - asked == dt.timedelta(
        hours=24
    )  # issue, Capability 7
    empty = ReviewCodeBreak("s1", ID, justified=True, note=" ")
    assert rules(decide(STUDY, state, READY, empty, MINE)) == {"randomization.review-without-note"}
    review = ReviewCodeBreak("s1", ID, justified=False, note="The arm changed nothing.")
    done = after(state, review)
    assert not done.waiting_for_review()
    assert rules(decide(STUDY, done, READY, review, MINE)) == {"randomization.break-reviewed"}
    nobody = ReviewCodeBreak("s1", "zzzzzzzzzzzzzzzz", justified=True, note="x")
    assert rules(decide(STUDY, state, READY, nobody, MINE)) == {"randomization.break-not-requested"}


CARD = RecordCardOpening("s1", "2026-08-15T03:00:00+08:00", "actor-7", "actor-8", "no network on the ward")


def test_a_card_is_recorded_afterwards_and_both_who_were_there_know():
    state = after(RANDOMIZED, CARD)
    assert state.cards[0].opened_at == "2026-08-14T19:00:00+00:00"  # 03:00 in Shanghai, UTC+8
    assert set(state.knowing()) == {"actor-7", "actor-8"}
    assert rules(decide(STUDY, state, READY, CARD, MINE)) == {"randomization.card-known"}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"opened_at": "2026-08-15 03:00"}, "randomization.moment-unreadable"),
        ({"opened_at": "yesterday"}, "randomization.moment-unreadable"),
        ({"opened_at": "2026-08-15T03:21:00+00:00"}, "randomization.card-opened-when"),
        ({"opened_at": "2026-08-13T03:00:00+00:00"}, "randomization.card-opened-when"),
        ({"witnessed_by": "actor-7"}, "randomization.card-without-witness"),
        ({"witnessed_by": ""}, "randomization.card-without-people"),
        ({"reason": ""}, "randomization.break-without-reason"),
    ],
)
def test_a_card_that_cannot_have_been_opened_so_is_refused(change, rule):
    assert rules(decide(STUDY, RANDOMIZED, READY, dataclasses.replace(CARD, **change), MINE)) == {rule}


def test_nobody_who_knows_becomes_the_rater():
    state = after(RANDOMIZED, ASK)
    rating = dataclasses.replace(READY, roles_of_named=frozenset({"rater"}))
    knowing = add_facts(rating, state)
    assert refused(decide(STUDY, state, knowing, AssignRater("s1", ME), MINE)) == [
        ("randomization.rater-knows-the-arm", "user")
    ]
    other = AssignRater("s1", "rater-2", "CODE_BREAK")
    assert rules(decide(STUDY, state, READY, other, MINE)) == {"randomization.not-a-rater"}
    (append,) = written(decide(STUDY, state, knowing, other, MINE))
    assert append.entry == RaterAssigned("rater-2", None, "CODE_BREAK")
    assert after(state, other, facts=knowing).rater == "rater-2"


def test_both_truths_of_a_stratum_stay_and_the_slot_with_the_first():
    correct = CorrectStratum("s1", "H/E", "NIHSS was 14, not 12")
    state = after(RANDOMIZED, correct)
    assert (state.stratum, state.corrected) == ("L/E", "H/E")
    assert add_facts(READY, state).stratum_as_randomized == "L/E"
    (append,) = written(decide(STUDY, RANDOMIZED, READY, correct, MINE))
    assert append.entry == StratumCorrected("L/E", "H/E", "NIHSS was 14, not 12")
    for wrong, rule in (
        (dataclasses.replace(correct, corrected="X/Y"), "randomization.stratum-unknown"),
        (dataclasses.replace(correct, corrected="L/E"), "randomization.stratum-stands"),
        (dataclasses.replace(correct, reason=""), "randomization.correction-without-reason"),
    ):
        assert rules(decide(STUDY, RANDOMIZED, READY, wrong, MINE)) == {rule}
    assert rules(decide(STUDY, START, READY, correct, MINE)) == {"randomization.not-randomized"}


ENTRIES = st.lists(
    st.one_of(
        st.just(SubjectRandomized("R1", "L/E")),
        st.builds(
            CodeBreakRequested,
            st.sampled_from(["r1", "r2", "r3"]),
            st.sampled_from(["EMERGENCY", "OVERDOSE"]),
            st.booleans(),
            st.sampled_from(["SELF", "THIRD_PERSON"]),
            st.booleans(),
            st.just("why"),
        ),
        st.builds(
            CodeBroken, st.sampled_from(["r1", "r2", "r4"]), st.just(ME), st.just("2026-08-15T03:21:00+00:00"),
            st.integers(1, 9), st.just("ab"),
        ),
        st.builds(CodeBreakReviewed, st.sampled_from(["r1", "r2"]), st.booleans(), st.just("note")),
        st.builds(
            CardOpened, st.just("2026-08-15T03:21:00+00:00"), st.sampled_from(["a", "b"]), st.just("c"), st.just("why")
        ),
        st.builds(RaterAssigned, st.sampled_from(["a", "b"])),
        st.builds(StratumCorrected, st.just("L/E"), st.just("H/E"), st.just("why")),
    ),
    max_size=12,
)  # fmt: skip


@given(ENTRIES)
def test_a_snapshot_of_the_blind_is_the_blind_and_knowledge_never_ends(entries):
    """Law: folding on from a snapshot is folding on; who knows, knows for life."""
    state, known = START, set[str]()
    for seq, entry in enumerate(entries, 1):
        state = evolve(state, recorded("subject/s1", seq, entry))
        assert state_from_json(read_canonical(canonical_bytes(state_to_json(state)))) == state
        assert known <= set(state.knowing())
        known = set(state.knowing())


def test_an_entry_that_was_withheld_changes_nothing():
    assert evolve(RANDOMIZED, recorded("subject/s1", 9, None, "CodeBreakRequested")) == RANDOMIZED
