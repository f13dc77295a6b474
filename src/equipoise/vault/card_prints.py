"""Which emergency cards were printed: a card opens a code, so each print is written down before there is a card.

The rules that must stay true: numbers and nothing else are written, no code and no arm; a second card for a number has
a reason, because two sheets can then open one participant. Given by the program that prints, whose keeper knows the
passphrase.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from equipoise.ledger.entries import Append, Recorded
from equipoise.ledger.facts import Decision, Occasion, Refusal
from equipoise.ledger.vault_entries import CardsPrinted
from equipoise.protocol.study import Study
from equipoise.vault.facts import Purpose, VaultFacts
from equipoise.words.problem import problem

STREAM = "cards"


@dataclass(frozen=True, slots=True)
class PrintCards:
    """Make cards for these public numbers; `reason` where one of them has a card already."""

    numbers: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """Numbers that have a card, or several."""

    printed: frozenset[str] = frozenset()


COMMANDS: Mapping[type, frozenset[Purpose]] = MappingProxyType({PrintCards: frozenset({"KEEPER"})})
"""Every command on cards, and for which purposes a person must have signed in to give it."""
START = State()


def streams(command: object) -> tuple[str, ...]:
    """The stream that the decision may append to."""
    return (STREAM,)


def evolve(state: State, recorded: Recorded) -> State:
    """The state after one more entry of the stream `cards`."""
    entry = recorded.entry
    return State(state.printed | set(entry.numbers)) if isinstance(entry, CardsPrinted) else state


def decide(study: Study, state: State, facts: VaultFacts, command: object, occasion: Occasion) -> Decision:
    """Decide on a print."""
    if not isinstance(command, PrintCards):
        raise TypeError(f"cards do not know {type(command).__name__}")
    if not command.numbers:
        return Refusal((problem("vault.cards-of-nobody", "numbers"),))
    again = sorted(state.printed & set(command.numbers))
    reason = command.reason.strip()
    if again and not reason:
        return Refusal((problem("vault.card-printed-before", again[0], number=again[0]),))
    return (Append(STREAM, CardsPrinted(tuple(command.numbers), reason)),)
