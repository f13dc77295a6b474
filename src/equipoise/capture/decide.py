"""Deciding on what is captured: saves of forms, dates of visits, queries.

What holds for a save stands in `record`, for queries in `queries`. Capture goes on after a screening failure or a
withdrawal: what happened before is still to be recorded.
"""

from __future__ import annotations

from equipoise.capture.closing.change import change_faults
from equipoise.capture.closing.commands import SubjectCommand
from equipoise.capture.closing.decide import decide_closing
from equipoise.capture.commands import AnswerQuery, CloseQuery, DateVisit, RaiseQuery, RecordForm
from equipoise.capture.evolve import State
from equipoise.capture.placing import visit_faults
from equipoise.capture.queries import decide_answer, decide_close, decide_raise
from equipoise.capture.record import decide_record
from equipoise.ledger.entries import Append, VisitDated
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.protocol.study import Study
from equipoise.words.dates import parse_date
from equipoise.words.problem import Problem, problem


def decide(study: Study, state: State, facts: Facts, command: object, occasion: Occasion) -> Decision:
    """Decide a command on the stream of one subject."""
    if not isinstance(
        command, RecordForm | DateVisit | RaiseQuery | AnswerQuery | CloseQuery | SubjectCommand
    ):
        raise TypeError(f"capture does not know {type(command).__name__}")
    if not facts.subject_known:
        return Refusal((problem("capture.subject-unknown", "subject"),))
    closed = change_faults(study, state, facts, command)
    if closed:
        return Refusal(closed)
    if isinstance(command, SubjectCommand):
        return decide_closing(study, state, facts, command, occasion)
    match command:
        case RecordForm():
            return decide_record(study, state, facts, command, occasion)
        case DateVisit():
            return _date(study, state, command, occasion)
        case RaiseQuery():
            return decide_raise(study, command, occasion)
        case AnswerQuery():
            return decide_answer(state, command)
        case CloseQuery():
            return decide_close(state, command)


def _date(study: Study, state: State, command: DateVisit, occasion: Occasion) -> Decision:
    """A visit's date is recorded as it was, in its window or not; only a day that is still to come is refused."""
    faults = visit_faults(study, command.visit, command.repeat)
    if faults:
        return Refusal(faults)
    today = occasion.today
    date = parse_date(command.on, six=study.entry.six_digit_dates, today=today)
    fault: Problem | None = None
    if date is None or not date.complete:
        fault = problem("capture.visit-date-incomplete", "on", given=command.on)
    elif date.earliest > today:
        fault = problem("capture.visit-in-the-future", "on", given=date.iso(), today=today.isoformat())
    else:
        now = state.dates.get((command.visit, command.repeat))
        if now is not None and now.on == date.iso():
            fault = problem("capture.nothing-changed")
    if fault is not None or date is None:
        return Refusal((fault,) if fault is not None else ())
    return (Append(f"subject/{command.subject}", VisitDated(command.visit, date.iso(), command.repeat)),)
