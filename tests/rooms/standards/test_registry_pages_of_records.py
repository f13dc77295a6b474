"""Pages of many kinds of trial: rendered from real records and read back, and written by hand for what is rare."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from equipoise.standards import registry_vocabulary as words
from equipoise.standards.registry import Imported, import_registry
from equipoise.standards.registry_record import Record, readable
from rooms.standards.trial_pages import page_of

VECTORS = Path(__file__).parents[2] / "vectors" / "registry"
SAME = (
    *(
        words.BRIEF_TITLE,
        words.NCT_ID,
        words.ORG_ID,
        words.SPONSOR,
        words.STATUS,
        words.PHASES,
        words.CONDITIONS,
    ),
    *(words.STUDY_TYPE, words.SUMMARY, words.DESCRIPTION, words.ENROLMENT_COUNT, words.SEX, words.VOLUNTEERS),
    *(words.MINIMUM_AGE, words.MAXIMUM_AGE, words.PURPOSE, words.ALLOCATION, words.MODEL, words.MASKING),
)
"""What a page shows of a record, by the registry's paths."""


def bring(data: bytes, name: str) -> Imported:
    found = import_registry(data, name)
    assert isinstance(found, Imported), [problem.say() for problem in found]
    return found


def page(name: str) -> Imported:
    return bring((VECTORS / f"{name}-page.txt").read_bytes(), f"{name}-page.txt")


def record(found: Imported) -> Record:
    assert found.study.registry is not None
    return Record(found.study.registry.fields)


def rules(found: Imported) -> list[str]:
    return [problem.rule.removeprefix("registry.") for problem in found.report.not_understood]


def bare(value: object) -> object:
    """A value without the registry's backslashes and without care for spaces and the order of a list."""
    if isinstance(value, str):
        return " ".join(readable(value).split()) or None  # an empty text is not shown
    return sorted(map(str, map(bare, value))) if isinstance(value, list) else value


def judge(published: dict[str, Any], *, spaced_groups: bool) -> None:
    """The page of a record says what the record says, wherever both speak."""
    of_page = bring(page_of(published, spaced_groups=spaced_groups).encode(), "page.txt")
    of_record = bring(json.dumps(published).encode(), "record.json")
    shown, kept = record(of_page), record(of_record)
    number = kept.get(words.NCT_ID)
    for path in SAME:
        assert bare(shown.get(path)) == bare(kept.get(path)), (number, path)
    labels = [[(arm.label, arm.type, arm.description and bare(arm.description.en)) for arm in found.study.arms]
              for found in (of_page, of_record)]  # fmt: skip
    assert labels[0] == labels[1], number
    assert [(each.name, each.type) for each in of_page.study.interventions] == [
        (each.name, each.type) for each in of_record.study.interventions
    ], number
    assert "arms-count" not in rules(of_page), number


@pytest.mark.parametrize("spaced_groups", [False, True])
def test_the_pages_of_all_single_records_say_what_the_records_say(
    shared_data: Path, spaced_groups: bool
) -> None:
    files = sorted((shared_data / "registry").glob("NCT*.json"))
    assert len(files) == 28  # INDEX.md of the data folder: 28 records
    for file in files:
        judge(json.loads(file.read_text("utf-8")), spaced_groups=spaced_groups)


def test_the_pages_of_a_spread_of_the_bulk_say_what_the_records_say(shared_data: Path) -> None:
    with gzip.open(shared_data / "registry" / "bulk.jsonl.gz") as lines:
        for number, line in enumerate(lines):
            if number % 16 == 0:
                judge(json.loads(line), spaced_groups=number % 32 == 0)


# ---------------------------------------------------------------- written by hand


def test_groups_that_are_called_what_their_type_is_called():
    """namesakes-page.txt: six groups, of which five bear the name of a type; two of them have nothing else."""
    found = page("namesakes")
    assert [(arm.label.en, arm.type) for arm in found.study.arms] == [
        ("Part A: Escalation", "EXPERIMENTAL"),
        ("Experimental Group", "EXPERIMENTAL"),
        ("Placebo Comparator Group", "PLACEBO_COMPARATOR"),
        ("Active comparator group", "ACTIVE_COMPARATOR"),
        ("Sham Comparator group", "SHAM_COMPARATOR"),
        ("No Intervention Group", "NO_INTERVENTION"),
    ]
    assert [len(arm.interventions) for arm in found.study.arms] == [1, 2, 0, 1, 0, 0]
    assert not {"arms-count", "line"} & {*rules(found)}


def test_the_first_group_too_may_be_called_what_its_type_is_called():
    head, _, rest = (VECTORS / "namesakes-page.txt").read_text("utf-8").partition("Part A: Escalation\n")
    found = bring(f"{head}Experimental Group\n{rest}".encode(), "page.txt")
    assert [arm.label.en for arm in found.study.arms][:2] == ["Experimental Group", "Experimental Group"]
    assert len(found.study.arms) == 6  # as the page states


def test_a_study_without_types_may_call_its_groups_anything():
    found = page("sisters")
    assert [(arm.label.en, arm.type, arm.description.en) for arm in found.study.arms] == [
        ("Experimental group", None, "Cases"),
        ("Control group", None, "Healthy sisters"),
        ("Placebo group", None, "x"),
    ]


def test_a_description_may_speak_of_groups():
    """documents-page.txt: one group, whose description has a line `Experimental group`; then documents and a timeline."""
    found = page("documents")
    [arm] = found.study.arms
    assert (arm.label.en, arm.type) == ("Only arm", "OTHER")
    assert arm.description.en.split("\n") == ["Control Group", "Experimental group", "is not said here."]
    unknown = record(found).get(words.PAGE_UNRECOGNISED)
    assert isinstance(unknown, list)
    assert {"Trial documents", "Timeline", "Start date: Jan 01, 2020"} <= {*map(str, unknown)}


def test_a_withdrawn_study_has_nobody_and_no_target():
    """sisters-page.txt: withdrawn, 0 patients, girls from 6 months, healthy volunteers, funded by NIH, no sites."""
    found = page("sisters")
    seen = record(found)
    expected = {
        words.STATUS: "WITHDRAWN",
        words.ENROLMENT_COUNT: 0,
        words.SEX: "FEMALE",
        words.MINIMUM_AGE: "6 Months",
        words.MAXIMUM_AGE: None,
        words.VOLUNTEERS: True,
        words.SPONSOR_CLASS: "NIH",
        words.LOCATION_COUNT: 0,
        words.PHASES: None,
    }
    assert {path: seen.get(path) for path in expected} == expected
    assert found.study.design.target is None


def test_a_chinese_page_keeps_its_words():
    found = page("chinese")
    assert found.study.title.en == "人脐带间充质干细胞治疗缺血性脑卒中的临床试验"
    assert [arm.label.en for arm in found.study.arms] == ["试验组", "对照组"]
    assert [criterion.text.en for criterion in found.study.criteria] == [
        "年龄18至70岁；",
        "发病14至90天。",
        "癫痫；",
        "痴呆。",
    ]


@pytest.mark.parametrize(
    ("head", "sponsor", "told"),
    [
        ("Acme Biopharma logo\n\nAcme Biopharma\n\n", "Acme Biopharma", False),
        ("A\n\nAcme Biopharma\n\n", "Acme Biopharma", False),
        ("Acme Biopharma\n\n", "Acme Biopharma", True),
        ("Acme Biopharma\n\nBeta Institute\n\n", None, False),  # which of the two leads is not said
    ],
)
def test_a_sponsor_stands_after_its_badge_or_alone(head, sponsor, told):
    text = (VECTORS / "namesakes-page.txt").read_text("utf-8")
    found = bring(text.replace("Acme Biopharma logo\n\nAcme Biopharma\n\n", head).encode(), "page.txt")
    assert record(found).get(words.SPONSOR) == sponsor
    assert ("sponsor-by-place" in rules(found)) == told
    assert ("sponsor" in found.report.missing) == (sponsor is None)


@pytest.mark.parametrize(
    ("shown", "low", "high", "kept"),
    [
        ("65+ years old", "65 Years", None, None),
        ("6+ months old", "6 Months", None, None),
        ("Up to 17 years old", None, "17 Years", None),
        ("1 day to 3 years old", "1 Day", "3 Years", None),
        ("5 weeks to 12 months old", "5 Weeks", "12 Months", None),
        ("All ages", None, None, "All ages"),
        ("Adults", None, None, "Adults"),
    ],
)
def test_ages_of_every_kind(shown, low, high, kept):
    text = (VECTORS / "namesakes-page.txt").read_text("utf-8").replace("65+ years old", shown)
    found = bring(text.encode(), "page.txt")
    seen = record(found)
    assert (seen.get(words.MINIMUM_AGE), seen.get(words.MAXIMUM_AGE)) == (low, high)
    assert seen.get(words.PAGE_AGES) == kept
    assert ("unknown-label" in rules(found)) == (shown == "Adults")


def test_sub_points_are_known_by_their_sign_where_indents_are_lost():
    text = (VECTORS / "namesakes-page.txt").read_text("utf-8")
    points = "• Adults:\n◦ with a lesion\n◦ without pain\n• Can walk"
    before, rest = text.split("  1. Adults.", 1)
    found = bring(
        f"{before}{points}\n\nExclusion criteria{rest.split('Exclusion criteria', 1)[1]}".encode(), "page.txt"
    )
    inclusion = [each.text.en for each in found.study.criteria if each.category == "inclusion"]
    assert inclusion == ["Adults:\n  • with a lesion\n  • without pain", "Can walk"]
