"""`equipoise screen DIR --cases FILE`: judge cases against a study's criteria, without a store."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

from equipoise.cli.answer import Answer, done, refused
from equipoise.cli.study import read_study
from equipoise.words.problem import problem


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
    try:
        cases = json.loads(options.cases.read_text("utf-8"))
    except OSError as fault:
        return refused((problem("cli.cannot-read", str(options.cases), reason=fault.strerror or fault),))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as fault:
        return refused((problem("cli.not-json", str(options.cases), reason=fault),))
    judged = screen_cases(study, cases)
    if isinstance(judged, tuple):
        return refused(judged)
    return done(judged, *(_line(case) for case in judged))


def _line(case: Mapping[str, object]) -> str:
    results = case["results"]
    shown = (
        " ".join(f"{name}={value}" for name, value in results.items()) if isinstance(results, dict) else ""
    )
    stratum = f"  stratum {case['stratum'] or 'not evaluable'}" if "stratum" in case else ""
    return f"{case['decision']:<13} {case['case']}: {shown}{stratum}"
