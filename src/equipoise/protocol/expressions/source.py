"""From a tree back to its source: one spelling for every tree, with brackets only where they are needed."""

from __future__ import annotations

import re
from decimal import Decimal

from equipoise.protocol.expressions.nodes import (
    Arithmetic,
    Call,
    Choice,
    Compare,
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
    TextLiteral,
    TruthLiteral,
)
from equipoise.protocol.expressions.tokens import KEYWORDS

_CHOICE, _OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _SIGN, _OPERAND = range(9)
_SINGLE, _DOUBLE = "'", '"'
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def decimal_text(value: Decimal) -> str:
    """A finite decimal in plain digits without needless zeros: `0.5`, `1200`."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def unparse(node: Node) -> str:
    """The source of a tree; `parse` reads the same tree from it."""
    return _write(node, _CHOICE)


def _write(node: Node, level: int) -> str:
    text, own = _spell(node)
    return text if own >= level else f"({text})"


def _spell(node: Node) -> tuple[str, int]:
    match node:
        case Choice(condition=condition, then=then, otherwise=otherwise):
            spelled = f"{_write(condition, _OR)} ? {_write(then, _CHOICE)} : {_write(otherwise, _CHOICE)}"
            return spelled, _CHOICE
        case Logic(operator=operator, operands=operands):
            own = _OR if operator == "or" else _AND
            return f" {operator} ".join(_write(operand, own + 1) for operand in operands), own
        case Not(operand=operand):
            return f"not {_write(operand, _NOT)}", _NOT
        case Compare(operator=sign, left=left, right=right):
            return f"{_write(left, _SUM)} {sign} {_write(right, _SUM)}", _COMPARISON
        case InRange(subject=subject, low=low, high=high):
            return f"{_write(subject, _SUM)} in {_write(low, _SUM)}..{_write(high, _SUM)}", _COMPARISON
        case InList(subject=subject, elements=elements):
            inner = ", ".join(_write(element, _CHOICE) for element in elements)
            return f"{_write(subject, _SUM)} in [{inner}]", _COMPARISON
        case Arithmetic(operator=sign, left=left, right=right):
            own = _SUM if sign in "+-" else _PRODUCT
            return f"{_write(left, own)} {sign} {_write(right, own + 1)}", own
        case Negative(operand=operand):
            return f"-{_write(operand, _SIGN)}", _SIGN
        case _:
            return _spell_operand(node), _OPERAND


def _spell_operand(node: Node) -> str:
    match node:
        case NumberLiteral(value=value, unit=unit):
            return decimal_text(value) if unit is None else f"{decimal_text(value)} {_quote(unit, _SINGLE)}"
        case TextLiteral(value=text):
            return _quote(text, _DOUBLE)
        case DateLiteral(value=date):
            return f"@{date.iso()}"
        case TruthLiteral(value=truth):
            return "true" if truth else "false"
        case Name(name=name):
            return _name(name)
        case Member(name=name, member=member):
            return f"{_name(name)}.{_name(member)}"
        case ItemOf(name=name, item=item):
            return f"{_name(name)}[{_quote(item, _DOUBLE)}]"
        case Call(function=function, arguments=arguments):
            return f"{_name(function)}({', '.join(_write(argument, _CHOICE) for argument in arguments)})"
        case _:
            raise TypeError(f"not an operand: {node}")


def _name(name: str) -> str:
    plain = _PLAIN.fullmatch(name) and name.lower() not in KEYWORDS and name not in {"null", "None", "NULL"}
    return name if plain else f"`{name}`"


def _quote(text: str, mark: str) -> str:
    return mark + text.replace("\\", "\\\\").replace(mark, "\\" + mark) + mark
