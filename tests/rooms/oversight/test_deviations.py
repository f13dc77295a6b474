"""Protocol deviations: what raises one, what takes it back, and what may be done with it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.ledger.entries import (
    ConsentDocumented,
    ConsentWithdrawn,
    DeviationClassed,
    DeviationExplained,
    DeviationRaised,
    DeviationWithdrawn,
)
from equipoise.oversight.commands import (
    ClassDeviation,
    CloseDeviation,
    ExplainDeviation,
    RaiseDeviation,
    ReopenDeviation,
    WithdrawDeviation,
)
from equipoise.oversight.deviating import decide_deviation
from equipoise.oversight.deviations import NEXT, START, Consented, evolve, state_from_json, state_to_json
from equipoise.oversight.findings import (
    Course,
    DoseSeen,
    Finding,
    LateSave,
    VisitSeen,
    findings,
    late_entry,
    reconciled,
)
from equipoise.protocol.windows import Plan
from equipoise.words.canonical import canonical_bytes, read_canonical
from rooms.capture.conduct_study import KNOWN, OCCASION, folded, made_study, recorded, refused, rules, written

FIRST, LAST = dt.date(2026, 7, 1), dt.date(2026, 7, 7)
PLAN = Plan(dt.date(2026, 7, 4), FIRST, LAST)
RULES = [
    {"id": "key", "kind": "VISIT_OUT_OF_WINDOW", "visits": ["V2"], "label": "Key visit", "suggests": "MAJOR"},
    {"id": "window", "kind": "VISIT_OUT_OF_WINDOW", "days": 2, "label": "Window"},
    {"id": "missed", "kind": "VISIT_MISSED", "label": "Missed"},
    {"id": "absent", "kind": "CONSENT_ABSENT", "label": "No consent"},
    {"id": "outdated", "kind": "CONSENT_OUTDATED", "days": 30, "label": "Old consent"},
    {"id": "stratum", "kind": "WRONG_STRATUM", "label": "Stratum"},
    {"id": "omitted", "kind": "DOSE_OMITTED", "label": "Omitted"},
    {"id": "part", "kind": "DOSE_INCOMPLETE", "label": "Part"},
    {"id": "mix-up", "kind": "DOSE_WRONG_BAG", "label": "Mix-up"},
    {"id": "gate", "kind": "DOSE_OVER_GATE", "label": "Gate"},
    {"id": "late", "kind": "LATE_ENTRY", "days": 14, "label": "Late entry"},
]
VERSIONS = [
    {"id": "1.0", "dated": "2026-01-01", "label": "1"},
    {"id": "2.0", "dated": "2026-06-01", "label": "2"},
]
STUDY = made_study(deviations=RULES, consent={"versions": VERSIONS})
SIGNED = (Consented("2026-01-05", "2.0"),)
USED = {"1.0": "2026-01-02", "2.0": "2026-06-01"}
"""From when the site may use each version of the consent form."""


def seen(on: dt.date | None, visit: str = "V1", **more) -> VisitSeen:
    return VisitSeen(visit, 1, on, PLAN, **more)


def found(*visits: VisitSeen, consents=SIGNED, **more) -> list[tuple[str, str, int]]:
    course = Course(visits, **{"consent_forms": USED, **more})
    return [(one.rule, one.visit, one.days) for one in findings(STUDY, course, consents)]


@pytest.mark.parametrize(
    ("day", "visit", "expected"),
    [
        (1, "V1", []), (7, "V1", []),  # both ends belong to the window
        (9, "V1", []), (10, "V1", [("window", "V1", 3)]),  # two days are tolerated, the third is not
        (8, "V2", [("key", "V2", 1)]),  # the first rule that has the visit counts, and tolerates nothing
    ],
)  # fmt: skip
def test_a_visit_outside_its_window_beyond_what_is_tolerated(day, visit, expected) -> None:
    assert found(seen(dt.date(2026, 7, day), visit)) == expected


def test_days_before_the_window_are_negative() -> None:
    assert found(seen(dt.date(2026, 6, 26))) == [("window", "V1", -5)]


def test_a_missed_visit_and_one_that_was_never_recorded_before_the_end() -> None:
    assert found(seen(None)) == []  # overdue, perhaps, but it may still take place
    assert found(seen(None, missed=True)) == [("missed", "V1", 0)]
    assert found(seen(None, abandoned=True)) == [("missed", "V1", 0)]


@pytest.mark.parametrize(
    ("consents", "expected"),
    [
        ((), ["absent"]),
        ((Consented("2026-07-05", "2.0"),), ["absent"]),  # signed the day after
        ((Consented("2026-07-04", "2.0"),), []),  # signed that day
        ((Consented("2026-01-05", "1.0"),), ["outdated"]),  # 33 days after the newer version came into use
        ((Consented("2026-01-05", "1.0"), Consented("2026-07-10", "2.0")), ["outdated"]),  # signed anew too late
        ((Consented("2026-01-05", "2.0"), Consented("2026-07-03", "")), ["absent"]),  # withdrawn the day before
        ((Consented("2026-01-05", "2.0"), Consented("2026-07-04", "")), []),  # withdrawn that day
        ((Consented("2026-01-05", "unknown"),), []),
    ],
)  # fmt: skip
def test_consent_that_stood_on_the_day_of_the_visit(consents, expected) -> None:
    assert [rule for rule, *_ in found(seen(dt.date(2026, 7, 4)), consents=consents)] == expected


@pytest.mark.parametrize(
    ("approved", "expected"),
    [
        ("2026-06-01", [("outdated", "V1", 33)]),  # 1 June to 4 July
        (
            "2026-06-04",
            [],
        ),  # thirty days, which are tolerated: the version is dated 1 June and counts from its approval
        ("2026-07-05", []),
        (None, []),  # the site's committee never approved it: nobody may sign it there
    ],
)
def test_a_consent_is_outdated_from_the_sites_own_approval_on(approved, expected) -> None:
    used = {"1.0": "2026-01-02"} | ({"2.0": approved} if approved else {})
    old = (Consented("2026-01-05", "1.0"),)
    assert found(seen(dt.date(2026, 7, 4)), consents=old, consent_forms=used) == expected


def test_a_version_beside_which_an_earlier_signature_counts_outdates_none() -> None:
    versions = [VERSIONS[0], {**VERSIONS[1], "reconsent_days": None}]
    study = made_study(deviations=RULES, consent={"versions": versions})
    course = Course((seen(dt.date(2026, 7, 4)),), consent_forms=USED)
    assert findings(study, course, (Consented("2026-01-05", "1.0"),)) == ()


def test_what_went_wrong_with_a_dose_and_a_stratum() -> None:
    doses = (
        DoseSeen("r1", "V2", omitted=True),
        DoseSeen("r2", "V2", incomplete=True, wrong_bag=True, over_gate=True),
    )
    assert [rule for rule, *_ in found(doses=doses, wrong_stratum=True)] == [
        "omitted", "part", "mix-up", "gate", "stratum"]  # fmt: skip


def test_a_form_first_saved_too_long_after_its_visit() -> None:
    assert late_entry(STUDY, LateSave("V1", 1, "VS 1", 14)) is None
    assert late_entry(STUDY, LateSave("V1", 1, "VS 1", 15)) == Finding("late", "V1", 1, "VS 1", 15)
    assert late_entry(made_study(), LateSave("V1", 1, "VS 1", 99)) is None  # a study that sets no limit


DAYS = st.one_of(st.none(), st.dates(dt.date(2026, 6, 1), dt.date(2026, 8, 1)))
COURSES = st.lists(
    st.tuples(DAYS, st.booleans(), st.sampled_from(["V1", "V2"])), max_size=5, unique_by=lambda one: one[2]
)


@given(st.lists(COURSES, min_size=1, max_size=6))
def test_after_any_course_what_stands_is_what_was_found_and_nothing_is_said_twice(courses) -> None:
    """Raised and taken back as the course changes: the deviations that stand are exactly the findings."""
    state, seq = START, 0
    for number, course in enumerate(courses):
        visits = tuple(seen(on, visit, missed=missed and on is None) for on, missed, visit in course)
        now = findings(STUDY, Course(visits), SIGNED)
        entries = reconciled(STUDY, state, now, (), f"act {number}")
        for entry in entries:
            seq += 1
            state = evolve(state, recorded("subject/s1", seq, entry))
        assert sorted(one.key for one in state.standing) == sorted(one.key for one in now)
        assert reconciled(STUDY, state, now, (), "again") == ()
    assert state_from_json(read_canonical(canonical_bytes(state_to_json(state)))) == state


def test_a_late_entry_and_one_recorded_by_hand_are_never_taken_back_by_themselves() -> None:
    late = reconciled(STUDY, START, (), (Finding("late", "V1", 1, "VS 1", 20),), "act")
    state = folded(evolve, START, [*late, DeviationRaised("by-hand", "manual", text="wrong room")])
    assert reconciled(STUDY, state, (), (), "next") == ()
    assert len(state.standing) == 2


def test_what_is_raised_again_after_it_was_taken_back_is_another_deviation() -> None:
    once = reconciled(STUDY, START, (Finding("missed", "V1"),), (), "a")
    state = folded(evolve, START, once)
    state = folded(evolve, state, reconciled(STUDY, state, (), (), "b"))
    again = reconciled(STUDY, state, (Finding("missed", "V1"),), (), "a")
    assert isinstance(again[0], DeviationRaised)
    assert isinstance(once[0], DeviationRaised)
    assert again[0].deviation != once[0].deviation


def test_consent_is_followed_in_its_order() -> None:
    state = folded(evolve, START, [
        ConsentDocumented("1.0", "PARTICIPANT", given=True, on="2026-01-05"),
        ConsentDocumented("2.0", "PARTICIPANT", given=False, on="2026-02-05"),
        ConsentWithdrawn("PARTICIPANT", "2026-03-05")])  # fmt: skip
    assert state.consents == (Consented("2026-01-05", "1.0"), Consented("2026-03-05", ""))


# --- what may be done ---------------------------------------------------------------------------------------------------

RAISED = DeviationRaised("d1", "missed", "V1")
CLASSED = DeviationClassed("d1", "MINOR", important=False)
EXPLAINED = DeviationExplained("d1", "was ill", "")
STATES = {
    "OPEN": [RAISED],
    "CLOSED": [RAISED, CLASSED, EXPLAINED, *written((),)],
    "WITHDRAWN": [RAISED, DeviationWithdrawn("d1", automatic=False, reason="none")],
}  # fmt: skip
ACTS = {
    "class": ClassDeviation("s1", "d1", "MAJOR", important=True),
    "explain": ExplainDeviation("s1", "d1", "the bus was late", "a taxi next time"),
    "close": CloseDeviation("s1", "d1"),
    "withdraw": WithdrawDeviation("s1", "d1", "was another person"),
    "reopen": ReopenDeviation("s1", "d1", "more is known"),
}


def _state(name: str):
    state = folded(evolve, START, STATES[name])
    if name == "CLOSED":
        (append,) = written(_decide(state, ACTS["close"]))
        state = evolve(state, recorded("subject/s1", 9, append.entry))
    return state


def _decide(state, command):
    return decide_deviation(STUDY, state, KNOWN, command, OCCASION)


@pytest.mark.parametrize(("state", "act"), list(product(STATES, ACTS)))
def test_only_what_the_table_has_may_happen(state, act) -> None:
    decision = _decide(_state(state), ACTS[act])
    if act == "close" and state == "OPEN":
        assert rules(decision) == {"deviations.not-classed", "deviations.not-explained"}
    elif (state, act) in NEXT:
        (append,) = written(decision)
        after = evolve(_state(state), recorded("subject/s1", 20, append.entry))
        assert after.deviations["d1"].state == NEXT[state, act]
    else:
        assert rules(decision) == {f"deviations.is-{state.lower()}"}


def test_beyond_minor_it_is_settled_only_with_what_is_done_about_it() -> None:
    major = replace(CLASSED, severity="MAJOR")
    state = folded(evolve, START, [RAISED, major, EXPLAINED])
    assert refused(_decide(state, ACTS["close"])) == [("deviations.no-action", "action")]
    assert written(_decide(folded(evolve, state, [replace(EXPLAINED, action="a call")]), ACTS["close"]))


@pytest.mark.parametrize(
    ("command", "rule"),
    [
        (RaiseDeviation("s1", "V1", "2026-08-14", " "), "deviations.text-required"),
        (RaiseDeviation("s1", "V1", "2026-08", "x"), "deviations.date-incomplete"),
        (RaiseDeviation("s1", "V1", "", "x"), "entry.date-empty"),
        (RaiseDeviation("s1", "V1", "2026-08-15", "x"), "deviations.in-the-future"),
        (RaiseDeviation("s1", "none", "2026-08-14", "x"), "deviations.visit-unknown"),
        (RaiseDeviation("s1", "", "2026-08-14", "x" * 5000), "deviations.text-too-long"),
        (ClassDeviation("s1", "other", "MINOR", important=False), "deviations.unknown"),
        (ExplainDeviation("s1", "d1", " "), "deviations.text-required"),
        (WithdrawDeviation("s1", "d1", ""), "deviations.text-required"),
    ],
)
def test_what_cannot_be_said_of_a_deviation_is_refused(command, rule) -> None:
    assert rules(_decide(_state("OPEN"), command)) == {rule}


def test_one_by_hand_is_recorded_as_it_was_told() -> None:
    (append,) = written(
        _decide(START, RaiseDeviation("s1", "", "14.8.2026".replace(".8.", "-AUG-"), " fell asleep "))
    )
    assert isinstance(append.entry, DeviationRaised)
    assert (append.entry.rule, append.entry.on, append.entry.text) == ("manual", "2026-08-14", "fell asleep")
    assert refused(decide_deviation(STUDY, START, replace(KNOWN, subject_known=False), ACTS["class"], OCCASION)) == [
        ("deviations.subject-unknown", "subject")]  # fmt: skip
