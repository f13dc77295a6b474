"""Deciding on capacity, signatures, refusals, optional parts, caregivers and withdrawal.

The rules that must stay true: nobody signs a version that did not exist yet, nor at a time that has not come; a
representative's signature is recorded only where the study allows it, and says what the representative is to the
participant; what happened is recorded as it happened, whatever it means for consent (`standing` says what it means).
Source: ICH E6(R3) 2.8; Declaration of Helsinki 2024, 28 to 32.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from equipoise.consent.commands import (
    AnswerOption,
    RecordCapacity,
    RecordCaregiver,
    RecordConsent,
    Signer,
    WithdrawConsent,
)
from equipoise.consent.evolve import State
from equipoise.consent.standing import stopped
from equipoise.consent.withdrawal import STOPS
from equipoise.ledger.entries import (
    Append,
    CapacityRecorded,
    CaregiverConsented,
    ConsentDocumented,
    ConsentWithdrawn,
    Entry,
    OptionAnswered,
    ParticipationLimited,
)
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.protocol.study import Study
from equipoise.words.dates import whole_date
from equipoise.words.problem import Problem, problem

_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def decide(study: Study, state: State, facts: Facts, command: object, occasion: Occasion) -> Decision:
    """Decide a command on the stream of one subject."""
    step = _STEPS.get(type(command))
    if step is None:
        raise TypeError(f"consent does not know {type(command).__name__}")
    if not facts.subject_known:
        return Refusal((problem("consent.subject-unknown", "subject"),))
    known: Any = command  # Any: every command of _STEPS has a subject and a day
    day = _day(known.on, occasion)
    if isinstance(day, Problem):
        return Refusal((day,))
    faults, entries = step(study, state, known, day, occasion)
    if faults:
        return Refusal(faults)
    return tuple(Append(f"subject/{known.subject}", entry) for entry in entries)


def _day(text: str, occasion: Occasion) -> str | Problem:
    """The complete ISO date in `text`; it lies neither before 1900 nor after today at the site."""
    understood = whole_date(text, "consent.date-incomplete", "on")
    if isinstance(understood, Problem):
        return understood
    today = occasion.today
    if understood.earliest > today or understood.earliest < dt.date(1900, 1, 1):
        return problem("consent.date-impossible", "on", given=understood.iso(), today=today.isoformat())
    return understood.iso()


Found = tuple[tuple[Problem, ...], tuple[Entry, ...]]
"""What stands against a command, and what it writes where nothing does."""


def _capacity(study: Study, state: State, command: RecordCapacity, day: str, occasion: Occasion) -> Found:
    now = state.capacity
    if now is not None and (now.capacity, now.on) == (command.capacity, day):
        return (problem("consent.nothing-changed"),), ()
    return (), (CapacityRecorded(command.capacity, day),)


def _signature(study: Study, state: State, command: RecordConsent, day: str, occasion: Occasion) -> Found:
    found = [*_version(study, command, day), *_signer(study, command), *_time(command.at, day, occasion)]
    found += [
        _unknown(study, option)
        for option in (*command.agreed, *command.declined)
        if not _option(study, option)
    ]
    act = state.participant if command.by == "PARTICIPANT" else state.representative
    relation = (command.relation or "").strip()
    same = act is not None and (act.version, act.given, act.on) == (command.version, command.given, day)
    if (
        same
        and act is not None
        and act.relation == relation
        and state.withdrawal is None
        and act.at == command.at
    ):
        found.append(problem("consent.nothing-changed"))
    signed = ConsentDocumented(
        command.version,
        command.by,
        command.given,
        day,
        command.at,
        command.explained_by,
        command.copy_given,
        command.signer,
        command.witness,
        relation,
        command.because.strip(),
    )
    chosen = {**dict.fromkeys(command.agreed, True), **dict.fromkeys(command.declined, False)}
    options = tuple(OptionAnswered(option, given, command.by, day) for option, given in chosen.items())
    return tuple(found), (signed, *(options if command.given else ()))


def _version(study: Study, command: RecordConsent, day: str) -> list[Problem]:
    version = next((each for each in study.consent.versions if each.id == command.version), None)
    if version is None:
        known = ", ".join(each.id for each in study.consent.versions) or "–"
        return [problem("consent.version-unknown", "version", version=command.version, known=known)]
    if day[: len(version.dated)] < version.dated:
        dated = version.dated
        return [problem("consent.version-not-yet", "on", version=version.id, dated=dated, given=day)]
    return []


def _signer(study: Study, command: RecordConsent) -> list[Problem]:
    if command.by != "LEGAL_REPRESENTATIVE":
        return []
    if not study.consent.legal_representative:
        return [problem("consent.representative-not-allowed", "by")]
    return [] if (command.relation or "").strip() else [problem("consent.relation-missing", "relation")]


def _time(at: str, day: str, occasion: Occasion) -> list[Problem]:
    if not at:
        return []
    if _TIME.fullmatch(at) is None:
        return [problem("consent.time-unfit", "at", given=at)]
    local = occasion.at.astimezone(ZoneInfo(occasion.zone))
    if day == local.date().isoformat() and at > f"{local:%H:%M}":
        return [problem("consent.time-ahead", "at", given=at)]
    return []


def _option(study: Study, option: str) -> bool:
    return any(one.id == option for one in study.consent.options)


def _unknown(study: Study, option: str) -> Problem:
    return problem("consent.option-unknown", "option", option=option)


def _answer(study: Study, state: State, command: AnswerOption, day: str, occasion: Occasion) -> Found:
    if not _option(study, command.option):
        return (_unknown(study, command.option),), ()
    if state.options.get(command.option) == command.given:
        return (problem("consent.nothing-changed"),), ()
    return (), (OptionAnswered(command.option, command.given, command.by, day),)


def _withdrawal(study: Study, state: State, command: WithdrawConsent, day: str, occasion: Occasion) -> Found:
    acts = [act for act in (state.participant, state.representative) if act is not None and act.given]
    if not acts or state.withdrawal is not None or STOPS[command.level] <= stopped(state):
        return (problem("consent.nothing-to-withdraw"),), ()
    if _overruled(state, command.by):
        # Who consented for themselves is not taken out of the trial by a relative.
        return (problem("consent.representative-cannot-withdraw", "by"),), ()
    if command.level == "FULL":
        return (), (ConsentWithdrawn(command.by, day, command.reason),)
    return (), (ParticipationLimited(command.level, command.by, day, command.reason),)


def _overruled(state: State, by: Signer) -> bool:
    own = state.participant is not None and state.participant.given and not state.lacks_capacity
    return by == "LEGAL_REPRESENTATIVE" and own


def _caregiver(study: Study, state: State, command: RecordCaregiver, day: str, occasion: Occasion) -> Found:
    if not study.consent.caregiver:
        return (problem("consent.no-caregiver-here", "caregiver"),), ()
    before = next((one for one in state.caregivers if one.caregiver == command.caregiver), None)
    if not command.caregiver or (before is None and not command.given):
        return (problem("consent.caregiver-unknown", "caregiver"),), ()
    if before is not None and (before.given, before.on) == (command.given, day):
        return (problem("consent.nothing-changed"),), ()
    entry = CaregiverConsented(command.caregiver, command.given, day, command.relation.strip())
    return (), (entry,)


_STEPS: Mapping[type, Callable[[Study, State, Any, str, Occasion], Found]] = {
    RecordCapacity: _capacity,
    RecordConsent: _signature,
    AnswerOption: _answer,
    WithdrawConsent: _withdrawal,
    RecordCaregiver: _caregiver,
}
"""Command -> its step."""
