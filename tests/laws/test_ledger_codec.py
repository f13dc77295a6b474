"""Laws of the codec: what is encoded is decoded as it was, for every kind; anything else is a Problem."""

from __future__ import annotations

import dataclasses
import types
import typing
import unicodedata
from collections.abc import Mapping
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.ledger.codec import decode, encode
from equipoise.ledger.entries import KINDS as FIRST_DOOR
from equipoise.ledger.entries import (
    ConsentDocumented,
    Datum,
    Entry,
    FormSaved,
    QueryAsked,
    QueryRaised,
    StoreOpened,
)
from equipoise.ledger.upcast import Shape, upcast
from equipoise.ledger.vault_entries import VAULT_KINDS
from equipoise.words.canonical import canonical_bytes, read_canonical
from equipoise.words.problem import Problem

KINDS = {**FIRST_DOOR, **VAULT_KINDS}
TEXTS = st.text(max_size=20).map(lambda text: unicodedata.normalize("NFC", text))
NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8)
PLAIN = {str: TEXTS, bool: st.booleans(), int: st.integers(-(2**53) + 1, 2**53 - 1)}


def values(hint) -> st.SearchStrategy:
    """Any value that an annotation of entries.py allows."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in PLAIN:
        return PLAIN[hint]
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (types.UnionType, typing.Union):
        return st.one_of(*(st.none() if one is types.NoneType else values(one) for one in arguments))
    if origin is tuple:
        return st.lists(values(arguments[0]), max_size=3).map(tuple)
    if origin is Mapping:
        return st.dictionaries(NAMES, values(arguments[1]), max_size=3)
    assert dataclasses.is_dataclass(hint), hint
    return records(hint)


def records(kind) -> st.SearchStrategy:
    hints = typing.get_type_hints(kind)
    return st.builds(kind, **{field.name: values(hints[field.name]) for field in dataclasses.fields(kind)})


ENTRIES = st.one_of(*(records(kind) for kind in KINDS.values()))


@pytest.mark.parametrize("kind", sorted(KINDS))
@given(data=st.data())
def test_every_kind_returns_from_its_canonical_bytes_as_it_was(kind, data):
    entry = data.draw(records(KINDS[kind]))
    parts = {part: read_canonical(canonical_bytes(body)) for part, body in encode(entry).items()}
    assert decode(kind, parts["main"], parts.get("aside")) == entry


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.just("value"), inner, max_size=3),
    max_leaves=8,
)


@given(kind=st.sampled_from(sorted(KINDS)) | TEXTS, main=JSON, aside=JSON)
def test_a_body_from_anywhere_is_an_entry_or_a_problem_never_a_crash(kind, main, aside):
    found = decode(kind, main, aside)
    assert isinstance(found, Problem | Entry)


def places(value, path=()):
    yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from places(inner, (*path, number))


def replaced(value, path, new):
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


@given(entry=ENTRIES, data=st.data())
def test_a_body_with_one_thing_changed_is_another_entry_or_a_problem(entry, data):
    main = read_canonical(canonical_bytes(encode(entry)["main"]))
    path = data.draw(st.sampled_from(list(places(main))))
    new = data.draw(JSON)
    changed = replaced(main, path, new)
    found = decode(entry.kind, changed, encode(entry).get("aside"))
    # 1 == True in Python, so equality of the canonical bytes is asked, which tells them apart.
    if canonical_bytes(changed) == canonical_bytes(main):
        assert found == entry
    elif isinstance(found, Problem):
        assert found.rule in {"ledger.body-surprising", "ledger.kind-unknown"}
    else:
        assert canonical_bytes(encode(found)["main"]) == canonical_bytes(changed)


@given(entry=ENTRIES, name=TEXTS, value=JSON)
def test_a_field_too_many_is_named(entry, name, value):
    main = dict(encode(entry)["main"])
    if name in {field.name for field in dataclasses.fields(entry)}:
        return
    found = decode(entry.kind, {**main, name: value}, encode(entry).get("aside"))
    assert isinstance(found, Problem)
    assert found.where == f"{entry.kind}.{name}"


@given(entry=records(FormSaved))
def test_without_its_aside_an_entry_keeps_everything_else(entry):
    found = decode(entry.kind, encode(entry)["main"], None)
    assert found == dataclasses.replace(entry, reason="", texts={}, whys={})


def test_an_entry_with_a_value_of_the_wrong_type_is_a_fault_of_the_program():
    with pytest.raises(TypeError, match="study"):
        encode(StoreOpened("trial", 7))  # type: ignore[arg-type]


def test_an_unknown_kind_is_named():
    found = decode("StoreBlessed", {})
    assert found == Problem("ledger.kind-unknown", "StoreBlessed", {"kind": "StoreBlessed"})


# A kind that never was, in two old shapes: the first said `aim`, the second said `purpose` without a study.
def _first(shape: Shape) -> Shape:
    return Shape("StoreBegun2", {"purpose": shape.main["aim"]}, shape.aside)


def _second(shape: Shape) -> Shape:
    return Shape("StoreOpened", {**shape.main, "study": "unknown"}, shape.aside)


MADE_UP = {"StoreBegun": _first, "StoreBegun2": _second}


def test_an_old_shape_is_read_in_todays_through_every_step_between():
    assert decode("StoreBegun", {"aim": "trial"}, None, MADE_UP) == StoreOpened("trial", "unknown")


def test_an_old_shape_that_is_wrong_after_its_upcast_is_a_problem_under_its_old_name():
    found = decode("StoreBegun", {"aim": "party"}, None, MADE_UP)
    assert isinstance(found, Problem)
    assert found.where == "StoreBegun.purpose"


def test_a_table_of_upcasts_that_runs_in_a_ring_is_a_fault_of_the_program():
    ring = {"A": lambda shape: Shape("B", {}, {}), "B": lambda shape: Shape("A", {}, {})}
    with pytest.raises(ValueError, match="ring"):
        upcast(Shape("A", {}, {}), ring)


# The two kinds that once held free text in their main part, as their bodies were written until 2026.
OLD_SAVE = {
    "visit": "V1", "form": "NIHSS", "repeat": 1, "derived": {"TOTAL": {"value": "3"}}, "complete": True,
    "items": {"1a": {"value": "3"}, "7": {"missing": "UN", "why": "left arm amputated"}}, "reason": "misread",
}  # fmt: skip
OLD_QUERY = {"query": "q1", "visit": "V1", "form": "VS", "repeat": 1, "item": "SYSBP"}


def test_a_save_of_the_old_kind_is_read_with_its_free_text_where_it_belongs_now():
    found = decode("FormRecorded", OLD_SAVE, {"texts": {"NOTE": {"value": "seen at home"}}})
    assert found == FormSaved(
        "V1", "NIHSS", 1, {"1a": Datum("3"), "7": Datum(missing="UN")}, {"TOTAL": Datum("3")}, True,
        "misread", {"NOTE": Datum("seen at home")}, {"7": "left arm amputated"},
    )  # fmt: skip
    without = {name: value for name, value in OLD_SAVE.items() if name not in ("reason", "items")}
    assert decode("FormRecorded", {**without, "items": {}}, None) == FormSaved(
        "V1", "NIHSS", 1, {}, {"TOTAL": Datum("3")}, complete=True
    )


def test_a_query_of_a_person_is_read_as_one_and_that_of_a_check_stays_what_it_is():
    by_hand = {**OLD_QUERY, "rule": "manual", "message": {"en": "Please look again"}}
    assert decode("QueryRaised", by_hand, None) == QueryAsked(
        "q1", "V1", "VS", 1, "SYSBP", "Please look again"
    )
    by_rule = {**OLD_QUERY, "rule": "sys-above-dia", "message": {"en": "Systolic is not above diastolic."}}
    assert decode("QueryRaised", by_rule, None) == QueryRaised(**by_rule)


@given(st.dictionaries(TEXTS, JSON, max_size=5))
def test_whatever_an_old_body_holds_it_is_an_entry_or_a_problem(body):
    for kind in ("FormRecorded", "QueryRaised"):
        assert isinstance(decode(kind, body, None), Entry | Problem)
        assert isinstance(decode(kind, {**OLD_SAVE, **OLD_QUERY, **body}, None), Entry | Problem)


def test_a_consent_of_the_first_kind_is_read_with_its_relation_aside():
    """The kind before `ConsentDocumented` had the relation in its main part, and neither time nor witness."""
    old = {"version": "1.0", "by": "LEGAL_REPRESENTATIVE", "given": True, "on": "2026-06-01"}
    found = decode("ConsentRecorded", {**old, "relation": "wife"}, None)
    assert found == ConsentDocumented("1.0", "LEGAL_REPRESENTATIVE", True, "2026-06-01", relation="wife")
    assert decode("ConsentRecorded", old, None) == dataclasses.replace(found, relation="")
