"""The study model: the whole definition of a trial as immutable values, named as USDM and CDISC name them.

Read from one YAML notation (`load.py`), published as a JSON Schema. Sections that a registry record cannot
give are empty in an imported skeleton; `check.py` says what a study needs before it can run.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, StringConstraints

from equipoise.protocol.analysis import AnalysisPlan
from equipoise.protocol.attachments import Attachments
from equipoise.protocol.deviating import DeviationRule
from equipoise.protocol.diary import DiaryPlan
from equipoise.protocol.elements import Element, Expression, IsoDate, Name, Part, Published, Ratio, Words
from equipoise.protocol.forms import CodelistDefinition, EntryRules, Form
from equipoise.protocol.imaging import ImagingPlan
from equipoise.protocol.laboratory import ReferenceRanges
from equipoise.protocol.specimens import SpecimenPlan
from equipoise.words.kept import Kept
from equipoise.words.text import Language


class RegistryField(Part):
    """One field of the public record, verbatim. `path` is the ClinicalTrials.gov v2 path; `line` in the source file."""

    path: str
    value: Published
    source: str
    line: int | None = None
    note: str | None = None


class Statement(Part):
    """What one source says."""

    text: str
    source: str


class Contradiction(Part):
    """Public statements that do not agree; kept, shown and never corrected. `reading` is what this study goes by."""

    id: Name
    about: Words
    statements: tuple[Statement, ...]
    reading: Words | None = None


class Registry(Part):
    """The public record with its provenance. `retrieved` and `version` are ISO dates."""

    registry: str
    identifier: str
    url: str | None = None
    retrieved: str | None = None
    version: str | None = None
    fields: tuple[RegistryField, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    not_understood: tuple[Statement, ...] = ()

    def value(self, path: str) -> Any:  # Any: JSON as published
        """The published value at `path`, or None where the record is silent."""
        return next((field.value for field in self.fields if field.path == path), None)


class MaskedRole(Element):
    """A role and whether it is masked. `registry` is the registry's word (PARTICIPANT, …) where it lists the role."""

    id: Name
    label: Words
    masked: bool
    registry: str | None = None
    explanation: Words | None = None


class Recruitment(Element):
    """How enrolment is planned: over how many months, at how many sites, evenly from the first site's opening on."""

    months: int = Field(ge=1)
    sites: int = Field(ge=1)


class Design(Element):
    """Study design in registry words, and the numbers that bound enrolment."""

    study_type: str | None = None
    phases: tuple[str, ...] = ()
    primary_purpose: str | None = None
    allocation: str | None = None
    intervention_model: str | None = None
    masking: str | None = None
    target: int | None = Field(default=None, ge=1)
    cap: int | None = Field(default=None, ge=1)
    months: int | None = Field(default=None, ge=1)
    recruitment: Recruitment | None = None
    masked_roles: tuple[MaskedRole, ...] = ()


class Intervention(Element):
    """What is given. `type` is the registry's word. Dose and handling are parameters, each with its own source."""

    id: Name
    name: Words
    type: str | None = None
    description: Words | None = None
    parameters: tuple[Parameter, ...] = ()


class Parameter(Element):
    """A named quantity of dosing, product handling or conduct: value as text, unit in UCUM."""

    id: Name
    label: Words
    value: str
    unit: str | None = None


class Arm(Element):
    """A treatment arm. `type` is the registry's word (EXPERIMENTAL, PLACEBO_COMPARATOR, …)."""

    id: Name
    label: Words
    type: str | None = None
    description: Words | None = None
    interventions: tuple[Name, ...] = ()


class Objective(Element):
    """What the trial wants to know."""

    id: Name
    level: Literal["primary", "secondary", "exploratory"]
    kind: Literal["efficacy", "safety", "pharmacodynamic", "other"]
    text: Words
    endpoints: tuple[Name, ...] = ()


class Endpoint(Element):
    """What is measured to answer an objective, at which visit."""

    id: Name
    level: Literal["primary", "key secondary", "secondary", "exploratory"]
    label: Words
    form: Name | None = None
    variable: str | None = None
    visit: Name | None = None


class IntercurrentEvent(Element):
    """An event after randomization and the strategy of ICH E9(R1) for it."""

    event: Words
    strategy: Literal[
        "treatment policy", "hypothetical", "composite", "while on treatment", "principal stratum"
    ]
    detail: str | None = None


class Estimand(Element):
    """The five attributes of ICH E9(R1)."""

    id: Name
    endpoint: Name
    population: Words
    treatments: Words
    variable: Words
    intercurrent_events: tuple[IntercurrentEvent, ...] = ()
    summary: Words


class AnalysisSet(Element):
    """Who is in an analysis."""

    id: Name
    label: Words
    definition: Words


class Criterion(Element):
    """One eligibility criterion. `text` is the record's wording. Without a rule it awaits an expression.

    For an inclusion criterion TRUE means met and good; for an exclusion criterion TRUE means excluded.
    """

    id: Name
    category: Literal["inclusion", "exclusion"]
    text: Words
    rule: Expression | None = None
    enabled: bool = True
    judgement: bool = False
    line: int | None = None


class InputSource(Part):
    """Where a name of the rules gets its value for a subject.

    `form`(+`item`): captured at `visit`, or at the latest visit that has it. `consent`: the consent record.
    `clock: today`: the calendar day at the site. `dose`: of the dose of the visit at hand, as it was recorded where it
    was given, the share given in percent or the minutes from start to end; unknown until it ended, and outside the
    rules of a form. None of them: given only to `equipoise screen`.
    """

    form: Name | None = None
    item: str | None = None
    visit: Name | None = None
    consent: Literal["participant_signed", "representative_signed", "capacity_lacking", "date"] | None = None
    clock: Literal["today"] | None = None
    dose: Literal["share", "minutes"] | None = None


class Input(Element):
    """A name that criteria, strata and checks may use. `alias` are further names accepted by `equipoise screen`."""

    name: Name
    label: Words
    type: Literal["date", "number", "code", "truth", "instrument"]
    alias: tuple[Name, ...] = ()
    instrument: str | None = None
    codelist: Name | None = None
    origin: InputSource = InputSource()


class Level(Part):
    """One level of a stratification factor: TRUE rule = the subject is in it. `code` goes into the stratum's name."""

    code: str
    label: Words
    rule: Expression


class Factor(Element):
    """A stratification factor; its levels must exclude each other."""

    id: Name
    label: Words
    levels: tuple[Level, ...]


class Randomization(Element):
    """How arms are allocated. `method` is a name of randomization.methods; `parameters` are its numbers as text."""

    method: Name
    parameters: Mapping[str, str] = Field(default_factory=dict)
    ratio: Ratio
    factors: tuple[Factor, ...] = ()
    number_prefix: str = "R"


class Dose(Element):
    """One planned administration. `visit` is the visit at which it is given."""

    id: Name
    label: Words
    visit: Name


class GateCondition(Element):
    """One condition of dosing: a rule over the study's inputs that is TRUE where the dose may be given.

    Judged before release and again at the bedside, or only where `at` says, for every dose or only for `doses`.
    UNKNOWN is neither: somebody must find out. `decidable`: an investigator may decide to give the dose although the
    condition is not TRUE; where it is not decidable nobody may. An input that comes from a form of the dose's own visit
    is read at that visit and at no other.
    """

    id: Name
    label: Words
    rule: Expression
    at: tuple[Literal["RELEASE", "BEDSIDE"], ...] = ("RELEASE", "BEDSIDE")
    doses: tuple[Name, ...] = ()
    decidable: bool = False


class Product(Element):
    """What an arm is given, as the pharmacy knows it. `cellular`: it is counted, thawed and tested for viability."""

    id: Name
    arm: Name
    label: Words
    cellular: bool


class BenchStep(Element):
    """One step of preparing a dose, in order, the same for every product.

    `sham`: what is done instead where the product has no cells, so that the work takes the same course and time.
    `kind` says what the step asks: a scanned code, a measured viability, a filled bag, or nothing but to be done.
    `minutes`: least minutes since the step before it, for every product, so that a sham is not told by its haste.
    """

    id: Name
    label: Words
    sham: Words | None = None
    kind: Literal["do", "scan_unit", "thaw", "viability", "fill"] = "do"
    two_persons: bool = False
    minutes: int = Field(default=0, ge=0)


class Supply(Element):
    """How the product is handled. Empty where a study gives nothing that has to be prepared.

    Volumes in mL, cells in absolute numbers as text; `use_within` in minutes from thaw (or its sham) to the end of the
    infusion; `release_before`: minutes before the planned start at which a bag is released, at the same minute for
    every arm; `use_after_release`: minutes after that hour at which a bag in time is to be used at the latest, so that
    its use-by is the same at a second try (0: only `use_within` counts); `sentinel_first` participants are
    dosed at least `sentinel_hours` apart. `warmest`: degrees Celsius that no store or shipment may pass, as text.
    `shipment_units` of every product make one shipment to a site;
    `shipment_reserve`: doses that may be given while it is on its way.
    `treatment`: what datasets call a dose (ECTRT), the same for every arm.
    """

    treatment: str = "STUDY TREATMENT"

    doses: tuple[Dose, ...] = ()
    gate: tuple[GateCondition, ...] = ()
    products: tuple[Product, ...] = ()
    bench: tuple[BenchStep, ...] = ()
    volume: str = ""
    cells_per_kg: str = ""
    cells_at_most: str = ""
    viability_at_least: str = ""
    warmest: str = ""
    shipment_units: int = Field(default=0, ge=0)
    shipment_reserve: int = Field(default=0, ge=0)
    use_within: int = 0
    use_after_release: int = 0
    release_before: int = 0
    sentinel_first: int = 0
    sentinel_hours: int = 0


class Verification(Element):
    """What a monitor compares with the source: the first participants randomized at each site and a share of the later
    ones in full, of everybody else the critical items (`Item.critical`) and the forms named. `share`: 0 to 1.
    """

    first: int = Field(default=0, ge=0)
    critical_forms: tuple[Name, ...] = ()
    share: Decimal = Field(default=Decimal(0), ge=0, le=1)


class ConsentVersion(Element):
    """A version of the consent form, by the date from which it is used.

    reconsent_days: who signed an earlier version signs this one within so many days of its approval at the site; None:
    an earlier signature goes on counting.
    """

    id: str
    dated: IsoDate
    label: Words
    reconsent_days: int | None = Field(default=30, ge=0)


class ConsentOption(Element):
    """A part of the consent that is agreed to or not, and leaves the rest as it is (samples, later contact)."""

    id: Name
    label: Words


class Consent(Element):
    """Who may consent. Capacity is presumed: a participant signs unless capacity is recorded as lacking.

    capacity_days: who regained capacity is asked for the own consent within so many days. caregiver: whether a
    caregiver consents for the own part, in the diary.
    """

    legal_representative: bool = True
    versions: tuple[ConsentVersion, ...] = ()
    options: tuple[ConsentOption, ...] = ()
    capacity_days: int = Field(default=14, ge=0)
    caregiver: bool = False


class TrainingTopic(Element):
    """What site staff must be trained in, by version; again `months` later where that is given.

    duties: ids of the duties that need it (access.duties); none stands for all.
    """

    id: Name
    label: Words
    version: str
    months: int | None = Field(default=None, ge=1)
    duties: tuple[Name, ...] = ()


class Delegation(Element):
    """Whether site staff may only do what the site's delegation log gives them, and what they must be trained in."""

    required: bool = False
    training: tuple[TrainingTopic, ...] = ()


class Raters(Element):
    """Who scores the scales.

    certificates: instruments for which a certificate must count, in one of `languages` (BCP 47 tags). assessors: the
    roles that score them after randomization; none stands for every role that saves forms.
    """

    certificates: tuple[Name, ...] = ()
    languages: tuple[str, ...] = ()
    assessors: tuple[Name, ...] = ()


class Epoch(Element):
    """A period of the trial (CDISC EPOCH)."""

    id: Name
    label: Words


class Visit(Element):
    """A planned encounter. Days count from the anchor as day 1, no day 0; `window` is (first, last) day.

    `ends`: once it took place, participation has ended, and no other visit is due (early termination).
    """

    id: Name
    label: Words
    epoch: Name
    day: int | None = None
    window: tuple[int, int] | None = None
    mode: Literal["clinic", "inpatient", "phone", "home", "remote", "any"] = "clinic"
    unscheduled: bool = False
    ends: bool = False


class Activity(Element):
    """What is done at visits: the rows of the schedule of activities. `forms` are what it is captured on.

    `in_person`: it needs the participant present, so a visit that is held by phone does not ask for it.
    """

    id: Name
    label: Words
    forms: tuple[Name, ...] = ()
    visits: tuple[Name, ...] = ()
    optional: bool = False
    in_person: bool = False


class EndOfParticipation(Part):
    """Where the end of participation is captured: a form, the item that says how, and the item that says when."""

    form: Name
    how: Name
    on: Name


class Schedule(Element):
    """The schedule of activities. `anchor` says in words what day 1 is, `day_one` by which record, the first that is.

    `born`: the input (a date) before which nothing can have taken place.
    """

    anchor: Words | None = None
    day_one: tuple[Literal["FIRST_DOSE", "RANDOMIZATION"], ...] = ("FIRST_DOSE", "RANDOMIZATION")
    end: EndOfParticipation | None = None
    born: Name | None = None
    epochs: tuple[Epoch, ...] = ()
    visits: tuple[Visit, ...] = ()
    activities: tuple[Activity, ...] = ()


class SiteDefinition(Element):
    """A site that a rehearsal store opens with. `id` is its number as printed on forms, `01`."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,15}$")]
    name: Words
    zone: str


class Eligibility(Element):
    """How eligibility is judged. `total_of` is the input whose total `screen` reports as an interval."""

    total_of: Name | None = None
    rescreenings: int = 0
    rescreening_days: int = 0


class Study(Element):
    """One version of one trial: everything the program knows of it."""

    notation: Literal[1]
    id: Name
    version: str
    dated: IsoDate
    languages: tuple[Language, ...] = ("en",)
    demo_id: str = "DEMO-0001"
    acronym: str | None = None
    title: Words
    official_title: Words | None = None
    plain_title: Words | None = None
    plain_summary: Words | None = None
    sponsor: Words | None = None
    sources: Mapping[str, str] = Field(default_factory=dict)
    registry: Registry | None = None
    design: Design = Design()
    arms: tuple[Arm, ...] = ()
    interventions: tuple[Intervention, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    objectives: tuple[Objective, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    estimands: tuple[Estimand, ...] = ()
    analysis_sets: tuple[AnalysisSet, ...] = ()
    eligibility: Eligibility = Eligibility()
    criteria: tuple[Criterion, ...] = ()
    inputs: tuple[Input, ...] = ()
    randomization: Randomization | None = None
    supply: Supply = Supply()
    consent: Consent = Consent()
    verification: Verification = Verification()
    delegation: Delegation = Delegation()
    raters: Raters = Raters()
    schedule: Schedule = Schedule()
    deviations: tuple[DeviationRule, ...] = ()
    codelists: tuple[CodelistDefinition, ...] = ()
    forms: tuple[Form, ...] = ()
    reference_ranges: ReferenceRanges = ReferenceRanges()
    entry: EntryRules = EntryRules()
    sites: tuple[SiteDefinition, ...] = ()
    attachments: Attachments = Attachments()
    specimens: SpecimenPlan = SpecimenPlan()
    imaging: ImagingPlan = ImagingPlan()
    diary: DiaryPlan = DiaryPlan()
    analysis: AnalysisPlan = AnalysisPlan()

    def form(self, form_id: str) -> Form | None:
        """The form of that id, or None."""
        return _by_id(self.forms).get(form_id)

    def visit(self, visit_id: str) -> Visit | None:
        """The visit of that id, or None."""
        return _by_id(self.schedule.visits).get(visit_id)

    def codelist(self, codelist_id: str) -> CodelistDefinition | None:
        """The codelist of that id, or None."""
        return _by_id(self.codelists).get(codelist_id)

    def zone_of(self, site: str | None) -> str:
        """The IANA zone of a site; of the first site for None; `UTC` where the study names no such site."""
        wanted = self.sites[0].id if site is None and self.sites else site
        return next((one.zone for one in self.sites if one.id == wanted), "UTC")

    def forms_at(self, visit_id: str) -> tuple[Form, ...]:
        """The forms that the schedule asks for at a visit, in the order of `forms`."""
        asked = {
            form
            for activity in self.schedule.activities
            if visit_id in activity.visits
            for form in activity.forms
        }
        return tuple(form for form in self.forms if form.id in asked)


Named = TypeVar("Named", Form, Visit, CodelistDefinition)


def _indexed(parts: tuple[Any, ...]) -> Mapping[str, Any]:  # Any: parts of one kind
    return {one.id: one for one in reversed(parts)}


_INDEXES = Kept(_indexed, 500)


def _by_id(parts: tuple[Named, ...]) -> Mapping[str, Named]:
    """Id -> part, the first of each id; kept, for every save asks many times."""
    return _INDEXES(parts)
