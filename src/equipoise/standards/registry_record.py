"""A registry record as one tree, put together from its flat fields.

`RegistryField`s stand one by one, each with its source and line, and at any grain: a whole object, a list, or one
leaf (`armGroups[0].label`). A `Record` answers by path whatever the grain, so that a page, an importer and a
hand-written study read the same record alike. Where two fields speak of one path the first is the answer; `fields`
still holds both. Nothing in a record is ever of a wrong shape for this class: what does not fit is simply not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from equipoise.protocol.study import RegistryField

Published: TypeAlias = "dict[str, Published] | list[Published] | str | int | bool | None"
"""JSON as published."""
_TOKEN = re.compile(r"\[(\d{1,9})\]|([^.\[\]]+)")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")


class _Branch:
    """A place in the tree: a value of its own, or branches below it."""

    __slots__ = ("below", "held", "value")

    def __init__(self) -> None:
        self.below: dict[str | int, _Branch] = {}
        self.held = False
        self.value: Published = None

    def put(self, value: object) -> None:
        if isinstance(value, Mapping) and value:
            for key, inner in value.items():
                self.below.setdefault(str(key), _Branch()).put(inner)
        elif isinstance(value, list | tuple) and value:
            for position, inner in enumerate(value):
                self.below.setdefault(position, _Branch()).put(inner)
        elif not self.held:
            self.held = True
            self.value = _plain(value)

    def whole(self) -> Published:
        if not self.below:
            return self.value
        if all(isinstance(key, int) for key in self.below):
            return [self.below[key].whole() for key in sorted(self.below, key=int)]
        return {str(key): branch.whole() for key, branch in self.below.items()}


def _plain(value: object) -> Published:
    if isinstance(value, Mapping):
        return {}
    if isinstance(value, list | tuple):
        return []
    return value if value is None or isinstance(value, str | int) else str(value)


def _tokens(path: str) -> tuple[str | int, ...]:
    return tuple(int(hit[1]) if hit[1] else hit[2] for hit in _TOKEN.finditer(path))


class Record:
    """The fields of a record, answerable by path."""

    def __init__(self, fields: Iterable[RegistryField]) -> None:
        self.fields = tuple(fields)
        self._root = _Branch()
        for field in self.fields:
            branch = self._root
            for token in _tokens(field.path):
                branch = branch.below.setdefault(token, _Branch())
            branch.put(field.value)

    def get(self, path: str) -> Published:
        """What is published at `path`, put together from its parts; None where the record is silent."""
        branch: _Branch | None = self._root
        for token in _tokens(path):
            branch = branch.below.get(token) if branch else None
        return branch.whole() if branch else None

    def text(self, path: str) -> str | None:
        """The text at `path`, or None where there is none or it is no text."""
        value = self.get(path)
        return value if isinstance(value, str) and value.strip() else None

    def count(self, path: str) -> int | None:
        """The whole number at `path`, or None."""
        value = self.get(path)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def truth(self, path: str) -> bool | None:
        """The yes or no at `path`, or None."""
        value = self.get(path)
        return value if isinstance(value, bool) else None

    def texts(self, path: str) -> tuple[str, ...]:
        """The texts of the list at `path`; none where there is no list. Other things in the list are passed over."""
        value = self.get(path)
        found = value if isinstance(value, list) else []
        return tuple(entry for entry in found if isinstance(entry, str) and entry.strip())

    def objects(self, path: str) -> tuple[Mapping[str, Published], ...]:
        """The objects of the list at `path`; none where there is no list. Other things in it are passed over."""
        value = self.get(path)
        found = value if isinstance(value, list) else []
        return tuple(entry for entry in found if isinstance(entry, dict))

    def has(self, path: str) -> bool:
        """Whether anything but an empty text, list or object is published at `path`."""
        return self.get(path) not in (None, "", [], {})

    def field(self, path: str) -> RegistryField | None:
        """The first field at `path` or below it: where a reader finds the value in the source."""
        below = (path + ".", path + "[")
        return next((f for f in self.fields if f.path == path or f.path.startswith(below)), None)

    def line(self, path: str) -> int | None:
        """The line in the source of the value at `path`, where it is known."""
        field = self.field(path)
        return field.line if field else None


def readable(text: str) -> str:
    r"""Registry text as a person reads it: a backslash that only protects a sign (`\>`, `\*`) is left out."""
    return _ESCAPE.sub(r"\1", text)


def words_of(entry: Mapping[str, Published], key: str) -> str | None:
    """The text at `key` of an object of the record, or None where there is none."""
    value = entry.get(key)
    return value if isinstance(value, str) and value.strip() else None
