"""What a command answers, and how it is printed.

The rules that must stay true: exit 0 means done, 1 that the answer is no or the data are at fault (the last line
says why), 2 wrong usage; `--json` prints exactly one JSON value on standard output and nothing else there.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from equipoise.words.canonical import Json
from equipoise.words.problem import Problem
from equipoise.words.text import Language


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
    """Print the answer and give its exit status. Lines of a refusal go to standard error."""
    if as_json:
        sys.stdout.write(json.dumps(answer.value, ensure_ascii=False, indent=1) + "\n")
    for text in answer.lines:
        (sys.stderr if answer.status or as_json else sys.stdout).write(text + "\n")
    return answer.status
