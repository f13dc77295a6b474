"""The lock of the database: a checklist that must be green, two persons, and the way back.

The rules that must stay true: the checklist is counted at both persons' moments and every line must be nought at both;
the two are different people; each proves who they are; a condition of the final release follows from the lock and from
nothing else. Source: ICH E6(R3) 3.16.1; DESIGN 5 (final release).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from equipoise.capture.closing.commands import (
    DatabaseCommand,
    LockDatabase,
    ProposeDatabaseLock,
    ProposeDatabaseUnlock,
    RecordLockCondition,
    UnlockDatabase,
)
from equipoise.capture.parsing import TEXT_LIMIT, clean
from equipoise.ledger.entries import (
    Append,
    DatabaseLocked,
    DatabaseLockProposed,
    DatabaseUnlocked,
    DatabaseUnlockProposed,
    Entry,
    LockConditionRecorded,
    Recorded,
    ReleaseConditionRecorded,
)
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.ledger.proving import proof_fault
from equipoise.protocol.study import Study
from equipoise.words.canonical import digest
from equipoise.words.problem import Problem, problem

_NOTHING: Mapping[Any, Any] = MappingProxyType({})
LINES = (
    "OPEN_QUERIES",
    "FORMS_INCOMPLETE",
    "ENTRIES_UNSETTLED",
    "CARDS_UNSETTLED",
    "FORMS_UNSIGNED",
    "VERIFICATION_OPEN",
    "DEVIATIONS_UNCLASSED",
    "REVEALING_UNSETTLED",
    "UNSENT",
)
"""The lines of the checklist: each counts what is left to do."""
CONDITIONS = ("REVEALING_SETTLED", "NOTHING_UNSENT")
"""What only a person can say until the second door and the diary say it themselves."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the first person proposed. `way`: lock or unlock."""

    id: str
    way: str
    by: str
    at: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """What a person said of a condition that cannot be counted here."""

    met: bool
    reference: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Database:
    """Whether the database is locked, since when and by whom, and what is proposed."""

    locked: bool = False
    at: str = ""
    by: tuple[str, ...] = ()
    proposed: Proposal | None = None
    conditions: Mapping[str, Condition] = field(default_factory=lambda: _NOTHING)
    times: int = 0


START = Database()


def evolve_database(state: Database, recorded: Recorded) -> Database:
    """The state after one more entry of the stream `study`."""
    entry, header = recorded.entry, recorded.header
    match entry:
        case LockConditionRecorded():
            said = Condition(entry.met, entry.reference, header.actor, header.at)
            known = MappingProxyType({**state.conditions, entry.condition: said})
            return replace(state, conditions=known)
        case DatabaseLockProposed():
            return replace(state, proposed=Proposal(entry.proposal, "lock", header.actor, header.at))
        case DatabaseUnlockProposed():
            made = Proposal(entry.proposal, "unlock", header.actor, header.at, entry.reason)
            return replace(state, proposed=made)
        case DatabaseLocked():
            first = (state.proposed.by,) if state.proposed is not None else ()
            return Database(
                locked=True,
                at=header.at,
                by=(*first, header.actor),
                conditions=state.conditions,
                times=state.times + 1,
            )
        case DatabaseUnlocked():
            # What was said of the conditions was said before the data were opened again.
            return Database(times=state.times)
        case _:
            return state


def left_to_do(checklist: Mapping[str, int]) -> tuple[str, ...]:
    """The lines that are not green; a line that nobody counted is not."""
    return tuple(line for line in LINES if checklist.get(line, 1) != 0)


def decide_database(
    study: Study, state: Database, facts: Facts, command: DatabaseCommand, occasion: Occasion
) -> Decision:
    """Decide a command on the lock of the database."""
    if isinstance(command, RecordLockCondition):
        return _condition(state, command)
    unproved = proof_fault(facts, occasion)
    if unproved is not None:
        return Refusal((unproved,))
    match command:
        case ProposeDatabaseLock():
            faults = _lock_faults(state, facts)
            return (
                Refusal(faults)
                if faults
                else _write(DatabaseLockProposed(_id(occasion), facts.lock_checklist))
            )
        case LockDatabase():
            faults = (*_lock_faults(state, facts), *_second(state, "lock", command.proposal, occasion))
            if faults:
                return Refusal(faults)
            reference = digest(dict(facts.lock_checklist) | {"proposal": command.proposal})[:16]
            return _write(
                DatabaseLocked(command.proposal, facts.lock_checklist),
                ReleaseConditionRecorded("DATABASE_LOCKED", met=True, reference=reference),
            )
        case ProposeDatabaseUnlock():
            reason = clean(command.reason)
            if not state.locked:
                return Refusal((problem("closing.database-not-locked"),))
            if not reason or len(reason) > TEXT_LIMIT:
                return Refusal((problem("closing.reason-required", "reason"),))
            return _write(DatabaseUnlockProposed(_id(occasion), reason))
        case UnlockDatabase():
            if not state.locked:
                return Refusal((problem("closing.database-not-locked"),))
            faults = tuple(_second(state, "unlock", command.proposal, occasion))
            if faults:
                return Refusal(faults)
            undone = ReleaseConditionRecorded("DATABASE_LOCKED", met=False, reference=command.proposal)
            return _write(DatabaseUnlocked(command.proposal), undone)


def _lock_faults(state: Database, facts: Facts) -> tuple[Problem, ...]:
    if state.locked:
        return (problem("closing.database-locked"),)
    checklist = facts.lock_checklist
    return tuple(
        problem(f"closing.left-{line.lower().replace('_', '-')}", line, count=str(checklist.get(line, "–")))
        for line in left_to_do(checklist)
    )


def _second(state: Database, way: str, proposal: str, occasion: Occasion) -> tuple[Problem, ...]:
    known = state.proposed
    if known is None or known.way != way or known.id != proposal:
        return (problem("closing.proposal-unknown", "proposal"),)
    if known.by == occasion.by:
        return (problem("closing.second-person", "by"),)
    return ()


def _condition(state: Database, command: RecordLockCondition) -> Decision:
    reference = clean(command.reference)
    if not reference or len(reference) > TEXT_LIMIT:
        return Refusal((problem("closing.reference-required", "reference"),))
    if state.locked:
        return Refusal((problem("closing.database-locked"),))
    known = state.conditions.get(command.condition)
    if known is not None and (known.met, known.reference) == (command.met, reference):
        return Refusal((problem("capture.nothing-changed"),))
    return _write(LockConditionRecorded(command.condition, command.met, reference))


def _id(occasion: Occasion) -> str:
    return digest([occasion.at.isoformat(), occasion.by])[:16]


def _write(*entries: Entry) -> Decision:
    return tuple(Append("study", entry) for entry in entries)
