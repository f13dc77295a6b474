"""The casebook of one subject: header, matrix of forms by visits, what to do, and the history of items.

The rules that must stay true: whatever was recorded has its place here, also where the definition in force no longer
asks for it; why somebody was let in is shown only to who may read it; days are those of the site.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Literal

from equipoise.access.commands import Who
from equipoise.access.decide import may_read
from equipoise.capture.commands import AnswerQuery, CloseQuery, DateVisit, RaiseQuery, RecordForm
from equipoise.capture.evolve import Place
from equipoise.capture.history import Change, history
from equipoise.capture.placing import place_faults
from equipoise.capture.progress import FormStatus, Progress, form_status
from equipoise.capture.questions import question
from equipoise.consent.commands import RecordCapacity, RecordConsent, WithdrawConsent
from equipoise.desk.covering import COVERED, covered
from equipoise.desk.desk import Desk
from equipoise.desk.followers import SUBJECTS
from equipoise.desk.lists import tasks_of
from equipoise.desk.log_page import LOG_LABEL, log_row
from equipoise.desk.schedule import Visited, visits_of
from equipoise.desk.screening_pages import CONSENT, allowed
from equipoise.desk.standing import Standing, day_at
from equipoise.desk.views import Cell, CellState, HistoryRow, MatrixRow, SubjectView, Task, VisitColumn
from equipoise.desk.words import shown, task
from equipoise.eligibility.commands import ConfirmEligibility, FailScreening
from equipoise.ledger.entries import FormOmitted, FormReinstated, Header, Recorded
from equipoise.ledger.reader import Reader
from equipoise.protocol.forms import LOG, Form
from equipoise.protocol.study import Study
from equipoise.protocol.windows import HELD
from equipoise.randomization.commands import AssignRater, Randomize, RequestCodeBreak
from equipoise.words.clock import local
from equipoise.words.codelists import MISSING
from equipoise.words.problem import say
from equipoise.words.text import Text

_WHOLE_FORM = Text(say("entry.whole-form", "en"), say("entry.whole-form", "zh"))
_STATES: dict[Progress, CellState] = {
    "NOT_STARTED": "not_started",
    "ENTERED_ONCE": "entered_once",
    "TO_SETTLE": "to_settle",
    "IN_PROGRESS": "in_progress",
    "OMITTED": "omitted",
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
    zone, moment = now.site.zone, row.get("randomized_at")
    randomized_on = None if moment is None else day_at(str(moment), zone)
    hidden = now.trial.hidden_from(who.role)
    visits = visits_of(now, hidden)
    columns = tuple(_column(now, one) for one in visits)
    judged = may_read(who, "eligibility", now.case.screening.site)
    return SubjectView(
        number=number,
        site=now.case.screening.site or "",
        site_name=Text(now.site.name.get("en", ""), now.site.name.get("zh")),
        status=now.facts.status or "",
        randomization_number=now.facts.randomization_number,
        randomized_on=None if randomized_on is None else randomized_on.isoformat(),
        consent=CONSENT[now.facts.consent_in_force],
        verdict=now.facts.verdict if judged else "",
        stratum_known=now.facts.stratum is not None,
        facts=(),
        columns=columns,
        rows=_rows(now, visits, columns, hidden),
        tasks=(*(tasks_of(now) if judged else ()), *_unfinished(now, visits, hidden)),
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
        RequestCodeBreak(subject, "", "EMERGENCY", urgent=True, to="SELF", reason=""),
        AssignRater(subject, ""),
    )


def _number_of(reader: Reader, subject: str | None) -> str | None:
    """The number of the earlier screening; a site that rescreens a person may know it, wherever it took place."""
    row = reader.rows.get(SUBJECTS, (subject,)) if subject else None
    return str(row["number"]) if row else None


def _column(now: Standing, one: Visited) -> VisitColumn:
    plan = one.plan
    window = (plan.first.isoformat(), plan.last.isoformat()) if plan.first and plan.last else None
    inside = window is not None and window[0] <= now.today.isoformat() <= window[1]
    return VisitColumn(
        id=one.visit.id,
        label=one.visit.label,
        dated=one.dated.on if one.dated is not None else None,
        planned=plan.day.isoformat() if plan.day is not None else None,
        window=window,
        current=one.state == "DUE" or (inside and one.state in HELD),
        state=one.state,
        repeat=one.repeat,
        mode=one.mode,
    )


def _rows(
    now: Standing, visits: tuple[Visited, ...], columns: tuple[VisitColumn, ...], hidden: Collection[str]
) -> tuple[MatrixRow, ...]:
    planned = {one.visit.id: _forms_of(now, one.visit.id) for one in visits}
    current = {(column.id, column.repeat) for column in columns if column.current}
    forms = [
        form
        for form in now.trial.record.forms
        if form.id not in hidden and any(form.id in each for each in planned.values())
    ]
    return tuple(
        log_row(
            now, form, [(one.visit.id, one.repeat, (one.visit.id, one.repeat) in current) for one in visits]
        )
        if form.log is not None
        else MatrixRow(
            form.id,
            form.label,
            tuple(
                _cell(now, one, form.id, planned[one.visit.id], due=(one.visit.id, one.repeat) in current)
                for one in visits
            ),
        )
        for form in forms
    )


def _forms_of(now: Standing, visit: str) -> frozenset[str]:
    """The forms planned at a visit, and those that were recorded there."""
    recorded = {place.form for place in now.case.capture.forms if place.visit == visit}
    return frozenset({form.id for form in now.trial.study.forms_at(visit)} | recorded)


def study_of(now: Standing, visit: str, form: str, repeat: int) -> Study:
    """The definition of a form: of the version that it keeps or that decides here; else of an earlier one."""
    study = now.version_at(visit, form, repeat).study
    return study if study.form(form) is not None else now.trial.record


def _cell(now: Standing, one: Visited, form: str, planned: frozenset[str], *, due: bool) -> Cell:
    """One cell; for a form that repeats, of all its repetitions."""
    visit = one.visit.id
    if form not in planned:
        return Cell(visit, form, "not_planned", None, 0, 0, one.repeat)
    case = now.case.capture
    repeats = {place.repeat for place in case.forms if (place.visit, place.form) == (visit, form)} or {1}
    repeats = {one.repeat} if one.visit.unscheduled else repeats
    every = [
        form_status(study_of(now, visit, form, repeat), case, visit, form, repeat)
        for repeat in sorted(repeats)
    ]
    states = {status.progress for status in every}
    return Cell(
        visit,
        form,
        cell_state(states.pop() if len(states) == 1 else "IN_PROGRESS", due=due),
        _flag(every),
        sum(status.answered for status in every),
        sum(status.items for status in every),
        one.repeat,
    )


def cell_state(progress: Progress, *, due: bool) -> CellState:
    """What a cell shows; a form that is not begun is due while its visit is current."""
    state = _STATES[progress]
    return "due" if state == "not_started" and due else state


def _flag(every: Iterable[FormStatus]) -> Literal["open", "answered"] | None:
    if any(status.open_queries for status in every):
        return "open"
    return "answered" if any(status.answered_queries for status in every) else None


def _unfinished(now: Standing, visits: tuple[Visited, ...], hidden: Collection[str]) -> tuple[Task, ...]:
    study, number = now.trial.study, now.case.screening.number or ""
    found: list[Task] = []
    order = {one.visit.id: position for position, one in enumerate(visits)}
    places = sorted(now.case.capture.forms, key=lambda place: order.get(place.visit, 0))
    for place in places:
        form, visit = study.form(place.form), study.visit(place.visit)
        where_label = visit.label if visit is not None else LOG_LABEL if place.visit == LOG else None
        if (
            form is None
            or where_label is None
            or place.form in hidden
            or place in now.case.capture.voided
            or now.case.capture.form(place).complete
            or place_faults(study, *place)
        ):
            continue  # what the definition in force does not ask for is not to be finished
        where = (place.visit, place.form, str(place.repeat))
        found.append(task("form_unfinished", number, where, form=form.label, visit=where_label))
    return tuple(found)


def history_page(
    desk: Desk, who: Who, number: str, visit: str, form_id: str, repeat: int, item: str | None
) -> tuple[HistoryRow, ...] | None:
    """Every change of an item (or of the whole form), newest first."""
    with desk.reading() as reader:
        subject = desk.may_read(reader, who, "history", number)
        if subject is None:
            return None
        now = desk.standing_light(reader, subject)
        form = now.trial.record.form(form_id)
        if form is None or form_id in now.trial.hidden_from(who.role):
            return None
        stream = tuple(reader.entries(f"subject/{subject}"))
    place = Place(visit, form_id, repeat)
    behind = bool(covered(now, who.role, place))
    rows = [
        history_row(desk, now, form, change, behind=behind)
        for change in history(stream, visit, form_id, repeat, item)
    ]
    rows += _omissions(desk, now, stream, place) if item is None else ()
    return tuple(sorted(rows, key=lambda row: row.seq, reverse=True))


def _omissions(desk: Desk, now: Standing, stream: Iterable[Recorded], place: Place) -> Iterator[HistoryRow]:
    """That the whole form was marked as not done, and that this was taken back."""
    was: Text | None = None
    for recorded in stream:
        entry = recorded.entry
        if not isinstance(entry, FormOmitted | FormReinstated):
            continue
        if Place(entry.visit, entry.form, entry.repeat) != place:
            continue
        new: Text | None = None
        if isinstance(entry, FormOmitted):
            means = MISSING.get(entry.missing, Text(entry.missing))
            new = Text(f"{entry.missing} {means.en}", f"{entry.missing} {means.say('zh')}")
        yield _row(desk, now, ("", _WHOLE_FORM, was, new), recorded.header, entry.reason, recorded.leaf)
        was = new


def history_row(desk: Desk, now: Standing, form: Form, change: Change, *, behind: bool) -> HistoryRow:
    """One change in words. `behind`: what it was about is not shown to this reader yet (`covered`)."""
    asked, study = question(form, change.item), now.trial.record
    label = asked.label if asked is not None else Text(change.item)
    old = COVERED if behind else shown(study, asked, change.old)
    new = COVERED if behind else shown(study, asked, change.new)
    what = change.item, label, old, new
    return _row(desk, now, what, change.header, change.reason or "", change.leaf)


def _row(
    desk: Desk,
    now: Standing,
    what: tuple[str, Text, Text | None, Text | None],
    header: Header,
    reason: str,
    leaf: str,
) -> HistoryRow:
    """One line of a history. `what`: item, label, old and new value."""
    item, label, old, new = what
    return HistoryRow(
        item=item,
        label=label,
        old=old,
        new=new,
        who=desk.register.staff_name(header.actor),
        role=header.role,
        at=header.at,
        at_site=local(header.at, now.site.zone, seconds=True),
        reason=reason,
        seq=header.seq,
        leaf=leaf,
    )
