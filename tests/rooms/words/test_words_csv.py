"""No cell that somebody typed runs when a file is opened in a spreadsheet program; nothing else changes."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.words.csv_text import BYTE_ORDER_MARK, cell, csv_text


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        # Source: the leading characters that OWASP's page on CSV injection names, and their full-width forms
        ('=HYPERLINK("http://x")', '\'=HYPERLINK("http://x")'),
        ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("  =1", "'  =1"),
        ("＝1+1", "'＝1+1"),
        ("-12.5", "-12.5"),  # a number is no formula
        ("+7", "+7"),
        ("左侧无力 𠮷", "左侧无力 𠮷"),
        (None, ""),
        (3, "3"),
    ],
)
def test_a_cell_is_text_or_a_number(typed, written):
    assert cell(typed) == written


@given(st.lists(st.lists(st.text(max_size=8), min_size=2, max_size=2), max_size=5))
def test_what_is_read_back_is_what_was_typed_but_for_the_leading_mark(rows):
    text = csv_text(("a", "b"), rows)
    assert text.startswith(BYTE_ORDER_MARK)
    found = list(csv.reader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK), newline="")))
    assert found[0] == ["a", "b"]
    for typed, read in zip(rows, found[1:], strict=True):
        for one, other in zip(typed, read, strict=True):
            assert other in (one, f"'{one}")
            assert not other.lstrip(" ").startswith(("=", "@", "\t"))
