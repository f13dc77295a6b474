"""What the web asks of the desk, and nothing more.

The rule that must stay true: the web reads views and submits commands; it never sees the ledger, a key or an
arm. Reads return None where the reader may not see the thing or it is not there: the page says "not found"
either way, so that nothing is learnt by asking.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Literal, Protocol

from equipoise.access.commands import Who
from equipoise.capture.commands import RecordForm
from equipoise.capture.evolve import Place
from equipoise.capture.specimens.commands import ImportResults
from equipoise.capture.specimens.importing import Judged
from equipoise.desk.access_pages import AccessMap, PersonAccess
from equipoise.desk.account_page import AccountsView
from equipoise.desk.amendments import AmendmentsView
from equipoise.desk.audit import AuditView, Search
from equipoise.desk.batches import Filter, Line, Opened
from equipoise.desk.code_breaks import BlindView, DrillView
from equipoise.desk.consent_page import Beside, ConsentView
from equipoise.desk.consent_versions import ConsentVersionsView, Foreseen
from equipoise.desk.deviation_batches import Class, Classed
from equipoise.desk.deviation_pages import DeviationLine, StudyDeviations, SubjectDeviations
from equipoise.desk.deviation_pages import Filters as DeviationFilters
from equipoise.desk.double_page import DoubleView
from equipoise.desk.doubles import DoublesView
from equipoise.desk.due_visits import DueView as DueVisits
from equipoise.desk.explaining import ExplainView
from equipoise.desk.flow import EnrolmentView, FlowView
from equipoise.desk.identities import IdentityInput
from equipoise.desk.imaging_page import ImagingView, ReadLine, ReadView
from equipoise.desk.inbox import Filters, InboxView, OneQueryView
from equipoise.desk.knowledge import Knowing
from equipoise.desk.lock_pages import CaseClosingView, LeftView, LockView
from equipoise.desk.moving import Moved, MovesView
from equipoise.desk.range_page import EventOffer, RangesView
from equipoise.desk.readers_page import ReadersView
from equipoise.desk.release_page import ReleaseView
from equipoise.desk.signing_pages import CasebookView, SigningView
from equipoise.desk.sources_page import SourceFile, SourcesView
from equipoise.desk.specimens_page import ResultsView, ShipmentsView, ShipmentView, SpecimensView
from equipoise.desk.staff_page import StaffView
from equipoise.desk.supply_page import DueView, InfusionView
from equipoise.desk.verification_pages import VerificationView, VerifyView
from equipoise.desk.views import (
    ChecklistView,
    FormView,
    GridView,
    HistoryRow,
    LogView,
    Outcome,
    Persona,
    RandomizeView,
    SubjectRow,
    SubjectView,
    TodayView,
)
from equipoise.desk.visit_matrix import VisitMatrixView
from equipoise.desk.visit_pages import ScheduleView, VisitView
from equipoise.ledger.entries import Datum
from equipoise.oversight.commands import ApproveConsentVersion
from equipoise.protocol.study import Study
from equipoise.randomization.commands import RequestCodeBreak
from equipoise.words.problem import Problem
from equipoise.words.text import Text


class ScreenedView(Protocol):
    """What came of screening a person: the outcome and, when accepted, the screening number."""

    @property
    def outcome(self) -> Outcome:
        """Whether it was accepted, and why not."""

    @property
    def number(self) -> str | None:
        """The screening number given, when accepted."""


class PastDoor(Protocol):
    """The pages of a subject as they stood at a moment."""

    @property
    def moment(self) -> dt.datetime:
        """The moment, in UTC."""

    def subject(self, who: Who, number: str) -> SubjectView | None:
        """The casebook."""

    def form(self, who: Who, number: str, visit: str, form: str, repeat: int = 1) -> FormView | None:
        """One form."""

    def checklist(self, who: Who, number: str) -> ChecklistView | None:
        """The eligibility checklist."""


class DeskDoor(Protocol):
    """The methods of equipoise.desk.desk.Desk that pages use."""

    @property
    def study(self) -> Study:
        """The newest version of the definition, which decides what concerns the whole study."""

    def study_of(self, number: str) -> Study:
        """The definition that decides for a subject now."""

    @property
    def purpose(self) -> str | None:
        """`rehearsal` or `trial`; None before a store was given its purpose."""

    def number_of_participants(self) -> int:
        """How many participants the store holds."""

    def now(self) -> dt.datetime:
        """The time, in UTC."""

    def who(self, actor: str, role: str) -> Who | None:
        """The person, acting in a role they hold now; None otherwise."""

    def submit(self, who: Who, command: object, *, key: str, client_at: str | None = None) -> Outcome:
        """Ask for a change."""

    def today(self, who: Who) -> TodayView | None:
        """What is asked of the reader."""

    def subjects(
        self, who: Who, *, begins: str = "", after: str = "", limit: int | None = None
    ) -> Sequence[SubjectRow] | None:
        """A page of the subjects the reader may see: those after a number, or found by how it begins."""

    def visit_matrix(
        self, who: Who, *, begins: str = "", after: str = "", limit: int
    ) -> VisitMatrixView | None:
        """A page of participants by visits."""

    def number_of_subjects(self, who: Who) -> int:
        """How many subjects the reader may see."""

    def subject(self, who: Who, number: str) -> SubjectView | None:
        """One casebook."""

    def subject_id(self, number: str) -> str | None:
        """The random id behind a screening number."""

    def form(self, who: Who, number: str, visit: str, form: str, repeat: int = 1) -> FormView | None:
        """One form."""

    def double(self, who: Who, number: str, place: Place) -> DoubleView | None:
        """The double entry of one form."""

    def doubles(self, who: Who, state: str = "pending", after: str = "") -> DoublesView | None:
        """Double entries across subjects, with their rates."""

    def as_of(self, moment: dt.datetime) -> PastDoor:
        """The subjects' pages as they stood at a moment."""

    def audit(self, who: Who, search: Search, after: str = "") -> AuditView | None:
        """A page of the audit trail."""

    def amendments(self, who: Who) -> AmendmentsView | None:
        """What was released, which version counts where, and what the newest touches."""

    def moves(self, who: Who, site: str = "") -> MovesView | None:
        """Participants and forms under earlier versions than could decide."""

    def move(self, who: Who, chosen: Collection[str], reason: str, *, key: str, dry: bool) -> Moved | None:
        """Move what was chosen on that page, or say what would come of it."""

    def consent_versions(self, who: Who) -> ConsentVersionsView | None:
        """Versions of the consent form by site."""

    def consent_foreseen(self, who: Who, command: ApproveConsentVersion) -> Foreseen:
        """What an approval of a version would bring."""

    def open_chosen(self, who: Who, chosen: Collection[str], *, key: str) -> Opened:
        """Open the findings of the groups chosen on the page of versions."""

    def listing(self, who: Who, wanted: Filter) -> Sequence[Line] | None:
        """The places that a filter finds; None for who may not list."""

    def still_to_ask(self, lines: Sequence[Line], text: str) -> Sequence[Line]:
        """Where a question about a listing would be opened."""

    def ask_many(self, who: Who, lines: Sequence[Line], text: str, *, key: str) -> Opened:
        """Ask one question about every line of a listing."""

    def save(
        self, who: Who, command: RecordForm, number: str, *, key: str, client_at: str | None = None
    ) -> tuple[Outcome, FormView | None]:
        """Save a form: what came of it, and the form as it stands then, without the rules for a page's script."""

    def history(
        self, who: Who, number: str, visit: str, form: str, repeat: int, item: str | None = None
    ) -> Sequence[HistoryRow] | None:
        """The changes of a form or of one item, newest first."""

    def grid(self, who: Who, number: str, visit: str, form: str) -> GridView | None:
        """A form of a participant as one table."""

    def log(self, who: Who, number: str, form: str) -> LogView | None:
        """A running list of a participant."""

    def inbox(self, who: Who, filters: Filters, after: str = "", before: str = "") -> InboxView | None:
        """A page of the queries that the filters let through."""

    def one_query(self, who: Who, number: str, query: str, filters: Filters) -> OneQueryView | None:
        """One query with its neighbours."""

    def explain_refusals(self, who: Who, number: str, command: RecordForm) -> Mapping[str, ExplainView]:
        """Why checks refuse a save, by the check."""

    def explain(self, who: Who, number: str, query: str) -> ExplainView | None:
        """Why a query was raised."""

    def flow(self, who: Who) -> FlowView | None:
        """The flow of participants, blinded."""

    def enrolment(self, who: Who) -> EnrolmentView | None:
        """Enrolment against its plan."""

    def ranges(self, who: Who, site: str) -> RangesView | None:
        """The reference ranges of a site's laboratory."""

    def event_offer(
        self, who: Who, number: str, visit: str, form: str, repeat: int, item: str
    ) -> EventOffer | None:
        """The event that a significant laboratory value would begin."""

    def prove(self, who: Who, method: Literal["PASSWORD", "DEMO"]) -> str:
        """Take down that a person gave user name and password just now; the token for what they sign."""

    def signing(self, who: Who, after: str = "") -> SigningView | None:
        """A page of the forms that wait for a signature."""

    def casebook_signing(self, who: Who, number: str) -> CasebookView | None:
        """A casebook to be signed whole."""

    def verification(self, who: Who, site: str = "", after: str = "") -> VerificationView | None:
        """The queue of verification, or of review."""

    def verify(self, who: Who, number: str, place: Place) -> VerifyView | None:
        """One form to verify or review."""

    def lock(self, who: Who) -> LockView | None:
        """The lock of the database."""

    def left(self, who: Who, line: str) -> LeftView | None:
        """The forms that a line of the lock's checklist counts."""

    def case_closing(self, who: Who, number: str) -> CaseClosingView | None:
        """What of a participant is frozen and locked."""

    def checklist(self, who: Who, number: str) -> ChecklistView | None:
        """The eligibility checklist."""

    def randomization(self, who: Who, number: str) -> RandomizeView | None:
        """The stepper."""

    def screen(self, who: Who, site: str, given: IdentityInput, *, key: str) -> ScreenedView:
        """Take a person into screening: the identity register first, then the ledger, which learns no name."""

    def blind(self, who: Who, number: str) -> BlindView | None:
        """What became of a subject's blind, without the arm."""

    def drills(self, who: Who, site: str) -> DrillView | None:
        """The drills of a site."""

    def ask_for_code(self, who: Who, command: RequestCodeBreak, *, key: str) -> Outcome:
        """Record a request for one arm and send it to the second door at once."""

    def schedule(self, who: Who, number: str) -> ScheduleView | None:
        """The visits of a subject."""

    def visit(self, who: Who, number: str, visit: str, repeat: int = 1) -> VisitView | None:
        """One visit of a subject."""

    def subject_deviations(self, who: Who, number: str) -> SubjectDeviations | None:
        """The protocol deviations of a subject."""

    def study_deviations(
        self, who: Who, filters: DeviationFilters, *, page: int = 1, size: int | None = 50
    ) -> StudyDeviations | None:
        """The protocol deviations across subjects."""

    def would_class(self, who: Who, lines: Sequence[DeviationLine], given: Class) -> Classed:
        """Which deviations of a listing would be classed, and which not."""

    def class_many(self, who: Who, lines: Sequence[DeviationLine], given: Class, *, key: str) -> Classed:
        """Class many deviations of a listing."""

    def due_visits(self, who: Who, site: str = "") -> DueVisits | None:
        """Visits that are overdue, due or coming at the reader's sites."""

    def infusions(self, who: Who, number: str) -> InfusionView | None:
        """The infusion page of a subject."""

    def sources(self, who: Who, number: str, place: Place) -> SourcesView | None:
        """The scans attached to a form."""

    def attach(self, who: Who, number: str, place: Place, name: str, data: bytes, *, key: str) -> Outcome:
        """Attach a scan to a form."""

    def source_file(self, who: Who, number: str, place: Place, source: str) -> SourceFile | Problem | None:
        """A scan to be handed out."""

    def imaging(self, who: Who, number: str) -> ImagingView | None:
        """The imaging of a subject."""

    def upload(self, who: Who, number: str, order: str, files: Sequence[bytes], *, key: str) -> Outcome:
        """Look at the headers of files for an order."""

    def reads(self, who: Who) -> Sequence[ReadLine] | None:
        """A reader's own reads."""

    def read(self, who: Who, number: str) -> ReadView | None:
        """One read of a reader."""

    def score(self, who: Who, number: str, items: Mapping[str, Datum], *, key: str) -> Outcome:
        """Record what a reader scored."""

    def specimens(self, who: Who, number: str) -> SpecimensView | None:
        """The tubes of a subject."""

    def shipments(self, who: Who) -> ShipmentsView | None:
        """Shipments of aliquots."""

    def shipment(self, who: Who, name: str) -> ShipmentView | None:
        """One shipment."""

    def results(self, who: Who) -> ResultsView | None:
        """Files of laboratories that were taken in."""

    def asked_import(self, laboratory: str, text: str, *, corrects: bool) -> ImportResults:
        """The command for a laboratory's file."""

    def dry_run(self, who: Who, command: ImportResults) -> Judged | None:
        """What a laboratory's file would do."""

    def due(self, who: Who) -> DueView | None:
        """Doses that are due at the reader's sites."""

    def knowledge(self, who: Who) -> Sequence[Knowing] | None:
        """Who could know whose arm, since when."""

    def consents(self, who: Who, number: str) -> ConsentView | None:
        """The consents of a subject."""

    def record_consent(self, who: Who, command: object, beside: Beside, *, key: str) -> Outcome:
        """Record a consent; names go to the register."""

    def accounts(self, who: Who) -> AccountsView | None:
        """Everybody's roles, for who grants them."""

    def invite(self, who: Who, given: str, role: str, at: str | None, *, key: str) -> tuple[str, Outcome]:
        """A new person with a first role: the random id, and what came of it."""

    def access_map(self, who: Who) -> AccessMap | None:
        """Who may read and do what."""

    def person_access(self, who: Who, user: str) -> PersonAccess | None:
        """What a named person may see and do today."""

    def staffed_sites(self, who: Who) -> Sequence[tuple[str, Text]] | None:
        """The sites whose people the reader may see."""

    def staff(self, who: Who, site: str) -> StaffView | None:
        """The people of a site: delegation, training, certificates."""

    def readers(self, who: Who) -> ReadersView | None:
        """The readers of images and their certificates."""

    def own_certificates(self, who: Who) -> ReadersView:
        """A reader's own certificates."""

    def release(self, who: Who) -> ReleaseView | None:
        """The gate of the final release."""

    def personas(self) -> Sequence[Persona]:
        """The made-up people of a rehearsal."""
