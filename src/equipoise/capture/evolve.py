"""What is captured of one subject, folded from the subject's stream: forms, visit dates, queries.

The rules that must stay true: the fold is pure and copies only the path that changes; an item that was emptied is
gone from the values, and its history stays in the stream (`history`). Nothing is known of a kind it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from equipoise.capture import closed as closing
from equipoise.capture import entered
from equipoise.ledger.entries import (
    Datum,
    FormMoved,
    FormOmitted,
    FormReinstated,
    FormSaved,
    Header,
    LogReviewed,
    QueryAnswered,
    QueryAsked,
    QueryCancelled,
    QueryClosed,
    QueryRaised,
    QueryReopened,
    Recorded,
    RowRestored,
    RowVoided,
    VisitDated,
    VisitDescribed,
    VisitMissed,
    VisitReopened,
)

MANUAL = "manual"
"""The rule of a query that a person raised."""
QueryState = Literal["OPEN", "ANSWERED", "CLOSED", "CANCELLED"]
_NOTHING: Mapping[Any, Any] = MappingProxyType({})


class Place(NamedTuple):
    """One instance of a form: the visit, the form, and which repetition of it (from 1)."""

    visit: str
    form: str
    repeat: int


@dataclass(frozen=True, slots=True)
class Omission:
    """That a whole form was not done: the code, what was said, when and by whom."""

    missing: str
    reason: str
    at: str
    by: str


@dataclass(frozen=True, slots=True)
class Instance:
    """One form as it stands. `values` has items with a value or a code; `derived` what was computed from them.

    `changed` says for every item that ever had one the seq of its last change; `seq` is the last save.
    `ever_complete`: it was marked complete once, so a change needs a reason from then on.
    """

    values: Mapping[str, Datum] = field(default_factory=lambda: _NOTHING)
    derived: Mapping[str, Datum] = field(default_factory=lambda: _NOTHING)
    changed: Mapping[str, int] = field(default_factory=lambda: _NOTHING)
    complete: bool = False
    ever_complete: bool = False
    seq: int = 0
    version: str = ""
    """The digest of the version by which it was last decided; once complete, it keeps that one until it is moved."""
    omitted: Omission | None = None
    """That the whole form was not done; nothing is asked of it then, so that it counts as complete."""
    copied: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    """Items taken over from another place (`visit/repeat`) that nobody has confirmed."""


@dataclass(frozen=True, slots=True)
class Said:
    """One step of a query's life: answered, closed, cancelled, reopened; who, as what, when, and in what words."""

    act: str
    by: str
    role: str
    at: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """One query. `rule` is the check that raised it, or `manual`; `automatic`: it closed by itself.

    `answer` is the last one; `thread` everything that was said after it was raised, oldest first.
    """

    id: str
    place: Place
    item: str
    rule: str
    message: Mapping[str, str]
    raised_at: str
    raised_by: str
    state: QueryState = "OPEN"
    answer: str | None = None
    automatic: bool = False
    raised_role: str = ""
    thread: tuple[Said, ...] = ()

    @property
    def open(self) -> bool:
        """Whether somebody still has to do something: it is neither closed nor cancelled."""
        return self.state in {"OPEN", "ANSWERED"}


@dataclass(frozen=True, slots=True)
class VisitDate:
    """The day (ISO) on which a visit took place, and the entry that says so; how and why, where that was said."""

    on: str
    seq: int
    mode: str = ""
    because: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Miss:
    """A visit that did not take place: why, when that was recorded (UTC), and by whom."""

    because: str
    reason: str
    at: str
    by: str


@dataclass(frozen=True, slots=True)
class Review:
    """A log gone through at a visit: the entry that says so, what it found, and the rows that still went on."""

    outcome: str
    rows: tuple[int, ...]
    at: str
    by: str
    seq: int


@dataclass(frozen=True, slots=True)
class Voiding:
    """A row marked as entered in error."""

    reason: str
    at: str
    by: str


@dataclass(frozen=True, slots=True)
class State:
    """Forms by place, dates and misses by (visit, repeat), queries by id, in the order in which they came.

    `reviews`: of logs, by visit, form, repetition of the visit; `voided`: rows entered in error; `pairs`: what two
    persons typed from paper, by place, which is among no values of `forms` before it is settled.
    """

    forms: Mapping[Place, Instance] = field(default_factory=lambda: _NOTHING)
    dates: Mapping[tuple[str, int], VisitDate] = field(default_factory=lambda: _NOTHING)
    queries: Mapping[str, Query] = field(default_factory=lambda: _NOTHING)
    closing: closing.Closing = closing.OPEN
    missed: Mapping[tuple[str, int], Miss] = field(default_factory=lambda: _NOTHING)
    reviews: Mapping[Place, Review] = field(default_factory=lambda: _NOTHING)
    voided: Mapping[Place, Voiding] = field(default_factory=lambda: _NOTHING)
    pairs: entered.Pairs = field(default_factory=lambda: _NOTHING)

    def form(self, place: Place) -> Instance:
        """The form at a place; an empty one where nothing was saved yet."""
        return self.forms.get(place, EMPTY)

    def queries_at(self, place: Place) -> tuple[Query, ...]:
        """The queries on a form, oldest first."""
        return tuple(query for query in self.queries.values() if query.place == place)


EMPTY = Instance()
START = State()


def evolve(state: State, recorded: Recorded) -> State:
    """The state after one more entry of the subject's stream."""
    after, closed = _evolve(state, recorded), closing.evolve(state.closing, recorded)
    pairs = entered.evolve(state.pairs, recorded)
    if closed is state.closing and pairs is state.pairs:
        return after
    return replace(after, closing=closed, pairs=pairs)


def _evolve(state: State, recorded: Recorded) -> State:
    entry, header = recorded.entry, recorded.header
    match entry:
        case FormSaved():
            place = Place(entry.visit, entry.form, entry.repeat)
            saved = replace(apply_save(state.form(place), entry, header.seq), version=header.study_digest)
            return replace(state, forms=MappingProxyType({**state.forms, place: saved}))
        case FormMoved():
            place = Place(entry.visit, entry.form, entry.repeat)
            moved = replace(state.form(place), version=header.study_digest, complete=entry.complete)
            return replace(state, forms=MappingProxyType({**state.forms, place: moved}))
        case FormOmitted() | FormReinstated():
            place = Place(entry.visit, entry.form, entry.repeat)
            marked = _marked(state.form(place), entry, header)
            return replace(state, forms=MappingProxyType({**state.forms, place: marked}))
        case VisitDated() | VisitDescribed() | VisitMissed() | VisitReopened():
            return _visited(state, entry, header)
        case QueryRaised():
            place = Place(entry.visit, entry.form, entry.repeat)
            query = Query(
                entry.query,
                place,
                entry.item,
                entry.rule,
                entry.message,
                header.at,
                header.actor,
                raised_role=header.role,
            )
            return _with(state, query)
        case QueryAsked():
            place, message = Place(entry.visit, entry.form, entry.repeat), {"en": entry.text}
            query = Query(
                entry.query,
                place,
                entry.item,
                MANUAL,
                message,
                header.at,
                header.actor,
                raised_role=header.role,
            )
            return _with(state, query)
        case QueryAnswered() if entry.query in state.queries:
            said = _said(state.queries[entry.query], "answered", header, entry.answer)
            return _with(state, replace(said, state="ANSWERED", answer=entry.answer))
        case QueryClosed() if entry.query in state.queries:
            act = "settled" if entry.automatic else "closed"
            said = _said(state.queries[entry.query], act, header, entry.note)
            return _with(state, replace(said, state="CLOSED", automatic=entry.automatic))
        case QueryCancelled() if entry.query in state.queries:
            said = _said(state.queries[entry.query], "cancelled", header, entry.reason)
            return _with(state, replace(said, state="CANCELLED", automatic=False))
        case QueryReopened() if entry.query in state.queries:
            said = _said(state.queries[entry.query], "reopened", header, entry.text)
            return _with(state, replace(said, state="OPEN", automatic=False))
        case LogReviewed():
            review = Review(entry.outcome, tuple(entry.rows), header.at, header.actor, header.seq)
            place = Place(entry.visit, entry.form, entry.repeat)
            return replace(state, reviews=MappingProxyType({**state.reviews, place: review}))
        case RowVoided():
            place = Place(entry.visit, entry.form, entry.repeat)
            void = Voiding(entry.reason, header.at, header.actor)
            return replace(state, voided=MappingProxyType({**state.voided, place: void}))
        case RowRestored():
            place = Place(entry.visit, entry.form, entry.repeat)
            left = {one: void for one, void in state.voided.items() if one != place}
            return replace(state, voided=MappingProxyType(left))
        case _:
            return state


def _said(query: Query, act: str, header: Header, text: str) -> Query:
    step = Said(act, header.actor, header.role, header.at, text)
    return replace(query, thread=(*query.thread, step))


def _visited(
    state: State, entry: VisitDated | VisitDescribed | VisitMissed | VisitReopened, header: Header
) -> State:
    """A date ends a miss, a miss ends a date, and taking back ends both."""
    place = (entry.visit, 1 if isinstance(entry, VisitMissed) else entry.repeat)
    known = state.dates.get(place)
    if isinstance(entry, VisitDescribed):
        if known is None:
            return state
        told = replace(known, mode=entry.mode, because=entry.because, reason=entry.reason)
        return replace(state, dates=MappingProxyType({**state.dates, place: told}))
    dates = {key: date for key, date in state.dates.items() if key != place}
    missed = {key: miss for key, miss in state.missed.items() if key != place}
    if isinstance(entry, VisitDated):
        before = known or VisitDate("", 0)
        dates = {**state.dates, place: replace(before, on=entry.on, seq=header.seq)}
    elif isinstance(entry, VisitMissed):
        missed[place] = Miss(entry.because, entry.reason, header.at, header.actor)
    return replace(state, dates=MappingProxyType(dates), missed=MappingProxyType(missed))


def apply_save(before: Instance, entry: FormSaved, seq: int) -> Instance:
    """A form after one save."""
    given = given_by(entry)
    return Instance(
        values=_merged(before.values, given),
        derived=_merged(before.derived, entry.derived),
        changed=MappingProxyType({**before.changed, **dict.fromkeys(given, seq)}),
        complete=entry.complete,
        ever_complete=before.ever_complete or entry.complete,
        seq=seq,
        copied=_copied(before, entry, given),
    )


def _copied(before: Instance, entry: FormSaved, given: Mapping[str, Datum]) -> Mapping[str, str]:
    left = {name: place for name, place in before.copied.items() if name not in given}
    return MappingProxyType({**left, **(entry.copied or {})}) if left or entry.copied else _NOTHING


def _marked(before: Instance, entry: FormOmitted | FormReinstated, header: Header) -> Instance:
    if isinstance(entry, FormReinstated):
        return replace(before, omitted=None, complete=False, seq=header.seq)
    omission = Omission(entry.missing, entry.reason, header.at, header.actor)
    return replace(before, omitted=omission, complete=True, seq=header.seq)


def given_by(entry: FormSaved) -> Mapping[str, Datum]:
    """Every item of a save with its datum, explanations of missing codes among them."""
    items = {**entry.items, **entry.texts}
    return items | {name: replace(items[name], why=why) for name, why in entry.whys.items() if name in items}


def is_empty(datum: Datum) -> bool:
    """Whether there is neither a value nor a code."""
    return datum.value is None and datum.missing is None


def _merged(before: Mapping[str, Datum], given: Mapping[str, Datum]) -> Mapping[str, Datum]:
    merged = {**before, **given}
    return MappingProxyType({name: datum for name, datum in merged.items() if not is_empty(datum)})


def _with(state: State, query: Query) -> State:
    return replace(state, queries=MappingProxyType({**state.queries, query.id: query}))
