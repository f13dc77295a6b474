"""The interpreter in the browser gives what the other one gives: the shared case file, and random trees in random scopes.

The random ones are any trees and any scopes of the laws (sensible or not), numbers kept to sixty places so that they
can be written as plain digits; and sensible trees, which go deeper into arithmetic, dates and units.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.desk.rules import unit_table
from equipoise.protocol.expressions import (
    DateValue,
    InstrumentValue,
    Number,
    Value,
    evaluate,
    parse,
    to_json,
)
from equipoise.protocol.expressions.encoding import value_from_json, value_to_json
from equipoise.protocol.expressions.nodes import Node, within_bounds
from equipoise.protocol.expressions.values import Code, Logical, Reason, Unknown
from equipoise.words.dates import parse_date
from equipoise.words.interval import Interval

LAWS = Path(__file__).parent.parent / "laws"
sys.path.insert(0, str(LAWS))
from expression_strategies import refinements, scopes, sensible, trees  # noqa: E402  # the laws' own strategies

CASES = json.loads((LAWS.parent / "vectors" / "expressions.json").read_text("utf-8"))["groups"]
TYPED = json.loads((LAWS.parent / "vectors" / "typed.json").read_text("utf-8"))
STATIC = LAWS.parent.parent / "src/equipoise/web/static"
LOAD = """async ([source, typed, units]) => {
  const module = (text) => import(URL.createObjectURL(new Blob([text], {type: "text/javascript"})));
  window.language = await module(source);
  window.typed = await module(typed);
  window.language.useUnits(units);
}"""
ASK = """(asked) => asked.map(([tree, scope]) => language.writeValue(language.evaluate(tree, language.readScope(scope))))"""


@pytest.fixture(scope="module")
def interpreter(browser):
    """A bare page that knows the language and nothing else."""
    page = browser.new_page()
    sources = [(STATIC / name).read_text("utf-8") for name in ("expressions.js", "typed.js")]
    page.evaluate(LOAD, [*sources, unit_table()])
    yield lambda asked, ask=ASK: page.evaluate(ask, asked)
    page.close()


def test_every_case_of_the_shared_file_has_its_value(interpreter):
    cases = [case for group in CASES for case in group["cases"]]
    assert len(cases) >= 231
    found = interpreter([[to_json(parse(case["source"])), case["scope"]] for case in cases])
    for case, value in zip(cases, found, strict=True):
        assert value_from_json(value) == value_from_json(case["value"]), case["source"]


def test_what_is_typed_is_understood_as_the_server_understands_it(interpreter):
    dates = [(text, six, TYPED["today"]) for text, six, _ in TYPED["dates"]]
    found = interpreter(dates, "(asked) => asked.map((one) => typed.typedDate(...one))")
    assert found == [iso for _, _, iso in TYPED["dates"]]
    past = [(text, six, TYPED["today"], True) for text, six, _ in TYPED["past"]]
    found = interpreter(past, "(asked) => asked.map((one) => typed.typedDate(...one))")
    assert found == [iso for _, _, iso in TYPED["past"]]
    limits = [text for text, _ in TYPED["limits"]]
    assert interpreter(limits, "(asked) => asked.map(typed.typedLimit)") == [
        limit for _, limit in TYPED["limits"]
    ]
    times = [text for text, _ in TYPED["times"]]
    found = interpreter(times, "(asked) => asked.map(typed.typedTime)")
    assert found == [time for _, time in TYPED["times"]]


@given(st.lists(st.text("0123456789-/. 年月日UNAGTt今天０１", max_size=12), max_size=30))
@settings(max_examples=40)
def test_any_text_is_understood_alike(interpreter, texts):
    for six in ("day_first", "year_first"):
        asked = [(text, six, "2026-11-30") for text in texts]
        found = interpreter(asked, "(asked) => asked.map((one) => typed.typedDate(...one))")
        read = [parse_date(text, six=six, today=dt.date(2026, 11, 30)) for text in texts]
        assert found == [date.iso() if date else None for date in read], texts


def plain(end: Decimal | None) -> Decimal | None:
    """The number, near enough to be written out; None for what has no end."""
    if end is None or not end.is_finite():
        return None
    sign, digits, exponent = end.as_tuple()
    assert isinstance(exponent, int)
    return Decimal((sign, digits[:40], max(-60, min(20, exponent))))


def tame(value: Value) -> Value:
    """The same kind of value with numbers that can be written as plain digits."""
    match value:
        case Number(interval=interval, unit=unit, reasons=reasons):
            low, high = plain(interval.low), plain(interval.high)
            if low is not None and high is not None and low > high:
                low, high = high, low
            return Number(Interval(low, high), unit, reasons)
        case InstrumentValue(total=total, range=span, items=items, parts=parts):
            return InstrumentValue(
                tamed(total),
                tamed(span),
                {k: tamed(v) for k, v in items.items()},
                {k: tamed(v) for k, v in parts.items()},
            )
        case _:
            return value


def tamed(value: Number) -> Number:
    """As `tame`, of a number."""
    found = tame(value)
    assert isinstance(found, Number)
    return found


def agree(interpreter: Any, asked: list[tuple[Node, dict[str, Value]]]) -> None:
    given_ = [
        (tree, {name: tame(value) for name, value in scope.items()})
        for tree, scope in asked
        if within_bounds(tree)
    ]
    sent = [
        [to_json(tree), {name: value_to_json(value) for name, value in scope.items()}]
        for tree, scope in given_
    ]
    for (tree, scope), value in zip(given_, interpreter(sent), strict=True):
        assert value_from_json(value) == evaluate(tree, scope), (tree, scope)


SENSIBLE = st.sampled_from(["truth", "bare", "mass", "date", "code"]).flatmap(sensible)


@given(st.lists(st.tuples(trees, scopes), min_size=1, max_size=5))
@settings(max_examples=150)
def test_any_tree_in_any_scope_is_worth_the_same_in_both(interpreter, asked):
    agree(interpreter, asked)


@given(st.lists(st.tuples(SENSIBLE, refinements().map(lambda pair: pair[0])), min_size=1, max_size=5))
@settings(max_examples=150)
def test_sensible_trees_are_worth_the_same_in_both(interpreter, asked):
    agree(interpreter, asked)


HARD = [
    "1 / 3", "2 / 3", "-2 / 3", "1 / 3 * 3 == 1", "9999999999999999999999999999999999 + 1", "0.1 * 0.1 - 0.01", "x / 7", "x * x", "x + 0.5",
    "round(2.5)", "round(-2.5)", "round(x, 2)", "98.6 '[degF]' + 0 'Cel'", "37 'Cel' + 0 '[degF]'", "amount(y, \"[lb_av]\")",
    "days(@2024-02, @2024-03)", "age_completed(@2004-02-29, @2022-02-28)", "age_completed(@1950, @2026-03)", "days(@0001-01-01, @9999-12-31)",
    "x constructor", "`constructor`", "nihss.constructor", "nihss.toString", "`__proto__`",
]  # fmt: skip


def test_the_corners_of_arithmetic_and_of_the_browser_itself(interpreter):
    scope: dict[str, Value] = {
        "x": Number(Interval(Decimal("-1.5"), Decimal("2.25")), None, (Reason("range"),)),
        "y": Number.of("70", "kg"),
        "nihss": InstrumentValue(Number.of(3), Number.of(3), {}, {}),
        "odd": Code("𠮷"), "day": DateValue(None), "open": Unknown(()), "yes": Logical(evaluate(parse("true"), {}).truth),  # type: ignore[union-attr,arg-type]
    }  # fmt: skip
    grown = "*".join(["9999999999999999999999999999999999"] * 190)
    read = [parse(source) for source in [*HARD, grown, f"1 / ({grown})"] if source != "x constructor"]
    asked = [(tree, scope) for tree in read if not hasattr(tree, "rule")]
    assert len(asked) >= len(HARD) - 2
    agree(interpreter, asked)  # type: ignore[arg-type]
