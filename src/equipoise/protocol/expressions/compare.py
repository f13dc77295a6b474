"""Comparison of two values: TRUE or FALSE only when everything the values can be agrees.

Numbers are compared in one unit, dates by the days they can be, codes and truths for equality only.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from equipoise.protocol.expressions import arithmetic
from equipoise.protocol.expressions.nodes import Comparison
from equipoise.protocol.expressions.values import (
    Code,
    DateValue,
    Logical,
    Number,
    Reason,
    Reasons,
    Unknown,
    Value,
    merge,
    reasons_of,
)
from equipoise.words.interval import ANYTHING, Interval
from equipoise.words.truth import Truth, negate


def truth_value(truth: Truth, reasons: Reasons) -> Logical:
    """A truth that carries reasons only, and always, where it is unknown."""
    if truth is not Truth.UNKNOWN:
        return Logical(truth)
    return Logical(truth, reasons or (Reason("range"),))


def compared(sign: Comparison, a: Value, b: Value) -> Logical:
    """`a sign b`."""
    reasons = merge(reasons_of(a), reasons_of(b))
    if isinstance(a, Unknown) or isinstance(b, Unknown):
        return Logical(Truth.UNKNOWN, reasons)
    match a, b:
        case Number(), Number():
            intervals = _in_one_unit(a, b)
            if intervals is None:
                return Logical(Truth.UNKNOWN, (Reason("unit"),))
            return truth_value(_ordered(sign, *intervals), reasons)
        case DateValue(), DateValue():
            return truth_value(_ordered(sign, _days(a), _days(b)), reasons)
        case Code(), Code() if sign in {"==", "!="}:
            same = None if a.code is None or b.code is None else a.code == b.code
            return truth_value(_signed(sign, Truth.of(same)), reasons)
        case Logical(), Logical() if sign in {"==", "!="}:
            open_ = Truth.UNKNOWN in (a.truth, b.truth)
            return truth_value(_signed(sign, Truth.of(None if open_ else a.truth is b.truth)), reasons)
        case _:
            return Logical(Truth.UNKNOWN, (Reason("type"),))


def _signed(sign: Comparison, equal: Truth) -> Truth:
    return equal if sign == "==" else negate(equal)


def _ordered(sign: Comparison, a: Interval, b: Interval) -> Truth:
    match sign:
        case "==":
            return a.equals(b)
        case "!=":
            return negate(a.equals(b))
        case ">=":
            return a.at_least(b)
        case "<=":
            return b.at_least(a)
        case ">":
            return negate(b.at_least(a))
        case "<":
            return negate(a.at_least(b))


def _in_one_unit(a: Number, b: Number) -> tuple[Interval, Interval] | None:
    if a.unit == b.unit or ANYTHING in (a.interval, b.interval):
        return a.interval, b.interval
    if a.unit is None or b.unit is None:
        return None
    turned = arithmetic.converted(b.interval, b.unit, a.unit)
    return None if turned is None else (a.interval, turned)


def _days(value: DateValue) -> Interval:
    if value.date is None:
        return ANYTHING
    return Interval(_ordinal(value.date.earliest), _ordinal(value.date.latest))


def _ordinal(day: dt.date) -> Decimal:
    return Decimal(day.toordinal())
