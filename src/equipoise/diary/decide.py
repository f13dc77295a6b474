"""Deciding on invitations, phones, and what phones send.

The rules that must stay true: the same bytes again write nothing; other bytes under a known id are evidence, never an
entry; what a phone may not send, or what cannot be diary data, is kept as evidence with its reason and counts for
nothing; an entry is never replaced. Source: reliability notes 5; ICH E6(R3) 4.2.2 (audit trail), 4.3.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from equipoise.diary.commands import (
    PARTICIPANT,
    EnrolDevice,
    InviteDevice,
    KeepDiaryEvidence,
    RecordDiary,
    RevokeDevice,
    Sent,
)
from equipoise.diary.evolve import Device, State
from equipoise.diary.judging import Fault, Window, fault_of, red_flags, shown_fault
from equipoise.diary.site_decide import BY_VERSION, Plans
from equipoise.diary.site_decide import STEPS as SITE_STEPS
from equipoise.diary.timing import judge_times
from equipoise.diary.windows import last_day, slot_of
from equipoise.ledger.entries import (
    Append,
    DeviceEnrolled,
    DeviceRevoked,
    DiaryChangeRequested,
    DiaryEntryRecorded,
    DiaryEvidenceRecorded,
    DiaryFormShown,
    DiaryHelpAsked,
    DiaryInvited,
    Entry,
)
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.protocol.study import Study
from equipoise.words.clock import utc_text
from equipoise.words.problem import Problem, problem

WITHDRAWN = "diary.caregiver-withdrawn"
UNOPENED_AT_MOST = 50
"""Packets that could not be opened, kept of one phone: a key that is not there cannot fill the store."""
UNOPENED = frozenset({"diary.packet-forged", "diary.packet-unreadable", "diary.packet-too-large"})


def decide(
    study: Study,
    state: State,
    facts: Facts,
    command: object,
    occasion: Occasion,
    *,
    plans: Plans | None = None,
) -> Decision:
    """Decide a command on the diary of one participant. `plans`: by which versions entries may have been made."""
    if not facts.subject_known:
        return Refusal((problem("diary.subject-unknown", "subject"),))
    known: Any = command  # Any: every command of the tables has a subject
    if isinstance(command, RecordDiary):
        return _record(state, facts, command, occasion, plans or {})
    if (by_version := BY_VERSION.get(type(command))) is not None:
        found = by_version(plans or {}, state, facts, known, occasion)
    elif (step := _STEPS.get(type(command))) is not None:
        found = step(study, state, facts, known, occasion)
    else:
        raise TypeError(f"the diary does not know {type(command).__name__}")
    if isinstance(found, Problem):
        return Refusal((found,))
    return tuple(Append(f"diary/{known.subject}", entry) for entry in found)


Found: TypeAlias = "tuple[Entry, ...] | Problem"
"""What is written, or why nothing is."""
Step = Callable[[Study, State, Facts, Any, Occasion], Found]  # Any: the command of its line


def _invite(study: Study, state: State, facts: Facts, command: InviteDevice, occasion: Occasion) -> Found:
    if not study.diary.forms:
        return problem("diary.none-in-study")
    if facts.consent_against is not None:
        return facts.consent_against
    if command.holder != PARTICIPANT and command.holder not in facts.caregivers:
        return problem("diary.caregiver-not-consented", "holder")
    if command.device in state.devices:
        return problem("diary.device-known", "device")
    zone = command.zone or state.zone or occasion.zone
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return problem("diary.zone-unknown", "zone", zone=zone)
    until = occasion.at + dt.timedelta(days=study.diary.invitation.days)
    return (DiaryInvited(command.device, command.holder, zone, utc_text(until)),)


def _enrol(study: Study, state: State, facts: Facts, command: EnrolDevice, occasion: Occasion) -> Found:
    device = state.devices.get(command.device)
    if device is None or device.state != "INVITED" or utc_text(occasion.at) > device.until:
        return problem("diary.invitation-over")
    return (DeviceEnrolled(device.device),)


def _revoke(study: Study, state: State, facts: Facts, command: RevokeDevice, occasion: Occasion) -> Found:
    device = state.devices.get(command.device)
    if device is None or device.state == "REVOKED":
        return problem("diary.device-unknown", "device")
    if not command.automatic and not command.reason.strip():
        return problem("diary.reason-missing", "reason")
    return (DeviceRevoked(device.device, command.automatic, command.reason.strip()),)


def _keep(study: Study, state: State, facts: Facts, command: KeepDiaryEvidence, occasion: Occasion) -> Found:
    if command.device not in state.devices:
        return problem("diary.device-unknown", "device")
    unopened = sum(1 for one in state.by_digest.values() if one.rule in UNOPENED)
    kept: list[Entry] = []
    for sent in _new(state, command.sent):
        if sent.rule in UNOPENED:
            unopened += 1
        if sent.rule not in UNOPENED or unopened <= UNOPENED_AT_MOST:
            kept.append(_evidence(sent, command.device, Fault(sent.rule, sent.where), facts))
    return tuple(kept)


_STEPS: Mapping[type, Step] = {
    InviteDevice: _invite,
    EnrolDevice: _enrol,
    RevokeDevice: _revoke,
    KeepDiaryEvidence: _keep,
    **SITE_STEPS,
}


COMMANDS: tuple[type, ...] = (*_STEPS, *BY_VERSION, RecordDiary)
"""Every command of the diary."""


def _new(state: State, sent: tuple[Sent, ...]) -> Iterator[Sent]:
    """The packets whose very bytes are not known yet, each once."""
    seen = set(state.by_digest)
    for one in sent:
        if one.sealed not in seen:
            seen.add(one.sealed)
            yield one


def _record(state: State, facts: Facts, command: RecordDiary, occasion: Occasion, plans: Plans) -> Decision:
    device = state.devices.get(command.device)
    if device is None or device.state != "ENROLLED":
        return Refusal((problem("diary.device-revoked", "device"),))
    window = Window(facts.day_one, state.zone, last_day(facts))
    taken: list[Entry] = []
    ids, entries = set(state.packets), set(state.made)
    for sent in _new(state, command.sent):
        if sent.packet in ids:
            fault: Fault | None = Fault("diary.id-reused")
        else:
            fault = Fault(sent.rule, sent.where) if sent.rule else None
        if fault is None and "records" in facts.consent_stops and sent.kind in {"request", "seen"}:
            fault = Fault("diary.ended")
        if device.side == "CAREGIVER" and device.holder not in facts.caregivers:
            fault = Fault(WITHDRAWN)
        made = fault or _judged(sent, device, window, plans, entries, occasion)
        if isinstance(made, Fault):
            made = _evidence(sent, device.device, made, facts)
        elif isinstance(made, DiaryEntryRecorded):
            entries.add(sent.packet)
        ids.add(sent.packet)
        taken.append(made)
    return tuple(Append(f"diary/{command.subject}", entry) for entry in taken)


def _judged(
    sent: Sent, device: Device, window: Window, plans: Plans, entries: set[str], occasion: Occasion
) -> Entry | Fault:
    """What a packet becomes, or why nothing. `entries`: the ids of those that a request may be about."""
    if sent.kind == "help":
        return DiaryHelpAsked(
            sent.packet,
            sent.sealed,
            device.device,
            sent.form or None,
            sent.period,
            sent.about or None,
            sent.wish,
        )
    if sent.kind == "request":
        if sent.about not in entries:
            return Fault("diary.entry-unknown", "entry")
        if not sent.wish:
            return Fault("diary.wish-missing", "wish")
        return DiaryChangeRequested(sent.packet, sent.sealed, device.device, sent.about, sent.wish)
    plan = plans.get(sent.definition)
    if plan is None:
        return Fault("diary.version-unknown", "digest")
    times = judge_times(sent, window.zone, occasion.at)
    if sent.kind == "seen":
        return shown_fault(plan, sent, window) or DiaryFormShown(
            sent.packet, sent.sealed, device.device, sent.form, sent.period, utc_text(times.begun)
        )
    fault = fault_of(plan, sent, device, times.begun, window)
    form = plan.form(sent.form)
    if fault is not None or form is None:
        return fault or Fault("diary.form-unknown", sent.form)
    late = False
    if sent.period is not None:
        slot = slot_of(plan, form.id, sent.period, window.day_one, window.zone, window.ended)
        late = slot is not None and occasion.at >= slot.closes
    reporter: Any = sent.reporter  # Any: one of the three, by fault_of
    return DiaryEntryRecorded(
        sent.packet, sent.sealed, device.device, reporter, form.id, sent.period, sent.definition,
        utc_text(times.begun), utc_text(times.submitted), sent.begun.wall, sent.submitted.wall, sent.zone, sent.skew_ms,
        times.marks, sent.offline, late, sent.language, sent.modes or {}, sent.answers or {}, sent.shown,
        red_flags(plan, form, sent.answers or {}),
    )  # fmt: skip


def _evidence(sent: Sent, device: str, fault: Fault, facts: Facts) -> DiaryEvidenceRecorded:
    """What is kept of a packet that counts for nothing; nothing of what it says once records are not to be read."""
    content = "" if "records" in facts.consent_stops or fault.rule == WITHDRAWN else sent.content
    return DiaryEvidenceRecorded(
        sent.packet, sent.sealed, device, fault.rule, fault.where, sent.form or None, sent.period, content
    )
