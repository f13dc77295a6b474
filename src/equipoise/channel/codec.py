"""Messages to bytes and back: canonical JSON, one frame length for every answer.

The rules that must stay true: reading what was written gives the same message; bytes that no message could have
written are None, never a crash; an answer has FRAME bytes whatever it says, and what does not fit waits for the next.
A statement is signed over `statement_bytes`, which no other signature of the second door ever covers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, cast

from equipoise.channel.messages import FRAME, PER_ANSWER, STATEMENTS, Answer, Delivery, Disclosed, Statement
from equipoise.words.canonical import Json, NotCanonical, canonical_bytes, read_canonical

DELIVERY_AT_MOST = 32 * 1024 * 1024
"""Bytes of a delivery at most: a published list of 100,000 slots is about 11 MB."""


def write_delivery(delivery: Delivery) -> bytes:
    """The bytes of a delivery."""
    return canonical_bytes(_plain(delivery))


def read_delivery(data: bytes) -> Delivery | None:
    """The delivery that bytes say; None for any other bytes."""
    found = _object(data, Delivery)
    if found is None or not isinstance(found["entries"], list):
        return None
    entries = tuple(_disclosed(one) for one in found["entries"])
    consistency, heard = _texts(found["consistency"]), _count(found["heard"])
    checkpoint = found["checkpoint"]
    if consistency is None or heard is None or not isinstance(checkpoint, str):
        return None
    whole = tuple(one for one in entries if one is not None)
    return Delivery(checkpoint, consistency, whole, heard) if len(whole) == len(entries) else None


def write_answer(size: int, upto: int, refused: str, waiting: tuple[Statement, ...]) -> bytes:
    """The frame of an answer with as many of the `waiting` statements as it holds, the first ones first."""
    for count in range(min(len(waiting), PER_ANSWER), -1, -1):
        data = canonical_bytes(_plain(Answer(size, upto, refused, waiting[:count])))
        if len(data) <= FRAME:
            return data.ljust(FRAME, b" ")
    raise ValueError("an answer without statements always fits")


def read_answer(data: bytes) -> Answer | None:
    """The answer that a frame says; None for any other bytes."""
    found = _object(data.rstrip(b" "), Answer) if len(data) == FRAME else None
    if found is None or not isinstance(found["statements"], list):
        return None
    statements = tuple(_statement(one) for one in found["statements"])
    whole = tuple(one for one in statements if one is not None)
    size, upto, refused = _count(found["size"]), _count(found["upto"]), found["refused"]
    if size is None or upto is None or not isinstance(refused, str) or len(whole) < len(statements):
        return None
    return Answer(size, upto, refused, whole)


def statement_bytes(number: int, says: str, content: str) -> bytes:
    """What the second door signs for a statement."""
    return b"equipoise statement 1\n" + canonical_bytes({"number": number, "says": says, "content": content})


def read_content(statement: Statement) -> Mapping[str, Json] | None:
    """The fields of a statement by name; None where they are not exactly those of its kind."""
    try:
        found = read_canonical(statement.content.encode())
    except NotCanonical:
        return None
    fields = STATEMENTS.get(statement.says)
    if fields is None or not isinstance(found, dict) or set(found) != set(fields):
        return None
    return found


def _plain(message: Any) -> Json:  # Any: a message, or a value in one
    if dataclasses.is_dataclass(message) and not isinstance(message, type):
        return {field.name: _plain(getattr(message, field.name)) for field in dataclasses.fields(message)}
    if isinstance(message, tuple):
        return [_plain(inner) for inner in message]
    return cast(Json, message)


def _object(data: bytes, kind: type) -> dict[str, Any] | None:  # Any: looked at field by field
    if len(data) > DELIVERY_AT_MOST:
        return None
    try:
        return _fields(read_canonical(data), kind)
    except NotCanonical:
        return None


def _fields(value: object, kind: type) -> dict[str, Any] | None:  # Any: as above
    names = {field.name for field in dataclasses.fields(kind)}
    return value if isinstance(value, dict) and set(value) == names else None


def _disclosed(value: object) -> Disclosed | None:
    found = _fields(value, Disclosed)
    if found is None:
        return None
    path, index = _texts(found["path"]), _count(found["index"])
    texts = _texts([found["header"], found["body"], found["nonce"]])
    if path is None or index is None or texts is None:
        return None
    header, body, nonce = texts
    return Disclosed(header, body, nonce, index, path)


def _statement(value: object) -> Statement | None:
    found = _fields(value, Statement)
    if found is None:
        return None
    number, texts = _count(found["number"]), _texts([found["says"], found["content"], found["signature"]])
    if number is None or texts is None:
        return None
    says, content, signature = texts
    return Statement(number, says, content, signature)


def _texts(value: object) -> tuple[str, ...] | None:
    whole = isinstance(value, list) and all(isinstance(one, str) for one in value)
    return tuple(cast("list[str]", value)) if whole else None


def _count(value: object) -> int | None:
    return value if type(value) is int and value >= 0 else None
