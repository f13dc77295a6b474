"""How far a form is: what a cell of the casebook matrix shows, and what a form page needs to know of its items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from equipoise.capture.consequences import Consequences, Now, consequences
from equipoise.capture.evolve import Place, State
from equipoise.capture.questions import questions
from equipoise.protocol.study import Study

Progress = Literal["NOT_STARTED", "ENTERED_ONCE", "TO_SETTLE", "IN_PROGRESS", "COMPLETE", "OMITTED"]


@dataclass(frozen=True, slots=True)
class FormStatus:
    """One form instance: `answered` of its `items` have a value or a code; then the queries on it by state."""

    progress: Progress
    answered: int
    items: int
    open_queries: int
    answered_queries: int


def form_status(study: Study, state: State, visit: str, form_id: str, repeat: int = 1) -> FormStatus:
    """The status of a form at a visit; hidden items are not counted out, so that no rule need be evaluated."""
    place = Place(visit, form_id, repeat)
    instance, form = state.form(place), study.form(form_id)
    asked = [each for each in questions(form) if not each.revealing] if form is not None else []
    answered = sum(each.id in instance.values for each in asked)
    states = [query.state for query in state.queries_at(place)]
    if instance.omitted is not None:
        return FormStatus("OMITTED", 0, len(asked), states.count("OPEN"), states.count("ANSWERED"))
    pair = state.pairs.get(place)
    if pair is not None and pair.pending:
        waits: Progress = "ENTERED_ONCE" if pair.stage == "FIRST" else "TO_SETTLE"
        return FormStatus(waits, 0, len(asked), states.count("OPEN"), states.count("ANSWERED"))
    progress: Progress = "COMPLETE" if instance.complete else "IN_PROGRESS" if answered else "NOT_STARTED"
    return FormStatus(progress, answered, len(asked), states.count("OPEN"), states.count("ANSWERED"))


def form_now(study: Study, state: State, visit: str, form_id: str, repeat: int, now: Now) -> Consequences:
    """What follows from a form as it stands: hidden items, findings, required items that are lacking."""
    place = Place(visit, form_id, repeat)
    return consequences(study, state, place, state.form(place).values, now)
