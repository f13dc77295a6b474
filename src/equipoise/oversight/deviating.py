"""Deciding on protocol deviations: recording one by hand, explaining, classing, settling, and taking back.

The rules that must stay true: what is not in the table of states may not happen; every refusal says what is lacking; a
deviation that no person classed cannot be settled, and one beyond minor not without what is done about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from equipoise.ledger.entries import (
    Append,
    DeviationClassed,
    DeviationClosed,
    DeviationExplained,
    DeviationRaised,
    DeviationReopened,
    DeviationWithdrawn,
    Entry,
)
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.oversight.commands import (
    ClassDeviation,
    CloseDeviation,
    ExplainDeviation,
    RaiseDeviation,
    ReopenDeviation,
    WithdrawDeviation,
)
from equipoise.oversight.deviations import MANUAL, NEXT, Deviation, State
from equipoise.protocol.study import Study
from equipoise.words.canonical import digest
from equipoise.words.dates import whole_date
from equipoise.words.problem import Problem, problem

TEXT_LIMIT = 4000
"""Characters of a text about a deviation."""
Act: TypeAlias = ClassDeviation | ExplainDeviation | CloseDeviation | ReopenDeviation | WithdrawDeviation


def decide_deviation(
    study: Study, state: State, facts: Facts, command: RaiseDeviation | Act, occasion: Occasion
) -> Decision:
    """Decide a command on a subject's deviations."""
    if not facts.subject_known:
        return Refusal((problem("deviations.subject-unknown", "subject"),))
    if isinstance(command, RaiseDeviation):
        return _raise(study, state, command, occasion)
    known = state.deviations.get(command.deviation)
    if known is None:
        return Refusal((problem("deviations.unknown", "deviation"),))
    faults = tuple(faults_of(known, command))
    if faults:
        return Refusal(faults)
    return (Append(f"subject/{command.subject}", _entry(command)),)


def _raise(study: Study, state: State, command: RaiseDeviation, occasion: Occasion) -> Decision:
    on, text = whole_date(command.on, "deviations.date-incomplete", "on"), command.text.strip()
    faults = list(_text_faults(text, "text"))
    if isinstance(on, Problem):
        faults.append(on)
    elif on.earliest > occasion.today:
        faults.append(problem("deviations.in-the-future", "on", given=on.iso()))
    if command.visit and study.visit(command.visit) is None:
        faults.append(problem("deviations.visit-unknown", "visit", visit=command.visit))
    if faults or isinstance(on, Problem):
        return Refusal(tuple(faults))
    name = digest([command.subject, command.visit, text, occasion.at.isoformat(), len(state.deviations)])[:16]
    raised = DeviationRaised(name, MANUAL, command.visit, on=on.iso(), text=text)
    return (Append(f"subject/{command.subject}", raised),)


def faults_of(known: Deviation, command: Act) -> Iterator[Problem]:
    """Why an act on a deviation is refused as things stand; nothing where it may happen."""
    acts = {
        ClassDeviation: "class",
        ExplainDeviation: "explain",
        CloseDeviation: "close",
        ReopenDeviation: "reopen",
        WithdrawDeviation: "withdraw",
    }
    if (known.state, acts[type(command)]) not in NEXT:
        yield problem(f"deviations.is-{known.state.lower()}", "deviation")
        return
    match command:
        case ClassDeviation():
            if (known.severity, known.important, known.note) == (
                command.severity,
                command.important,
                command.note.strip(),
            ):
                yield problem("deviations.nothing-changed")
            yield from _too_long(command.note, "note")
        case ExplainDeviation():
            yield from _text_faults(command.explanation.strip(), "explanation")
            yield from _too_long(command.action, "action")
        case CloseDeviation():
            yield from _unsettled(known)
            yield from _too_long(command.note, "note")
        case _:
            yield from _text_faults(command.reason.strip(), "reason")


def _unsettled(known: Deviation) -> Iterator[Problem]:
    if not known.severity:
        yield problem("deviations.not-classed", "severity")
    if not known.explanation:
        yield problem("deviations.not-explained", "explanation")
    if known.severity in {"MAJOR", "CRITICAL"} and not known.action:
        yield problem("deviations.no-action", "action")


def _entry(command: Act) -> Entry:
    name = command.deviation
    match command:
        case ClassDeviation():
            return DeviationClassed(name, command.severity, command.important, command.note.strip())
        case ExplainDeviation():
            return DeviationExplained(name, command.explanation.strip(), command.action.strip())
        case CloseDeviation():
            return DeviationClosed(name, command.note.strip())
        case ReopenDeviation():
            return DeviationReopened(name, command.reason.strip())
        case WithdrawDeviation():
            return DeviationWithdrawn(name, automatic=False, reason=command.reason.strip())


def _text_faults(text: str, where: str) -> Iterator[Problem]:
    if not text:
        yield problem("deviations.text-required", where)
    yield from _too_long(text, where)


def _too_long(text: str, where: str) -> Iterator[Problem]:
    if len(text) > TEXT_LIMIT:
        yield problem("deviations.text-too-long", where, limit=TEXT_LIMIT)
