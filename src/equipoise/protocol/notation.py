"""YAML text as values that know where they stand: YAML 1.2, safe, bounded, duplicate keys refused.

The rules that must stay true: nothing is guessed. A plain scalar is null, true, false, a whole number, an exact
decimal or a text; keys are always texts; texts are put into normal form C; numbers written with leading zeros
are texts, because codes are. Tags are refused; anchors are allowed, within the same bounds as everything else.
Source: YAML 1.2.2, core schema (https://yaml.org/spec/1.2.2/#103-core-schema).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import NamedTuple, TypeAlias

import yaml
from ruamel.yaml import YAML
from ruamel.yaml import events as slow
from ruamel.yaml.error import MarkedYAMLError, YAMLError, YAMLStreamError
from ruamel.yaml.reader import ReaderError
from yaml import events as fast

from equipoise.words.problem import Problem, problem

MAX_BYTES = 4_000_000
MAX_NODES = 200_000
MAX_DEPTH = 32
_LARGEST = 2**53 - 1

Plain: TypeAlias = "dict[str, Plain] | list[Plain] | str | int | Decimal | bool | None"
"""What a YAML text may hold."""
Steps: TypeAlias = tuple[str | int, ...]
"""Keys and positions from the top of a file or of a definition."""


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file of a definition; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Located:
    """A value with the place of every part: `values` where a value begins, `keys` where its key stands."""

    value: Plain
    values: Mapping[Steps, Place]
    keys: Mapping[Steps, Place]


_READ_OTHERWISE = re.compile(
    r"[\t\x85\u2028\u2029\ufeff]|[|>][-+0-9]*#|(?:^|[\s\[{,])[&*][\w-]+[^\w\s,\]}-]", re.MULTILINE
)
"""What libyaml and YAML 1.2 think differently of: tabs, line ends of YAML 1.1, marks of byte order within a text, a
comment at once behind `|`, and names of anchors with other characters than letters, digits, `_` and `-`."""


class _Event(NamedTuple):
    """A step of the parser, of either of the two."""

    kind: str
    line: int
    column: int
    tag: str | None
    anchor: str | None
    style: str | None
    value: str


def _event(found: fast.Event | slow.Event) -> _Event:
    mark = found.start_mark
    given = partial(getattr, found)
    return _Event(
        type(found).__name__.removesuffix("Event"),
        mark.line + 1 if mark is not None else 1,
        mark.column + 1 if mark is not None else 1,
        given("tag", None),
        given("anchor", None),
        given("style", None),
        given("value", ""),
    )


class _Fault(Exception):
    """Carries a Problem out of the reading; never leaves this module."""

    def __init__(self, found: Problem) -> None:
        super().__init__(found.rule)
        self.problem = found


def read_yaml(data: bytes, file: str) -> Located | Problem:
    """The value of a YAML file, or what is wrong with it and where. `file` is its name for the reader."""
    if len(data) > MAX_BYTES:
        return problem("protocol.file-too-large", file, limit=MAX_BYTES // 1_000_000)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        return problem("protocol.file-encoding", f"{file}:{line}", byte=f"0x{data[fault.start]:02X}")
    return _quickly(text, file) or _slowly(text, file)


def _quickly(text: str, file: str) -> Located | None:
    """By libyaml, thirty times as fast; None where the parser of YAML 1.2 has to say what is wrong, or may differ."""
    if _READ_OTHERWISE.search(text):
        return None
    reader = _Reader(file)
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            reader.take(_event(event))
    except (_Fault, yaml.YAMLError):
        return None
    read = reader.result()
    # Of a lone text the two think differently, and nobody means one.
    return read if isinstance(read.value, dict | list) else None


def _slowly(text: str, file: str) -> Located | Problem:
    reader = _Reader(file)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            reader.take(_event(event))
        return reader.result()
    except _Fault as fault:
        return fault.problem
    except MarkedYAMLError as fault:
        return _syntax(fault, text, file)
    except ReaderError as fault:
        line = text.count("\n", 0, fault.position) + 1
        return problem("protocol.file-character", f"{file}:{line}", found=f"U+{_code(fault):04X}")
    except RecursionError:
        return problem("protocol.file-too-deep", file, limit=MAX_DEPTH)
    except (YAMLError, YAMLStreamError, ValueError):
        return problem("protocol.file-not-yaml", file)


def _code(fault: ReaderError) -> int:
    character = fault.character
    return ord(character) if isinstance(character, str) else int(character)


@dataclass(slots=True)
class _Open:
    """A mapping or sequence that is being read."""

    value: dict[str, Plain] | list[Plain]
    path: Steps
    anchor: str | None
    key: str | None = None
    size: int = 1
    height: int = 1


@dataclass(slots=True)
class _Kept:
    """An anchored value, with its number of nodes and its height."""

    value: Plain
    size: int
    height: int


@dataclass(slots=True)
class _Reader:
    file: str
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, _Kept | None] = field(default_factory=dict)  # None while its value is still open
    values: dict[Steps, Place] = field(default_factory=dict)
    keys: dict[Steps, Place] = field(default_factory=dict)
    documents: int = 0
    done: list[Plain] = field(default_factory=list)

    def place(self, event: _Event) -> Place:
        """Where an event begins."""
        return Place(self.file, event.line, event.column)

    def result(self) -> Located:
        """The value, once all events are taken; a file without any is null."""
        return Located(self.done[0] if self.done else None, self.values, self.keys)

    def take(self, event: _Event) -> None:
        """Take the next event of the file."""
        match event.kind:
            case "Scalar":
                self._scalar(event)
            case "MappingStart" | "SequenceStart":
                self._open(event)
            case "MappingEnd" | "SequenceEnd":
                self._close()
            case "Alias":
                self._alias(event)
            case "DocumentStart":
                self.documents += 1
                if self.documents > 1:
                    self._fail("protocol.file-documents", event)

    def _fail(self, rule: str, event: _Event, **arguments: object) -> None:
        raise _Fault(problem(rule, str(self.place(event)), **arguments))

    def _wants_key(self) -> bool:
        top = self.stack[-1] if self.stack else None
        return top is not None and isinstance(top.value, dict) and top.key is None

    def _path(self) -> Steps:
        if not self.stack:
            return ()
        top = self.stack[-1]
        return (*top.path, top.key if isinstance(top.value, dict) and top.key is not None else len(top.value))

    def _open(self, event: _Event) -> None:
        if event.tag is not None:
            self._fail("protocol.file-tag", event, tag=event.tag)
        if self._wants_key():
            self._fail("protocol.file-key", event)
        if len(self.stack) >= MAX_DEPTH:
            self._fail("protocol.file-too-deep", event, limit=MAX_DEPTH)
        path = self._path()
        self.values[path] = self.place(event)
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        self.stack.append(_Open({} if event.kind == "MappingStart" else [], path, event.anchor))

    def _close(self) -> None:
        top = self.stack.pop()
        if top.anchor is not None:
            self.anchors[top.anchor] = _Kept(top.value, top.size, top.height)
        self._put(top.value, top.size, top.height)

    def _put(self, value: Plain, size: int, height: int) -> None:
        if not self.stack:
            self.done.append(value)
            return
        top = self.stack[-1]
        top.size += size
        top.height = max(top.height, height + 1)
        if isinstance(top.value, list):
            top.value.append(value)
        elif top.key is not None:
            top.value[top.key] = value
            top.key = None

    def _scalar(self, event: _Event) -> None:
        if event.tag is not None and event.tag != "!":
            self._fail("protocol.file-tag", event, tag=event.tag)
        text = unicodedata.normalize("NFC", event.value)
        if any(0xD800 <= ord(character) <= 0xDFFF for character in text):
            self._fail("protocol.file-character", event, found="U+D800")
        if self._wants_key():
            self._key(event, text)
            return
        path = self._path()
        empty = not event.value and not event.style  # nothing written: it stands where its key does
        self.values[path] = self.keys.get(path, self.place(event)) if empty else self.place(event)
        value: Plain = text if event.style or event.tag == "!" else _plain(text)
        if isinstance(value, int) and abs(value) > _LARGEST:
            self._fail("protocol.file-number-large", event, found=text)
        if event.anchor is not None:
            self.anchors[event.anchor] = _Kept(value, 1, 1)
        self._put(value, 1, 1)

    def _key(self, event: _Event, text: str) -> None:
        top = self.stack[-1]
        if not text.isascii() or not text:
            self._fail("protocol.file-key-ascii", event, key=text)
        if isinstance(top.value, dict) and text in top.value:
            first = self.keys[(*top.path, text)]
            self._fail("protocol.file-duplicate-key", event, key=text, first=first)
        top.key = text
        self.keys[self._path()] = self.place(event)

    def _alias(self, event: _Event) -> None:
        name = event.anchor or ""
        if self._wants_key():
            self._fail("protocol.file-key", event)
        kept = self.anchors.get(name)
        if kept is None:
            rule = "protocol.file-alias-open" if name in self.anchors else "protocol.file-alias"
            self._fail(rule, event, name=name)
            return
        self.values[self._path()] = self.place(event)
        if len(self.stack) + kept.height > MAX_DEPTH:
            self._fail("protocol.file-too-deep", event, limit=MAX_DEPTH)
        if sum(frame.size for frame in self.stack) + kept.size > MAX_NODES:
            self._fail("protocol.file-too-many", event, limit=MAX_NODES)
        self._put(kept.value, kept.size, kept.height)


_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE, _FALSE = frozenset({"true", "True", "TRUE"}), frozenset({"false", "False", "FALSE"})
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,40})")
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,40})\.[0-9]{1,40}")


def _plain(text: str) -> Plain:
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if _INTEGER.fullmatch(text):
        return int(text)
    return Decimal(text) if _DECIMAL.fullmatch(text) else text


_OPENED = {
    "while scanning a quoted scalar": "protocol.file-quote",
    "while parsing a flow sequence": "protocol.file-bracket",
    "while parsing a flow mapping": "protocol.file-bracket",
}


def _syntax(fault: MarkedYAMLError, text: str, file: str) -> Problem:
    """What is wrong with the YAML, in our words; the parser's own stay out of sight."""
    mark = fault.problem_mark or fault.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    lines = text.splitlines()
    here = lines[line - 1] if 0 < line <= len(lines) else ""
    where = f"{file}:{line}:{column}"
    if here[: len(here) - len(here.lstrip())].count("\t"):
        return problem("protocol.file-tab", where)
    rule = _OPENED.get(fault.context or "")
    if rule is not None and fault.context_mark is not None:
        opened = fault.context_mark
        return problem(rule, f"{file}:{opened.line + 1}:{opened.column + 1}", line=line)
    said = fault.problem or ""
    if "mapping values are not allowed" in said:
        return problem("protocol.file-colon", where)
    if "could not find expected ':'" in said:
        return problem("protocol.file-no-colon", where)
    if "expected <block end>" in said or "did not find expected" in said:
        return problem("protocol.file-indent", where)
    return problem("protocol.file-not-yaml", where)
