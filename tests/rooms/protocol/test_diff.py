"""What an amendment changes is named, element by element, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.protocol.diff import diff_studies
from equipoise.protocol.digest import canonical_study, study_digest, study_from_canonical
from equipoise.protocol.study import Study
from equipoise.words.canonical import canonical_bytes

BASE = {
    "notation": 1,
    "id": "s",
    "version": "1",
    "dated": "2026",
    "title": {"en": "Title", "zh": "题目"},
    "arms": [{"id": "A", "label": "First"}, {"id": "B", "label": "Second"}],
    "criteria": [{"id": "I1", "category": "inclusion", "text": "Adults", "rule": "age >= 18"}],
    "randomization": {"method": "complete", "ratio": {"A": 1, "B": 1}},
    "schedule": {"visits": [{"id": "V1", "label": "First visit", "epoch": "E", "day": 1, "window": [1, 3]}]},
    "forms": [
        {
            "id": "F",
            "label": "Form",
            "items": [
                {"id": "X", "label": "Item", "type": "decimal", "minimum": "1.5", "expected": ["2", "3"]}
            ],
        }
    ],
    "registry": {
        "registry": "R",
        "identifier": "1",
        "fields": [{"path": "a.b", "value": {"x": 1}, "source": "page"}],
        "not_understood": [{"text": "one", "source": "page"}],
    },
}


def study(**changed: object) -> Study:
    """The base study with sections replaced."""
    return Study.model_validate({**BASE, **changed})


def changes(**changed: object) -> list[tuple[str, str, str | None, str | None]]:
    """Kind, path, old and new of every change."""
    return [(c.kind, c.path, c.old, c.new) for c in diff_studies(study(), study(**changed))]


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"version": "2"}, [("changed", "version", "1", "2")]),
        ({"title": {"en": "Title", "zh": "标题"}}, [("changed", "title.zh", "题目", "标题")]),
        ({"title": {"en": "Title"}}, [("removed", "title.zh", "题目", None)]),
        ({"acronym": "ABC"}, [("added", "acronym", None, "ABC")]),
        ({"arms": BASE["arms"][::-1]}, [("moved", "arms", "A, B", "B, A")]),
        ({"arms": BASE["arms"][:1]}, [("removed", "arms.B", "Second", None)]),
        ({"arms": [*BASE["arms"], {"id": "C", "label": "Third"}]}, [("added", "arms.C", None, "Third")]),
        (
            {"criteria": [{**BASE["criteria"][0], "rule": "age >= 16"}]},
            [("changed", "criteria.I1.rule", "age >= 18", "age >= 16")],
        ),
        ({"criteria": [{**BASE["criteria"][0], "rule": "(age)>=18"}]}, []),
        (
            {"randomization": {"method": "complete", "ratio": {"A": 2, "B": 1}}},
            [("changed", "randomization.ratio.A", "1", "2")],
        ),
        (
            {"randomization": None},
            [("removed", "randomization", "method: complete, ratio: A: 1, B: 1", None)],
        ),
        (
            {"schedule": {"visits": [{**BASE["schedule"]["visits"][0], "window": [1, 5]}]}},
            [("changed", "schedule.visits.V1.window", "1, 3", "1, 5")],
        ),
        (
            {"forms": [{**BASE["forms"][0], "items": [{**BASE["forms"][0]["items"][0], "minimum": "1"}]}]},
            [("changed", "forms.F.items.X.minimum", "1.5", "1")],
        ),
        (
            {"registry": {**BASE["registry"], "not_understood": []}},
            [("changed", "registry.not_understood", "text: one, source: page", "")],
        ),
        ({}, []),
    ],
)
def test_each_change_is_named(changed, found):
    assert changes(**changed) == found


@pytest.mark.parametrize(
    ("changed", "area"),
    [
        ({"criteria": []}, "eligibility"),
        ({"forms": []}, "captured"),
        ({"arms": []}, "allocation"),
        ({"schedule": {}}, "schedule"),
        ({"consent": {"legal_representative": False}}, "consent"),
        ({"sponsor": "S"}, "public"),
        ({"version": "2"}, "record"),
    ],
)
def test_a_change_says_what_it_touches(changed, area):
    found = diff_studies(study(), study(**changed))
    assert found
    assert all(area in change.affects for change in found)
    for change in found:
        canonical_bytes(change.as_json())
        for language in ("en", "zh"):
            assert change.path in change.say(language)
            assert "{" not in change.say(language)


sections = st.fixed_dictionaries(
    {},
    optional={
        "version": st.sampled_from(["1", "2"]),
        "arms": st.permutations([*BASE["arms"], {"id": "C", "label": "c"}]).map(lambda arms: arms[:2]),
        "criteria": st.sampled_from(
            [[], [{**BASE["criteria"][0], "rule": "age>=18"}], [{**BASE["criteria"][0], "rule": "a >"}]]
        ),
        "title": st.sampled_from(["Title", {"en": "Title", "zh": "题目"}]),
        "forms": st.sampled_from([[], [{**BASE["forms"][0], "repeats": True}]]),
        "registry": st.sampled_from([None, {**BASE["registry"], "fields": []}, BASE["registry"]]),
        "design": st.sampled_from(
            [{}, {"cap": 5, "masked_roles": [{"id": "r", "label": "R", "masked": True}]}]
        ),
        "sources": st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["x", "y"])),
    },
)


@given(sections, sections)
def test_no_difference_no_change_of_the_digest_and_the_other_way_round(first, second):
    before, after = study(**first), study(**second)
    assert (study_digest(before) == study_digest(after)) == (not diff_studies(before, after))


@given(sections)
def test_a_study_read_back_differs_in_nothing(first):
    before = study(**first)
    assert diff_studies(before, study_from_canonical(canonical_study(before))) == ()
