"""libyaml, which reads a definition, gives what the YAML 1.2 parser gives, place by place.

The expected value is the slower parser's own, on the files of this repository and on random texts of YAML's marks.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from equipoise.protocol import notation

ROOT = Path(__file__).parents[3]
FILES = sorted([*ROOT.glob("studies/**/*.yaml"), *ROOT.glob("src/equipoise/**/*.yaml")])
MARKS = st.lists(
    st.sampled_from([*"ab19.-+:?,[]{}#&*!|>'\"%@`~\\/ \t\n", "\r\n", "  ", "\n  ", "- ", ": ", "é", "中", "\u00a0", "\x85", "\u2028", "\ufeff"]),
    max_size=40,
).map("".join)  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_is_read_the_same(path):
    text = path.read_text("utf-8")
    quick = notation._quickly(text, path.name)
    assert quick is not None, "slow"
    assert quick == notation._slowly(text, path.name)


@given(MARKS)
@settings(max_examples=2000)
@example("a: b\u2028c")
@example('a: "\\u2028"')
@example("a: {b:c}")
@example("a: [b:c, ?d]")
@example("a: &x b\nc: *x\n")
@example("a: *x:b\n")
@example("&a: b")
@example("a: |# b\n  c")
@example("a: b\n\ufeffc: d")
def test_what_both_read_is_the_same(text):
    quick = notation._quickly(text, "a.yaml")
    assert quick is None or quick == notation._slowly(text, "a.yaml")
