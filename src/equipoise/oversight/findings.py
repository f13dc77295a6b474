"""What of a subject's course departs from the protocol, by the rules of the study: pure, from what was recorded.

The rules that must stay true: a finding is made of days, ids and states, never of a value or a text; the same course
gives the same findings, in the same order; of the rules of one kind, the first that has the visit counts. A visit that
is only overdue is no finding yet: it may still take place.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from equipoise.ledger.entries import DeviationRaised, DeviationWithdrawn, Entry
from equipoise.oversight.deviations import MANUAL, Consented, State
from equipoise.protocol.deviating import DeviationKind, DeviationRule
from equipoise.protocol.study import ConsentVersion, Study
from equipoise.protocol.windows import Plan
from equipoise.words.canonical import digest


@dataclass(frozen=True, slots=True)
class VisitSeen:
    """What is known of one visit. `abandoned`: never recorded, and its window had passed when participation ended."""

    visit: str
    repeat: int
    on: dt.date | None
    plan: Plan
    missed: bool = False
    abandoned: bool = False


@dataclass(frozen=True, slots=True)
class DoseSeen:
    """What is known of one request for a dose on this side of the wall."""

    request: str
    visit: str
    omitted: bool = False
    incomplete: bool = False
    wrong_bag: bool = False
    over_gate: bool = False


@dataclass(frozen=True, slots=True)
class SpecimenSeen:
    """What of a tube in use was not as its kit asks: codes, in their order."""

    specimen: str
    visit: str
    departures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LateSave:
    """A form that is first saved some days after its visit took place."""

    visit: str
    repeat: int
    form: str
    days: int


@dataclass(frozen=True, slots=True)
class FirstSave:
    """A form that was first saved on a day (ISO), under the name that a deviation about it bears."""

    visit: str
    repeat: int
    form: str
    on: str


@dataclass(frozen=True, slots=True)
class Course:
    """One subject's course as the rules look at it.

    consent_forms: version of the consent form -> the day (ISO) from which the site may use it; absent: not approved.
    unsigned: forms that were first saved when no consent was known to stand; it may come to be known later.
    """

    visits: tuple[VisitSeen, ...] = ()
    doses: tuple[DoseSeen, ...] = ()
    wrong_stratum: bool = False
    specimens: tuple[SpecimenSeen, ...] = ()
    consent_forms: Mapping[str, str] = field(default_factory=dict)
    unsigned: tuple[FirstSave, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One departure: by which rule, at which visit, about what, by how many days, on which day (ISO)."""

    rule: str
    visit: str = ""
    repeat: int = 1
    matter: str = ""
    days: int = 0
    on: str = ""

    @property
    def key(self) -> tuple[str, str, int, str]:
        """What it is about, as `Deviation.key`."""
        return self.rule, self.visit, self.repeat, self.matter


def findings(study: Study, course: Course, consents: Sequence[Consented]) -> tuple[Finding, ...]:
    """Every departure that stands now."""
    return (
        *_of_visits(study, course.visits),
        *_of_consent(study, course, consents),
        *_of_saves(study, course, consents),
        *_of_doses(study, course.doses),
        *_of_specimens(study, course.specimens),
        *([Finding(rule.id)] if course.wrong_stratum and (rule := _rule(study, "WRONG_STRATUM")) else []),
    )


def late_entry(study: Study, save: LateSave) -> Finding | None:
    """The departure that a first save is, where it comes too late after its visit."""
    rule = _rule(study, "LATE_ENTRY", save.visit)
    if rule is None or save.days <= rule.days:
        return None
    return Finding(rule.id, save.visit, save.repeat, save.form, save.days)


def reconciled(
    study: Study, state: State, found: Sequence[Finding], once: Sequence[Finding], seed: str
) -> tuple[Entry, ...]:
    """The entries by which the deviations come to be what was found: raised where new, taken back where gone.

    once: findings of this very act, which nothing takes back by itself; nor what a rule raised that the definition
    does not have any more. seed: makes the ids of this act.
    """
    standing = {one.key: one for one in state.standing if one.rule != MANUAL}
    entries: list[Entry] = []
    for number, one in enumerate((*found, *once)):
        if one.key not in standing:
            name = digest([seed, *map(str, one.key), len(state.deviations), number])[:16]
            entries.append(
                DeviationRaised(name, one.rule, one.visit, one.repeat, one.matter, one.days, one.on)
            )
    here, watched = (
        {one.key for one in found},
        {one.id for one in study.deviations if one.kind != "LATE_ENTRY"},
    )
    gone = [one for key, one in standing.items() if key not in here and one.rule in watched]
    entries.extend(DeviationWithdrawn(one.id, automatic=True) for one in gone)
    return tuple(entries)


def _rule(study: Study, kind: DeviationKind, visit: str = "") -> DeviationRule | None:
    return next(
        (one for one in study.deviations if one.kind == kind and (not one.visits or visit in one.visits)),
        None,
    )


def _of_visits(study: Study, visits: Sequence[VisitSeen]) -> Iterator[Finding]:
    for one in visits:
        missed = _rule(study, "VISIT_MISSED", one.visit)
        if missed is not None and (one.missed or one.abandoned):
            yield Finding(missed.id, one.visit, one.repeat)
        outside = one.plan.days_outside(one.on) if one.on is not None else 0
        rule = _rule(study, "VISIT_OUT_OF_WINDOW", one.visit)
        if rule is not None and one.on is not None and abs(outside) > rule.days:
            yield Finding(rule.id, one.visit, one.repeat, days=outside, on=one.on.isoformat())


def _of_consent(study: Study, course: Course, consents: Sequence[Consented]) -> Iterator[Finding]:
    for one in course.visits:
        if one.on is None:
            continue
        absent, outdated = (
            _rule(study, "CONSENT_ABSENT", one.visit),
            _rule(study, "CONSENT_OUTDATED", one.visit),
        )
        signed = _signed_on(consents, one.on)
        if signed is None:
            if absent is not None:
                yield Finding(absent.id, one.visit, one.repeat, on=one.on.isoformat())
        elif outdated is not None:
            days = _outdated(study.consent.versions, course.consent_forms, signed, one.on)
            if days > outdated.days:
                yield Finding(outdated.id, one.visit, one.repeat, days=days, on=one.on.isoformat())


def _of_saves(study: Study, course: Course, consents: Sequence[Consented]) -> Iterator[Finding]:
    """Forms that were recorded before consent. Of a visit with a date that is judged, and its forms not once more."""
    dated = {(one.visit, one.repeat) for one in course.visits if one.on is not None}
    for one in course.unsigned:
        rule = _rule(study, "CONSENT_ABSENT", one.visit)
        if (
            rule is None
            or one.form.partition(" ")[0] in rule.except_forms
            or (one.visit, one.repeat) in dated
        ):
            continue
        if before_consent(consents, one.on):
            yield Finding(rule.id, one.visit, one.repeat, one.form, on=one.on)


def before_consent(consents: Sequence[Consented], day: str) -> bool:
    """Whether nobody had ever consented by a day (ISO): what is saved after a withdrawal was often seen before it."""
    return not any(act.version and act.on <= day for act in consents)


def _signed_on(consents: Sequence[Consented], day: dt.date) -> str | None:
    """The version of the consent that stood on a day; None where none did. What is dated the same day counts for it."""
    stood: str | None = None
    for act in sorted(consents, key=lambda one: one.on):
        if act.version and act.on <= day.isoformat():
            stood = act.version
        elif not act.version and act.on < day.isoformat():
            stood = None
    return stood


def _outdated(
    versions: Sequence[ConsentVersion], approved: Mapping[str, str], signed: str, day: dt.date
) -> int:
    """For how many days the site had been to use a newer version than the one signed; 0 where there was none.

    Counted from the approval there: before it nobody may sign the version. One beside which an earlier signature goes
    on counting (no `reconsent_days`) makes none outdated.
    """
    position = next((n for n, one in enumerate(versions) if one.id == signed), None)
    if position is None:
        return 0
    asked = [one.id for one in versions[position + 1 :] if one.reconsent_days is not None]
    since = [approved[one] for one in asked if approved.get(one, "9999") <= day.isoformat()]
    return (day - dt.date.fromisoformat(min(since))).days if since else 0


def _of_specimens(study: Study, specimens: Sequence[SpecimenSeen]) -> Iterator[Finding]:
    for one in specimens:
        rule = _rule(study, "SPECIMEN_HANDLING", one.visit)
        if rule is not None:
            yield from (Finding(rule.id, one.visit, 1, f"{one.specimen} {code}") for code in one.departures)


def _of_doses(study: Study, doses: Sequence[DoseSeen]) -> Iterator[Finding]:
    for one in doses:
        kinds: tuple[tuple[DeviationKind, bool], ...] = (
            ("DOSE_OMITTED", one.omitted),
            ("DOSE_INCOMPLETE", one.incomplete),
            ("DOSE_WRONG_BAG", one.wrong_bag),
            ("DOSE_OVER_GATE", one.over_gate),
        )
        for kind, seen in kinds:
            rule = _rule(study, kind, one.visit)
            if seen and rule is not None:
                yield Finding(rule.id, one.visit, 1, one.request)
