"""What is observed of a world, kept on disk for comparison: one line for each observation, its bytes beside it.

An observation is (comparison, role, operation, state) and bytes. The rule that must stay true: nothing observed is left
out, shortened or smoothed before it is compared; the list of fields that may differ is empty.
"""

from __future__ import annotations

import hashlib
import json
import logging
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

COMPARISONS: Mapping[str, str] = {
    "status": "HTTP status of every answer",
    "headers": "all headers of every answer, in order",
    "body": "every byte of every answer, unpacked where it was packed",
    "wire": "length in bytes of the answer as it goes out",
    "statements": "number and text of SQL statements of a request",
    "work": "number of calls made inside the program to answer (what takes time takes calls)",
    "chance": "how much randomness was drawn, and when",
    "moments": "how often the clock was asked",
    "log": "every log record of any level, its arguments and tracebacks",
    "said": "standard output and standard error",
    "outcome": "what the desk answers to a command: problems, receipt, position, moment",
    "rows": "every table of every database as a superuser reads it: rows, order, lengths, statistics",
    "files": "every file the first door has written: name, mode, size, bytes",
    "posted": "everything handed to a mail server or another host",
    "terminal": "exit status and output of a command of the terminal",
    "channel": "every byte that passes between the doors",
    "rules": "what must hold in each world by itself: roles apart, seals of one length, no known seed in a trial",
    "sizes": "names and sizes of the second door's own files",
}
"""Comparison -> what it compares, between worlds, byte for byte."""


SEEN = "seen.jsonl"


@dataclass(frozen=True, slots=True)
class Seen:
    """One observation: which comparison, whose, of which operation, in which state, the how-manieth of these."""

    comparison: str
    role: str
    operation: str
    state: str
    ordinal: int


class Watch:
    """Takes observations down."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lines = (folder / SEEN).open("w", encoding="utf-8")
        self._bytes = (folder / "seen.bytes").open("wb")
        self._count: dict[tuple[str, str, str, str], int] = {}
        self._kept: dict[str, tuple[int, int]] = {}
        self._at = 0
        self.state = "begin"
        self.on = True

    def note(self, comparison: str, role: str, operation: str, value: bytes | str | object) -> None:
        """Take down one observation."""
        if not self.on:
            return
        if comparison not in COMPARISONS:
            raise KeyError(comparison)
        data = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")
        key = (comparison, role, operation, self.state)
        ordinal = self._count[key] = self._count.get(key, 0) + 1
        digest = hashlib.sha256(data).hexdigest()
        if digest not in self._kept:  # what was seen before is kept once
            packed = zlib.compress(data, 1)
            self._kept[digest] = self._at, len(packed)
            self._bytes.write(packed)
            self._at += len(packed)
        self._lines.write(json.dumps([*key, ordinal, digest, len(data), *self._kept[digest]]) + "\n")

    def close(self) -> None:
        """Finish the files."""
        self._lines.close()
        self._bytes.close()


class Log(logging.Handler):
    """Hears every record of every logger and takes it down with its arguments and traceback."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(level=0)
        self._watch = watch
        self.role = "program"
        self.operation = "-"

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record down."""
        told = self.format(record) if record.exc_info else record.getMessage()
        line = f"{record.name} {record.levelno} {told} {record.args!r}"
        self._watch.note("log", self.role, self.operation, line)


def read_seen(folder: Path) -> Iterator[tuple[Seen, str, int, int, int]]:
    """What was taken down: the observation, digest, length, and where its bytes are."""
    with (folder / SEEN).open(encoding="utf-8") as lines:
        for line in lines:
            comparison, role, operation, state, ordinal, digest, length, at, size = json.loads(line)
            yield Seen(comparison, role, operation, state, ordinal), digest, length, at, size


def read_bytes(folder: Path, at: int, size: int) -> bytes:
    """The bytes of an observation."""
    with (folder / "seen.bytes").open("rb") as file:
        file.seek(at)
        return zlib.decompress(file.read(size))
