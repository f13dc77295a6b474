"""A participant's consents: where they stand, what is due, and everything that was ever recorded, as a timeline.

The rules that must stay true: the timeline leaves nothing out; names of representatives, witnesses and caregivers come
from the register and are shown to those alone who record consent at the site; the ledger learns random ids.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from equipoise.access.commands import Who
from equipoise.access.decide import may
from equipoise.consent.commands import (
    AnswerOption,
    RecordCapacity,
    RecordCaregiver,
    RecordConsent,
    WithdrawConsent,
)
from equipoise.consent.standing import approved_versions, stopped
from equipoise.consent.withdrawal import EVERYTHING
from equipoise.desk.desk import Desk
from equipoise.desk.followers import GRANTS
from equipoise.desk.screening_pages import allowed
from equipoise.desk.standing import Standing
from equipoise.desk.views import Outcome
from equipoise.ledger.entries import (
    CapacityRecorded,
    CaregiverConsented,
    ConsentDocumented,
    ConsentWithdrawn,
    Entry,
    OptionAnswered,
    ParticipationLimited,
    Recorded,
)
from equipoise.words.ids import random_id
from equipoise.words.text import Text

EXPLAINS = ("coordinator", "investigator")
"""Roles that explain a study to a participant."""


@dataclass(frozen=True, slots=True)
class ConsentLine:
    """One act of the timeline. `kind` is the entry's; `on` and `time` are the site's; `at`: when recorded (UTC)."""

    kind: str
    on: str
    time: str
    by: str
    what: str
    given: bool
    label: Text | None
    notes: Mapping[str, str]
    at: str
    recorded_by: str


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version of the consent form. `since`: from when (ISO) the site may use it, or None."""

    id: str
    dated: str
    label: Text
    since: str | None
    required: bool


@dataclass(frozen=True, slots=True)
class OptionLine:
    """An optional part: agreed, declined or (None) not asked."""

    id: str
    label: Text
    given: bool | None


@dataclass(frozen=True, slots=True)
class CaregiverLine:
    """A caregiver and whether they agreed; the name is empty for who may not see it."""

    id: str
    name: str
    given: bool
    on: str


@dataclass(frozen=True, slots=True)
class ConsentView:
    """The page of a participant's consents."""

    number: str
    site: str
    zone: str
    status: str
    counts: bool
    signed: str | None
    capacity: str
    due_because: str
    due_by: str | None
    outdated: bool
    stops: tuple[str, ...]
    versions: tuple[VersionLine, ...]
    options: tuple[OptionLine, ...]
    caregivers: tuple[CaregiverLine, ...]
    caregiver_asked: bool
    representative: bool
    explainers: tuple[tuple[str, str], ...]
    lines: tuple[ConsentLine, ...]
    may: frozenset[str]


def consent_page(desk: Desk, who: Who, number: str) -> ConsentView | None:
    """The consents of a participant; None for who may not see the casebook."""
    with desk.reading() as reader:
        subject = desk.may_read(reader, who, "casebook", number)
        if subject is None:
            return None
        now = desk.standing_light(reader, subject)
        entries = reader.entries(f"subject/{subject}")
        rows = reader.rows.find(
            GRANTS, {"site": now.case.screening.site or "", "held": 1, "role": list(EXPLAINS)}
        )
    named = may(who, RecordConsent(subject, "", "PARTICIPANT", given=True, on=""), now.facts) is None
    facts, study, state = now.facts, now.trial.study, now.case.consent
    return ConsentView(
        number=number,
        site=now.case.screening.site or "",
        zone=now.site.zone,
        status=facts.consent_status,
        counts=facts.consent_against is None,
        signed=facts.consent_version,
        capacity=state.capacity.capacity if state.capacity is not None else "",
        due_because=facts.reconsent_because,
        due_by=facts.reconsent_by,
        outdated=facts.consent_outdated,
        stops=tuple(one for one in EVERYTHING if one in stopped(state)),
        versions=_versions(now),
        options=tuple(
            OptionLine(one.id, one.label, state.options.get(one.id)) for one in study.consent.options
        ),
        caregivers=tuple(
            CaregiverLine(
                one.caregiver, desk.register.other_name(one.caregiver) if named else "", one.given, one.on
            )
            for one in state.caregivers
        ),
        caregiver_asked=study.consent.caregiver,
        representative=study.consent.legal_representative,
        explainers=tuple(
            sorted(
                {(str(row["user"]), desk.register.staff_name(str(row["user"]))) for row in rows},
                key=lambda one: one[1],
            )
        ),
        lines=tuple(_lines(desk, now, entries, named=named)),
        may=allowed(who, now, *_commands(subject)),
    )


def _commands(subject: str) -> tuple[object, ...]:
    return (
        RecordCapacity(subject, "HAS", ""),
        RecordConsent(subject, "", "PARTICIPANT", given=True, on=""),
        WithdrawConsent(subject, "PARTICIPANT", ""),
        AnswerOption(subject, "", given=True, by="PARTICIPANT", on=""),
        RecordCaregiver(subject, "", given=True, on=""),
    )


def _versions(now: Standing) -> tuple[VersionLine, ...]:
    facts, study = now.facts, now.trial.study
    approved = approved_versions(study, facts.site_approved_on, facts.consent_approvals)
    return tuple(
        VersionLine(one.id, one.dated, one.label, approved.get(one.id), one.id == facts.consent_required)
        for one in study.consent.versions
    )


def _lines(desk: Desk, now: Standing, entries: Iterable[Recorded], *, named: bool) -> Iterable[ConsentLine]:
    for recorded in entries:
        entry = recorded.entry
        line = _line(now, entry) if entry is not None else None
        if line is None:
            continue
        notes = dict(line.notes)
        if isinstance(entry, ConsentDocumented):
            notes |= _people(desk, entry, named=named)
        if isinstance(entry, CaregiverConsented) and named:
            notes["name"] = desk.register.other_name(entry.caregiver)
        yield dataclasses.replace(
            line,
            notes={key: value for key, value in notes.items() if value},
            at=recorded.header.at,
            recorded_by=desk.register.staff_name(recorded.header.actor),
        )


def _people(desk: Desk, entry: ConsentDocumented, *, named: bool) -> Mapping[str, str]:
    found = {"explained": desk.register.staff_name(entry.explained_by) if entry.explained_by else ""}
    if named:
        found["name"] = desk.register.other_name(entry.signer) if entry.signer else ""
    if entry.witness is not None:
        found["witness"] = (desk.register.other_name(entry.witness) if named else "") or "✓"
    return found


def _line(now: Standing, entry: Entry) -> ConsentLine | None:
    match entry:
        case CapacityRecorded():
            return _made(entry, entry.on, what=entry.capacity)
        case ConsentDocumented():
            notes = {
                "relation": entry.relation,
                "because": entry.because,
                "copy": "✓" if entry.copy_given else "",
            }
            return _made(
                entry,
                entry.on,
                time=entry.at,
                by=entry.by,
                what=entry.version,
                given=entry.given,
                notes=notes,
            )
        case OptionAnswered():
            known = next(
                (one.label for one in now.trial.record.consent.options if one.id == entry.option), None
            )
            return _made(entry, entry.on, by=entry.by, what=entry.option, given=entry.given, label=known)
        case ParticipationLimited():
            return _made(entry, entry.on, by=entry.by, what=entry.level, notes={"reason": entry.reason})
        case ConsentWithdrawn():
            return _made(entry, entry.on, by=entry.by, what="FULL", notes={"reason": entry.reason})
        case CaregiverConsented():
            return _made(entry, entry.on, given=entry.given, notes={"relation": entry.relation})
        case _:
            return None


def _made(
    entry: Entry,
    on: str,
    *,
    time: str = "",
    by: str = "",
    what: str = "",
    given: bool = True,
    label: Text | None = None,
    notes: Mapping[str, str] | None = None,
) -> ConsentLine:
    return ConsentLine(entry.kind, on, time, by, what, given, label, notes or {}, "", "")


@dataclass(frozen=True, slots=True)
class Beside:
    """Names that go to the register with a consent: of a representative or caregiver, of a witness, and a telephone."""

    name: str = ""
    witness: str = ""
    phone: str = ""


def record_consent(desk: Desk, who: Who, command: object, beside: Beside, *, key: str) -> Outcome:
    """Record a consent: names go to the register first, under ids that the same request finds again."""
    if isinstance(command, RecordConsent):
        if beside.name and command.by == "LEGAL_REPRESENTATIVE":
            command = dataclasses.replace(
                command, signer=_registered(desk, beside.name, beside.phone, f"signer {key}")
            )
        if beside.witness:
            command = dataclasses.replace(
                command, witness=_registered(desk, beside.witness, "", f"witness {key}")
            )
    elif isinstance(command, RecordCaregiver) and beside.name and not command.caregiver:
        command = dataclasses.replace(
            command, caregiver=_registered(desk, beside.name, beside.phone, f"care {key}")
        )
    return desk.submit(who, command, key=key)


def _registered(desk: Desk, name: str, phone: str, key: str) -> str:
    seed = desk.ledger.keys.sign(f"other\n{key}".encode())
    other = random_id(lambda count: (seed * (count // len(seed) + 1))[:count])
    desk.register.add_other(other, name, phone)
    return other
