"""The messages between the doors as bytes: nothing is lost on the way, and every answer has one length.

Source: DESIGN 5 (channel): fixed length, whatever is said.
"""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.channel.codec import (
    read_answer,
    read_content,
    read_delivery,
    statement_bytes,
    write_answer,
    write_delivery,
)
from equipoise.channel.messages import (
    FORWARDED,
    FRAME,
    PER_ANSWER,
    STATEMENTS,
    Delivery,
    Disclosed,
    Statement,
)
from equipoise.ledger.entries import KINDS

TEXTS = st.text(st.characters(codec="ascii"), max_size=40)
COUNTS = st.integers(0, 10**9)
DISCLOSED = st.builds(Disclosed, TEXTS, TEXTS, TEXTS, COUNTS, st.lists(TEXTS, max_size=4).map(tuple))
DELIVERIES = st.builds(
    Delivery,
    TEXTS,
    st.lists(TEXTS, max_size=3).map(tuple),
    st.lists(DISCLOSED, max_size=4).map(tuple),
    COUNTS,
)
STATED = st.builds(Statement, COUNTS, TEXTS, TEXTS, TEXTS)


@given(DELIVERIES)
def test_a_delivery_is_read_as_it_was_written(delivery: Delivery) -> None:
    assert read_delivery(write_delivery(delivery)) == delivery


@given(COUNTS, COUNTS, TEXTS, st.lists(STATED, max_size=PER_ANSWER).map(tuple))
def test_an_answer_is_read_as_it_was_written_and_has_one_length(size, upto, refused, statements) -> None:
    frame = write_answer(size, upto, refused, statements)
    assert len(frame) == FRAME
    answer = read_answer(frame)
    assert answer is not None
    assert (answer.size, answer.upto, answer.refused, answer.statements) == (size, upto, refused, statements)


def test_what_does_not_fit_a_frame_waits_for_the_next() -> None:
    long = tuple(Statement(number, "BagsRecalled", "x" * 5000, "s" * 128) for number in range(1, 9))
    answer = read_answer(write_answer(1, 1, "", long))
    assert answer is not None
    assert [one.number for one in answer.statements] == [1, 2, 3]  # 3 x 5.2 kB fit 16 kB, 4 do not


@given(st.binary(max_size=200))
def test_bytes_that_are_no_message_are_none(data: bytes) -> None:
    assert read_delivery(data) is None
    assert read_answer(data) is None
    assert read_answer(data.ljust(FRAME, b" ")) is None


@given(DELIVERIES, st.data())
def test_a_message_with_a_field_too_many_too_few_or_of_another_type_is_none(delivery, data) -> None:
    from equipoise.words.canonical import canonical_bytes, read_canonical

    written = read_canonical(write_delivery(delivery))
    name = data.draw(st.sampled_from(sorted(field.name for field in dataclasses.fields(Delivery))))
    for wrong in (
        {key: value for key, value in written.items() if key != name},
        {**written, "arm": "1"},
        {**written, name: None},
        {**written, "heard": -1},
        {**written, "heard": True},
    ):
        assert read_delivery(canonical_bytes(wrong)) is None


def test_every_kind_that_goes_up_is_one_of_the_first_door() -> None:
    assert FORWARDED.keys() <= KINDS.keys()


@pytest.mark.parametrize("says", sorted(STATEMENTS))
def test_a_statement_has_exactly_the_fields_of_its_kind(says: str) -> None:
    from equipoise.words.canonical import canonical_bytes

    content = dict.fromkeys(STATEMENTS[says], "1")
    assert read_content(Statement(1, says, canonical_bytes(content).decode(), "")) == content
    assert read_content(Statement(1, says, canonical_bytes({**content, "lot": "L1"}).decode(), "")) is None
    assert read_content(Statement(1, "Whatever", canonical_bytes(content).decode(), "")) is None
    assert read_content(Statement(1, says, "{", "")) is None


def test_what_is_signed_names_number_kind_and_content() -> None:
    signed = {
        statement_bytes(1, "Anchor", "{}"),
        statement_bytes(2, "Anchor", "{}"),
        statement_bytes(1, "Bag", "{}"),
    }
    assert len(signed) == 3


def test_nothing_that_passes_has_a_place_for_an_arm() -> None:
    named = {name for fields in STATEMENTS.values() for name in fields}
    assert not named & {"arm", "product", "lot", "unit", "treatment", "stratum", "index"}
