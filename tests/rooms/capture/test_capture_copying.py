"""An answer taken over from the previous visit: marked, confirmed by a person, never where the study does not allow it."""

from __future__ import annotations

import pytest

from equipoise.capture.commands import RecordForm
from equipoise.capture.decide import decide
from equipoise.capture.evolve import START, Place, evolve
from equipoise.capture.snapshot import state_from_json, state_to_json
from equipoise.ledger.entries import Datum, FormSaved
from rooms.capture.conduct_study import (
    FORMS,
    KNOWN,
    OCCASION,
    folded,
    made_study,
    refused,
    rules,
    values,
    written,
)

FLAGGED = [
    {**form, "items": [{**item, "copy_forward": item["id"] == "TEMP"} for item in form["items"]]}
    for form in FORMS
]
STUDY = made_study(forms=FLAGGED)
HERE = Place("V2", "VS", 1)
BEFORE = [FormSaved("V1", "VS", 1, values(TEMP="36.5", SYSBP="120"), {}, complete=False)]


def give(state, items, **more):
    return decide(STUDY, state, KNOWN, RecordForm("s1", *HERE, items, state.form(HERE).seq, **more), OCCASION)


def entries(decision):
    return [append.entry for append in written(decision)]


def test_what_is_taken_over_says_so_until_a_person_confirms_it():
    state = folded(evolve, START, BEFORE)
    taken = entries(give(state, values(TEMP="36.5"), copied={"TEMP": "V1/1"}))
    assert taken[0].copied == {"TEMP": "V1/1"}
    state = folded(evolve, START, [*BEFORE, *taken])
    assert state.form(HERE).copied == {"TEMP": "V1/1"}
    assert state_from_json(state_to_json(state)) == state
    confirmed = entries(give(state, values(TEMP="36.5")))
    assert (confirmed[0].items, confirmed[0].copied) == (values(TEMP="36.5"), None)
    state = folded(evolve, START, [*BEFORE, *taken, *confirmed])
    assert state.form(HERE).copied == {}
    assert rules(give(state, values(TEMP="36.5"))) == {"capture.nothing-changed"}


def test_another_answer_ends_the_mark_as_well():
    state = folded(evolve, START, BEFORE)
    taken = entries(give(state, values(TEMP="36.5"), copied={"TEMP": "V1/1"}))
    state = folded(evolve, START, [*BEFORE, *taken])
    changed = entries(give(state, values(TEMP="36.9")))
    assert folded(evolve, START, [*BEFORE, *taken, *changed]).form(HERE).copied == {}


def test_a_form_with_an_unconfirmed_answer_is_not_complete():
    state = folded(evolve, START, BEFORE)
    full = {**values(DAT="2026-08-01", SYSBP="120", DIABP="80", SEX="M"), "TEMP": Datum("36.5")}
    decision = give(state, full, copied={"TEMP": "V1/1"}, complete=True)
    assert refused(decision) == [("entry.copy-unconfirmed", "TEMP")]
    taken = entries(give(state, full, copied={"TEMP": "V1/1"}))
    state = folded(evolve, START, [*BEFORE, *taken])
    assert rules(give(state, {}, complete=True)) == {"entry.copy-unconfirmed"}
    assert written(give(state, values(TEMP="36.5"), complete=True))


@pytest.mark.parametrize(
    ("items", "copied", "rule"),
    [
        ({"SYSBP": "120"}, {"SYSBP": "V1/1"}, "entry.copy-not-allowed"),
        ({"TEMP": "36.6"}, {"TEMP": "V1/1"}, "entry.copy-differs"),
        ({"TEMP": "36.5"}, {"TEMP": "V3/1"}, "entry.copy-differs"),
    ],
)
def test_only_what_stands_there_and_may_be_taken_is_taken(items, copied, rule):
    assert rules(give(folded(evolve, START, BEFORE), values(**items), copied=copied)) == {rule}


def test_the_first_visit_has_nothing_to_take_over():
    first = RecordForm("s1", "V1", "VS", 1, values(TEMP="36.5"), 0, copied={"TEMP": "V2/1"})
    assert rules(decide(STUDY, START, KNOWN, first, OCCASION)) == {"entry.copy-differs"}
