"""The plan of the first study names only what is there, and a name that is nowhere is told at its place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from equipoise.protocol.check import check_study
from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study

RULE = "protocol.study-plan-name"


@pytest.fixture(scope="module")
def study() -> Study:
    found = load_study(Path(__file__).resolve().parents[3] / "studies" / "nct07197606")
    assert isinstance(found, Study)
    return found


def with_output(study: Study, name: str, changes: Mapping[str, Any]) -> Study:
    outputs = tuple(
        one.model_copy(update=changes) if one.id == name else one for one in study.analysis.outputs
    )
    return study.model_copy(update={"analysis": study.analysis.model_copy(update={"outputs": outputs})})


def told(study: Study) -> list[tuple[str, str]]:
    return [
        (one.problem.where, str(one.problem.arguments["name"]))
        for one in check_study(study)
        if one.problem.rule == RULE and one.fault
    ]


def test_the_plan_of_the_first_study_names_what_is_there(study):
    assert told(study) == []


@pytest.mark.parametrize(
    ("output", "changes", "where", "name"),
    [
        ("T-11", {"set": "EVERYBODY"}, "analysis.outputs.T-11.set", "EVERYBODY"),
        ("T-11", {"estimand": "other"}, "analysis.outputs.T-11.estimand", "other"),
        ("T-11", {"parameters": ("FMA",)}, "analysis.outputs.T-11.parameters", "FMA"),
        ("T-11", {"visits": ("D28", "V9")}, "analysis.outputs.T-11.visits", "V9"),
        ("T-11", {"covariates": ("NIHSS",)}, "analysis.outputs.T-11.covariates", "NIHSS"),
        ("T-20", {"by": ("SEX", "AGEGROUP")}, "analysis.outputs.T-20.by", "AGEGROUP"),
        ("F-05", {"target": "D100"}, "analysis.outputs.F-05.visits", "D100"),
    ],
)
def test_a_name_that_is_nowhere_is_told_at_its_place(study, output, changes, where, name):
    assert told(with_output(study, output, changes)) == [(where, name)]


def test_names_of_the_plan_itself_are_held_too(study):
    plan = study.analysis
    wrong = plan.model_copy(update={"control": "NOTHING"})
    assert told(study.model_copy(update={"analysis": wrong})) == [("analysis.control", "NOTHING")]
    band = plan.bands[0].model_copy(update={"of": "AGES"})
    wrong = plan.model_copy(update={"bands": (band, *plan.bands[1:])})
    assert [name for _, name in told(study.model_copy(update={"analysis": wrong}))] == ["AGES"]
