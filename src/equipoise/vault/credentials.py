"""Who may work at the second door, and for which purpose: folded from the stream `user/<actor>`.

The rules that must stay true: every purpose asks for a role held at the first door now, so that one list of roles
serves both doors and its exclusion for life binds everybody of this one; a person who ever held a blinded role there
is never let in for anything but opening one code. The first keeper is enrolled at the terminal, before this door has
heard of any role; nobody acts by that until the role has come.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from equipoise.access.roles import ROLES
from equipoise.ledger.entries import Append, Recorded
from equipoise.ledger.facts import Decision, Occasion, Refusal
from equipoise.ledger.vault_entries import (
    CredentialEnrolled,
    CredentialRevoked,
    RecoveryCodeUsed,
    SecondFactorEnrolled,
    SecondFactorRemoved,
)
from equipoise.protocol.study import Study
from equipoise.vault.commands import (
    EnrolCredential,
    RemoveSecondFactor,
    RevokeCredential,
    SetSecondFactor,
    UseRecoveryCode,
)
from equipoise.vault.facts import PROGRAM, Purpose, VaultFacts
from equipoise.words.problem import problem

NEEDED: Mapping[Purpose, frozenset[str]] = MappingProxyType(
    {
        "BENCH": frozenset({"pharmacist"}),
        "CHECK": frozenset({"pharmacy_checker", "pharmacist"}),
        "LAB": frozenset({"lab_desk"}),
        "BOARD": frozenset({"board_statistician"}),
        "BREAK": frozenset({"investigator"}),
        "OFFICER": frozenset({"backup_officer"}),
        "KEEPER": frozenset({"vault_keeper"}),
    }
)
"""purpose -> roles at the first door, one of which must be held."""
COMMANDS: Mapping[type, frozenset[Purpose]] = MappingProxyType(
    dict.fromkeys(
        (EnrolCredential, RevokeCredential, SetSecondFactor, UseRecoveryCode, RemoveSecondFactor),
        frozenset[Purpose]({"KEEPER"}),
    )
)


@dataclass(frozen=True, slots=True)
class State:
    """The purposes enrolled now, in the order in which they were; whether one-time codes are asked of the person."""

    purposes: tuple[str, ...] = ()
    second_factor: bool = False


START = State()


def streams(command: object) -> tuple[str, ...]:
    """The stream of the person concerned."""
    if type(command) not in COMMANDS:
        raise TypeError(f"credentials do not know {type(command).__name__}")
    return (f"user/{getattr(command, 'user', '')}",)


def evolve(state: State, recorded: Recorded) -> State:
    """The state after one more entry of a person's stream."""
    entry = recorded.entry
    if isinstance(entry, CredentialEnrolled):
        return replace(state, purposes=(*state.purposes, entry.purpose))
    if isinstance(entry, CredentialRevoked):
        kept = tuple(purpose for purpose in state.purposes if purpose != entry.purpose)
        return replace(state, purposes=kept)
    if isinstance(entry, SecondFactorEnrolled | SecondFactorRemoved):
        return replace(state, second_factor=isinstance(entry, SecondFactorEnrolled))
    return state


def borne(purpose: Purpose, roles: tuple[str, ...], ever: tuple[str, ...]) -> bool:
    """Whether the roles held (now, and ever) at the first door bear a purpose here."""
    blinded = any(ROLES[role].blind == "blinded" for role in ever if role in ROLES)
    if purpose != "BREAK" and blinded:
        return False
    return bool(NEEDED[purpose] & set(roles))


def decide(study: Study, state: State, facts: VaultFacts, command: object, occasion: Occasion) -> Decision:
    """Enrol or revoke a credential of the person whose stream `state` was folded from."""
    if isinstance(command, EnrolCredential):
        return _enrol(state, facts, command)
    if isinstance(command, RevokeCredential):
        if command.purpose not in state.purposes:
            return Refusal((problem("vault.credential-not-held", "purpose"),))
        entry = CredentialRevoked(command.user, command.purpose, command.reason)
        return (Append(f"user/{command.user}", entry),)
    if isinstance(command, SetSecondFactor):
        return (Append(f"user/{command.user}", SecondFactorEnrolled(command.user)),)
    if isinstance(command, UseRecoveryCode):
        return (Append(f"user/{command.user}", RecoveryCodeUsed(command.user, command.left)),)
    if isinstance(command, RemoveSecondFactor):
        return _remove_factor(state, facts, command)
    raise TypeError(f"credentials do not know {type(command).__name__}")


def _remove_factor(state: State, facts: VaultFacts, command: RemoveSecondFactor) -> Decision:
    if command.user == facts.actor:
        return Refusal((problem("vault_factor.own", "user"),))
    if not state.second_factor:
        return Refusal((problem("vault_factor.not-held", "user"),))
    if not command.reason.strip():
        return Refusal((problem("vault_factor.reason-needed", "reason"),))
    return (Append(f"user/{command.user}", SecondFactorRemoved(command.user, command.reason.strip())),)


def _enrol(state: State, facts: VaultFacts, command: EnrolCredential) -> Decision:
    user, purpose = command.user, command.purpose
    if purpose not in NEEDED or user == PROGRAM.actor or not user:
        return Refusal((problem("vault.credential-unfit", "user"),))
    if purpose in state.purposes:
        return Refusal((problem("vault.credential-held", "purpose"),))
    roles, ever = facts.roles.get(user, ()), facts.roles_ever.get(user, ())
    if purpose != "BREAK" and any(ROLES[role].blind == "blinded" for role in ever if role in ROLES):
        return Refusal((problem("vault.credential-of-blinded", "user"),))
    ahead = purpose == "KEEPER" and facts.actor == PROGRAM.actor
    if not borne(purpose, roles, ever) and not ahead:
        return Refusal((problem("vault.credential-without-role", "purpose"),))
    return (Append(f"user/{user}", CredentialEnrolled(user, purpose)),)
