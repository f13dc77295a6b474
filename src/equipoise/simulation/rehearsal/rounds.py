"""What staff do again and again: questions answered, data read and compared, forms signed, deviations classed.

The rules that must stay true: everybody sees only what their queue shows; whoever compares with a source finds what
differs in the share that is data, and asks; a correction says why. A question about what is right after all is answered
that it is right.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from equipoise.access.commands import RecordCertificate, RecordTraining
from equipoise.access.duties import SITE_STAFF
from equipoise.capture.closing.commands import SignForms, VerifyItems
from equipoise.capture.closing.shown import shown_digest
from equipoise.capture.closing.signing import to_sign
from equipoise.capture.closing.verifying import critical_items, verified_items
from equipoise.capture.commands import AnswerQuery, CloseQuery
from equipoise.capture.evolve import Place, State
from equipoise.desk.closing_tables import CLOSINGS
from equipoise.desk.deviation_tables import DEVIATIONS
from equipoise.desk.followers import QUERIES
from equipoise.desk.verification_plan import to_verify
from equipoise.ledger.entries import SignedPlace
from equipoise.ledger.store import Condition, ReadTable, Row
from equipoise.oversight.commands import ClassDeviation, CloseDeviation, ExplainDeviation
from equipoise.simulation.rehearsal.case import Case
from equipoise.simulation.rehearsal.entering import Typist, differing
from equipoise.simulation.rehearsal.staff import Person
from equipoise.simulation.rehearsal.stage import Stage

_AT_SITE = "coordinator"


class Rounds:
    """The rounds of one stage, over its cases (subject -> case)."""

    def __init__(self, stage: Stage, typist: Typist, cases: Mapping[str, Case]) -> None:
        self._stage, self._typist, self._cases = stage, typist, cases
        self._due: dict[tuple[str, str], dt.datetime] = {}

    # --- questions ---------------------------------------------------------------------------------------------

    def answer(self, site: str, *, all_of_them: bool = False) -> int:
        """Answer the open questions of a site whose time has come; how many were left."""
        left = 0
        for row in self._rows(QUERIES, {"site": site, "state": "OPEN"}):
            case = self._cases[str(row["subject"])]
            if not all_of_them and self._stage.clock.at < self._answered_at(case, row):
                left += 1
                continue
            self._settle(case, row)
        return left

    def _answered_at(self, case: Case, row: Row) -> dt.datetime:
        """When a question is answered: after some days, or after many."""
        key = (str(row["subject"]), str(row["query"]))
        known = self._due.get(key)
        if known is None:
            rates, name = (
                self._stage.staff.rates.answered,
                (case.index, *_place(row), row["item"], row["rule"]),
            )
            slow = self._stage.chance.happens(rates.slow_share, "slow", *name)
            days = self._stage.chance.between(*(rates.slow_days if slow else rates.days), "answered", *name)
            asked = dt.datetime.fromisoformat(str(row["raised_at"]))
            known = self._due[key] = asked + dt.timedelta(days=days)
        return known

    def _settle(self, case: Case, row: Row) -> None:
        """Look at the source: put right what differs, then say so, where the question has not closed by itself."""
        stage, place = self._stage, _place(row)
        state = stage.captured(case.subject)
        wrong = differing(case, place, state.form(place).values)
        item = str(row["item"] or "")
        if wrong and (not item or item in wrong or row["rule"] != "manual"):
            self._typist.correct(case, place, wrong, "typed wrongly")
            stage.tally.counts["mistakes corrected"] += len(wrong)
            state = stage.captured(case.subject)
        if state.queries[str(row["query"])].state != "OPEN":
            return
        form = stage.study.form(place.form)
        person = (
            self._typist.enterer(form, case.site) if form is not None else stage.person(_AT_SITE, case.site)
        )
        said = "Corrected as the source says." if wrong else "Looked at the source again: it is so."
        stage.must(person, AnswerQuery(case.subject, str(row["query"]), said))

    def close_answers(self) -> None:
        """Who asked accepts the answers: the monitor the monitor's own, data management all others."""
        stage = self._stage
        monitor, manager = stage.person("monitor"), stage.person("data_manager")
        for row in self._rows(QUERIES, {"state": "ANSWERED"}):
            mine = row["raised_by"] == stage.actors[monitor.id]
            stage.must(monitor if mine else manager, CloseQuery(str(row["subject"]), str(row["query"])))

    # --- comparing with the source -----------------------------------------------------------------------------

    def monitor(self, site: str | None = None, *, finds_all: bool = False) -> None:
        """Compare what the plan of verification takes, at a site or everywhere; ask about what differs."""
        for where in to_verify(self._stage.study):
            here: dict[str, Condition] = {**where, **({"site": site} if site else {})}
            for row in self._rows(CLOSINGS, here):
                self._compare(row, full=bool(row["full"]), finds_all=finds_all)

    def _compare(self, row: Row, *, full: bool, finds_all: bool) -> None:
        stage, case, place = self._stage, self._cases[str(row["subject"])], _place(row)
        form, state = stage.study.form(place.form), stage.captured(case.subject)
        instance = state.form(place)
        if form is None:
            return
        left = frozenset(instance.values) - verified_items(state, place)
        # Where what is critical stands verified and something else changed, the rest is compared, too.
        left = left if full else left & critical_items(stage.study, form) or left
        asked = {one.item for one in state.queries_at(place) if one.open}
        left -= asked
        exceptions = self._exceptions(case, place, state, left, finds_all=finds_all)
        items = tuple(sorted(left - exceptions.keys()))
        if items or exceptions:
            command = VerifyItems(case.subject, *place, instance.seq, items, exceptions)
            stage.must(stage.person("monitor"), command)
            stage.tally.counts["items compared"] += len(items) + len(exceptions)

    def _exceptions(
        self, case: Case, place: Place, state: State, items: frozenset[str], *, finds_all: bool
    ) -> dict[str, str]:
        """What is asked about: what differs from the source, and now and then what does not."""
        stage, rates, found = self._stage, self._stage.staff.rates, {}
        wrong = differing(case, place, state.form(place).values).keys()
        asked = {one.item for one in state.queries_at(place)}
        for item in sorted(items):
            key = (case.index, *place, item, state.form(place).seq)
            if item in wrong and (finds_all or stage.chance.happens(rates.found, "found", *key)):
                found[item] = "The source says something else."
                stage.tally.counts["mistakes found by comparing"] += 1
            elif item not in wrong | asked and stage.chance.happens(rates.doubted, "doubted", *key[:-1]):
                found[item] = "Please look at the source again."
        return found

    # --- signing and deviations --------------------------------------------------------------------------------

    def sign(self, site: str) -> None:
        """The investigator signs every complete form of the site that is not signed as it stands."""
        rows = self._rows(CLOSINGS, {"site": site, "complete": 1, "signed": ["", "BROKEN"]})
        doctor = self._stage.person("investigator", site)
        for subject in dict.fromkeys(str(row["subject"]) for row in rows):
            self._sign_one(doctor, subject)

    def _sign_one(self, doctor: Person, subject: str) -> None:
        stage = self._stage
        now = stage.standing(subject)
        hidden = now.trial.hidden_from(doctor.role)
        state, study = now.case.capture, now.trial.record
        places = [place for place in to_sign(state) if place.form not in hidden]
        shown = tuple(SignedPlace(*place, shown_digest(study, state, place)) for place in places)
        if shown:
            stage.must(doctor, SignForms(subject, shown, "FORM", stage.proof(doctor)))

    def renew(self, site: str) -> None:
        """Trainings and certificates of a site's staff, again for two years: they run out in the midst of a trial."""
        stage = self._stage
        monitor, study, today = stage.person("monitor"), stage.study, stage.day(site)
        until = today.replace(year=today.year + 2, day=1).isoformat()
        topics, languages = tuple(topic.id for topic in study.delegation.training), study.raters.languages
        for one in stage.staff.people:
            if one.site != site or one.role not in SITE_STAFF:
                continue
            actor = stage.actors[one.id]
            if topics:
                stage.must(monitor, RecordTraining(actor, topics, today.isoformat(), site))
            for name in study.raters.certificates if languages else ():
                again = RecordCertificate(
                    actor, name, languages[0], today.isoformat(), until, "renewed", site
                )
                stage.must(monitor, again)

    def deviations(self) -> None:
        """The site explains, data management classes and settles every deviation."""
        stage, manager = self._stage, self._stage.person("data_manager")
        for row in self._rows(DEVIATIONS, {"state": "OPEN"}):
            subject, name = str(row["subject"]), str(row["deviation"])
            nurse = stage.person(_AT_SITE, str(row["site"]))
            if not row["explained"]:
                command = ExplainDeviation(
                    subject, name, "Happened as recorded.", "Talked over with the team."
                )
                stage.must(nurse, command)
            if not row["severity"]:
                severe = stage.chance.happens(
                    0.2, "severe", self._cases[subject].index, row["rule"], row["visit"]
                )
                stage.must(
                    manager, ClassDeviation(subject, name, "MAJOR" if severe else "MINOR", important=severe)
                )
            stage.must(manager, CloseDeviation(subject, name))

    def _rows(self, table: ReadTable, where: Mapping[str, Condition]) -> list[Row]:
        """Rows of a read table, in the order of participants and places, whatever their random ids."""
        with self._stage.desk.reading() as reader:
            found = [row for row in reader.rows.find(table, where) if str(row["subject"]) in self._cases]
        return sorted(found, key=lambda row: (self._cases[str(row["subject"])].index, *_order(row)))


def _place(row: Row) -> Place:
    return Place(str(row["visit"]), str(row["form"]), int(row["repeat"] or 0))


def _order(row: Row) -> tuple[str, ...]:
    names = ("visit", "form", "repeat", "item", "rule", "raised_at")
    return tuple(str(row.get(name) if row.get(name) is not None else "") for name in names)
