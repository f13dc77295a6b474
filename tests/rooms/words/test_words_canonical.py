"""Canonical bytes are those of RFC 8785 on the closed subset, and nothing outside it is let through."""

from __future__ import annotations

import hashlib
import unicodedata

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from equipoise.words.canonical import NotCanonical, canonical_bytes, digest, read_canonical

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=8).map(
    lambda t: unicodedata.normalize("NFC", t)
)
keys = st.text(st.characters(codec="ascii"), max_size=6)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53 - 1), 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_the_bytes_are_those_of_rfc_8785(value):
    assert canonical_bytes(value) == rfc8785.dumps(value)


@given(values)
def test_the_bytes_read_as_the_value(value):
    assert read_canonical(canonical_bytes(value)) == value


@given(values)
def test_the_digest_is_sha_256_of_the_bytes(value):
    assert digest(value) == hashlib.sha256(rfc8785.dumps(value)).hexdigest()


def test_order_of_keys_and_kind_of_sequence_do_not_count():
    assert (
        canonical_bytes({"b": 1, "a": (1, 2)})
        == canonical_bytes({"a": [1, 2], "b": 1})
        == b'{"a":[1,2],"b":1}'
    )


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        float("nan"),
        2**53,
        -(2**53),
        {1: 2},
        {"\u00e9": 1},
        "\ud800",
        "e\u0301",  # not in normal form C
        [{"a": "e\u0301"}],
        b"x",
        {1, 2},
        object(),
    ],
)
def test_what_is_outside_the_subset_is_refused(value):
    with pytest.raises(NotCanonical):
        canonical_bytes(value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"{} ",
        b' {"a":1}',
        b'{"a": 1}',
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b"1.0",
        b"1e3",
        b"-0",
        b"NaN",
        b'"\\u0041"',
        b'"\xff"',
        b"[" * 100_000,
        '"e\u0301"'.encode(),
    ],
)
def test_other_bytes_are_refused(data):
    with pytest.raises(NotCanonical):
        read_canonical(data)


@given(st.binary(max_size=40))
def test_bytes_that_are_read_are_the_only_bytes_of_their_value(data):
    try:
        value = read_canonical(data)
    except NotCanonical:
        return
    assert canonical_bytes(value) == data
