"""What a check of a definition finds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from equipoise.protocol.notation import Steps
from equipoise.words.problem import Problem, problem


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a definition. A fault keeps it from being used; a remark says what is still open.

    `path` leads to the part; `problem.where` is the same in the reader's terms once the study has been checked.
    """

    path: Steps
    problem: Problem
    fault: bool = True


Findings: TypeAlias = Iterator[Finding]


def fault(rule: str, path: Steps, **arguments: object) -> Finding:
    """A finding that keeps the definition from being used."""
    return Finding(path, problem(rule, "", **arguments))


def remark(rule: str, path: Steps, **arguments: object) -> Finding:
    """A finding that says what is still open."""
    return Finding(path, problem(rule, "", **arguments), fault=False)
