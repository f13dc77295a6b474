"""Who was there: what a participant's own stream tells of the people around an infusion.

The rule that must stay true: whoever judged, held, decided, checked, started, paused, resumed or ended a dose of a
participant, gave a wrong bag, brought one back, or saved a form that raters never see once an infusion had begun, saw
what could tell the arm, and that does not wear off.
Source: reliability notes 2.2 (L18); domain notes 5.4 (fever and chills unmask).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, cast

from equipoise.ledger.entries import (
    BagChecked,
    BagReturned,
    DosingDecided,
    DosingHeld,
    DosingJudged,
    EntriesSettled,
    FirstEntryRecorded,
    FormSaved,
    InfusionEnded,
    InfusionInterrupted,
    InfusionResumed,
    InfusionStarted,
    Recorded,
    SecondEntryRecorded,
    WrongBagGiven,
)
from equipoise.words.canonical import Json

_AT_THE_BEDSIDE = (
    BagChecked, BagReturned, DosingDecided, DosingHeld, DosingJudged, InfusionEnded, InfusionInterrupted,
    InfusionResumed, InfusionStarted, WrongBagGiven,
)  # fmt: skip


_SAVES = (FormSaved, FirstEntryRecorded, SecondEntryRecorded, EntriesSettled)


@dataclass(frozen=True, slots=True)
class State:
    """Actors who took part in a dose, whether one began, and form -> actors who saved it, or an entry of it, since."""

    dosing: frozenset[str] = frozenset()
    begun: bool = False
    saved: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))

    def saw(self, forms: Iterable[str]) -> frozenset[str]:
        """Who took part in a dose or saved one of these forms."""
        return self.dosing.union(*(self.saved.get(form, frozenset[str]()) for form in forms))


START = State()


def evolve(state: State, recorded: Recorded) -> State:
    """The state after one more entry of the subject's stream."""
    entry, actor = recorded.entry, recorded.header.actor
    if isinstance(entry, _AT_THE_BEDSIDE):
        there = {actor, entry.second} if isinstance(entry, BagChecked) else {actor}
        begun = state.begun or isinstance(entry, InfusionStarted | WrongBagGiven)
        if begun == state.begun and there <= state.dosing:
            return state
        return replace(state, dosing=state.dosing | there, begun=begun)
    if isinstance(entry, _SAVES) and state.begun:
        known = state.saved.get(entry.form, frozenset())
        if actor not in known:
            return replace(state, saved=MappingProxyType({**state.saved, entry.form: known | {actor}}))
    return state


def state_to_json(state: State) -> Json:
    """The state as canonical JSON, for a disposable snapshot."""
    return {
        "dosing": _written(state.dosing),
        "begun": state.begun,
        "saved": [[form, _written(by)] for form, by in state.saved.items()],
    }


def _written(actors: Collection[str]) -> Json:
    return [*sorted(actors)]


def state_from_json(json: Json) -> State:
    """The state that `state_to_json` wrote."""
    written = cast("Mapping[str, Any]", json)  # Any: as written above
    saved = {form: frozenset(by) for form, by in written["saved"]}
    return State(frozenset(written["dosing"]), written["begun"], MappingProxyType(saved))
