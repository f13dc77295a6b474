"""Running logs: their rows, what still goes on, going through them at a visit, and rows entered in error.

The rules that must stay true: a row is the participant's and no visit's; it is never deleted, and one marked as entered
in error counts for nothing and can be taken back; a review says of exactly the rows that still go on that they do.
Rows that were recorded at a visit, before a form was a log, stand in the same list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from equipoise.capture.binding import value_of_item
from equipoise.capture.commands import RestoreRow, ReviewLog, VoidRow
from equipoise.capture.evolve import MANUAL, Instance, Place, Review, State
from equipoise.capture.parsing import TEXT_LIMIT, clean
from equipoise.capture.placing import visit_faults
from equipoise.ledger.entries import Append, Datum, Entry, LogReviewed, QueryClosed, RowRestored, RowVoided
from equipoise.ledger.facts import Decision, Refusal
from equipoise.protocol.expressions import Value, as_logical
from equipoise.protocol.forms import LOG, Form
from equipoise.protocol.rules import names_in, value_of
from equipoise.protocol.study import Study
from equipoise.words.problem import Problem, problem
from equipoise.words.truth import Truth

EVENTS = "AE"
"""Domain of a log of adverse events."""


@dataclass(frozen=True, slots=True)
class LogRow:
    """One row of a log. `ongoing`: whether it still goes on, by the log's rule; UNKNOWN where that cannot be told."""

    place: Place
    instance: Instance
    ongoing: Truth
    voided: bool


def log_rows(study: Study, state: State, form: Form) -> tuple[LogRow, ...]:
    """The rows of a log in the order of its sort items; a row without a value comes last, equals by when they came."""
    found = [
        LogRow(place, instance, _ongoing(study, form, instance), place in state.voided)
        for place, instance in state.forms.items()
        if place.form == form.id
    ]
    return tuple(sorted(found, key=lambda row: _order(form, row)))


def row_name(place: Place) -> str:
    """A row as other records point to it."""
    return f"{place.visit}/{place.form}/{place.repeat}"


def event_rows(study: Study, state: State) -> Mapping[str, str]:
    """The rows of adverse events that stand, by name, with the form of each."""
    forms = {form.id for form in study.forms if form.domain == EVENTS and form.log is not None}
    return {
        row_name(place): place.form
        for place in state.forms
        if place.form in forms and place not in state.voided
    }


def next_row(state: State, form_id: str) -> int:
    """The number of the row that comes next."""
    return (
        max((place.repeat for place in state.forms if (place.visit, place.form) == (LOG, form_id)), default=0)
        + 1
    )


def last_review(state: State, form_id: str) -> tuple[Place, Review] | None:
    """The latest review of a log, with the visit it was made at."""
    found = [(place, review) for place, review in state.reviews.items() if place.form == form_id]
    return max(found, key=lambda one: one[1].seq, default=None)


def changed_since_review(state: State, form_id: str) -> bool:
    """Whether a row was added, changed, voided or restored after the latest review; False where there was none."""
    review = last_review(state, form_id)
    if review is None:
        return False
    at, seq = review[1].at, review[1].seq
    saved = any(one.seq > seq for place, one in state.forms.items() if place.form == form_id)
    return saved or any(one.at > at for place, one in state.voided.items() if place.form == form_id)


def row_faults(form: Form, state: State, place: Place) -> tuple[Problem, ...]:
    """Why a row of a log cannot be saved: it was entered in error, or a row before it is still missing."""
    if place.visit != LOG:
        return ()
    if place in state.voided:
        return (problem("capture.row-voided", form=form.label, row=place.repeat),)
    if place.repeat > next_row(state, form.id):
        return (problem("capture.repeat-unknown", "repeat", form=form.label, repeat=place.repeat),)
    return ()


def decide_review(study: Study, state: State, command: ReviewLog) -> Decision:
    """Decide that a log was gone through. What the review found follows from the rows, not from the person."""
    form = study.form(command.form)
    faults = list(visit_faults(study, command.visit, command.repeat))
    if form is None or form.log is None:
        faults.append(
            problem("capture.form-no-log", "form", form=form.label if form is not None else command.form)
        )
    elif not faults and form not in study.forms_at(command.visit):
        visit = study.visit(command.visit)
        faults.append(
            problem("capture.form-not-planned", "form", form=form.label, visit=visit.label if visit else "")
        )
    if faults or form is None:
        return Refusal(tuple(faults))
    rows = [row for row in log_rows(study, state, form) if not row.voided]
    if command.none and rows:
        return Refusal((problem("capture.log-has-rows", form=form.label, rows=len(rows)),))
    if not command.none and not rows:
        return Refusal((problem("capture.log-empty", form=form.label),))
    ongoing = tuple(row.place.repeat for row in rows if row.ongoing is Truth.TRUE and row.place.visit == LOG)
    changed = changed_since_review(state, form.id) or last_review(state, form.id) is None
    place = Place(command.visit, command.form, command.repeat)
    if place in state.reviews and not changed:
        return Refusal((problem("capture.nothing-changed"),))
    reviewed = LogReviewed(
        *place, outcome="NONE" if command.none else "CHANGED" if changed else "NO_CHANGE", rows=ongoing
    )
    return (Append(f"subject/{command.subject}", reviewed),)


def decide_void(study: Study, state: State, command: VoidRow) -> Decision:
    """Decide that a row was entered in error: its open questions are settled with it."""
    place = Place(command.visit, command.form, command.repeat)
    faults = _row_named(study, state, place, command.reason)
    if place in state.voided:
        faults.append(problem("capture.nothing-changed"))
    if faults:
        return Refusal(tuple(faults))
    entries: list[Entry] = [RowVoided(*place, reason=clean(command.reason))]
    entries += [
        QueryClosed(query.id, automatic=True)
        for query in state.queries_at(place)
        if query.state != "CLOSED" and query.rule != MANUAL
    ]
    return tuple(Append(f"subject/{command.subject}", entry) for entry in entries)


def decide_restore(study: Study, state: State, command: RestoreRow) -> Decision:
    """Decide that a voided row counts again."""
    place = Place(command.visit, command.form, command.repeat)
    faults = _row_named(study, state, place, command.reason)
    if not faults and place not in state.voided:
        faults.append(problem("capture.nothing-changed"))
    if faults:
        return Refusal(tuple(faults))
    return (Append(f"subject/{command.subject}", RowRestored(*place, reason=clean(command.reason))),)


def _row_named(study: Study, state: State, place: Place, reason: str) -> list[Problem]:
    form, found = study.form(place.form), list[Problem]()
    if form is None or form.log is None or place not in state.forms:
        found.append(problem("capture.row-unknown", "row", row=place.repeat))
    if not clean(reason):
        found.append(problem("capture.row-reason", "reason"))
    elif len(clean(reason)) > TEXT_LIMIT:
        found.append(problem("capture.text-too-long", "reason", item="reason", limit=TEXT_LIMIT))
    return found


def _ongoing(study: Study, form: Form, instance: Instance) -> Truth:
    rule = form.log.ongoing if form.log is not None else None
    return Truth.FALSE if rule is None else truth_of(study, form, rule, instance.values)


def truth_of(study: Study, form: Form, rule: str, values: Mapping[str, Datum]) -> Truth:
    """What a rule over a form's own items is worth."""
    used = names_in(rule)
    scope: Mapping[str, Value] = {
        item.id: value_of_item(study, form, item.id, values.get(item.id))
        for item in form.items
        if item.id in used
    }
    return as_logical(value_of(rule, scope)).truth


def _order(form: Form, row: LogRow) -> tuple[object, ...]:
    sort = form.log.sort if form.log is not None else ()
    written = [row.instance.values[name].value if name in row.instance.values else None for name in sort]
    return (
        row.voided,
        *((value is None, value or "") for value in written),
        row.place.visit != LOG,
        row.place.repeat,
    )
