"""What people read of a value and of how it came about, in English and Chinese."""

from __future__ import annotations

from collections.abc import Sequence

from equipoise.protocol.expressions.evaluate import Explanation
from equipoise.protocol.expressions.nodes import DateLiteral, NumberLiteral, TextLiteral, TruthLiteral
from equipoise.protocol.expressions.parser import parse
from equipoise.protocol.expressions.source import decimal_text
from equipoise.protocol.expressions.values import (
    Code,
    DateValue,
    InstrumentValue,
    Logical,
    Number,
    Reason,
    Value,
    is_known,
)
from equipoise.words.interval import Interval
from equipoise.words.problem import say
from equipoise.words.text import Language


def say_value(value: Value, language: Language = "en") -> str:
    """A value in words: `yes`, `7 to 11`, `2026-08`, `not known`."""
    match value:
        case Logical(truth=truth):
            return say(f"protocol.value-{truth.value}", language)
        case Number(interval=interval, unit=unit):
            text = _say_interval(interval, language)
            return text if unit is None or interval == Interval(None, None) else f"{text} {unit}"
        case DateValue(date=date) if date is not None:
            return date.iso()
        case Code(code=code) if code is not None:
            return f"“{code}”"
        case InstrumentValue(total=total, range=span):
            return say_value(total if is_known(total) else span, language)
        case _:
            return say("protocol.value-U", language)


def _say_interval(interval: Interval, language: Language) -> str:
    low = "" if interval.low is None else decimal_text(interval.low)
    high = "" if interval.high is None else decimal_text(interval.high)
    if interval.known:
        return low
    if not low and not high:
        return say("protocol.value-U", language)
    form = "range" if low and high else "from" if low else "to"
    return say(f"protocol.value-{form}", language, {"low": low, "high": high})


def say_reasons(reasons: Sequence[Reason], language: Language = "en") -> str:
    """All reasons in one line."""
    return ("；" if language == "zh" else "; ").join(reason.say(language) for reason in reasons)


def render(explanation: Explanation, language: Language = "en") -> tuple[str, ...]:
    """One line for each part that is not written out, indented by depth: source, value, reasons of an unknown."""
    lines = []
    for level, part in explanation.walk():
        if level and isinstance(parse(part.source), NumberLiteral | TextLiteral | DateLiteral | TruthLiteral):
            continue
        reasons = say_reasons(part.reasons, language)
        shown = "protocol.explain-open" if reasons else "protocol.explain-known"
        arguments = {"source": part.source, "value": say_value(part.value, language), "reasons": reasons}
        lines.append("  " * level + say(shown, language, arguments))
    return tuple(lines)
