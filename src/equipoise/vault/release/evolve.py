"""How far the final release is, folded from the stream `release`.

The rule that must stay true: a signature counts for the conditions that its signer saw and for no others.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

from equipoise.ledger.entries import Recorded
from equipoise.ledger.vault_entries import ClosedWorkOpened, ListReleased, ValuesLocked, VaultReleaseSigned
from equipoise.vault.facts import VaultFacts
from equipoise.words.canonical import Json, digest

CONDITIONS = ("DATABASE_LOCKED", "DEVIATIONS_CLASSED", "PLAN_SIGNED", "SETS_SIGNED")
"""What must be met at the first door."""
SIGNERS = 2


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed here, over which digest of conditions, when (UTC)."""

    by: str
    conditions: str
    at: str


@dataclass(frozen=True, slots=True)
class State:
    """Whether the values are locked, who signed, what was published, and every piece of closed work."""

    locked: bool = False
    locked_by: str = ""
    locked_at: str = ""
    signatures: tuple[Signature, ...] = ()
    released: ListReleased | None = None
    closed: tuple[tuple[str, ClosedWorkOpened], ...] = ()
    """(moment, entry) of every closed work."""


START = State()


def evolve(state: State, recorded: Recorded) -> State:
    """The state after one more entry of the stream `release`."""
    entry, header = recorded.entry, recorded.header
    if isinstance(entry, ValuesLocked):
        return replace(state, locked=entry.locked, locked_by=header.actor, locked_at=header.at)
    if isinstance(entry, VaultReleaseSigned):
        signed = Signature(header.actor, entry.conditions, header.at)
        return replace(state, signatures=(*state.signatures, signed))
    if isinstance(entry, ListReleased):
        return replace(state, released=entry)
    if isinstance(entry, ClosedWorkOpened):
        return replace(state, closed=(*state.closed, (header.at, entry)))
    return state


def conditions(state: State, facts: VaultFacts) -> Mapping[str, Json]:
    """Everything that the release hangs on, as a person who signs sees it."""
    return {
        "first_door": {name: facts.first_release_conditions.get(name, False) for name in CONDITIONS},
        "first_door_signed": [facts.first_release_signed, *sorted(facts.first_release_signers)],
        "values_locked": [state.locked, state.locked_by, state.locked_at],
    }


def conditions_digest(state: State, facts: VaultFacts) -> str:
    """SHA-256 (hex) of the conditions: what is signed."""
    return digest(conditions(state, facts))


def signers(state: State, facts: VaultFacts) -> tuple[str, ...]:
    """The persons whose signature counts now, in their order."""
    now = conditions_digest(state, facts)
    return tuple(dict.fromkeys(each.by for each in state.signatures if each.conditions == now))


def missing(state: State, facts: VaultFacts) -> tuple[str, ...]:
    """Every condition that is not met yet, as the last part of a message key; the signatures here come last."""
    found = [
        name.lower().replace("_", "-")
        for name in CONDITIONS
        if not facts.first_release_conditions.get(name, False)
    ]
    if len(set(facts.first_release_signers)) < SIGNERS:
        found.append("first-door-signatures")
    if not state.locked:
        found.append("values-locked")
    if len(signers(state, facts)) < SIGNERS:
        found.append("signatures")
    return tuple(found)


def adds(facts: VaultFacts, state: State, at: dt.datetime) -> VaultFacts:
    """The facts that this room owns, filled in."""
    return replace(facts, values_locked=state.locked)
