"""The static check: does an expression fit the names it uses, before any participant exists?

The rule that must stay true: an expression that passes, evaluated in a scope whose values have the declared
types, never answers with an unknown of reason `type`, and of reason `unit` never either. Each finding names the
column and says what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from equipoise.protocol.expressions.functions import FUNCTIONS, MAX_ROUND_DIGITS, Function, Wants
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
from equipoise.words.problem import Problem, problem
from equipoise.words.units import convert

Kind = Literal["truth", "number", "date", "code", "instrument"]


@dataclass(frozen=True, slots=True)
class Type:
    """What a name stands for.

    unit: of a number, in UCUM (None: bare). codes: the codelist of a code (None: any text).
    items, parts: item ids and subscale ids of an instrument (None: not known here, so not checked).
    """

    kind: Kind
    unit: str | None = None
    codes: frozenset[str] | None = None
    items: frozenset[str] | None = None
    parts: frozenset[str] | None = None


Types = Mapping[str, Type]
TRUTH, NUMBER, DATE, TEXT = Type("truth"), Type("number"), Type("date"), Type("code")


def check(node: Node, types: Types) -> tuple[Problem, ...]:
    """Everything that does not fit, in reading order; empty when the expression may be used."""
    checker = _Checker(types)
    checker.type_of(node)
    return tuple(checker.found)


def type_of(node: Node, types: Types) -> Type | None:
    """What the expression gives, or None where a fault hides it."""
    return _Checker(types).type_of(node)


def nearest(word: str, known: Mapping[str, object] | frozenset[str]) -> str:
    """The known word most like `word`, or an empty text."""
    return next(iter(difflib.get_close_matches(word, sorted(known), 1, 0.6)), "")


class _Checker:
    """Walks a tree once, notes what does not fit; None as a type means: already reported, do not report again."""

    def __init__(self, types: Types) -> None:
        self._types = types
        self.found: list[Problem] = []

    def _report(self, rule: str, node: Node, **arguments: object) -> None:
        self.found.append(problem(f"protocol.expression-{rule}", "", column=node.column, **arguments))

    def type_of(self, node: Node) -> Type | None:
        match node:
            case NumberLiteral(unit=unit):
                return Type("number", unit)
            case TextLiteral(value=text):
                return Type("code", codes=frozenset({text}))
            case DateLiteral():
                return DATE
            case TruthLiteral():
                return TRUTH
            case Name() | Member() | ItemOf():
                return self._named(node)
            case Not(operand=operand):
                self._want("truth", operand)
                return TRUTH
            case Logic(operands=operands):
                for operand in operands:
                    self._want("truth", operand)
                return TRUTH
            case Compare(operator=sign, left=left, right=right):
                self._comparable(left, right, ordered=sign not in {"==", "!="})
                return TRUTH
            case InRange(subject=subject, low=low, high=high):
                self._alike((subject, low, high), ordered=True)
                return TRUTH
            case InList(subject=subject, elements=elements):
                for element in elements:
                    self._comparable(subject, element, ordered=False)
                return TRUTH
            case Negative(operand=operand):
                return self._want("number", operand)
            case Arithmetic():
                return self._arithmetic(node)
            case Choice(condition=condition, then=then, otherwise=otherwise):
                self._want("truth", condition)
                return self._alike((then, otherwise), ordered=False)
            case Call():
                return self._call(node)

    def _named(self, node: Name | Member | ItemOf) -> Type | None:
        found = self._types.get(node.name)
        if found is None:
            like = nearest(node.name, self._types)
            self._report("name-like" if like else "name", node, name=node.name, like=like)
            return None
        if isinstance(node, Name):
            return found
        if found.kind != "instrument":
            self._report("no-instrument", node, name=node.name, kind=found.kind)
            return None
        if isinstance(node, ItemOf):
            if found.items is not None and node.item not in found.items:
                self._report("item-unknown", node, name=node.name, item=node.item, known=_listed(found.items))
                return None
        elif found.parts is not None and node.member not in found.parts | {"total", "range"}:
            known = _listed(found.parts | {"total", "range"})
            self._report("member-unknown", node, name=node.name, member=node.member, known=known)
            return None
        return NUMBER

    def _want(self, kind: Kind, node: Node) -> Type | None:
        found = self.type_of(node)
        if found is not None and found.kind != kind:
            self._mistyped(node, found, kind)
            return None
        return found

    def _mistyped(self, node: Node, found: Type, wanted: str) -> None:
        if found.kind == "instrument" and isinstance(node, Name):
            self._report("instrument", node, name=node.name)
        else:
            self._report("type", node, wanted=wanted, found=found.kind)

    def _comparable(self, left: Node, right: Node, *, ordered: bool) -> None:
        a, b = self.type_of(left), self.type_of(right)
        self._pair(left, a, right, b, ordered=ordered)

    def _pair(self, left: Node, a: Type | None, right: Node, b: Type | None, *, ordered: bool) -> None:
        """Report where `a` and `b` may not meet."""
        for node, found in ((left, a), (right, b)):
            if found is not None and found.kind == "instrument":
                self._mistyped(node, found, "number")
                return
        if a is None or b is None:
            return
        if a.kind != b.kind:
            self._report("kinds", right, left=a.kind, right=b.kind)
        elif ordered and a.kind not in {"number", "date"}:
            self._report("order", left, kind=a.kind)
        elif a.kind == "number":
            self._units(right, a.unit, b.unit)
        elif a.kind == "code":
            self._codes(left, a, right, b)

    def _units(self, node: Node, wanted: str | None, found: str | None) -> None:
        if wanted == found:
            return
        if wanted is None or found is None:
            self._report("unit-missing", node, unit=wanted or found or "")
        elif convert(Decimal(0), found, wanted) is None:
            self._report("unit-differs", node, wanted=wanted, found=found)

    def _codes(self, left: Node, a: Type, right: Node, b: Type) -> None:
        for node, found, other, listed in ((right, b, left, a), (left, a, right, b)):
            written_out = isinstance(node, TextLiteral) and not isinstance(other, TextLiteral)
            if written_out and found.codes is not None and listed.codes is not None:
                unknown = found.codes - listed.codes
                if unknown:
                    self._report("code-unknown", node, code=", ".join(unknown), known=_listed(listed.codes))

    def _alike(self, nodes: tuple[Node, ...], *, ordered: bool) -> Type | None:
        """All of one kind; the type of the first that is known, its codes those of all."""
        types = [self.type_of(node) for node in nodes]
        known = [(node, found) for node, found in zip(nodes, types, strict=True) if found is not None]
        for node, found in known:
            if found.kind == "instrument":
                self._mistyped(node, found, "number")
                return None
        if not known:
            return None
        first_node, first = known[0]
        for node, found in known[1:]:
            if ordered or found.kind == "number" or found.kind != first.kind:
                self._pair(first_node, first, node, found, ordered=ordered)
        if ordered and len(known) == 1 and first.kind not in {"number", "date"}:
            self._report("order", first_node, kind=first.kind)
        if first.kind == "code":
            codes = [found.codes for _, found in known]
            merged = frozenset().union(*(code for code in codes if code is not None))
            return Type("code", codes=None if None in codes else merged)
        return first

    def _arithmetic(self, node: Arithmetic) -> Type | None:
        a, b = self._want("number", node.left), self._want("number", node.right)
        if a is None or b is None:
            return None
        if node.operator in {"+", "-"}:
            self._units(node.right, a.unit, b.unit)
            return a
        if b.unit is None:
            return a
        if a.unit is None and node.operator == "*":
            return b
        if node.operator == "/" and a.unit is not None and convert(Decimal(0), b.unit, a.unit) is not None:
            return NUMBER
        self._report("unit-product", node.right, left=a.unit or "1", right=b.unit, sign=node.operator)
        return None

    def _call(self, node: Call) -> Type | None:
        function = FUNCTIONS.get(node.function)
        if function is None:
            like = nearest(node.function, FUNCTIONS)
            self._report("function-like" if like else "function", node, name=node.function, like=like)
            return None
        count = len(node.arguments)
        if count < function.least or (function.most is not None and count > function.most):
            self._arity(node, function, count)
            return None
        given = self._arguments(node, function)
        if function.gives == "truth":
            return TRUTH
        return NUMBER if function.gives == "bare" else given

    def _arity(self, node: Call, function: Function, count: int) -> None:
        if function.most is None:
            self._report("arity-least", node, name=node.function, count=count, least=function.least)
        elif function.most == function.least:
            self._report("arity", node, name=node.function, count=count, wanted=function.least)
        else:
            least, most = function.least, function.most
            self._report("arity-between", node, name=node.function, count=count, least=least, most=most)

    def _arguments(self, node: Call, function: Function) -> Type | None:
        """Check every argument; the type of the first, which `number` and `same` functions give."""
        if function.wants == ("same",):
            return self._alike(node.arguments, ordered=False)
        if function.wants == ("ordered",):
            return self._alike(node.arguments, ordered=True)
        if function.wants == ("number",):
            kinds = [self._want("number", argument) for argument in node.arguments]
            first = next((found for found in kinds if found is not None), None)
            for argument, found in zip(node.arguments, kinds, strict=True):
                if found is not None and first is not None:
                    self._units(argument, first.unit, found.unit)
            return first
        types = [
            self._argument(argument, function.wanted(position), node)
            for position, argument in enumerate(node.arguments)
        ]
        return types[0]

    def _argument(self, node: Node, wants: Wants, call: Call) -> Type | None:
        if wants == "digits":
            whole = isinstance(node, NumberLiteral) and node.unit is None and node.value == int(node.value)
            if not whole or (isinstance(node, NumberLiteral) and node.value > MAX_ROUND_DIGITS):
                self._report("digits", node, name=call.function, most=MAX_ROUND_DIGITS)
            return None
        if wants == "unit":
            return self._target_unit(node, call)
        if wants == "anything":
            return self.type_of(node)
        kind: Kind = "date" if wants == "date" else "truth" if wants == "truth" else "number"
        return self._want(kind, node)

    def _target_unit(self, node: Node, call: Call) -> Type | None:
        if not isinstance(node, TextLiteral):
            self._report("unit-argument", node, name=call.function)
            return None
        source = _Checker(self._types).type_of(call.arguments[0])
        if source is not None and source.kind == "number":
            if source.unit is None:
                self._report("unit-none", call.arguments[0], name=call.function)
            else:
                self._units(node, node.value, source.unit)
        return None


def _listed(known: frozenset[str]) -> str:
    ordered = sorted(known)
    return ", ".join(ordered[:20]) + (" …" if len(ordered) > 20 else "")
