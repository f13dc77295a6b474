"""Requests for one arm and what became of them, folded from the stream `breaks`. No state here holds an arm."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from equipoise.ledger.entries import Recorded
from equipoise.ledger.vault_entries import ArmShown, BreakAccepted, BreakRefused, HandoverMade, QuotaPassed
from equipoise.vault.breaks.codes import GOOD_FOR

SHOWN_FOR = dt.timedelta(seconds=60)
"""How long an arm stays on a page."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request that was taken in. `shown_at` (UTC) is when the arm was first shown, `reader` to whom."""

    request: str
    subject: str
    site: str
    actor: str
    to: str
    drill: bool
    at: str
    handover: str | None = None
    handover_at: str | None = None
    reader: str | None = None
    shown_at: str | None = None

    def visible_until(self) -> dt.datetime | None:
        """When the arm goes off the page again; None where it was not shown."""
        return None if self.shown_at is None else dt.datetime.fromisoformat(self.shown_at) + SHOWN_FOR

    def code_good_until(self) -> dt.datetime | None:
        """Until when the one-time code counts; None where none was given."""
        return None if self.handover_at is None else dt.datetime.fromisoformat(self.handover_at) + GOOD_FOR


@dataclass(frozen=True, slots=True)
class Alarm:
    """More codes were broken at a site on a day than is usual."""

    site: str
    day: str
    breaks: int
    at: str


@dataclass(frozen=True, slots=True)
class State:
    """Every request by id, every refusal (moment, request, rule), every alarm, the training log of drills."""

    requests: Mapping[str, Accepted] = field(default_factory=lambda: MappingProxyType({}))
    refused: tuple[tuple[str, str, str], ...] = ()
    alarms: tuple[Alarm, ...] = ()

    def of_code(self, digest: str) -> Accepted | None:
        """The request for which a one-time code of this digest was given."""
        return next((each for each in self.requests.values() if each.handover == digest), None)

    def broken_on(self, site: str, day: dt.date, within: dt.tzinfo) -> frozenset[str]:
        """The subjects of a site whose arms were shown on a calendar day of a zone; drills do not count."""
        return frozenset(
            each.subject
            for each in self.requests.values()
            if each.site == site
            and not each.drill
            and each.shown_at is not None
            and dt.datetime.fromisoformat(each.shown_at).astimezone(within).date() == day
        )

    def drills(self) -> tuple[Accepted, ...]:
        """The drills that were carried through, for the training log."""
        return tuple(each for each in self.requests.values() if each.drill and each.shown_at is not None)


START = State()


def evolve(state: State, recorded: Recorded) -> State:
    """The state after one more entry of the stream `breaks`."""
    entry, at = recorded.entry, recorded.header.at
    if isinstance(entry, BreakAccepted):
        made = Accepted(entry.request, entry.subject, entry.site, entry.actor, entry.to, entry.drill, at)
        return _with(state, made)
    if isinstance(entry, BreakRefused):
        return replace(state, refused=(*state.refused, (at, entry.request, entry.rule)))
    if isinstance(entry, QuotaPassed):
        return replace(state, alarms=(*state.alarms, Alarm(entry.site, entry.day, entry.breaks, at)))
    if isinstance(entry, HandoverMade) and entry.request in state.requests:
        known = state.requests[entry.request]
        return _with(state, replace(known, handover=entry.digest, handover_at=at))
    if isinstance(entry, ArmShown) and entry.request in state.requests:
        known = state.requests[entry.request]
        return _with(state, replace(known, reader=entry.reader, shown_at=at))
    return state


def _with(state: State, made: Accepted) -> State:
    return replace(state, requests=MappingProxyType({**state.requests, made.request: made}))
