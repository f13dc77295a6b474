"""Scans of paper sources: attached to a form, looked through, taken back, and handed out as files.

The rules that must stay true: a scan is never shown as part of a page of ours: it is handed out as a file to be saved,
with its type fixed by its content and everything in it forbidden to run; a refused file leaves the page as it was.
"""

from __future__ import annotations

from urllib.parse import quote

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET, require_http_methods

from equipoise.access.commands import Who
from equipoise.capture.attachments.commands import WithdrawSource
from equipoise.capture.attachments.content import too_large
from equipoise.capture.evolve import Place
from equipoise.desk.sources_page import SourcesView
from equipoise.desk.views import Outcome
from equipoise.pages.uploads import content_of
from equipoise.web import problems
from equipoise.web.request import Asked, at_site, desk
from equipoise.web.views.reading import form_path, found, new_key, signed, subject_path
from equipoise.words.problem import Problem, problem

SANDBOX = "default-src 'none'; sandbox"
"""What a handed-out file may do in a browser that opens it all the same: nothing."""


@require_http_methods(["GET", "POST"])
@signed
def sources(request: Asked, who: Who, number: str, visit: str, form: str, repeat: int) -> HttpResponse:
    """The scans of one form: looked through, added to, taken back."""
    place = Place(visit, form, repeat)
    view = found(desk().sources(who, number, place))
    shown: tuple[Problem, ...] = ()
    if request.method == "POST":
        withdraws = request.POST.get("do") == "withdraw"
        outcome = (
            _withdraw(request, who, number, place)
            if withdraws
            else _attach(request, who, number, place, view)
        )
        if outcome.accepted:
            return redirect(subject_path(number, "sources", *place))
        shown = outcome.problems
    context = {
        "view": view,
        "lines": [
            {"one": one, "at": at_site(one.at, view.site), "size": f"{one.size / 1_000_000:.1f}"}
            for one in view.sources
        ],
        "problems": shown,
        "path": subject_path(number, "sources", *place),
        "back": form_path(number, (visit, form, str(repeat))),
        "kinds": ", ".join(view.kinds),
        "key": new_key(),
        "at": "subjects",
    }
    return render(request, "web/sources.html", context, status=problems.status_of(shown) if shown else 200)


def _attach(request: Asked, who: Who, number: str, place: Place, view: SourcesView) -> Outcome:
    file = request.FILES.get("file")
    if file is None:
        return Outcome(accepted=False, problems=(problem("attachments.choose", "file"),))
    data = content_of(file)
    if isinstance(data, int):
        return Outcome(accepted=False, problems=(too_large(data, view.largest_mb),))
    key = request.POST.get("key") or new_key()
    return desk().attach(who, number, place, file.name or "", data, key=key)


def _withdraw(request: Asked, who: Who, number: str, place: Place) -> Outcome:
    subject = found(desk().subject_id(number))
    posted = request.POST
    command = WithdrawSource(subject, *place, posted.get("source", ""), posted.get("reason", ""))
    return desk().submit(who, command, key=posted.get("key") or new_key())


@require_GET
@signed
def source(
    request: Asked, who: Who, number: str, visit: str, form: str, repeat: int, wanted: str
) -> HttpResponse:
    """One scan, as a file to be saved."""
    made = desk().source_file(who, number, Place(visit, form, repeat), wanted)
    if made is None:
        raise problems.missing()
    if isinstance(made, Problem):
        raise problems.Shown(made)
    answer = HttpResponse(made.data, content_type=made.media)
    answer["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(made.name, safe='')}"
    answer["Content-Security-Policy"] = SANDBOX
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cross-Origin-Resource-Policy"] = "same-origin"
    return answer


_PLACE = "subjects/<str:number>/sources/<str:visit>/<str:form>/<int:repeat>"
urlpatterns: list[URLPattern] = [
    path(_PLACE, sources),
    path(f"{_PLACE}/<str:wanted>", source),
]
