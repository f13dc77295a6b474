"""What a definition has to keep to about its product: each rule with a study that breaks it.

Sources of the rules: the plan of the house (a gate judged twice, a bench with the same steps for every arm) and the
notes on blinding (preparation and dispensing: same steps, sham preparation).
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest
from test_check import SOUND, found

SUPPLY: Mapping[str, Any] = {
    "volume": "100",
    "cells_per_kg": "1.0e6",
    "cells_at_most": "1.0e8",
    "viability_at_least": "70",
    "use_within": 120,
    "release_before": 30,
    "sentinel_first": 3,
    "sentinel_hours": 24,
    "doses": [{"id": "D1", "label": "d", "visit": "V1"}],
    "gate": [{"id": "adult", "label": "g", "rule": "age >= 18", "doses": ["D1"]}],
    "products": [
        {"id": "cells", "arm": "A", "label": "c", "cellular": True},
        {"id": "fluid", "arm": "B", "label": "f", "cellular": False},
    ],
    "bench": [
        {"id": "thaw", "label": "t", "sham": "s", "kind": "thaw"},
        {"id": "count", "label": "v", "sham": "s", "kind": "viability"},
        {"id": "fill", "label": "f", "kind": "fill"},
    ],
}


def broken(*path: str | int, to: Any) -> dict[str, Any]:
    """The sound study with its supply, one value of it set (`...` removes it)."""
    study: Any = {**deepcopy(dict(SOUND)), "supply": deepcopy(dict(SUPPLY))}
    *steps, last = path
    at = study["supply"]
    for step in steps:
        at = at[step]
    if to is ...:
        del at[last]
    else:
        at[last] = to
    return study


def test_a_sound_supply_has_nothing_to_find() -> None:
    assert found({**SOUND, "supply": dict(SUPPLY)}) == []


def test_a_study_that_gives_nothing_needs_none() -> None:
    assert found(SOUND) == []


FAULTS = [
    (("doses", 0, "visit"), "V9", "study-reference", "supply.doses.D1.visit"),
    (("gate", 0, "doses"), ["D9"], "study-reference", "supply.gate.adult.doses.1"),
    (("gate", 0, "rule"), "age", "study-rule-type", "supply.gate.adult.rule"),
    (("gate", 0, "rule"), "agee > 1", "expression-name-like", "supply.gate.adult.rule"),
    (("gate", 0, "rule"), "age >=", "expression-no-value-end", "supply.gate.adult.rule"),
    (("gate", 0, "rule"), "TEMP > 38 'Cel'", "expression-name", "supply.gate.adult.rule"),
    (("gate", 0, "at"), [], "study-gate-nowhere", "supply.gate.adult.at"),
    (("gate", 0, "id"), "sentinel", "study-name-reserved", "supply.gate.sentinel.id"),
    (("doses",), [], "study-supply-no-dose", "supply.doses"),
    (("products", 1, "arm"), "C", "study-reference", "supply.products.fluid.arm"),
    (("products", 1, "arm"), "A", "study-supply-product", "supply.products"),
    (("products", 1), ..., "study-supply-product", "supply.products"),
    (("bench", 2, "kind"), "do", "study-bench-fill", "supply.bench"),
    (("bench", 0, "kind"), "fill", "study-bench-fill", "supply.bench"),
    (("bench", 0), ..., "study-bench-lacks", "supply.bench"),
    (("bench", 1, "kind"), "do", "study-bench-lacks", "supply.bench"),
    (("bench", 0, "sham"), ..., "study-bench-sham", "supply.bench.thaw"),
    (("volume",), "", "study-supply-number", "supply.volume"),
    (("volume",), "a bag", "study-supply-number", "supply.volume"),
    (("cells_per_kg",), "-1", "study-supply-number", "supply.cells_per_kg"),
    (("cells_at_most",), "NaN", "study-supply-number", "supply.cells_at_most"),
    (("viability_at_least",), "101", "study-supply-number", "supply.viability_at_least"),
    (("use_within",), 0, "study-supply-minutes", "supply.use_within"),
    (("release_before",), -1, "study-supply-minutes", "supply.release_before"),
    (("sentinel_hours",), 0, "study-supply-sentinel", "supply.sentinel_first"),
    (("sentinel_first",), -3, "study-supply-minutes", "supply.sentinel_first"),
]


@pytest.mark.parametrize(
    ("path", "value", "rule", "where"), FAULTS, ids=[f"{rule} {path}" for path, _, rule, _ in FAULTS]
)
def test_a_fault_of_supply_is_found_at_its_place(
    path: tuple[str | int, ...], value: Any, rule: str, where: str
) -> None:
    assert (True, rule, where) in found(broken(*path, to=value))


def test_doses_of_one_kind_need_neither_cells_nor_sham() -> None:
    study = broken("products", 0, "cellular", to=False)
    study["supply"]["bench"] = [{"id": "fill", "label": "f", "kind": "fill"}]
    for name in ("volume", "cells_per_kg", "cells_at_most", "viability_at_least"):
        study["supply"][name] = ""
    assert found(study) == []


TWICE = {"id": "BEGAN", "label": "b", "type": "text", "sdtm": {"domain": "EC", "variable": "ECSTDTC"}}
SHARE = {"name": "share", "label": "s", "type": "number", "origin": {"dose": "share"}}
ALL = {"id": "all-given", "holds": "share == 100", "items": ["TEMP"], "message": "m"}


def with_form(study: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The study with changes to its first form: lists are added to."""
    form = study["forms"][0]
    for name, value in changes.items():
        form[name] = [*form.get(name, []), *value]
    return study


def test_a_form_may_not_ask_for_what_the_record_of_a_dose_says() -> None:
    """Decision 0025: a fact of a dose is entered once."""
    where = "forms.VS.items.BEGAN.sdtm"
    assert found(with_form(broken("volume", to="100"), items=[TWICE])) == [
        (True, "study-exposure-twice", where)
    ]
    assert found(with_form(deepcopy(dict(SOUND)), items=[TWICE])) == []  # nothing else records it there


def test_a_rule_about_a_dose_stands_where_raters_do_not_look() -> None:
    study = with_form(broken("volume", to="100"), checks=[ALL])
    study["inputs"].append(SHARE)
    assert found(study) == [(True, "study-dose-shown-to-rater", "forms.VS.checks.all-given.holds")]
    assert found(with_form(study, hidden_from=["rater"])) == []


def test_what_a_dose_says_is_a_number() -> None:
    study = broken("volume", to="100")
    study["inputs"].append({**SHARE, "type": "date"})
    assert (True, "study-input-type", "inputs.share.origin") in found(study)
