"""Reference ranges of a site's laboratory, and an event opened from a laboratory value.

The rules that must stay true: a file is recorded whole or not at all; what was sent stays on the page with every fault
of it; a value becomes an event only by a person's hand.
"""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods

from equipoise.access.commands import Who
from equipoise.capture.commands import RecordForm
from equipoise.ledger.entries import Datum
from equipoise.oversight.commands import RecordRanges
from equipoise.oversight.ranges import COLUMNS
from equipoise.web import problems
from equipoise.web.request import Asked, desk
from equipoise.web.views.reading import found, new_key, signed, subject_path
from equipoise.words.problem import Problem, problem

FILE_AT_MOST = 1_000_000
"""Bytes of a file of ranges."""


@require_http_methods(["GET", "POST"])
@signed
def ranges(request: Asked, who: Who, site: str) -> HttpResponse:
    """The ranges of a site: shown, and recorded from a file."""
    view = found(desk().ranges(who, site))
    shown: tuple[Problem, ...] = ()
    posted = {name: str(value) for name, value in request.POST.items()}
    if request.method == "POST":
        text = _sent(request)
        if isinstance(text, Problem):
            shown = (text,)
        else:
            posted["text"] = text
            command = RecordRanges(site, posted.get("laboratory", ""), text, posted.get("reason", "").strip())
            outcome = desk().submit(who, command, key=posted.get("key") or new_key())
            if outcome.accepted:
                return redirect(f"/sites/{site}/ranges?saved=1")
            shown = outcome.problems
        view = found(desk().ranges(who, site))
    context = {
        "view": view,
        "columns": ", ".join(COLUMNS),
        "posted": posted,
        "problems": shown,
        "just_saved": "saved" in request.GET,
        "key": new_key(),
        "at": "subjects",
    }
    return render(request, "web/ranges.html", context, status=problems.status_of(shown) if shown else 200)


def _sent(request: Asked) -> str | Problem:
    """The table, from the file that was chosen or from the box."""
    file = request.FILES.get("file")
    if file is None:
        return str(request.POST.get("text", "")).replace("\r\n", "\n")
    if (file.size or 0) > FILE_AT_MOST:
        return problem("oversight.ranges-too-large", "text", limit=FILE_AT_MOST // 1000)
    try:
        return str(file.read().decode("utf-8-sig")).replace("\r\n", "\n")
    except UnicodeDecodeError:
        return problem("oversight.ranges-not-a-table", "text")


@require_http_methods(["GET", "POST"])
@signed
def new_event(request: Asked, who: Who, number: str) -> HttpResponse:
    """An event begun from a value that was called significant: both answers shown, then a row of the log."""
    where = request.GET.get("of", "") if request.method == "GET" else str(request.POST.get("of", ""))
    visit, _, rest = where.partition("/")
    form, _, rest = rest.partition("/")
    repeat, _, item = rest.partition("/")
    offer = found(
        desk().event_offer(who, number, visit, form, int(repeat) if repeat.isdecimal() else 0, item)
    )
    shown: tuple[Problem, ...] = ()
    given = {"term": offer.term[2].say(request.language), "start": offer.start[2]}
    if request.method == "POST":
        given = {name: str(request.POST.get(name, "")) for name in given}
        items = {offer.term[0]: Datum(given["term"] or None), offer.start[0]: Datum(given["start"] or None)}
        subject = found(desk().subject_id(number))
        command = RecordForm(subject, "LOG", offer.form, offer.row, items, 0)
        outcome = desk().submit(who, command, key=str(request.POST.get("key")) or new_key())
        if outcome.accepted:
            return redirect(subject_path(number, "forms", "LOG", offer.form, offer.row))
        shown = outcome.problems
    context = {
        "offer": offer,
        "number": number,
        "of": where,
        "back": subject_path(number, "forms", visit, form),
        "given": given,
        "problems": shown,
        "key": new_key(),
        "at": "subjects",
    }
    return render(request, "web/new_event.html", context, status=problems.status_of(shown) if shown else 200)


urlpatterns: list[URLPattern] = [
    path("sites/<str:site>/ranges", ranges),
    path("subjects/<str:number>/events/new", new_event),
]
"""The addresses of reference ranges and of events begun from values."""
