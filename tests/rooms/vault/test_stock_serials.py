"""Serial numbers as packing lists write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.vault.stock.serials import MOST, serials


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("01-03", ("01", "02", "03")),
        ("A1, A2\nA9-A11", ("A1", "A2", "A9", "A10", "A11")),
        ("7，8；9", ("7", "8", "9")),
        ("B-7", ("B-7",)),  # no range: a serial number may hold a dash
        ("3-1", None),
        ("A1-B3", None),
        ("1-999999", None),
    ],
)
def test_lists_and_ranges(text, expected):
    assert serials(text) == expected


@given(st.integers(0, 500), st.integers(0, 60))
def test_a_range_has_as_many_as_it_says_and_one_width(first, more):
    found = serials(f"{first:04d}-{first + more:04d}")
    assert found is not None
    assert len(found) == more + 1  # both ends count
    assert {len(one) for one in found} == {4}
    assert list(map(int, found)) == list(range(first, first + more + 1))


@given(st.text(max_size=80))
def test_no_text_makes_it_fall_over(text):
    found = serials(text)
    assert found is None or len(found) <= MOST
