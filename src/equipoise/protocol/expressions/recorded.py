"""From what was recorded (a text, or the reason there is none) to a value of the declared type."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from equipoise.protocol.expressions.check import Type
from equipoise.protocol.expressions.values import (
    REASON_OF_MISSING,
    Code,
    DateValue,
    Logical,
    Number,
    Reason,
    Reasons,
    Unknown,
    Value,
)
from equipoise.words.dates import parse_date
from equipoise.words.interval import ANYTHING, Interval
from equipoise.words.truth import Truth

_TRUTH: Mapping[str, Truth] = {
    "Y": Truth.TRUE,
    "N": Truth.FALSE,
    "T": Truth.TRUE,
    "F": Truth.FALSE,
    "U": Truth.UNKNOWN,
}


def recorded_value(kind: Type, text: str | None, missing: str | None = None) -> Value:
    """The value of `text` (decimals and dates as stored, Y or N for a truth).

    Without a text it is an unknown of the declared kind whose reason is the missing code (words.codelists.MISSING),
    or `missing`. A text that does not fit its type is an unknown of reason `type`: it is shown, never guessed.
    """
    if text is None:
        return unknown_of(kind, (Reason(REASON_OF_MISSING.get(missing or "", "missing")),))
    return _read(kind, text) or unknown_of(kind, (Reason("type"),))


def unknown_of(kind: Type, reasons: Reasons) -> Value:
    """An unknown of a kind."""
    match kind.kind:
        case "truth":
            return Logical(Truth.UNKNOWN, reasons)
        case "number":
            return Number(ANYTHING, kind.unit, reasons)
        case "date":
            return DateValue(None, reasons)
        case "code":
            return Code(None, reasons)
        case "instrument":
            return Unknown(reasons)


def _read(kind: Type, text: str) -> Value | None:
    match kind.kind:
        case "truth":
            truth = _TRUTH.get(text)
            if truth is Truth.UNKNOWN:
                return Logical(truth, (Reason("not-known"),))
            return None if truth is None else Logical(truth)
        case "number":
            return _number(kind, text)
        case "date":
            date = parse_date(text)
            return None if date is None else DateValue(date)
        case "code":
            return Code(text)
        case "instrument":
            return None


def _number(kind: Type, text: str) -> Number | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return Number(Interval.point(value), kind.unit) if value.is_finite() else None
