"""The casebook of one subject: header, matrix of forms by visits, what to do, and the history of items."""

from __future__ import annotations

import datetime as dt
from typing import Literal
from zoneinfo import ZoneInfo

from equipoise.access.commands import Who
from equipoise.capture.commands import AnswerQuery, CloseQuery, DateVisit, RaiseQuery, RecordForm
from equipoise.capture.history import history
from equipoise.capture.progress import FormStatus, form_status
from equipoise.capture.questions import questions
from equipoise.consent.commands import RecordCapacity, RecordConsent, WithdrawConsent
from equipoise.desk.desk import Desk
from equipoise.desk.followers import SUBJECTS
from equipoise.desk.lists import tasks_of
from equipoise.desk.screening_pages import CONSENT, allowed
from equipoise.desk.standing import Standing
from equipoise.desk.views import Cell, CellState, HistoryRow, MatrixRow, SubjectView, Task, VisitColumn
from equipoise.desk.words import shown, task
from equipoise.eligibility.commands import ConfirmEligibility, FailScreening
from equipoise.ledger.reader import Reader
from equipoise.protocol.study import Study, Visit
from equipoise.protocol.windows import plan_visit
from equipoise.randomization.commands import Randomize
from equipoise.words.dates import PartialDate
from equipoise.words.text import Text

_STATES: dict[str, CellState] = {
    "NOT_STARTED": "not_started",
    "IN_PROGRESS": "in_progress",
    "COMPLETE": "complete",
}


def subject_page(desk: Desk, who: Who, number: str) -> SubjectView | None:
    """The casebook page of a subject."""
    with desk.reading() as reader:
        subject = desk.may_read(reader, who, "casebook", number)
        if subject is None:
            return None
        now = desk.standing(reader, subject)
        row = reader.rows.get(SUBJECTS, (subject,)) or {}
        earlier = _number_of(reader, now.case.screening.rescreening_of)
    study = now.trial.study
    visits = visits_shown(study, now)
    anchor = anchor_of(study, now, str(row["randomized_at"]) if row.get("randomized_at") else None)
    columns = tuple(_column(now, visit, anchor) for visit in visits)
    return SubjectView(
        number=number,
        site=now.case.screening.site or "",
        site_name=Text(now.site.name.get("en", ""), now.site.name.get("zh")),
        status=now.facts.status or "",
        randomization_number=now.facts.randomization_number,
        randomized_on=str(row["randomized_at"])[:10] if row.get("randomized_at") else None,
        consent=CONSENT[now.facts.consent_in_force],
        verdict=now.facts.verdict,
        stratum_known=now.facts.stratum is not None,
        facts=(),
        columns=columns,
        rows=_rows(now, visits, columns),
        tasks=(*tasks_of(now), *_unfinished(now, visits)),
        may=allowed(who, now, *_commands(subject)),
        rescreening_of=earlier,
    )


def _commands(subject: str) -> tuple[object, ...]:
    return (
        RecordForm(subject, "", "", 1, {}, 0),
        DateVisit(subject, "", ""),
        RaiseQuery(subject, "", "", 1, "", ""),
        AnswerQuery(subject, "", ""),
        CloseQuery(subject, ""),
        RecordCapacity(subject, "HAS", ""),
        RecordConsent(subject, "", "PARTICIPANT", given=True, on=""),
        WithdrawConsent(subject, "PARTICIPANT", ""),
        ConfirmEligibility(subject),
        FailScreening(subject),
        Randomize(subject),
    )


def _number_of(reader: Reader, subject: str | None) -> str | None:
    row = reader.rows.get(SUBJECTS, (subject,)) if subject else None
    return str(row["number"]) if row else None


def visits_shown(study: Study, now: Standing) -> tuple[Visit, ...]:
    """The visits of the matrix: all that have a day, and others once something was recorded at them."""
    used = {place.visit for place in now.case.capture.forms} | {visit for visit, _ in now.case.capture.dates}
    return tuple(visit for visit in study.schedule.visits if visit.day is not None or visit.id in used)


def anchor_of(study: Study, now: Standing, randomized_at: str | None) -> dt.date | None:
    """Day 1: the date of the visit planned for day 1, else the day of randomization at the site."""
    first = next((visit.id for visit in study.schedule.visits if visit.day == 1), None)
    dated = now.case.capture.dates.get((first, 1)) if first is not None else None
    if dated is not None:
        return dt.date.fromisoformat(dated.on)
    if randomized_at is None:
        return None
    return dt.datetime.fromisoformat(randomized_at).astimezone(ZoneInfo(now.site.zone)).date()


def _column(now: Standing, visit: Visit, anchor: dt.date | None) -> VisitColumn:
    dated = now.case.capture.dates.get((visit.id, 1))
    plan = plan_visit(visit, anchor) if anchor is not None else None
    inside = plan is not None and plan.first is not None and plan.last is not None
    window = (plan.first.isoformat(), plan.last.isoformat()) if plan and plan.first and plan.last else None
    before_anchor = anchor is None and (visit.day or 0) < 0
    return VisitColumn(
        id=visit.id,
        label=visit.label,
        dated=dated.on if dated is not None else None,
        planned=plan.day.isoformat() if plan is not None and plan.day is not None else None,
        window=window,
        current=before_anchor
        or (inside and window is not None and window[0] <= now.today.isoformat() <= window[1]),
    )


def _rows(
    now: Standing, visits: tuple[Visit, ...], columns: tuple[VisitColumn, ...]
) -> tuple[MatrixRow, ...]:
    study = now.trial.study
    planned = {visit.id: {form.id for form in study.forms_at(visit.id)} for visit in visits}
    current = {column.id for column in columns if column.current}
    forms = [form for form in study.forms if any(form.id in each for each in planned.values())]
    return tuple(
        MatrixRow(
            form.id,
            form.label,
            tuple(
                _cell(now, visit.id, form.id, planned[visit.id], due=visit.id in current) for visit in visits
            ),
        )
        for form in forms
    )


def _cell(now: Standing, visit: str, form: str, planned: set[str], *, due: bool) -> Cell:
    if form not in planned:
        return Cell(visit, form, "not_planned", None, 0, 0)
    status = form_status(now.trial.study, now.case.capture, visit, form)
    return Cell(
        visit, form, cell_state(status, due=due), _flag(status), status.answered, status.items
    )  # fmt: skip


def cell_state(status: FormStatus, *, due: bool) -> CellState:
    """What a cell shows; a form that is not begun is due while its visit is current."""
    state = _STATES[status.progress]
    return "due" if state == "not_started" and due else state


def _flag(status: FormStatus) -> Literal["open", "answered"] | None:
    if status.open_queries:
        return "open"
    return "answered" if status.answered_queries else None


def _unfinished(now: Standing, visits: tuple[Visit, ...]) -> tuple[Task, ...]:
    study, number = now.trial.study, now.case.screening.number or ""
    found: list[Task] = []
    order = {visit.id: position for position, visit in enumerate(visits)}
    places = sorted(now.case.capture.forms, key=lambda place: order.get(place.visit, 0))
    for place in places:
        form, visit = study.form(place.form), study.visit(place.visit)
        if form is None or visit is None or now.case.capture.form(place).complete:
            continue
        where = (place.visit, place.form, str(place.repeat))
        found.append(task("form_unfinished", number, where, form=form.label, visit=visit.label))
    return tuple(found)


def history_page(
    desk: Desk, who: Who, number: str, visit: str, form_id: str, repeat: int, item: str | None
) -> tuple[HistoryRow, ...] | None:
    """Every change of an item (or of the whole form), newest first."""
    with desk.reading() as reader:
        subject = desk.may_read(reader, who, "history", number)
        study = desk.trial(reader).study
        form = study.form(form_id)
        if subject is None or form is None:
            return None
        changes = list(history(reader.entries(f"subject/{subject}"), visit, form_id, repeat, item))
        zone = ZoneInfo(desk.standing(reader, subject).site.zone)
    asked = {each.id: each for each in questions(form)}
    rows = [
        HistoryRow(
            item=change.item,
            label=asked[change.item].label if change.item in asked else Text(change.item),
            old=shown(study, asked.get(change.item), change.old),
            new=shown(study, asked.get(change.item), change.new),
            who=desk.register.staff_name(change.header.actor),
            role=change.header.role,
            at=change.header.at,
            at_site=dt.datetime.fromisoformat(change.header.at)
            .astimezone(zone)
            .isoformat(sep=" ", timespec="seconds"),
            reason=change.reason or "",
            seq=change.header.seq,
            leaf=change.leaf,
        )
        for change in changes
    ]
    return tuple(reversed(rows))


def today_of(now: Standing) -> PartialDate:
    """The day at the site, as a date of the rules."""
    return PartialDate.of(now.today)
