"""The page about expressions tells of every function, and its examples can be read."""

from __future__ import annotations

import re
from pathlib import Path

from equipoise.protocol.expressions import parse
from equipoise.protocol.expressions.functions import FUNCTIONS
from equipoise.protocol.expressions.nodes import MAX_DEPTH, MAX_NODES, MAX_SOURCE
from equipoise.words.problem import Problem

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "expressions.md").read_text("utf-8")


def test_every_function_is_told():
    table = PAGE.split("## Functions")[1].split("## Examples")[0]
    told = set(re.findall(r"`([a-z_]+)\(", table))
    assert told == set(FUNCTIONS)


def test_every_example_can_be_read():
    examples = PAGE.split("## Examples")[1].split("```")[1].strip().splitlines()
    assert len(examples) > 5
    assert [line for line in examples if isinstance(parse(line), Problem)] == []


def test_the_bounds_are_those_of_the_language():
    assert f"{MAX_SOURCE} characters, {MAX_DEPTH} levels, {MAX_NODES} parts" in PAGE
