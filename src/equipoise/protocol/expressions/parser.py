"""From tokens to a tree: one recursive descent, a level of precedence per function.

From loosest to tightest: `? :`, `or`, `and`, `not`, comparison and `in` (which do not chain), `+ -`, `* /`,
sign, then names, literals, calls and round brackets. The rule that must stay true: parse(unparse(tree)) == tree.
"""

from __future__ import annotations

from typing import Literal, cast

from equipoise.protocol.expressions.nodes import (
    MAX_DEPTH,
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
    within_bounds,
)
from equipoise.protocol.expressions.tokens import Token, tokens
from equipoise.words.problem import Problem, problem

_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})


class _Fault(Exception):
    """Carries a Problem out of the descent; never leaves this module."""

    def __init__(self, found: Problem) -> None:
        super().__init__(found.rule)
        self.problem = found


def parse(source: str) -> Node | Problem:
    """The tree of an expression, or the first thing that is wrong with it and its column."""
    read = tokens(source)
    if isinstance(read, Problem):
        return read
    try:
        reader = _Reader(read)
        node = reader.choice()
        reader.finish()
    except _Fault as fault:
        return fault.problem
    if not within_bounds(node):
        return problem("protocol.expression-too-large", depth=MAX_DEPTH, nodes=MAX_NODES)
    return node


class _Reader:
    """A position in the tokens, and the grammar."""

    def __init__(self, read: tuple[Token, ...]) -> None:
        self._tokens = read
        self._position = 0
        self._depth = 0

    @property
    def _next(self) -> Token:
        return self._tokens[self._position]

    def _take(self) -> Token:
        token = self._next
        self._position += 1
        return token

    def _at(self, *texts: str) -> bool:
        return self._next.kind in {"sign", "keyword"} and self._next.text in texts

    def _accept(self, text: str) -> bool:
        if self._at(text):
            self._position += 1
            return True
        return False

    def _want(self, text: str) -> None:
        if not self._accept(text):
            raise self._unexpected(text)

    def _unexpected(self, wanted: str) -> _Fault:
        token = self._next
        if token.kind == "end":
            return _Fault(problem("protocol.expression-ends", column=token.column, wanted=wanted))
        return _Fault(
            problem("protocol.expression-wants", column=token.column, wanted=wanted, found=token.text)
        )

    def finish(self) -> None:
        """Refuse what stands after a complete expression."""
        token = self._next
        if token.kind == "end":
            return
        if self._at(".."):
            raise _Fault(problem("protocol.expression-range", column=token.column))
        raise _Fault(problem("protocol.expression-rest", column=token.column, found=token.text))

    def choice(self) -> Node:
        """`condition ? then : otherwise`, and everything that binds tighter."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _Fault(problem("protocol.expression-too-large", depth=MAX_DEPTH, nodes=MAX_NODES))
        column = self._next.column
        node = self._logic("or")
        if self._accept("?"):
            then = self.choice()
            self._want(":")
            node = Choice(node, then, self.choice(), column)
        self._depth -= 1
        return node

    def _logic(self, operator: Literal["and", "or"]) -> Node:
        column = self._next.column
        operands = [self._logic("and") if operator == "or" else self._negation()]
        while self._accept(operator):
            operands.append(self._logic("and") if operator == "or" else self._negation())
        return operands[0] if len(operands) == 1 else Logic(operator, tuple(operands), column)

    def _negation(self) -> Node:
        columns = []
        while self._at("not"):
            columns.append(self._take().column)
            if len(columns) > MAX_DEPTH:
                raise _Fault(problem("protocol.expression-too-large", depth=MAX_DEPTH, nodes=MAX_NODES))
        node = self._comparison()
        for column in reversed(columns):
            node = Not(node, column)
        return node

    def _comparison(self) -> Node:
        column = self._next.column
        left = self._sum()
        if self._at(*_COMPARISONS):
            operator = cast("Comparison", self._take().text)
            node: Node = Compare(operator, left, self._sum(), column)
        elif self._accept("in"):
            node = self._membership(left, column)
        else:
            return left
        if self._at(*_COMPARISONS, "in"):
            raise _Fault(
                problem("protocol.expression-chain", column=self._next.column, found=self._next.text)
            )
        return node

    def _membership(self, subject: Node, column: int) -> Node:
        if self._accept("["):
            elements = [self.choice()]
            while self._accept(","):
                elements.append(self.choice())
            self._want("]")
            return InList(subject, tuple(elements), column)
        low = self._sum()
        if not self._accept(".."):
            raise self._unexpected("..")
        return InRange(subject, low, self._sum(), column)

    def _sum(self) -> Node:
        column = self._next.column
        node = self._product()
        while self._at("+", "-"):
            operator = cast("Operator", self._take().text)
            node = Arithmetic(operator, node, self._product(), column)
        return node

    def _product(self) -> Node:
        column = self._next.column
        node = self._signed()
        while self._at("*", "/"):
            operator = cast("Operator", self._take().text)
            node = Arithmetic(operator, node, self._signed(), column)
        return node

    def _signed(self) -> Node:
        columns = []
        while self._at("-"):
            columns.append(self._take().column)
            if len(columns) > MAX_DEPTH:
                raise _Fault(problem("protocol.expression-too-large", depth=MAX_DEPTH, nodes=MAX_NODES))
        node = self._operand()
        for column in reversed(columns):
            node = Negative(node, column)
        return node

    def _operand(self) -> Node:
        token = self._next
        if self._accept("("):
            node = self.choice()
            self._want(")")
            return node
        if self._at("["):
            raise _Fault(problem("protocol.expression-list", column=token.column))
        if token.kind in {"sign", "end"} or self._at("and", "or", "not", "in"):
            rule = (
                "protocol.expression-no-value-end" if token.kind == "end" else "protocol.expression-no-value"
            )
            raise _Fault(problem(rule, column=token.column, found=token.text))
        self._take()
        if token.kind == "name":
            return self._named(token)
        return self._literal(token)

    def _literal(self, token: Token) -> Node:
        if token.number is not None:
            unit = self._take().text if self._next.kind == "unit" else None
            if unit == "":
                raise _Fault(
                    problem("protocol.expression-no-unit", column=self._tokens[self._position - 1].column)
                )
            return NumberLiteral(token.number, unit, token.column)
        if token.date is not None:
            return DateLiteral(token.date, token.column)
        if token.kind == "keyword":
            return TruthLiteral(token.text == "true", token.column)
        return TextLiteral(token.text, token.column)

    def _named(self, token: Token) -> Node:
        if self._accept("("):
            return self._call(token)
        if self._accept("."):
            if self._next.kind != "name":
                raise _Fault(problem("protocol.expression-member", column=self._next.column, name=token.text))
            return Member(token.text, self._take().text, token.column)
        if self._accept("["):
            if self._next.kind != "text":
                raise _Fault(problem("protocol.expression-item", column=self._next.column, name=token.text))
            item = self._take().text
            self._want("]")
            return ItemOf(token.text, item, token.column)
        return Name(token.text, token.column)

    def _call(self, token: Token) -> Node:
        if self._accept(")"):
            return Call(token.text, (), token.column)
        arguments = [self.choice()]
        while self._accept(","):
            arguments.append(self.choice())
        self._want(")")
        return Call(token.text, tuple(arguments), token.column)
