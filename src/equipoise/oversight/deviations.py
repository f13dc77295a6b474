"""Protocol deviations of one subject: folded from the subject's stream, and what may be done with each.

The rules that must stay true: the table is the whole workflow; one matter of one rule has one open deviation; what a
rule raised it takes back by itself only where what it saw does not stand any more; a deviation is settled when it was
classed and explained, and, beyond minor, when somebody said what is done about it. Nothing here knows an arm.
Sources: ICH E6(R3) 3.9.1, 3.12; ICH E3 10.2.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal, cast

from equipoise.ledger.entries import (
    ConsentDocumented,
    ConsentWithdrawn,
    DeviationClassed,
    DeviationClosed,
    DeviationExplained,
    DeviationRaised,
    DeviationReopened,
    DeviationWithdrawn,
    Entry,
    Recorded,
)
from equipoise.words.canonical import Json

DeviationState = Literal["OPEN", "CLOSED", "WITHDRAWN"]
MANUAL = "manual"
"""The rule of a deviation that a person recorded."""
NEXT: Mapping[tuple[DeviationState, str], DeviationState] = {
    ("OPEN", "class"): "OPEN",
    ("OPEN", "explain"): "OPEN",
    ("OPEN", "close"): "CLOSED",
    ("OPEN", "withdraw"): "WITHDRAWN",
    ("CLOSED", "reopen"): "OPEN",
    ("WITHDRAWN", "reopen"): "OPEN",
}
"""(state, act) -> state. What is not in the table may not happen."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """One deviation and what was said of it. `severity`: empty until it is classed. Moments are UTC."""

    id: str
    rule: str
    visit: str
    repeat: int
    matter: str
    days: int
    on: str
    text: str
    raised_at: str
    raised_by: str
    state: DeviationState = "OPEN"
    severity: str = ""
    important: bool = False
    note: str = ""
    explanation: str = ""
    action: str = ""
    closing: str = ""
    automatic: bool = False

    @property
    def key(self) -> tuple[str, str, int, str]:
        """What it is about: rule, visit, repetition, matter."""
        return self.rule, self.visit, self.repeat, self.matter


@dataclass(frozen=True, slots=True)
class Consented:
    """A version of the consent form was signed, or (version empty) consent was withdrawn, on a day (ISO)."""

    on: str
    version: str


@dataclass(frozen=True, slots=True)
class State:
    """Deviations by id in their order, and the acts of consent in theirs, by which visits are judged."""

    deviations: Mapping[str, Deviation] = field(default_factory=lambda: MappingProxyType({}))
    consents: tuple[Consented, ...] = ()

    @property
    def standing(self) -> tuple[Deviation, ...]:
        """Those that were not withdrawn."""
        return tuple(one for one in self.deviations.values() if one.state != "WITHDRAWN")


START = State()


def evolve(state: State, recorded: Recorded) -> State:
    """The state after one more entry of the subject's stream."""
    entry, header = recorded.entry, recorded.header
    if isinstance(entry, ConsentDocumented) and entry.given:
        return replace(state, consents=(*state.consents, Consented(entry.on, entry.version)))
    if isinstance(entry, ConsentWithdrawn):
        return replace(state, consents=(*state.consents, Consented(entry.on, "")))
    if isinstance(entry, DeviationRaised):
        made = Deviation(
            entry.deviation, entry.rule, entry.visit, entry.repeat, entry.matter, entry.days, entry.on, entry.text,
            header.at, header.actor,
        )  # fmt: skip
        return _with(state, made)
    known = state.deviations.get(str(getattr(entry, "deviation", "")))
    if known is None or entry is None:
        return state
    return _with(state, _changed(known, entry))


def _changed(one: Deviation, entry: Entry) -> Deviation:
    match entry:
        case DeviationClassed():
            return replace(one, severity=entry.severity, important=entry.important, note=entry.note)
        case DeviationExplained():
            return replace(one, explanation=entry.explanation, action=entry.action)
        case DeviationClosed():
            return replace(one, state="CLOSED", closing=entry.note)
        case DeviationReopened():
            return replace(one, state="OPEN", closing=entry.reason, automatic=False)
        case DeviationWithdrawn():
            return replace(one, state="WITHDRAWN", closing=entry.reason, automatic=entry.automatic)
        case _:
            return one


def _with(state: State, made: Deviation) -> State:
    return replace(state, deviations=MappingProxyType({**state.deviations, made.id: made}))


def state_to_json(state: State) -> Json:
    """The state as canonical JSON, for a disposable snapshot."""
    return {
        "deviations": [dataclasses.asdict(one) for one in state.deviations.values()],
        "consents": [[one.on, one.version] for one in state.consents],
    }


def state_from_json(json: Json) -> State:
    """The state that `state_to_json` wrote."""
    written = cast("Mapping[str, Any]", json)  # Any: as written above
    return State(
        MappingProxyType({one["id"]: Deviation(**one) for one in written["deviations"]}),
        tuple(Consented(on, version) for on, version in written["consents"]),
    )
