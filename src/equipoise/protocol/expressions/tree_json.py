"""A tree as JSON: the form that stands in the study's digest and that a browser reads.

Leaves: `{"number": "38.5", "unit": "Cel"}`, `{"text": "A"}`, `{"date": "2026-08"}`, `{"truth": true}`,
`{"name": "x"}`, `{"name": "nihss", "member": "total"}`, `{"name": "nihss", "item": "5a"}`. Everything else is
`{"op": …, "of": [parts]}` with op one of `and or not == != < <= > >= + - * / range list if` (`-` of one part is
the sign; `range` is `x in low..high`, `list` is `x in [..]`), or `{"call": "days", "of": [parts]}`.
The rule that must stay true: from_json(to_json(tree)) == tree, and nothing else is accepted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import cast

from equipoise.protocol.expressions.nodes import (
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_NODES,
    Arithmetic,
    Call,
    Choice,
    Compare,
    Comparison,
    DateLiteral,
    InList,
    InRange,
    ItemOf,
    Logic,
    Member,
    Name,
    Negative,
    Node,
    Not,
    NumberLiteral,
    Operator,
    TextLiteral,
    TruthLiteral,
    children,
    within_bounds,
)
from equipoise.protocol.expressions.source import decimal_text
from equipoise.words.canonical import Json, NotCanonical, check_canonical
from equipoise.words.dates import PartialDate
from equipoise.words.problem import Problem, problem

_NUMBER = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]*[1-9])?")
_DATE = re.compile(r"[0-9]{4}(?:-[0-9]{2}){0,2}")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[A-Za-z][A-Za-z0-9_-]{0,63}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})


def to_json(node: Node) -> Json:
    """The tree as JSON."""
    match node:
        case NumberLiteral(value=value, unit=unit):
            number: dict[str, Json] = {"number": decimal_text(value)}
            return number if unit is None else {**number, "unit": unit}
        case TextLiteral(value=text):
            return {"text": text}
        case DateLiteral(value=date):
            return {"date": date.iso()}
        case TruthLiteral(value=truth):
            return {"truth": truth}
        case Name(name=name):
            return {"name": name}
        case Member(name=name, member=member):
            return {"name": name, "member": member}
        case ItemOf(name=name, item=item):
            return {"name": name, "item": item}
        case Call(function=function):
            return {"call": function, "of": [to_json(child) for child in children(node)]}
        case _:
            return {"op": _operator(node), "of": [to_json(child) for child in children(node)]}


def _operator(node: Node) -> str:
    match node:
        case Logic(operator=word):
            return word
        case Compare(operator=sign):
            return sign
        case Arithmetic(operator=sign):
            return sign
        case Not():
            return "not"
        case Negative():
            return "-"
        case InRange():
            return "range"
        case InList():
            return "list"
        case Choice():
            return "if"
        case _:
            raise TypeError(f"not an operator: {node}")


class _NotATree(Exception):
    """Carries the path of what is no tree; never leaves this module."""


def from_json(json: Json) -> Node | Problem:
    """The tree of a JSON value, or the path at which it is none."""
    try:
        check_canonical(json, "$")
        node = _node(json, "$", MAX_DEPTH)
    except (_NotATree, NotCanonical, RecursionError) as fault:
        return problem("protocol.expression-tree", path=fault)
    if not within_bounds(node):
        return problem("protocol.expression-too-large", depth=MAX_DEPTH, nodes=MAX_NODES)
    return node


def _node(json: Json, path: str, room: int) -> Node:
    if not isinstance(json, Mapping) or room == 0:
        raise _NotATree(path)
    keys = frozenset(json)
    if keys == {"op", "of"} or keys == {"call", "of"}:
        parts = json["of"]
        if not isinstance(parts, list | tuple):
            raise _NotATree(f"{path}.of")
        read = tuple(_node(part, f"{path}.of[{position}]", room - 1) for position, part in enumerate(parts))
        if "call" in keys:
            return Call(_text(json, "call", path, _WORD), read)
        return _built(_text(json, "op", path), read, path)
    return _leaf(json, keys, path)


def _built(operator: str, parts: tuple[Node, ...], path: str) -> Node:
    count = len(parts)
    if (operator == "and" or operator == "or") and count >= 2:
        return Logic("and" if operator == "and" else "or", parts)
    if operator == "not" and count == 1:
        return Not(parts[0])
    if operator == "-" and count == 1:
        return Negative(parts[0])
    if operator == "list" and count >= 2:
        return InList(parts[0], parts[1:])
    if count == 2:
        left, right = parts
        if operator in _COMPARISONS:
            return Compare(cast("Comparison", operator), left, right)
        if operator in {"+", "-", "*", "/"}:
            return Arithmetic(cast("Operator", operator), left, right)
    if count == 3:
        first, second, third = parts
        if operator == "range":
            return InRange(first, second, third)
        if operator == "if":
            return Choice(first, second, third)
    raise _NotATree(path)


def _leaf(json: Mapping[str, Json], keys: frozenset[str], path: str) -> Node:
    if keys == {"number"} or keys == {"number", "unit"}:
        number = _text(json, "number", path, _NUMBER)
        if len(number.replace(".", "")) > MAX_DIGITS:
            raise _NotATree(path)
        return NumberLiteral(Decimal(number), _printable(json, "unit", path) if "unit" in keys else None)
    if keys == {"text"}:
        return TextLiteral(_printable(json, "text", path))
    if keys == {"date"}:
        try:
            return DateLiteral(
                PartialDate(*(int(part) for part in _text(json, "date", path, _DATE).split("-")))
            )
        except ValueError as fault:
            raise _NotATree(path) from fault
    if keys == {"truth"} and isinstance(json["truth"], bool):
        return TruthLiteral(json["truth"])
    if keys == {"name"}:
        return Name(_text(json, "name", path, _WORD))
    if keys == {"name", "member"}:
        return Member(_text(json, "name", path, _WORD), _text(json, "member", path, _WORD))
    if keys == {"name", "item"}:
        return ItemOf(_text(json, "name", path, _WORD), _printable(json, "item", path))
    raise _NotATree(path)


def _text(json: Mapping[str, Json], key: str, path: str, pattern: re.Pattern[str] | None = None) -> str:
    value = json[key]
    if not isinstance(value, str) or (pattern is not None and not pattern.fullmatch(value)):
        raise _NotATree(f"{path}.{key}")
    return value


def _printable(json: Mapping[str, Json], key: str, path: str) -> str:
    value = _text(json, key, path)
    if _CONTROL.search(value) or (key == "unit" and not value):
        raise _NotATree(f"{path}.{key}")
    return value
