"""What is in force: folded from the stream `study`, from one site's stream, and from what the second door said."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from equipoise.ledger.entries import (
    AnchorReceived,
    ConsentVersionApproved,
    EnrolmentPaused,
    EnrolmentResumed,
    RangeRow,
    RangesRecorded,
    RecallReceived,
    Recorded,
    SecondDoorEnrolled,
    ServiceInterrupted,
    SiteActivated,
    SiteAdded,
    SiteApproved,
    SiteDeactivated,
    StoreOpened,
    StudyReleased,
)
from equipoise.ledger.facts import Facts
from equipoise.oversight.delegation import Log, evolve_log
from equipoise.oversight.ranges import with_rows
from equipoise.oversight.release import Gate, evolve_gate
from equipoise.oversight.versions import SiteVersions, evolve_versions
from equipoise.words.changed import changed


@dataclass(frozen=True, slots=True)
class State:
    """The store's purpose, the released definitions (newest last), whether enrolment is paused, the release gate."""

    purpose: Literal["rehearsal", "trial"] | None = None
    versions: tuple[StudyReleased, ...] = ()
    paused: bool = False
    gate: Gate = field(default_factory=Gate)
    interruptions: tuple[tuple[dt.datetime, dt.datetime], ...] = ()
    """When phones could not reach the server: since, until (UTC)."""

    @property
    def in_force(self) -> StudyReleased | None:
        """The newest released version."""
        return self.versions[-1] if self.versions else None


@dataclass(frozen=True, slots=True)
class SiteState:
    """One site: name, time zone, the ethics approval's dates (ISO), whether it is open for enrolment, its versions."""

    site: str | None = None
    name: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    zone: str = "UTC"
    approved_on: str | None = None
    approved_until: str | None = None
    active: bool = False
    versions: SiteVersions = field(default_factory=SiteVersions)
    log: Log = field(default_factory=Log)
    consent_versions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Version of the consent form -> the day (ISO) on which the ethics committee approved it for the site."""
    ranges: tuple[RangeRow, ...] = ()

    def approved(self, today: dt.date) -> bool:
        """Whether an ethics approval covers the day."""
        if self.approved_on is None or self.approved_on > today.isoformat():
            return False
        return self.approved_until is None or today.isoformat() <= self.approved_until


@dataclass(frozen=True, slots=True)
class DoorState:
    """What the second door said: its key (hex), its last anchor's number and moment, and its recalls by notice."""

    key: str | None = None
    anchors: int = 0
    anchored_at: str | None = None
    recalls: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))


def add_facts(
    facts: Facts, state: State, site: SiteState, today: dt.date, *, log_required: bool = False
) -> Facts:
    """The facts that oversight owns, filled in.

    log_required: whether the definition binds site staff to the log. A rehearsal's log begins to bind when its
    principal investigator is named; in a trial it binds from the first day.
    """
    return changed(
        facts,
        rehearsal=state.purpose == "rehearsal",
        enrolment_open=not state.paused and state.gate.released is None,
        list_released=state.gate.released is not None,
        site_known=site.site is not None,
        site_approved=site.approved(today),
        site_active=site.active,
        log_in_force=log_required and (site.log.principal is not None or state.purpose == "trial"),
        principal=site.log.principal,
        site_approved_on=site.approved_on,
        consent_approvals=site.consent_versions,
        delegated=site.log.delegated,
        ranges=site.ranges,
    )


START = State()
SITE_START = SiteState()
DOOR_START = DoorState()


def evolve(state: State, recorded: Recorded) -> State:
    """The study's state after one more entry of the stream `study`."""
    entry = recorded.entry
    if isinstance(entry, StoreOpened):
        return replace(state, purpose=entry.purpose)
    if isinstance(entry, StudyReleased):
        return replace(state, versions=(*state.versions, entry))
    if isinstance(entry, ServiceInterrupted):
        down = dt.datetime.fromisoformat(entry.since), dt.datetime.fromisoformat(entry.until)
        return replace(state, interruptions=(*state.interruptions, down))
    if isinstance(entry, EnrolmentPaused | EnrolmentResumed):
        return replace(state, paused=isinstance(entry, EnrolmentPaused))
    header = recorded.header
    gate = evolve_gate(state.gate, entry, header.actor, header.role, header.at)
    return state if gate is state.gate else replace(state, gate=gate)


def evolve_site(state: SiteState, recorded: Recorded) -> SiteState:
    """The site's state after one more entry of its stream."""
    entry = recorded.entry
    versions = evolve_versions(state.versions, recorded)
    if versions is not state.versions:
        state = replace(state, versions=versions)
    if isinstance(entry, SiteAdded):
        return replace(state, site=entry.site, name=entry.name, zone=entry.zone)
    if isinstance(entry, SiteApproved):
        return replace(state, approved_on=entry.on, approved_until=entry.until)
    if isinstance(entry, SiteActivated | SiteDeactivated):
        return replace(state, active=isinstance(entry, SiteActivated))
    if isinstance(entry, ConsentVersionApproved):
        known = {**state.consent_versions, entry.version: entry.on}
        return replace(state, consent_versions=MappingProxyType(known))
    if isinstance(entry, RangesRecorded):
        return replace(state, ranges=with_rows(state.ranges, entry.rows))
    log = evolve_log(state.log, recorded)
    return state if log is state.log else replace(state, log=log)


def evolve_door(state: DoorState, recorded: Recorded) -> DoorState:
    """What the second door said after one more entry of the stream `second-door`."""
    entry = recorded.entry
    if isinstance(entry, SecondDoorEnrolled):
        return replace(state, key=entry.key)
    if isinstance(entry, AnchorReceived):
        return replace(state, anchors=entry.number, anchored_at=recorded.header.at)
    if isinstance(entry, RecallReceived):
        return replace(state, recalls=MappingProxyType({**state.recalls, entry.notice: entry.bags}))
    return state
