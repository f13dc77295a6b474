"""A value beyond a laboratory's limit, typed in its field: kept as an import keeps it, and typed again unchanged.

Sources: SDTM IG 3.4, LB (LBORRES "<0.5", ">500"); decision 0023 (the code, with the limit beside it).
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from equipoise.capture.commands import RecordForm
from equipoise.capture.decide import decide
from equipoise.capture.evolve import START, Place, evolve
from equipoise.capture.quantified import in_field, limit_in, shown_limit
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

TYPED = json.loads((Path(__file__).parents[2] / "vectors" / "typed.json").read_text("utf-8"))
LAB = {
    "id": "LB", "label": "Laboratory", "domain": "LB",
    "items": [
        {"id": "CRP", "label": "CRP", "type": "decimal", "digits": 1, "unit": "mg/L", "units": ["mg/dL"], "minimum": 0,
         "maximum": 500, "sdtm": {"domain": "LB", "testcd": "CRP", "test": "C Reactive Protein"}},
        {"id": "GLUC", "label": "Glucose", "type": "decimal", "digits": 1, "unit": "mmol/L", "units": ["mg/dL"],
         "analyte": "glucose", "minimum": "0.5", "sdtm": {"domain": "LB", "testcd": "GLUC", "test": "Glucose"}},
        {"id": "VOL", "label": "Volume", "type": "decimal", "digits": 1, "unit": "mL", "minimum": 0},
    ],
}  # fmt: skip
ACTIVITY = {"id": "L", "label": "Laboratory", "forms": ["LB"], "visits": ["V1"]}
PLAIN = made_definition(forms=[*FORMS, LAB])
STUDY = made_study(**{**PLAIN, "schedule": {**PLAIN["schedule"], "activities": [ACTIVITY]}})
PLACE = Place("V1", "LB", 1)


def save(state=START, base=0, **items):
    return decide(STUDY, state, KNOWN, RecordForm("s1", *PLACE, items, base), OCCASION)


def kept(state=START, base=0, **items):
    """The values after a save; the words beside a code come back from the part of their own."""
    entries = [append.entry for append in written(save(state, base, **items))]
    return folded(evolve, state, entries).form(PLACE).values


@pytest.mark.parametrize(("text", "limit"), TYPED["limits"])
def test_the_limit_is_read_as_the_page_reads_it(text, limit):
    assert limit_in(text) == limit


@pytest.mark.parametrize("text", ["<0.5", "＜０．５", "< 0.5"])
def test_a_value_below_its_limit_is_kept_as_a_report_gives_it(text):
    assert kept(CRP=Datum(text)) == {"CRP": Datum(missing="BLQ", why="<0.5 mg/L")}


@pytest.mark.parametrize("text", [">500", "＞５００", "> 500"])
def test_a_value_above_its_limit_is_kept_beside_it(text):
    assert kept(CRP=Datum(text)) == {"CRP": Datum(missing="ALQ", why=">500 mg/L")}


def test_above_in_another_unit_both_are_kept():
    """600 mg/dL / 18.0156 = 33.3045 mmol/L, to three places 33.304 (glucose: 180.156 g/mol)."""
    found = kept(GLUC=Datum("＞600", unit="mg/dL"))["GLUC"]
    assert found == Datum(missing="ALQ", why=">33.304 mmol/L", entered=">600", unit="mg/dL")
    assert (shown_limit(found), in_field(found)) == (">33.304", (">600", ""))
    assert refused(save(CRP=Datum(">51", unit="mg/dL"))) == [("capture.impossible-value", "CRP")]


def test_in_another_unit_both_are_kept():
    """18 mg/dL / 18.0156 = 0.99913 mmol/L, to three places 0.999; 5 mg/dL are 0.278 and under the least possible, 0.5."""
    found = kept(GLUC=Datum("<18", unit="mg/dL"))["GLUC"]
    assert found == Datum(missing="BLQ", why="<0.999 mmol/L", entered="<18", unit="mg/dL")
    assert (shown_limit(found), in_field(found)) == ("<0.999", ("<18", ""))
    assert refused(save(GLUC=Datum("<5", unit="mg/dL"))) == [("capture.impossible-value", "GLUC")]


@pytest.mark.parametrize(
    "given",
    [
        Datum("<0.5"),
        Datum("<5", unit="mg/dL"),
        Datum(missing="BLQ", why="<0.5 mg/L"),
        Datum(">400"),
        Datum(">40", unit="mg/dL"),
        Datum(missing="ALQ", why=">400 mg/L"),
    ],
)
def test_what_the_field_shows_is_the_same_value_when_it_is_sent_again(given):
    (append,) = written(save(CRP=given))
    state = folded(evolve, START, [append.entry])
    found = state.form(PLACE).values["CRP"]
    again = Datum(in_field(found)[0], unit=found.unit)
    assert refused(save(state, state.form(PLACE).seq, CRP=again)) == [("capture.nothing-changed", "")]


@pytest.mark.parametrize(
    ("item", "datum", "rule"),
    [
        ("VOL", Datum("<0.5"), "capture.not-a-number"),  # nobody measures it against a limit
        ("CRP", Datum("<0.55"), "capture.too-many-digits"),
        ("VOL", Datum(">5"), "capture.not-a-number"),
        ("CRP", Datum(">500.1"), "capture.impossible-value"),
        ("CRP", Datum(">=400"), "capture.not-a-result"),
        ("CRP", Datum(missing="ALQ", why="<0.5 mg/L"), "capture.code-not-offered"),
        ("CRP", Datum("<0.5 mg/dL"), "capture.not-a-result"),  # the unit stands beside the field
        ("CRP", Datum("<0.5", "ND"), "capture.value-and-code"),
        ("CRP", Datum(missing="BLQ", why="little"), "capture.code-not-offered"),
        ("CRP", Datum(missing="BLQ"), "capture.code-not-offered"),
    ],
)  # fmt: skip
def test_what_is_no_value_below_a_limit_is_refused_beside_its_item(item, datum, rule):
    assert refused(save(**{item: datum})) == [(rule, item)]


def test_two_who_type_the_same_from_paper_agree():
    first, second = (kept(CRP=Datum(text))["CRP"] for text in ("<0.5", "＜0.5"))
    assert first == second != replace(first, why="<0.6 mg/L")
    assert kept(CRP=Datum(">5")) != kept(CRP=Datum("<5"))
