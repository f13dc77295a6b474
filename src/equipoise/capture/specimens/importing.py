"""Deciding on a laboratory's file: all of it, or nothing.

The rules that must stay true: what a line says is recorded on its form by the same judgement as if it had been typed,
so that checks, queries and refusals are the same; one line that cannot be recorded keeps the whole file out; what an
earlier report said stays, in the entries and in the history of the form. Both doors decide with this, each on its part
of the study. Source: ICH E6(R3) 4.2.5 (validated transfer, reconciliation); 21 CFR Part 11.10(e).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from equipoise.capture import decide as capture
from equipoise.capture import evolve as captured
from equipoise.capture.commands import RecordForm
from equipoise.capture.specimens.results import Door, Line, Reconciliation, reconcile, refused
from equipoise.ledger.entries import Append, Reported, ResultsImported, ResultsReported
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.protocol.study import Study
from equipoise.words.problem import Problem, problem

Place = tuple[str, str, str]
"""Subject, visit, form."""


@dataclass(frozen=True, slots=True)
class Casebooks:
    """The forms that values go to: the study's part, each subject's state and facts, and the day of each."""

    study: Study
    states: Mapping[str, captured.State]
    facts: Callable[[str], Facts]
    occasion: Callable[[str], Occasion]


@dataclass(frozen=True, slots=True)
class Judged:
    """A file with everything that would follow from it; `appends` is empty where it cannot be taken in."""

    report: Reconciliation
    appends: tuple[Append, ...] = ()


def judge_import(
    door: Door, books: Casebooks, laboratory: str, text: str, reports: int, *, corrects: bool
) -> Judged:
    """What a file would do. `reports`: how many of this laboratory's files were taken in before."""
    report = reconcile(door, laboratory, text, corrects=corrects)
    if not report.importable:
        return Judged(report)
    name = f"{laboratory}-{reports + 1:04d}"
    entries: list[Append] = []
    lines = {line.number: line for line in report.lines}
    for place, those in _by_form(report).items():
        decided = _recorded(books, place, those, name)
        if isinstance(decided, Refusal):
            lines |= _blamed(those, decided.problems)
        else:
            entries += decided
    report = replace(report, lines=tuple(lines.values()))
    if not report.importable:
        return Judged(report)
    digest = hashlib.sha256(text.encode()).hexdigest()
    whole = ResultsImported(name, laboratory, digest, len(report.lines), report.classes, corrects)
    return Judged(
        report, (Append(f"laboratory/{laboratory}", whole), *_reported(report, name, laboratory), *entries)
    )


def decide_import(judged: Judged) -> Decision:
    """The entries, or why there are none."""
    if judged.appends:
        return judged.appends
    if judged.report.unread is not None:
        return Refusal((judged.report.unread,))
    wrong = tuple(line.says for line in judged.report.lines if line.says is not None)
    return Refusal(wrong or (problem("specimens.nothing-new", "file"),))


def _by_form(report: Reconciliation) -> Mapping[Place, list[Line]]:
    found: dict[Place, list[Line]] = {}
    for line in report.lines:
        if line.found != "SAME" and line.tube is not None and line.test is not None:
            found.setdefault((line.tube.subject, line.tube.visit, line.test.form), []).append(line)
    return found


def _recorded(books: Casebooks, place: Place, lines: list[Line], report: str) -> Decision:
    subject, visit, form = place
    state = books.states.get(subject, captured.START)
    items = {line.test.item: line.datum for line in lines if line.test is not None and line.datum is not None}
    base = state.form(captured.Place(visit, form, 1)).seq
    command = RecordForm(subject, visit, form, 1, items, base, reason=report)
    decided = capture.decide(books.study, state, books.facts(subject), command, books.occasion(subject))
    same = isinstance(decided, Refusal) and [one.rule for one in decided.problems] == [
        "capture.nothing-changed"
    ]
    return () if same else decided  # the form says so already; the report is kept all the same


def _blamed(lines: list[Line], problems: tuple[Problem, ...]) -> Mapping[int, Line]:
    """The lines that problems of a form are about; the first line for those that are about no item."""
    by_item = {line.test.item: line for line in lines if line.test is not None}
    found: dict[int, Line] = {}
    for one in problems:
        line = by_item.get(one.where, lines[0])
        found.setdefault(line.number, refused(line, one))
    return found


def _reported(report: Reconciliation, name: str, laboratory: str) -> list[Append]:
    """One entry for each specimen, in the order in which the file names them."""
    found: dict[tuple[str, str], dict[str, Reported]] = {}
    for line in report.lines:
        if (
            line.found != "SAME"
            and line.tube is not None
            and line.test is not None
            and line.result is not None
        ):
            results = found.setdefault((line.tube.subject, line.tube.specimen), {})
            results[line.test.code] = line.result
    return [
        Append(f"subject/{subject}", ResultsReported(name, laboratory, specimen, results))
        for (subject, specimen), results in found.items()
    ]
