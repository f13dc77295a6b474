"""The casebook matrix: forms down, visits across, one cell each, written as one string because a casebook has
hundreds of cells (Django's template loop took eight times as long).

The rule that must stay true: a cell says its state by shape and by words, never by colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from django.utils.html import escape
from django.utils.safestring import SafeString

from equipoise.desk.views import Cell, MatrixRow, SubjectView, VisitColumn
from equipoise.desk.visit_matrix import VisitCell, VisitRow
from equipoise.pages.templatetags.words import icon
from equipoise.protocol.windows import VisitState
from equipoise.words.problem import say
from equipoise.words.text import Language, Text


@dataclass(frozen=True, slots=True)
class Look:
    """How a state is drawn: css class, icon, message key."""

    css: str
    icon: str
    key: str


LOOKS = {
    "not_started": Look("", "empty", "web.cell-not-started"),
    "due": Look("due", "clock", "web.cell-due"),
    "in_progress": Look("part", "half", "web.cell-in-progress"),
    "entered_once": Look("part", "people", "double.cell-entered-once"),
    "to_settle": Look("open", "alert", "double.cell-to-settle"),
    "omitted": Look("done", "cross", "entry.cell-omitted"),
    "complete": Look("done", "check", "web.cell-complete"),
    "open": Look("open", "flag-full", "web.cell-query-open"),
    "answered": Look("answered", "flag", "web.cell-query-answered"),
}


@dataclass(frozen=True, slots=True)
class VisitLook:
    """How the state of a visit is drawn: tone of its pill, icon, message key."""

    tone: str
    icon: str
    key: str


VISITS: Mapping[VisitState, VisitLook] = {
    "WAITING": VisitLook("plain", "empty", "visits.state-waiting"),
    "NOT_DUE": VisitLook("plain", "empty", "visits.state-not-due"),
    "DUE": VisitLook("warn", "clock", "visits.state-due"),
    "OVERDUE": VisitLook("bad", "alert", "visits.state-overdue"),
    "EARLY": VisitLook("warn", "left", "visits.state-early"),
    "IN_WINDOW": VisitLook("good", "check-circle", "visits.state-in-window"),
    "LATE": VisitLook("warn", "right", "visits.state-late"),
    "HELD": VisitLook("good", "check-circle", "visits.state-held"),
    "MISSED": VisitLook("bad", "cross", "visits.state-missed"),
    "NO_LONGER_DUE": VisitLook("plain", "out", "visits.state-no-longer-due"),
    "ON_DEMAND": VisitLook("plain", "plus", "visits.state-on-demand"),
}
"""State of a visit -> how it is drawn, on every page."""


def look(cell: Cell) -> Look:
    """How a cell is drawn: a query is shown before the form's state."""
    return LOOKS[cell.flag or cell.state]


def words(cell: Cell, language: Language) -> str:
    """What a cell says: its state and, with a query, both."""
    state = say(LOOKS[cell.state].key, language)
    if cell.state == "in_progress":
        state = say("web.cell-in-progress-of", language, {"n": str(cell.answered), "of": str(cell.items)})
    return (
        state
        if cell.flag is None
        else say("web.cell-and", language, {"a": state, "b": say(LOOKS[cell.flag].key, language)})
    )


def matrix(view: SubjectView, language: Language) -> SafeString:
    """The table. Each planned cell is a link to its form; a key handler adds the arrow keys (casebook.js)."""
    head = "".join(_column(view, column, language) for column in view.columns)
    body = "".join(_row(view, row, language) for row in view.rows)
    caption = escape(say("web.casebook-of", language, {"number": view.number}))
    return SafeString(
        f'<table class="matrix" id="matrix"><caption class="visually-hidden">{caption}</caption>'
        f'<thead><tr><th scope="col">{escape(say("web.form", language))}</th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def _column(view: SubjectView, column: VisitColumn, language: Language) -> str:
    again = f" {column.repeat}" if column.repeat > 1 else ""
    label = escape(column.label.say(language) + again)
    current = escape(say("web.visit-now", language))
    css, now = (
        (' class="now"', f'<span class="visually-hidden">{current}</span>') if column.current else ("", "")
    )
    when = "".join(f'<small class="nowrap">{escape(line)}</small>' for line in _when(column))
    shown = VISITS[column.state]
    state = (
        f'<span class="visit-state {shown.tone}">{icon(shown.icon)}{escape(say(shown.key, language))}</span>'
    )
    return (
        f'<th scope="col"{css}><a href="{_visit_path(view.number, column)}">{escape(column.id)}</a>'
        f"<small>{label}</small>{when}{state}{now}</th>"
    )


def _visit_path(number: str, column: VisitColumn) -> str:
    again = f"/{column.repeat}" if column.repeat > 1 else ""
    return f"/subjects/{quote(number)}/visits/{quote(column.id)}{again}"


def _when(column: VisitColumn) -> tuple[str, ...]:
    """The date of the visit, or its window, or nothing known; ISO, the second line without a year that repeats."""
    if column.dated or not column.window:
        return (column.dated or column.planned or "—",)
    first, last = column.window
    return (first,) if first == last else (first, f"– {last[5:] if last[:4] == first[:4] else last}")


def _row(view: SubjectView, row: MatrixRow, language: Language) -> str:
    label: str = escape(row.label.say(language))
    by_visit = {(cell.visit, cell.repeat): cell for cell in row.cells}
    cells = "".join(
        _cell(view.number, row, column, by_visit.get((column.id, column.repeat)), language)
        for column in view.columns
    )
    if row.rows is not None:
        label = _log_name(view.number, row, language)
    return f'<tr><th scope="row">{label}</th>{cells}</tr>'


def _log_name(number: str, row: MatrixRow, language: Language) -> str:
    """The name of a running list leads to it; beside it stand its rows, and whether a query hangs on one."""
    says = say("logs.rows", language, {"n": str(row.rows)})
    shown = LOOKS[row.flag] if row.flag is not None else None
    flag = (
        ""
        if shown is None
        else f' <span class="flag {shown.css}">{icon(shown.icon)}{escape(say(shown.key, language))}</span>'
    )
    address = f"/subjects/{quote(number)}/logs/{quote(row.form)}"
    return f'<a href="{address}">{escape(row.label.say(language))}</a> <small>{escape(says)}</small>{flag}'


def _cell(number: str, row: MatrixRow, column: VisitColumn, cell: Cell | None, language: Language) -> str:
    if cell is None or cell.state == "not_planned":
        return "<td></td>"
    shown = look(cell)
    says = words(cell, language)
    name = say(
        "web.cell-name",
        language,
        {
            "form": row.label.say(language),
            "visit": f"{column.id} {column.label.say(language)}",
            "state": says,
        },
    )
    again = f"/{cell.repeat}" if cell.repeat > 1 else ""
    address = f"/subjects/{quote(number)}/forms/{quote(cell.visit)}/{quote(cell.form)}{again}"
    if row.rows is not None:
        address = f"/subjects/{quote(number)}/logs/{quote(row.form)}?at={quote(cell.visit)}"
        says = say("logs.cell-reviewed" if cell.state == "complete" else "logs.cell-not-reviewed", language)
        name = say(
            "web.cell-name", language, {"form": row.label.say(language), "visit": cell.visit, "state": says}
        )
    return (
        f'<td><a class="cell {shown.css}" href="{address}" aria-label="{escape(name)}" title="{escape(says)}">'
        f"{icon(shown.icon)}</a></td>"
    )


def legend(language: Language) -> SafeString:
    """What the shapes mean."""
    lines = "".join(
        f'<li><span class="cell {shown.css}" aria-hidden="true">{icon(shown.icon)}</span>'
        f"{escape(say(shown.key, language))}</li>"
        for shown in LOOKS.values()
    )
    return SafeString(f'<ul class="legend" aria-label="{escape(say("web.legend", language))}">{lines}</ul>')


def visit_matrix(
    columns: Sequence[tuple[str, Text]], rows: Sequence[VisitRow], language: Language
) -> SafeString:
    """Participants down, visits across; each cell says the visit's state, and leads to the visit."""
    head = "".join(
        f'<th scope="col">{escape(visit)}<small>{escape(label.say(language))}</small></th>'
        for visit, label in columns
    )
    body = "".join(
        f'<tr><th scope="row"><a href="/subjects/{quote(row.number)}">{escape(row.number)}</a> '
        f"<small>{escape(say(_status(row.status), language))}</small></th>"
        + "".join(_visit_cell(row.number, cell, language) for cell in row.cells)
        + "</tr>"
        for row in rows
    )
    caption = escape(say("web.subject-matrix", language))
    return SafeString(
        f'<table class="matrix" id="matrix"><caption class="visually-hidden">{caption}</caption>'
        f'<thead><tr><th scope="col">{escape(say("web.number", language))}</th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def _visit_cell(number: str, cell: VisitCell | None, language: Language) -> str:
    if cell is None:
        return "<td></td>"
    shown = VISITS[cell.state]
    says = say(shown.key, language) + (f" {cell.dated}" if cell.dated else "")
    if cell.open:
        says = say("web.cell-and", language, {"a": says, "b": say("web.cell-query-open", language)})
    name = escape(f"{number} {cell.visit}: {says}")
    drawn = icon("flag-full" if cell.open else shown.icon)
    tone = "open" if cell.open else _TONES[shown.tone]
    again = f'<sup aria-hidden="true">{cell.times}</sup>' if cell.times > 1 else ""
    return (
        f'<td><a class="cell {tone}" href="/subjects/{quote(number)}/visits/{quote(cell.visit)}" '
        f'title="{name}" aria-label="{name}">{drawn}{again}</a></td>'
    )


_TONES = {"plain": "", "good": "done", "warn": "due", "bad": "late"}
"""Tone of a visit's pill -> class of its cell."""


def _status(status: str) -> str:
    return f"web.status-{status.lower().replace('_', '-')}"
