"""The definition to read by holds whatever any version had, and never overrules the version in force."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from equipoise.protocol.retired import with_retired
from equipoise.protocol.study import Study

PARTS = ("F1", "F2", "F3", "F1.X", "F1.Y", "C", "C.a", "C.b", "V1", "V2", "E1", "I1", "n1")
"""Forms, items of F1, codelist C and its terms, visits, an epoch, a criterion, an input."""


def _study(present: frozenset[str], version: str) -> Study:
    def some(*names: str) -> list[str]:
        return [name for name in names if name in present]

    return Study.model_validate(
        {
            "notation": 1,
            "id": "s",
            "version": version,
            "dated": "2026",
            "title": "t",
            "forms": [
                {
                    "id": form,
                    "label": f"{form} of {version}",
                    "items": [
                        {"id": item.partition(".")[2], "label": f"{item} of {version}", "type": "text"}
                        for item in some("F1.X", "F1.Y")
                    ],
                }
                for form in some("F1", "F2", "F3")
            ],
            "codelists": [
                {"id": "C", "terms": [{"code": code[2:], "decode": version} for code in some("C.a", "C.b")]}
                for _ in some("C")
            ],
            "criteria": [{"id": "I1", "category": "inclusion", "text": version} for _ in some("I1")],
            "inputs": [{"name": "n1", "label": version, "type": "number"} for _ in some("n1")],
            "schedule": {
                "epochs": [{"id": "E1", "label": version} for _ in some("E1")],
                "visits": [{"id": visit, "label": version, "epoch": "E1"} for visit in some("V1", "V2")],
            },
        }
    )


def _ids(study: Study) -> set[str]:
    items = {f"{form.id}.{item.id}" for form in study.forms for item in form.items}
    terms = {f"{one.id}.{term.code}" for one in study.codelists for term in one.terms}
    schedule = study.schedule
    named = (
        {one.id for one in study.forms}
        | {one.id for one in study.codelists}
        | {one.id for one in study.criteria}
    )
    timed = {one.id for one in schedule.visits} | {one.id for one in schedule.epochs}
    return items | terms | named | timed | {one.name for one in study.inputs}


present = st.frozensets(st.sampled_from(PARTS))


@given(st.lists(present, min_size=1, max_size=4))
def test_nothing_that_any_version_had_is_missing_and_nothing_stands_twice(
    versions: list[frozenset[str]],
) -> None:
    studies = [_study(each, str(number)) for number, each in enumerate(versions)]
    record = with_retired(studies[0], studies[1:])
    assert _ids(record) == set().union(*(_ids(study) for study in studies))
    visits, forms = [visit.id for visit in record.schedule.visits], [form.id for form in record.forms]
    for names in (visits, forms, *([item.id for item in form.items] for form in record.forms)):
        assert len(set(names)) == len(names)


@given(st.lists(present, min_size=1, max_size=4))
def test_the_version_in_force_stands_first_and_unchanged(versions: list[frozenset[str]]) -> None:
    studies = [_study(each, str(number)) for number, each in enumerate(versions)]
    now, record = studies[0], with_retired(studies[0], studies[1:])
    assert record.version == now.version
    assert record.schedule.visits[: len(now.schedule.visits)] == now.schedule.visits
    assert record.criteria[: len(now.criteria)] == now.criteria
    for ours, theirs in zip(now.forms, record.forms, strict=False):
        assert (theirs.id, theirs.label, theirs.items[: len(ours.items)]) == (ours.id, ours.label, ours.items)


@given(present)
def test_a_version_adds_nothing_to_itself(parts: frozenset[str]) -> None:
    study = _study(parts, "1")
    assert with_retired(study, [study]) == study
