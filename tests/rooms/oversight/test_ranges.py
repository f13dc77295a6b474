"""A laboratory's reference ranges: a file comes in whole or not at all, and every fault is named by its line.

Sources: ICH E6(R3) 3.10 (laboratory normal ranges are kept with their dates); the first study's items and units.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise.ledger.entries import RangesRecorded
from equipoise.ledger.facts import Refusal
from equipoise.oversight.commands import RecordRanges
from equipoise.oversight.ranges import decide_ranges, with_rows
from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study

HEAD = "test,sex,age_from,age_until,unit,low,high,valid_from,valid_until\n"


@pytest.fixture(scope="module")
def first() -> Study:
    study = load_study(Path(__file__).resolve().parents[3] / "studies" / "nct07197606")
    assert isinstance(study, Study)
    return study


def ask(study: Study, lines: str, known=(), *, reason: str = "", head: str = HEAD, laboratory: str = "Lab A"):
    return decide_ranges(study, tuple(known), RecordRanges("01", laboratory, head + lines, reason))


def rows(study: Study, lines: str, known=(), **options):
    decided = ask(study, lines, known, **options)
    assert not isinstance(decided, Refusal), [one.say() for one in decided.problems]
    [append] = decided
    assert isinstance(append.entry, RangesRecorded)
    assert append.stream == "site/01"
    return append.entry.rows


def faults(study: Study, lines: str, known=(), **options) -> list[tuple[str, str]]:
    decided = ask(study, lines, known, **options)
    assert isinstance(decided, Refusal)
    return [(one.rule.removeprefix("oversight."), one.where) for one in decided.problems]


def test_a_table_in_any_order_of_columns_comes_in_with_the_mark_of_excel(first: Study) -> None:
    head = "\ufeffvalid_from,Test,unit,high,low,sex\n"
    [male, female] = rows(first, "2026-01-01,HGB,g/L,175,130,m\n2026-01-01,hgb,g/L,150,115,F\n", head=head)
    assert (male.test, male.low, male.high, male.sex, male.valid_from) == (
        "HGB",
        "130",
        "175",
        "M",
        "2026-01-01",
    )
    assert (female.sex, female.laboratory, female.valid_until) == ("F", "Lab A", None)


def test_units_of_the_same_dimension_are_converted_exactly(first: Study) -> None:
    [row] = rows(first, "HGB,,,,g/dL,13.0,17.5,2026-01-01,\n")
    assert (row.unit, row.low, row.high) == ("g/L", "130", "175")


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ("HBG,,,,g/L,1,2,2026-01-01,\n", [("range-test", "line 2")]),
        ("HGB,,,,mmol/h,1,2,2026-01-01,\n", [("range-unit", "line 2")]),
        ("HGB,,,,,1,2,2026-01-01,\n", [("range-unit", "line 2")]),
        ("HGB,,,,g/L,abc,2,2026-01-01,\n", [("range-number", "line 2")]),
        ("HGB,,,,g/L,,,2026-01-01,\n", [("range-empty", "line 2")]),
        ("HGB,,,,g/L,200,100,2026-01-01,\n", [("range-order", "line 2")]),
        ("HGB,,,,g/L,1,2,2026-01,\n", [("range-date", "line 2")]),
        ("HGB,,,,g/L,1,2,,\n", [("range-date", "line 2")]),
        ("HGB,,,,g/L,1,2,2026-02-01,2026-01-01\n", [("range-ends-first", "line 2")]),
        ("HGB,X,,,g/L,1,2,2026-01-01,\n", [("range-sex", "line 2")]),
        ("HGB,,old,,g/L,1,2,2026-01-01,\n", [("range-age", "line 2")]),
        ("HGB,,,,g/L,1,2,2026-01-01,\nHGB,F,,,g/L,1,2,2026-01-01,\n", [("range-twice", "line 3")]),
        ("HGB,,,,g/L,1,2,2026-01-01,2026-06-30\nHGB,,,,g/L,1,2,2026-06-30,\n", [("range-twice", "line 3")]),
    ],
)  # fmt: skip
def test_every_fault_is_named_by_its_line(first: Study, lines: str, found: list[tuple[str, str]]) -> None:
    assert faults(first, lines) == found


def test_one_bad_line_keeps_every_line_out_and_all_are_named(first: Study) -> None:
    lines = "HGB,,,,g/L,130,175,2026-01-01,\nWBC,,,,pound,1,2,2026-01-01,\nXYZ,,,,g/L,1,2,2026-01-01,\n"
    assert faults(first, lines) == [("range-unit", "line 3"), ("range-test", "line 4")]


@pytest.mark.parametrize(
    ("head", "lines", "rule"),
    [
        ("test,unit,low\n", "HGB,g/L,1\n", "ranges-columns"),
        (HEAD, "", "ranges-empty"),
        ("", "", "ranges-columns"),
        (HEAD, "HGB,,,,g/L,1,2,2026-01-01,\n" * 2001, "ranges-too-many"),
    ],
)
def test_what_is_no_table_of_ranges_is_refused(first: Study, head: str, lines: str, rule: str) -> None:
    assert [one for one, _ in faults(first, lines, head=head)] == [rule]


def test_a_laboratory_has_a_name(first: Study) -> None:
    assert faults(first, "HGB,,,,g/L,1,2,2026-01-01,\n", laboratory=" ") == [
        ("laboratory-unnamed", "laboratory")
    ]


def test_what_stands_is_corrected_only_with_a_reason_and_a_later_range_ends_it(first: Study) -> None:
    known = rows(first, "HGB,,,,g/L,130,175,2026-01-01,\n")
    assert faults(first, "HGB,,,,g/L,120,170,2026-01-01,\n", known) == [("range-stands", "line 2")]
    assert faults(first, "HGB,,,,g/L,130,175,2026-01-01,\n", known) == [("ranges-known", "")]
    corrected = rows(first, "HGB,,,,g/L,120,170,2026-01-01,\n", known, reason="typing error")
    assert [row.low for row in with_rows(known, corrected)] == ["120"]
    later = rows(first, "HGB,,,,g/L,125,170,2026-07-01,\n", known)
    assert [row.valid_from for row in with_rows(known, later)] == ["2026-01-01", "2026-07-01"]
    bounded = rows(first, "WBC,,,,10*9/L,3.5,9.5,2026-01-01,2026-12-31\n")
    assert faults(first, "WBC,,,,10*9/L,4,10,2026-06-01,\n", bounded) == [("range-overlaps", "line 2")]
    assert rows(first, "WBC,,,,10*9/L,4,10,2027-01-01,\n", bounded)
