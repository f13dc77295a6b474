"""The desk as pages ask it: every read that a page is made of, beside the one way to write.

A read answers None where the reader may not see the thing, or it is not there: asking teaches nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Literal

from equipoise.access.commands import Who
from equipoise.access.decide import may_read
from equipoise.access.roles import ROLES
from equipoise.capture.commands import RecordForm
from equipoise.capture.evolve import Place
from equipoise.capture.specimens.commands import ImportResults
from equipoise.capture.specimens.importing import Judged
from equipoise.desk import (
    access_pages,
    account_page,
    amendments,
    audit,
    batches,
    casebook,
    code_breaks,
    consent_page,
    deviation_batches,
    deviation_pages,
    double_page,
    doubles,
    due_visits,
    form_page,
    imaging_page,
    knowledge,
    lists,
    lock_pages,
    log_page,
    moving,
    past,
    range_page,
    readers_page,
    release_page,
    screening_pages,
    signing_pages,
    sources_page,
    specimens_page,
    staff_page,
    supply_page,
    verification_pages,
    visit_matrix,
    visit_pages,
)
from equipoise.desk import consent_versions as consent_forms
from equipoise.desk import inbox as inboxes
from equipoise.desk.clock import Clock, system_clock
from equipoise.desk.courier import Courier
from equipoise.desk.desk import Desk, open_desk
from equipoise.desk.explaining import ExplainView, explain_query, explain_refusals
from equipoise.desk.flow import EnrolmentView, FlowView, enrolment_page, flow_page
from equipoise.desk.followers import GRANTS, SUBJECTS
from equipoise.desk.inbox import Filters, InboxView, OneQueryView
from equipoise.desk.line import SocketLine
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
from equipoise.ledger.entries import Datum
from equipoise.oversight.commands import ApproveConsentVersion
from equipoise.randomization.commands import RequestCodeBreak
from equipoise.words.problem import Problem
from equipoise.words.text import Text


class FrontDesk(Desk):
    """A desk with its reads. Make it with `open_front`."""

    courier: Courier | None = None
    """Who carries between the doors; None where this desk has no channel."""

    def send(self, courier: Courier) -> Courier:
        """Have a courier told of what is written here, and asked whether the second door answers."""
        self.courier, self.second_door, self.noticed = courier, courier, courier.noticed
        return courier

    def close(self) -> None:
        """Call the courier back and give everything back."""
        if self.courier is not None:
            self.courier.close()
        super().close()

    def number_of_participants(self) -> int:
        """How many participants the store holds."""
        with self.reading() as reader:
            return reader.rows.count(SUBJECTS)

    def personas(self) -> tuple[Persona, ...]:
        """Everybody who works at this door in a rehearsal, by role and site; nobody in a trial."""
        if self.purpose != "rehearsal":
            return ()
        with self.reading() as reader:
            held = reader.rows.find(GRANTS, {"held": 1})
        order = list(ROLES)
        made = [
            Persona(
                user=str(row["user"]),
                name=Text(self.register.staff_name(str(row["user"]))),
                role=str(row["role"]),
                site=str(row["site"]) or None,
                blind=ROLES[str(row["role"])].blind,
                key=f"desk.persona-{str(row['role']).replace('_', '-')}",
            )
            for row in held
            if ROLES[str(row["role"])].blind != "unblinded"  # they work at the second door
        ]
        return tuple(sorted(made, key=lambda one: (order.index(one.role), one.site or "")))

    def today(self, who: Who) -> TodayView | None:
        """What is asked of the reader."""
        return lists.today(self, who)

    def subjects(
        self, who: Who, *, begins: str = "", after: str = "", limit: int | None = None
    ) -> tuple[SubjectRow, ...] | None:
        """A page of the subjects that the reader may see, as `lists.subjects`."""
        return lists.subjects(self, who, begins=begins, after=after, limit=limit)

    def visit_matrix(
        self, who: Who, *, begins: str = "", after: str = "", limit: int
    ) -> visit_matrix.VisitMatrixView | None:
        """A page of participants by visits."""
        return visit_matrix.visit_matrix(self, who, begins=begins, after=after, limit=limit)

    def number_of_subjects(self, who: Who) -> int:
        """How many subjects the reader may see."""
        return lists.number_of_subjects(self, who)

    def as_of(self, moment: dt.datetime) -> past.PastDesk:
        """The subjects' pages as they stood at a moment."""
        return past.as_of(self, moment)

    def audit(self, who: Who, search: audit.Search, after: str = "") -> audit.AuditView | None:
        """A page of the audit trail."""
        return audit.audit_page(self, who, search, after)

    def amendments(self, who: Who) -> amendments.AmendmentsView | None:
        """What was released, which version counts where, and what the newest touches."""
        return amendments.amendments_page(self, who)

    def moves(self, who: Who, site: str = "") -> moving.MovesView | None:
        """Participants and forms under earlier versions than could decide."""
        return moving.moves_page(self, who, site)

    def move(
        self, who: Who, chosen: Collection[str], reason: str, *, key: str, dry: bool
    ) -> moving.Moved | None:
        """Move what was chosen on that page, or say what would come of it."""
        return moving.move(self, who, chosen, reason, key=key, dry=dry)

    def consent_versions(self, who: Who) -> consent_forms.ConsentVersionsView | None:
        """Versions of the consent form by site."""
        return consent_forms.consent_versions(self, who)

    def consent_foreseen(self, who: Who, command: ApproveConsentVersion) -> consent_forms.Foreseen:
        """What an approval of a version would bring."""
        return consent_forms.foreseen(self, who, command)

    def open_chosen(self, who: Who, chosen: Collection[str], *, key: str) -> batches.Opened:
        """Open the findings of the groups chosen on the page of versions."""
        with self.reading() as reader:
            lines = [line for line in amendments.due_lines(self, reader, who) if line.group in chosen]
        return batches.open_findings(self, who, lines, key=key)

    def listing(self, who: Who, wanted: batches.Filter) -> tuple[batches.Line, ...] | None:
        """The places that a filter finds; None for who may not list."""
        if not may_read(who, "listing", None):
            return None
        with self.reading() as reader:
            return tuple(batches.listing(self, reader, who, wanted))

    def still_to_ask(self, lines: Sequence[batches.Line], text: str) -> tuple[batches.Line, ...]:
        """Where a question about a listing would be opened."""
        with self.reading() as reader:
            return batches.still_to_ask(self, reader, lines, text)

    def ask_many(self, who: Who, lines: Sequence[batches.Line], text: str, *, key: str) -> batches.Opened:
        """Ask one question about every line of a listing."""
        return batches.ask(self, who, lines, text, key=key)

    def subject(self, who: Who, number: str) -> SubjectView | None:
        """The casebook of a subject."""
        return casebook.subject_page(self, who, number)

    def schedule(self, who: Who, number: str) -> visit_pages.ScheduleView | None:
        """The visits of a subject."""
        return visit_pages.schedule_page(self, who, number)

    def visit(self, who: Who, number: str, visit: str, repeat: int = 1) -> visit_pages.VisitView | None:
        """One visit of a subject."""
        return visit_pages.visit_page(self, who, number, visit, repeat)

    def subject_deviations(self, who: Who, number: str) -> deviation_pages.SubjectDeviations | None:
        """The protocol deviations of a subject."""
        return deviation_pages.subject_deviations(self, who, number)

    def study_deviations(
        self,
        who: Who,
        filters: deviation_pages.Filters,
        *,
        page: int = 1,
        size: int | None = deviation_pages.PAGE,
    ) -> deviation_pages.StudyDeviations | None:
        """The protocol deviations across subjects."""
        return deviation_pages.study_deviations(self, who, filters, page=page, size=size)

    def would_class(
        self, who: Who, lines: Sequence[deviation_pages.DeviationLine], given: deviation_batches.Class
    ) -> deviation_batches.Classed:
        """Which deviations of a listing would be classed, and which not."""
        return deviation_batches.would_class(self, who, lines, given)

    def class_many(
        self,
        who: Who,
        lines: Sequence[deviation_pages.DeviationLine],
        given: deviation_batches.Class,
        *,
        key: str,
    ) -> deviation_batches.Classed:
        """Class many deviations of a listing."""
        return deviation_batches.class_many(self, who, lines, given, key=key)

    def due_visits(self, who: Who, site: str = "") -> due_visits.DueView | None:
        """Visits that are overdue, due or coming at the reader's sites."""
        return due_visits.due_visits(self, who, site=site)

    def form(self, who: Who, number: str, visit: str, form: str, repeat: int = 1) -> FormView | None:
        """One form of a subject."""
        return form_page.form_page(self, who, number, visit, form, repeat)

    def double(self, who: Who, number: str, place: Place) -> double_page.DoubleView | None:
        """The double entry of a form of a subject."""
        return double_page.double_page(self, who, number, place)

    def doubles(self, who: Who, state: str = "pending", after: str = "") -> doubles.DoublesView | None:
        """Double entries across subjects, with their rates."""
        return doubles.doubles_page(self, who, state, after)

    def save(
        self, who: Who, command: RecordForm, number: str, *, key: str, client_at: str | None = None
    ) -> tuple[Outcome, FormView | None]:
        """Save a form of the subject with that number: what came of it, and the form as it stands then."""
        outcome, after = self.submit_and_stand(who, command, key=key, client_at=client_at)
        place = Place(command.visit, command.form, command.repeat)
        if after is None:
            return outcome, form_page.form_page(self, who, number, *place)
        return outcome, form_page.form_after(self, who, number, after, place)

    def history(
        self, who: Who, number: str, visit: str, form: str, repeat: int, item: str | None = None
    ) -> tuple[HistoryRow, ...] | None:
        """What changed on a form, or in one of its items, newest first."""
        return casebook.history_page(self, who, number, visit, form, repeat, item)

    def grid(self, who: Who, number: str, visit: str, form: str) -> GridView | None:
        """A form of a subject as one table."""
        return form_page.grid_page(self, who, number, visit, form)

    def log(self, who: Who, number: str, form: str) -> LogView | None:
        """A running list of a subject."""
        return log_page.log_page(self, who, number, form)

    def inbox(self, who: Who, filters: Filters, after: str = "", before: str = "") -> InboxView | None:
        """A page of the queries that the filters let through."""
        return inboxes.inbox(self, who, filters, after, before)

    def one_query(self, who: Who, number: str, query: str, filters: Filters) -> OneQueryView | None:
        """One query with its neighbours."""
        return inboxes.one_query(self, who, number, query, filters)

    def explain(self, who: Who, number: str, query: str) -> ExplainView | None:
        """Why a query was raised."""
        return explain_query(self, who, number, query)

    def explain_refusals(self, who: Who, number: str, command: RecordForm) -> dict[str, ExplainView]:
        """Why checks refuse a save, by the check."""
        return explain_refusals(self, who, number, command)

    def flow(self, who: Who) -> FlowView | None:
        """The flow of participants, blinded."""
        return flow_page(self, who)

    def enrolment(self, who: Who) -> EnrolmentView | None:
        """Enrolment against its plan."""
        return enrolment_page(self, who)

    def ranges(self, who: Who, site: str) -> range_page.RangesView | None:
        """The reference ranges of a site's laboratory."""
        return range_page.ranges_page(self, who, site)

    def event_offer(
        self, who: Who, number: str, visit: str, form: str, repeat: int, item: str
    ) -> range_page.EventOffer | None:
        """The event that a significant laboratory value would begin."""
        return range_page.event_offer(self, who, number, visit, form, repeat, item)

    def prove(self, who: Who, method: Literal["PASSWORD", "DEMO"]) -> str:
        """Take down that a person gave user name and password just now; the token for what they sign."""
        return self.proofs.give(who.actor, method)

    def signing(self, who: Who, after: str = "") -> signing_pages.SigningView | None:
        """A page of the forms that wait for a signature."""
        return signing_pages.signing_page(self, who, after)

    def casebook_signing(self, who: Who, number: str) -> signing_pages.CasebookView | None:
        """A casebook to be signed whole."""
        return signing_pages.casebook_signing(self, who, number)

    def verification(
        self, who: Who, site: str = "", after: str = ""
    ) -> verification_pages.VerificationView | None:
        """The queue of verification, or of review."""
        return verification_pages.verification_page(self, who, site, after)

    def verify(self, who: Who, number: str, place: Place) -> verification_pages.VerifyView | None:
        """One form to verify or review."""
        return verification_pages.verify_page(self, who, number, place)

    def lock(self, who: Who) -> lock_pages.LockView | None:
        """The lock of the database."""
        return lock_pages.lock_page(self, who)

    def left(self, who: Who, line: str) -> lock_pages.LeftView | None:
        """The forms that a line of the lock's checklist counts."""
        return lock_pages.left_page(self, who, line)

    def case_closing(self, who: Who, number: str) -> lock_pages.CaseClosingView | None:
        """What of a participant is frozen and locked."""
        return lock_pages.case_closing(self, who, number)

    def checklist(self, who: Who, number: str) -> ChecklistView | None:
        """The eligibility page of a subject."""
        return screening_pages.checklist(self, who, number)

    def randomization(self, who: Who, number: str) -> RandomizeView | None:
        """The randomize page of a subject."""
        return screening_pages.stepper(self, who, number)

    def blind(self, who: Who, number: str) -> code_breaks.BlindView | None:
        """What became of a subject's blind, without the arm."""
        return code_breaks.blind_page(self, who, number)

    def drills(self, who: Who, site: str) -> code_breaks.DrillView | None:
        """The drills of a site."""
        return code_breaks.drill_page(self, who, site)

    def ask_for_code(self, who: Who, command: RequestCodeBreak, *, key: str) -> Outcome:
        """Record a request for one arm and send it to the second door at once."""
        return code_breaks.ask(self, who, command, key=key)

    def infusions(self, who: Who, number: str) -> supply_page.InfusionView | None:
        """The infusion page of a subject."""
        return supply_page.infusion_page(self, who, number)

    def sources(self, who: Who, number: str, place: Place) -> sources_page.SourcesView | None:
        """The scans attached to a form."""
        return sources_page.sources_page(self, who, number, place)

    def attach(self, who: Who, number: str, place: Place, name: str, data: bytes, *, key: str) -> Outcome:
        """Attach a scan to a form."""
        return sources_page.attach(self, who, number, place, name, data, key=key)

    def source_file(
        self, who: Who, number: str, place: Place, source: str
    ) -> sources_page.SourceFile | Problem | None:
        """A scan to be handed out."""
        return sources_page.source_file(self, who, number, place, source)

    def imaging(self, who: Who, number: str) -> imaging_page.ImagingView | None:
        """The imaging of a subject."""
        return imaging_page.imaging_page(self, who, number)

    def upload(self, who: Who, number: str, order: str, files: Sequence[bytes], *, key: str) -> Outcome:
        """Look at the headers of files for an order."""
        return imaging_page.upload(self, who, number, order, files, key=key)

    def reads(self, who: Who) -> tuple[imaging_page.ReadLine, ...] | None:
        """A reader's own reads."""
        return imaging_page.reads_page(self, who)

    def read(self, who: Who, number: str) -> imaging_page.ReadView | None:
        """One read of a reader."""
        return imaging_page.read_page(self, who, number)

    def score(self, who: Who, number: str, items: Mapping[str, Datum], *, key: str) -> Outcome:
        """Record what a reader scored."""
        return imaging_page.score(self, who, number, items, key=key)

    def specimens(self, who: Who, number: str) -> specimens_page.SpecimensView | None:
        """The tubes of a subject."""
        return specimens_page.specimens_page(self, who, number)

    def shipments(self, who: Who) -> specimens_page.ShipmentsView | None:
        """Shipments of aliquots."""
        return specimens_page.shipments_page(self, who)

    def shipment(self, who: Who, name: str) -> specimens_page.ShipmentView | None:
        """One shipment."""
        return specimens_page.shipment_page(self, who, name)

    def results(self, who: Who) -> specimens_page.ResultsView | None:
        """Files of laboratories that were taken in."""
        return specimens_page.results_page(self, who)

    def asked_import(self, laboratory: str, text: str, *, corrects: bool) -> ImportResults:
        """The command for a laboratory's file."""
        return specimens_page.asked_import(self, laboratory, text, corrects=corrects)

    def dry_run(self, who: Who, command: ImportResults) -> Judged | None:
        """What a laboratory's file would do."""
        return specimens_page.dry_run(self, who, command)

    def due(self, who: Who) -> supply_page.DueView | None:
        """Doses that are due at the reader's sites."""
        return supply_page.due_page(self, who)

    def knowledge(self, who: Who) -> tuple[knowledge.Knowing, ...] | None:
        """Who could know whose arm, since when."""
        return knowledge.knowledge(self, who)

    def consents(self, who: Who, number: str) -> consent_page.ConsentView | None:
        """The consents of a subject."""
        return consent_page.consent_page(self, who, number)

    def record_consent(self, who: Who, command: object, beside: consent_page.Beside, *, key: str) -> Outcome:
        """Record a consent; names go to the register."""
        return consent_page.record_consent(self, who, command, beside, key=key)

    def accounts(self, who: Who) -> account_page.AccountsView | None:
        """Everybody's roles, for who grants them."""
        return account_page.accounts_page(self, who)

    def invite(self, who: Who, given: str, role: str, at: str | None, *, key: str) -> tuple[str, Outcome]:
        """A new person with a first role: the random id, and what came of it."""
        return account_page.invite(self, who, given, role, at, key=key)

    def access_map(self, who: Who) -> access_pages.AccessMap | None:
        """Who may read and do what."""
        return access_pages.access_map(self, who)

    def person_access(self, who: Who, user: str) -> access_pages.PersonAccess | None:
        """What a named person may see and do today."""
        return access_pages.person_access(self, who, user)

    def staffed_sites(self, who: Who) -> tuple[tuple[str, Text], ...] | None:
        """The sites whose people the reader may see."""
        return staff_page.sites_with_people(self, who)

    def staff(self, who: Who, site: str) -> staff_page.StaffView | None:
        """The people of a site: delegation, training, certificates."""
        return staff_page.staff_page(self, who, site)

    def readers(self, who: Who) -> readers_page.ReadersView | None:
        """The readers of images and their certificates."""
        return readers_page.readers_page(self, who)

    def own_certificates(self, who: Who) -> readers_page.ReadersView:
        """A reader's own certificates."""
        return readers_page.own_certificates(self, who)

    def release(self, who: Who) -> release_page.ReleaseView | None:
        """The gate of the final release."""
        return release_page.release_page(self, who)


def open_front(
    folder: Path, *, clock: Clock = system_clock, channel: Path | None = None
) -> FrontDesk | Problem:
    """The desk on a store, for pages. With `channel`, a socket's path, it talks to the second door from now on."""
    desk = open_desk(folder, kind=FrontDesk, clock=clock)
    if isinstance(desk, FrontDesk) and channel is not None:
        desk.send(Courier(desk, SocketLine(channel))).start()
    return desk
