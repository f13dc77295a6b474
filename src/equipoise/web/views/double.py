"""Double entry: typing one of two entries from paper, settling where they differ, and the list of all with its rates.

The rules that must stay true: what was typed comes back with whatever is wrong with it, and nothing that another person
typed comes with it; the page adds nothing to what the desk says may be shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET, require_http_methods

from equipoise.access.commands import Who
from equipoise.capture.double.commands import Choice, RecordEntry, SettleEntries, WithdrawEntries
from equipoise.capture.evolve import Place as Instance
from equipoise.desk.double_page import DoubleLine, DoubleView
from equipoise.desk.views import FormView, ItemView, Outcome, TwiceView
from equipoise.ledger.entries import Datum
from equipoise.web import entry, problems, sheet
from equipoise.web.request import Asked, desk
from equipoise.web.views.places import Place
from equipoise.web.views.reading import found, new_key, signed, subject_path
from equipoise.words.problem import Problem, problem

STAGES = {
    "DUE": ("double.stage-due", "empty", "plain"),
    "FIRST": ("double.stage-first", "half", "warn"),
    "DIFFERS": ("double.stage-differs", "alert", "bad"),
    "SETTLED": ("double.stage-settled", "check-circle", "good"),
}
"""Stage -> message, icon, tone."""
FILTERS = ("pending", "first", "differs", "settled", "all")
CHOICES = (("FIRST", "double.first"), ("SECOND", "double.second"), ("NEITHER", "double.neither"))


def notice(twice: TwiceView) -> str:
    """What the form's own page says of its double entry."""
    return f"double.form-{twice.stage.lower()}" + ("-if-paper" if twice.if_paper else "")


@require_http_methods(["GET", "POST"])
@signed
def double(request: Asked, who: Who, number: str, visit: str, form: str, repeat: int) -> HttpResponse:
    """The double entry of one form: typed, compared, settled."""
    place = Place(number, visit, form, repeat)
    view = found(desk().double(who, number, Instance(*place.instance())))
    if request.method == "GET":
        return _page(request, place, view)
    posted = {name: str(value) for name, value in request.POST.items()}
    outcome = _done(who, place, view, posted)
    if outcome.accepted:
        after = desk().double(who, number, Instance(*place.instance()))
        settled = after is not None and after.twice.stage == "SETTLED"
        return redirect(f"{place.path()}?saved=1" if settled else _path(place))
    again = found(desk().double(who, number, Instance(*place.instance())))
    return _page(request, place, again, shown=outcome.problems, posted=posted)


def _path(place: Place) -> str:
    return subject_path(place.number, "double", *place.instance())


def _done(who: Who, place: Place, view: DoubleView, posted: Mapping[str, str]) -> Outcome:
    """What the pressed button asks for."""
    subject, key = found(desk().subject_id(place.number)), posted.get("key") or new_key()
    base = entry.base_of(posted)
    match posted.get("do", ""):
        case "enter":
            strange = entry.not_asked(view.form.items, posted)
            if strange:
                return _refused(problem("amendments.page-of-another-version", typed=strange))
            command: object = RecordEntry(subject, *place.instance(), _typed(view.form, posted))
        case "settle":
            choices = {name[2:]: value for name, value in posted.items() if name.startswith("c.")}
            reasons = {name[2:]: value for name, value in posted.items() if name.startswith("r.") and value}
            own = {name for name, value in choices.items() if value == "NEITHER"}
            items = {name: datum for name, datum in _typed(view.form, posted).items() if name in own}
            picked = cast("Mapping[str, Choice]", choices)
            command = SettleEntries(subject, *place.instance(), base, picked, items, reasons)
        case "withdraw":
            command = WithdrawEntries(subject, *place.instance(), base, posted.get("reason", ""))
        case _:
            return _refused(problem("pages.request-not-understood"))
    return desk().submit(who, command, key=key)


def _refused(*said: Problem) -> Outcome:
    return Outcome(accepted=False, problems=said)


def _typed(view: FormView, posted: Mapping[str, str]) -> dict[str, Datum]:
    """The items that were filled in."""
    given = {item.id: (item, fields) for item in view.items if (fields := entry.posted_fields(item, posted))}
    read = {name: entry.datum(item, fields) for name, (item, fields) in given.items()}
    return {name: datum for name, datum in read.items() if datum.value or datum.missing}


def _page(
    request: Asked,
    place: Place,
    view: DoubleView,
    *,
    shown: tuple[Problem, ...] = (),
    posted: Mapping[str, str] | None = None,
) -> HttpResponse:
    """The page, with what was typed where it was refused, also where it is too late to type anything here."""
    label, _, tone = STAGES[view.twice.stage]
    reader = sheet.Reader(request.language, answers=False, closes=False, number=place.number)
    rows = sheet.rows(view.sheet, reader, shown, posted) if view.sheet is not None else []
    differing = [_apart(line, view, reader, shown, posted or {}) for line in view.lines if line.differs]
    beside = {row.item.id for row in rows} | {one["id"] for one in differing if view.may_settle}
    context = {
        "view": view,
        "place": place,
        "path": _path(place),
        "sources": subject_path(place.number, "sources", *place.instance()),
        "stage_key": label,
        "tone": tone,
        "rows": rows,
        "rules": json.dumps(view.sheet.rules, ensure_ascii=False) if view.sheet is not None else "",
        "differing": differing,
        "alike": [line for line in view.lines if not line.differs],
        "problems": [one for one in shown if one.where not in beside] + _counted(shown, beside),
        "dated": view.form.dated,
        "typed_twice": True,
        "unkept": _unkept(view, posted or {}),
        "off": "",
        "given": posted or {},
        "key": new_key(),
        "at": "subjects",
    }
    status = problems.status_of(shown) if shown else 200
    return render(request, "web/double.html", context, status=status)


def _unkept(view: DoubleView, posted: Mapping[str, str]) -> list[tuple[ItemView, str]]:
    """What somebody typed for an entry that cannot be handed in any more: shown once, so that it can be copied."""
    if view.sheet is not None or posted.get("do") != "enter":
        return []
    items = {item.id: item for item in view.form.items}
    typed = _typed(view.form, posted)
    return [(items[name], datum.value or datum.missing or "") for name, datum in typed.items()]


def _counted(shown: tuple[Problem, ...], beside: set[object]) -> list[Problem]:
    """How many items have something said beside them, so that nobody has to look for it."""
    count = len({one.where for one in shown if one.where in beside})
    return [problem("double.look-below", n=count)] if count else []


def _apart(
    line: DoubleLine,
    view: DoubleView,
    reader: sheet.Reader,
    shown: tuple[Problem, ...],
    posted: Mapping[str, str],
) -> dict[str, object]:
    """One item that differs: what was typed, what may be chosen, and the fields for neither."""
    name = line.item.id
    empty = replace(
        line.item, value=Datum(), shown=None, visible=True, offer=None, copied=None, required=False
    )
    blank = replace(view.form, items=(empty,), editable=True)
    (row,) = sheet.rows(blank, reader, (), posted)
    words = {"FIRST": line.first, "SECOND": line.second}
    chosen = posted.get(f"c.{name}", "")
    return {
        "id": name,
        "line": line,
        "row": replace(row, head=None),
        "choices": [
            {"code": code, "label": label, "shown": words.get(code), "chosen": code == chosen}
            for code, label in CHOICES
        ],
        "choice_key": f"double.took-{(line.choice or 'none').lower()}",
        "problems": [one for one in shown if one.where == name],
        "reason": posted.get(f"r.{name}", ""),
    }


@require_GET
@signed
def doubles(request: Asked, who: Who) -> HttpResponse:
    """The double entries of the reader's sites, and how often the two differed."""
    view = found(desk().doubles(who, request.GET.get("state", "pending"), request.GET.get("after", "")))
    lines = []
    for row in view.rows:
        label, icon, tone = STAGES[row.state]
        path_of = _path(Place(row.number, *row.place))
        lines.append({"row": row, "path": path_of, "label": label, "icon": icon, "tone": tone})
    context = {
        "view": view,
        "lines": lines,
        "states": [
            {"code": code, "label": f"double.filter-{code}", "count": view.counts[code]} for code in FILTERS
        ],
        "after": f"/double?state={view.state}&after={view.after}" if view.after else "",
        "at": "subjects",
    }
    return render(request, "web/doubles.html", context)


urlpatterns: list[URLPattern] = [
    path("double", doubles),
    path("subjects/<str:number>/double/<str:visit>/<str:form>/<int:repeat>", double),
]
