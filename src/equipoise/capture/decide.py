"""Deciding on what is captured: saves of forms, dates of visits, queries.

What holds for a save stands in `record`, for visits in `visits`, for queries in `queries`. Capture goes on after a
screening failure or a withdrawal: what happened before is still to be recorded.
"""

from __future__ import annotations

from equipoise.capture.closing.change import change_faults
from equipoise.capture.closing.commands import SubjectCommand
from equipoise.capture.closing.decide import decide_closing
from equipoise.capture.commands import (
    AnswerQuery,
    CloseQuery,
    DateVisit,
    LogCommand,
    MissVisit,
    RaiseQuery,
    RecordForm,
    ReopenVisit,
    RestoreRow,
    ReviewLog,
    VoidRow,
)
from equipoise.capture.double.applies import save_faults
from equipoise.capture.double.commands import DoubleCommand
from equipoise.capture.double.decide import decide_double
from equipoise.capture.evolve import State
from equipoise.capture.logs import decide_restore, decide_review, decide_void
from equipoise.capture.queries import decide_answer, decide_close, decide_raise
from equipoise.capture.record import decide_record
from equipoise.capture.visits import decide_date, decide_miss, decide_reopen
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.protocol.study import Study
from equipoise.words.problem import problem

KNOWN = (
    RecordForm
    | DateVisit
    | MissVisit
    | ReopenVisit
    | RaiseQuery
    | AnswerQuery
    | CloseQuery
    | LogCommand
    | SubjectCommand
    | DoubleCommand
)
"""What capture decides."""


def decide(study: Study, state: State, facts: Facts, command: object, occasion: Occasion) -> Decision:
    """Decide a command on the stream of one subject."""
    if not isinstance(command, KNOWN):
        raise TypeError(f"capture does not know {type(command).__name__}")
    if not facts.subject_known:
        return Refusal((problem("capture.subject-unknown", "subject"),))
    closed = change_faults(study, state, facts, command)
    if closed:
        return Refusal(closed)
    if isinstance(command, SubjectCommand):
        return decide_closing(study, state, facts, command, occasion)
    if isinstance(command, DoubleCommand):
        return decide_double(study, state, facts, command, occasion)
    match command:
        case RecordForm():
            if twice := save_faults(study, state, facts, command):
                return Refusal(twice)
            return decide_record(study, state, facts, command, occasion)
        case DateVisit():
            return decide_date(study, state, command, occasion)
        case MissVisit():
            return decide_miss(study, state, command, occasion)
        case ReopenVisit():
            return decide_reopen(study, state, command)
        case RaiseQuery():
            return decide_raise(study, command, occasion)
        case AnswerQuery():
            return decide_answer(state, command)
        case CloseQuery():
            return decide_close(state, command)
        case ReviewLog():
            return decide_review(study, state, command)
        case VoidRow():
            return decide_void(study, state, command)
        case RestoreRow():
            return decide_restore(study, state, command)
