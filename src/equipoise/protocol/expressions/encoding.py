"""Values as JSON, for the shared case file and for a browser that evaluates the same expressions.

`{"truth": "T"}` (T, F, U) · `{"number": "38.5", "unit": "Cel"}`, or `{"number": ["7", null]}` for an interval whose
ends may be open · `{"date": "2026-08"}` or null · `{"code": "A"}` or null · `{"unknown": true}` ·
`{"instrument": {"total": …, "range": …, "items": {…}, "parts": {…}}}`. Whatever is not fully known adds
`"reasons": ["missing onset", …]`: the kind, and after a space what it is about.
The rule that must stay true: value_from_json(value_to_json(value)) == value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

from equipoise.protocol.expressions.source import decimal_text
from equipoise.protocol.expressions.values import (
    Code,
    DateValue,
    InstrumentValue,
    Logical,
    Number,
    Reason,
    Reasons,
    Unknown,
    Value,
)
from equipoise.words.canonical import Json
from equipoise.words.dates import parse_date
from equipoise.words.interval import Interval
from equipoise.words.truth import Truth


def value_to_json(value: Value) -> Json:
    """The value as JSON. Numbers must be finite."""
    match value:
        case InstrumentValue(total=total, range=span, items=items, parts=parts):
            found: dict[str, Json] = {
                "total": value_to_json(total),
                "range": value_to_json(span),
                "items": {name: value_to_json(item) for name, item in items.items()},
            }
            if parts:
                found["parts"] = {name: value_to_json(part) for name, part in parts.items()}
            return {"instrument": found}
        case Logical(truth=truth):
            json: dict[str, Json] = {"truth": truth.value}
        case Number(interval=interval, unit=unit):
            json = {"number": _interval_to_json(interval)}
            if unit is not None:
                json["unit"] = unit
        case DateValue(date=date):
            json = {"date": None if date is None else date.iso()}
        case Code(code=code):
            json = {"code": code}
        case Unknown():
            json = {"unknown": True}
    if value.reasons:
        json["reasons"] = [f"{reason.kind} {reason.about}".rstrip() for reason in value.reasons]
    return json


def _interval_to_json(interval: Interval) -> Json:
    ends = [None if end is None else decimal_text(end) for end in (interval.low, interval.high)]
    return ends[0] if interval.known else ends


def value_from_json(json: Json) -> Value:
    """The value that a JSON object stands for. Raises ValueError where it stands for none."""
    if not isinstance(json, Mapping):
        raise ValueError(f"{json!r} stands for no value")
    match json:
        case {"instrument": {"total": total, "range": span, "items": Mapping() as items, **rest}}:
            parts = rest.get("parts", {})
            if not isinstance(parts, Mapping):
                raise ValueError("parts is not an object")
            return InstrumentValue(_number(total), _number(span), _numbers(items), _numbers(parts))
        case {"truth": str(letter)}:
            return Logical(Truth(letter), _reasons(json))
        case {"number": number}:
            unit = json.get("unit")
            if unit is not None and not isinstance(unit, str):
                raise ValueError("unit is not a text")
            return Number(_interval(number), unit, _reasons(json))
        case {"date": str() | None as text}:
            date = None if text is None else parse_date(text)
            if date is None and text is not None:
                raise ValueError(f"{text} is no date")
            return DateValue(date, _reasons(json))
        case {"code": str() | None as code}:
            return Code(code, _reasons(json))
        case {"unknown": True}:
            return Unknown(_reasons(json))
        case _:
            raise ValueError(f"{json!r} stands for no value")


def _number(json: Json) -> Number:
    value = value_from_json(json)
    if not isinstance(value, Number):
        raise ValueError(f"{json!r} stands for no number")
    return value


def _numbers(json: Mapping[str, Json]) -> Mapping[str, Number]:
    return {name: _number(item) for name, item in json.items()}


def _interval(json: Json) -> Interval:
    if isinstance(json, str):
        return Interval.point(_decimal(json))
    if isinstance(json, Sequence) and len(json) == 2:
        low, high = json
        return Interval(*(None if end is None else _decimal(end) for end in (low, high)))
    raise ValueError(f"{json!r} stands for no interval")


def _decimal(json: Json) -> Decimal:
    if not isinstance(json, str):
        raise ValueError(f"{json!r}: a decimal is written as text")
    try:
        return Decimal(json)
    except InvalidOperation as fault:
        raise ValueError(f"{json} is no decimal") from fault


def _reasons(json: Mapping[str, Json]) -> Reasons:
    given = json.get("reasons", [])
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise ValueError("reasons is not a list")
    return tuple(Reason(*str(text).split(" ", 1)) for text in given)
