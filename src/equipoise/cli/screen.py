"""`equipoise screen DIR --cases FILE`: judge cases against a study's criteria, without a store."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import NoReturn

from equipoise.cli.answer import Answer, done, refused
from equipoise.cli.files import read_whole
from equipoise.cli.study import read_study
from equipoise.words.canonical import Json
from equipoise.words.problem import Problem, problem

LARGEST = 64 * 1024 * 1024
"""Bytes of a file of cases; a hundred thousand full cases need fewer."""


class _KeyTwice(ValueError):
    """An object of the file names a key twice; what JSON readers make of that differs."""


def declare(subjects: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    command = subjects.add_parser("screen", help="judge cases against a study's eligibility criteria")
    command.add_argument("folder", type=Path)
    command.add_argument("--cases", type=Path, required=True, metavar="FILE")
    command.add_argument("--json", action="store_true", help="print one JSON value")
    command.set_defaults(run=_screen)


def _screen(options: argparse.Namespace) -> Answer:
    from equipoise.eligibility.screen import screen_cases

    study = read_study(options.folder)
    if isinstance(study, tuple):
        return refused(study)
    cases = _read(options.cases)
    if isinstance(cases, Problem):
        return refused((cases,))
    judged = screen_cases(study, cases)
    if isinstance(judged, tuple):
        return refused(judged)
    return done(judged, *(_line(case) for case in judged))


def _read(path: Path) -> object | Problem:
    """The one JSON value in a file, in any of JSON's encodings; a key that stands twice is a fault, not a choice."""
    data = read_whole(path, LARGEST)
    if isinstance(data, Problem):
        return data
    if len(data) > LARGEST:
        return problem("cli.too-large", str(path), largest=LARGEST // 1024**2)
    try:
        found: object = json.loads(
            data, object_pairs_hook=_once, parse_float=Decimal, parse_constant=_no_number
        )
    except _KeyTwice as fault:
        return problem("cli.key-twice", str(path), key=fault)
    except (
        ValueError,
        RecursionError,
    ) as fault:  # broken, not text, a number of thousands of digits, too deep
        return problem("cli.not-json", str(path), reason=fault)
    return found


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _KeyTwice(next(key for key in keys if keys.count(key) > 1))
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def _line(case: Mapping[str, object]) -> str:
    results = case["results"]
    shown = (
        " ".join(f"{name}={value}" for name, value in results.items()) if isinstance(results, dict) else ""
    )
    stratum = f"  stratum {case['stratum'] or 'not evaluable'}" if "stratum" in case else ""
    return f"{case['decision']:<13} {case['case']}: {shown}{stratum}"
