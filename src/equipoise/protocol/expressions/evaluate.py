"""The value of an expression, and how it came about.

The rule that must stay true: evaluating is total. Whatever the tree and the scope, the answer is a value; a
mistake in either is an unknown that says `type`, `unit` or `missing`, never an exception. There are no loops
and no short cuts: every part is evaluated, and a known answer never depends on what is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import DecimalException

from equipoise.protocol.expressions import arithmetic
from equipoise.protocol.expressions.compare import compared, truth_value
from equipoise.protocol.expressions.functions import (
    FUNCTIONS,
    all_reasons,
    conjunction,
    disjunction,
    number_of,
    same_unit,
)
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
    Operator,
    TextLiteral,
    TruthLiteral,
    children,
)
from equipoise.protocol.expressions.source import unparse
from equipoise.protocol.expressions.values import (
    Code,
    DateValue,
    InstrumentValue,
    Logical,
    Number,
    Reason,
    Reasons,
    Scope,
    Unknown,
    Value,
    about,
    as_logical,
    as_number,
    is_known,
    merge,
    reasons_of,
)
from equipoise.words.dates import PartialDate
from equipoise.words.interval import ANYTHING
from equipoise.words.truth import Truth, negate

_TYPE = Unknown((Reason("type"),))


@dataclass(frozen=True, slots=True)
class Explanation:
    """One node of an evaluated expression: its source, its value, and its parts."""

    source: str
    value: Value
    parts: tuple[Explanation, ...] = ()

    @property
    def reasons(self) -> Reasons:
        """Why the value is not fully known; empty where it is."""
        return reasons_of(self.value)

    def walk(self, level: int = 0) -> Iterator[tuple[int, Explanation]]:
        """This node and everything under it, each with its depth."""
        yield level, self
        for part in self.parts:
            yield from part.walk(level + 1)


def evaluate(node: Node, scope: Scope) -> Value:
    """What the expression is worth in a scope. Never raises."""
    return _value(node, tuple(evaluate(child, scope) for child in children(node)), scope)


def explain(node: Node, scope: Scope) -> Explanation:
    """The value of the expression and of each of its parts."""
    parts = tuple(explain(child, scope) for child in children(node))
    return Explanation(unparse(node), _value(node, tuple(part.value for part in parts), scope), parts)


def _value(node: Node, parts: tuple[Value, ...], scope: Scope) -> Value:
    try:
        return _of_node(node, parts, scope)
    except DecimalException:
        return Unknown((Reason("beyond-limits"),))


def _of_node(node: Node, parts: tuple[Value, ...], scope: Scope) -> Value:
    match node:
        case Name() | Member() | ItemOf():
            return _named(node, scope)
        case NumberLiteral() | TextLiteral() | DateLiteral() | TruthLiteral():
            return _literal(node)
        case Not():
            operand = as_logical(parts[0])
            return truth_value(negate(operand.truth), reasons_of(operand))
        case Logic(operator=word):
            return conjunction(parts) if word == "and" else disjunction(parts)
        case Compare(operator=sign):
            return compared(sign, *parts)
        case InRange():
            return FUNCTIONS["between"].apply(parts)
        case InList():
            return disjunction(tuple(compared("==", parts[0], element) for element in parts[1:]))
        case Negative():
            return _negative(parts[0])
        case Arithmetic(operator=sign):
            return _arithmetic(sign, as_number(parts[0]), as_number(parts[1]))
        case Choice():
            return _chosen(*parts)
        case Call(function=name):
            return _called(name, parts)


def _literal(node: NumberLiteral | TextLiteral | DateLiteral | TruthLiteral) -> Value:
    match node:
        case NumberLiteral(value=value, unit=unit):
            return Number.of(value, unit)
        case TextLiteral(value=text):
            return Code(text)
        case DateLiteral(value=date):
            return DateValue(date)
        case TruthLiteral(value=truth):
            return Logical(Truth.of(truth))


def _named(node: Name | Member | ItemOf, scope: Scope) -> Value:
    found = scope.get(node.name)
    if found is None:
        return Unknown((Reason("missing", node.name),))
    if isinstance(node, Name):
        return _about(found, node.name)
    if isinstance(found, Unknown):
        return _about(found, node.name)
    if not isinstance(found, InstrumentValue):
        return Unknown((Reason("type", node.name),))
    if isinstance(node, ItemOf):
        item = found.items.get(node.item)
        place = f'{node.name}["{node.item}"]'
        return Unknown((Reason("missing", place),)) if item is None else _about(item, place)
    totals = {**found.parts, "total": found.total, "range": found.range}
    total = totals.get(node.member)
    place = f"{node.name}.{node.member}"
    return Unknown((Reason("missing", place),)) if total is None else _about(total, place)


def _about(value: Value, name: str) -> Value:
    """The value with its reasons named; a known value has none to name."""
    if isinstance(value, InstrumentValue):
        return value
    reasons = about(reasons_of(value), name)
    if not reasons and not value.reasons:
        return value
    match value:
        case Number(interval=interval, unit=unit):
            return Number(interval, unit, reasons)
        case DateValue(date=date):
            return DateValue(date, reasons)
        case Code(code=code):
            return Code(code, reasons)
        case Logical(truth=truth):
            return Logical(truth, reasons)
        case Unknown():
            return Unknown(reasons)


def _negative(value: Value) -> Value:
    number = as_number(value)
    return number_of(arithmetic.negative(number.interval), number.unit, reasons_of(number))


def _arithmetic(sign: Operator, a: Number, b: Number) -> Value:
    reasons = all_reasons((a, b))
    if sign in {"+", "-"}:
        aligned = same_unit((a, b))
        if aligned is None:
            return Unknown((Reason("unit"),))
        (left, right), unit = aligned
    else:
        scaled = _scaled(sign, a, b)
        if scaled is None:
            return Unknown((Reason("unit"),))
        left, right, unit = a.interval, scaled.interval, scaled.unit
    found = arithmetic.combine(sign, left, right)
    if found is None:
        return Number(ANYTHING, unit, merge(reasons, (Reason("division"),)))
    return number_of(found, unit, reasons)


def _scaled(sign: Operator, a: Number, b: Number) -> Number | None:
    """The right operand of `a * b` or `a / b`, in the unit that lets the two meet, and the unit of the answer."""
    if b.unit is None:
        return Number(b.interval, a.unit)
    if a.unit is None and sign == "*":
        return b
    if sign == "/" and a.unit is not None:
        turned = arithmetic.converted(b.interval, b.unit, a.unit)
        return None if turned is None else Number(turned, None)
    return None


def _chosen(condition: Value, then: Value, otherwise: Value) -> Value:
    decided = as_logical(condition)
    if decided.truth is not Truth.UNKNOWN:
        return then if decided.truth is Truth.TRUE else otherwise
    reasons = merge(reasons_of(decided), reasons_of(then), reasons_of(otherwise))
    return _either(then, otherwise, reasons)


def _either(a: Value, b: Value, reasons: Reasons) -> Value:
    """What holds whichever of the two it is."""
    match a, b:
        case Number(), Number():
            aligned = same_unit((a, b))
            if aligned is None:
                return Unknown((Reason("unit"),))
            return number_of(arithmetic.hull(*aligned[0]), aligned[1], reasons)
        case Logical(), Logical():
            return a if is_known(a) and a.truth is b.truth else Logical(Truth.UNKNOWN, reasons)
        case Code(), Code():
            return a if is_known(a) and a.code == b.code else Code(None, reasons)
        case DateValue(), DateValue():
            date = _common(a.date, b.date)
            return DateValue(date, () if date is not None and date.complete else reasons)
        case _:
            return Unknown(reasons) if Unknown in (type(a), type(b)) else _TYPE


def _common(a: PartialDate | None, b: PartialDate | None) -> PartialDate | None:
    """The partial date that covers both, or None where they share no year."""
    if a is None or b is None or a.year != b.year:
        return None
    if a.month is None or a.month != b.month:
        return PartialDate(a.year)
    return a if a.day == b.day else PartialDate(a.year, a.month)


def _called(name: str, arguments: tuple[Value, ...]) -> Value:
    function = FUNCTIONS.get(name)
    count = len(arguments)
    if function is None or count < function.least or (function.most is not None and count > function.most):
        return _TYPE
    return function.apply(arguments)
