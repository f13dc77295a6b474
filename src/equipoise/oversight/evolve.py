"""What is in force: folded from the stream `study` and from one site's stream."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from equipoise.ledger.entries import (
    EnrolmentPaused,
    EnrolmentResumed,
    Recorded,
    SiteActivated,
    SiteAdded,
    SiteApproved,
    SiteDeactivated,
    StoreOpened,
    StudyReleased,
)
from equipoise.ledger.facts import Facts


@dataclass(frozen=True, slots=True)
class State:
    """The store's purpose, the released definitions (newest last), and whether enrolment is paused."""

    purpose: Literal["rehearsal", "trial"] | None = None
    versions: tuple[StudyReleased, ...] = ()
    paused: bool = False

    @property
    def in_force(self) -> StudyReleased | None:
        """The newest released version."""
        return self.versions[-1] if self.versions else None


@dataclass(frozen=True, slots=True)
class SiteState:
    """One site: name, time zone, the ethics approval's dates (ISO), whether it is open for enrolment."""

    site: str | None = None
    name: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    zone: str = "UTC"
    approved_on: str | None = None
    approved_until: str | None = None
    active: bool = False

    def approved(self, today: dt.date) -> bool:
        """Whether an ethics approval covers the day."""
        if self.approved_on is None or self.approved_on > today.isoformat():
            return False
        return self.approved_until is None or today.isoformat() <= self.approved_until


def add_facts(facts: Facts, state: State, site: SiteState, today: dt.date) -> Facts:
    """The facts that oversight owns, filled in."""
    return replace(
        facts,
        rehearsal=state.purpose == "rehearsal",
        enrolment_open=not state.paused,
        site_known=site.site is not None,
        site_approved=site.approved(today),
        site_active=site.active,
    )


START = State()
SITE_START = SiteState()


def evolve(state: State, recorded: Recorded) -> State:
    """The study's state after one more entry of the stream `study`."""
    entry = recorded.entry
    if isinstance(entry, StoreOpened):
        return replace(state, purpose=entry.purpose)
    if isinstance(entry, StudyReleased):
        return replace(state, versions=(*state.versions, entry))
    if isinstance(entry, EnrolmentPaused | EnrolmentResumed):
        return replace(state, paused=isinstance(entry, EnrolmentPaused))
    return state


def evolve_site(state: SiteState, recorded: Recorded) -> SiteState:
    """The site's state after one more entry of its stream."""
    entry = recorded.entry
    if isinstance(entry, SiteAdded):
        return replace(state, site=entry.site, name=entry.name, zone=entry.zone)
    if isinstance(entry, SiteApproved):
        return replace(state, approved_on=entry.on, approved_until=entry.until)
    if isinstance(entry, SiteActivated | SiteDeactivated):
        return replace(state, active=isinstance(entry, SiteActivated))
    return state
