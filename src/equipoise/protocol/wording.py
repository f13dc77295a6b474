"""Answers of rules in words: which of the study's inputs they looked at, what is open, and why.

Names of the rules are shown as the labels that the study gives them; values as they were captured.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from equipoise.protocol.expressions import (
    Code,
    DateValue,
    Explanation,
    InstrumentValue,
    Logical,
    Number,
    Value,
)
from equipoise.protocol.expressions.values import Reason
from equipoise.protocol.study import Study
from equipoise.words.interval import Interval
from equipoise.words.text import Language, Text
from equipoise.words.truth import Truth

_YES, _NO = Text("yes", "是"), Text("no", "否")
_PLACE = re.compile(r'(?P<name>[A-Za-z_]\w*)(?:\.(?P<member>\w+)|\["(?P<item>[^"]+)"\])?')


def label(study: Study, place: str, language: Language) -> str:
    """`onset_date` or `nihss["5a"]` as people read it: the label of the input, then the item or part."""
    match = _PLACE.fullmatch(place.strip("`"))
    found = next((each for each in study.inputs if match and each.name == match["name"]), None)
    if match is None or found is None:
        return place
    rest = match["item"] or ("" if match["member"] in {None, "total", "range"} else match["member"])
    return " ".join(part for part in (found.label.say(language), rest) if part)


def shown(value: Value, language: Language) -> str:
    """A value as text; an empty text where nothing is known of it."""
    match value:
        case Number(interval=interval, unit=unit):
            return " ".join(part for part in (_interval(interval), unit or "") if part)
        case DateValue(date=date):
            return date.iso() if date is not None else ""
        case Code(code=code):
            return code or ""
        case Logical(truth=truth) if truth is not Truth.UNKNOWN:
            return (_YES if truth is Truth.TRUE else _NO).say(language)
        case InstrumentValue(range=possible):
            return _interval(possible.interval)
        case _:
            return ""


def _interval(interval: Interval) -> str:
    if interval.known:
        return number(interval.low)
    if interval.low is None and interval.high is None:
        return ""
    return f"{number(interval.low)}–{number(interval.high)}"


def number(value: Decimal | None) -> str:
    """A decimal in plain digits; an empty text for an open end."""
    return "" if value is None else f"{value:f}"


def because(study: Study, explanation: Explanation, language: Language) -> str:
    """The inputs that a rule looked at, each with its value or why it has none: `NIHSS = 5; …`."""
    found: dict[str, str] = {}
    for _, node in explanation.walk():
        if node.parts or _PLACE.fullmatch(node.source.strip("`")) is None or node.source in {"true", "false"}:
            continue
        value = shown(node.value, language)
        name = label(study, node.source, language)
        if value:
            found[name] = f"{name} = {value}"
        elif node.reasons:
            found[name] = "; ".join(_reason(study, reason, language) for reason in node.reasons)
    return _joined(found.values(), language)


def still_open(study: Study, explanation: Explanation, language: Language) -> str:
    """Why an answer is open, reason by reason; items of one scale that lack the same thing stand together."""
    items: dict[tuple[str, str], list[str]] = {}
    found: dict[str, None] = {}
    for reason in explanation.reasons:
        place = _PLACE.fullmatch(reason.about.strip("`"))
        if place is not None and place["item"] is not None:
            items.setdefault((place["name"], reason.kind), []).append(place["item"])
        else:
            found[_reason(study, reason, language)] = None
    for (name, kind), lacking in items.items():
        about = label(study, name, language)
        if len(lacking) < MANY:
            about = f"{about} {', '.join(sorted(lacking, key=_by_number))}"
        found[Reason(kind, about).say(language)] = None
    return _joined(found, language)


MANY = 10
"""From so many items on, a scale is named as a whole."""


def _by_number(item: str) -> tuple[int, str]:
    digits = re.match(r"\d+", item)
    return (int(digits[0]) if digits else 0, item)


def _reason(study: Study, reason: Reason, language: Language) -> str:
    return Reason(reason.kind, label(study, reason.about, language) if reason.about else "").say(language)


def _joined(parts: Iterable[str], language: Language) -> str:
    return ("；" if language == "zh" else "; ").join(parts)
