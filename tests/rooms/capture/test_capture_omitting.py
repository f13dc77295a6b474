"""A whole form that was not done: one act, one reason, no queries; taken back with a reason, and both stay."""

from __future__ import annotations

from dataclasses import replace

import pytest

from equipoise.capture.commands import RaiseQuery, RecordForm
from equipoise.capture.decide import decide
from equipoise.capture.evolve import START, Place, evolve
from equipoise.capture.progress import form_status
from equipoise.capture.snapshot import state_from_json, state_to_json
from equipoise.ledger.codec import encode
from equipoise.ledger.entries import Datum, FormOmitted, FormReinstated
from rooms.capture.conduct_study import KNOWN, OCCASION, folded, made_study, refused, rules, values, written

STUDY = made_study()
PLACE = Place("V1", "VS", 1)


def give(state, **more):
    items = more.pop("items", {})
    return decide(
        STUDY, state, KNOWN, RecordForm("s1", *PLACE, items, state.form(PLACE).seq, **more), OCCASION
    )


def entries(*decisions):
    return [append.entry for decision in decisions for append in written(decision)]


def test_a_form_is_marked_with_a_code_and_words_that_can_be_withheld():
    (entry,) = entries(give(START, omit="ND", reason="machine broken"))
    assert entry == FormOmitted("V1", "VS", 1, "ND", "machine broken")
    assert "machine broken" not in str(encode(entry)["main"])
    state = folded(evolve, START, [entry])
    assert form_status(STUDY, state, *PLACE[:2]).progress == "OMITTED"
    assert state.form(PLACE).complete, "nothing is asked of it"
    assert state_from_json(state_to_json(state)) == state


def test_while_it_is_marked_nothing_is_recorded_in_it():
    state = folded(evolve, START, entries(give(START, omit="RF")))
    assert refused(give(state, items=values(SYSBP="120"))) == [("entry.form-not-done", "SYSBP")]
    assert rules(give(state, omit="ND")) == {"capture.nothing-changed"}


def test_it_is_taken_back_with_a_reason_and_both_stay():
    first = entries(give(START, omit="ND"))
    state = folded(evolve, START, first)
    assert rules(give(state, omit="")) == {"capture.reason-required"}
    back = entries(give(state, omit="", reason="was done elsewhere"))
    assert back == [FormReinstated("V1", "VS", 1, "was done elsewhere")]
    state = folded(evolve, START, [*first, *back])
    assert form_status(STUDY, state, *PLACE[:2]).progress == "NOT_STARTED"
    assert written(give(state, items=values(SYSBP="120"))), "a first value needs no reason"


def test_checks_fall_silent_and_a_person_s_question_stays():
    occasion = replace(OCCASION, fresh=("asked",))
    asked = written(decide(STUDY, START, KNOWN, RaiseQuery("s1", *PLACE, "", "Why is it empty?"), occasion))
    saved = entries(give(START, items=values(SYSBP="60")))  # below the plausible 90: a query
    state = folded(evolve, START, [*(append.entry for append in asked), *saved])
    emptied = entries(give(state, items={"SYSBP": Datum()}))
    state = folded(evolve, START, [*(append.entry for append in asked), *saved, *emptied])
    kinds = [entry.kind for entry in entries(give(state, omit="ND"))]
    assert kinds.count("FormOmitted") == 1
    assert "QueryRaised" not in kinds
    left = list(folded(evolve, state, entries(give(state, omit="ND"))).queries.values())
    assert [query.state for query in left if query.rule == "manual"] == ["OPEN"]
    assert {query.state for query in left if query.rule != "manual"} == {"CLOSED"}


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ({"omit": "XX"}, "entry.omit-code"),
        ({"omit": "UN"}, "entry.omit-code"),  # an instrument's own word for one item
        ({"omit": "ND", "items": values(SYSBP="120")}, "entry.omit-with-values"),
        ({"omit": ""}, "capture.nothing-changed"),
        ({"omit": "ND", "reason": "x" * 4001}, "capture.text-too-long"),
    ],
)
def test_what_cannot_be_is_refused(more, rule):
    assert rule in rules(give(START, **more))


def test_a_form_that_holds_a_value_was_not_not_done():
    state = folded(evolve, START, entries(give(START, items=values(SYSBP="120"))))
    assert rules(give(state, omit="ND")) == {"entry.omit-has-values"}
