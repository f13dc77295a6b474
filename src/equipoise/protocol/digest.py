"""The canonical content of a study, and the digest that names a version of it.

The rules that must stay true: what does not change the meaning does not change the digest (order of keys, spelled-out
defaults, spacing inside an expression); what does, does. Expressions stand as their trees, so that a version says
exactly what will be evaluated. A study read back from its canonical content has the same canonical content.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from equipoise.protocol.elements import EXPRESSION_FORMAT
from equipoise.protocol.expressions import from_json, parse, to_json, unparse
from equipoise.protocol.study import Study
from equipoise.words.canonical import Json, digest
from equipoise.words.problem import Problem
from equipoise.words.text import Text

_TREE, _UNREAD = "$tree", "$unread"


def canonical_study(study: Study) -> Json:
    """The study's content: defaults left out, expressions as trees, decimals as text."""
    return _part(study)


def study_digest(study: Study) -> str:
    """SHA-256, in hexadecimal, of the canonical bytes of the study's content."""
    return digest(canonical_study(study))


def study_from_canonical(content: Json) -> Study:
    """The study of canonical content. Raises ValueError where it is not the content of a study."""
    return Study.model_validate(_notation(content))


def _part(part: BaseModel) -> Json:
    expressions = _expressions(type(part))
    content: dict[str, Json] = {}
    for name, field in type(part).model_fields.items():
        value = getattr(part, name)
        if not field.is_required() and value == field.get_default(call_default_factory=True):
            continue
        content[name] = _tree(value) if name in expressions and value is not None else _value(value)
    return content


def _value(value: Any) -> Json:  # Any: what the model's fields hold
    match value:
        case BaseModel():
            return _part(value)
        case Text():
            return value.as_mapping()
        case Decimal():
            return f"{value:f}"
        case Mapping():
            return {str(key): _value(inner) for key, inner in value.items()}
        case tuple() | list():
            return [_value(inner) for inner in value]
        case None | bool() | int() | str():
            return value
    raise TypeError(f"a study holds no {type(value).__name__}")


def _tree(source: str) -> Json:
    """The tree of an expression; the source itself where it cannot be read (`check_study` names it)."""
    node = parse(source)
    return {_UNREAD: source} if isinstance(node, Problem) else {_TREE: to_json(node)}


def _notation(content: Any) -> Any:  # Any: canonical JSON
    if isinstance(content, list):
        return [_notation(inner) for inner in content]
    if not isinstance(content, dict):
        return content
    if len(content) == 1:
        (mark, inner), *_ = content.items()
        if mark == _TREE:
            return _source(inner)
        if mark == _UNREAD:
            return inner
    return {key: _notation(inner) for key, inner in content.items()}


def _source(tree: Json) -> str:
    node = from_json(tree)
    if isinstance(node, Problem):
        raise ValueError(f"the tree of an expression is not one: {node.say()}")
    return unparse(node)


@cache
def _expressions(model: type[BaseModel]) -> frozenset[str]:
    """The fields of a part that hold an expression."""
    hints = get_type_hints(model, include_extras=True)
    return frozenset(name for name in model.model_fields if _is_expression(hints[name]))


def _is_expression(hint: Any) -> bool:  # Any: a type as written
    for inner in (hint, *get_args(hint)):
        for mark in getattr(inner, "__metadata__", ()):
            extra = mark.json_schema_extra if isinstance(mark, FieldInfo) else None
            if isinstance(extra, dict) and extra.get("format") == EXPRESSION_FORMAT:
                return True
    return False
