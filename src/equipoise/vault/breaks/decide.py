"""Deciding on opening one code.

The rules that must stay true: an arm is shown only for a request that the first door's ledger holds, proven; only to
the investigator who made it, or once to the third person to whom it was to be given; once per request; and only after
the entry that says so. Nobody's leave is asked: a quota passed is an alarm and stops nothing. A slot that does not open
as it was committed to shows nothing, because a wrong arm is worse than none; the paper card remains.
Source: DESIGN 5 (three openings); EMA on emergency unblinding (never gated by the sponsor).
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from equipoise.ledger.entries import Append, CodeBreakRequested, Entry, Header
from equipoise.ledger.facts import Decision, Occasion, Refusal
from equipoise.ledger.vault_entries import ArmShown, BreakAccepted, BreakRefused, HandoverMade, QuotaPassed
from equipoise.protocol.study import Study
from equipoise.vault.breaks.commands import (
    STREAM,
    AcceptBreak,
    HandOver,
    RefuseBreak,
    ShowArm,
    ShowToThird,
)
from equipoise.vault.breaks.evolve import Accepted, State
from equipoise.vault.facts import AskedBreak, VaultFacts
from equipoise.vault.statements import say
from equipoise.words.problem import problem

USUAL_A_DAY = 2
"""Subjects of one site whose codes are broken on one day; more raise an alarm. Source: reliability notes §4."""
THIRD_PERSON = "third person"
REFUSALS_A_DAY = 200
"""Refusals of one day that are written down; more are still refused."""


def decide(study: Study, state: State, facts: VaultFacts, command: object, occasion: Occasion) -> Decision:
    """Decide a command on opening one code; `facts` are those of the request that it names."""
    if isinstance(command, AcceptBreak):
        return _accept(state, facts, command)
    if isinstance(command, HandOver):
        return _hand_over(state, facts, command)
    if isinstance(command, ShowArm):
        return _show(study, state, facts, command, occasion)
    if isinstance(command, ShowToThird):
        return _show_third(state, facts, command, occasion)
    if isinstance(command, RefuseBreak):
        day = occasion.at.astimezone(dt.UTC).date().isoformat()
        enough = sum(at.startswith(day) for at, _, _ in state.refused) >= REFUSALS_A_DAY
        return () if enough else (Append(STREAM, BreakRefused(command.request, command.rule)),)
    raise TypeError(f"breaks does not know {type(command).__name__}")


def _accept(state: State, facts: VaultFacts, command: AcceptBreak) -> Decision:
    if command.request in state.requests:
        return ()
    asked = facts.asked_break
    if asked is None or asked.request != command.request:
        return _refuse("vault_breaks.not-asked-for")
    return (_accepted(asked),)


def _accepted(asked: AskedBreak) -> Append:
    made = BreakAccepted(asked.request, asked.subject, asked.site, asked.actor, asked.to, asked.drill)
    return Append(STREAM, made)


def _opened(state: State, facts: VaultFacts, request: str) -> tuple[AskedBreak, tuple[Append, ...]] | Refusal:
    """The request, and the entry that takes it in where none does yet; or why nothing can be opened for it."""
    asked = facts.asked_break
    if asked is None or asked.request != request:
        return _refuse("vault_breaks.not-asked-for")
    if asked.role != "investigator":
        return _refuse("vault_breaks.not-an-investigator")
    if not asked.drill and facts.slot_fault is not None:
        return _refuse("vault_breaks.slot-does-not-open")
    if not asked.drill and facts.product is None:
        return _refuse("vault_breaks.no-slot")
    return asked, (() if request in state.requests else (_accepted(asked),))


def _hand_over(state: State, facts: VaultFacts, command: HandOver) -> Decision:
    found = _opened(state, facts, command.request)
    if isinstance(found, Refusal):
        return found
    asked, before = found
    if asked.actor != facts.actor:
        return _refuse("vault_breaks.other-person")
    if asked.to != "THIRD_PERSON":
        return _refuse("vault_breaks.not-for-a-third")
    known = state.requests.get(command.request)
    if known is not None and known.shown_at is not None:
        return _refuse("vault_breaks.shown-already")
    return (*before, Append(STREAM, HandoverMade(command.request, command.digest)))


def _show(study: Study, state: State, facts: VaultFacts, command: ShowArm, occasion: Occasion) -> Decision:
    found = _opened(state, facts, command.request)
    if isinstance(found, Refusal):
        return found
    asked, before = found
    if asked.actor != facts.actor:
        return _refuse("vault_breaks.other-person")
    if asked.to != "SELF":
        return _refuse("vault_breaks.for-a-third")
    known = state.requests.get(command.request)
    if known is not None and known.shown_at is not None:
        return _refuse("vault_breaks.shown-already")
    return (*before, *_shown(state, asked, facts.actor, occasion))


def _show_third(state: State, facts: VaultFacts, command: ShowToThird, occasion: Occasion) -> Decision:
    found = _opened(state, facts, command.request)
    if isinstance(found, Refusal):
        return found
    asked, _ = found
    known = state.requests.get(command.request)
    if known is None or known.handover is None or known.handover != command.digest:
        return _refuse("vault_breaks.code-unknown")
    if known.shown_at is not None:
        return _refuse("vault_breaks.shown-already")
    if _late(known, occasion.at):
        return _refuse("vault_breaks.code-too-old")
    return _shown(state, asked, THIRD_PERSON, occasion)


def _late(known: Accepted, at: dt.datetime) -> bool:
    until = known.code_good_until()
    return until is None or at > until


def _shown(state: State, asked: AskedBreak, reader: str, occasion: Occasion) -> tuple[Append, ...]:
    """The arm is about to be shown: the entry, the first door's notice of it, and an alarm where it is one too many."""
    made = [Append(STREAM, ArmShown(asked.request, asked.subject, reader, asked.drill))]
    made.append(
        say(
            "CodeShown",
            request=asked.request,
            subject=asked.subject,
            reader=reader,
            shown_at=occasion.at.astimezone(dt.UTC).isoformat(),
        )
    )
    if not asked.drill:
        broken = state.broken_on(asked.site, occasion.today, ZoneInfo(occasion.zone)) | {asked.subject}
        if len(broken) > USUAL_A_DAY:
            passed = QuotaPassed(asked.site, occasion.today.isoformat(), len(broken))
            made.append(Append(STREAM, passed))
    return tuple(made)


def _refuse(rule: str) -> Refusal:
    return Refusal((problem(rule, "request"),))


def hears(header: Header, entry: Entry) -> tuple[object, ...]:
    """What the program does at once when the first door's entry was taken in."""
    return (AcceptBreak(entry.request),) if isinstance(entry, CodeBreakRequested) else ()
