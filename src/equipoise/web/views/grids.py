"""A form that repeats as one table: a row for each time point, a column for each item.

The rules that must stay true: each row is a save of its own, decided as from its own page; a row that is refused keeps
what was typed and says why, and the others are saved; an empty row is not a save.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods

from equipoise.access.commands import Who
from equipoise.capture.commands import RecordForm
from equipoise.desk.views import FormView, ItemView
from equipoise.documents.unit_writing import shown_unit
from equipoise.ledger.entries import Datum
from equipoise.web import problems
from equipoise.web.entry import base_after, base_of
from equipoise.web.request import Asked, desk
from equipoise.web.views.reading import found, new_key, signed, subject_path
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text


@dataclass(frozen=True, slots=True)
class Cell:
    """One box: its field, what it holds, and whether it was refused."""

    item: ItemView
    name: str
    typed: str
    wrong: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One time point."""

    label: Text
    repeat: int
    view: FormView
    cells: tuple[Cell, ...]
    base: int


@require_http_methods(["GET", "POST"])
@signed
def grid(request: Asked, who: Who, number: str, visit: str, form: str) -> HttpResponse:
    """The table: shown, or saved row by row."""
    points = found(desk().grid(who, number, visit, form))
    posted = {name: str(value) for name, value in request.POST.items()}
    faults: dict[int, tuple[Problem, ...]] = {}
    if request.method == "POST":
        subject = found(desk().subject_id(number))
        for repeat, view in enumerate(points.rows, 1):
            changed = _changes(view, points.item, repeat, posted)
            complete = posted.get("do") == "complete" and (bool(changed) or view.base > 0)
            if not changed and not (complete and view.state != "complete"):
                continue
            changed[points.item] = Datum(points.terms[repeat - 1].code)
            command = RecordForm(
                subject, visit, form, repeat, changed, base_of(posted, f"base.{repeat}"),
                complete=True if complete else None, reason=posted.get("reason", "").strip() or None,
            )  # fmt: skip
            outcome = desk().submit(who, command, key=f"{posted.get('key') or new_key()}.{repeat}")
            if not outcome.accepted:
                faults[repeat] = outcome.problems
        if not faults:
            return redirect(subject_path(number, "grids", visit, form) + "?saved=1")
        points = found(desk().grid(who, number, visit, form))
    rows = [
        _row(points.terms[place - 1].label, place, view, points.item, posted, faults.get(place, ()))
        for place, view in enumerate(points.rows, 1)
    ]
    shown = [
        problem("logs.grid-row-fault", row=points.terms[repeat - 1].label, says=one.say(request.language))
        for repeat, those in faults.items()
        for one in those
    ]
    first = points.rows[0]
    context = {
        "view": first,
        "number": number,
        "here": subject_path(number, "grids", visit, form),
        "columns": [
            (item.label, shown_unit(item.unit, request.language))
            for item in first.items
            if item.id != points.item
        ],
        "rows": rows,
        "editable": any(row.view.editable for row in rows),
        "reason_needed": any(row.view.reason_needed for row in rows),
        "posted": posted,
        "problems": shown,
        "just_saved": "saved" in request.GET,
        "key": new_key(),
        "at": "subjects",
    }
    status = problems.status_of(tuple(one for those in faults.values() for one in those)) if faults else 200
    return render(request, "web/grid.html", context, status=status)


def _row(
    label: Text, repeat: int, view: FormView, by: str, posted: Mapping[str, str], faults: tuple[Problem, ...]
) -> Row:
    wrong = {one.where for one in faults}
    cells = tuple(
        Cell(
            item, f"v.{repeat}.{item.id}", _held(item, repeat, posted, refused=bool(faults)), item.id in wrong
        )
        for item in view.items
        if item.id != by
    )
    seen = base_after(faults, base_of(posted, f"base.{repeat}"), view.base) if faults else view.base
    return Row(label, repeat, view, cells, seen)


def _held(item: ItemView, repeat: int, posted: Mapping[str, str], *, refused: bool) -> str:
    name = f"v.{repeat}.{item.id}"
    if refused and name in posted:
        return posted[name]
    return item.value.value or item.value.missing or ""


def _changes(view: FormView, by: str, repeat: int, posted: Mapping[str, str]) -> dict[str, Datum]:
    changed: dict[str, Datum] = {}
    for item in view.items:
        name = f"v.{repeat}.{item.id}"
        if item.id == by or name not in posted:
            continue
        text = posted[name].strip()
        codes = {option.code for option in item.missing}
        now = Datum(missing=text.upper()) if text.upper() in codes else Datum(text or None)
        if now != Datum(item.value.value, item.value.missing):
            changed[item.id] = now
    return changed


urlpatterns: list[URLPattern] = [path("subjects/<str:number>/grids/<str:visit>/<str:form>", grid)]
"""The address of a table."""
