"""Deciding on the final release and on closed work.

The rules that must stay true: nothing is published unless database and plan, deviations and analysis sets are settled
and signed by two at the first door, the values here are locked, and two different persons signed here over exactly
that; every condition that is missing is named, all at once; a release happens once. Closed work is for persons who may
know arms, named one by one, and its table never leaves this door's own folder.
Source: DESIGN 5 (three openings); ICH E9 4.5 and 5.8.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from equipoise.access.roles import KEEPING, ROLES
from equipoise.ledger.entries import Append
from equipoise.ledger.facts import Decision, Occasion, Refusal
from equipoise.ledger.vault_entries import ClosedWorkOpened, ListReleased, ValuesLocked, VaultReleaseSigned
from equipoise.protocol.study import Study
from equipoise.vault.facts import VaultFacts
from equipoise.vault.release.commands import (
    STREAM,
    OpenClosedWork,
    PublishList,
    SetValuesLock,
    SignVaultRelease,
)
from equipoise.vault.release.evolve import State, conditions_digest, missing, signers
from equipoise.vault.statements import say
from equipoise.words.problem import problem

_HASH = re.compile(r"[0-9a-f]{64}")


def decide(study: Study, state: State, facts: VaultFacts, command: object, occasion: Occasion) -> Decision:
    """Decide a command of this room."""
    if isinstance(command, OpenClosedWork):
        return _closed(state, facts, command)
    if state.released is not None:
        return _refuse("vault_release.released-already")
    if isinstance(command, SetValuesLock):
        if state.locked == command.locked:
            return _refuse("vault_release.lock-stands")
        return (Append(STREAM, ValuesLocked(command.locked)),)
    if isinstance(command, SignVaultRelease):
        return _sign(state, facts, command)
    if isinstance(command, PublishList):
        refused = gate(state, facts)
        if refused is not None:
            return refused
        if _HASH.fullmatch(command.root) is None or _HASH.fullmatch(command.release) is None:
            raise ValueError("a release names two digests")
        entry = ListReleased(command.root, command.release)
        return Append(STREAM, entry), say("ListReleased", root=command.root, release=command.release)
    raise TypeError(f"release does not know {type(command).__name__}")


def gate(state: State, facts: VaultFacts) -> Refusal | None:
    """None where everything is in place; else every reason why not."""
    if state.released is not None:
        return _refuse("vault_release.released-already")
    lacking = missing(state, facts)
    if not lacking:
        return None
    return Refusal(tuple(problem(f"vault_release.waits-for-{each}", each) for each in lacking))


def _sign(state: State, facts: VaultFacts, command: SignVaultRelease) -> Decision:
    lacking = [each for each in missing(state, facts) if each != "signatures"]
    if lacking:
        return Refusal(tuple(problem(f"vault_release.waits-for-{each}", each) for each in lacking))
    if command.conditions != conditions_digest(state, facts):
        return _refuse("vault_release.conditions-changed")
    if facts.actor in signers(state, facts):
        return _refuse("vault_release.same-person-signs")
    return (Append(STREAM, VaultReleaseSigned(command.conditions)),)


def _closed(state: State, facts: VaultFacts, command: OpenClosedWork) -> Decision:
    if not command.purpose.strip():
        return _refuse("vault_release.closed-without-purpose")
    if not command.members:
        return _refuse("vault_release.closed-without-members")
    for member in command.members:
        held, ever = facts.roles.get(member, ()), facts.roles_ever.get(member, ())
        if not may_see_arms(held):
            return Refusal((problem("vault_release.member-not-unblinded", "members", member=member),))
        if any(ROLES[role].blind == "blinded" for role in ever if role in ROLES):
            return Refusal((problem("vault_release.member-not-unblinded", "members", member=member),))
    if _HASH.fullmatch(command.table) is None:
        raise ValueError("a table of arms has a digest")
    entry = ClosedWorkOpened(command.purpose, tuple(sorted(set(command.members))), command.table)
    return (Append(STREAM, entry),)


def may_see_arms(roles: Iterable[str]) -> bool:
    """Whether one of the roles held now is one for whose work arms may be seen: keeping the door is none."""
    return any(ROLES[role].blind == "unblinded" for role in roles if role in ROLES and role not in KEEPING)


def _refuse(rule: str) -> Refusal:
    return Refusal((problem(rule, "release"),))
