"""What the model refuses, in our own words.

The rule that must stay true: no word of the validating library reaches a reader. Each of its error types has a
message of ours; one that is not in the table still gets the general message with the place and the value.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping
from types import UnionType
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from equipoise.protocol.expressions.check import nearest
from equipoise.protocol.notation import Plain, Steps
from equipoise.protocol.study import Study
from equipoise.words.problem import Problem, problem

MAX_FAULTS = 100


class Where(Protocol):
    """Names the place of a path, or of its key."""

    def __call__(self, path: Steps, *, key: bool = False) -> str: ...


_RULES: Mapping[str, str] = {
    "string_type": "protocol.value-not-text",
    "int_type": "protocol.value-not-integer",
    "int_parsing": "protocol.value-not-integer",
    "int_parsing_size": "protocol.value-not-integer",
    "int_from_float": "protocol.value-not-integer",
    "decimal_type": "protocol.value-not-number",
    "decimal_parsing": "protocol.value-not-number",
    "finite_number": "protocol.value-not-number",
    "bool_type": "protocol.value-not-truth",
    "bool_parsing": "protocol.value-not-truth",
    "tuple_type": "protocol.value-not-list",
    "list_type": "protocol.value-not-list",
    "iterable_type": "protocol.value-not-list",
    "dict_type": "protocol.value-not-mapping",
    "mapping_type": "protocol.value-not-mapping",
    "model_type": "protocol.value-not-mapping",
    "model_attributes_type": "protocol.value-not-mapping",
    "dataclass_type": "protocol.value-not-words",
    "truth": "protocol.value-is-truth",
    "words": "protocol.value-not-words",
    "words_language": "protocol.value-language",
    "words_english": "protocol.value-no-english",
}
_PATTERNS: Mapping[str, str] = {
    r"^[A-Za-z][A-Za-z0-9_-]{0,63}$": "protocol.value-not-name",
    r"^\d{4}(-\d{2}(-\d{2})?)?$": "protocol.value-not-date",
}


def faults_of(fault: ValidationError, content: Mapping[str, Plain], where: Where) -> tuple[Problem, ...]:
    """Every fault that the model found, in the order of the files' paths; at most MAX_FAULTS."""
    details = fault.errors(include_url=False, include_context=True)
    found = dict.fromkeys(_problem(detail, content, where) for detail in details[:MAX_FAULTS])
    if len(details) > MAX_FAULTS:
        found[problem("protocol.faults-more", "", shown=MAX_FAULTS, all=len(details))] = None
    return tuple(found)


def _problem(detail: ErrorDetails, content: Mapping[str, Plain], where: Where) -> Problem:
    path, kind = _real(detail["loc"], content), detail["type"]
    context = detail.get("ctx", {})
    shown = _shown(detail["input"])
    if kind == "missing" and path and isinstance(path[-1], int):
        return problem("protocol.value-list-short", where(path[:-1]), count=path[-1])
    if kind == "missing":
        return problem("protocol.field-missing", where(path[:-1]), field=str(path[-1]))
    if kind == "extra_forbidden":
        return _unknown_key(path, where)
    if kind == "literal_error":
        return _not_listed(path, shown, str(context.get("expected", "")), where)
    if kind == "string_pattern_mismatch":
        rule = _PATTERNS.get(str(context.get("pattern")), "protocol.value-not-allowed")
        return problem(rule, where(path), found=shown)
    if kind in {"too_long", "too_short"}:
        wanted = context.get("max_length", context.get("min_length", ""))
        return problem(
            "protocol.value-count", where(path), count=context.get("actual_length", ""), wanted=wanted
        )
    if kind in {"string_too_long", "string_too_short"}:
        return problem("protocol.value-length", where(path), limit=context.get("max_length", 1))
    if kind == "greater_than_equal":
        return problem("protocol.value-too-small", where(path), found=shown, limit=context.get("ge", ""))
    if kind == "words_language":
        key = str(context.get("key"))
        return problem("protocol.value-language", where((*path, key), key=True), found=key)
    return problem(_RULES.get(kind, "protocol.value-not-allowed"), where(path), found=shown)


def _unknown_key(path: Steps, where: Where) -> Problem:
    key = str(path[-1])
    known = frozenset(_fields(path[:-1]))
    like = nearest(key, known)
    if like:
        return problem("protocol.key-unknown-like", where(path, key=True), key=key, like=like)
    return problem("protocol.key-unknown", where(path, key=True), key=key, known=", ".join(sorted(known)))


def _not_listed(path: Steps, shown: str, expected: str, where: Where) -> Problem:
    allowed = [word.strip("'") for word in expected.replace(" or ", ", ").split(", ")]
    like = nearest(shown, frozenset(allowed))
    if like:
        return problem("protocol.value-not-listed-like", where(path), found=shown, like=like)
    return problem("protocol.value-not-listed", where(path), found=shown, allowed=", ".join(allowed))


def _real(loc: tuple[int | str, ...], content: Mapping[str, Plain]) -> Steps:
    """The steps of `loc` that stand in the file; the library adds names of its own types to some."""
    path: list[str | int] = []
    value: Any = content  # Any: a step of a location may lead anywhere
    for position, step in enumerate(loc):
        inside = (isinstance(value, dict) and isinstance(step, str)) or (
            isinstance(value, list) and isinstance(step, int)
        )
        if not inside:
            continue
        there = step in value if isinstance(value, dict) else isinstance(step, int) and 0 <= step < len(value)
        if not there and position < len(loc) - 1:
            continue
        path.append(step)
        value = value[step] if there else None
    return tuple(path)


def _shown(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return "{…}" if isinstance(value, dict) else "[…]"
    text = str(value)
    return text if len(text) <= 80 else text[:79] + "…"


def _fields(path: Steps) -> tuple[str, ...]:
    """The keys that the notation knows at a path."""
    kind: Any = Study  # Any: annotations are what typing makes of them
    for step in path:
        kind = _step(kind, step)
    model = _model(kind)
    return tuple(model.model_fields) if model is not None else ()


def _step(kind: Any, step: str | int) -> Any:
    model = _model(kind)
    if model is not None and isinstance(step, str) and step in model.model_fields:
        return model.model_fields[step].annotation
    if isinstance(step, int):
        return next((inner for inner in _members(kind) if _model(inner) is not None), None)
    return None


def _members(kind: Any) -> tuple[Any, ...]:
    """What a tuple or an optional tuple holds."""
    if typing.get_origin(kind) in {UnionType, typing.Union}:
        return tuple(inner for part in typing.get_args(kind) for inner in _members(part))
    return typing.get_args(kind)


def _model(kind: Any) -> type[BaseModel] | None:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    if typing.get_origin(kind) in {UnionType, typing.Union}:
        return next((found for found in map(_model, typing.get_args(kind)) if found is not None), None)
    return None
