"""Many proofs out of one tree are the proofs that RFC 6962 asks for."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.ledger.merkle import inclusion_holds, inclusion_proof, path_from, root_of, rows_of


def leaves_of(count: int) -> list[bytes]:
    return [hashlib.sha256(str(place).encode()).digest() for place in range(count)]


@given(st.integers(1, 300), st.data())
def test_a_path_out_of_the_rows_is_the_path_of_the_recursion(count: int, data) -> None:
    leaves, index = leaves_of(count), data.draw(st.integers(0, count - 1))
    rows = rows_of(leaves)
    path = path_from(rows, index)
    assert rows[-1] == (root_of(leaves),)
    assert path == inclusion_proof(leaves, index)
    assert inclusion_holds(leaves[index], index, count, path, root_of(leaves))


def test_there_is_no_path_for_a_leaf_that_is_not_there() -> None:
    for index in (-1, 3):
        with pytest.raises(IndexError):
            path_from(rows_of(leaves_of(3)), index)
