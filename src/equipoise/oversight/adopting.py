"""Deciding which version counts where: a site's approval of a version, its adoption, and moving a participant.

The rules that must stay true: no version counts at a site before its ethics committee approved it, nor for a day that
has passed; neither a site nor a participant goes back to an older version: what was wrong in one is mended by a
newer one. Source: ICH E6(R3) 4.3.5; Declaration of Helsinki 23 (no change of a protocol without the committee).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TypeAlias

from equipoise.ledger.entries import Append, StudyReleased, SubjectMoved, VersionAdopted, VersionApproved
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.oversight.commands import AdoptVersion, ApproveVersion, MoveSubject
from equipoise.oversight.evolve import SiteState, State
from equipoise.oversight.versions import deciding
from equipoise.protocol.study import Study
from equipoise.words.dates import whole_date
from equipoise.words.problem import Problem, problem

VersionCommand: TypeAlias = ApproveVersion | AdoptVersion


def decide(
    study: Study, state: State, site: SiteState, facts: Facts, command: VersionCommand, occasion: Occasion
) -> Decision:
    """Decide a command on a site's versions; `state` knows what was released."""
    released = _released(state, command.version)
    if site.site is None:
        return _refuse("oversight.unknown-site", "site", site=command.site)
    if released is None:
        return _unknown(state, command.version)
    six = study.entry.six_digit_dates
    on = whole_date(command.on, "oversight.date-incomplete", "on", six=six, today=occasion.today)
    if isinstance(on, Problem):
        return Refusal((on,))
    day, today = on.iso(), occasion.today.isoformat()
    if isinstance(command, ApproveVersion):
        if not command.approval.strip():
            return _refuse("oversight.approval-unnamed", "approval", site=command.site)
        if day > today:
            return _refuse("amendments.approval-to-come", "on", given=day, today=today)
        if site.versions.approvals.get(released.digest) == day:
            return _refuse("amendments.version-approved-already", "version", version=command.version, on=day)
        entry = VersionApproved(
            command.site, released.version, released.digest, command.approval.strip(), day
        )
        return (Append(f"site/{command.site}", entry),)
    faults = _against(state, site, released, command, day, occasion)
    if faults:
        return Refusal(faults)
    adopted = VersionAdopted(command.site, released.version, released.digest, day, command.existing)
    return (Append(f"site/{command.site}", adopted),)


def _against(
    state: State,
    site: SiteState,
    released: StudyReleased,
    command: AdoptVersion,
    day: str,
    occasion: Occasion,
) -> tuple[Problem, ...]:
    """Why a version cannot be adopted from a day on."""
    digests, found = _digests(state), []
    now = deciding(digests, site.versions, occasion.today)
    others = tuple(one for one in site.versions.adoptions if one.digest != released.digest)
    then = deciding(digests, replace(site.versions, adoptions=others), dt.date.fromisoformat(day))
    approved = site.versions.approvals.get(released.digest)
    says = {"version": released.version, "site": command.site}
    if now == released.digest:
        found.append(problem("amendments.version-in-force", "version", **says))
    elif digests.index(released.digest) < digests.index(then):
        found.append(problem("amendments.version-older", "version", **says))
    elif approved is None:
        found.append(problem("amendments.version-not-approved", "version", **says))
    elif day < approved:
        found.append(problem("amendments.adoption-before-approval", "on", on=day, approved=approved))
    if day < occasion.today.isoformat():
        found.append(
            problem("amendments.adoption-in-the-past", "on", on=day, today=occasion.today.isoformat())
        )
    return tuple(found)


def decide_subject(
    study: Study, state: State, site: SiteState, facts: Facts, command: MoveSubject, occasion: Occasion
) -> Decision:
    """Decide to move a participant; `study` is the version that decides for the participant until then."""
    released = _released(state, command.version)
    if not facts.subject_known:
        return _refuse("capture.subject-unknown", "subject")
    if released is None:
        return _unknown(state, command.version)
    if not command.reason.strip():
        return _refuse("oversight.reason-required", "reason")
    digests = _digests(state)
    here, there = deciding(digests, site.versions, occasion.today), digests.index(released.digest)
    if digests.index(here) < there:
        return _refuse("amendments.version-not-adopted", "version", version=released.version)
    now = next((one.digest for one in state.versions if one.version == study.version), here)
    if now == released.digest:
        return _refuse("amendments.subject-there-already", "version", version=released.version)
    if there < digests.index(now):
        return _refuse("amendments.subject-not-back", "version", version=released.version)
    moved = SubjectMoved(released.version, released.digest, command.reason.strip())
    return (Append(f"subject/{command.subject}", moved),)


def _released(state: State, version: str) -> StudyReleased | None:
    return next((one for one in state.versions if one.version == version), None)


def _digests(state: State) -> tuple[str, ...]:
    return tuple(one.digest for one in state.versions)


def _unknown(state: State, version: str) -> Refusal:
    known = ", ".join(one.version for one in state.versions) or "–"
    return _refuse("amendments.version-unknown", "version", version=version or "–", known=known)


def _refuse(rule: str, where: str, **arguments: str) -> Refusal:
    return Refusal((problem(rule, where, **arguments),))
