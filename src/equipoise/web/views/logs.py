"""A running list of a participant: its rows, the review at a visit, and rows entered in error.

The rules that must stay true: every action is a plain form post, and what is refused leaves what was typed on the page;
a row is added and changed on its own form.
"""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods

from equipoise.access.commands import Who
from equipoise.capture.commands import RestoreRow, ReviewLog, VoidRow
from equipoise.desk.views import LogView
from equipoise.web import problems
from equipoise.web.request import Asked, desk
from equipoise.web.views.reading import found, new_key, signed, subject_path
from equipoise.words.problem import Problem, problem


@require_http_methods(["GET", "POST"])
@signed
def log(request: Asked, who: Who, number: str, form: str) -> HttpResponse:
    """The list: shown, or acted upon."""
    view = found(desk().log(who, number, form))
    at, shown = request.GET.get("at", ""), tuple[Problem, ...]()
    if request.method == "POST":
        at = request.POST.get("at", "")
        command = _command(request, found(desk().subject_id(number)), form)
        if isinstance(command, Problem):
            shown = (command,)
        else:
            outcome = desk().submit(who, command, key=request.POST.get("key") or new_key())
            if outcome.accepted:
                return redirect(subject_path(number, "logs", form) + "?saved=1")
            shown = outcome.problems
        view = found(desk().log(who, number, form))
    context = {
        "view": view,
        "here": subject_path(number, "logs", form),
        "add": subject_path(number, "forms", "LOG", form, view.next_row),
        "counted": [line for line in view.lines if line.voided is None],
        "voided": [line for line in view.lines if line.voided is not None],
        "asked_at": at or _first_open(view),
        "problems": shown,
        "given": request.POST,
        "just_saved": "saved" in request.GET,
        "key": new_key(),
        "at": "subjects",
    }
    return render(request, "web/log.html", context, status=problems.status_of(shown) if shown else 200)


def _first_open(view: LogView) -> str:
    """The first visit at which nobody has gone through the list."""
    return next((f"{visit}:{repeat}" for visit, _, repeat, done in view.visits if not done), "")


def _command(request: Asked, subject: str, form: str) -> ReviewLog | VoidRow | RestoreRow | Problem:
    posted = request.POST
    match posted.get("do"):
        case "review" | "none":
            visit, _, repeat = posted.get("at", "").partition(":")
            which = int(repeat) if repeat.isdecimal() else 1
            return ReviewLog(subject, visit, form, which, none=posted.get("do") == "none")
        case "void" | "restore":
            visit, _, repeat = posted.get("row", "").partition(":")
            row = int(repeat) if repeat.isdecimal() else 0
            kind = VoidRow if posted.get("do") == "void" else RestoreRow
            return kind(subject, visit, form, row, posted.get("reason", "").strip())
        case _:
            return problem("pages.request-not-understood")


urlpatterns: list[URLPattern] = [path("subjects/<str:number>/logs/<str:form>", log)]
"""The addresses of running lists."""
