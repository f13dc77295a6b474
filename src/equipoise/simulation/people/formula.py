"""A small language of arithmetic for models of people: numbers, texts, names, a few functions; nothing else.

The rules that must stay true: a formula is data and never becomes code; it cannot loop, and it sees only the names it
is given; an unknown name or function is found when the model is loaded, not when somebody is drawn. The language of the
study (protocol.expressions) is exact and three-valued and has no `exp`; a model of people needs rounding floats and
knows every value, so it has this one.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Value = float | str
"""A number or a code."""
Scope = Mapping[str, Value]
_Step = Callable[[Scope], Value]

LONGEST = 600
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*)|\"(?P<text>[^\"]*)\"|(?P<sign><=|>=|==|!=|[-+*/()<>,?:]))"
)


class FormulaError(ValueError):
    """A formula that cannot be read: `reason` says why, for the reader of a Problem."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that was read. `names`: what it asks of its scope."""

    source: str
    names: frozenset[str]
    _value: _Step

    def value(self, scope: Scope) -> Value:
        """Its value where every name has one. Division by zero is 0. Raises FormulaError for a text in arithmetic."""
        try:
            return self._value(scope)
        except TypeError:
            raise FormulaError(f"“{self.source.strip()}” has a text where a number is needed") from None

    def number(self, scope: Scope) -> float:
        """Its value as a number; a text is an error of the model."""
        return as_number(self.value(scope))


def as_number(value: Value) -> float:
    """A value as a number. Raises FormulaError for a text."""
    if isinstance(value, str):
        raise FormulaError(f"“{value}” is a text where a number is needed")
    return value


def _near(value: float, step: float = 1.0) -> float:
    """The nearest multiple of a step, halves up."""
    return math.floor(value / step + 0.5) * step


def _below(value: float, *limits: float) -> float:
    """How many limits the value lies below."""
    return float(sum(value < limit for limit in limits))


def _clip(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


_FUNCTIONS: Mapping[str, tuple[int, int, Callable[..., float]]] = {
    "exp": (1, 1, lambda value: math.exp(min(value, 700.0))),
    "log": (1, 1, lambda value: math.log(max(value, 1e-300))),
    "sqrt": (1, 1, lambda value: math.sqrt(max(value, 0.0))),
    "near": (1, 2, _near),
    "floor": (1, 1, lambda value: float(math.floor(value))),
    "abs": (1, 1, abs),
    "min": (1, 9, min),
    "max": (1, 9, max),
    "below": (2, 12, _below),
    "clip": (3, 3, _clip),
}
"""Name -> fewest and most arguments, and what it does."""


def read_formula(source: str) -> Formula:
    """The formula of a text. Raises FormulaError."""
    if len(source) > LONGEST:
        raise FormulaError(f"longer than {LONGEST} characters")
    reader = _Reader(_tokens(source))
    step = reader.choice()
    if reader.here is not None:
        raise FormulaError(f"“{reader.here[1]}” is not expected here")
    return Formula(source, frozenset(reader.names), step)


def _tokens(source: str) -> list[tuple[str, str]]:
    found, at = [], 0
    text = source.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise FormulaError(f"“{text[at:].strip()[:12]}” cannot be read")
        kind = str(match.lastgroup)
        found.append((kind, match[kind]))
        at = match.end()
    return found


class _Reader:
    """Reads by descent: choice, or, and, not, comparison, sum, product, sign, atom."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0
        self.names: set[str] = set()

    @property
    def here(self) -> tuple[str, str] | None:
        """The token that is read next; None at the end."""
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, *signs: str) -> str | None:
        """The next token where it is one of these signs or words."""
        here = self.here
        if here is not None and here[0] in {"sign", "name"} and here[1] in signs:
            self.at += 1
            return here[1]
        return None

    def need(self, sign: str) -> None:
        """Take a sign that must stand here."""
        if self.take(sign) is None:
            raise FormulaError(f"“{sign}” is missing")

    def choice(self) -> _Step:
        """`condition ? one : other`."""
        self.depth += 1
        if self.depth > 40:
            raise FormulaError("nested too deep")
        asked = self.any_of()
        if self.take("?"):
            one = self.choice()
            self.need(":")
            other = self.choice()
            asked = _choose(asked, one, other)
        self.depth -= 1
        return asked

    def any_of(self) -> _Step:
        """`one or other`."""
        left = self.all_of()
        while self.take("or"):
            left = _either(left, self.all_of())
        return left

    def all_of(self) -> _Step:
        """`one and other`."""
        left = self.negated()
        while self.take("and"):
            left = _both(left, self.negated())
        return left

    def negated(self) -> _Step:
        """`not one`."""
        if self.take("not"):
            inner = self.negated()
            return lambda scope: float(not inner(scope))
        return self.compared()

    def compared(self) -> _Step:
        """`one < other`; a truth is 1 or 0."""
        left = self.added()
        sign = self.take("<", "<=", ">", ">=", "==", "!=")
        return left if sign is None else _two(sign, left, self.added())

    def added(self) -> _Step:
        """Sums and differences."""
        left = self.multiplied()
        while sign := self.take("+", "-"):
            left = _two(sign, left, self.multiplied())
        return left

    def multiplied(self) -> _Step:
        """Products and quotients."""
        left = self.signed()
        while sign := self.take("*", "/"):
            left = _two(sign, left, self.signed())
        return left

    def signed(self) -> _Step:
        """`-one`."""
        if self.take("-"):
            inner = self.signed()
            return lambda scope: -inner(scope)  # type: ignore[operator]  # a text is a TypeError, caught above
        return self.atom()

    def atom(self) -> _Step:
        """A number, a text, a name, a call or brackets."""
        if self.take("("):
            inner = self.choice()
            self.need(")")
            return inner
        here = self.here
        if here is None or here[0] == "sign":
            raise FormulaError(
                "a value is missing at the end" if here is None else f"a value is missing before “{here[1]}”"
            )
        self.at += 1
        kind, written = here
        if kind == "number":
            number = float(written)
            return lambda _: number
        if kind == "text":
            return lambda _: written
        if self.take("("):
            return self.call(written)
        self.names.add(written)
        return lambda scope: scope[written]

    def call(self, name: str) -> _Step:
        """A function with its arguments."""
        known = _FUNCTIONS.get(name)
        if known is None:
            raise FormulaError(
                f"the function “{name}” is not known; there are {', '.join(sorted(_FUNCTIONS))}"
            )
        given = [self.choice()]
        while self.take(","):
            given.append(self.choice())
        self.need(")")
        fewest, most, does = known
        if not fewest <= len(given) <= most:
            raise FormulaError(f"“{name}” takes {fewest} to {most} values, not {len(given)}")
        if len(given) == 1:
            only = given[0]
            return lambda scope: does(only(scope))
        if len(given) == 3:
            first, second, third = given
            return lambda scope: does(first(scope), second(scope), third(scope))
        return lambda scope: does(*[one(scope) for one in given])


def _choose(asked: _Step, one: _Step, other: _Step) -> _Step:
    return lambda scope: one(scope) if asked(scope) else other(scope)


def _either(left: _Step, right: _Step) -> _Step:
    return lambda scope: float(bool(left(scope)) or bool(right(scope)))


def _both(left: _Step, right: _Step) -> _Step:
    return lambda scope: float(bool(left(scope)) and bool(right(scope)))


_OPERATIONS: Mapping[
    str, Callable[[Any, Any], float]
] = {  # Any: a text is a TypeError, caught in Formula.value
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda one, other: one / other if other else 0.0,
}


def _two(sign: str, left: _Step, right: _Step) -> _Step:
    """Arithmetic or comparison; a truth is 1 or 0."""
    does = _OPERATIONS[sign]
    if sign in "+-*/":
        return lambda scope: does(left(scope), right(scope))
    return lambda scope: float(does(left(scope), right(scope)))
