"""The syntax tree of an expression: immutable nodes, their parts, their bounds.

The rule that must stay true: every tree is small. Source length, nesting and number of nodes are bounded by
`parse` and by `from_json`, so that checking and evaluating always end soon. A node's `column` says where it
stood in the source (1 = first character, 0 = not read from source); it is no part of the node's meaning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeAlias

from equipoise.words.dates import PartialDate

MAX_SOURCE = 2000
"""Characters of one expression."""
MAX_DEPTH = 48
"""Levels of a tree."""
MAX_NODES = 400
"""Nodes of a tree."""
MAX_DIGITS = 34
"""Digits of a number literal, and of every result (the precision of IEEE 754 decimal128)."""

Comparison = Literal["==", "!=", "<", "<=", ">", ">="]
Operator = Literal["+", "-", "*", "/"]


def _column() -> int:
    return field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class NumberLiteral:
    """A number, zero or more, with an optional unit in UCUM: `38.5 'Cel'`."""

    value: Decimal
    unit: str | None = None
    column: int = _column()


@dataclass(frozen=True, slots=True)
class TextLiteral:
    """A text or code: `"ISCHEMIC"`."""

    value: str
    column: int = _column()


@dataclass(frozen=True, slots=True)
class DateLiteral:
    """A date, possibly partial: `@2026-08-14`, `@2026-08`, `@2026`."""

    value: PartialDate
    column: int = _column()


@dataclass(frozen=True, slots=True)
class TruthLiteral:
    """`true` or `false`."""

    value: bool
    column: int = _column()


@dataclass(frozen=True, slots=True)
class Name:
    """A name of the scope."""

    name: str
    column: int = _column()


@dataclass(frozen=True, slots=True)
class Member:
    """A total of an instrument: `nihss.total`, `nihss.range`, `fma.motor`."""

    name: str
    member: str
    column: int = _column()


@dataclass(frozen=True, slots=True)
class ItemOf:
    """An item of an instrument: `nihss["5a"]`."""

    name: str
    item: str
    column: int = _column()


@dataclass(frozen=True, slots=True)
class Not:
    """`not x`."""

    operand: Node
    column: int = _column()


@dataclass(frozen=True, slots=True)
class Negative:
    """`-x`."""

    operand: Node
    column: int = _column()


@dataclass(frozen=True, slots=True)
class Logic:
    """`a and b and c`, or the same with `or`; two operands or more."""

    operator: Literal["and", "or"]
    operands: tuple[Node, ...]
    column: int = _column()


@dataclass(frozen=True, slots=True)
class Compare:
    """`a < b` and the like."""

    operator: Comparison
    left: Node
    right: Node
    column: int = _column()


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`a + b` and the like."""

    operator: Operator
    left: Node
    right: Node
    column: int = _column()


@dataclass(frozen=True, slots=True)
class InRange:
    """`x in low..high`, both ends included."""

    subject: Node
    low: Node
    high: Node
    column: int = _column()


@dataclass(frozen=True, slots=True)
class InList:
    """`x in ["A", "B"]`; at least one element."""

    subject: Node
    elements: tuple[Node, ...]
    column: int = _column()


@dataclass(frozen=True, slots=True)
class Choice:
    """`condition ? then : otherwise`."""

    condition: Node
    then: Node
    otherwise: Node
    column: int = _column()


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the language: `days(onset, reference)`."""

    function: str
    arguments: tuple[Node, ...]
    column: int = _column()


Node: TypeAlias = (
    NumberLiteral
    | TextLiteral
    | DateLiteral
    | TruthLiteral
    | Name
    | Member
    | ItemOf
    | Not
    | Negative
    | Logic
    | Compare
    | Arithmetic
    | InRange
    | InList
    | Choice
    | Call
)


def children(node: Node) -> tuple[Node, ...]:
    """The direct parts of a node, in the order in which they are read."""
    match node:
        case Not(operand=operand) | Negative(operand=operand):
            return (operand,)
        case Logic(operands=operands):
            return operands
        case Compare(left=left, right=right) | Arithmetic(left=left, right=right):
            return (left, right)
        case InRange(subject=subject, low=low, high=high):
            return (subject, low, high)
        case InList(subject=subject, elements=elements):
            return (subject, *elements)
        case Choice(condition=condition, then=then, otherwise=otherwise):
            return (condition, then, otherwise)
        case Call(arguments=arguments):
            return arguments
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """The node and everything under it, from the top."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(children(current)))


def names(node: Node) -> frozenset[str]:
    """The names of the scope that an expression uses."""
    return frozenset(found.name for found in walk(node) if isinstance(found, Name | Member | ItemOf))


def within_bounds(node: Node) -> bool:
    """Whether a tree keeps to MAX_NODES and MAX_DEPTH."""
    level: tuple[Node, ...] = (node,)
    total = 0
    for _ in range(MAX_DEPTH):
        total += len(level)
        if total > MAX_NODES:
            return False
        level = tuple(child for parent in level for child in children(parent))
        if not level:
            return True
    return False
