"""A number written in another unit: kept as it was written, and in the item's own unit, exactly."""

from __future__ import annotations

import pytest

from equipoise.capture.commands import RecordForm
from equipoise.capture.decide import decide
from equipoise.capture.evolve import START, Place, evolve
from equipoise.capture.snapshot import state_from_json, state_to_json
from equipoise.ledger.codec import decode, encode
from equipoise.ledger.entries import Datum
from rooms.capture.conduct_study import (
    FORMS,
    KNOWN,
    OCCASION,
    folded,
    made_definition,
    made_study,
    refused,
    written,
)

LAB = {
    "id": "LB", "label": "Laboratory", "domain": "LB",
    "items": [
        {"id": "GLUC", "label": "Glucose", "type": "decimal", "digits": 1, "unit": "mmol/L", "units": ["mg/dL"],
         "analyte": "glucose", "minimum": "0.5", "maximum": 80, "expected": [3, 20]},
        {"id": "HGB", "label": "Haemoglobin", "type": "integer", "unit": "g/L", "units": ["g/dL"], "minimum": 10, "maximum": 300},
    ],
}  # fmt: skip
ACTIVITY = {"id": "L", "label": "Laboratory", "forms": ["LB"], "visits": ["V1"]}
PLAIN = made_definition(forms=[*FORMS, LAB])
STUDY = made_study(**{**PLAIN, "schedule": {**PLAIN["schedule"], "activities": [ACTIVITY]}})


def save(**items):
    return decide(STUDY, START, KNOWN, RecordForm("s1", "V1", "LB", 1, items, 0), OCCASION)


@pytest.mark.parametrize(
    ("item", "typed", "unit", "own"),
    [
        # 99 mg/dL / 18.0156 = 5.4952 mmol/L, to three places; 14.2 g/dL = 142 g/L
        ("GLUC", "99", "mg/dL", "5.495"),
        ("GLUC", "９９．０", "mg/dL", "5.495"),
        ("HGB", "14.2", "g/dL", "142"),
        ("HGB", "14.235", "g/dL", "142.35"),
    ],
)
def test_both_are_kept(item, typed, unit, own):
    (append, *_) = written(save(**{item: Datum(typed, unit=unit)}))
    stored = append.entry.items[item]
    assert (stored.value, stored.unit) == (own, unit)
    assert stored.entered == typed.replace("９９．０", "99.0")
    assert decode("FormSaved", encode(append.entry)["main"]) == append.entry
    state = folded(evolve, START, [append.entry])
    assert state.form(Place("V1", "LB", 1)).values[item] == stored
    assert state_from_json(state_to_json(state)) == state


def test_the_own_unit_is_no_other_unit():
    (append,) = written(save(GLUC=Datum("5.5", unit="mmol/L")))
    assert append.entry.items == {"GLUC": Datum("5.5")}


@pytest.mark.parametrize(
    ("datum", "rule"),
    [
        (Datum("5", unit="kg"), "entry.unit-not-offered"),
        (Datum("5", unit="mg/L"), "entry.unit-not-offered"),  # could be converted, and is not admitted
        (Datum("much", unit="mg/dL"), "capture.not-a-number"),
        (Datum("5000", unit="mg/dL"), "capture.impossible-value"),  # 277 mmol/L
    ],
)
def test_a_unit_that_is_not_offered_and_an_impossible_amount_are_refused(datum, rule):
    assert refused(save(GLUC=datum)) == [(rule, "GLUC")]


def test_checks_look_at_the_amount_whatever_it_was_written_in():
    kinds = [append.entry.kind for append in written(save(GLUC=Datum("450", unit="mg/dL")))]
    assert kinds == ["FormSaved", "QueryRaised"]  # 25 mmol/L is above the plausible 20
