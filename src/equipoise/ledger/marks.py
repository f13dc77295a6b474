"""What comes from outside with a command: its texts, the idempotency key, the device's clock; and the command's mark.

The rules that must stay true: headers stand in clear, so nothing of them tells a value or a name: the mark is keyed,
because values are few and whoever had the store alone could find one out by trying; the key and the device's clock
are looked at, because they come from outside. The mark is the same for the same command by the same person in the
same role, and for nothing else. Whatever was typed has a mark: what may be recorded of it is for the rooms to say.
Source: DESIGN 4 (entry, append).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import hmac
import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Protocol

from equipoise.ledger.keys import Keys
from equipoise.words.canonical import Json

_KEY = re.compile(r"[ -~]{1,128}")
_MOMENT_AT_MOST = 40


class Acting(Protocol):
    """Who gives a command, and as what."""

    @property
    def actor(self) -> str:
        """The random id."""

    @property
    def role(self) -> str:
        """As what the person acts."""


class Marker:
    """Makes the marks of one store."""

    def __init__(self, keys: Keys) -> None:
        self._secret = hashlib.sha256(keys.sign(b"equipoise desk: marks of commands 1")).digest()

    def mark(self, who: Acting, asked: Json) -> str:
        """The mark (hexadecimal) of the command `asked`, given by a person in a role."""
        # Not canonical bytes, which refuse some texts: here every text must do, and only be the same again.
        said = json.dumps([who.actor, who.role, asked], sort_keys=True)
        return hmac.new(self._secret, said.encode(), hashlib.sha256).hexdigest()


def usable_key(key: str) -> bool:
    """Whether a text may serve as an idempotency key: 1 to 128 printable ASCII characters."""
    return _KEY.fullmatch(key) is not None


def claimed_moment(text: str | None) -> str | None:
    """What the device's clock claimed, as it wrote it; None for a text that is no moment (ISO 8601)."""
    if text is None or len(text) > _MOMENT_AT_MOST:
        return None
    try:
        dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return text


def in_normal_form(value: Any) -> Any:  # Any: a command, or a part of one; the same kind comes back
    """A command with every text in it in normal form C, as the ledger keeps texts."""
    kind = type(value)
    if kind is str:
        return value if value.isascii() else unicodedata.normalize("NFC", value)
    if value is None or kind is bool or kind is int:
        return value
    if kind is tuple:
        return tuple([in_normal_form(inner) for inner in value])
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, Mapping):
        return {in_normal_form(key): in_normal_form(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return tuple(in_normal_form(inner) for inner in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changed: dict[str, Any] = {}  # Any: of whatever type the fields are
        for name in _names_of(type(value)):
            held = getattr(value, name)
            if (normal := in_normal_form(held)) is not held:
                changed[name] = normal
        return dataclasses.replace(value, **changed) if changed else value
    return value


_NAMES: dict[type[Any], tuple[str, ...]] = {}  # Any: a command, or a part of one


def _names_of(kind: type[Any]) -> tuple[str, ...]:  # Any: as above
    """The fields of a dataclass; asked for once."""
    if kind not in _NAMES:
        _NAMES[kind] = tuple(field.name for field in dataclasses.fields(kind))
    return _NAMES[kind]


def command_json(command: object) -> Json:
    """A command as canonical JSON: its name and its fields."""
    if not dataclasses.is_dataclass(command) or isinstance(command, type):
        raise TypeError("a command is a dataclass")
    return {"command": type(command).__name__, **_plain_fields(command)}


def _plain_fields(value: Any) -> dict[str, Json]:  # Any: an instance of a dataclass
    return {name: _plain(getattr(value, name)) for name in _names_of(type(value))}


def _plain(value: object) -> Json:
    if value is None or isinstance(value, (str, int)):  # a tuple takes a third of the time of a union
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    if dataclasses.is_dataclass(value):
        return _plain_fields(value)
    raise TypeError(f"a command holds no {type(value).__name__}")
