"""A running list of a participant, as a page shows it: its rows, its reviews, and what may be done with it.

The rules that must stay true: every row that was ever recorded is listed, also one entered in error and one recorded at
a visit before there was a log; a role from which the form is hidden is shown nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from equipoise.access.commands import Who
from equipoise.access.decide import may
from equipoise.capture.commands import RecordForm, RestoreRow, ReviewLog, VoidRow
from equipoise.capture.evolve import Place, State
from equipoise.capture.logs import LogRow, changed_since_review, log_rows, next_row
from equipoise.capture.questions import question
from equipoise.desk.desk import Desk
from equipoise.desk.standing import Standing
from equipoise.desk.views import Cell, CellState, LogCell, LogLine, LogReview, LogView, MatrixRow
from equipoise.desk.words import shown
from equipoise.ledger.entries import Datum
from equipoise.protocol.forms import LOG, Form
from equipoise.protocol.study import Study
from equipoise.words.clock import local
from equipoise.words.problem import say
from equipoise.words.text import Text
from equipoise.words.truth import Truth

LOG_LABEL = Text(say("logs.place", "en"), say("logs.place", "zh"))
"""What stands where other forms have the name of their visit."""


def log_page(desk: Desk, who: Who, number: str, form_id: str) -> LogView | None:
    """The list, or None where the form is none, or the reader may not see it."""
    with desk.reading() as reader:
        subject = desk.may_read(reader, who, "casebook", number)
        if subject is None:
            return None
        now = desk.standing_light(reader, subject)
    study, form = now.trial.record, now.trial.study.form(form_id)
    if form is None or form.log is None or form_id in now.trial.hidden_from(who.role):
        return None
    commands = (
        RecordForm(subject, LOG, form_id, 1, {}, 0),
        ReviewLog(subject, "", form_id),
        VoidRow(subject, LOG, form_id, 1, ""),
        RestoreRow(subject, LOG, form_id, 1, ""),
    )
    columns = tuple(item for name in form.log.columns if (item := question(form, name)) is not None)
    case = now.case.capture
    return LogView(
        subject=number,
        form=form_id,
        form_label=form.label,
        columns=tuple(column.label for column in columns),
        lines=tuple(_line(desk, now, study, form, row) for row in log_rows(now.trial.study, case, form)),
        next_row=next_row(case, form_id),
        visits=_visits(now, form),
        reviews=_reviews(desk, now, form_id),
        changed_since=changed_since_review(case, form_id),
        may=frozenset(type(one).__name__ for one in commands if may(who, one, now.facts) is None),
    )


def log_row(now: Standing, form: Form, visits: Iterable[tuple[str, int, bool]]) -> MatrixRow:
    """A log as a line of the casebook's matrix: at each visit, whether it was gone through; beside its name, its rows.

    visits: (visit, which time it was held, whether it is current), in the matrix's order.
    """
    case = now.case.capture
    rows = [row for row in log_rows(now.trial.study, case, form) if not row.voided]
    planned = {
        visit.id for visit in now.trial.study.schedule.visits if form in now.trial.study.forms_at(visit.id)
    }
    cells = []
    for visit, repeat, due in visits:
        done = Place(visit, form.id, repeat) in case.reviews
        state: CellState = (
            "complete" if done else "not_planned" if visit not in planned else "due" if due else "not_started"
        )
        cells.append(Cell(visit, form.id, state, None, int(done), 1, repeat))
    flags = {_flag(case, row) for row in rows}
    flag: Literal["open", "answered"] | None = (
        "open" if "open" in flags else "answered" if "answered" in flags else None
    )
    return MatrixRow(form.id, form.label, tuple(cells), len(rows), flag)


def _line(desk: Desk, now: Standing, study: Study, form: Form, row: LogRow) -> LogLine:
    void = now.case.capture.voided.get(row.place)
    columns = form.log.columns if form.log is not None else ()
    asked = [one for name in columns if (one := question(form, name)) is not None]
    return LogLine(
        visit=row.place.visit,
        repeat=row.place.repeat,
        cells=tuple(
            LogCell(one.label, shown(study, one, row.instance.values.get(one.id, Datum()))) for one in asked
        ),
        state="complete" if row.instance.complete else "in_progress",
        ongoing=row.ongoing is Truth.TRUE,
        flag=_flag(now.case.capture, row),
        voided=None
        if void is None
        else (void.reason, desk.register.staff_name(void.by), local(void.at, now.site.zone)),
    )


def _flag(case: State, row: LogRow) -> Literal["open", "answered"] | None:
    states = {query.state for query in case.queries_at(row.place)}
    return "open" if "OPEN" in states else "answered" if "ANSWERED" in states else None


def _visits(now: Standing, form: Form) -> tuple[tuple[str, Text, int, bool], ...]:
    case, found = now.case.capture, []
    for visit in now.trial.study.schedule.visits:
        if form not in now.trial.study.forms_at(visit.id):
            continue
        came = {repeat for one, repeat in case.dates if one == visit.id}
        repeats = came or ({1} if visit.day is not None else set())
        for repeat in sorted(repeats):
            found.append((visit.id, visit.label, repeat, Place(visit.id, form.id, repeat) in case.reviews))
    return tuple(found)


def _reviews(desk: Desk, now: Standing, form_id: str) -> tuple[LogReview, ...]:
    """The reviews of a log, the latest first."""
    found = [(place, one) for place, one in now.case.capture.reviews.items() if place.form == form_id]
    made = []
    for place, one in sorted(found, key=lambda each: -each[1].seq):
        visit = now.trial.record.visit(place.visit)
        made.append(
            LogReview(
                visit=place.visit,
                visit_label=visit.label if visit is not None else Text(place.visit),
                repeat=place.repeat,
                outcome=one.outcome,
                ongoing=len(one.rows),
                who=desk.register.staff_name(one.by),
                at=local(one.at, now.site.zone),
            )
        )
    return tuple(made)
