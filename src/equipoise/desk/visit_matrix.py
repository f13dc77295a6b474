"""Participants by visits: one page of the subjects that the reader may see, each visit in its one state.

The rules that must stay true: what is read is the page, however many subjects there are; a state is that of
`desk.schedule`, as on every other page; a flag says only that a query is open on a form that the reader sees.
"""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.access.commands import Who
from equipoise.access.decide import may_read
from equipoise.desk.desk import Desk
from equipoise.desk.lists import subject_rows
from equipoise.desk.schedule import visits_of
from equipoise.desk.standing import Standing
from equipoise.protocol.windows import VisitState
from equipoise.words.text import Text


@dataclass(frozen=True, slots=True)
class VisitCell:
    """One visit of one subject; `times` counts an unscheduled one, `open` the forms with an open query."""

    visit: str
    state: VisitState
    dated: str | None
    times: int
    open: int


@dataclass(frozen=True, slots=True)
class VisitRow:
    """One subject: number, status, and a cell for each column (None: the visit is not one of this subject's)."""

    number: str
    status: str
    cells: tuple[VisitCell | None, ...]


@dataclass(frozen=True, slots=True)
class VisitMatrixView:
    """The page: columns (id, label) and rows."""

    columns: tuple[tuple[str, Text], ...]
    rows: tuple[VisitRow, ...]


def visit_matrix(
    desk: Desk, who: Who, *, begins: str = "", after: str = "", limit: int
) -> VisitMatrixView | None:
    """A page of the matrix, from the subject after a number on; None where the role sees no casebook."""
    if not (may_read(who, "subjects", None) and may_read(who, "casebook", None)):
        return None
    with desk.reading() as reader:
        rows = subject_rows(reader, who, begins, after, limit)
        record, hidden = desk.trial(reader).record, desk.trial(reader).hidden_from(who.role)
        standings = [(row, desk.standing_light(reader, str(row["subject"]))) for row in rows]
    columns = tuple((visit.id, visit.label) for visit in record.schedule.visits)
    return VisitMatrixView(
        columns,
        tuple(
            VisitRow(
                str(row["number"]),
                str(row["status"]),
                _cells(now, [visit for visit, _ in columns], hidden),
            )
            for row, now in standings
        ),
    )


def _cells(now: Standing, columns: list[str], hidden: frozenset[str]) -> tuple[VisitCell | None, ...]:
    made: dict[str, VisitCell] = {}
    asked = {
        place
        for query in now.case.capture.queries.values()
        if query.state == "OPEN" and (place := query.place).form not in hidden
    }
    for one in visits_of(now, hidden):
        times = made[one.visit.id].times + 1 if one.visit.id in made else 1
        made[one.visit.id] = VisitCell(
            one.visit.id,
            one.state,
            one.dated.on if one.dated is not None else None,
            times,
            sum(place.visit == one.visit.id for place in asked),
        )
    return tuple(made.get(visit) for visit in columns)
