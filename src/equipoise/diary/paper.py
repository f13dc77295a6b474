"""Cards on paper: what was typed from one counts once a second person typed the same, or a third one settled it.

The rules that must stay true: a card is a form, a side, and the period that it is for (an event: the moment on it); of
what one person typed from a card the first stands; two that differ are settled by a third person, who types the card
with both in sight; nobody's typing is changed or taken away. Source: decisions 0039, and 0029 on forms of the casebook.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from equipoise.diary.evolve import Side, State, kinds
from equipoise.ledger.entries import DiaryInterviewRecorded, Recorded

CardState = Literal["ONCE", "UNLIKE", "ALIKE", "SETTLED"]
"""One person typed it; two did, and differ; two did alike; two differ, and a third person typed it."""


@dataclass(frozen=True, slots=True)
class Card:
    """A card and what was typed from it, oldest first: of each person the first."""

    form: str
    side: Side
    mark: str
    typed: tuple[tuple[Recorded, DiaryInterviewRecorded], ...]

    @property
    def state(self) -> CardState:
        """Where it stands."""
        if len(self.typed) < 2:
            return "ONCE"
        if self.typed[0][1].answers == self.typed[1][1].answers:
            return "ALIKE"
        return "SETTLED" if len(self.typed) > 2 else "UNLIKE"

    @property
    def counts(self) -> DiaryInterviewRecorded | None:
        """What counts: the first of two that are alike, or what the third person typed."""
        places = {"ALIKE": 0, "SETTLED": 2}
        return self.typed[places[self.state]][1] if self.state in places else None

    def asks(self, user: str) -> bool:
        """Whether this person is to type it: it waits, and they did not."""
        return self.counts is None and all(recorded.header.actor != user for recorded, _ in self.typed)


def waiting(state: State) -> tuple[Card, ...]:
    """The cards that do not count yet; not where the same side's own entry for the period came after all."""
    return tuple(
        card
        for card in cards(state)
        if card.counts is None and not state.entries(card.form, card.mark, card.side)
    )


def card_of(state: State, entry: DiaryInterviewRecorded) -> Card | None:
    """The card that an entry was typed from; None for an interview."""
    every = cards(state) if entry.on_paper else ()
    return next((one for one in every if (one.form, one.side, one.mark) == _name(entry)), None)


def cards(state: State) -> tuple[Card, ...]:
    """Every card of a diary, the one that was typed first foremost."""
    found: dict[tuple[str, Side, str], dict[str, tuple[Recorded, DiaryInterviewRecorded]]] = {}
    for recorded in kinds(state, DiaryInterviewRecorded):
        entry = recorded.entry
        if isinstance(entry, DiaryInterviewRecorded) and entry.on_paper:
            found.setdefault(_name(entry), {}).setdefault(recorded.header.actor, (recorded, entry))
    return tuple(Card(*name, tuple(typed.values())) for name, typed in found.items())


def _name(entry: DiaryInterviewRecorded) -> tuple[str, Side, str]:
    return entry.form, entry.reporter, entry.period or entry.asked_at
