"""Every kind of entry that can stand in the ledger: read this file and you know what can happen in a trial.

The rules that must stay true: kinds are add-only and past tense; a changed shape is a new kind with an upcast;
a kind holds facts, no logic; no kind names a person or an arm. A field made by `aside()` goes into the second
body part with a commitment of its own, so that it can be withheld or erased alone: free text, and values with
a visibility of their own. Who, when and why-now are in the header (`Header`), not here.
What happens behind the second door stands in `vault_entries.py`: no store of this door ever holds one of those.
Streams: `study`, `allocation`, `second-door`, `site/<site>`, `user/<actor>`, `subject/<subject>`, `diary/<subject>`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

Part = Literal["main", "aside"]


def aside(**options: Any) -> Any:  # Any: the same signature as dataclasses.field
    """A field that belongs to the second body part."""
    return dataclasses.field(metadata={"part": "aside"}, **options)


@dataclass(frozen=True, slots=True)
class Datum:
    """One captured value as text (decimals and dates as written in ISO form), or the reason there is none.

    Exactly one of `value` and `missing` (a code of words.codelists.MISSING) is given, or neither for an item
    that was emptied again. `why` explains a missing code where the instrument asks for it: free text, so no entry
    holds it in its main part. `entered` in `unit` (UCUM) is what the site wrote where it is not the item's own unit.
    """

    value: str | None = None
    missing: str | None = None
    why: str | None = None
    entered: str | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class PublicSlot:
    """One slot of an allocation list as the first door knows it: a public number and a sealed commitment (hex)."""

    number: str
    commitment: str


@dataclass(frozen=True, slots=True)
class RangeRow:
    """One reference range as a laboratory gave it, in the unit of the item `test`; numbers and ISO dates as text.

    It holds from `valid_from` on, until `valid_until` or until a later one of the same test, sex and ages.
    """

    laboratory: str
    test: str
    unit: str | None
    low: str | None
    high: str | None
    sex: str | None
    age_from: str | None
    age_until: str | None
    valid_from: str
    valid_until: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """What every kind is. `kind` is the class name.

    belongs: the word of what can be read (access.roles) to whose pages a kind belongs; whoever does not read those sees
    it nowhere else, the audit trail included. Empty: wherever its stream is read.
    """

    belongs: ClassVar[str] = ""

    @property
    def kind(self) -> str:
        """The name under which the entry stands in the ledger."""
        return type(self).__name__


# --- stream study: the store, the definition, enrolment (room: oversight) -------------------------------------


@dataclass(frozen=True, slots=True)
class StoreOpened(Entry):
    """The first entry of a store: a rehearsal or a trial, for good."""

    purpose: Literal["rehearsal", "trial"]
    study: str


@dataclass(frozen=True, slots=True)
class StudyReleased(Entry):
    """A version of the definition came into force. `definition` is its canonical JSON text, `digest` its SHA-256."""

    version: str
    digest: str
    definition: str


@dataclass(frozen=True, slots=True)
class EnrolmentPaused(Entry):
    """Nobody is randomized until enrolment resumes."""

    reason: str = aside()


@dataclass(frozen=True, slots=True)
class EnrolmentResumed(Entry):
    """Randomizing is possible again."""

    reason: str = aside()


# --- stream site/<site> (room: oversight) -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SiteAdded(Entry):
    """A site of the trial. `zone` is its IANA time zone: every calendar day of its subjects is counted in it."""

    site: str
    name: Mapping[str, str]
    zone: str


@dataclass(frozen=True, slots=True)
class SiteApproved(Entry):
    """The ethics committee approved the site. `until` is an ISO date or None for open end."""

    site: str
    approval: str
    on: str
    until: str | None = None


@dataclass(frozen=True, slots=True)
class ConsentVersionApproved(Entry):
    """The ethics committee approved a version of the consent form for the site on a day (ISO)."""

    site: str
    version: str
    approval: str
    on: str


@dataclass(frozen=True, slots=True)
class SiteActivated(Entry):
    """The sponsor opened the site for enrolment."""

    site: str


@dataclass(frozen=True, slots=True)
class SiteDeactivated(Entry):
    """The site enrols no more."""

    site: str
    reason: str = aside()


@dataclass(frozen=True, slots=True)
class RangesRecorded(Entry):
    """A laboratory's reference ranges came in, all of a file or none. `file` is the SHA-256 of what was sent.

    `corrects`: rows of the same days replace what stood there; why, in `reason`.
    """

    site: str
    file: str
    rows: tuple[RangeRow, ...]
    corrects: bool = False
    reason: str = aside(default="")


# --- stream user/<actor> (room: access) -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RoleGranted(Entry):
    """A person may act in a role, at one site or, with site None, in the whole study."""

    belongs: ClassVar[str] = "knowledge"

    user: str
    role: str
    site: str | None = None


@dataclass(frozen=True, slots=True)
class RoleRevoked(Entry):
    """The person no longer acts in the role. That the role was held stays known."""

    belongs: ClassVar[str] = "knowledge"

    user: str
    role: str
    site: str | None = None
    reason: str = aside(default="")


# --- stream allocation (room: randomization) --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AllocationPublished(Entry):
    """The list was made behind the second door; here are its numbers and commitments, in order, by stratum."""

    generator: str
    root: str
    slots: Mapping[str, tuple[PublicSlot, ...]]


@dataclass(frozen=True, slots=True)
class SlotTaken(Entry):
    """The next slot of a stratum went to a subject."""

    stratum: str
    number: str
    subject: str


# --- stream subject/<subject>: screening, consent, eligibility, randomization -----------------------------------


@dataclass(frozen=True, slots=True)
class SubjectScreened(Entry):
    """A person entered screening under a number. `person` is the identity register's random id."""

    subject: str
    site: str
    screening_number: str
    person: str
    rescreening_of: str | None = None


@dataclass(frozen=True, slots=True)
class CapacityRecorded(Entry):
    """Whether the participant has the capacity to consent, as assessed on a date (ISO)."""

    capacity: Literal["HAS", "LACKS", "NOT_ASSESSED"]
    on: str


@dataclass(frozen=True, slots=True)
class ConsentDocumented(Entry):
    """Someone signed, or refused, a version of the consent form on a day (ISO), at a time of the site (HH:MM or empty).

    `explained_by`: the actor who explained the study. `signer`, `witness`: the register's random ids of a
    representative and of an impartial witness. `because`: why the participant does not sign in person. Follows
    ConsentRecorded.
    """

    version: str
    by: Literal["PARTICIPANT", "LEGAL_REPRESENTATIVE"]
    given: bool
    on: str
    at: str = ""
    explained_by: str = ""
    copy_given: bool = False
    signer: str | None = None
    witness: str | None = None
    relation: str = aside(default="")
    because: str = aside(default="")


@dataclass(frozen=True, slots=True)
class OptionAnswered(Entry):
    """An optional part of the consent (an id of the study's consent.options) was agreed to or not, on a day (ISO)."""

    option: str
    given: bool
    by: Literal["PARTICIPANT", "LEGAL_REPRESENTATIVE"]
    on: str


@dataclass(frozen=True, slots=True)
class ParticipationLimited(Entry):
    """A part of the participation ended on a day (ISO), while the consent to the rest stands."""

    level: Literal["FROM_TREATMENT", "FROM_VISITS", "FROM_CONTACT", "FROM_SAMPLES"]
    by: Literal["PARTICIPANT", "LEGAL_REPRESENTATIVE"]
    on: str
    reason: str = aside(default="")


@dataclass(frozen=True, slots=True)
class CaregiverConsented(Entry):
    """A caregiver agreed, for the own part, to keep the diary, or no longer does. `caregiver`: the register's id."""

    caregiver: str
    given: bool
    on: str
    relation: str = aside(default="")


@dataclass(frozen=True, slots=True)
class ConsentWithdrawn(Entry):
    """Consent ended on a date (ISO)."""

    by: Literal["PARTICIPANT", "LEGAL_REPRESENTATIVE"]
    on: str
    reason: str = aside(default="")


@dataclass(frozen=True, slots=True)
class EligibilityJudged(Entry):
    """The criteria were judged: `results` criterion -> T, F or U; `reasons` criterion -> why it is U or not met.

    `rested_on` are the sequence numbers, in this stream, of the entries that the judgement used.
    """

    decision: Literal["ELIGIBLE", "INELIGIBLE", "NOT_EVALUABLE"]
    results: Mapping[str, str]
    reasons: Mapping[str, str]
    rested_on: tuple[int, ...]
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class ScreeningFailed(Entry):
    """The participant left the trial before randomization, for the named criteria or another reason."""

    criteria: tuple[str, ...]
    reason: str = aside(default="")


@dataclass(frozen=True, slots=True)
class SubjectRandomized(Entry):
    """The participant was randomized and bears a public number. No entry of this door says to what."""

    number: str
    stratum: str


# --- stream subject/<subject>: capture --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VisitDated(Entry):
    """A visit took place on a date (ISO)."""

    visit: str
    on: str
    repeat: int = 1


@dataclass(frozen=True, slots=True)
class FormSaved(Entry):
    """One save of one form: the items that changed, the values derived from them, and why they changed.

    `derived` holds results of the study's derivations. `complete` is the form's state after the save. `copied`: items
    taken over from another place (`visit/repeat`) and not confirmed yet. `texts` are the free-text items of the same
    save, `whys` the explanations of missing codes in `items` (whose own `why` is never given), `reason` is given when
    a value of a completed form changed. Until 2026 this was `FormRecorded` (`upcast`).
    """

    visit: str
    form: str
    repeat: int
    items: Mapping[str, Datum]
    derived: Mapping[str, Datum]
    complete: bool
    reason: str = aside(default="")
    texts: Mapping[str, Datum] = aside(default_factory=dict)
    whys: Mapping[str, str] = aside(default_factory=dict)
    copied: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class FormOmitted(Entry):
    """A whole form was not done: `missing` is a code of words.codelists.MISSING, `reason` what is said beside it."""

    visit: str
    form: str
    repeat: int
    missing: str
    reason: str = aside(default="")


@dataclass(frozen=True, slots=True)
class FormReinstated(Entry):
    """That a form was not done was a mistake: it is open again."""

    visit: str
    form: str
    repeat: int
    reason: str = aside(default="")


@dataclass(frozen=True, slots=True)
class FirstEntryRecorded(Entry):
    """One of two persons typed a form from its paper source. Nothing of it counts, and nobody sees it, until both have.

    All that was typed stands in the part that can be withheld alone.
    """

    visit: str
    form: str
    repeat: int
    items: Mapping[str, Datum] = aside(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SecondEntryRecorded(Entry):
    """The other person typed the same source. `differing`: the items that the two did not enter alike."""

    visit: str
    form: str
    repeat: int
    differing: tuple[str, ...]
    items: Mapping[str, Datum] = aside(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EntriesSettled(Entry):
    """The two entries became the form, which the same append saves. `automatic`: they were alike.

    `compared`: items that at least one of the two filled in; `differing` of them were not alike. `choices`: whose entry
    each of these took; one that does not apply any more after the choices is not among them. `reasons` say why.
    """

    visit: str
    form: str
    repeat: int
    compared: tuple[str, ...]
    differing: tuple[str, ...]
    choices: Mapping[str, Literal["FIRST", "SECOND", "NEITHER"]]
    automatic: bool
    reasons: Mapping[str, str] = aside(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EntriesWithdrawn(Entry):
    """What was typed of a form counts for nothing: the form is typed anew."""

    visit: str
    form: str
    repeat: int
    reason: str = aside(default="")


@dataclass(frozen=True, slots=True)
class QueryRaised(Entry):
    """A check wants an explanation. `rule` is the edit check, `message` its words; `item` may be empty for the form."""

    query: str
    visit: str
    form: str
    repeat: int
    item: str
    rule: str
    message: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class QueryAsked(Entry):
    """A person wants an explanation, in words of their own; `item` may be empty for the form."""

    query: str
    visit: str
    form: str
    repeat: int
    item: str
    text: str = aside()


@dataclass(frozen=True, slots=True)
class QueryAnswered(Entry):
    """The site explained."""

    query: str
    answer: str = aside()


@dataclass(frozen=True, slots=True)
class QueryClosed(Entry):
    """The query is settled; `automatic` when the value that raised it was corrected."""

    query: str
    automatic: bool
    note: str = aside(default="")


# --- stream subject/<subject>: running logs (room: capture) -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LogReviewed(Entry):
    """A log was gone through with the participant at a visit. `rows`: the rows that still go on, each confirmed.

    `outcome`: nothing changed since the review before, something did, or there is nothing to list.
    """

    visit: str
    form: str
    repeat: int
    outcome: Literal["NO_CHANGE", "CHANGED", "NONE"]
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RowVoided(Entry):
    """A row of a log was entered in error. It stays readable, and counts for nothing."""

    visit: str
    form: str
    repeat: int
    reason: str = aside(default="")


@dataclass(frozen=True, slots=True)
class RowRestored(Entry):
    """A row that was marked as entered in error counts again."""

    visit: str
    form: str
    repeat: int
    reason: str = aside(default="")


# --- stream second-door: what the second door said, as this door heard it (room: oversight) ---------------------


@dataclass(frozen=True, slots=True)
class SecondDoorEnrolled(Entry):
    """The second door's public key (Ed25519, hex): from now on only what it signs is taken as its word."""

    belongs: ClassVar[str] = "knowledge"

    key: str


@dataclass(frozen=True, slots=True)
class AnchorReceived(Entry):
    """The second door's hourly commitment to its own ledger (hex), active or not. `number` counts from 1."""

    belongs: ClassVar[str] = "knowledge"

    number: int
    commitment: str
    statement: int
    signature: str


@dataclass(frozen=True, slots=True)
class RecallReceived(Entry):
    """Bags are not to be used: the same notice, whatever is in them. `bags` are masked bag numbers."""

    notice: str
    bags: tuple[str, ...]
    statement: int
    signature: str


# --- stream study: the final release (room: oversight) -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReleaseConditionRecorded(Entry):
    """A condition of the final release was met, or no longer is. `reference`: the version, digest or document meant."""

    condition: Literal["DATABASE_LOCKED", "PLAN_SIGNED", "DEVIATIONS_CLASSED", "SETS_SIGNED"]
    met: bool
    reference: str


@dataclass(frozen=True, slots=True)
class ReleaseSigned(Entry):
    """One of the two persons who must sign the final release did. `conditions` is the digest of what was shown."""

    conditions: str


@dataclass(frozen=True, slots=True)
class AllocationReleased(Entry):
    """The second door published seeds and nonces: `release` is the SHA-256 of the file, `root` that of the list."""

    root: str
    release: str
    statement: int
    signature: str


# --- stream subject/<subject>: the blind (room: randomization) ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class StratumCorrected(Entry):
    """The stratum that a participant was randomized in was not the true one. Both stay: the slot is not changed."""

    belongs: ClassVar[str] = "code_breaks"

    as_randomized: str
    corrected: str
    reason: str = aside()


@dataclass(frozen=True, slots=True)
class CodeBreakRequested(Entry):
    """An investigator asks the second door for one participant's arm. The request stands before anything is opened.

    `category`: why. `urgent`: whether knowing changes the treatment now. `to`: shown to the investigator, or given to
    a named third person who treats the participant. A drill opens a made-up participant's made-up arm.
    """

    belongs: ClassVar[str] = "code_breaks"

    request: str
    category: Literal["EMERGENCY", "SERIOUS_EVENT", "PREGNANCY", "OVERDOSE", "OTHER"]
    urgent: bool
    to: Literal["SELF", "THIRD_PERSON"]
    drill: bool
    reason: str = aside()
    third_person: str = aside(default="")


@dataclass(frozen=True, slots=True)
class CodeBroken(Entry):
    """The second door showed the arm to `reader` (an actor's id, or the words `third person`). Not what it was."""

    belongs: ClassVar[str] = "code_breaks"

    request: str
    reader: str
    shown_at: str
    statement: int
    signature: str


@dataclass(frozen=True, slots=True)
class CodeBreakReviewed(Entry):
    """The review that is due within 24 hours of a code break."""

    belongs: ClassVar[str] = "code_breaks"

    request: str
    justified: bool
    note: str = aside()


@dataclass(frozen=True, slots=True)
class CardOpened(Entry):
    """The sealed paper card of a participant was opened, with no system at hand; recorded when there was one again."""

    belongs: ClassVar[str] = "code_breaks"

    opened_at: str
    opened_by: str
    witnessed_by: str
    reason: str = aside()


@dataclass(frozen=True, slots=True)
class RaterAssigned(Entry):
    """From now on `user` rates this participant; `instead_of` is who did before."""

    user: str
    instead_of: str | None = None
    because: Literal["FIRST", "CODE_BREAK", "ABSENCE", "OTHER"] = "FIRST"


# --- stream subject/<subject>: supply as the blinded side sees it (room: supply) ---------------------------------


@dataclass(frozen=True, slots=True)
class PreparationRequested(Entry):
    """The pharmacy is asked to prepare one infusion of the plan (an id of the study's supply.doses).

    `at`: when it is to be released (UTC); `weight` in kg, as text.
    """

    request: str
    infusion: str
    at: str
    weight: str


@dataclass(frozen=True, slots=True)
class DosingJudged(Entry):
    """The dosing gate was judged: `results` condition -> T, F or U; `reasons` condition -> why it is not T."""

    request: str
    at: Literal["RELEASE", "BEDSIDE"]
    decision: Literal["GO", "HOLD", "NOT_EVALUABLE"]
    results: Mapping[str, str]
    reasons: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DosingHeld(Entry):
    """The dose waits, by decision of the person in the header."""

    request: str
    conditions: tuple[str, ...]
    reason: str = aside()


@dataclass(frozen=True, slots=True)
class DosingDecided(Entry):
    """What was decided on a held dose, by the person in the header. The participant stays in all analyses."""

    request: str
    decision: Literal["GIVE", "POSTPONE", "OMIT"]
    reason: str = aside()


@dataclass(frozen=True, slots=True)
class BagReleased(Entry):
    """The second door released a masked bag: a random number and a use-by (UTC), of the same shape for every arm."""

    request: str
    bag: str
    use_by: str
    statement: int
    signature: str


@dataclass(frozen=True, slots=True)
class BagChecked(Entry):
    """Bag and participant were checked by scanning, by the person in the header and by `second`."""

    request: str
    bag: str
    second: str


@dataclass(frozen=True, slots=True)
class BagMismatched(Entry):
    """What was scanned at the bedside did not agree with the request, and nothing was given: a near miss."""

    request: str
    meant: str
    scanned_bag: str
    scanned_subject: str


@dataclass(frozen=True, slots=True)
class BagRejected(Entry):
    """A bag cannot be used (spilled, damaged, late, recalled). The same request is prepared again where time allows."""

    request: str
    bag: str
    because: Literal["SPILLED", "DAMAGED", "LATE", "RECALLED", "NOT_MASKED", "OTHER"]
    reason: str = aside(default="")


@dataclass(frozen=True, slots=True)
class InfusionStarted(Entry):
    """An infusion began (UTC). `bag` is what was hung, whatever was meant."""

    request: str
    bag: str
    at: str


@dataclass(frozen=True, slots=True)
class InfusionInterrupted(Entry):
    """An infusion stands still since `at` (UTC)."""

    request: str
    at: str
    reason: str = aside(default="")


@dataclass(frozen=True, slots=True)
class InfusionResumed(Entry):
    """An infusion goes on since `at` (UTC)."""

    request: str
    at: str


@dataclass(frozen=True, slots=True)
class InfusionEnded(Entry):
    """An infusion ended (UTC), with the share given in percent (a whole number as text, 0 to 100)."""

    request: str
    at: str
    outcome: Literal["COMPLETE", "STOPPED"]
    share: str
    reason: str = aside(default="")


@dataclass(frozen=True, slots=True)
class WrongBagGiven(Entry):
    """A participant got a bag meant for another request. Both truths stay: what was meant and what was given."""

    request: str
    meant: str
    given: str
    reason: str = aside(default="")


@dataclass(frozen=True, slots=True)
class BagReturned(Entry):
    """A used, partly used or unused bag went back to the pharmacy; `remaining` in mL, as text."""

    request: str
    bag: str
    remaining: str


# --- stream subject/<subject>: closing: queries' later life, verification, signatures, freeze, lock (room: capture) ---


@dataclass(frozen=True, slots=True)
class QueryCancelled(Entry):
    """The query should not have been asked."""

    query: str
    reason: str = aside(default="")


@dataclass(frozen=True, slots=True)
class QueryReopened(Entry):
    """A settled query is asked again; `text` says why."""

    query: str
    text: str = aside(default="")


@dataclass(frozen=True, slots=True)
class ItemsVerified(Entry):
    """Items of a form were compared with their source. `covers`: what of the form is verified with them, as it stands.

    ALL: every item that has a value or a code; CRITICAL: every critical one; PART: neither. undone: items that had been
    verified as they stand and were found not to agree.
    """

    visit: str
    form: str
    repeat: int
    items: tuple[str, ...]
    covers: Literal["PART", "CRITICAL", "ALL"]
    undone: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class FormReviewed(Entry):
    """A form was read by data management, as it stood."""

    visit: str
    form: str
    repeat: int


@dataclass(frozen=True, slots=True)
class SignedPlace:
    """One form that was signed: where it is, and the SHA-256 of what was shown of it."""

    visit: str
    form: str
    repeat: int
    shown: str


@dataclass(frozen=True, slots=True)
class FormsSigned(Entry):
    """An investigator signed forms, by user name and password at that moment, in the meaning named.

    FORM: these forms are complete and accurate; CASEBOOK: so is everything recorded of the participant.
    `method` DEMO: the credential that a rehearsal shows to everybody. It binds nobody.
    """

    places: tuple[SignedPlace, ...]
    meaning: Literal["FORM", "CASEBOOK"]
    method: Literal["PASSWORD", "DEMO"]


@dataclass(frozen=True, slots=True)
class DataFrozen(Entry):
    """Sites change nothing here any more: a form, a visit (form empty), or everything (visit empty, repeat 0)."""

    visit: str
    form: str
    repeat: int


@dataclass(frozen=True, slots=True)
class DataUnfrozen(Entry):
    """Sites may change it again."""

    visit: str
    form: str
    repeat: int
    reason: str = aside(default="")


@dataclass(frozen=True, slots=True)
class DataLocked(Entry):
    """Nobody changes anything here any more."""

    visit: str
    form: str
    repeat: int


@dataclass(frozen=True, slots=True)
class DataUnlocked(Entry):
    """It may be changed again."""

    visit: str
    form: str
    repeat: int
    reason: str = aside(default="")


# --- stream study: the lock of the database (room: capture) --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LockConditionRecorded(Entry):
    """A condition of the database lock that the first door cannot count by itself is met, or no longer is."""

    condition: Literal["REVEALING_SETTLED", "NOTHING_UNSENT"]
    met: bool
    reference: str = aside(default="")


@dataclass(frozen=True, slots=True)
class DatabaseLockProposed(Entry):
    """The first of two persons found the checklist green. `checklist`: line -> what was left to do."""

    proposal: str
    checklist: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class DatabaseLocked(Entry):
    """The second person found it green too: from now on nothing of the data changes."""

    proposal: str
    checklist: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class DatabaseUnlockProposed(Entry):
    """The first of two persons wants the database opened again."""

    proposal: str
    reason: str = aside(default="")


@dataclass(frozen=True, slots=True)
class DatabaseUnlocked(Entry):
    """The second person agreed."""

    proposal: str


# --- stream subject/<subject>: scans of paper sources (room: capture, package attachments) ------------------------


@dataclass(frozen=True, slots=True)
class SourceAttached(Entry):
    """A scan of a paper source was attached to a form. The file lies beside the store, sealed under the subject's key.

    `digest`: SHA-256 of the file as it was chosen; `address`: SHA-256 of its sealed bytes, which is its name there;
    `source`: what it is asked for by. `kind_of_file`: PDF, PNG, JPEG or TIFF; `size` in bytes.
    """

    visit: str
    form: str
    repeat: int
    source: str
    kind_of_file: str
    size: int
    digest: str
    address: str
    name: str = aside()


@dataclass(frozen=True, slots=True)
class SourceWithdrawn(Entry):
    """The file does not belong to the form. It stays where it is, and so does the entry that attached it."""

    visit: str
    form: str
    repeat: int
    source: str
    reason: str = aside()


# --- amendments: which version counts where (room: oversight; streams site/<site> and subject/<subject>) ---------


@dataclass(frozen=True, slots=True)
class VersionApproved(Entry):
    """The site's ethics committee approved a released version (or was told of it) on a date (ISO)."""

    site: str
    version: str
    digest: str
    approval: str
    on: str


@dataclass(frozen=True, slots=True)
class VersionAdopted(Entry):
    """From the day `on` (ISO, at the site) a released version counts at the site.

    existing: whether those who are in already go over with the site, or stay until each is moved (`SubjectMoved`).
    """

    site: str
    version: str
    digest: str
    on: str
    existing: Literal["MOVE", "STAY"] = "MOVE"


@dataclass(frozen=True, slots=True)
class AuditReviewed(Entry):
    """Somebody reviewed a range of the audit trail (stream `audit`): of one participant (an id) or, empty, of all.

    `since`, `until`: moments (UTC), the latter never after the entry's own.
    """

    of_subject: str
    since: str
    until: str
    note: str = aside(default="")


@dataclass(frozen=True, slots=True)
class SubjectMoved(Entry):
    """A participant goes on under a version that the site adopted for newcomers first."""

    version: str
    digest: str
    reason: str = aside(default="")


@dataclass(frozen=True, slots=True)
class FormMoved(Entry):
    """A form that was complete under an earlier version is judged from now on by the version that the header names.

    No value changes. `complete`: whether it still is, by what that version asks.
    """

    visit: str
    form: str
    repeat: int
    complete: bool
    reason: str = aside(default="")


# --- stream subject/<subject>: visits that did not go as planned (room: capture) ---------------------------------


@dataclass(frozen=True, slots=True)
class VisitDescribed(Entry):
    """How a visit was held and, where the plan does not say it, why; or why its date was corrected.

    `mode` is the way it was held (a mode of the study's visits), or empty. Stands in the same append as its date.
    """

    visit: str
    repeat: int
    mode: str = ""
    because: Literal["", "PLANNED", "SAFETY", "REQUEST", "CORRECTION", "OTHER"] = ""
    reason: str = aside(default="")


@dataclass(frozen=True, slots=True)
class VisitMissed(Entry):
    """A planned visit did not take place, and is not going to."""

    visit: str
    because: Literal["UNREACHABLE", "REFUSED", "UNWELL", "TRAVEL", "SITE", "OTHER"]
    reason: str = aside(default="")


@dataclass(frozen=True, slots=True)
class VisitReopened(Entry):
    """What was recorded of a visit, its date or that it was missed, was a mistake: the visit is open again."""

    visit: str
    repeat: int = 1
    reason: str = aside(default="")


# --- stream site/<site>: the delegation log (room: oversight) ----------------------------------------------------


@dataclass(frozen=True, slots=True)
class PrincipalInvestigatorNamed(Entry):
    """From now on `user` is responsible for the site and signs its delegation log."""

    site: str
    user: str


@dataclass(frozen=True, slots=True)
class DutyDelegated(Entry):
    """The principal investigator (the header's actor) signed that `user` does `duty`, from now until a day (ISO)."""

    site: str
    user: str
    duty: str
    until: str | None = None


@dataclass(frozen=True, slots=True)
class DelegationEnded(Entry):
    """The principal investigator signed that `user` no longer does `duty`."""

    site: str
    user: str
    duty: str
    reason: str = aside(default="")


# --- stream user/<actor>: what a person has learnt (room: access) ------------------------------------------------


@dataclass(frozen=True, slots=True)
class TrainingRecorded(Entry):
    """`user` was trained in a topic's version on a day (ISO); it counts until `until`, or without end."""

    user: str
    topic: str
    version: str
    on: str
    until: str | None = None


@dataclass(frozen=True, slots=True)
class CertificateRecorded(Entry):
    """`user` is certified to score an instrument in a language, from `on` until `until` (ISO).

    Of a reader of images `instrument` is the DICOM code of what is read, and `language` is empty.
    """

    user: str
    instrument: str
    language: str
    on: str
    until: str | None = None
    certificate: str = aside(default="")


@dataclass(frozen=True, slots=True)
class CertificateWithdrawn(Entry):
    """A certificate no longer counts."""

    user: str
    instrument: str
    language: str
    reason: str = aside(default="")


# --- stream subject/<subject>: imaging (room: capture, package imaging) --------------------------------------------


@dataclass(frozen=True, slots=True)
class ImagingOrdered(Entry):
    """A procedure of the study was asked for at a visit, between two days (ISO)."""

    order: str
    procedure: str
    visit: str
    due_from: str
    due_by: str
    indication: str = aside(default="")


@dataclass(frozen=True, slots=True)
class ImagingPerformed(Entry):
    """The imaging took place on a day (ISO). deviations: EARLY or LATE, raised by themselves."""

    order: str
    on: str
    quality: Literal["GOOD", "ACCEPTABLE", "POOR", "UNREADABLE"]
    deviations: tuple[str, ...] = ()
    device: str = aside(default="")


@dataclass(frozen=True, slots=True)
class ImagingCancelled(Entry):
    """The imaging did not and will not take place."""

    order: str
    reason: str = aside()


@dataclass(frozen=True, slots=True)
class SeriesSeen:
    """One series of a DICOM study: its unique identifier, its modality, and how many images of it were seen."""

    uid: str
    modality: str
    images: int


@dataclass(frozen=True, slots=True)
class ImagesReferenced(Entry):
    """Which DICOM study belongs to an order. No picture is kept; `digest` (SHA-256) is over the digests of the files
    whose headers were checked, and empty where the identifier was typed.
    """

    order: str
    study_uid: str
    series: tuple[SeriesSeen, ...]
    files: int
    digest: str


@dataclass(frozen=True, slots=True)
class ImagesRefused(Entry):
    """Files were looked at and not taken. because: codes; tags: keywords of attributes that identify. No value."""

    order: str
    files: int
    because: tuple[str, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadGiven:
    """A read of images under a random number: that is all its reader (an actor's id) is told. `part`: 1, 2 or 3."""

    read: str
    reader: str
    part: int


@dataclass(frozen=True, slots=True)
class ReadingOpened(Entry):
    """Images go to readers: to two at first, to a third where these differ."""

    order: str
    reads: tuple[ReadGiven, ...]


@dataclass(frozen=True, slots=True)
class ReadingScored(Entry):
    """What one reader scored."""

    order: str
    read: str
    items: Mapping[str, Datum]


@dataclass(frozen=True, slots=True)
class ReadingDiffered(Entry):
    """Two readers differ by more than the study allows in these items: a third decides."""

    order: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadingConcluded(Entry):
    """What the central read says, as it goes to the form. adjudicated: items that the third reader decided."""

    order: str
    items: Mapping[str, Datum]
    adjudicated: tuple[str, ...] = ()


# --- stream subject/<subject>: specimens (room: capture, package specimens) ---------------------------------------


@dataclass(frozen=True, slots=True)
class SpecimenCollected(Entry):
    """A tube was drawn for a kit at a visit, at `at` (UTC), under an accession number: all that a laboratory is told.

    fasting: Y, N or U. deviations: codes of what was not as planned, raised by themselves.
    """

    specimen: str
    kit: str
    visit: str
    at: str
    fasting: Literal["Y", "N", "U"]
    deviations: tuple[str, ...] = ()
    note: str = aside(default="")


@dataclass(frozen=True, slots=True)
class SpecimenMissed(Entry):
    """Nothing was drawn for a kit at a visit, and why."""

    kit: str
    visit: str
    because: Literal["NOT_DONE", "REFUSED", "NOT_POSSIBLE", "OTHER"]
    note: str = aside(default="")


@dataclass(frozen=True, slots=True)
class SpecimenVoided(Entry):
    """A tube is not to be used: wrong person, wrong tube, lost. Its number is never given again."""

    specimen: str
    reason: str = aside()


@dataclass(frozen=True, slots=True)
class SpecimenProcessed(Entry):
    """A tube was spun and its aliquots frozen (UTC; empty where it was not). Said again, the later word counts."""

    specimen: str
    spun_at: str
    frozen_at: str
    haemolysis: Literal["NONE", "SLIGHT", "MODERATE", "GROSS"]
    deviations: tuple[str, ...] = ()
    note: str = aside(default="")


@dataclass(frozen=True, slots=True)
class AliquotsMade(Entry):
    """A tube was divided: numbers of the aliquots, volume of each in mL as text, where they are kept."""

    specimen: str
    aliquots: tuple[str, ...]
    volume: str
    storage: str
    place: str = aside(default="")


@dataclass(frozen=True, slots=True)
class AliquotMoved(Entry):
    """An aliquot lies elsewhere now. `thawed`: it was thawed and frozen again."""

    aliquot: str
    storage: str
    thawed: bool
    place: str = aside(default="")


@dataclass(frozen=True, slots=True)
class AliquotEnded(Entry):
    """An aliquot is no more."""

    aliquot: str
    because: Literal["USED", "DESTROYED", "LOST", "BROKEN"]
    reason: str = aside(default="")


@dataclass(frozen=True, slots=True)
class Reported:
    """One result as a laboratory reported it: value and unit; `below` or `above` the limit that `value` is."""

    value: str
    unit: str
    below: bool = False
    above: bool | None = None


@dataclass(frozen=True, slots=True)
class ResultsReported(Entry):
    """What one report of a laboratory says of one specimen: test code -> result. Earlier reports stay as they are."""

    report: str
    laboratory: str
    specimen: str
    results: Mapping[str, Reported]


# --- streams shipment/<shipment> and laboratory/<laboratory> (room: capture, package specimens) -------------------


@dataclass(frozen=True, slots=True)
class ShipmentDispatched(Entry):
    """Aliquots of one site left for a laboratory at `at` (UTC). `condition` is a storage of the study."""

    shipment: str
    site: str
    laboratory: str
    aliquots: tuple[str, ...]
    at: str
    condition: str
    carrier: str = aside(default="")


@dataclass(frozen=True, slots=True)
class SpecimenShipmentReceived(Entry):
    """A shipment arrived at `at` (UTC). discrepancies: aliquot -> what was not as the manifest says."""

    shipment: str
    at: str
    condition: Literal["FROZEN", "PARTLY_THAWED", "THAWED", "COOLED", "AMBIENT"]
    discrepancies: Mapping[str, str]
    unexpected: tuple[str, ...] = ()
    note: str = aside(default="")


@dataclass(frozen=True, slots=True)
class ResultsImported(Entry):
    """One file of a laboratory was taken in whole: SHA-256 of the file, and how many lines there were of each class."""

    report: str
    laboratory: str
    digest: str
    lines: int
    classes: Mapping[str, int]
    corrects: bool = False


# --- stream subject/<subject>: protocol deviations (room: oversight) ----------------------------------------------


@dataclass(frozen=True, slots=True)
class DeviationRaised(Entry):
    """The protocol was not followed. `rule` is a rule of the study that raised it, or `manual`.

    `matter` is what it is about within the rule (a request for a dose, a form): one matter raises one deviation.
    `days` are the days by which a limit was passed. `on`: the day (ISO) on which it happened, where that is known.
    """

    deviation: str
    rule: str
    visit: str = ""
    repeat: int = 1
    matter: str = ""
    days: int = 0
    on: str = ""
    text: str = aside(default="")


@dataclass(frozen=True, slots=True)
class DeviationClassed(Entry):
    """A person said how serious it is, and whether it is important (ICH E3): it counts for the analysis sets."""

    deviation: str
    severity: Literal["MINOR", "MAJOR", "CRITICAL"]
    important: bool
    note: str = aside(default="")


@dataclass(frozen=True, slots=True)
class DeviationExplained(Entry):
    """The site said how it came about, and what is done so that it does not happen again."""

    deviation: str
    explanation: str = aside(default="")
    action: str = aside(default="")


@dataclass(frozen=True, slots=True)
class DeviationClosed(Entry):
    """Nothing more is asked of it."""

    deviation: str
    note: str = aside(default="")


@dataclass(frozen=True, slots=True)
class DeviationReopened(Entry):
    """It is looked at again."""

    deviation: str
    reason: str = aside(default="")


@dataclass(frozen=True, slots=True)
class DeviationWithdrawn(Entry):
    """It was none: `automatic` where what raised it does not stand any more, else by a person, with the reason."""

    deviation: str
    automatic: bool
    reason: str = aside(default="")


# --- stream diary/<subject>: the diary of a participant and of caregivers (room: diary) ---------------------------
# A phone is known by the random id of its enrolment, which is the actor of what it sends; its keys stand in no ledger.


@dataclass(frozen=True, slots=True)
class DiaryInvited(Entry):
    """Somebody may set up a phone, until a moment (UTC). `holder`: PARTICIPANT, or a caregiver's id in the register.

    `zone`: the participant's IANA zone, in which every window of the diary is counted from now on.
    """

    belongs: ClassVar[str] = "diary"

    device: str
    holder: str
    zone: str
    until: str


@dataclass(frozen=True, slots=True)
class DeviceEnrolled(Entry):
    """A phone was set up with the code and the PIN of its invitation."""

    belongs: ClassVar[str] = "diary"

    device: str


@dataclass(frozen=True, slots=True)
class DeviceRevoked(Entry):
    """A phone, or an invitation, counts no more: lost, given back, replaced, or locked after too many wrong PINs."""

    belongs: ClassVar[str] = "diary"

    device: str
    automatic: bool = False
    reason: str = aside(default="")


@dataclass(frozen=True, slots=True)
class DiaryEntryRecorded(Entry):
    """An entry of the diary as a phone sent it. The header has when it arrived; what the device claimed stands here.

    `packet`: the phone's own random id of it; `sealed`: SHA-256 of it as sent (diary.packets). `period`: the day (ISO)
    on which the period ends that it is for, None for an event. `definition`: digest of the version it was made with.
    `begun`, `submitted`: moments (UTC) by the server's clock as far as it can be told; `claimed_*`: as the device wrote
    them; `skew_ms`: server less device when last known. `clock`: what was odd about time, words of diary.timing.
    `late`: it arrived after its window closed. `answers`: item -> value or why there is none (PREFER_NOT, CANNOT_TELL);
    `shown`: the items that were asked; `red_flags`: those whose answer is one. `modes`: how the page was set.
    """

    belongs: ClassVar[str] = "diary"

    packet: str
    sealed: str
    device: str
    reporter: Literal["PARTICIPANT", "ASSISTED", "CAREGIVER"]
    form: str
    period: str | None
    definition: str
    begun: str
    submitted: str
    claimed_begun: str
    claimed_submitted: str
    zone: str
    skew_ms: int | None
    clock: tuple[str, ...]
    offline: bool
    late: bool
    language: str
    modes: Mapping[str, str]
    answers: Mapping[str, Datum]
    shown: tuple[str, ...]
    red_flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DiaryEvidenceRecorded(Entry):
    """What a phone sent and what is no diary data: refused by `rule`, at `where` in it. `content`: what it said."""

    belongs: ClassVar[str] = "diary"

    packet: str
    sealed: str
    device: str
    rule: str
    where: str
    form: str | None = None
    period: str | None = None
    content: str = aside(default="")


@dataclass(frozen=True, slots=True)
class DiaryChangeRequested(Entry):
    """Who holds a phone asks that an entry (`about`, its packet's id) be changed. The entry stays as it is."""

    belongs: ClassVar[str] = "diary"

    packet: str
    sealed: str
    device: str
    about: str
    wish: str = aside(default="")


@dataclass(frozen=True, slots=True)
class DiaryHelpAsked(Entry):
    """Who holds a phone asks the site to call, or an answer that is a red flag did: `item` of `form` for `period`.

    These three are None where nothing was answered, and in entries that were written before they were kept.
    """

    belongs: ClassVar[str] = "diary"

    packet: str
    sealed: str
    device: str
    form: str | None = None
    period: str | None = None
    item: str | None = None
    wish: str = aside(default="")


@dataclass(frozen=True, slots=True)
class DiaryChangeDecided(Entry):
    """The site decided on a request and signed. `changes`: the answers that count from now on, none where declined.

    The original entry stays. `means`: what the signature means; `method`: how the person proved who signs.
    """

    belongs: ClassVar[str] = "diary"

    request: str
    about: str
    granted: bool
    changes: Mapping[str, Datum]
    means: str
    method: Literal["PASSWORD", "DEMO"]
    reason: str = aside(default="")


@dataclass(frozen=True, slots=True)
class DiaryReviewed(Entry):
    """A person of the site read the diary, at a visit (or between visits, empty), up to an entry of this stream."""

    belongs: ClassVar[str] = "diary"

    visit: str
    repeat: int
    upto: int
    note: str = aside(default="")


@dataclass(frozen=True, slots=True)
class DiaryEntryLinked(Entry):
    """A person tied an entry to a row of a log (an adverse event): `place` is visit/form/repeat; empty unties it."""

    belongs: ClassVar[str] = "diary"

    about: str
    place: str


@dataclass(frozen=True, slots=True)
class DiaryFlagHandled(Entry):
    """A person of the site dealt with the red flags of an entry. They are no adverse event by themselves."""

    belongs: ClassVar[str] = "diary"

    about: str
    outcome: Literal["NO_EVENT", "EVENT_RECORDED", "SENT_TO_CARE", "NOT_REACHED"]
    note: str = aside(default="")


@dataclass(frozen=True, slots=True)
class DiaryReminderDispatched(Entry):
    """Somebody was reminded of a form for a period, through a gateway. `step`: which reminder of the study it was."""

    belongs: ClassVar[str] = "diary"

    form: str
    period: str
    to: str
    step: Literal["HOUR", "AGAIN", "CAREGIVER", "SITE"]
    gateway: str
    delivered: bool


@dataclass(frozen=True, slots=True)
class DiaryReminderPlanned(Entry):
    """When and how somebody is reminded: the hour of their clock, the way (empty: not at all), the language.

    `contact`: the register's random id of the address; empty for the telephone registered with the person.
    """

    belongs: ClassVar[str] = "diary"

    holder: str
    hour: str
    gateway: str
    language: str
    contact: str


@dataclass(frozen=True, slots=True)
class DiarySitePaged(Entry):
    """The site was told at once of an entry with red flags, or of a call for help (`about`), through a gateway."""

    belongs: ClassVar[str] = "diary"

    about: str
    gateway: str
    delivered: bool


@dataclass(frozen=True, slots=True)
class DiaryFormShown(Entry):
    """A phone showed a form for a period, at a moment (UTC) by the server's clock as far as it can be told."""

    belongs: ClassVar[str] = "diary"

    packet: str
    sealed: str
    device: str
    form: str
    period: str | None
    at: str


@dataclass(frozen=True, slots=True)
class DiaryGapExplained(Entry):
    """Why there is no entry of a reporter (PARTICIPANT or CAREGIVER) for a period, as the site found out."""

    belongs: ClassVar[str] = "diary"

    form: str
    period: str
    reporter: Literal["PARTICIPANT", "CAREGIVER"]
    because: Literal["ADMITTED", "TRAVEL", "DEVICE", "BURDEN", "UNWELL", "FORGOT", "OTHER", "UNKNOWN"]
    note: str = aside(default="")


@dataclass(frozen=True, slots=True)
class DiaryInterviewRecorded(Entry):
    """A person of the site read the questions out and recorded the answers, or copied a paper card (`on_paper`).

    Always marked as such, and never counted as an entry that was made in time. `asked_at`: when (UTC).
    """

    belongs: ClassVar[str] = "diary"

    interview: str
    reporter: Literal["PARTICIPANT", "CAREGIVER"]
    form: str
    period: str | None
    definition: str
    asked_at: str
    on_paper: bool
    answers: Mapping[str, Datum]
    shown: tuple[str, ...]
    red_flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServiceInterrupted(Entry):
    """Stream study: phones could not reach the server from one moment (UTC) to another: nobody missed an entry then."""

    since: str
    until: str
    reason: str = aside(default="")


# --- what stands around an entry ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BodyPart:
    """One body part of an entry: its commitment SHA-256(nonce ‖ body) and the SHA-256 of its sealed bytes (hex)."""

    part: Part
    commitment: str
    sealed: str


@dataclass(frozen=True, slots=True)
class Header:
    """What the chain holds for ever. `at` is UTC with microseconds; `prev` is the leaf before, 64 zeros for seq 1.

    `command` is the digest of the command that made this append; `part` counts the entries of one append from 0
    within its stream.
    """

    v: int
    study: str
    stream: str
    seq: int
    prev: str
    kind: str
    study_digest: str
    actor: str
    role: str
    at: str
    client_at: str | None
    zone: str | None
    idempotency_key: str
    part: int
    command: str
    bodies: tuple[BodyPart, ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry as it stands in a stream. `entry` is None where its main body was withheld or erased.

    `withheld` names the body parts that exist and cannot be opened; a withheld aside leaves its fields empty.
    """

    header: Header
    leaf: str
    entry: Entry | None
    withheld: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Append:
    """An entry that a decision wants written to a stream."""

    stream: str
    entry: Entry


KINDS: Mapping[str, type[Entry]] = {kind.__name__: kind for kind in Entry.__subclasses__()}
"""Every kind of the first door by name."""
