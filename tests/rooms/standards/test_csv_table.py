"""Files for spreadsheets: what somebody wrote is text, also where it looks like a formula. Source: OWASP, CSV Injection."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.standards.csv_table import safe, write_csv


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("=1+1", "'=1+1"), ("+8613800000000 ext", "'+8613800000000 ext"), ("@SUM(A1)", "'@SUM(A1)"), ("-cmd", "'-cmd"),
        ("\t=1", "'\t=1"), (" =HYPERLINK(1)", "' =HYPERLINK(1)"), ("-3", "-3"), ("+4.5", "+4.5"), ("", ""),
        ("2026-08-14", "2026-08-14"), ("跌倒", "跌倒"),
    ],
)  # fmt: skip
def test_a_formula_becomes_text_and_a_number_stays_one(cell, expected) -> None:
    assert safe(cell) == expected


@given(
    st.lists(
        st.lists(
            st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0")),
            min_size=2,
            max_size=2,
        )
    )
)
def test_every_cell_comes_back_and_none_begins_a_formula(rows) -> None:
    content = write_csv(("a", "b"), rows)
    assert content.startswith(b"\xef\xbb\xbf")
    read = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert read[0] == ["a", "b"]
    for row, back in zip(rows, read[1:], strict=True):
        for cell, shown in zip(row, back, strict=True):
            assert shown in {cell, f"'{cell}"}
            assert not shown.startswith(("=", "@", "\t", "\r"))
