"""The content of a study in one canonical form, its digest, and the way back.

Left out: whatever has its default. Expressions stand as their syntax tree, so that spaces and brackets do not
change a digest; decimals stand in plain digits. Texts, notes and assumptions are content and stay.
The rule that must stay true: the digest says what the definition means: equal canonical content, equal digest,
and `study_from_canonical` gives a study of the same content.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import ValidationError

from equipoise.protocol.elements import Part, expression_fields
from equipoise.protocol.expressions.source import decimal_text, unparse
from equipoise.protocol.expressions.tree_json import from_json, to_json
from equipoise.protocol.rules import tree
from equipoise.protocol.study import Study
from equipoise.words.canonical import Json, digest, read_canonical
from equipoise.words.kept import Kept
from equipoise.words.problem import Problem
from equipoise.words.text import Text


class NotADefinition(ValueError):
    """The JSON is not the canonical content of a study; the message says where."""


def study_digest(study: Study) -> str:
    """SHA-256, in hexadecimal, of the canonical content; a definition never changes: worked out once."""
    return _DIGESTS(study)


def canonical_study(study: Study) -> Json:
    """The canonical content: JSON for `words.canonical`."""
    return _part(study)


def _digest(study: Study) -> str:
    return digest(canonical_study(study))


_DIGESTS = Kept(_digest, 16)


def canonical_part(part: Part) -> Json:
    """The canonical content of one part of a study."""
    return _part(part)


def _part(part: Part) -> Json:
    found: dict[str, Json] = {}
    kind = type(part)
    for name, field in kind.model_fields.items():
        value = getattr(part, name)
        if field.is_required() or value != field.get_default(call_default_factory=True):
            found[name] = _rule(value) if name in expression_fields(kind) else _value(value)
    return found


def _rule(source: str) -> Json:
    node = tree(source)
    return {"unread": source} if isinstance(node, Problem) else to_json(node)


def _value(value: object) -> Json:
    match value:
        case None | bool() | int() | str():
            return value
        case Decimal():
            return decimal_text(value)
        case Text():
            return dict(value.as_mapping())
        case Part():
            return _part(value)
        case Mapping():
            return {str(key): _value(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_value(inner) for inner in value]
        case _:
            raise TypeError(f"{type(value).__name__} has no canonical form")


def study_from_canonical(json: Json) -> Study:
    """The study of a canonical content. Raises NotADefinition where the JSON is none."""
    if not isinstance(json, Mapping):
        raise NotADefinition("not an object")
    try:
        return Study.model_validate(_restored(Study, json))
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        raise NotADefinition(f"{'.'.join(map(str, first['loc']))}: {first['type']}") from fault


@lru_cache(maxsize=8)
def study_from_text(text: str) -> Study:
    """The study that a canonical text says, as a ledger keeps it; read once. Raises NotADefinition and NotCanonical."""
    return study_from_canonical(read_canonical(text.encode()))


def _restored(kind: type[Part], json: Mapping[str, Json]) -> dict[str, Any]:
    """The object with its expressions written out again. Any: pydantic judges it next."""
    found: dict[str, Any] = {}
    for name, value in json.items():
        field = kind.model_fields.get(name)
        inner = None if field is None else _held(field.annotation)
        if name in expression_fields(kind):
            found[name] = _source(name, value)
        elif inner is not None and isinstance(value, list | tuple):
            found[name] = [_restored(inner, part) if isinstance(part, Mapping) else part for part in value]
        elif inner is not None and isinstance(value, Mapping):
            found[name] = _restored(inner, value)
        else:
            found[name] = value
    return found


def _source(name: str, json: Json) -> str:
    if isinstance(json, Mapping) and isinstance(unread := json.get("unread"), str):
        return unread
    node = from_json(json)
    if isinstance(node, Problem):
        raise NotADefinition(f"{name}: {node.say()}")
    return unparse(node)


def _held(kind: Any) -> type[Part] | None:
    """The kind of part that a field holds, alone, optional or in a tuple."""
    if isinstance(kind, type) and issubclass(kind, Part):
        return kind
    if get_origin(kind) in {UnionType, Union, tuple}:
        return next((found for found in map(_held, get_args(kind)) if found is not None), None)
    return None
