"""One participant's blind: folded from the subject's stream, who asked for the arm, who was shown it, who rates.

The rules that must stay true: nothing here knows an arm; who was shown one, or opened a card, knows it for life, and
so does, to be on the safe side, who asked for it: the second door's word may still be on its way, and a code that was
made for a third person could be typed by whoever was given it; a drill gives no knowledge. Both truths of a stratum
stay, and the slot with the first.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, cast

from equipoise.ledger.entries import (
    CardOpened,
    CodeBreakRequested,
    CodeBreakReviewed,
    CodeBroken,
    RaterAssigned,
    Recorded,
    StratumCorrected,
    SubjectRandomized,
)
from equipoise.ledger.facts import Facts
from equipoise.words.canonical import Json
from equipoise.words.changed import changed

THIRD_PERSON = "third person"
"""The reader of an arm that was given to a person who treats the participant and holds no role in the trial."""
REVIEW_WITHIN = dt.timedelta(hours=24)
"""After this a code break must have been reviewed."""
DRILL = "drill-"
"""How the made-up participant of a site's drills is called: this and the site's id."""


@dataclass(frozen=True, slots=True)
class Break:
    """One request for the arm and what came of it; moments in UTC as headers write them."""

    request: str
    by: str
    at: str
    category: str
    urgent: bool
    to: str
    drill: bool
    reader: str | None = None
    shown_at: str | None = None
    statement: int = 0
    justified: bool | None = None
    reviewed_by: str | None = None
    reviewed_at: str | None = None

    @property
    def review_due(self) -> str:
        """Until when (UTC, ISO) the review is to be written."""
        return (dt.datetime.fromisoformat(self.at) + REVIEW_WITHIN).isoformat()


@dataclass(frozen=True, slots=True)
class Card:
    """A sealed paper card that was opened: when, by whom, before whom, and when that was recorded."""

    opened_at: str
    opened_by: str
    witnessed_by: str
    recorded_at: str


@dataclass(frozen=True, slots=True)
class State:
    """The blind of one participant."""

    stratum: str | None = None
    corrected: str | None = None
    randomized_at: str | None = None
    breaks: Mapping[str, Break] = field(default_factory=lambda: MappingProxyType({}))
    cards: tuple[Card, ...] = ()
    rater: str | None = None
    rater_since: str | None = None

    def knowing(self) -> Mapping[str, str]:
        """Actor -> since when (UTC, ISO) the actor knows, or may know, this participant's arm."""
        found: dict[str, str] = {}
        for each in sorted(self.breaks.values(), key=lambda one: one.at):
            if not each.drill:
                found.setdefault(each.by, (each.to == "SELF" and each.shown_at) or each.at)
        for card in self.cards:
            for person in (card.opened_by, card.witnessed_by):
                found[person] = min(found.get(person, card.opened_at), card.opened_at)
        return found

    def waiting_for_review(self) -> tuple[Break, ...]:
        """The requests that nobody has reviewed yet, the oldest first; a drill needs no review."""
        waiting = (each for each in self.breaks.values() if not each.drill and each.justified is None)
        return tuple(sorted(waiting, key=lambda one: one.at))


START = State()


def evolve(state: State, recorded: Recorded) -> State:
    """The state after one more entry of the subject's stream."""
    entry, header = recorded.entry, recorded.header
    if isinstance(entry, SubjectRandomized):
        return replace(state, stratum=entry.stratum, randomized_at=header.at)
    if isinstance(entry, StratumCorrected):
        return replace(state, corrected=entry.corrected)
    if isinstance(entry, CodeBreakRequested) and entry.request not in state.breaks:
        made = Break(
            entry.request, header.actor, header.at, entry.category, entry.urgent, entry.to, entry.drill
        )  # fmt: skip
        return _with(state, made)
    if isinstance(entry, CodeBroken) and entry.request in state.breaks:
        known = state.breaks[entry.request]
        return _with(
            state, replace(known, reader=entry.reader, shown_at=entry.shown_at, statement=entry.statement)
        )
    if isinstance(entry, CodeBreakReviewed) and entry.request in state.breaks:
        known = state.breaks[entry.request]
        review = replace(known, justified=entry.justified, reviewed_by=header.actor, reviewed_at=header.at)
        return _with(state, review)
    if isinstance(entry, CardOpened):
        card = Card(entry.opened_at, entry.opened_by, entry.witnessed_by, header.at)
        return replace(state, cards=(*state.cards, card))
    if isinstance(entry, RaterAssigned):
        return replace(state, rater=entry.user, rater_since=header.at)
    return state


def _with(state: State, made: Break) -> State:
    return replace(state, breaks=MappingProxyType({**state.breaks, made.request: made}))


def add_facts(facts: Facts, state: State) -> Facts:
    """The facts of one participant's blind, filled in."""
    return changed(
        facts,
        stratum_as_randomized=state.stratum,
        code_broken_for=frozenset(state.knowing()),
        rater=state.rater,
        randomized_at=state.randomized_at,
    )


def state_to_json(state: State) -> Json:
    """The state as canonical JSON, for a disposable snapshot."""
    return {
        "stratum": state.stratum,
        "corrected": state.corrected,
        "randomized_at": state.randomized_at,
        "breaks": [dataclasses.asdict(each) for each in state.breaks.values()],
        "cards": [dataclasses.asdict(card) for card in state.cards],
        "rater": state.rater,
        "rater_since": state.rater_since,
    }


def state_from_json(json: Json) -> State:
    """The state that `state_to_json` wrote."""
    written = cast("Mapping[str, Any]", json)  # Any: as written above
    return State(
        written["stratum"],
        written["corrected"],
        written["randomized_at"],
        MappingProxyType({each["request"]: Break(**each) for each in written["breaks"]}),
        tuple(Card(**card) for card in written["cards"]),
        written["rater"],
        written["rater_since"],
    )
