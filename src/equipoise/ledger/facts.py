# ruff: noqa: FBT003, RUF009 (owned() stands for dataclasses.field, and a default of a flag is a flag)
"""What rooms may know of each other: one small frozen record, folded once by the desk and handed round.

The rule that must stay true: every field is computed by exactly one room, named in its metadata; nothing else
crosses rooms. A later room adds its field here and says who owns it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal
from zoneinfo import ZoneInfo

from equipoise.ledger.entries import Append, RangeRow
from equipoise.words.problem import Problem
from equipoise.words.text import Text
from equipoise.words.truth import Truth

Verdict = Literal["ELIGIBLE", "INELIGIBLE", "NOT_EVALUABLE"]
SubjectStatus = Literal["SCREENING", "ELIGIBLE", "SCREEN_FAILURE", "RANDOMIZED"]


def owned(room: str, default: Any) -> Any:  # Any: as dataclasses.field
    """A field of Facts that `room` alone computes."""
    return dataclasses.field(default=default, metadata={"owner": room})


def owned_mapping(room: str) -> Any:  # Any: as dataclasses.field
    """A mapping of Facts, empty by default, that `room` alone computes."""
    return dataclasses.field(default_factory=lambda: MappingProxyType({}), metadata={"owner": room})


@dataclass(frozen=True, slots=True)
class Proof:
    """That a person gave user name and password just now. DEMO: the credential that a rehearsal shows to everybody."""

    actor: str
    method: Literal["PASSWORD", "DEMO"]


@dataclass(frozen=True, slots=True)
class DoseGiven:
    """A dose that ended: the share given in percent, and whole minutes from its start to its end, pauses counted in."""

    share: int
    minutes: int


@dataclass(frozen=True)
class Facts:
    """What holds now, for one subject at one site (or for the study where no subject is concerned).

    Without slots, so that `words.changed` copies it as a whole.
    """

    # oversight
    rehearsal: bool = owned("oversight", False)
    enrolment_open: bool = owned("oversight", False)
    list_released: bool = owned("oversight", False)
    """Whether the allocation list is public: from then on nobody judges blind."""
    site_known: bool = owned("oversight", False)
    site_approved: bool = owned("oversight", False)
    site_active: bool = owned("oversight", False)
    ranges: tuple[RangeRow, ...] = owned("oversight", ())
    """The reference ranges of the site's laboratory, oldest first."""
    # eligibility
    subject_known: bool = owned("eligibility", False)
    subject_site: str | None = owned("eligibility", None)
    screening_number: str | None = owned("eligibility", None)
    status: SubjectStatus | None = owned("eligibility", None)
    verdict: Verdict = owned("eligibility", "NOT_EVALUABLE")
    verdict_results: Mapping[str, str] = owned_mapping("eligibility")
    verdict_reasons: Mapping[str, str] = owned_mapping("eligibility")
    verdict_reasons_zh: Mapping[str, str] = owned_mapping("eligibility")
    verdict_rested_on: tuple[int, ...] = owned("eligibility", ())
    confirmed: bool = owned("eligibility", False)
    """Whether an investigator confirmed the verdict as it stands now: the same results, resting on the same entries."""
    # consent
    consent_in_force: Truth = owned("consent", Truth.UNKNOWN)
    consent_on: str | None = owned("consent", None)
    """The day (ISO) of the signature that counts, or would count."""
    consent_status: str = owned("consent", "NOT_ASKED")
    """Where the consent stands: a status of the table in consent.standing."""
    consent_at: dt.datetime | None = owned("consent", None)
    """When (UTC) the signature that counts was given, where its time is known: nothing of the study comes before it."""
    consent_version: str | None = owned("consent", None)
    """The version that the signature which counts is on."""
    consent_required: str | None = owned("consent", None)
    """The newest version that the site's ethics committee approved by today."""
    reconsent_because: Literal["", "CAPACITY", "VERSION"] = owned("consent", "")
    reconsent_by: str | None = owned("consent", None)
    """The last day (ISO) on which consent is to be given again; None where it is not asked for."""
    consent_outdated: bool = owned("consent", False)
    """Whether that day has passed: what is done from then on is done under an outdated consent."""
    consent_stops: frozenset[str] = owned("consent", frozenset())
    """What a withdrawal stopped: words of consent.withdrawal."""
    caregivers: frozenset[str] = owned("consent", frozenset())
    """The caregivers (register's ids) whose own consent to keep the diary is in force."""
    contact_ended_on: str | None = owned("consent", None)
    """The day (ISO) on which consent to be contacted at all was withdrawn."""
    consent_against: Problem | None = owned("consent", None)
    """Why nothing more may be done to the participant under the consent as it stands; None where it may."""
    # oversight: what the site's ethics committee said of the consent form
    site_approved_on: str | None = owned("oversight", None)
    """The day (ISO) of the site's own approval."""
    consent_approvals: Mapping[str, str] = owned_mapping("oversight")
    """Version of the consent form -> the day (ISO) of its own approval at the site."""
    # randomization
    list_published: bool = owned("randomization", False)
    list_root: str | None = owned("randomization", None)
    """The root of the published list."""
    randomized_count: int = owned("randomization", 0)
    randomization_number: str | None = owned("randomization", None)
    stratum: str | None = owned("randomization", None)
    stratum_reasons: Mapping[str, str] = owned_mapping("randomization")
    stratum_reasons_zh: Mapping[str, str] = owned_mapping("randomization")
    stratum_as_randomized: str | None = owned("randomization", None)
    code_broken_for: frozenset[str] = owned("randomization", frozenset())
    """Actors who know, or may know, this subject's arm: they may neither rate the subject nor judge causality."""
    rater: str | None = owned("randomization", None)
    """The actor who rates this subject, once one was assigned."""
    # access
    roles_of_named: frozenset[str] = owned("access", frozenset())
    """The roles that the person named in the command (a rater to be) holds now at the subject's site."""
    # oversight: the delegation log of the site
    log_in_force: bool = owned("oversight", False)
    """Whether the people of the site may only do what its delegation log gives them."""
    principal: str | None = owned("oversight", None)
    """The principal investigator's actor id: who signs the log, and has every duty."""
    delegated: Mapping[str, Mapping[str, str | None]] = owned_mapping("oversight")
    """Actor -> duty -> the last day (ISO) on which it is delegated; None without end."""
    duties_of_named: frozenset[str] = owned("access", frozenset())
    """The duties that may be given to the person named in the command, by the roles held at the site."""
    saw_infusion: frozenset[str] = owned("access", frozenset())
    """Actors who took part in a dose of this subject, or saved a form that raters never see: they score none of it."""
    assessors: frozenset[str] = owned("desk", frozenset())
    """The roles that score scales after randomization; none: every role that saves forms."""
    certificates_asked: Mapping[str, tuple[str, frozenset[str]]] = owned_mapping("desk")
    """Form -> the instrument that its rater must be certified for, and the languages that count."""
    today: str = owned("desk", "")
    """The calendar day at the site, ISO; empty where no moment was asked about."""
    training_asked: Mapping[str, tuple[str, frozenset[str], Text]] = owned_mapping("desk")
    """Topic -> the version in force, the duties that need it (none: all), its name."""
    # protocol, as the desk hands it on
    rated: Mapping[str, frozenset[str]] = owned_mapping("desk")
    """Form -> items that only somebody who does not know the arm may fill; an empty set stands for all of them."""
    hidden: Mapping[str, frozenset[str]] = owned_mapping("desk")
    """Form -> roles that never see it."""
    # supply
    infused: bool = owned("supply", False)
    """Whether an infusion of this subject ever began."""
    doses_given: Mapping[str, DoseGiven] = owned_mapping("supply")
    """Visit -> the dose that was given there and ended."""
    gate: Mapping[str, Mapping[str, str]] = owned_mapping("supply")
    """RELEASE or BEDSIDE -> condition -> T, F or U, judged now for the dose that a command concerns."""
    gate_reasons: Mapping[str, Mapping[str, str]] = owned_mapping("supply")
    gate_reasons_zh: Mapping[str, Mapping[str, str]] = owned_mapping("supply")
    second_may_check: bool = owned("access", False)
    """Whether the second person of a check holds a role at the site that checks bags."""
    # deviations
    deviations_unclassed: int = owned("desk", 0)
    """How many deviations of the whole study no person has classed yet; counted for the gate of the final release."""
    # visits: when day 1 was, and whether anything more is due
    first_infusion_at: str | None = owned("supply", None)
    """When (UTC, ISO) the first infusion began."""
    randomized_at: str | None = owned("randomization", None)
    """When (UTC, ISO) the participant was randomized."""
    participation_ended: tuple[str, str] | None = owned("capture", None)
    """How (a code of the study, or empty for an early termination visit) and on which day (ISO) participation ended."""
    follow_up_ended_on: str | None = owned("consent", None)
    """The day (ISO) on which consent was withdrawn to be followed up."""
    day_one: dt.date | None = owned("desk", None)
    """Day 1 of the schedule, at the site; None while it is not known."""
    # desk: from the identity register, which is no room's ledger state
    person_in_screening: bool = owned("desk", False)
    person_randomized: bool = owned("desk", False)
    person_screenings: int = owned("desk", 0)
    """How often the same person was screened before, this screening not counted."""
    person_failed_at: dt.datetime | None = owned("desk", None)
    """When (UTC) the person's latest earlier screening failed."""
    second_door_answers: bool = owned("desk", False)
    """Whether the second door answered lately; only a method that needs it (minimization) asks."""
    store_behind: bool = owned("desk", False)
    """Whether the second door knows a later ledger of this store: a slot given now could be given twice."""
    first_infusions: tuple[dt.datetime, ...] = owned("desk", ())
    """When (UTC) other participants' first infusions began, earliest first: what the sentinel spacing looks at."""
    bag_meant_for: str | None = owned("desk", None)
    """The screening number of another participant of this site that the scanned bag was released for."""
    bag_recalled: bool = owned("desk", False)
    bag_given_to_another: bool = owned("desk", False)
    # access, for imaging
    readers_named: frozenset[str] = owned("access", frozenset())
    """Of the persons named in the command, those who hold the role of a reader now."""
    readers_certified: Mapping[str, Mapping[str, tuple[str, str]]] = owned_mapping("access")
    """Reader -> DICOM code -> first and last day (ISO) of the certificate; of who is named, or who scores."""
    # desk: what specimens need of all subjects and of one site
    accession_free: str = owned("desk", "")
    """The first accession number for the tube of the command that no tube of the trial bears."""
    aliquots_here: Mapping[str, str] = owned_mapping("desk")
    """Aliquot -> where it stands (STORED, SENT, …), of those that the command names and that belong to its site."""
    number_taken: bool = owned("desk", False)
    """Whether another subject bears the screening number that is asked for."""
    # capture: what other records may point to
    event_rows: Mapping[str, str] = owned_mapping("capture")
    """Row of a log of adverse events, as visit/form/repeat, that stands (not entered in error) -> its form."""
    # closing (capture): whether anything may still be changed
    database_locked: bool = owned("capture", False)
    """Whether the database is locked: nothing of any subject's data changes any more."""
    subject_closed: Literal["OPEN", "FROZEN", "LOCKED"] = owned("capture", "OPEN")
    """Whether the subject as a whole is frozen or locked; a form's own state is capture's to say."""
    lock_checklist: Mapping[str, int] = owned_mapping("desk")
    """Line of the lock's checklist -> what is left to do, counted for a command that locks the database."""
    proved: Proof | None = owned("desk", None)
    """The proof of identity that was given for this very command."""

    @property
    def left(self) -> bool:
        """Whether participation is over, so that no further visit is due at which the participant is present."""
        over = self.participation_ended is not None or self.follow_up_ended_on is not None
        return over or self.status == "SCREEN_FAILURE"

    @property
    def out_of_reach(self) -> bool:
        """Whether no visit from afar is due either: who ends visits may still be called (consent.withdrawal)."""
        over = self.participation_ended is not None or "contact" in self.consent_stops
        return over or self.status == "SCREEN_FAILURE"


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a decision may not make up itself: the time (aware, UTC), the site's zone, and fresh random ids."""

    at: dt.datetime
    zone: str
    fresh: tuple[str, ...] = ()
    by: str = ""
    """The actor's id: who gives the command, where a rule asks for two different persons."""
    role: str = ""
    """The role that the actor acts in."""

    @property
    def today(self) -> dt.date:
        """The calendar day at the site: every day that a decision counts is counted in the site's zone."""
        return self.at.astimezone(ZoneInfo(self.zone)).date()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A decision that nothing is written, and every reason why."""

    problems: tuple[Problem, ...]


Decision = tuple[Append, ...] | Refusal
"""What `decide(study, state, facts, command, occasion)` of every conduct room returns."""
