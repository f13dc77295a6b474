"""What every part of a definition can carry: a source, and the admission that it is an assumption.

The rule that must stay true: what the public record is silent on is never stated as if it were known. Such an
element carries `assumption` with its alternatives, and `equipoise study assumptions` lists it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from equipoise.words.text import LANGUAGES, Text


def _as_text(value: Any) -> Any:  # Any: what a YAML file may hold
    if isinstance(value, str | Text):
        return Text(value) if isinstance(value, str) else value
    if not isinstance(value, Mapping) or not all(isinstance(text, str) for text in value.values()):
        raise PydanticCustomError("words", "neither a text nor a mapping of languages")
    for key in value:
        if key not in LANGUAGES:
            raise PydanticCustomError("words_language", "unknown language {key}", {"key": key})
    if not value.get("en"):
        raise PydanticCustomError("words_english", "no English")
    return Text(**value)


def _as_published(value: Any) -> Any:
    """JSON as published, decimals written as text: canonical bytes know no fractions."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _as_published(inner) for key, inner in value.items()}
    return [_as_published(inner) for inner in value] if isinstance(value, list | tuple) else value


Published = Annotated[Any, BeforeValidator(_as_published)]
"""A value of a public record, verbatim: text, whole number, truth, list or object; a fraction is kept as text."""


Words = Annotated[Text, BeforeValidator(_as_text)]
"""A text: `{en: …, zh: …}`, or a plain string where only English is given."""

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
"""Name of an element, unique among its kind: a letter, then letters, digits, `_` or `-`."""

EXPRESSION_FORMAT = "equipoise-expression"
"""Marks, in the published schema, a text that is an expression."""

_IS_EXPRESSION: JsonDict = {"format": EXPRESSION_FORMAT}

Expression = Annotated[
    str,
    StringConstraints(min_length=1, max_length=2000),
    Field(json_schema_extra=_IS_EXPRESSION),
]
"""Source text of the expression language (protocol/expressions); its AST stands in the digest."""

IsoDate = Annotated[str, StringConstraints(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")]
"""ISO 8601 date, possibly partial."""


class Part(BaseModel):
    """Base of all parts of a definition: immutable, nothing beyond what is declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_for_a_number(
        cls, value: Any, info: ValidationInfo
    ) -> Any:  # Any: what a YAML file may hold
        if isinstance(value, bool) and not _holds_truth(cls.model_fields[str(info.field_name)].annotation):
            raise PydanticCustomError("truth", "a truth where none is expected")
        return value


def _holds_truth(kind: Any) -> bool:
    """Whether a field of this annotation may hold true or false."""
    return kind is Any or kind is bool or any(_holds_truth(part) for part in get_args(kind))


@cache
def expression_fields(kind: type[Part]) -> frozenset[str]:
    """The fields of a part that hold expressions."""
    return frozenset(
        name
        for name, field in kind.model_fields.items()
        if field.json_schema_extra == _IS_EXPRESSION or Expression in get_args(field.annotation)
    )


class Assumption(Part):
    """Why an element holds although no public source says so, and what else it could be."""

    because: str
    alternatives: tuple[str, ...] = ()
    status: str = "assumed"


class Element(Part):
    """A part that can name its source (an id of the study's `sources`) or be marked as an assumption."""

    source: str | None = None
    assumption: Assumption | None = None
    note: str | None = None


Ratio = Mapping[str, int]
"""Arm id -> weight."""
