"""What a definition assumes because no public source says it, with the alternatives.

The rule that must stay true: every `assumption` of a definition is listed, wherever it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from equipoise.protocol.digest import canonical_part
from equipoise.protocol.elements import Element, Part, expression_fields
from equipoise.protocol.parts import parts, spell
from equipoise.protocol.study import Study
from equipoise.words.text import Text

_LABELS = ("label", "title", "name", "text", "about", "event")
_CARRIED = frozenset({"id", "assumption", "source", "note", "line", *_LABELS})


@dataclass(frozen=True, slots=True)
class Assumed:
    """One assumption: where it stands, what it is about, what holds, why, and what else could hold."""

    path: str
    label: str
    value: str
    because: str
    alternatives: tuple[str, ...]
    status: str


def list_assumptions(study: Study) -> tuple[Assumed, ...]:
    """Every assumption, in the order of the notation."""
    return tuple(
        Assumed(
            path=spell(study, path) or study.id,
            label=_label(part) or spell(study, path),
            value=_value(part),
            because=part.assumption.because,
            alternatives=part.assumption.alternatives,
            status=part.assumption.status,
        )
        for path, part in parts(study)
        if isinstance(part, Element) and part.assumption is not None
    )


def _label(part: Part) -> str:
    for name in _LABELS:
        value = getattr(part, name, None)
        if isinstance(value, Text):
            return value.en
        if isinstance(value, str):
            return value
    return ""


def _value(part: Part) -> str:
    """What holds: the part's own fields that were given, short, also where the default was; parts by their labels."""
    content = canonical_part(part)
    told = []
    for name in type(part).model_fields:
        given = name in part.model_fields_set or (isinstance(content, Mapping) and name in content)
        if name in _CARRIED or not given:
            continue
        value = getattr(part, name)
        shown = value if name in expression_fields(type(part)) else _short(value)
        told.append(shown if name == "value" else f"{name} {shown}")
    return "; ".join(told)


def _short(value: object) -> str:
    match value:
        case Text():
            return value.en
        case Mapping():
            return ", ".join(f"{key} {inner}" for key, inner in value.items())
        case tuple() if any(isinstance(inner, Part) for inner in value):
            return ", ".join(_label(inner) or "…" for inner in value if isinstance(inner, Part))
        case tuple():
            return ", ".join(str(inner) for inner in value)
        case Part():
            return _label(value) or _value(value)
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)
