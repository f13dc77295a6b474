"""Entries to body parts and back, by the annotations of their dataclasses.

The rules that must stay true: decoding what was encoded gives the same entry, for every kind; a body that an
entry could not have written (an unknown kind, a missing, added or mistyped field) is a Problem, never a crash
and never half an entry. A field that is None is not written. An aside field that is empty ("" or no keys) is
not written either, and an entry without any has no aside part.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, cast

from equipoise.ledger.entries import KINDS, Entry, Part
from equipoise.ledger.upcast import UPCASTS, JsonObject, Shape, Upcast, upcast
from equipoise.ledger.vault_entries import VAULT_KINDS
from equipoise.words.canonical import Json
from equipoise.words.problem import Problem, problem

Encode = Callable[[object], Json]
Decode = Callable[[Json], object]
_REMEMBERED = 4096


class Surprise(ValueError):
    """A value that its field cannot hold; the message is the path to it. Inside this module only."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    part: Part
    optional: bool
    texts: bool  # whether it holds a text (or None) and nothing else
    empty: object  # what an aside field holds where nothing was written
    encode: Encode
    decode: Decode


def encode(entry: Entry) -> dict[Part, JsonObject]:
    """The body parts of `entry`: `main` always, `aside` where it says something.

    Raises TypeError for an entry whose values are not what its annotations say: a fault of the program.
    """
    parts: dict[Part, JsonObject] = {"main": {}}
    for field in _fields(type(entry)):
        value = getattr(entry, field.name)
        if (value is None and field.optional) or (field.part == "aside" and value == field.empty):
            continue
        try:
            parts.setdefault(field.part, {})[field.name] = field.encode(value)
        except Surprise as fault:
            where = f"{entry.kind}.{_at(field.name, fault)}"
            raise TypeError(f"{where}: not what the kind declares") from fault
    return parts


def parts_of(kind: type[Entry]) -> tuple[Part, ...]:
    """The body parts that entries of a kind may have: `main`, and `aside` where one of its fields is there."""
    return ("main", "aside") if any(field.part == "aside" for field in _fields(kind)) else ("main",)


def decode(
    kind: str, main: Json, aside: Json = None, upcasts: Mapping[str, Upcast] = UPCASTS
) -> Entry | Problem:
    """The entry that `kind` and its body parts say; `aside` None where it is absent, withheld or erased.

    Problems: `ledger.kind-unknown`, `ledger.body-surprising` (where = kind and path of the field).
    """
    if not isinstance(main, dict) or not isinstance(aside, dict | None):
        return problem("ledger.body-surprising", kind)
    shape = upcast(Shape(kind, main, aside or {}), upcasts)
    known = KINDS.get(shape.kind) or VAULT_KINDS.get(shape.kind)
    if known is None:
        return problem("ledger.kind-unknown", kind, kind=kind)
    try:
        return cast(Entry, _build(known, shape.main, shape.aside))
    except Surprise as fault:
        return problem("ledger.body-surprising", f"{kind}.{fault}")


def _build(kind: type, main: JsonObject, aside: JsonObject) -> object:
    fields = _fields(kind)
    values = _values(fields, main, "main")
    written = _values(fields, aside, "aside")
    for field in fields:
        if field.part == "aside":
            values[field.name] = written.get(field.name, field.empty)
    return kind(**values)


def _values(fields: tuple[_Field, ...], source: JsonObject, part: Part) -> dict[str, object]:
    """The values of the fields of one part; every key of `source` must be one of them."""
    values: dict[str, object] = {}
    used = 0
    for field in fields:
        if field.part != part:
            continue
        name = field.name
        if name in source:
            used += 1
            try:
                values[name] = field.decode(source[name])
            except Surprise as fault:
                raise _at(name, fault) from fault
        elif field.optional:
            values[name] = None
        elif part == "main":
            raise Surprise(name)
    if used != len(source):
        raise Surprise(min(source.keys() - {field.name for field in fields if field.part == part}))
    return values


def _at(name: str, inner: Surprise) -> Surprise:
    """The same surprise, named by its path from one level further out."""
    return Surprise(f"{name}.{inner}" if str(inner) else name)


_KNOWN: dict[type, tuple[_Field, ...]] = {}


def _fields(kind: type) -> tuple[_Field, ...]:
    if (known := _KNOWN.get(kind)) is not None:
        return known
    hints = typing.get_type_hints(kind)
    fields = tuple(_field(field, hints[field.name]) for field in dataclasses.fields(kind))
    _KNOWN[kind] = fields
    return fields


def _field(field: dataclasses.Field[object], hint: object) -> _Field:
    optional = types.NoneType in typing.get_args(hint) and typing.get_origin(hint) is not Literal
    if optional:
        (hint,) = (given for given in typing.get_args(hint) if given is not types.NoneType)
    part: Part = field.metadata.get("part", "main")
    empty: object = {} if typing.get_origin(hint) is Mapping else ""
    if part == "aside" and (optional or (hint is not str and empty == "")):
        raise TypeError(f"{field.name}: an aside field is text or a mapping, so that it can be withheld")
    encode_one, decode_one = _codec(hint)
    return _Field(field.name, part, optional, hint is str, empty, encode_one, decode_one)


def _codec(hint: object) -> tuple[Encode, Decode]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(hint, type) and hint in (str, bool, int):
        return _exactly(hint)
    if origin is Literal:
        return _one_of(arguments)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return _tuple_of(*_codec(arguments[0]))
    if origin is Mapping and arguments[0] is str:
        return _mapping_of(*_codec(arguments[1]))
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _record_of(hint)
    raise TypeError(f"no entry may hold a {hint}")


def _exactly(kind: type) -> tuple[Encode, Decode]:
    def same(value: object) -> Json:
        if type(value) is not kind:  # an int is no bool here, nor the other way round
            raise Surprise
        return cast(Json, value)

    return same, same


def _one_of(allowed: tuple[object, ...]) -> tuple[Encode, Decode]:
    def same(value: object) -> Json:
        if not isinstance(value, str) or value not in allowed:
            raise Surprise
        return value

    return same, same


def _tuple_of(encode_one: Encode, decode_one: Decode) -> tuple[Encode, Decode]:
    def forth(value: object) -> Json:
        if not isinstance(value, tuple):
            raise Surprise
        return [encode_one(one) for one in value]

    def back(value: Json) -> object:
        if not isinstance(value, list):
            raise Surprise
        return tuple(decode_one(one) for one in value)

    return forth, back


def _mapping_of(encode_one: Encode, decode_one: Decode) -> tuple[Encode, Decode]:
    def forth(value: object) -> Json:
        if not isinstance(value, Mapping):
            raise Surprise
        return {name: encode_one(one) for name, one in value.items()}

    def back(value: Json) -> object:
        if not isinstance(value, dict):
            raise Surprise
        found: dict[str, object] = {}
        for name, one in value.items():
            try:
                found[name] = decode_one(one)
            except Surprise as fault:
                raise _at(name, fault) from fault
        return found

    return forth, back


def _record_of(kind: type) -> tuple[Encode, Decode]:
    fields = _fields(kind)

    def forth(value: object) -> Json:
        if type(value) is not kind:
            raise Surprise
        written: JsonObject = {}
        for field in fields:
            inner = getattr(value, field.name)
            if inner is not None or not field.optional:
                written[field.name] = field.encode(inner)
        return written

    def back(value: Json) -> object:
        if not isinstance(value, dict):
            raise Surprise
        return kind(**_values(fields, value, "main"))

    return forth, _remembered(back) if all(field.texts for field in fields) else back


def _remembered(back: Decode) -> Decode:
    """`back` for records of texts: most captured values repeat, and a frozen record may be handed out again."""
    known: dict[tuple[tuple[str, Json], ...], object] = {}

    def again(value: Json) -> object:
        if not isinstance(value, dict):
            raise Surprise
        key = tuple(value.items())
        try:
            if (found := known.get(key)) is not None:
                return found
        except TypeError as unhashable:  # a list or an object where a text must be
            raise Surprise from unhashable
        found = back(value)
        if len(known) >= _REMEMBERED:
            known.clear()
        known[key] = found
        return found

    return again
