"""Classing many deviations at once, as a listing shows them: a dry run, and then one act for each.

The rules that must stay true: a dry run writes nothing and judges by the rules of the act itself; each deviation is
classed by an append of its own under a key made from the batch's, so that a batch can be taken up where it stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from equipoise.access.commands import Who
from equipoise.access.decide import may
from equipoise.desk.desk import Desk
from equipoise.desk.deviation_pages import DeviationLine
from equipoise.oversight.commands import ClassDeviation
from equipoise.oversight.deviating import faults_of
from equipoise.protocol.deviating import Severity
from equipoise.words.problem import Problem


@dataclass(frozen=True, slots=True)
class Class:
    """What deviations are classed as."""

    severity: Severity
    important: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Classed:
    """The deviations that were classed, or would be; and those that are left as they are, each with why."""

    lines: tuple[DeviationLine, ...]
    left: tuple[tuple[DeviationLine, Problem], ...]


def would_class(desk: Desk, who: Who, lines: Sequence[DeviationLine], given: Class) -> Classed:
    """The dry run of `class_many`."""
    found, left = [], []
    with desk.reading() as reader:
        for line in lines:
            command = _command(desk, line, given)
            now = desk.standing_light(reader, command.subject)
            known = now.case.deviations.deviations.get(line.id)
            refused = may(who, command, now.facts)
            faults = (refused,) if refused is not None else tuple(faults_of(known, command)) if known else ()
            if faults:
                left.append((line, faults[0]))
            elif known is not None:
                found.append(line)
    return Classed(tuple(found), tuple(left))


def class_many(desk: Desk, who: Who, lines: Sequence[DeviationLine], given: Class, *, key: str) -> Classed:
    """Class every deviation of `lines`; what is refused is left, and the others are classed all the same."""
    found, left = [], []
    for line in lines:
        outcome = desk.submit(who, _command(desk, line, given), key=f"{key} {line.id}")
        if outcome.accepted:
            found.append(line)
        else:
            left.append((line, outcome.problems[0]))
    return Classed(tuple(found), tuple(left))


def _command(desk: Desk, line: DeviationLine, given: Class) -> ClassDeviation:
    return ClassDeviation(
        desk.subject_id(line.number) or "", line.id, given.severity, given.important, given.note
    )
