"""Who is eligible, case by case: the cases in `tests/vectors/screening` are written for a nurse to read.

Each names what is known of a person and what must come out; what `expect` does not name is not looked at. T is met
(or, for an exclusion, present), F is not, U is not evaluable.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from equipoise.eligibility.screen import screen_cases
from equipoise.protocol.study import Study

TESTS = Path(__file__).resolve().parents[2]
FIRST = {
    f"{path.stem}: {case['case']}": case
    for path in sorted((TESTS / "vectors" / "screening").glob("*.json"))
    for case in json.loads(path.read_text("utf-8"))
}
SECOND = {case["case"]: case for case in json.loads((TESTS / "studies/second/cases.json").read_text("utf-8"))}


def verdict(study: Study, case: dict[str, Any]) -> dict[str, Any]:
    """The one answer to one case, laid flat."""
    found = screen_cases(study, [case])
    assert isinstance(found, list), found
    [answer] = found
    results = answer["results"]
    assert isinstance(results, dict)
    return {**results, **{key: value for key, value in answer.items() if key != "results"}}


def agrees(study: Study, case: dict[str, Any]) -> None:
    answer = verdict(study, case)
    wanted = {key: value for key, value in case["expect"].items() if key != "query"}
    assert wanted
    assert {key: answer.get(key, "absent") for key in wanted} == wanted


@pytest.mark.parametrize("name", FIRST)
def test_the_first_study_s_cases(first: Study, name: str) -> None:
    agrees(first, FIRST[name])


@pytest.mark.parametrize("name", SECOND)
def test_the_second_study_s_cases(second: Study, name: str) -> None:
    agrees(second, SECOND[name])


def test_all_collected_boundary_vectors(first: Study, domain: dict[str, Any]) -> None:
    vectors = domain["eligibility"]["boundary_vectors"]
    assert len(vectors) == 26
    for case in vectors:
        agrees(first, case)


def test_all_cases_in_one_file_answer_as_one_by_one(first: Study) -> None:
    answers = screen_cases(first, list(FIRST.values()))
    assert isinstance(answers, list)
    assert answers == [screen_cases(first, [case])[0] for case in FIRST.values()]  # type: ignore[index]


@pytest.mark.parametrize("criterion", [*(f"I0{n}" for n in range(1, 8)), *(f"E0{n}" for n in range(1, 6))])
def test_every_criterion_has_a_case_for_each_answer(criterion: str) -> None:
    answers = {case["expect"].get(criterion) for case in FIRST.values()} - {None}
    # severe heart and lung disease are one judgement each: met and open stand in `decision`, absent in every eligible case
    wanted = {"E04": {"T"}, "E05": {"U"}}.get(criterion, {"T", "F", "U"})
    assert wanted <= answers


def test_every_stratum_is_reached(first: Study) -> None:
    from equipoise.protocol.strata import strata

    reached = {case["expect"].get("stratum") for case in FIRST.values()}
    assert set(strata(first)) <= reached
    assert None in reached  # and there is a person who is eligible without a stratum
    assert any(
        case["expect"].get("decision") == "ELIGIBLE" and case["expect"].get("stratum", "") is None
        for case in FIRST.values()
    )
