"""A diary that could not be kept is told by its rule; the first study's can be.

Source: the rules of protocol/checks/diary.py; each bad example breaks one of them in the first study's own diary.
"""

from __future__ import annotations

from typing import Any

import pytest

from equipoise.protocol.check import check_study
from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study
from equipoise.words.text import Text


@pytest.fixture(scope="module")
def study(root):
    return load_study(root / "studies/nct07197606")


def with_item(study: Study, name: str, **changes: Any) -> Study:  # Any: fields of an item
    sections = tuple(
        section.model_copy(
            update={
                "items": tuple(
                    item.model_copy(update=changes) if item.id == name else item for item in section.items
                )
            }
        )
        for section in study.diary.sections
    )
    return study.model_copy(update={"diary": study.diary.model_copy(update={"sections": sections})})


def with_form(study: Study, name: str, **changes: Any) -> Study:  # Any: fields of a form
    forms = tuple(form.model_copy(update=changes) if form.id == name else form for form in study.diary.forms)
    return study.model_copy(update={"diary": study.diary.model_copy(update={"forms": forms})})


def faults(study: Study) -> set[str]:
    return {
        found.problem.rule
        for found in check_study(study)
        if found.fault and found.problem.where.startswith("diary")
    }


def test_the_first_study_s_diary_can_be_kept(study):
    assert faults(study) == set()


@pytest.mark.parametrize(
    ("item", "changes", "rule"),
    [
        ("SPEAK", {"options": ()}, "options"),
        ("SEE", {"options": "SPEAK"}, "options"),
        ("WARN", {"flag": ("NOSUCH",)}, "code"),
        ("WARN", {"none": "NOSUCH"}, "code"),
        ("FELL", {"flag_from": 3}, "code"),
        ("SLEEP", {"flag_from": 99}, "code"),
        ("SLEEP", {"low": 16, "high": 0}, "numbers"),
        ("EXERMIN", {"step": 7}, "numbers"),
        ("TIRED", {"high": 20}, "numbers"),
        ("MOOD", {"observed": Text("How was the mood?", "心情如何？")}, "proxy"),
        ("FELL", {"proxy": False}, "proxy"),
        ("FELL", {"label": Text("x" * 41, "跌倒")}, "label"),
        ("FELL", {"id": "FALLS"}, "twice"),
        ("FELL", {"id": "TRIPPED"}, "asked-if"),
        ("FELL", {"kind": "number"}, "asked-if"),
    ],
)
def test_an_item_that_could_not_be_asked_is_found(study, item, changes, rule):
    if changes.get("options") == "SPEAK":
        options = next(
            one.options for one in study.diary.items(study.diary.form("DAILY")) if one.id == "SPEAK"
        )
        changes = {"options": options}
    assert f"protocol.study-diary-{rule}" in faults(with_item(study, item, **changes))


@pytest.mark.parametrize(
    ("changes", "rule"),
    [({"open_days": 2}, "window"), ({"first_day": 29}, "window"), ({"days": 40}, "window")],
)
def test_windows_that_could_not_be_kept_are_found(study, changes, rule):
    cadence = study.diary.form("DAILY").cadence.model_copy(update=changes)
    assert faults(with_form(study, "DAILY", cadence=cadence)) == {f"protocol.study-diary-{rule}"}


def test_a_section_that_is_not_there_is_found(study):
    assert faults(with_form(study, "FALL", sections=("WHEN", "NOSUCH"))) == {"protocol.study-reference"}


@pytest.mark.parametrize(("part", "field"), [("reminders", "text"), ("emergency", "advice")])
def test_words_that_people_are_shown_are_asked_for(study, part, field):
    changed = getattr(study.diary, part).model_copy(update={field: None})
    plan = study.diary.model_copy(update={part: changed})
    assert faults(study.model_copy(update={"diary": plan})) == {"protocol.study-diary-words"}
