"""Deviations that raise themselves: what follows from an act for the deviations of its subject, in the same append.

The rules that must stay true: the subject's course is looked at as it would be after the act, by oversight's rules over
days, ids and states; what is raised or taken back is written with what caused it, or not at all. Acts that cannot move
a finding are not looked at, so that a save of a form costs nothing for it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from equipoise.capture.visits import ended
from equipoise.consent.standing import approved_versions, stopped, visits_ended_on
from equipoise.desk.cases import Case, evolve_case
from equipoise.desk.schedule import visits_of
from equipoise.desk.standing import Standing, day_one_of
from equipoise.ledger.entries import (
    AliquotMoved,
    Append,
    ConsentDocumented,
    ConsentWithdrawn,
    DosingDecided,
    FormSaved,
    Header,
    InfusionEnded,
    InfusionStarted,
    Recorded,
    SpecimenCollected,
    SpecimenProcessed,
    SpecimenVoided,
    StratumCorrected,
    SubjectRandomized,
    VisitDated,
    VisitMissed,
    VisitReopened,
    WrongBagGiven,
)
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.oversight.deviations import MANUAL
from equipoise.oversight.findings import (
    Course,
    DoseSeen,
    Finding,
    FirstSave,
    LateSave,
    SpecimenSeen,
    VisitSeen,
    before_consent,
    findings,
    late_entry,
    reconciled,
)
from equipoise.protocol.forms import LOG
from equipoise.words.changed import changed

WATCHED = (
    AliquotMoved,
    ConsentDocumented,
    ConsentWithdrawn,
    DosingDecided,
    InfusionEnded,
    InfusionStarted,
    SpecimenCollected,
    SpecimenProcessed,
    SpecimenVoided,
    StratumCorrected,
    SubjectRandomized,
    VisitDated,
    VisitMissed,
    VisitReopened,
    WrongBagGiven,
)
"""Entries after which a finding may be another; and a save of the form of the end."""


def with_deviations(now: Standing, decision: Decision, occasion: Occasion) -> Decision:
    """A decision with what follows from it for the subject's deviations."""
    if isinstance(decision, Refusal) or not now.trial.study.deviations:
        return decision
    subject = now.case.screening.subject
    stream = f"subject/{subject}"
    mine = [one for one in decision if one.stream == stream]
    end = now.trial.study.schedule.end
    watched = any(
        isinstance(one.entry, WATCHED)
        or (isinstance(one.entry, FormSaved) and end is not None and one.entry.form == end.form)
        for one in mine
    )
    first = [one.entry for one in mine if isinstance(one.entry, FormSaved) and _is_first(now, one.entry)]
    once = tuple(late for entry in first if (late := _late(now, entry, occasion)) is not None)
    early = _early(now, first, occasion)
    if subject is None or not (watched or once or early):
        return decision
    after = _after(now, mine, occasion)
    study = now.trial.study
    course = replace(_course(after), unsigned=(*_unsigned(now), *early))
    # Without a watched entry nothing else can have moved: only what this save is itself is added.
    found = findings(study, course, after.case.deviations.consents) if watched or early else _standing(now)
    entries = reconciled(study, after.case.deviations, found, once, f"{stream} {now.case.seq}")
    return (*decision, *(Append(stream, entry) for entry in entries))


def _standing(now: Standing) -> tuple[Finding, ...]:
    """What stands already, as findings."""
    return tuple(
        Finding(one.rule, one.visit, one.repeat, one.matter, one.days, one.on)
        for one in now.case.deviations.standing
        if one.rule != MANUAL
    )


def _unsigned(now: Standing) -> tuple[FirstSave, ...]:
    """The forms that stand as recorded before consent: a consent of an earlier day, recorded since, takes them back."""
    rules = {one.id for one in now.trial.study.deviations if one.kind == "CONSENT_ABSENT"}
    return tuple(
        FirstSave(one.visit, one.repeat, one.matter, one.on)
        for one in now.case.deviations.standing
        if one.rule in rules and one.matter
    )


def _is_first(now: Standing, entry: FormSaved) -> bool:
    place = (entry.visit, entry.form, entry.repeat)
    return not any(tuple(known) == place for known in now.case.capture.forms)


def _early(now: Standing, first: list[FormSaved], occasion: Occasion) -> tuple[FirstSave, ...]:
    """First saves on a day by which nobody had consented."""
    today = occasion.today.isoformat()
    if not first or not before_consent(now.case.deviations.consents, today):
        return ()
    return tuple(
        FirstSave("" if one.visit == LOG else one.visit, _repeat(now, one), f"{one.form} {one.repeat}", today)
        for one in first
    )


def _repeat(now: Standing, entry: FormSaved) -> int:
    """The repetition of the visit that a form belongs to; its own repetition is another matter."""
    visit = now.trial.study.visit(entry.visit)
    return entry.repeat if visit is not None and visit.unscheduled else 1


def _late(now: Standing, entry: FormSaved, occasion: Occasion) -> Finding | None:
    """The first save of a form, counted from the day on which its visit took place."""
    repeat = _repeat(now, entry)
    dated = now.case.capture.dates.get((entry.visit, repeat))
    if dated is None:
        return None
    days = (occasion.today - dt.date.fromisoformat(dated.on)).days
    return late_entry(now.trial.study, LateSave(entry.visit, repeat, f"{entry.form} {entry.repeat}", days))


def _after(now: Standing, mine: list[Append], occasion: Occasion) -> Standing:
    """The standing as it would be after the act, as far as the rules look at it."""
    case: Case = now.case
    for number, one in enumerate(mine, 1):
        case = evolve_case(case, _provisional(one, now.case.seq + number, occasion))
    facts = replace(
        now.facts,
        participation_ended=ended(now.trial.study, case.capture),
        follow_up_ended_on=visits_ended_on(case.consent),
        consent_stops=stopped(case.consent),
        first_infusion_at=case.supply.first_infusion_at,
        randomized_at=case.blind.randomized_at,
    )
    facts = changed(facts, day_one=day_one_of(now.trial.study, facts, now.site.zone))
    return replace(now, case=case, facts=facts)


def _provisional(one: Append, seq: int, occasion: Occasion) -> Recorded:
    """An entry as the folds see it, before it is written."""
    header = Header(
        v=1, study="", stream=one.stream, seq=seq, prev="", kind=one.entry.kind, study_digest="", actor=occasion.by,
        role=occasion.role, at=occasion.at.isoformat(), client_at=None, zone=occasion.zone, idempotency_key="", part=0,
        command="", bodies=(),
    )  # fmt: skip
    return Recorded(header, "", one.entry)


def _course(now: Standing) -> Course:
    left_on = _left_on(now.facts)
    visits = tuple(
        VisitSeen(
            one.visit.id,
            one.repeat,
            one.on,
            one.plan,
            missed=one.state == "MISSED",
            abandoned=left_on is not None
            and one.state == "NO_LONGER_DUE"
            and one.plan.last is not None
            and one.plan.last < left_on,
        )
        for one in visits_of(now)
    )
    doses = {dose.id: dose.visit for dose in now.trial.study.supply.doses}
    asked = now.case.supply.requests.values()
    seen = tuple(
        DoseSeen(
            one.request,
            doses.get(one.infusion, ""),
            omitted=one.stage == "OMITTED",
            incomplete=one.outcome == "STOPPED",
            wrong_bag=bool(one.wrong),
            over_gate=bool(one.accepted) and bool(one.started_at),
        )
        for one in asked
    )
    used = approved_versions(now.trial.study, now.facts.site_approved_on, now.facts.consent_approvals)
    return Course(visits, seen, now.case.blind.corrected is not None, _specimens(now), used)


def _specimens(now: Standing) -> tuple[SpecimenSeen, ...]:
    """The tubes in use. That consent was missing is a deviation of the visit already and not told twice."""
    known, most = now.case.specimens, now.trial.study.specimens.thaws_at_most
    thawed = {one.specimen for one in known.aliquots.values() if one.thaws > most}
    return tuple(
        SpecimenSeen(
            tube.specimen,
            tube.visit,
            (
                *(code for code in (*tube.deviations, *tube.late) if code != "NO_CONSENT"),
                *(["THAWED_OFTEN"] if tube.specimen in thawed else []),
            ),
        )
        for tube in known.tubes.values()
        if not tube.voided
    )


def _left_on(facts: Facts) -> dt.date | None:
    """The day on which participation ended, of somebody who was randomized."""
    if facts.randomized_at is None:
        return None
    days = [facts.participation_ended[1]] if facts.participation_ended is not None else []
    days += [facts.follow_up_ended_on] if facts.follow_up_ended_on is not None else []
    return dt.date.fromisoformat(min(days)) if days else None
