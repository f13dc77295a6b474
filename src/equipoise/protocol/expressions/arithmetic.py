"""Arithmetic on intervals of decimals, rounded so that the answer is never too narrow.

Two known numbers give a known number, rounded half to even at 34 digits (IEEE 754-2019 decimal128). With an
interval on either side the lower end is rounded down and the upper end up, so that whatever the inputs turn out
to be, the answer lies inside. Ends that grow beyond decimal128 raise decimal.DecimalException; the caller answers
with an unknown of reason `beyond-limits`.
Source: R. E. Moore, Interval Analysis (1966), ch. 2.
"""

from __future__ import annotations

import decimal
from collections.abc import Callable, Iterable
from decimal import Decimal

from equipoise.protocol.expressions.nodes import MAX_DIGITS, Operator
from equipoise.words.interval import Interval
from equipoise.words.units import convert

_EMAX = 6144
_ZERO, _INFINITY = Decimal(0), Decimal("Infinity")


def _context(rounding: str) -> decimal.Context:
    return decimal.Context(
        prec=MAX_DIGITS,
        rounding=rounding,
        Emin=1 - _EMAX,
        Emax=_EMAX,
        traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
    )


_NEAREST = _context(decimal.ROUND_HALF_EVEN)
_DOWN = _context(decimal.ROUND_FLOOR)
_UP = _context(decimal.ROUND_CEILING)
_HALF_UP = _context(decimal.ROUND_HALF_UP)

_Step = Callable[[decimal.Context, Decimal, Decimal], Decimal]


def combine(operator: Operator, a: Interval, b: Interval) -> Interval | None:
    """`a operator b`; None for a division by an interval that holds zero."""
    if operator == "-":
        operator, b = "+", negative(b)
    if operator == "/" and _holds_zero(b):
        return None
    step = {"+": _plus, "*": _times, "/": _over}[operator]
    if a.known and b.known:
        value = step(_NEAREST, _low(a), _low(b))
        return Interval(value, value)
    corners = [(_low(a), _low(b)), (_low(a), _high(b)), (_high(a), _low(b)), (_high(a), _high(b))]
    if operator == "+":
        corners = [corners[0], corners[3]]
    return _interval(min(_all(step, _DOWN, corners)), max(_all(step, _UP, corners)))


def negative(a: Interval) -> Interval:
    """-a, exactly."""
    return Interval(_turned(a.high), _turned(a.low))


def absolute(a: Interval) -> Interval:
    """The distance from zero."""
    if a.low is not None and a.low >= 0:
        return a
    turned = negative(a)
    if turned.low is not None and turned.low >= 0:
        return turned
    return _interval(_ZERO, max(_high(a), _high(turned)))


def largest(values: Iterable[Interval]) -> Interval:
    """The largest of one or more numbers."""
    given = tuple(values)
    return _interval(max(map(_low, given)), max(map(_high, given)))


def smallest(values: Iterable[Interval]) -> Interval:
    """The smallest of one or more numbers."""
    given = tuple(values)
    return _interval(min(map(_low, given)), min(map(_high, given)))


def hull(a: Interval, b: Interval) -> Interval:
    """The smallest interval that holds both."""
    return _interval(min(_low(a), _low(b)), max(_high(a), _high(b)))


def rounded(a: Interval, digits: int) -> Interval:
    """Rounded to `digits` decimal places, halves away from zero, as case report forms are."""
    return _interval(_round(_low(a), digits), _round(_high(a), digits))


def converted(a: Interval, unit: str, target: str) -> Interval | None:
    """`a` in another unit; None where no rule is known. Raises DecimalException beyond the arithmetic's limits."""
    if unit == target:
        return a
    if convert(_ZERO, unit, target) is None:
        return None
    ends = [None if end is None else convert(end, unit, target) for end in (a.low, a.high)]
    return Interval(ends[0], ends[1])


def _round(value: Decimal, digits: int) -> Decimal:
    if not value.is_finite():
        return value
    return _NEAREST.add(value.quantize(Decimal(1).scaleb(-digits), context=_HALF_UP), _ZERO)


def _turned(end: Decimal | None) -> Decimal | None:
    if end is None:
        return None
    return _ZERO if end == 0 else end.copy_negate()


def _low(a: Interval) -> Decimal:
    return -_INFINITY if a.low is None else a.low


def _high(a: Interval) -> Decimal:
    return _INFINITY if a.high is None else a.high


def _interval(low: Decimal, high: Decimal) -> Interval:
    return Interval(low if low.is_finite() else None, high if high.is_finite() else None)


def _holds_zero(a: Interval) -> bool:
    return _low(a) <= 0 <= _high(a)


def _all(step: _Step, context: decimal.Context, corners: list[tuple[Decimal, Decimal]]) -> list[Decimal]:
    return [step(context, left, right) for left, right in corners]


def _plus(context: decimal.Context, a: Decimal, b: Decimal) -> Decimal:
    return context.add(a, b)


def _times(context: decimal.Context, a: Decimal, b: Decimal) -> Decimal:
    return _ZERO if a == 0 or b == 0 else context.multiply(a, b)


def _over(context: decimal.Context, a: Decimal, b: Decimal) -> Decimal:
    return _ZERO if not b.is_finite() else context.divide(a, b)
