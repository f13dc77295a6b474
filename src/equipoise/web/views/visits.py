"""The pages of visits: the schedule of a participant, one visit, and recording what became of one.

The rule that must stay true: every step is a plain form to one address; where it is refused, the page that it came from
comes back with what was typed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET, require_http_methods

from equipoise.access.commands import Who
from equipoise.capture.commands import DateVisit, MissVisit, ReopenVisit
from equipoise.desk.views import DueVisit
from equipoise.desk.visit_pages import VisitForm, VisitLine
from equipoise.web import problems
from equipoise.web.matrix import LOOKS, VISITS, VisitLook
from equipoise.web.request import Asked, desk, whole_day
from equipoise.web.views.casebook import casebook_with
from equipoise.web.views.reading import form_path, found, new_key, signed, subject_path
from equipoise.words.problem import Problem, problem

MODES = ("clinic", "inpatient", "phone", "home", "remote")
HELD_BECAUSE = ("SAFETY", "REQUEST", "PLANNED", "OTHER")
"""Why a visit takes place that the plan does not have."""
MISSED_BECAUSE = ("UNREACHABLE", "REFUSED", "UNWELL", "TRAVEL", "SITE", "OTHER")

Command = DateVisit | MissVisit | ReopenVisit


@dataclass(frozen=True, slots=True)
class Line:
    """A visit as the template shows it."""

    line: VisitLine
    look: VisitLook
    path: str
    mode: str
    why: str


@require_http_methods(["GET", "POST"])
@signed
def visits(request: Asked, who: Who, number: str) -> HttpResponse:
    """The schedule of a participant; by POST, what became of a visit."""
    if request.method == "GET":
        return _schedule(request, who, number)
    subject = found(desk().subject_id(number))
    command = _command(subject, request.POST)
    shown: tuple[Problem, ...] = (command,) if isinstance(command, Problem) else ()
    if not isinstance(command, Problem):
        outcome = desk().submit(who, command, key=request.POST.get("key") or new_key())
        shown = outcome.problems
    back = request.POST.get("back", "casebook")
    visit, repeat = request.POST.get("visit", ""), _repeat(request.POST)
    if not shown:
        return redirect(subject_path(number) if back == "casebook" else visit_path(number, visit, repeat))
    if back == "casebook":
        return casebook_with(request, who, number, shown)
    if back == "visits" or desk().visit(who, number, visit, repeat) is None:
        return _schedule(request, who, number, shown)
    return _visit(request, who, number, visit, repeat, shown)


@require_GET
@signed
def visit(request: Asked, who: Who, number: str, visit: str, repeat: int = 1) -> HttpResponse:
    """One visit: when it is planned, how it stands, its forms."""
    return _visit(request, who, number, visit, repeat)


@require_GET
@signed
def due(request: Asked, who: Who) -> HttpResponse:
    """What is due across participants, the late ones first."""
    view = found(desk().due_visits(who, request.GET.get("site", "")))
    total = view.overdue + view.due + view.coming
    context = {
        "view": view,
        "lines": due_lines(view.lines),
        "tiles": [
            ("visits.overdue", view.overdue),
            ("visits.due", view.due),
            ("visits.coming", view.coming),
        ],
        "total": total,
        "more": total - len(view.lines),
        "at": "visits",
    }
    return render(request, "web/visits_due.html", context)


def due_lines(lines: Sequence[DueVisit]) -> list[dict[str, object]]:
    """Visits of a list, with address and look."""
    return [
        {
            "due": one,
            "look": VISITS[one.state],
            "path": visit_path(one.number, one.visit),
            "mode": f"visits.mode-{one.mode}",
            "over": str(-(one.left or 0)),
        }
        for one in lines
    ]


def _schedule(request: Asked, who: Who, number: str, shown: tuple[Problem, ...] = ()) -> HttpResponse:
    view = found(desk().schedule(who, number))
    context = {
        "view": view,
        "lines": [_line(number, line) for line in view.lines],
        "extra": [_line(number, line) for line in view.extra],
        "end_path": form_path(number, view.end_at) if view.end_at else "",
        "basis": f"visits.day-one-{view.basis.lower().replace('_', '-')}" if view.basis else "",
    }
    return _answer(request, "web/visits.html", context, shown)


def _visit(
    request: Asked, who: Who, number: str, visit: str, repeat: int, shown: tuple[Problem, ...] = ()
) -> HttpResponse:
    view = found(desk().visit(who, number, visit, repeat))
    line = _line(number, view.line)
    context = {
        "view": view,
        "one": line,
        "forms": [_form(number, view.line, each) for each in view.forms if each.asked],
        "others": [_form(number, view.line, each) for each in view.forms if not each.asked],
        "outside": str(abs(view.line.outside)),
    }
    return _answer(request, "web/visit.html", context, shown)


def _answer(
    request: Asked, page: str, context: dict[str, object], shown: tuple[Problem, ...]
) -> HttpResponse:
    context |= {
        "at": "subjects",
        "here": True,
        "key": new_key(),
        "problems": shown,
        "given": request.POST,
        "modes": [(mode, f"visits.mode-{mode}") for mode in MODES],
        "held_because": [(code, f"visits.held-{code.lower()}") for code in HELD_BECAUSE],
        "missed_because": [(code, f"visits.missed-{code.lower()}") for code in MISSED_BECAUSE],
    }
    return render(request, page, context, status=problems.status_of(shown) if shown else 200)


def _line(number: str, line: VisitLine) -> Line:
    why = ""
    if line.because:
        why = f"visits.{'missed' if line.state == 'MISSED' else 'held'}-{line.because.lower()}"
    return Line(
        line, VISITS[line.state], visit_path(number, line.id, line.repeat), f"visits.mode-{line.mode}", why
    )


def _form(number: str, line: VisitLine, form: VisitForm) -> dict[str, object]:
    repeat = str(line.repeat) if line.unscheduled else "1"
    look = LOOKS[form.state if form.state != "not_planned" else "not_started"]
    path = form_path(number, (line.id, form.form, repeat))
    if form.log:
        path = f"{subject_path(number, 'logs', form.form)}?at={quote(line.id)}"
    return {"form": form, "look": look, "path": path}


def visit_path(number: str, visit: str, repeat: int = 1) -> str:
    """Address of one visit."""
    return subject_path(number, "visits", visit, *([repeat] if repeat > 1 else []))


def _repeat(posted: Mapping[str, str]) -> int:
    given = posted.get("repeat", "1")
    return int(given) if given.isascii() and given.isdigit() and 0 < len(given) < 4 else 1


def _command(subject: str, posted: Mapping[str, str]) -> Command | Problem:
    """What is asked for, or why it cannot be read."""
    visit, repeat, reason = posted.get("visit", ""), _repeat(posted), posted.get("reason", "").strip()
    match posted.get("do", "date"):
        case "date":
            on = whole_day(posted)
            if isinstance(on, Problem):
                return on
            why = next((one for one in HELD_BECAUSE if one == posted.get("because")), "")
            # Any: checked against the same list that the command declares
            return DateVisit(subject, visit, on.iso(), repeat, posted.get("mode", ""), why, reason)  # type: ignore[arg-type]
        case "miss":
            because = next((one for one in MISSED_BECAUSE if one == posted.get("because")), None)
            if because is None:
                return problem("visits.choose-why", "because")
            return MissVisit(subject, visit, because, reason)  # type: ignore[arg-type]  # as above
        case "reopen":
            return ReopenVisit(subject, visit, repeat, reason)
        case _:
            return problem("visits.nothing-asked", "do")


urlpatterns: list[URLPattern] = [
    path("visits", due),
    path("subjects/<str:number>/visits", visits),
    path("subjects/<str:number>/visits/<str:visit>", visit),
    path("subjects/<str:number>/visits/<str:visit>/<int:repeat>", visit),
]
