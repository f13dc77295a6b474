"""The pages of visits: the schedule of one subject, and one visit with its forms.

The rule that must stay true: why a visit was missed or held, and by which record day 1 is counted, is not told to who
may not know of the course of the treatment (the rater): it may lie in how an infusion was borne.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from equipoise.access.commands import Who
from equipoise.access.decide import may_read
from equipoise.capture.commands import DateVisit, MissVisit, RecordForm, ReopenVisit
from equipoise.capture.evolve import Place
from equipoise.capture.progress import form_status
from equipoise.desk.casebook import cell_state, study_of
from equipoise.desk.desk import Desk
from equipoise.desk.schedule import Visited, next_extra, visit_now, visits_of
from equipoise.desk.screening_pages import allowed
from equipoise.desk.standing import Standing
from equipoise.desk.supply_tasks import READS as SUPPLY
from equipoise.desk.views import CellState
from equipoise.protocol.windows import VisitState, forms_asked
from equipoise.words.text import Text

Basis = Literal["FIRST_DOSE", "RANDOMIZATION", ""]


@dataclass(frozen=True, slots=True)
class VisitForm:
    """One form of a visit: how far it is, and whether the visit asks for it in the way it is held."""

    form: str
    label: Text
    state: CellState
    answered: int
    items: int
    asked: bool
    log: bool = False
    """A running list, which is gone through at the visit."""


@dataclass(frozen=True, slots=True)
class VisitLine:
    """One visit as a page shows it; days are ISO. `mode` is how it was held, or is to be.

    `because` and `reason`: why it was held, or missed, as far as the reader may know. `outside`: days before (negative)
    or after the window. `done` of `asked` forms are complete.
    """

    id: str
    label: Text
    repeat: int
    state: VisitState
    mode: str
    dated: str | None
    planned: str | None
    window: tuple[str, str] | None
    because: str = ""
    reason: str = ""
    outside: int = 0
    done: int = 0
    asked: int = 0
    unscheduled: bool = False
    ends: bool = False


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """The visits of one subject. `ended`: how and on which day participation ended.

    `extra`: visits that take place if need be, as they would be held next; `end_at`: visit, form and repetition where
    the end of participation is captured.
    """

    number: str
    site: str
    today: str
    day_one: str | None
    basis: Basis
    ended: tuple[Text, str] | None
    lines: tuple[VisitLine, ...]
    extra: tuple[VisitLine, ...]
    end_at: tuple[str, ...] | None
    may: frozenset[str]


@dataclass(frozen=True, slots=True)
class VisitView:
    """One visit of one subject, with its forms."""

    number: str
    site: str
    today: str
    line: VisitLine
    forms: tuple[VisitForm, ...]
    may: frozenset[str]


def schedule_page(desk: Desk, who: Who, number: str) -> ScheduleView | None:
    """The visits of a subject; None where the reader may not see the subject."""
    now = _now(desk, who, number)
    if now is None:
        return None
    hidden, told = now.trial.hidden_from(who.role), _told(who, now)
    visits = visits_of(now, hidden)
    shown = {(one.visit.id, one.repeat) for one in visits}
    extra = [
        visit_now(now, visit, next_extra(now, visit) if visit.unscheduled else 1)
        for visit in now.trial.study.schedule.visits
        if visit.day is None
    ]
    day_one = now.facts.day_one
    return ScheduleView(
        number=number,
        site=now.case.screening.site or "",
        today=now.today.isoformat(),
        day_one=None if day_one is None else day_one.isoformat(),
        basis=_basis(now) if told else "",
        ended=_ended(now) if told else None,
        lines=tuple(_line(now, one, hidden, told=told) for one in visits),
        extra=tuple(
            _line(now, one, hidden, told=told) for one in extra if (one.visit.id, one.repeat) not in shown
        ),
        end_at=_end_at(now, hidden),
        may=_may(who, now),
    )


def visit_page(desk: Desk, who: Who, number: str, visit_id: str, repeat: int) -> VisitView | None:
    """One visit; None where there is none such, or the reader may not see the subject."""
    now = _now(desk, who, number)
    visit = now.trial.record.visit(visit_id) if now is not None else None
    if now is None or visit is None or repeat < 1 or (repeat > 1 and not visit.unscheduled):
        return None
    hidden, told = now.trial.hidden_from(who.role), _told(who, now)
    one = visit_now(now, visit, repeat)
    return VisitView(
        number=number,
        site=now.case.screening.site or "",
        today=now.today.isoformat(),
        line=_line(now, one, hidden, told=told),
        forms=_forms(now, one, hidden),
        may=_may(who, now),
    )


def _now(desk: Desk, who: Who, number: str) -> Standing | None:
    with desk.reading() as reader:
        subject = desk.may_read(reader, who, "casebook", number)
        return None if subject is None else desk.standing_light(reader, subject)


def _told(who: Who, now: Standing) -> bool:
    """Whether the reader may know how the treatment went."""
    return may_read(who, SUPPLY, now.case.screening.site)


def _may(who: Who, now: Standing) -> frozenset[str]:
    subject = now.case.screening.subject or ""
    commands = (
        DateVisit(subject, "", ""),
        MissVisit(subject, "", "OTHER"),
        ReopenVisit(subject, "", 1, ""),
        RecordForm(subject, "", "", 1, {}, 0),
    )
    return allowed(who, now, *commands)


def _basis(now: Standing) -> Basis:
    if now.facts.day_one is None:
        return ""
    given = now.facts.first_infusion_at is not None and "FIRST_DOSE" in now.trial.study.schedule.day_one
    return "FIRST_DOSE" if given else "RANDOMIZATION"


def _ended(now: Standing) -> tuple[Text, str] | None:
    """How participation ended, in the words of the study's own codelist where it has them, and when."""
    told, end, study = now.facts.participation_ended, now.trial.study.schedule.end, now.trial.study
    if told is None:
        return None
    form = study.form(end.form) if end is not None else None
    item = next((each for each in form.items if end and each.id == end.how), None) if form else None
    codelist = study.codelist(item.codelist or "") if item is not None else None
    terms = {term.code: term.decode for term in codelist.terms} if codelist is not None else {}
    last = next((visit.label for visit in study.schedule.visits if visit.ends), Text("–"))
    return terms.get(told[0], Text(told[0]) if told[0] else last), told[1]


def _end_at(now: Standing, hidden: Collection[str]) -> tuple[str, ...] | None:
    """Where the end of participation is captured: where it was saved last, else at the visit that ends it."""
    study, case = now.trial.study, now.case.capture
    end = study.schedule.end
    if end is None or end.form in hidden:
        return None
    saved = [(instance.seq, place) for place, instance in case.forms.items() if place.form == end.form]
    if saved:
        visit, form, repeat = max(saved)[1]
        return visit, form, str(repeat)
    asked = [
        visit for visit in study.schedule.visits if end.form in {form.id for form in study.forms_at(visit.id)}
    ]
    asked.sort(key=lambda visit: (not visit.ends, visit.unscheduled))
    return (asked[0].id, end.form, "1") if asked else None


def _line(now: Standing, one: Visited, hidden: Collection[str], *, told: bool) -> VisitLine:
    plan, dated, miss = one.plan, one.dated, one.miss
    forms = [form for form in _forms(now, one, hidden) if form.asked]
    why = dated if dated is not None else miss
    return VisitLine(
        id=one.visit.id,
        label=one.visit.label,
        repeat=one.repeat,
        state=one.state,
        mode=one.mode,
        dated=dated.on if dated is not None else None,
        planned=plan.day.isoformat() if plan.day is not None else None,
        window=(plan.first.isoformat(), plan.last.isoformat()) if plan.first and plan.last else None,
        because=why.because if why is not None and told else "",
        reason=why.reason if why is not None and told else "",
        outside=plan.days_outside(one.on) if one.on is not None else 0,
        done=sum(form.state == "complete" for form in forms),
        asked=len(forms),
        unscheduled=one.visit.unscheduled,
        ends=one.visit.ends,
    )


def _forms(now: Standing, one: Visited, hidden: Collection[str]) -> tuple[VisitForm, ...]:
    """The forms planned at the visit, and those that were recorded there, in the study's order."""
    case, visit = now.case.capture, one.visit.id
    study = now.trial.study if now.trial.study.visit(visit) is not None else now.trial.record
    held = one.dated.mode if one.dated is not None and one.dated.mode else None
    asked = {form.id for form in forms_asked(study, visit, held)}
    planned = {form.id for form in study.forms_at(visit)}
    saved = {place.form for place in case.forms if place.visit == visit}
    found = []
    for form in now.trial.record.forms:
        if form.id in hidden or form.id not in planned | saved:
            continue
        if form.log is not None:
            done = Place(visit, form.id, one.repeat) in case.reviews
            gone: CellState = "complete" if done else "not_started"
            found.append(VisitForm(form.id, form.label, gone, int(done), 1, form.id in asked, log=True))
            continue
        repeats = [one.repeat] if one.visit.unscheduled else sorted(
            {place.repeat for place in case.forms if (place.visit, place.form) == (visit, form.id)} or {1}
        )  # fmt: skip
        every = [
            form_status(study_of(now, visit, form.id, repeat), case, visit, form.id, repeat)
            for repeat in repeats
        ]
        progress = {status.progress for status in every}
        state = cell_state(progress.pop() if len(progress) == 1 else "IN_PROGRESS", due=False)
        answered, items = sum(each.answered for each in every), sum(each.items for each in every)
        found.append(VisitForm(form.id, form.label, state, answered, items, form.id in asked))
    return tuple(found)
