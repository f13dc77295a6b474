"""What a command answers, and how it is printed.

The rules that must stay true: exit 0 means done, 1 that the answer is no or the data are at fault (the last line
says why), 2 wrong usage; `--json` prints exactly one JSON value on standard output and nothing else there. Neither
the letters that a terminal knows nor a name with odd signs in it changes that.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import json
import os
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from equipoise.words.canonical import Json
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Language

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode's categories of signs that steer, or that are only half a sign."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of a command: its value for machines, its lines for people, and the exit status."""

    status: int
    value: Json
    lines: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def language() -> Language:
    """The reader's language: EQUIPOISE_LANGUAGE, else that of the terminal, else English."""
    wanted = (
        os.environ.get("EQUIPOISE_LANGUAGE") or os.environ.get("LC_ALL") or os.environ.get("LANG") or "en"
    )
    return "zh" if wanted.lower().startswith("zh") else "en"


def done(value: Json, *lines: str) -> Answer:
    """Exit 0."""
    return Answer(0, value, lines)


def refused(problems: Sequence[Problem], value: Json = None) -> Answer:
    """Exit 1: each problem on a line, place first."""
    given = value if value is not None else {"problems": [problem_json(found) for found in problems]}
    return Answer(1, given, tuple(line(found) for found in problems), tuple(problems))


def told(key: str, **arguments: object) -> str:
    """A message of the catalogue in the reader's language, for what was done."""
    return problem(key, "", **arguments).say(language())


def occupied(path: Path) -> bool:
    """Whether something stands where a new folder is to be written: a file, or a folder that holds something."""
    return path.exists() and not (path.is_dir() and not any(path.iterdir()))


def line(found: Problem) -> str:
    """A problem as one line of a terminal."""
    return f"{found.where}: {found.say(language())}" if found.where else found.say(language())


def problem_json(found: Problem) -> Json:
    """A problem as JSON: key, place, arguments and the message in the reader's language."""
    return {
        "rule": found.rule,
        "where": found.where,
        "says": found.say(language()),
        "arguments": dict(found.arguments),
    }


def show(answer: Answer, *, as_json: bool) -> int:
    """Print the answer and give its exit status. Lines of a refusal go to standard error.

    Raises OSError where standard output takes nothing more.
    """
    if as_json and sys.stdout is not None:
        text = json.dumps(answer.value, ensure_ascii=not _knows_all_letters(sys.stdout), indent=1)
        _write(sys.stdout, text)
    for text in answer.lines:
        _write(sys.stderr if answer.status or as_json else sys.stdout, visible(text))
    if sys.stdout is not None:
        sys.stdout.flush()
    return answer.status


def visible(text: str) -> str:
    """A text on one line, with signs that would steer a terminal written out (a name of a file may hold any)."""
    return "".join(
        sign.encode("unicode_escape").decode("ascii") if unicodedata.category(sign) in _UNSEEN else sign
        for sign in text
    )


def _write(stream: TextIO | None, text: str) -> None:
    """One line, in such letters as the stream knows; nothing where it was closed before the program began."""
    if stream is None:
        return
    if isinstance(stream, io.TextIOWrapper) and stream.errors != "backslashreplace":
        stream.reconfigure(errors="backslashreplace")
    stream.write(text + "\n")


def _knows_all_letters(stream: TextIO) -> bool:
    return codecs.lookup(stream.encoding or "utf-8").name == "utf-8"


def unheard(fault: OSError) -> int:
    """Standard output took not everything: its reader went away (no more is said), or the disk is full. Exit 1."""
    with contextlib.suppress(
        OSError, ValueError
    ):  # what waits to be written goes nowhere, without a second fault
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if not isinstance(fault, BrokenPipeError):
        with contextlib.suppress(OSError):
            _write(sys.stderr, line(problem("cli.output-lost", reason=fault.strerror or fault)))
    return 1
