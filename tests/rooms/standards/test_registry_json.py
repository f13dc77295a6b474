"""JSON with lines: held against the standard reader, against the text itself, and cut at every place."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from equipoise.standards.registry_json import DEEPEST, Node, read_json

SCALARS = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def plain(node: Node) -> object:
    """The node as the standard reader would give it (the last of two equal keys wins there)."""
    if node.members is not None:
        return {name: plain(inner) for name, inner in node.members}
    if node.items is not None:
        return [plain(inner) for inner in node.items]
    return node.scalar


@given(VALUES, st.sampled_from([None, 1, 4]), st.booleans())
def test_reads_what_the_standard_reader_reads(value, indent, ascii_only):
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    found = read_json("\n \t" + text + "\r\n")
    if isinstance(value, int) and not isinstance(value, bool):
        return  # a bare number followed by nothing could be cut; objects and lists of numbers are compared
    assert found.broken is None
    assert found.root is not None
    assert plain(found.root) == json.loads(text)


@given(st.dictionaries(st.text(), VALUES, min_size=1, max_size=6))
def test_every_scalar_stands_on_its_line(value):
    text = json.dumps(value, indent=1)
    lines = text.split("\n")
    found = read_json(text)
    assert found.root is not None

    def check(node: Node) -> None:
        for _, inner in node.members or ():
            check(inner)
        for inner in node.items or ():
            check(inner)
        if node.members is None and node.items is None:
            assert lines[node.line - 1].rstrip(",").endswith(json.dumps(node.scalar))

    check(found.root)


@given(VALUES.filter(lambda value: isinstance(value, dict | list)), st.data())
def test_a_cut_text_gives_only_what_was_complete(value, data):
    text = json.dumps(value)
    cut = data.draw(st.integers(0, len(text) - 1))
    found = read_json(text[:cut])
    assert found.broken is not None
    if found.root is not None:
        assert part_of(plain(found.root), value)


def part_of(some: object, whole: object) -> bool:
    """Whether `some` is `whole` with things missing at its end."""
    if isinstance(some, dict) and isinstance(whole, dict):
        return all(key in whole and part_of(inner, whole[key]) for key, inner in some.items())
    if isinstance(some, list) and isinstance(whole, list):
        return len(some) <= len(whole) and all(part_of(a, b) for a, b in zip(some, whole, strict=False))
    return some == whole


@given(st.text(alphabet='{}[]",:\\ \n01.e-+truefalsnN"xé', max_size=60))
def test_any_text_gives_an_answer(text):
    found = read_json(text)
    assert found.root is not None or found.broken is not None


def test_numbers_keep_their_digits():
    # RFC 8259 leaves precision open; a binary float would turn 31.10 into 31.1 and lose digits of the second.
    found = read_json('{"a": 31.10, "b": 12345678901234567890, "c": 1e3, "d": -0}')
    assert found.root is not None
    assert plain(found.root) == {"a": "31.10", "b": "12345678901234567890", "c": "1e3", "d": 0}


def test_a_key_that_stands_twice_keeps_both_values():
    found = read_json('{"a": 1, "a": 2}')
    assert found.root is not None
    assert [node.scalar for _, node in found.root.members or ()] == [1, 2]


def test_nesting_is_followed_so_far_and_no_further():
    assert read_json("[" * DEEPEST + "]" * DEEPEST).broken is None
    deeper = read_json("[" * 100_000)
    assert deeper.broken is not None
    assert "deeply" in deeper.broken.reason


def test_what_follows_the_value_is_told_with_its_line():
    found = read_json('{"a": 1}\n\n{"b": 2}')
    assert (found.rest, found.rest_line) == ('{"b": 2}', 3)
