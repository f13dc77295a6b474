"""Screening: who enters, whose eligibility is confirmed, who leaves; and the table of statuses."""

from __future__ import annotations

import dataclasses
import datetime as dt
from itertools import product
from typing import get_args

import pytest

from equipoise.eligibility.commands import ConfirmEligibility, FailScreening, ScreenSubject
from equipoise.eligibility.decide import decide
from equipoise.eligibility.evolve import AFTER, START, add_facts, evolve, state_from_json, state_to_json
from equipoise.eligibility.judgement import judge
from equipoise.ledger.entries import EligibilityJudged, ScreeningFailed, SubjectRandomized, SubjectScreened
from equipoise.ledger.facts import Facts, SubjectStatus
from equipoise.words.canonical import canonical_bytes, read_canonical
from equipoise.words.truth import Truth
from rooms.capture.conduct_study import (
    AT,
    OCCASION,
    READY,
    folded,
    made_study,
    recorded,
    refused,
    rules,
    written,
)

STUDY = made_study()
SITE = Facts(site_known=True)
ENTER = ScreenSubject("s1", "site-1", "S-001", "p1")
SCREENED = SubjectScreened("s1", "site-1", "S-001", "p1")
CONFIRMED = EligibilityJudged("ELIGIBLE", READY.verdict_results, {}, (1, 2), confirmed=True)
AGAINST = {**READY.verdict_results, "I02": "F", "E01": "T", "E02": "U", "INCL": "F", "EXCL": "T"}


def test_a_person_enters_screening_under_a_number():
    (append,) = written(decide(STUDY, START, SITE, ENTER, OCCASION))
    assert append.stream == "subject/s1"
    assert append.entry == SCREENED
    assert folded(evolve, START, [append.entry]).status == "SCREENING"


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        (Facts(), "eligibility.site-unknown"),
        (Facts(site_known=True, subject_known=True), "eligibility.subject-used"),
        (Facts(site_known=True, number_taken=True), "eligibility.number-used"),
        (
            Facts(site_known=True, person_in_screening=True, person_screenings=1),
            "eligibility.person-in-screening",
        ),
        (
            Facts(site_known=True, person_randomized=True, person_screenings=1),
            "eligibility.person-randomized",
        ),
    ],
)
def test_nobody_enters_twice_or_nowhere(facts, rule):
    assert rules(decide(STUDY, START, facts, ENTER, OCCASION)) == {rule}


LONG_AGO = AT - dt.timedelta(days=30)
AGAIN = dataclasses.replace(ENTER, rescreening_of="s0")


@pytest.mark.parametrize(
    ("screenings", "failed_at", "command", "expected"),
    [
        (0, None, ENTER, set()),
        (0, None, AGAIN, {"eligibility.rescreening-of-nobody"}),
        (1, LONG_AGO, AGAIN, set()),
        (1, LONG_AGO, ENTER, {"eligibility.rescreening-not-linked"}),
        (2, LONG_AGO, AGAIN, {"eligibility.rescreenings-used"}),  # the made-up study allows one
        # Seven days, counted in the site's calendar: failed 7 August 23:00 in Shanghai, now 14 August 10:30 there.
        (1, dt.datetime(2026, 8, 7, 15, 0, tzinfo=dt.UTC), AGAIN, set()),
        (1, dt.datetime(2026, 8, 7, 16, 30, tzinfo=dt.UTC), AGAIN, {"eligibility.rescreening-too-early"}),
    ],
)
def test_rescreening_is_linked_and_only_as_the_study_allows(screenings, failed_at, command, expected):
    facts = dataclasses.replace(SITE, person_screenings=screenings, person_failed_at=failed_at)
    decision = decide(STUDY, START, facts, command, OCCASION)
    assert (rules(decision) if expected else set()) == expected
    if not expected:
        assert written(decision)[0].entry.rescreening_of == command.rescreening_of


def test_a_study_without_rescreening_takes_nobody_again():
    study = made_study(eligibility={})
    facts = dataclasses.replace(SITE, person_screenings=1, person_failed_at=LONG_AGO)
    assert rules(decide(study, START, facts, AGAIN, OCCASION)) == {"eligibility.rescreenings-used"}


@pytest.mark.parametrize(
    ("verdict", "confirmed", "status"),
    [
        ("ELIGIBLE", True, "ELIGIBLE"),
        ("INELIGIBLE", False, "SCREENING"),
        ("NOT_EVALUABLE", False, "SCREENING"),
    ],
)
def test_a_judgement_is_written_as_it_is_and_confirms_only_what_is_eligible(verdict, confirmed, status):
    state = folded(evolve, START, [SCREENED])
    facts = dataclasses.replace(
        READY, verdict=verdict, verdict_reasons={"I02": "why"}, verdict_rested_on=(3, 7)
    )
    (append,) = written(decide(STUDY, state, facts, ConfirmEligibility("s1"), OCCASION))
    assert append.entry == EligibilityJudged(
        verdict, facts.verdict_results, {"I02": "why"}, (3, 7), confirmed
    )
    assert folded(evolve, START, [SCREENED, append.entry]).status == status


def test_the_same_judgement_twice_is_refused_and_a_new_one_is_not():
    state = folded(evolve, START, [SCREENED, CONFIRMED])
    same = dataclasses.replace(READY, verdict_rested_on=(1, 2))
    assert rules(decide(STUDY, state, same, ConfirmEligibility("s1"), OCCASION)) == {
        "eligibility.nothing-changed"
    }
    later = dataclasses.replace(READY, verdict_rested_on=(1, 9))
    assert written(decide(STUDY, state, later, ConfirmEligibility("s1"), OCCASION))


def test_a_judgement_against_takes_a_confirmation_back():
    state = folded(evolve, START, [SCREENED, CONFIRMED])
    facts = dataclasses.replace(READY, verdict="INELIGIBLE", verdict_results=AGAINST)
    (append,) = written(decide(STUDY, state, facts, ConfirmEligibility("s1"), OCCASION))
    assert folded(evolve, state, [append.entry]).status == "SCREENING"


def test_a_failure_names_the_criteria_that_failed():
    state = folded(evolve, START, [SCREENED])
    facts = dataclasses.replace(READY, verdict="INELIGIBLE", verdict_results=AGAINST)
    (append,) = written(decide(STUDY, state, facts, FailScreening("s1"), OCCASION))
    assert append.entry == ScreeningFailed(("I02", "E01"), "")
    after = folded(evolve, state, [append.entry])
    assert (after.status, after.failed_criteria) == ("SCREEN_FAILURE", ("I02", "E01"))
    assert rules(decide(STUDY, state, READY, FailScreening("s1", "  "), OCCASION)) == {
        "eligibility.failure-unexplained"
    }
    (append,) = written(decide(STUDY, state, READY, FailScreening("s1", "moved away"), OCCASION))
    assert append.entry == ScreeningFailed((), "moved away")


def test_after_randomization_nobody_fails_screening_any_more():
    state = folded(evolve, START, [SCREENED, CONFIRMED, SubjectRandomized("R1", "L/E")])
    assert state.status == "RANDOMIZED"
    assert rules(decide(STUDY, state, READY, FailScreening("s1", "x"), OCCASION)) == {
        "eligibility.randomized-already"
    }
    assert rules(decide(STUDY, state, READY, ConfirmEligibility("s1"), OCCASION)) == {
        "eligibility.not-in-screening"
    }


def test_a_subject_that_is_not_there_is_named_so():
    for command in (ConfirmEligibility("s9"), FailScreening("s9", "x")):
        assert refused(decide(STUDY, START, READY, command, OCCASION)) == [
            ("eligibility.subject-unknown", "subject")
        ]


EVENTS = {"confirmed", "not confirmed", "failed", "randomized"}
ENTRIES = {
    "SCREENING": [SCREENED],
    "ELIGIBLE": [SCREENED, CONFIRMED],
    "SCREEN_FAILURE": [SCREENED, ScreeningFailed(("I02",))],
    "RANDOMIZED": [SCREENED, CONFIRMED, SubjectRandomized("R1", "L/E")],
}


@pytest.mark.parametrize(("status", "event"), [*product(get_args(SubjectStatus), sorted(EVENTS))])
def test_what_is_not_in_the_table_does_not_happen(status, event):
    assert set(ENTRIES) == set(get_args(SubjectStatus))
    state = folded(evolve, START, ENTRIES[status])
    assert state.status == status
    # Randomizing itself is decided by its own room; the other events by commands of this one.
    if event == "randomized":
        assert ((status, event) in AFTER) == (status == "ELIGIBLE")
        return
    facts = (
        READY
        if event == "confirmed"
        else dataclasses.replace(READY, verdict="INELIGIBLE", verdict_results=AGAINST)
    )
    command = FailScreening("s1", "x") if event == "failed" else ConfirmEligibility("s1")
    decision = decide(STUDY, state, facts, command, OCCASION)
    if (status, event) in AFTER:
        after = folded(evolve, state, [append.entry for append in written(decision)])
        assert after.status == AFTER[status, event]
    else:
        assert refused(decision)


@pytest.mark.parametrize("status", sorted(ENTRIES))
def test_a_snapshot_gives_the_same_state_and_a_withheld_entry_changes_nothing(status):
    state = folded(evolve, START, ENTRIES[status])
    assert state_from_json(read_canonical(canonical_bytes(state_to_json(state)))) == state
    assert evolve(state, recorded("subject/s1", 9, None)) == state


def test_eligibility_fills_in_its_own_facts_only():
    state = folded(evolve, START, ENTRIES["ELIGIBLE"])
    found = add_facts(Facts(), state, judge(STUDY, {}), (5, 3, 5))
    changed = {
        field.name: field.metadata["owner"]
        for field in dataclasses.fields(Facts)
        if getattr(found, field.name) != getattr(Facts(), field.name)
    }
    assert set(changed.values()) == {"eligibility"}
    assert (found.status, found.verdict, found.verdict_rested_on) == ("ELIGIBLE", "NOT_EVALUABLE", (3, 5))
    assert (
        found.verdict_reasons.keys() == found.verdict_reasons_zh.keys() == {"I01", "I02", "I03", "E01", "E02"}
    )


@pytest.mark.parametrize(
    ("rested_on", "results", "stands"),
    [
        ((2, 1), {}, True),
        ((1, 2, 3), {}, False),  # an entry came that the judgement rests on
        ((1,), {}, False),
        ((1, 2), {"I02": "U"}, False),
        ((1, 2), {"I09": "T"}, False),  # an amendment brought a criterion that nobody has confirmed
    ],
)
def test_a_confirmation_stands_while_what_it_rested_on_stands(rested_on, results, stands):
    judgement = judge(STUDY, {})
    letters = {name: Truth(letter) for name, letter in {**READY.verdict_results, **results}.items()}
    now = dataclasses.replace(judgement, results=letters, decision="ELIGIBLE")
    for entries, confirmed in (
        ([SCREENED, CONFIRMED], stands),
        ([SCREENED], False),
        ([SCREENED, CONFIRMED, ScreeningFailed(("I02",))], False),
        ([SCREENED, CONFIRMED, dataclasses.replace(CONFIRMED, confirmed=False)], False),
    ):
        assert add_facts(Facts(), folded(evolve, START, entries), now, rested_on).confirmed is confirmed
