"""The shared case file: every interpreter of the language gives these answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from equipoise.protocol.expressions import evaluate, from_json, parse, to_json, unparse
from equipoise.protocol.expressions.encoding import value_from_json
from equipoise.words.problem import Problem

FILE = Path(__file__).parent.parent / "vectors" / "expressions.json"
GROUPS = json.loads(FILE.read_text("utf-8"))["groups"]
CASES = [(group["title"].split(":")[0], case) for group in GROUPS for case in group["cases"]]


@pytest.mark.parametrize(
    ("title", "case"), CASES, ids=[f"{title}: {case['source']}" for title, case in CASES]
)
def test_a_case_has_its_value(title, case):
    tree = parse(case["source"])
    assert not isinstance(tree, Problem), tree.say()
    scope = {name: value_from_json(value) for name, value in case["scope"].items()}
    assert evaluate(tree, scope) == value_from_json(case["value"])
    assert evaluate(from_json(to_json(tree)), scope) == value_from_json(case["value"])
    assert parse(unparse(tree)) == tree


def test_there_are_enough_cases_and_none_stands_twice():
    assert len(CASES) >= 120
    written = [json.dumps([case["source"], case["scope"]], sort_keys=True) for _, case in CASES]
    assert len(set(written)) == len(written)
