"""Canonical bytes: one encoding for hashing, signing, storing and comparing.

RFC 8785 (JSON Canonicalization Scheme) on a closed subset: objects with ASCII keys, arrays, strings in NFC,
integers below 2**53, true, false, null. No floats: decimals travel as strings. On this subset
`json.dumps` with sorted keys writes the same bytes as a full RFC 8785 writer (held by a property test).
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | bool | None"
_LARGEST = 2**53 - 1
_SURROGATE = re.compile("[\ud800-\udfff]")


class NotCanonical(ValueError):
    """The value, or the bytes, are outside the closed subset; the message says where and why."""


def canonical_bytes(value: Json) -> bytes:
    """The canonical UTF-8 bytes of `value`. Raises NotCanonical outside the subset."""
    if not _fits(value):
        check_canonical(value, "$")
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain
    ).encode()


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise NotCanonical(f"cannot encode {type(value).__name__}")


def _fits(value: object) -> bool:
    """Whether a value surely lies in the subset: quick, and without the path that `check_canonical` names.

    False says nothing: the other looks closer.
    """
    waiting: list[Any] = [value]  # Any: whatever is looked at
    for one in waiting:  # which grows while it is walked
        kind = type(one)
        if kind is str:
            if not (one.isascii() or (unicodedata.is_normalized("NFC", one) and not _SURROGATE.search(one))):
                return False
        elif kind is dict:
            for key in one:
                if type(key) is not str or not key.isascii():
                    return False
            waiting.extend(one.values())
        elif kind is list or kind is tuple:
            waiting.extend(one)
        elif kind is int:
            if not -_LARGEST <= one <= _LARGEST:
                return False
        elif one is not None and kind is not bool:
            return False
    return True


def check_canonical(value: object, where: str) -> None:
    """Raise NotCanonical, naming the path, unless `value` lies in the subset."""
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        _check_text(value, where)
    elif isinstance(value, int):
        if abs(value) > _LARGEST:
            raise NotCanonical(f"{where}: integer beyond 2**53")
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise NotCanonical(f"{where}: key {key!r} is not ASCII text")
            check_canonical(inner, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for position, inner in enumerate(value):
            check_canonical(inner, f"{where}[{position}]")
    else:
        raise NotCanonical(f"{where}: {type(value).__name__} has no canonical form")


def _check_text(value: str, where: str) -> None:
    if value.isascii():
        return
    if _SURROGATE.search(value):
        raise NotCanonical(f"{where}: lone surrogate")
    if not unicodedata.is_normalized("NFC", value):
        raise NotCanonical(f"{where}: text is not in normal form C")


def read_canonical(data: bytes) -> Json:
    """The value of canonical bytes. Raises NotCanonical for any other bytes, duplicate keys included."""
    try:
        value: Json = json.loads(data.decode(), parse_float=_no_float, object_pairs_hook=_no_duplicates)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as fault:
        raise NotCanonical(f"not JSON: {fault}") from fault
    if canonical_bytes(value) != data:
        raise NotCanonical("JSON, but not in canonical form")
    return value


def _no_float(text: str) -> object:
    raise NotCanonical(f"{text}: a number with a fraction has no canonical form")


def _no_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotCanonical("an object names a key twice")
    return found


def digest(value: Json) -> str:
    """SHA-256, in hexadecimal, of the canonical bytes of `value`."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()
