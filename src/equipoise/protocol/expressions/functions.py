"""The functions of the language: one table of names, kinds of arguments and meaning.

The rule that must stay true: every function is total, and every one but `known`, `count_known`, `coalesce` and
`reconcile` is monotone: learning more about an argument never overturns a known answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from typing import Literal

from equipoise.protocol.expressions import arithmetic
from equipoise.protocol.expressions.compare import compared, truth_value
from equipoise.protocol.expressions.values import (
    Code,
    DateValue,
    Logical,
    Number,
    Reason,
    Reasons,
    Unknown,
    Value,
    as_date,
    as_logical,
    as_number,
    is_known,
    merge,
    reasons_of,
)
from equipoise.words.dates import PartialDate, completed_years, days_between
from equipoise.words.interval import ANYTHING, Interval
from equipoise.words.truth import Truth, all_of, any_of

Wants = Literal["truth", "number", "date", "same", "anything", "ordered", "digits", "unit"]
"""What an argument must be. `same`: all of one kind; `ordered`: all numbers or all dates; `digits`, `unit`:
written out in the expression, a whole number from 0 to 12 or a unit in quotes."""

MAX_ROUND_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Function:
    """One function: what its arguments must be (the last repeats up to `most`), what it gives, what it does."""

    wants: tuple[Wants, ...]
    gives: Literal["truth", "number", "bare", "same"]
    apply: Callable[[tuple[Value, ...]], Value]
    least: int
    most: int | None

    def wanted(self, position: int) -> Wants:
        """What the argument at `position` must be."""
        return self.wants[min(position, len(self.wants) - 1)]


def same_unit(values: tuple[Number, ...]) -> tuple[tuple[Interval, ...], str | None] | None:
    """The numbers in the unit of the first of which anything is known; None where they do not agree."""
    unit = next((value.unit for value in values if value.interval != ANYTHING), values[0].unit)
    found = []
    for value in values:
        if value.interval == ANYTHING or value.unit == unit:
            found.append(value.interval)
        elif value.unit is None or unit is None:
            return None
        else:
            interval = arithmetic.converted(value.interval, value.unit, unit)
            if interval is None:
                return None
            found.append(interval)
    return tuple(found), unit


def number_of(interval: Interval, unit: str | None, reasons: Reasons) -> Number:
    """A number that carries its reasons only where it is not known."""
    return Number(interval, unit, () if interval.known else reasons)


def all_reasons(values: tuple[Value, ...]) -> Reasons:
    """The reasons of every value that is not known."""
    return merge(*(reasons_of(value) for value in values))


def _numbers(combine: Callable[[tuple[Interval, ...]], Interval]) -> Callable[[tuple[Value, ...]], Value]:
    def apply(values: tuple[Value, ...]) -> Value:
        numbers = tuple(as_number(value) for value in values)
        aligned = same_unit(numbers)
        if aligned is None:
            return Unknown((Reason("unit"),))
        return number_of(combine(aligned[0]), aligned[1], all_reasons(numbers))

    return apply


def _between(values: tuple[Value, ...]) -> Value:
    subject, low, high = values
    return _logic(all_of)((compared(">=", subject, low), compared("<=", subject, high)))


def _logic(combine: Callable[[tuple[Truth, ...]], Truth]) -> Callable[[tuple[Value, ...]], Logical]:
    def apply(values: tuple[Value, ...]) -> Logical:
        given = tuple(as_logical(value) for value in values)
        return truth_value(combine(tuple(value.truth for value in given)), all_reasons(given))

    return apply


conjunction = _logic(all_of)
disjunction = _logic(any_of)


def _of_dates(
    measure: Callable[[PartialDate, PartialDate], Interval],
) -> Callable[[tuple[Value, ...]], Value]:
    def apply(values: tuple[Value, ...]) -> Value:
        first, second = as_date(values[0]), as_date(values[1])
        reasons = all_reasons((first, second))
        if first.date is None or second.date is None:
            return Number(ANYTHING, None, reasons)
        return number_of(measure(first.date, second.date), None, reasons)

    return apply


def _known(values: tuple[Value, ...]) -> Value:
    return Logical(Truth.of(is_known(values[0])))


def _count_known(values: tuple[Value, ...]) -> Value:
    return Number.of(sum(is_known(value) for value in values))


def _coalesce(values: tuple[Value, ...]) -> Value:
    known = next((value for value in values if is_known(value)), None)
    if known is not None:
        return known
    told = next((value for value in values if _says_something(value)), None)
    return told if told is not None else _with_reasons(values[-1], all_reasons(values))


def _says_something(value: Value) -> bool:
    match value:
        case Number(interval=interval):
            return interval != ANYTHING
        case DateValue(date=date):
            return date is not None
        case _:
            return False


def _with_reasons(value: Value, reasons: Reasons) -> Value:
    match value:
        case Number(interval=interval, unit=unit):
            return Number(interval, unit, reasons)
        case DateValue(date=date):
            return DateValue(date, reasons)
        case Code():
            return Code(None, reasons)
        case Logical():
            return Logical(Truth.UNKNOWN, reasons)
        case _:
            return Unknown(reasons)


def _reconcile(values: tuple[Value, ...]) -> Value:
    return reduce(_agreed, values)


def _agreed(a: Value, b: Value) -> Value:
    """What both sources allow; their contradiction is an unknown."""
    conflict = (Reason("conflicting"),)
    match a, b:
        case Unknown(), _:
            return b
        case _, Unknown():
            return a
        case Number(), Number():
            aligned = same_unit((a, b))
            if aligned is None:
                return Unknown((Reason("unit"),))
            met = aligned[0][0].meet(aligned[0][1])
            return (
                Number(ANYTHING, aligned[1], conflict)
                if met is None
                else number_of(met, aligned[1], all_reasons((a, b)))
            )
        case Logical(), Logical():
            if not is_known(a) or not is_known(b):
                return a if is_known(a) else b if is_known(b) else Logical(Truth.UNKNOWN, all_reasons((a, b)))
            return a if a.truth is b.truth else Logical(Truth.UNKNOWN, conflict)
        case Code(), Code():
            if a.code is None or b.code is None:
                return (
                    a if a.code is not None else b if b.code is not None else Code(None, all_reasons((a, b)))
                )
            return a if a.code == b.code else Code(None, conflict)
        case DateValue(), DateValue():
            return _agreed_dates(a, b)
        case _:
            return Unknown((Reason("type"),))


def _agreed_dates(a: DateValue, b: DateValue) -> Value:
    if a.date is None or b.date is None:
        known = a if a.date is not None else b
        return known if known.date is not None else DateValue(None, all_reasons((a, b)))
    first, second = a.date.iso(), b.date.iso()
    if first.startswith(second):
        return a
    return b if second.startswith(first) else DateValue(None, (Reason("conflicting"),))


def _round(values: tuple[Value, ...]) -> Value:
    number = as_number(values[0])
    digits = whole(values[1]) if len(values) == 2 else 0
    if digits is None or not 0 <= digits <= MAX_ROUND_DIGITS:
        return Unknown((Reason("type"),))
    return number_of(arithmetic.rounded(number.interval, digits), number.unit, reasons_of(number))


def whole(value: Value) -> int | None:
    """The whole number that a bare known number is, else None."""
    if not isinstance(value, Number) or value.unit is not None or not value.interval.known:
        return None
    point = value.interval.low
    if point is None or not point.is_finite() or abs(point) > 10**6 or point != int(point):
        return None
    return int(point)


def _amount(values: tuple[Value, ...]) -> Value:
    number, target = as_number(values[0]), values[1]
    if number.interval == ANYTHING:
        return Number(ANYTHING, None, reasons_of(number))
    if not isinstance(target, Code) or target.code is None:
        return Unknown((Reason("type"),))
    interval = (
        None if number.unit is None else arithmetic.converted(number.interval, number.unit, target.code)
    )
    if interval is None:
        return Unknown((Reason("unit"),))
    return number_of(interval, None, reasons_of(number))


def _total(intervals: tuple[Interval, ...]) -> Interval:
    return reduce(
        lambda a, b: arithmetic.combine("+", a, b) or ANYTHING, intervals, Interval.point(Decimal(0))
    )


FUNCTIONS: Mapping[str, Function] = {
    "between": Function(("ordered",), "truth", _between, 3, 3),
    "age_completed": Function(("date",), "bare", _of_dates(completed_years), 2, 2),
    "days": Function(("date",), "bare", _of_dates(days_between), 2, 2),
    "any": Function(("truth",), "truth", disjunction, 1, None),
    "all": Function(("truth",), "truth", conjunction, 1, None),
    "known": Function(("anything",), "truth", _known, 1, 1),
    "count_known": Function(("anything",), "bare", _count_known, 1, None),
    "coalesce": Function(("same",), "same", _coalesce, 2, None),
    "reconcile": Function(("same",), "same", _reconcile, 2, None),
    "abs": Function(("number",), "number", _numbers(lambda values: arithmetic.absolute(values[0])), 1, 1),
    "min": Function(("number",), "number", _numbers(arithmetic.smallest), 1, None),
    "max": Function(("number",), "number", _numbers(arithmetic.largest), 1, None),
    "sum": Function(("number",), "number", _numbers(_total), 1, None),
    "round": Function(("number", "digits"), "number", _round, 1, 2),
    "amount": Function(("number", "unit"), "bare", _amount, 2, 2),
}
"""Every function by name. `amount(x, "kg")` is the bare number of x expressed in kg."""
