"""What capture gives to others: inputs of the rules, queries, visit dates, histories, progress, snapshots."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from decimal import Decimal
from itertools import product
from typing import get_args

import pytest

from equipoise.capture.binding import bind, rested_on, value_of_item
from equipoise.capture.commands import (
    AnswerQuery,
    CancelQuery,
    CloseQuery,
    DateVisit,
    RaiseQuery,
    RecordForm,
    ReopenQuery,
)
from equipoise.capture.consequences import Now, consequences
from equipoise.capture.decide import decide
from equipoise.capture.evolve import START, Place, QueryState, evolve
from equipoise.capture.history import history
from equipoise.capture.progress import form_now, form_status
from equipoise.capture.queries import NEXT, fresh_ids
from equipoise.capture.snapshot import state_from_json, state_to_json
from equipoise.eligibility.judgement import judge
from equipoise.ledger.entries import (
    Datum,
    FormSaved,
    QueryAnswered,
    QueryAsked,
    QueryCancelled,
    QueryClosed,
    QueryRaised,
    QueryReopened,
    VisitDated,
    VisitDescribed,
    VisitMissed,
)
from equipoise.ledger.facts import DoseGiven, Facts, Occasion
from equipoise.protocol.expressions import Code, DateValue, InstrumentValue, Logical, Number, reasons_of
from equipoise.protocol.strata import stratum
from equipoise.words.canonical import canonical_bytes, read_canonical
from equipoise.words.dates import PartialDate
from equipoise.words.interval import Interval
from equipoise.words.truth import Truth
from rooms.capture.conduct_study import (
    AT,
    FORMS,
    INPUTS,
    KNOWN,
    OCCASION,
    folded,
    made_study,
    recorded,
    refused,
    rules,
    scores,
    values,
    written,
)

STUDY = made_study()
TODAY = PartialDate(2026, 8, 14)
MODERATE = ["0", "0", "0", "0", "0", "2", "0", "3", "0", "2", "0", "1", "0", "1", "0"]  # total 9


def form(items, *, form="VS", visit="V1", repeat=1, complete=False, reason=None):
    return FormSaved(visit, form, repeat, items, {}, complete, reason or "")


STROKE = form({"ONSET": Datum("2026-07"), "BLEED": Datum("N"), "RANKIN": Datum("1")}, form="STROKE")


def test_inputs_are_what_was_captured():
    state = folded(evolve, START, [STROKE, form(scores(MODERATE), form="NIHSS"), form(values(SYSBP="120"))])
    bound = bind(STUDY, state, TODAY)
    assert bound["onset"] == DateValue(PartialDate(2026, 7))
    assert bound["today"] == DateValue(TODAY)
    assert bound["bleeding"] == Logical(Truth.FALSE)  # a coded yes or no where the study declares a truth
    assert bound["rankin"] == Number.of(1)  # a coded grade where the study declares a number
    assert bound["sbp_v1"] == Number.of(120, "mm[Hg]")
    assert isinstance(bound["nihss"], InstrumentValue)
    assert bound["nihss"].total == Number.of(9)
    assert set(bound) == {"onset", "today", "bleeding", "rankin", "sbp_v1", "nihss"}, (
        "consent is another room's"
    )


def test_a_rule_of_a_form_reads_the_dose_of_its_own_visit():
    """Decision 0025: a volume is compared with the share that was recorded where the dose was given."""
    asks = {"name": "share", "label": "s", "type": "number", "origin": {"dose": "share"}}
    lasts = {"name": "lasted", "label": "l", "type": "number", "origin": {"dose": "minutes"}}
    check = {"id": "all", "holds": "share == 100 and lasted >= 30", "items": ["SYSBP"], "message": "Not all."}
    forms = [
        {**one, "checks": [check], "hidden_from": ["rater"]} if one["id"] == "VS" else one for one in FORMS
    ]
    study = made_study(forms=forms, inputs=[*INPUTS, asks, lasts])

    def fires(doses, visit="V1"):
        found = consequences(study, START, Place(visit, "VS", 1), {}, Now(TODAY, doses=doses))
        return [one.rule for one in found.findings]

    assert fires({"V1": DoseGiven(60, 40)}) == ["all"]
    assert fires({"V1": DoseGiven(100, 29)}) == ["all"]
    assert fires({"V1": DoseGiven(100, 30)}) == []
    assert fires({"V1": DoseGiven(60, 40)}, "V2") == []  # nothing is known of the dose of that visit
    assert fires({}) == []


def test_what_was_not_captured_is_unknown_and_says_why():
    bound = bind(STUDY, START, TODAY)
    assert {
        reason.kind
        for name in ("onset", "bleeding", "rankin", "sbp_v1")
        for reason in reasons_of(bound[name])
    } == {"missing"}
    assert isinstance(bound["nihss"], InstrumentValue)
    assert bound["nihss"].range.interval == Interval(Decimal(0), Decimal(42))
    state = folded(
        evolve, START, [form({"ONSET": Datum(missing="UK"), "BLEED": Datum(missing="ND")}, form="STROKE")]
    )
    bound = bind(STUDY, state, TODAY)
    assert [reason.kind for reason in reasons_of(bound["onset"])] == ["not-known"]
    assert [reason.kind for reason in reasons_of(bound["bleeding"])] == ["not-done"]


def test_the_latest_visit_that_has_it_counts_and_a_fixed_visit_stays():
    later = [*MODERATE[:5], "0", *MODERATE[6:]]  # total 7
    entries = [
        form(scores(later), form="NIHSS", visit="V2"),
        form(scores(MODERATE), form="NIHSS", visit="V1"),
        form(values(SYSBP="120"), visit="V1"),
        form(values(SYSBP="140"), visit="V2"),
    ]
    bound = bind(STUDY, folded(evolve, START, entries), TODAY)
    assert isinstance(bound["nihss"], InstrumentValue)
    assert bound["nihss"].total == Number.of(7), "by the schedule's order, not by the order of saving"
    assert bound["sbp_v1"] == Number.of(120, "mm[Hg]")


def test_a_form_emptied_again_does_not_count():
    entries = [
        form(scores(MODERATE), form="NIHSS", visit="V1"),
        form(scores(MODERATE[:1] + [""] * 14), form="NIHSS", visit="V2"),
        form({"1a": Datum()}, form="NIHSS", visit="V2"),
    ]
    bound = bind(STUDY, folded(evolve, START, entries), TODAY)
    assert isinstance(bound["nihss"], InstrumentValue)
    assert bound["nihss"].total == Number.of(9)


def test_a_verdict_rests_on_the_entries_that_gave_its_values():
    entries = [
        form(values(SYSBP="120", DIABP="80")),
        STROKE,
        form(values(DIABP="70")),
        form({"ONSET": Datum("2026-07-15")}, form="STROKE"),
        form(scores(MODERATE), form="NIHSS"),
    ]
    state = folded(evolve, START, entries)
    assert rested_on(STUDY, state) == (1, 2, 4, 5)  # 3 changed an item that no input looks at
    assert rested_on(STUDY, state, {"onset", "today"}) == (4,)


def test_captured_values_carry_a_subject_to_a_verdict_and_a_stratum():
    state = folded(evolve, START, [STROKE, form(scores(MODERATE), form="NIHSS")])
    inputs = {**bind(STUDY, state, TODAY), "participant_signed": Logical(Truth.TRUE)}
    assert judge(STUDY, inputs).decision == "ELIGIBLE"
    assert stratum(STUDY, inputs).code == "L/E"


# --- queries -----------------------------------------------------------------------------------------------------------


def raise_query(item="SYSBP", text="Please check", **options):
    return RaiseQuery("s1", options.get("visit", "V1"), options.get("form", "VS"), 1, item, text)


QUERY = QueryAsked("q1", "V1", "VS", 1, "SYSBP", "Please check")
ACTS = {
    "answer": AnswerQuery("s1", "q1", "Confirmed"),
    "close": CloseQuery("s1", "q1", "fine"),
    "cancel": CancelQuery("s1", "q1", "asked twice"),
    "reopen": ReopenQuery("s1", "q1", "still not clear"),
}
STATES = {
    "OPEN": [QUERY],
    "ANSWERED": [QUERY, QueryAnswered("q1", "Confirmed")],
    "CLOSED": [QUERY, QueryAnswered("q1", "Confirmed"), QueryClosed("q1", automatic=False)],
    "CANCELLED": [QUERY, QueryCancelled("q1", "asked twice")],
}
DATA_MANAGER = dataclasses.replace(OCCASION, role="data_manager")


def test_a_person_raises_a_query_on_an_item_or_a_form():
    (append,) = written(decide(STUDY, START, KNOWN, raise_query(), OCCASION))
    assert append.entry == QueryAsked("fresh-1", "V1", "VS", 1, "SYSBP", "Please check")
    assert written(decide(STUDY, START, KNOWN, raise_query(item=""), OCCASION))


@pytest.mark.parametrize(
    ("command", "rule"),
    [
        (raise_query(item="NOPE"), "capture.item-unknown"),
        (raise_query(text="  "), "capture.text-required"),
        (raise_query(text="x" * 4001), "capture.text-too-long"),
        (raise_query(visit="V9"), "capture.visit-unknown"),
        (AnswerQuery("s1", "q9", "x"), "capture.query-unknown"),
        (CloseQuery("s1", "q9"), "capture.query-unknown"),
    ],
)
def test_a_query_that_cannot_be_is_refused(command, rule):
    assert rules(decide(STUDY, START, KNOWN, command, OCCASION)) == {rule}


@pytest.mark.parametrize(("state", "act"), [*product(get_args(QueryState), ACTS)])
def test_a_query_goes_only_the_ways_of_the_table(state, act):
    assert set(STATES) == set(get_args(QueryState))
    before = folded(evolve, START, STATES[state])
    assert before.queries["q1"].state == state
    decision = decide(STUDY, before, KNOWN, ACTS[act], DATA_MANAGER)
    if (state, act) in NEXT:
        after = evolve(before, recorded("subject/s1", 9, written(decision)[0].entry))
        assert after.queries["q1"].state == NEXT[state, act]
    else:
        assert len(refused(decision)) == 1


def test_an_answer_has_words():
    state = folded(evolve, START, STATES["OPEN"])
    assert rules(decide(STUDY, state, KNOWN, AnswerQuery("s1", "q1", " "), OCCASION)) == {
        "capture.text-required"
    }


@pytest.mark.parametrize(
    ("raised_by", "rule", "canceller", "may"),
    [
        ("monitor", "manual", "monitor", True),
        ("monitor", "manual", "data_manager", True),
        ("data_manager", "manual", "monitor", False),
        ("coordinator", "expected:SYSBP", "coordinator", False),
        ("coordinator", "expected:SYSBP", "data_manager", True),
    ],
)
def test_a_query_is_taken_back_by_the_role_that_asked_or_by_data_management(raised_by, rule, canceller, may):
    asked = QUERY if rule == "manual" else QueryRaised("q1", "V1", "VS", 1, "SYSBP", rule, {"en": "?"})
    raised = recorded("subject/s1", 1, asked)
    raised = dataclasses.replace(raised, header=dataclasses.replace(raised.header, role=raised_by))
    occasion = dataclasses.replace(OCCASION, role=canceller)
    decision = decide(STUDY, evolve(START, raised), KNOWN, ACTS["cancel"], occasion)
    assert isinstance(decision, tuple) is may
    if not may:
        assert rules(decision) == {"closing.query-of-another-role"}


def test_everything_said_of_a_query_stays_in_its_thread():
    entries = [*STATES["CLOSED"], QueryReopened("q1", "not the arm meant"), QueryAnswered("q1", "the left")]
    query = folded(evolve, START, entries).queries["q1"]
    assert [(said.act, said.text) for said in query.thread] == [
        ("answered", "Confirmed"),
        ("closed", ""),
        ("reopened", "not the arm meant"),
        ("answered", "the left"),
    ]
    assert query.answer == "the left"
    assert query.state == "ANSWERED"


def test_query_ids_never_repeat_even_where_few_were_given():
    few = fresh_ids(Occasion(AT, "UTC", ("only",)), ("s1", "V1"))
    ids = [next(few) for _ in range(50)]
    assert ids[0] == "only"
    assert len(set(ids)) == 50
    assert next(fresh_ids(Occasion(AT, "UTC"), ("s1",))) != next(fresh_ids(Occasion(AT, "UTC"), ("s2",)))


# --- visit dates ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "faults"),
    [
        (DateVisit("s1", "V1", "2026年8月14日"), []),
        (
            DateVisit("s1", "V1", "1999-01-01"),
            [],
        ),  # out of any window: recorded; the deviation is another matter
        (DateVisit("s1", "UNS", "2026-08-01", 1), []),
        (DateVisit("s1", "UNS", "2026-08-01", 3), [("visits.out-of-count", "repeat")]),
        (DateVisit("s1", "V1", "2026-08-01", mode="by pigeon"), [("visits.mode-unknown", "mode")]),
        (DateVisit("s1", "V1", "2026-08-15"), [("capture.visit-in-the-future", "on")]),
        (DateVisit("s1", "V1", "2026-08"), [("capture.visit-date-incomplete", "on")]),
        (DateVisit("s1", "V1", " "), [("entry.date-empty", "on")]),
        (DateVisit("s1", "V9", "2026-08-01"), [("capture.visit-unknown", "visit")]),
        (DateVisit("s1", "V1", "2026-08-01", 2), [("capture.repeat-unknown", "repeat")]),
    ],
)
def test_a_visit_is_dated_as_it_was(command, faults):
    decision = decide(STUDY, START, KNOWN, command, OCCASION)
    if faults:
        assert refused(decision) == faults
    else:
        assert isinstance(written(decision)[0].entry, VisitDated)


def test_a_date_may_be_corrected_but_not_said_twice():
    state = folded(evolve, START, [VisitDated("V1", "2026-08-01")])
    assert refused(decide(STUDY, state, KNOWN, DateVisit("s1", "V1", "2026-08-01"), OCCASION)) == [
        ("capture.nothing-changed", "")
    ]
    other = DateVisit("s1", "V1", "2026-08-02")
    assert refused(decide(STUDY, state, KNOWN, other, OCCASION)) == [("visits.date-reason", "reason")]
    appends = written(decide(STUDY, state, KNOWN, replace(other, reason="read wrongly"), OCCASION))
    after = folded(evolve, state, [each.entry for each in appends])
    assert (after.dates["V1", 1].on, after.dates["V1", 1].reason) == ("2026-08-02", "read wrongly")


# --- who may be captured ---------------------------------------------------------------------------------------------------

EVERY = [
    RecordForm("s1", "V1", "VS", 1, values(SYSBP="120"), 0), DateVisit("s1", "V1", "2026-08-01"), raise_query(), ACTS["answer"], ACTS["close"],
]  # fmt: skip


@pytest.mark.parametrize("command", EVERY, ids=lambda command: type(command).__name__)
def test_nothing_is_captured_of_nobody_and_everything_after_a_screening_failure(command):
    state = folded(evolve, START, STATES["OPEN" if isinstance(command, AnswerQuery) else "ANSWERED"])
    assert refused(decide(STUDY, state, Facts(), command, OCCASION)) == [
        ("capture.subject-unknown", "subject")
    ]
    failed = dataclasses.replace(KNOWN, status="SCREEN_FAILURE")
    assert written(decide(STUDY, state, failed, command, OCCASION))


def test_a_command_of_another_room_is_our_bug():
    with pytest.raises(TypeError):
        decide(STUDY, START, KNOWN, "RecordForm", OCCASION)


# --- histories, progress, snapshots ------------------------------------------------------------------------------------------


def test_the_history_of_an_item_gives_old_and_new_who_when_and_why():
    stream = [
        recorded("subject/s1", 1, form(values(SYSBP="120", DIABP="80"), complete=True)),
        recorded("subject/s1", 2, form(values(SYSBP="130"), visit="V2")),
        recorded("subject/s1", 3, None),  # withheld
        recorded("subject/s1", 4, form(values(SYSBP="125"), complete=True, reason="misread")),
        recorded("subject/s1", 5, form({"SYSBP": Datum()}, reason="wrong arm cuff")),
    ]
    changes = list(history(stream, "V1", "VS", 1, "SYSBP"))
    assert [(change.old.value, change.new.value, change.reason, change.header.seq) for change in changes] == [
        (None, "120", None, 1),
        ("120", "125", "misread", 4),
        ("125", None, "wrong arm cuff", 5),
    ]
    assert changes[1].header.actor == "actor-1"
    assert changes[1].leaf == stream[3].leaf
    assert {change.item for change in history(stream, "V1", "VS", 1)} == {"SYSBP", "DIABP"}


def test_free_text_has_a_history_too():
    note = FormSaved("V1", "VS", 1, {}, {}, complete=False, texts=values(NOTE="first"))
    assert [change.new.value for change in history([recorded("s", 1, note)], "V1", "VS", 1, "NOTE")] == [
        "first"
    ]


def test_the_progress_of_a_form_and_its_queries():
    assert form_status(STUDY, START, "V1", "VS") == form_status(STUDY, START, "V2", "VS")
    assert form_status(STUDY, START, "V1", "VS").progress == "NOT_STARTED"
    state = folded(
        evolve,
        START,
        [form(values(SYSBP="120")), *STATES["ANSWERED"], dataclasses.replace(QUERY, query="q2")],
    )
    status = form_status(STUDY, state, "V1", "VS")
    assert (status.progress, status.answered, status.items) == (
        "IN_PROGRESS",
        1,
        10,
    )  # eleven items, one revealing
    assert (status.open_queries, status.answered_queries) == (1, 1)
    assert form_status(STUDY, state, "V2", "VS").open_queries == 0
    done = folded(evolve, START, [form(values(SYSBP="120"), complete=True)])
    assert form_status(STUDY, done, "V1", "VS").progress == "COMPLETE"


def test_a_page_asks_what_is_hidden_and_what_is_lacking():
    state = folded(evolve, START, [form(values(SYSBP="120", SEX="F"))])
    now = form_now(STUDY, state, "V1", "VS", 1, Now(TODAY))
    assert now.hidden == {"PREGDAT"}
    assert now.lacking == ("DAT", "DIABP", "PREG")


def test_a_snapshot_gives_the_same_state():
    entries = [
        STROKE,
        VisitDated("V1", "2026-08-01"),
        *STATES["CLOSED"],
        VisitDescribed("V1", 1, "phone", "CORRECTION", "read wrongly"),
        VisitMissed("V2", "TRAVEL", "abroad"),
        form(values(SYSBP="120"), complete=True, reason="x"),
    ]
    for length in range(len(entries) + 1):
        state = folded(evolve, START, entries[:length])
        again = state_from_json(read_canonical(canonical_bytes(state_to_json(state))))
        assert again == state
        assert list(again.queries) == list(state.queries)


def test_a_withheld_entry_and_entries_of_other_rooms_change_nothing():
    state = folded(evolve, START, [STROKE])
    assert evolve(state, recorded("subject/s1", 2, None)) == state
    assert state.form(Place("V1", "STROKE", 1)).changed == {"ONSET": 1, "BLEED": 1, "RANKIN": 1}
    assert evolve(state, recorded("subject/s1", 2, QueryClosed("nobody", automatic=True))) == state


@pytest.mark.parametrize("kind", ["text", "integer", "decimal", "date", "time", "code", "truth"])
def test_an_amendment_that_changes_the_type_of_an_item_breaks_no_page(kind):
    """What was captured as text stays as it was typed; the rules see a value that is not known, and say why."""
    changes = {"id": "NOTE", "label": "Remark", "type": kind, "required": False}
    if kind in {"integer", "decimal"}:
        changes |= {"minimum": 0, "maximum": 9, "expected": [1, 2]}
    check = {"id": "about-note", "holds": "known(NOTE)", "items": ["NOTE"], "message": "m"}
    forms = [
        each
        | {"items": [*(item for item in each["items"] if item["id"] != "NOTE"), changes], "checks": [check]}
        if each["id"] == "VS"
        else each
        for each in FORMS
    ]
    amended = made_study(forms=forms)
    state = folded(evolve, START, [form({}, complete=False), form(values(SYSBP="120"))])
    state = folded(
        evolve, state, [FormSaved("V1", "VS", 1, {}, {}, False, "", {"NOTE": Datum("not a number")})]
    )
    after = form_now(amended, state, "V1", "VS", 1, Now(TODAY))
    assert after.values["NOTE"] == Datum("not a number")
    found = value_of_item(amended, amended.form("VS"), "NOTE", after.values["NOTE"])
    if kind in {"text", "time", "code"}:
        assert found == Code("not a number")
    else:
        assert [reason.kind for reason in reasons_of(found)] == ["type"]
