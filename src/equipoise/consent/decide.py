"""Deciding on capacity, signatures, refusals and withdrawal.

The rules that must stay true: nobody signs a version that did not exist yet; a representative's signature is
recorded only where the study allows it; what happened is recorded as it happened, whatever it means for consent
(`binding` says what it means). Source: ICH E6(R3) 2.8; Declaration of Helsinki 2024, 28 to 32.
"""

from __future__ import annotations

import datetime as dt

from equipoise.consent.commands import RecordCapacity, RecordConsent, WithdrawConsent
from equipoise.consent.evolve import State
from equipoise.ledger.entries import Append, CapacityRecorded, ConsentRecorded, ConsentWithdrawn
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.protocol.study import Study
from equipoise.words.dates import parse_date
from equipoise.words.problem import Problem, problem


def decide(study: Study, state: State, facts: Facts, command: object, occasion: Occasion) -> Decision:
    """Decide a command on the stream of one subject."""
    if not isinstance(command, RecordCapacity | RecordConsent | WithdrawConsent):
        raise TypeError(f"consent does not know {type(command).__name__}")
    if not facts.subject_known:
        return Refusal((problem("consent.subject-unknown", "subject"),))
    day = _day(command.on, occasion)
    if isinstance(day, Problem):
        return Refusal((day,))
    if isinstance(command, RecordCapacity):
        problems = _capacity(state, command, day)
        entry: CapacityRecorded | ConsentRecorded | ConsentWithdrawn = CapacityRecorded(command.capacity, day)
    elif isinstance(command, RecordConsent):
        problems = _signature(study, state, command, day)
        entry = ConsentRecorded(command.version, command.by, command.given, day, command.relation or None)
    else:
        problems = _withdrawal(state, command)
        entry = ConsentWithdrawn(command.by, day, command.reason)
    return Refusal(problems) if problems else (Append(f"subject/{command.subject}", entry),)


def _day(text: str, occasion: Occasion) -> str | Problem:
    """The complete ISO date in `text`; it lies neither before 1900 nor after today at the site."""
    understood = parse_date(text)
    if understood is None or not understood.complete:
        return problem("consent.date-incomplete", "on", given=text)
    today = occasion.today
    if understood.earliest > today or understood.earliest < dt.date(1900, 1, 1):
        return problem("consent.date-impossible", "on", given=understood.iso(), today=today.isoformat())
    return understood.iso()


def _capacity(state: State, command: RecordCapacity, day: str) -> tuple[Problem, ...]:
    now = state.capacity
    if now is not None and (now.capacity, now.on) == (command.capacity, day):
        return (problem("consent.nothing-changed"),)
    return ()


def _signature(study: Study, state: State, command: RecordConsent, day: str) -> tuple[Problem, ...]:
    found: list[Problem] = []
    version = next((each for each in study.consent.versions if each.id == command.version), None)
    if version is None:
        known = ", ".join(each.id for each in study.consent.versions) or "–"
        found.append(problem("consent.version-unknown", "version", version=command.version, known=known))
    elif day[: len(version.dated)] < version.dated:
        found.append(
            problem("consent.version-not-yet", "on", version=version.id, dated=version.dated, given=day)
        )
    if command.by == "LEGAL_REPRESENTATIVE" and not study.consent.legal_representative:
        found.append(problem("consent.representative-not-allowed", "by"))
    act = state.participant if command.by == "PARTICIPANT" else state.representative
    same = act is not None and (act.version, act.given, act.on) == (command.version, command.given, day)
    if same and act is not None and act.relation == (command.relation or None) and state.withdrawal is None:
        found.append(problem("consent.nothing-changed"))
    return tuple(found)


def _withdrawal(state: State, command: WithdrawConsent) -> tuple[Problem, ...]:
    acts = [act for act in (state.participant, state.representative) if act is not None and act.given]
    if not acts or state.withdrawal is not None:
        return (problem("consent.nothing-to-withdraw"),)
    own = state.participant is not None and state.participant.given and not state.lacks_capacity
    if command.by == "LEGAL_REPRESENTATIVE" and own:
        # Who consented for themselves is not taken out of the trial by a relative.
        return (problem("consent.representative-cannot-withdraw", "by"),)
    return ()
