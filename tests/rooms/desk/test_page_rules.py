"""What the page of a form is given to judge with: enough for its own rules, nothing that could tell the arm, nothing hidden."""

from __future__ import annotations

import json
from typing import Any

from equipoise.capture.consequences import Now
from equipoise.capture.evolve import START, Place, evolve
from equipoise.desk.rules import page_rules
from equipoise.ledger.entries import Datum, FormSaved
from equipoise.words.dates import PartialDate
from rooms.capture.conduct_study import FORMS, INPUTS, folded, made_study, values

TODAY = Now(PartialDate(2026, 8, 14), PartialDate(2026, 7, 1))


def judged(*asked: Any) -> Any:
    """The rules as the page's script reads them."""
    return page_rules(*asked)


def changed(form: str, **added: Any) -> list[dict[str, Any]]:
    """The study's forms with something added to one of them."""
    return [
        {**one, **{key: [*one.get(key, []), *more] for key, more in added.items()}}
        if one["id"] == form
        else one
        for one in FORMS
    ]


SECRET = {"id": "viable", "holds": "VIAB > 70", "items": ["VIAB"], "message": "Not viable."}
TOLD = {"name": "viability", "label": "Viability", "type": "number", "origin": {"form": "VS", "item": "VIAB"}}
ASKING = {"id": "asks", "holds": "viability > 70 or SYSBP > 0", "items": ["SYSBP"], "message": "Asks."}
ACROSS = {"id": "across", "holds": "rankin < 2 or SYSBP < 200", "items": ["SYSBP"], "message": "Across."}
SCORED = {"id": "scored", "holds": "nihss.total > 5 or SYSBP > 0", "items": ["SYSBP"], "message": "Scored."}


def test_a_page_gets_trees_messages_and_types_of_its_own_form():
    study = made_study()
    rules = judged(study, START, Place("V1", "VS", 1), TODAY, ())
    assert set(rules["visible"]) == {"PREG", "PREGDAT"}
    assert [check["id"] for check in rules["checks"]] == ["sys-above-dia", "not-in-the-future"]
    assert rules["checks"][1]["refuses"]
    assert set(rules["derived"]) == {"MAP"}
    assert rules["inputs"] == {"today": {"value": {"date": "2026-08-14"}}}
    at_v2 = judged(study, START, Place("V2", "VS", 1), TODAY, ())
    assert "only-at-v2" in [check["id"] for check in at_v2["checks"]]


def test_nothing_that_reveals_reaches_the_page():
    study = made_study(forms=changed("VS", checks=[SECRET, ASKING]), inputs=[*INPUTS, TOLD])
    state = folded(evolve, START, [FormSaved("V1", "VS", 1, values(VIAB="81.7"), {}, complete=False)])
    for form in ("VS", "STROKE"):
        sent = json.dumps(judged(study, state, Place("V1", form, 1), TODAY, ()))
        assert "81.7" not in sent
        assert "VIAB" not in sent
        assert "viab" not in sent.lower()


def test_what_a_reader_never_sees_is_not_sent_to_judge_with():
    study = made_study(forms=changed("VS", checks=[ACROSS]))
    state = folded(evolve, START, [FormSaved("V1", "STROKE", 1, values(RANKIN="3"), {}, complete=False)])
    place = Place("V1", "VS", 1)
    open_to_all = judged(study, state, place, TODAY, ())
    assert open_to_all["inputs"]["rankin"] == {"value": {"number": "3"}}
    kept = judged(study, state, place, TODAY, {"STROKE"})
    assert "rankin" not in kept["inputs"]
    assert "across" not in [check["id"] for check in kept["checks"]]


def test_a_value_that_no_rule_of_the_form_reads_is_not_sent():
    state = folded(evolve, START, [FormSaved("V1", "STROKE", 1, values(RANKIN="3"), {}, complete=False)])
    assert set(judged(made_study(), state, Place("V1", "VS", 1), TODAY, ())["inputs"]) == {"today"}


def test_the_scale_of_another_form_is_a_value_and_that_of_this_one_stays_with_the_server():
    study = made_study(forms=changed("VS", checks=[SCORED]))
    answered = {"1a": Datum("2")}
    state = folded(evolve, START, [FormSaved("V1", "NIHSS", 1, answered, {}, complete=False)])
    sent = judged(study, state, Place("V1", "VS", 1), TODAY, ())
    assert "instrument" in sent["inputs"]["nihss"]["value"]
    assert judged(study, state, Place("V1", "NIHSS", 1), TODAY, ())["checks"] == []


def test_an_input_of_this_form_follows_what_is_typed_unless_a_later_visit_has_it():
    forms = changed(
        "VS", checks=[{"id": "again", "holds": "sbp < 200", "items": ["SYSBP"], "message": "Again."}]
    )
    inputs = [
        *INPUTS,
        {"name": "sbp", "label": "SBP", "type": "number", "origin": {"form": "VS", "item": "SYSBP"}},
    ]
    study = made_study(forms=forms, inputs=inputs)
    first = FormSaved("V1", "VS", 1, values(SYSBP="150"), {}, complete=False)
    later = FormSaved("V2", "VS", 1, values(SYSBP="160"), {}, complete=False)
    here = Place("V1", "VS", 1)
    alone = judged(study, folded(evolve, START, [first]), here, TODAY, ())["inputs"]["sbp"]
    assert alone["item"] == "SYSBP"
    assert alone["value"]["number"] == [None, None]
    superseded = judged(study, folded(evolve, START, [first, later]), here, TODAY, ())["inputs"]["sbp"]
    assert superseded == {"value": {"number": "160", "unit": "mm[Hg]"}}


def test_an_earlier_score_that_is_covered_from_the_reader_is_not_sent():
    study = made_study(forms=changed("VS", checks=[SCORED]))
    state = folded(evolve, START, [FormSaved("V1", "NIHSS", 1, {"1a": Datum("2")}, {}, complete=False)])
    place = Place("V1", "VS", 1)
    covers = Place("V1", "NIHSS", 1).__eq__
    assert "nihss" in judged(study, state, place, TODAY, ())["inputs"]
    kept = judged(study, state, place, TODAY, (), covers)
    assert "nihss" not in kept["inputs"]
    assert "scored" not in [check["id"] for check in kept["checks"]]
