"""The end of a rehearsal: everything settled, the database locked by two, and the release by both doors.

The rules that must stay true: the checklist of the lock is the desk's own, and nothing is set green by hand; what a
line counts is worked off as staff would; a database that cannot be locked ends the rehearsal and says which line.
"""

from __future__ import annotations

from equipoise.capture.closing.commands import LockDatabase, ProposeDatabaseLock, RecordLockCondition
from equipoise.capture.closing.database import CONDITIONS
from equipoise.capture.commands import RecordForm
from equipoise.capture.evolve import Place
from equipoise.desk.closing_tables import CLOSINGS
from equipoise.desk.ended import left_early
from equipoise.desk.lock_checklist import checklist, planned_forms
from equipoise.desk.release_page import release_page
from equipoise.oversight.commands import RecordReleaseCondition, SignRelease
from equipoise.oversight.release import CONDITIONS as RELEASE_CONDITIONS
from equipoise.simulation.rehearsal.case import Case
from equipoise.simulation.rehearsal.dosing import Ward
from equipoise.simulation.rehearsal.entering import Typist
from equipoise.simulation.rehearsal.rounds import Rounds
from equipoise.simulation.rehearsal.stage import Stage, Stopped

TURNS = 6
"""How often everything is gone through before the rehearsal gives up."""


class Closing:
    """Closes the trial of one stage."""

    def __init__(self, stage: Stage, typist: Typist, rounds: Rounds, ward: Ward) -> None:
        self._stage, self._typist, self._rounds, self._ward = stage, typist, rounds, ward

    def settle(self, cases: list[Case]) -> None:
        """Work off the checklist, turn by turn. Raises Stopped where it does not come to nought."""
        stage = self._stage
        sites = dict.fromkeys(case.site for case in cases)
        for _ in range(TURNS):
            for case in cases:
                self._typist.complete(case)
                self._omit(case)
            for site in sites:
                self._rounds.answer(site, all_of_them=True)
            self._rounds.close_answers()
            self._rounds.monitor(finds_all=True)
            for site in sites:
                self._rounds.answer(site, all_of_them=True)
            self._rounds.close_answers()
            self._rounds.monitor(finds_all=True)
            self._rounds.deviations()
            for site in sites:
                self._rounds.sign(site)
            if not self._left():
                return
            stage.pass_minutes(24 * 60)
        raise Stopped(f"the lock of the database: {self._left()} {self._open_forms()}", ())

    def _open_forms(self) -> str:
        """The first forms that are not complete, by participant and place."""
        with self._stage.desk.reading() as reader:
            rows = reader.rows.find(CLOSINGS, {"complete": 0}, limit=5)
        return ", ".join(f"{row['number']} {row['visit']} {row['form']}" for row in rows)

    def _left(self) -> dict[str, int]:
        """Lines of the checklist that are not at nought, beside those that a person says."""
        with self._stage.desk.reading() as reader:
            lines = checklist(reader, self._stage.desk.trial(reader))
        return {
            one.id: one.count
            for one in lines
            if one.count and one.id not in ("REVEALING_UNSETTLED", "UNSENT")
        }

    def _omit(self, case: Case) -> None:
        """Planned forms that were never begun, at visits that were held or are waited for, are said not to be done."""
        stage = self._stage
        if case.randomized is None:
            return
        with stage.desk.reading() as reader:
            settled = left_early(reader, stage.desk.trial(reader)).get(case.subject)
        state = stage.captured(case.subject)
        for visit, forms in planned_forms(stage.study).items():
            if (visit, 1) in state.missed or (settled is not None and visit not in settled):
                continue
            for form in forms:
                asked = stage.study.form(form)
                if (
                    asked is None
                    or asked.log is not None
                    or any(place[:2] == (visit, form) for place in state.forms)
                ):
                    continue
                person = self._typist.enterer(asked, case.site)
                stage.give(
                    person,
                    RecordForm(case.subject, *Place(visit, form, 1), {}, 0, omit="ND", reason="not done"),
                )

    def lock(self) -> None:
        """The conditions are said, then two persons lock."""
        stage = self._stage
        manager, statistician = stage.person("data_manager"), stage.person("statistician")
        for condition in CONDITIONS:
            stage.must(manager, RecordLockCondition(condition, met=True, reference="list of the last day"))  # type: ignore[arg-type]
        stage.must(manager, ProposeDatabaseLock(stage.proof(manager)))
        with stage.desk.reading() as reader:
            proposed = stage.desk.trial(reader).database.proposed
        stage.must(statistician, LockDatabase(proposed.id if proposed else "", stage.proof(statistician)))

    def release(self) -> str:
        """Conditions and signatures at both doors, then the list is published; the path of what was published."""
        stage = self._stage
        for condition, roles in RELEASE_CONDITIONS.items():
            if not roles:  # it follows from the lock
                continue
            able = [role for role in sorted(roles) if stage.people(role)]
            person = stage.person(able[0] if able else min(roles))
            stage.must(person, RecordReleaseCondition(condition, met=True, reference="version 1.0"))  # type: ignore[arg-type]
        for role in ("sponsor", "statistician"):
            person = stage.person(role)
            page = release_page(stage.desk, stage.who(person))
            if page is None:
                raise Stopped(f"the page of the release, for {person.id}", ())
            stage.must(person, SignRelease(page.digest))
        self._ward.settle()
        stage.door.ask("settle", stage.clock())
        came = stage.door.ask("publish", stage.clock())
        stage.exchange()
        return str(came["folder"])
