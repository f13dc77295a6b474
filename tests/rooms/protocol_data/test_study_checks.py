"""Every edit check and derivation of both studies, shown firing and shown quiet.

The cases are `tests/vectors/checks/*.json`: a text is a value as recorded, an object the answers on a scale. Each
`fires` breaks the check by the smallest step that a person would see; each `quiet` stands just on the other side.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from equipoise.instruments import scale
from equipoise.protocol.assessments import instrument_value
from equipoise.protocol.expressions import Number, Value, as_logical
from equipoise.protocol.expressions.check import Type
from equipoise.protocol.expressions.recorded import recorded_value
from equipoise.protocol.forms import Check, Form
from equipoise.protocol.rules import value_of
from equipoise.protocol.study import Study
from equipoise.words.truth import Truth

FOLDER = Path(__file__).resolve().parents[2] / "vectors" / "checks"
CASES: dict[str, list[dict[str, Any]]] = {
    path.stem: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))
}
KINDS: dict[str, Any] = {
    "date": "date", "integer": "number", "decimal": "number", "time": "number", "code": "code", "truth": "truth", "text": "code", "number": "number",
}  # fmt: skip


def _value(study: Study, form: Form, name: str, given: Any) -> Value:
    declared = next((each for each in study.inputs if each.name == name), None)
    if isinstance(given, dict):
        used = scale(
            (form.instrument if name == "score" else declared.instrument if declared else None) or ""
        )
        assert used is not None
        return instrument_value(used, given, name)
    item = form.item(name)
    assert item is not None or declared is not None, f"{form.id}: {name}"
    kind = KINDS[item.type if item is not None else declared.type if declared else ""]
    return recorded_value(Type(kind, unit=item.unit if item is not None else None), given)


def _truth(study: Study, form: Form, check: Check, given: dict[str, Any]) -> Truth:
    scope = {name: _value(study, form, name, value) for name, value in given.items()}
    return as_logical(value_of(check.holds, scope)).truth


def _found(study: Study, case: dict[str, Any]) -> tuple[Form, Check]:
    form = study.form(case["form"])
    assert form is not None, case["form"]
    return form, next(check for check in form.checks if check.id == case["check"])


@pytest.mark.parametrize("case", CASES["first_study"], ids=lambda case: f"{case['form']}-{case['check']}")
def test_checks_of_the_first_study(first: Study, case: dict[str, Any]) -> None:
    form, check = _found(first, case)
    assert _truth(first, form, check, case["fires"]) is Truth.FALSE
    assert _truth(first, form, check, case["quiet"]) is not Truth.FALSE


@pytest.mark.parametrize("case", CASES["second_study"], ids=lambda case: f"{case['form']}-{case['check']}")
def test_checks_of_the_second_study(second: Study, case: dict[str, Any]) -> None:
    form, check = _found(second, case)
    assert _truth(second, form, check, case["fires"]) is Truth.FALSE
    assert _truth(second, form, check, case["quiet"]) is not Truth.FALSE


@pytest.mark.parametrize("name", ["first", "second"])
def test_every_check_has_its_case(name: str, request: pytest.FixtureRequest) -> None:
    study: Study = request.getfixturevalue(name)
    written = {(form.id, check.id) for form in study.forms for check in form.checks}
    assert written == {(case["form"], case["check"]) for case in CASES[f"{name}_study"]}


@pytest.mark.parametrize("name", ["first", "second"])
def test_no_check_fires_on_an_empty_form(name: str, request: pytest.FixtureRequest) -> None:
    study: Study = request.getfixturevalue(name)
    # `known(death_date)` is an answer even when nothing is recorded, but only beside grade 6
    for form in study.forms:
        for check in form.checks:
            assert _truth(study, form, check, {}) is not Truth.FALSE, f"{form.id}.{check.id}"


def _derived(study: Study, form_id: str, name: str, given: dict[str, str]) -> Value:
    form = study.form(form_id)
    assert form is not None
    rule = next(each.rule for each in form.derivations if each.id == name)
    return value_of(rule, {key: _value(study, form, key, value) for key, value in given.items()})


def test_derivations(first: Study, second: Study) -> None:
    # 70.0 kg / (1.75 m)^2 = 22.857...
    assert _derived(first, "VS", "BMI", {"WEIGHT": "70.0", "HEIGHT": "175.0"}) == Number.of(Decimal("22.9"))
    # (8.0 h - 6.5 h) * 60 = 90
    assert _derived(second, "WEEK", "AWAKE", {"INBED": "8.0", "ASLEEP": "6.5"}) == Number.of(90)
    # 6.5 / 8.0 = 0.8125
    assert _derived(second, "WEEK", "EFFIC", {"INBED": "8.0", "ASLEEP": "6.5"}) == Number.of(81)
    # Fridericia: 400 ms x cube root of rate / 60. At 60 it is QT itself; 1.5 -> 1.144714, 457.9; 0.75 -> 0.908560, 363.4
    for rate, computed in (("60", 400), ("90", 458), ("45", 363)):
        assert _derived(first, "EG", "QTCFC", {"QT": "400", "EGHR": rate}) == Number.of(computed)
    # 5 sessions of 45 minutes
    assert _derived(first, "REHAB", "RHWEEK", {"RHSESS": "5", "RHMIN": "45"}) == Number.of(225)


def test_the_computed_qtc_is_right_to_a_millisecond(first: Study) -> None:
    for rate in range(30, 181, 5):
        found = _derived(first, "EG", "QTCFC", {"QT": "400", "EGHR": str(rate)})
        assert isinstance(found, Number)
        assert found.interval.low is not None
        assert abs(float(found.interval.low) - 400 * (rate / 60) ** (1 / 3)) <= 1.5, (
            rate
        )  # 1 ms and the rounding
