"""The script of one participant: from the first talk to the last visit, as the staff of a site live through it.

The rules that must stay true: the script knows the order of things and nothing of any study: visits, doses, forms and
lists come from the definition, answers from the model of people; the arm plays no part in what is done, only nature
asks for it, through what was infused.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from equipoise.capture.commands import DateVisit, MissVisit, ReviewLog
from equipoise.capture.evolve import Place
from equipoise.consent.commands import RecordCapacity, RecordConsent, Signer, WithdrawConsent
from equipoise.desk.identities import IdentityInput
from equipoise.eligibility.commands import ConfirmEligibility, FailScreening
from equipoise.protocol.forms import LOG
from equipoise.protocol.study import Visit
from equipoise.randomization.commands import Randomize
from equipoise.simulation.rehearsal.case import Case, Filled
from equipoise.simulation.rehearsal.diaries import Diaries
from equipoise.simulation.rehearsal.dosing import Ward, dose_forms, settled
from equipoise.simulation.rehearsal.entering import Typist
from equipoise.simulation.rehearsal.incidents import break_code, copied
from equipoise.simulation.rehearsal.stage import Stage

_MORNING, _NOON = 9, 13


class Script:
    """The staff's part with every participant of one stage."""

    def __init__(self, stage: Stage, typist: Typist, ward: Ward, diaries: Diaries) -> None:
        self._stage, self._typist, self._ward, self._diaries = stage, typist, ward, diaries
        self._planned = {visit.id: visit for visit in stage.study.schedule.visits}
        self._doses = {dose.visit: dose for dose in stage.study.supply.doses}
        self._gate, self._infused = dose_forms(stage.study)
        self._screening = [v for v in stage.study.schedule.visits if v.day is not None and v.day < 1]
        self.cases: dict[str, Case] = {}
        self.look_for_another: Callable[[], None] = lambda: None
        """What is done when somebody who was to be randomized is not."""

    # --- screening -----------------------------------------------------------------------------------------------

    def screen(self, case: Case) -> None:
        """The first day: identity, capacity, consent, the visit and its forms; what follows is planned."""
        stage, site, today = self._stage, case.site, case.screened
        nurse, day = stage.person("coordinator", site), today.isoformat()
        given = IdentityInput(case.name, case.person.born(today).isoformat(), f"{case.index:011d}")
        came = stage.desk.screen(stage.who(nurse), site, given, key=stage.key())
        stage.spend(nurse.role, "ScreenSubject")
        if came.number is None:
            stage.stop("ScreenSubject", came.outcome.problems)
            case.over = True
            self.look_for_another()
            return
        case.number, case.subject = came.number, stage.desk.subject_id(came.number) or ""
        self.cases[case.subject] = case
        stage.tally.counts["screened"] += 1
        lacks = case.person.lacks_capacity
        stage.must(nurse, RecordCapacity(case.subject, "LACKS" if lacks else "HAS", day))
        known = [one.id for one in stage.study.consent.versions if one.dated <= day]
        version = known[-1] if known else stage.study.version
        by: Signer = "LEGAL_REPRESENTATIVE" if lacks else "PARTICIPANT"
        relation = "spouse" if lacks else None
        stage.must(nurse, RecordConsent(case.subject, version, by, given=True, on=day, relation=relation))
        for visit in self._screening:
            self._hold(case, visit, today)
        self._later(case, today + dt.timedelta(days=1), _NOON, lambda: self._judge(case))

    def _judge(self, case: Case) -> None:
        """The investigator confirms, or ends the screening."""
        stage, doctor = self._stage, self._stage.person("investigator", case.site)
        if not case.person.fails:
            outcome = stage.give(doctor, ConfirmEligibility(case.subject))
            if outcome.accepted:
                stage.tally.counts["eligible"] += 1
                start = max(
                    case.screened + dt.timedelta(days=case.person.wait),
                    stage.day(case.site) + dt.timedelta(1),
                )
                self._later(case, start, _MORNING, lambda: self._randomize(case))
                return
            missing = self._typist.complete(case)
            if missing and not case.over:
                self._later(
                    case, stage.day(case.site) + dt.timedelta(days=1), _NOON, lambda: self._judge(case)
                )
                return
        self._fail(case)

    def _fail(self, case: Case) -> None:
        """Screening ends; where the model had thought the person eligible, somebody else is looked for."""
        stage, doctor = self._stage, self._stage.person("investigator", case.site)
        reason = case.person.fails or "criteria not met in time"
        stage.must(doctor, FailScreening(case.subject, reason))
        stage.tally.counts["screening failures"] += 1
        case.over = True
        if not case.person.fails:
            self.look_for_another()

    def _randomize(self, case: Case) -> None:
        """Randomized on the morning of day 1; the visit with the first dose follows at once."""
        stage, nurse = self._stage, self._stage.person("coordinator", case.site)
        outcome = stage.give(nurse, Randomize(case.subject))
        if not outcome.accepted:
            stage.tally.counts["not randomized after all"] += 1
            self._fail(case)
            return
        case.randomized = stage.day(case.site)
        stage.tally.counts["randomized"] += 1
        if stage.chance.happens(stage.staff.rates.code_broken, "code broken", case.index):
            after = dt.timedelta(days=stage.chance.between(2, 180, "broken on", case.index))
            self._later(case, case.randomized + after, _NOON, lambda: break_code(stage, case))
        first = min(
            (v for v in self._planned.values() if v.day is not None and v.day >= 1), key=lambda v: v.day or 0
        )
        self._visit(case, first)

    # --- visits ------------------------------------------------------------------------------------------------

    def _visit(self, case: Case, visit: Visit) -> None:
        """A planned visit is due: it is held, or missed; then the next one is planned."""
        if case.over:
            return
        if case.person.misses(visit.id):
            nurse = self._stage.person("coordinator", case.site)
            self._stage.give(nurse, MissVisit(case.subject, visit.id, "UNREACHABLE", "could not be reached"))
            self._stage.tally.counts["visits missed"] += 1
            self._next(case, visit)
            return
        day, dose = self._stage.day(case.site), self._doses.get(visit.id)
        later = list[Filled]()
        with self._stage.forgiving(f"{visit.id} of {case.number}"):
            later = self._hold(case, visit, day)
        if dose is None:
            self._next(case, visit)
            return

        def record(forms: frozenset[str]) -> None:
            today = self._stage.day(case.site)
            for filled in case.person.filled(visit.id, case.moment(today)) if today != day else later:
                if filled.form in forms:
                    asked_again = settled(self._stage, filled) if filled.form in self._gate else filled
                    self._type(case, visit, asked_again, today)

        self._ward.give(
            case,
            dose,
            before=lambda: record(self._gate),
            after=lambda: record(self._infused),
            then=lambda: self._next(case, visit),
        )

    def _next(self, case: Case, visit: Visit) -> None:
        """Plan the visit after one; the end of participation where that comes first. The first begins the diary."""
        with self._stage.forgiving(f"the diary of {case.number}"):
            self._diaries.begin(case)
        ordered = [v for v in self._planned.values() if v.day is not None and v.day >= 1]
        later = [v for v in ordered if (v.day or 0) > (visit.day or 0)]
        following = min(later, key=lambda v: v.day or 0, default=None)
        today, ends = self._stage.day(case.site), case.person.ends
        if following is None:
            case.over = True
            self._stage.tally.counts["completed"] += 1
            return
        due = max(case.date_of(following.day or 0) + dt.timedelta(case.person.shift(following.id)), today)
        if ends is not None and case.date_of(ends[1]) <= due:
            self._later(case, max(case.date_of(ends[1]), today), _NOON, lambda: self._leave(case))
            return
        self._later(case, due, _MORNING, lambda: self._visit(case, following))

    def _hold(self, case: Case, visit: Visit, day: dt.date) -> list[Filled]:
        """A visit takes place: its date, its forms (some typed days later), its lists gone through.

        What belongs to a dose is given back: it is typed around the infusion.
        """
        stage, nurse = self._stage, self._stage.person("coordinator", case.site)
        wrong = day > case.screened and stage.chance.happens(
            stage.staff.rates.wrong_day, "wrong day", case.index, visit.id
        )
        dated = day - dt.timedelta(days=1) if wrong else day
        stage.must(nurse, DateVisit(case.subject, visit.id, dated.isoformat(), mode=_mode(visit)))
        if wrong:
            stage.tally.counts["visits dated wrongly"] += 1
            self._later(case, day + dt.timedelta(days=3), _NOON, lambda: self._date_again(case, visit, day))
        around = self._gate | self._infused if visit.id in self._doses else frozenset()
        answered = case.person.filled(visit.id, case.moment(day))
        fraud = stage.staff.rates.fraud
        if case.site == fraud.site and stage.chance.happens(fraud.share, "fraud", case.index, visit.id):
            answered = copied(stage, case, answered)
        for filled in answered:
            if filled.form not in around:
                self._type(case, visit, filled, day)
        self._go_through(case, visit)
        self._diaries.at_visit(case, visit.id)
        return [filled for filled in answered if filled.form in around]

    def _date_again(self, case: Case, visit: Visit, day: dt.date) -> None:
        nurse = self._stage.person("coordinator", case.site)
        reason = "dated a day too early"
        command = DateVisit(case.subject, visit.id, day.isoformat(), mode=_mode(visit), reason=reason)
        self._stage.must(nurse, command)

    def _type(self, case: Case, visit: Visit, filled: Filled, day: dt.date) -> None:
        """Type a form now, or days later where people are behind; what tells the arm goes to the second door."""
        stage, rates = self._stage, self._stage.staff.rates
        if filled.row:
            self._typist.row(case, Place(LOG, filled.form, filled.repeat), filled.items)
            return
        place = Place(visit.id, filled.form, filled.repeat)
        key = (case.index, *place)
        needed_now = (visit.day or 0) < 1 or visit.id in self._doses or visit.ends
        if not needed_now and stage.chance.happens(rates.late.share, "late", *key):
            stage.tally.counts["forms typed late"] += 1
            after = stage.chance.between(*rates.late.days, "days", *key)
            late = day + dt.timedelta(days=after)
            self._later(
                case, late, _NOON, lambda: self._typist.record(case, place, filled.items), always=True
            )
        else:
            self._typist.record(case, place, filled.items)
        self._typist.send_values(case, place, filled.items)

    def _go_through(self, case: Case, visit: Visit) -> None:
        """Say of every running list of the visit that it was gone through."""
        stage, nurse = self._stage, self._stage.person("coordinator", case.site)
        for form in stage.study.forms_at(visit.id):
            if form.log is not None:
                none = not any(place.form == form.id for place in case.saved)
                stage.give(nurse, ReviewLog(case.subject, visit.id, form.id, none=none))

    # --- leaving -----------------------------------------------------------------------------------------------

    def _leave(self, case: Case) -> None:
        """Participation ends early: consent withdrawn, contact lost, or death; a last visit where there can be one."""
        if case.over or case.person.ends is None:
            return
        stage, today, how = self._stage, self._stage.day(case.site), case.person.ends[0]
        stage.tally.counts[f"left: {how.lower()}"] += 1
        ending = next((visit for visit in self._planned.values() if visit.ends), None)
        if ending is not None:
            self._hold(case, ending, today)
        if how == "WITHDRAWAL BY SUBJECT":
            nurse = stage.person("coordinator", case.site)
            stage.must(
                nurse, WithdrawConsent(case.subject, "PARTICIPANT", today.isoformat(), "wishes to stop")
            )
        case.over = True

    def _later(
        self, case: Case, day: dt.date, hour: int, deed: Callable[[], None], *, always: bool = False
    ) -> None:
        """Plan something for a participant; it falls away when participation ended first, unless `always`."""
        minute = case.index * 7 % 60

        def due() -> None:
            if always or not case.over:
                with self._stage.forgiving(case.number):
                    deed()

        self._stage.agenda.plan(self._stage.moment(case.site, day, hour, minute), due)


def _mode(visit: Visit) -> str:
    return visit.mode if visit.mode in {"clinic", "inpatient", "phone", "home", "remote"} else "clinic"
