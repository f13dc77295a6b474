"""Deciding on the store's birth, versions in force, sites and enrolment.

The rules that must stay true: a store gets its purpose once and keeps it, and one study for good; a version comes into
force only whole, with the digest and the number of its own content; a definition that changed on disk changes nothing
until it is released.
"""

from __future__ import annotations

import hashlib
from typing import TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from equipoise.ledger.entries import (
    Append,
    EnrolmentPaused,
    EnrolmentResumed,
    Entry,
    SiteActivated,
    SiteAdded,
    SiteApproved,
    SiteDeactivated,
    StoreOpened,
    StudyReleased,
)
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.oversight.commands import (
    ActivateSite,
    AddSite,
    ApproveSite,
    DeactivateSite,
    OpenStore,
    PauseEnrolment,
    ReleaseStudy,
    ResumeEnrolment,
)
from equipoise.oversight.evolve import SiteState, State
from equipoise.protocol.digest import study_from_canonical
from equipoise.protocol.study import Study
from equipoise.words.canonical import read_canonical
from equipoise.words.dates import parse_date
from equipoise.words.problem import problem
from equipoise.words.text import Text

SiteCommand: TypeAlias = AddSite | ApproveSite | ActivateSite | DeactivateSite

_PURPOSES = {"rehearsal": Text("a rehearsal", "演练"), "trial": Text("a trial", "正式试验")}


def decide(study: Study, state: State, facts: Facts, command: object, occasion: Occasion) -> Decision:
    """Decide a command on the stream `study`."""
    if isinstance(command, OpenStore):
        if state.purpose is not None:
            return _refuse("oversight.store-has-purpose", purpose=_PURPOSES[state.purpose])
        return _write("study", StoreOpened(command.purpose, study.id))
    if isinstance(command, ReleaseStudy):
        return _release(study, state, command)
    if isinstance(command, PauseEnrolment | ResumeEnrolment) and not command.reason.strip():
        return _refuse("oversight.reason-required", "reason")
    if isinstance(command, PauseEnrolment):
        return (
            _refuse("oversight.already-paused")
            if state.paused
            else _write("study", EnrolmentPaused(command.reason))
        )
    if isinstance(command, ResumeEnrolment):
        return (
            _write("study", EnrolmentResumed(command.reason))
            if state.paused
            else _refuse("oversight.not-paused")
        )
    raise TypeError(f"oversight does not know {type(command).__name__}")


def decide_site(
    study: Study, state: SiteState, facts: Facts, command: SiteCommand, occasion: Occasion
) -> Decision:
    """Decide a command on the stream of one site."""
    stream = f"site/{command.site}"
    if isinstance(command, AddSite):
        return _add(state, stream, command)
    if state.site is None:
        return _refuse("oversight.unknown-site", "site", site=command.site)
    if isinstance(command, ApproveSite):
        return _approve(stream, command)
    if isinstance(command, ActivateSite):
        if state.active:
            return _refuse("oversight.already-active", "site", site=command.site)
        if not facts.site_approved:
            return _refuse("oversight.activate-without-approval", "site", site=command.site)
        return _write(stream, SiteActivated(command.site))
    if not state.active:
        return _refuse("oversight.not-active", "site", site=command.site)
    if not command.reason.strip():
        return _refuse("oversight.reason-required", "reason")
    return _write(stream, SiteDeactivated(command.site, command.reason))


def _release(study: Study, state: State, command: ReleaseStudy) -> Decision:
    """`study` is the definition in force, or the one that a new store was made for."""
    content = command.definition.encode()
    if hashlib.sha256(content).hexdigest() != command.digest:
        return _refuse("oversight.digest-differs", "digest")
    try:
        defined = study_from_canonical(read_canonical(content))
    except ValueError as fault:
        return _refuse("oversight.definition-unreadable", "definition", reason=str(fault))
    if defined.id != study.id:
        return _refuse("oversight.other-study", "definition", given=defined.id, study=study.id)
    if defined.version != command.version:
        return _refuse("oversight.version-differs", "version", version=command.version, given=defined.version)
    if any(released.digest == command.digest for released in state.versions):
        return _refuse("oversight.already-released", "version", version=command.version)
    if any(released.version == command.version for released in state.versions):
        return _refuse("oversight.version-reused", "version", version=command.version)
    return _write("study", StudyReleased(command.version, command.digest, command.definition))


def _add(state: SiteState, stream: str, command: AddSite) -> Decision:
    if state.site is not None:
        return _refuse("oversight.site-exists", "site", site=command.site)
    try:
        ZoneInfo(command.zone)
    except (ZoneInfoNotFoundError, ValueError):
        return _refuse("oversight.unknown-zone", "zone", zone=command.zone)
    return _write(stream, SiteAdded(command.site, command.name, command.zone))


def _approve(stream: str, command: ApproveSite) -> Decision:
    if not command.approval.strip():
        return _refuse("oversight.approval-unnamed", "approval", site=command.site)
    days: list[str | None] = []
    for place, text in (("on", command.on), ("until", command.until)):
        understood = parse_date(text) if text is not None else None
        if text is not None and (understood is None or not understood.complete):
            return _refuse("oversight.date-incomplete", place, given=text)
        days.append(understood.iso() if understood is not None else None)
    on, until = days[0] or "", days[1]
    if until is not None and until < on:
        return _refuse("oversight.approval-ends-first", "until", on=on, until=until)
    return _write(stream, SiteApproved(command.site, command.approval, on, until))


def _write(stream: str, entry: Entry) -> Decision:
    return (Append(stream, entry),)


def _refuse(rule: str, where: str = "", **arguments: str | Text) -> Refusal:
    return Refusal((problem(rule, where, **arguments),))
