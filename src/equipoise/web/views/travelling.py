"""Moving the time of a rehearsal on: the bar's buttons, the page while time passes, stories, and the report at the end.

The rules that must stay true: a store without somebody who plays has none of these pages; pressing a button twice moves
time once; whoever pressed comes back to where they were; the report is shown only once the trial is over.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Sequence
from typing import cast
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET, require_POST

from equipoise.access.roles import ROLES
from equipoise.desk.desk import Desk
from equipoise.desk.stories import Story, stories
from equipoise.desk.views import Persona
from equipoise.pages.entrance import inside, onward_to
from equipoise.web import problems
from equipoise.web.request import Asked, desk
from equipoise.web.travel import TRAVELLING, Travel, journey
from equipoise.words.problem import Problem, problem

AT_ONCE_SECONDS = 1.5
"""A turn that is over by then shows no page of its own."""
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"
"""The report's pages carry their style with them, and nothing that runs."""


def _travel() -> Travel:
    found = journey()
    if found is None:
        raise problems.missing()
    return found


@require_GET
def told(request: Asked) -> HttpResponse:
    """Where time stands, stories worth finding, what was passed over, and the report once there is one."""
    travel = _travel()
    if travel.standing().state == "PLAYS":
        return redirect(f"{TRAVELLING}/time?{urlencode({'back': TRAVELLING})}")
    people = desk().personas()
    found = [_shown(one, people) for one in stories(cast(Desk, desk()))]
    report = [name for name in ("en", "zh") if (travel.report / f"report.{name}.html").is_file()]
    return render(request, "web/rehearsal.html", {"stories": found, "report": report, "at": "rehearsal"})


def _shown(one: Story, people: Sequence[Persona]) -> dict[str, object]:
    """A story with the first person who may look at its page."""
    may = [
        each for each in people if each.role == one.role and (not one.site or each.site in (one.site, None))
    ]
    role = ROLES.get(one.role)
    return {
        "says": Problem(one.key, "", one.told), "path": one.path, "person": may[0] if may else None,
        "role": role.label if role else None,
    }  # fmt: skip


@require_POST
def move_on(request: Asked) -> HttpResponse:
    """Let time pass: a day, a week, or to the lock."""
    travel, back = _travel(), request.POST.get("back", "/")
    begun = travel.move(request.POST.get("step", ""))
    if not begun and travel.standing().state != "PLAYS":
        raise problems.Shown(problem("travel.not-now"))
    if travel.wait(AT_ONCE_SECONDS):
        return onward_to(TRAVELLING if travel.standing().state in ("STUCK", "ENDED") else back, "/")
    return redirect(f"{TRAVELLING}/time?{urlencode({'back': back})}")


@require_GET
def passing(request: Asked) -> HttpResponse:
    """How far time has passed; once it has, back to where one was."""
    travel, back = _travel(), inside(request.GET.get("back", "/"), "/")
    standing, lost = travel.standing(), bool(request.GET.get("lost"))
    if standing.state != "PLAYS" and not lost:
        return onward_to(TRAVELLING if standing.state in ("STUCK", "ENDED") else back, "/")
    context = {"back": back, "lost": lost, "playing": standing.state == "PLAYS"}
    return render(request, "web/time_passes.html", context)


@require_GET
def report(request: Asked, name: str) -> HttpResponse:
    """A file of the report."""
    folder = _travel().report.resolve()
    file = (folder / name).resolve()
    if not file.is_relative_to(folder) or not file.is_file():
        raise problems.missing()
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    shown = kind if kind != "text/html" else "text/html; charset=utf-8"
    return HttpResponse(
        file.read_bytes(), content_type=shown, headers={"Content-Security-Policy": REPORT_POLICY}
    )


urlpatterns: list[URLPattern] = [
    path("rehearsal", told),
    path("rehearsal/on", move_on),
    path("rehearsal/time", passing),
    path("rehearsal/report/<path:name>", report),
]
