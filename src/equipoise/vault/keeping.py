"""What a keeper decides about the first door's word: by which definition this door works, and whether it goes on after
it came back from a backup. Folded from the stream `keeping`.

The rules that must stay true: a definition that the first door released changes nothing here until a keeper, who was
shown what it changes, confirmed exactly that one: whoever holds the first door's key could otherwise say what a dose
is; a store that was put back is silent until a keeper says, with a reason, that it goes on, and then no number of a
statement is given twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from equipoise.ledger.entries import Append, Recorded
from equipoise.ledger.facts import Decision, Occasion, Refusal
from equipoise.ledger.vault_entries import (
    AnchorsSkipped,
    DefinitionConfirmed,
    DefinitionDeclined,
    RestoreAccepted,
    StatementSkipped,
)
from equipoise.protocol.digest import study_digest
from equipoise.protocol.study import Study
from equipoise.vault.facts import Purpose, VaultFacts
from equipoise.words.problem import problem

STREAM = "keeping"
_STATEMENTS, _ANCHORS = "statements", "anchors"
LOST_AT_MOST = 10_000
"""Statements that a backup may be behind: an anchor an hour is 8,760 a year. More is no backup's doing."""


@dataclass(frozen=True, slots=True)
class ConfirmDefinition:
    """This door works by the definition of this digest from now on."""

    digest: str


@dataclass(frozen=True, slots=True)
class DeclineDefinition:
    """This door does not work by it; it goes on by the one before."""

    digest: str
    reason: str


@dataclass(frozen=True, slots=True)
class AcceptRestore:
    """This store goes on though it came back from a backup. `heard`: how far the first door had heard, as shown."""

    heard: int
    reason: str


COMMANDS: Mapping[type, frozenset[Purpose]] = MappingProxyType(
    dict.fromkeys((ConfirmDefinition, DeclineDefinition, AcceptRestore), frozenset({"KEEPER"}))
)


@dataclass(frozen=True, slots=True)
class State:
    """The digest that a keeper confirmed last (empty: the definition that this store was made with), and those
    declined.
    """

    confirmed: str = ""
    declined: frozenset[str] = frozenset()


START = State()


def streams(command: object) -> tuple[str, ...]:
    """The streams that the decision on a command may append to."""
    if type(command) not in COMMANDS:
        raise TypeError(f"keeping does not know {type(command).__name__}")
    return (STREAM, _ANCHORS, _STATEMENTS) if isinstance(command, AcceptRestore) else (STREAM,)


def evolve(state: State, recorded: Recorded) -> State:
    """The state after one more entry of the stream `keeping`."""
    entry = recorded.entry
    if isinstance(entry, DefinitionConfirmed):
        return State(entry.digest, state.declined - {entry.digest})
    if isinstance(entry, DefinitionDeclined):
        return replace(state, declined=state.declined | {entry.digest})
    return state


def decide(study: Study, state: State, facts: VaultFacts, command: object, occasion: Occasion) -> Decision:
    """Decide a command of this room; `study` is the definition in force here."""
    if isinstance(command, ConfirmDefinition):
        refused = _unfit(study, facts, command.digest)
        return refused or (Append(STREAM, DefinitionConfirmed(command.digest)),)
    if isinstance(command, DeclineDefinition):
        refused = _unfit(study, facts, command.digest)
        if refused is None and command.digest in state.declined:
            refused = _refuse("vault_keeping.declined-already", "digest")
        if refused is None and not command.reason.strip():
            refused = _refuse("vault_keeping.reason-missing", "reason")
        return refused or (Append(STREAM, DefinitionDeclined(command.digest, command.reason.strip())),)
    if isinstance(command, AcceptRestore):
        return _restored(facts, command)
    raise TypeError(f"keeping does not know {type(command).__name__}")


def _unfit(study: Study, facts: VaultFacts, digest: str) -> Refusal | None:
    if not digest or digest != facts.definition_released:
        return _refuse("vault_keeping.not-released", "digest")
    return _refuse("vault_keeping.in-force", "digest") if digest == study_digest(study) else None


def _restored(facts: VaultFacts, command: AcceptRestore) -> Decision:
    said, heard = facts.said, facts.heard_there
    if heard <= said:
        return _refuse("vault_keeping.nothing-restored", "heard")
    if command.heard != heard:
        return _refuse("vault_keeping.heard-meanwhile", "heard")
    if heard - said > LOST_AT_MOST:
        return _refuse("vault_keeping.too-far", "heard")
    if not command.reason.strip():
        return _refuse("vault_keeping.reason-missing", "reason")
    lost = (Append(_STATEMENTS, StatementSkipped(number)) for number in range(said + 1, heard + 1))
    accepted = Append(STREAM, RestoreAccepted(said, heard, command.reason.strip()))
    return (
        accepted,
        Append(_ANCHORS, AnchorsSkipped(heard)),
        *lost,
    )  # an anchor's number is at most its statement's


def _refuse(rule: str, where: str) -> Refusal:
    return Refusal((problem(rule, where),))


def waiting(state: State, released: str, in_force: str) -> str:
    """The digest of a definition that waits for a keeper; empty where none does. `released`: the last one released."""
    return "" if released in {"", in_force} or released in state.declined else released
