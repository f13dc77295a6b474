"""Levels of a stratification factor: no two hold for one participant, and one holds for each eligible one.

This is tried, not proven: the rules are evaluated at values around every number that the rules themselves name.
A pair of levels that both hold is a fault; an eligible participant without a level is a remark.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice, product

from equipoise.protocol.checks.finding import Findings, fault, remark
from equipoise.protocol.expressions import (
    Code,
    DateValue,
    InstrumentValue,
    Logical,
    Number,
    Type,
    Types,
    Value,
    as_logical,
    check,
    known_number,
)
from equipoise.protocol.expressions.nodes import NumberLiteral, TextLiteral, walk
from equipoise.protocol.notation import Steps
from equipoise.protocol.rules import names_in, tree, value_of
from equipoise.protocol.scopes import input_types
from equipoise.protocol.study import Factor, Study
from equipoise.words.dates import PartialDate
from equipoise.words.problem import Problem
from equipoise.words.truth import Truth

MAX_SAMPLES = 4000
_DAY = dt.date(2026, 1, 1)
_LONGEST = 40_000  # days around _DAY that stay inside the calendar


def levels_exclude_each_other(study: Study) -> Findings:
    """Try every factor at the edges of its rules."""
    if study.randomization is None:
        return
    types = input_types(study)
    for n, factor in enumerate(study.randomization.factors):
        path: Steps = ("randomization", "factors", n)
        if not factor.levels:
            yield fault("protocol.study-factor-empty", path)
        elif all(_sound(level.rule, types) for level in factor.levels):
            yield from _tried(path, study, factor, types)


def _sound(source: str, types: Types) -> bool:
    node = tree(source)
    return not isinstance(node, Problem) and not check(node, types)


def _tried(path: Steps, study: Study, factor: Factor, types: Types) -> Findings:
    names = sorted(frozenset().union(*(names_in(level.rule) for level in factor.levels)))
    deciding = [
        (each.rule, Truth.TRUE if each.category == "inclusion" else Truth.FALSE)
        for each in study.criteria
        if each.enabled and each.rule is not None and names_in(each.rule) <= set(names)
    ]
    sources = [*(level.rule for level in factor.levels), *(rule for rule, _ in deciding)]
    without = False
    for scope in islice(_samples(names, sources, types), MAX_SAMPLES):
        held = [
            level for level in factor.levels if as_logical(value_of(level.rule, scope)).truth is Truth.TRUE
        ]
        if len(held) > 1:
            codes = " + ".join(level.code for level in held)
            yield fault("protocol.study-levels-overlap", path, codes=codes, example=_spoken(scope))
            return
        eligible = all(as_logical(value_of(rule, scope)).truth is wanted for rule, wanted in deciding)
        if not held and eligible and not without:
            without = True
            yield remark("protocol.study-levels-gap", path, example=_spoken(scope))


def _samples(names: Sequence[str], sources: Sequence[str], types: Types) -> Iterator[Mapping[str, Value]]:
    nodes = [node for source in sources if not isinstance(node := tree(source), Problem)]
    literals = [leaf for node in nodes for leaf in walk(node)]
    numbers = sorted({leaf.value for leaf in literals if isinstance(leaf, NumberLiteral)})
    texts = sorted({leaf.value for leaf in literals if isinstance(leaf, TextLiteral)})
    choices = [_values(types[name], numbers, texts) for name in names]
    for values in product(*choices):
        yield dict(zip(names, values, strict=True))


def _values(kind: Type, numbers: Sequence[Decimal], texts: Sequence[str]) -> list[Value]:
    """Values around what the rules name."""
    whole = sorted({number + step for number in (*numbers, Decimal(0)) for step in (-1, 0, 1)})
    match kind.kind:
        case "truth":
            return [Logical(Truth.TRUE), Logical(Truth.FALSE)]
        case "number":
            halves = sorted({*whole, *(number + Decimal("0.5") for number in whole)})
            return [Number.of(number, kind.unit) for number in halves]
        case "date":
            days = {int(number) for number in whole if abs(number) < _LONGEST and number == int(number)}
            return [DateValue(PartialDate.of(_DAY + dt.timedelta(days=day))) for day in sorted(days)]
        case "code":
            return [Code(text) for text in sorted(kind.codes or {*texts, "another"})]
        case "instrument":
            return [_assessed(kind, number) for number in whole if number >= 0]


def _assessed(kind: Type, number: Decimal) -> InstrumentValue:
    value = Number.of(number)
    items = dict.fromkeys(kind.items or (), value)
    return InstrumentValue(value, value, items, dict.fromkeys(kind.parts or (), value))


def _spoken(scope: Mapping[str, Value]) -> str:
    told = []
    for name, value in scope.items():
        match value:
            case InstrumentValue(total=total):
                text = str(known_number(total))
            case Number():
                text = str(known_number(value))
            case DateValue(date=date) if date is not None:
                text = date.iso()
            case Code(code=code):
                text = str(code)
            case Logical(truth=truth):
                text = truth.value
            case _:
                text = "?"
        told.append(f"{name} {text}")
    return ", ".join(told)
