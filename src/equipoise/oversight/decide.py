"""Deciding on the store's birth, versions in force, sites and enrolment.

The rules that must stay true: a store gets its purpose once and keeps it, and one study for good; a version comes into
force only whole, with the digest and the number of its own content; a definition that changed on disk changes nothing
until it is released.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from typing import TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from equipoise.ledger.entries import (
    AllocationReleased,
    AnchorReceived,
    Append,
    EnrolmentPaused,
    EnrolmentResumed,
    Entry,
    RecallReceived,
    ReleaseConditionRecorded,
    ReleaseSigned,
    SecondDoorEnrolled,
    ServiceInterrupted,
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
    ApproveConsentVersion,
    ApproveSite,
    DeactivateSite,
    DelegateDuties,
    EndDelegation,
    EnrolSecondDoor,
    NamePrincipalInvestigator,
    OpenStore,
    PauseEnrolment,
    RecordAnchor,
    RecordInterruption,
    RecordListRelease,
    RecordRanges,
    RecordRecall,
    RecordReleaseCondition,
    ReleaseStudy,
    ResumeEnrolment,
    SignRelease,
)
from equipoise.oversight.consent_forms import decide_consent_form
from equipoise.oversight.delegation import decide_log
from equipoise.oversight.evolve import DoorState, SiteState, State
from equipoise.oversight.ranges import decide_ranges
from equipoise.oversight.release import CONDITIONS, SIGNING
from equipoise.protocol.digest import study_from_text
from equipoise.protocol.study import Study
from equipoise.words.dates import whole_date
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text

SiteCommand: TypeAlias = (
    AddSite | ApproveSite | ActivateSite | DeactivateSite
    | ApproveConsentVersion | NamePrincipalInvestigator | DelegateDuties | EndDelegation | RecordRanges
)  # fmt: skip
DoorCommand: TypeAlias = EnrolSecondDoor | RecordAnchor | RecordRecall
GateCommand: TypeAlias = RecordReleaseCondition | SignRelease | RecordListRelease

_KEY = re.compile(r"[0-9a-f]{64}")
"""A public key or a digest, as hexadecimal."""

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
    if isinstance(command, RecordInterruption):
        return _interrupted(command, occasion)
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
    if isinstance(command, RecordReleaseCondition | SignRelease | RecordListRelease):
        return _gate(state, facts, command, occasion)
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
    if isinstance(command, ApproveConsentVersion):
        return decide_consent_form(study, state.consent_versions, command, occasion)
    if isinstance(command, NamePrincipalInvestigator | DelegateDuties | EndDelegation):
        return decide_log(state.log, facts, command, occasion)
    if isinstance(command, RecordRanges):
        return decide_ranges(study, state.ranges, command)
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


def _interrupted(command: RecordInterruption, occasion: Occasion) -> Decision:
    """When phones could not reach the server; both ends are moments that have passed."""
    try:
        since, until = (dt.datetime.fromisoformat(one) for one in (command.since, command.until))
        fits = since < until <= occasion.at
    except (TypeError, ValueError):
        fits = False
    if not fits:
        return _refuse("oversight.interruption-unfit", "since")
    return _write("study", ServiceInterrupted(command.since, command.until, command.reason.strip()))


def _release(study: Study, state: State, command: ReleaseStudy) -> Decision:
    """`study` is the definition in force, or the one that a new store was made for."""
    content = command.definition.encode()
    if hashlib.sha256(content).hexdigest() != command.digest:
        return _refuse("oversight.digest-differs", "digest")
    try:
        defined = study_from_text(command.definition)
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
        understood = whole_date(text, "oversight.date-incomplete", place) if text is not None else None
        if isinstance(understood, Problem):
            return Refusal((understood,))
        days.append(understood.iso() if understood is not None else None)
    on, until = days[0] or "", days[1]
    if until is not None and until < on:
        return _refuse("oversight.approval-ends-first", "until", on=on, until=until)
    return _write(stream, SiteApproved(command.site, command.approval, on, until))


def decide_door(
    study: Study, state: DoorState, facts: Facts, command: DoorCommand, occasion: Occasion
) -> Decision:
    """Decide what the second door said, on the stream `second-door`. Its signature was verified before."""
    if isinstance(command, EnrolSecondDoor):
        if state.key is not None:
            return _refuse("oversight.second-door-enrolled", "key", key=state.key[:16])
        if _KEY.fullmatch(command.key) is None:
            return _refuse("oversight.key-unfit", "key")
        return _write("second-door", SecondDoorEnrolled(command.key))
    if state.key is None:
        return _refuse("oversight.no-second-door", "key")
    if isinstance(command, RecordAnchor):
        if (
            command.number <= state.anchors
        ):  # a gap is no fault: a store put back passes over numbers it cannot know
            return _refuse(
                "oversight.anchor-out-of-order",
                "number",
                number=str(command.number),
                expected=str(state.anchors + 1),
            )
        anchor = AnchorReceived(command.number, command.commitment, command.statement, command.signature)
        return _write("second-door", anchor)
    if command.notice in state.recalls:
        return _refuse("oversight.recall-known", "notice", notice=command.notice)
    recall = RecallReceived(command.notice, command.bags, command.statement, command.signature)
    return _write("second-door", recall)


def _gate(state: State, facts: Facts, command: GateCommand, occasion: Occasion) -> Decision:
    gate = state.gate
    if gate.released is not None:
        return _refuse("oversight.released-already", "release")
    if isinstance(command, RecordListRelease):
        if command.root != facts.list_root:
            return _refuse("oversight.release-of-another-list", "root")
        release = AllocationReleased(command.root, command.release, command.statement, command.signature)
        return _write("study", release)
    if isinstance(command, RecordReleaseCondition):
        if occasion.role not in CONDITIONS[command.condition]:
            return _refuse("oversight.condition-of-another-role", "condition")
        if not command.reference.strip():
            return _refuse("oversight.reference-required", "reference")
        if command.condition == "DEVIATIONS_CLASSED" and command.met and facts.deviations_unclassed:
            return _refuse("oversight.deviations-unclassed", "condition", n=str(facts.deviations_unclassed))
        known = gate.conditions.get(command.condition)
        if known is not None and (known.met, known.reference) == (command.met, command.reference):
            return _refuse("oversight.condition-stands", "condition")
        entry = ReleaseConditionRecorded(command.condition, command.met, command.reference)
        return _write("study", entry)
    missing = gate.missing()
    if missing:
        return Refusal(tuple(problem(f"oversight.release-waits-for-{_slug(each)}", each) for each in missing))
    if command.conditions != gate.digest():
        return _refuse("oversight.conditions-changed", "conditions")
    signed = gate.signers()
    if occasion.role not in SIGNING:
        return _refuse("oversight.signature-of-another-role", "role")
    if any(each.by == occasion.by for each in signed):
        return _refuse("oversight.same-person-signs", "by")
    if any(each.role == occasion.role for each in signed):
        return _refuse("oversight.role-signed-already", "role")
    return _write("study", ReleaseSigned(command.conditions))


def _slug(condition: str) -> str:
    return condition.lower().replace("_", "-")


def _write(stream: str, entry: Entry) -> Decision:
    return (Append(stream, entry),)


def _refuse(rule: str, where: str = "", **arguments: str | Text) -> Refusal:
    return Refusal((problem(rule, where, **arguments),))
