"""Where each dose of a subject stands, folded from the subject's stream. The table is the whole workflow.

The rules that must stay true: what is not in the table may not happen; an entry that the table does not foresee changes
no stage, because the ledger says what happened and not what should have. Nothing here knows what is in a bag.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

from equipoise.ledger.entries import (
    BagChecked,
    BagMismatched,
    BagRejected,
    BagReleased,
    BagReturned,
    DosingDecided,
    DosingHeld,
    DosingJudged,
    Entry,
    InfusionEnded,
    InfusionInterrupted,
    InfusionResumed,
    InfusionStarted,
    PreparationRequested,
    Recorded,
    WrongBagGiven,
)
from equipoise.ledger.facts import DoseGiven, Facts
from equipoise.protocol.study import Study
from equipoise.words.changed import changed

Stage = Literal[
    "REQUESTED", "HELD", "RELEASED", "CHECKED", "RUNNING", "PAUSED", "ENDED", "POSTPONED", "OMITTED"
]
FINAL: frozenset[Stage] = frozenset({"ENDED", "POSTPONED", "OMITTED"})
"""Nothing more is asked of the dose by this request; a bag may still have to be brought back."""
DONE: frozenset[Stage] = frozenset({"ENDED", "OMITTED"})
"""The dose itself is over: it is not asked for again."""

AFTER: Mapping[tuple[Stage, str], Stage] = {
    ("REQUESTED", "held"): "HELD",
    ("RELEASED", "held"): "HELD",
    ("CHECKED", "held"): "HELD",
    ("HELD", "give"): "REQUESTED",
    ("HELD", "give with bag"): "RELEASED",
    ("HELD", "postpone"): "POSTPONED",
    ("HELD", "omit"): "OMITTED",
    ("REQUESTED", "released"): "RELEASED",
    ("HELD", "released"): "HELD",
    ("POSTPONED", "released"): "POSTPONED",
    ("OMITTED", "released"): "OMITTED",
    ("RELEASED", "checked"): "CHECKED",
    ("RELEASED", "rejected"): "REQUESTED",
    ("CHECKED", "rejected"): "REQUESTED",
    ("HELD", "rejected"): "HELD",
    ("POSTPONED", "rejected"): "POSTPONED",
    ("OMITTED", "rejected"): "OMITTED",
    ("CHECKED", "started"): "RUNNING",
    ("REQUESTED", "wrong started"): "RUNNING",
    ("RELEASED", "wrong started"): "RUNNING",
    ("CHECKED", "wrong started"): "RUNNING",
    ("HELD", "wrong started"): "RUNNING",
    ("POSTPONED", "wrong started"): "RUNNING",
    ("OMITTED", "wrong started"): "RUNNING",
    ("RUNNING", "interrupted"): "PAUSED",
    ("PAUSED", "resumed"): "RUNNING",
    ("RUNNING", "ended"): "ENDED",
    ("PAUSED", "ended"): "ENDED",
}
"""(stage, event) -> stage. What is not in the table may not happen."""


_EVENTS: Mapping[type[Entry], str] = {
    DosingHeld: "held",
    BagReleased: "released",
    BagChecked: "checked",
    BagRejected: "rejected",
    InfusionInterrupted: "interrupted",
    InfusionResumed: "resumed",
    InfusionEnded: "ended",
}
DOSE_ENTRIES = (
    *_EVENTS,
    DosingDecided,
    InfusionStarted,
    WrongBagGiven,
    BagReturned,
)
"""Entries that move a dose or a bag."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One judgement of the gate, as written; `by` is the actor, `on` the moment of the entry."""

    at: str
    decision: str
    results: Mapping[str, str]
    reasons: Mapping[str, str]
    on: str
    by: str


@dataclass(frozen=True, slots=True)
class Bag:
    """A masked bag of a request: its number, its use-by (UTC), and what became of it."""

    bag: str
    use_by: str
    checked_by: str = ""
    second: str = ""
    rejected: str = ""
    returned: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """One request for a planned dose, with everything that came of it. Moments are UTC, ISO.

    `bags`: in the order of their release. `bag`: the number of the one that is to be given now. `accepted`: conditions
    of the gate that an investigator decided to give in spite of. `wrong`: bags given that were meant for others.
    `clock`: the latest moment of the infusion that was recorded. `mismatches`: scans that did not agree.
    """

    request: str
    infusion: str
    at: str
    weight: str
    requested_at: str
    stage: Stage = "REQUESTED"
    bags: tuple[Bag, ...] = ()
    bag: str = ""
    release: Judged | None = None
    bedside: Judged | None = None
    held: tuple[str, ...] = ()
    held_at: str = ""
    held_because: str = ""
    decision: str = ""
    decided_by: str = ""
    decided_because: str = ""
    accepted: tuple[str, ...] = ()
    started_at: str = ""
    given: str = ""
    pauses: tuple[tuple[str, str], ...] = ()
    clock: str = ""
    ended_at: str = ""
    outcome: str = ""
    share: str = ""
    wrong: tuple[str, ...] = ()
    mismatches: int = 0

    def known_bag(self, number: str) -> Bag | None:
        """The bag of that number, where the second door released it for this request."""
        return next((bag for bag in self.bags if bag.bag == number), None)

    @property
    def current(self) -> Bag | None:
        """The bag that is to be given now, or is being given."""
        return self.known_bag(self.bag) if self.bag else None

    version: str = ""
    """The digest of the version that it was asked under, which decides on it to its end."""


@dataclass(frozen=True, slots=True)
class State:
    """One subject's requests, in their order."""

    requests: Mapping[str, Request] = field(default_factory=lambda: MappingProxyType({}))

    def of_dose(self, infusion: str) -> tuple[Request, ...]:
        """The requests of one planned dose, in their order."""
        return tuple(one for one in self.requests.values() if one.infusion == infusion)

    @property
    def infused(self) -> bool:
        """Whether anything was ever infused: a started infusion, or a bag given by mistake."""
        return any(one.started_at or one.wrong for one in self.requests.values())

    @property
    def first_infusion_at(self) -> str | None:
        """When (UTC, ISO) the first infusion began, by its own moment."""
        begun = [
            dt.datetime.fromisoformat(one.started_at) for one in self.requests.values() if one.started_at
        ]
        return min(begun).isoformat() if begun else None


START = State()


def evolve(state: State, recorded: Recorded) -> State:
    """The state after one more entry of the subject's stream."""
    entry, at = recorded.entry, recorded.header.at
    if isinstance(entry, PreparationRequested):
        version = recorded.header.study_digest
        made = Request(entry.request, entry.infusion, entry.at, entry.weight, at, version=version)
        return State(MappingProxyType({**state.requests, entry.request: made}))
    request = state.requests.get(getattr(entry, "request", ""))
    if request is None or entry is None:
        return state
    after = _evolve(request, entry, at, recorded.header.actor)
    return state if after is request else State(MappingProxyType({**state.requests, request.request: after}))


def _evolve(one: Request, entry: Entry, at: str, actor: str) -> Request:
    stage = AFTER.get((one.stage, event_of(entry, one.bag)), one.stage)
    changed = _changed(one, entry, at, actor)
    return changed if stage == one.stage else replace(changed, stage=stage)


def _changed(one: Request, entry: Entry, at: str, actor: str) -> Request:
    match entry:
        case DosingJudged():
            judged = Judged(entry.at, entry.decision, dict(entry.results), dict(entry.reasons), at, actor)
            return replace(one, release=judged) if entry.at == "RELEASE" else replace(one, bedside=judged)
        case DosingHeld():
            held = replace(one, held=entry.conditions, held_at=at, held_because=entry.reason, decision="")
            return replace(held, bags=_unchecked(one))
        case DosingDecided():
            return _decided(one, entry, actor)
        case BagReleased():
            return replace(one, bags=(*one.bags, Bag(entry.bag, entry.use_by)), bag=entry.bag)
        case BagChecked():
            return _bag(one, entry.bag, checked_by=actor, second=entry.second)
        case BagMismatched():
            return replace(one, mismatches=one.mismatches + 1)
        case BagRejected():
            lost = _bag(one, entry.bag, rejected=entry.because, checked_by="", second="")
            return replace(lost, bag="") if one.bag == entry.bag else lost
        case BagReturned():
            return _bag(one, entry.bag, returned=entry.remaining or "0")
        case WrongBagGiven():
            return replace(one, wrong=(*one.wrong, entry.given))
        case _:
            return _infusion(one, entry)


def event_of(entry: Entry, bag: str) -> str:
    """The event of the table that an entry is, where `bag` is to be given now; an empty text for one that is none."""
    match entry:
        case DosingDecided():
            given = "give with bag" if bag else "give"
            return given if entry.decision == "GIVE" else entry.decision.lower()
        case InfusionStarted():
            return "started" if entry.bag == bag else "wrong started"
        case _:
            return _EVENTS.get(type(entry), "")


def _infusion(one: Request, entry: Entry) -> Request:
    match entry:
        case InfusionStarted():
            return replace(one, started_at=entry.at, given=entry.bag, clock=entry.at)
        case InfusionInterrupted():
            return replace(one, pauses=(*one.pauses, (entry.at, "")), clock=entry.at)
        case InfusionResumed():
            return replace(one, pauses=_closed(one, entry.at), clock=entry.at)
        case InfusionEnded():
            ended = replace(one, ended_at=entry.at, outcome=entry.outcome, share=entry.share, clock=entry.at)
            return replace(ended, pauses=_closed(one, entry.at))
        case _:
            return one


def _decided(one: Request, entry: DosingDecided, actor: str) -> Request:
    """A decision to give accepts what stood against the dose in the judgement that was written with it."""
    found = replace(one, decision=entry.decision, decided_by=actor, decided_because=entry.reason, held=())
    if entry.decision != "GIVE":
        return found
    judged = max(
        (each for each in (one.release, one.bedside) if each), key=lambda each: each.on, default=None
    )
    open_ones = [name for name, letter in judged.results.items() if letter != "T"] if judged else []
    return replace(found, accepted=tuple(dict.fromkeys((*one.accepted, *open_ones))))


def _unchecked(one: Request) -> tuple[Bag, ...]:
    """After a hold, bag and participant are scanned again."""
    return tuple(replace(bag, checked_by="", second="") if bag.bag == one.bag else bag for bag in one.bags)


def _bag(one: Request, number: str, **changes: Any) -> Request:  # Any: as dataclasses.replace
    return replace(one, bags=tuple(replace(bag, **changes) if bag.bag == number else bag for bag in one.bags))


def _closed(one: Request, at: str) -> tuple[tuple[str, str], ...]:
    return tuple((begun, over or at) for begun, over in one.pauses)


def add_facts(facts: Facts, study: Study, state: State) -> Facts:
    """The facts that supply owns, filled in; what the gate says is added where a command asks (`gate.add_gate`)."""
    return changed(
        facts,
        infused=state.infused,
        first_infusion_at=state.first_infusion_at,
        doses_given=MappingProxyType(_given(study, state)),
    )


def _given(study: Study, state: State) -> dict[str, DoseGiven]:
    """Visit -> the dose that ended there; the latest where a dose was begun twice."""
    visits = {dose.id: dose.visit for dose in study.supply.doses}
    return {
        visits[one.infusion]: DoseGiven(int(one.share), whole_minutes(one.started_at, one.ended_at))
        for one in state.requests.values()
        if one.infusion in visits and one.started_at and one.ended_at
    }


def whole_minutes(begun: str, over: str) -> int:
    """Whole minutes from one moment (UTC, ISO) to another."""
    passed = dt.datetime.fromisoformat(over) - dt.datetime.fromisoformat(begun)
    return int(passed.total_seconds() // 60)
