"""Freezing and locking a form, a visit or a participant, and the way to the other decisions of closing.

The rules that must stay true: what is locked was complete, signed as it stands and without an open query; opening
again has a reason. Whether a place may be touched at all was asked before (`change`).
"""

from __future__ import annotations

from collections.abc import Iterator

from equipoise.capture.closed import EVERYTHING, Spot
from equipoise.capture.closing.change import place_words
from equipoise.capture.closing.commands import (
    FreezeData,
    LockData,
    ReviewForm,
    ScopeCommand,
    SignForms,
    SubjectCommand,
    UnfreezeData,
    UnlockData,
    VerifyItems,
)
from equipoise.capture.closing.signing import decide_sign, signature_state
from equipoise.capture.closing.verifying import decide_review, decide_verify
from equipoise.capture.commands import CancelQuery
from equipoise.capture.evolve import Place, State
from equipoise.capture.parsing import TEXT_LIMIT, clean
from equipoise.capture.placing import place_faults
from equipoise.capture.queries import decide_cancel, decide_reopen
from equipoise.ledger.entries import Append, DataFrozen, DataLocked, DataUnfrozen, DataUnlocked, Entry
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.protocol.study import Study
from equipoise.words.problem import Problem, problem


def decide_closing(
    study: Study, state: State, facts: Facts, command: SubjectCommand, occasion: Occasion
) -> Decision:
    """Decide a command that closes something of one participant."""
    match command:
        case SignForms():
            return decide_sign(study, state, facts, command, occasion)
        case VerifyItems():
            return decide_verify(study, state, command, occasion)
        case ReviewForm():
            return decide_review(study, state, command)
        case FreezeData() | UnfreezeData() | LockData() | UnlockData():
            return _scope(study, state, command)
        case CancelQuery():
            return decide_cancel(state, command, occasion)
        case _:
            return decide_reopen(state, command)


def _scope(study: Study, state: State, command: ScopeCommand) -> Decision:
    scope: Spot = (command.visit, command.form, command.repeat)
    faults = [*_unknown(study, state, scope)]
    if isinstance(command, UnfreezeData | UnlockData):
        reason = clean(command.reason)
        if not reason or len(reason) > TEXT_LIMIT:
            faults.append(problem("closing.reason-required", "reason"))
        if not faults and scope not in state.closing.levels:
            faults.append(problem("closing.closed-with-more", "", place=place_words(study, scope)))
        if isinstance(command, UnfreezeData):
            entry: Entry = DataUnfrozen(*scope, reason)
        else:
            entry = DataUnlocked(*scope, reason)
    elif isinstance(command, LockData):
        faults += lock_faults(study, state, scope)
        entry = DataLocked(*scope)
    else:
        entry = DataFrozen(*scope)
    return Refusal(tuple(faults)) if faults else (Append(f"subject/{command.subject}", entry),)


def _unknown(study: Study, state: State, scope: Spot) -> Iterator[Problem]:
    """A scope that is none: a form without its visit, or a place that the study does not have and nobody recorded."""
    visit, form, repeat = scope
    if form and Place(*scope) not in state.forms:
        yield from place_faults(study, visit, form, repeat)
    elif not form and (repeat or (visit and study.visit(visit) is None)):
        yield problem("capture.visit-unknown", "visit", visit=visit)


def within(scope: Spot, place: Place) -> bool:
    """Whether a form lies in a scope."""
    return scope in {EVERYTHING, (place.visit, "", 0), place}


def lock_faults(study: Study, state: State, scope: Spot) -> Iterator[Problem]:
    """What stands against locking a scope."""
    inside = [place for place in state.forms if within(scope, place)]
    if not inside:
        yield problem("closing.nothing-there", "", place=place_words(study, scope))
    for place in inside:
        words = place_words(study, place)
        if not state.form(place).complete:
            yield problem("closing.lock-incomplete", place.form, place=words)
        elif signature_state(state, place) != "SIGNED":
            yield problem("closing.lock-unsigned", place.form, place=words)
        if any(query.open for query in state.queries_at(place)):
            yield problem("closing.lock-queried", place.form, place=words)
