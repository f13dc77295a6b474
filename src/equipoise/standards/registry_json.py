"""JSON read with the line of every value, and read as far as it goes.

The standard reader forgets where a value stood and gives nothing when a file is cut. This one keeps a line for
each value, keeps both values where an object names a key twice, keeps numbers with a fraction as they are written
(no binary float ever stands for one), and returns what was complete when the text breaks off.
The rule that must stay true: a value that is not complete in the file is never returned.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

DEEPEST = 64
"""Levels of nesting that are followed; the registry's own records have fewer than fifteen."""
_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_LARGEST = 2**53 - 1
_WORDS: tuple[tuple[str, bool | None], ...] = (("true", True), ("false", False), ("null", None))
_DECODER = json.JSONDecoder(strict=False)

Scalar = str | int | bool | None


@dataclass(slots=True)
class Node:
    """One value: a scalar, or an object with its members, or an array with its items. `line` counts from 1."""

    line: int
    scalar: Scalar = None
    members: list[tuple[str, Node]] | None = None
    items: list[Node] | None = None

    def member(self, key: str) -> Node | None:
        """The value at `key` of an object; None where this is no object or has no such key."""
        return next((node for name, node in self.members or () if name == key), None)


@dataclass(frozen=True, slots=True)
class Break:
    """Where the text stops being JSON, and why, in English words for a log or a report."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class JsonText:
    """What a text holds: its value (None when not even the beginning is JSON), its break, and what follows it."""

    root: Node | None
    broken: Break | None
    rest: str
    rest_line: int


class _Broken(Exception):
    def __init__(self, position: int, reason: str) -> None:
        super().__init__(reason)
        self.position, self.reason = position, reason


def read_json(text: str) -> JsonText:
    """Read one JSON value from the start of `text`; never raises on what the text holds."""
    reader = _Reader(text)
    found: list[Node] = []
    try:
        reader.value(found.append, 0)
    except _Broken as fault:
        broken = Break(reader.line(fault.position), fault.reason)
        return JsonText(found[0] if found else None, broken, "", broken.line)
    reader.space()
    return JsonText(found[0], None, text[reader.position :], reader.line(reader.position))


@dataclass(slots=True)
class _Reader:
    text: str
    position: int = 0
    _breaks: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self._breaks = [hit.start() for hit in re.finditer("\n", self.text)]

    def line(self, position: int) -> int:
        return bisect_right(self._breaks, position - 1) + 1

    def space(self) -> None:
        hit = _SPACE.match(self.text, self.position)
        self.position = hit.end() if hit else self.position

    def value(self, attach: Callable[[Node], None], depth: int) -> None:
        self.space()
        first = self.text[self.position : self.position + 1]
        node = Node(self.line(self.position))
        if first in "{[" and first:
            if depth >= DEEPEST:
                raise _Broken(self.position, "nested too deeply")
            attach(node)  # before its content, so that a cut file keeps what was complete
            self.position += 1
            if first == "{":
                node.members = []
                self._members(node.members, depth + 1)
            else:
                node.items = []
                self._items(node.items, depth + 1)
            return
        node.scalar = self._scalar(first)
        attach(node)

    def _members(self, members: list[tuple[str, Node]], depth: int) -> None:
        for _ in self._separated("}"):
            if not self.text.startswith('"', self.position):
                raise _Broken(self.position, "a key in quotation marks was expected")
            key = self._string()
            self.space()
            self._take(":")
            self.value(lambda node, key=key: members.append((key, node)), depth)  # type: ignore[misc]

    def _items(self, items: list[Node], depth: int) -> None:
        for _ in self._separated("]"):
            self.value(items.append, depth)

    def _separated(self, end: str) -> Iterator[None]:
        """Stand at each element in turn, until `end` has been taken."""
        self.space()
        if self.text.startswith(end, self.position):
            self.position += 1
            return
        while True:
            self.space()
            yield
            self.space()
            if self.text.startswith(end, self.position):
                self.position += 1
                return
            self._take(",")

    def _take(self, sign: str) -> None:
        if not self.text.startswith(sign, self.position):
            what = "the file ends" if self.position >= len(self.text) else "something else stands"
            raise _Broken(self.position, f"{what} where {sign!r} was expected")
        self.position += 1

    def _scalar(self, first: str) -> Scalar:
        if first == '"':
            return self._string()
        for word, meaning in _WORDS:
            if self.text.startswith(word, self.position):
                self.position += len(word)
                return meaning
        return self._number()

    def _string(self) -> str:
        try:
            value, self.position = _DECODER.raw_decode(self.text, self.position)
        except ValueError as fault:
            raise _Broken(self.position, "a text does not end or holds a broken escape") from fault
        return str(value)

    def _number(self) -> int | str:
        hit = _NUMBER.match(self.text, self.position)
        if hit is None:
            ends = self.position >= len(self.text)
            raise _Broken(self.position, "the file ends" if ends else "no value stands here")
        if hit.end() == len(self.text):
            raise _Broken(self.position, "the file ends inside a number")
        self.position = hit.end()
        if hit[1] or hit[2] or len(hit[0]) > 17 or abs(int(hit[0])) > _LARGEST:
            return hit[0]
        return int(hit[0])
