"""Documents of the first door, as PDF: the study's forms on paper, and a participant's opened codes."""

from __future__ import annotations

from typing import cast
from urllib.parse import quote

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET

from equipoise.access.commands import Who
from equipoise.desk.break_report import break_report
from equipoise.desk.casebook_paper import casebook_paper
from equipoise.desk.desk import Desk
from equipoise.desk.paper_forms import paper_forms
from equipoise.web.request import Asked, desk
from equipoise.web.views.reading import found, signed


@require_GET
@signed
def papers(request: Asked, who: Who) -> HttpResponse:
    """What can be printed of the study: every form, or one of them, blank or annotated."""
    forms = [(form.id, form.label) for form in desk().study.forms]
    return render(request, "web/papers.html", {"forms": forms, "at": "papers"})


@require_GET
@signed
def forms_on_paper(request: Asked, who: Who) -> HttpResponse:
    """Case report forms in the reader's language."""
    annotated, form = request.GET.get("annotated") == "1", request.GET.get("form") or None
    made = found(paper_forms(cast(Desk, desk()), form, request.language, annotated=annotated))
    name = "-".join(
        ["crf", *(["annotated"] if annotated else []), *([form] if form else []), request.language]
    )
    return _pdf(made, f"{name}.pdf")


@require_GET
@signed
def casebook(request: Asked, who: Who, number: str) -> HttpResponse:
    """A participant's casebook in the reader's language, with the audit trail unless it is asked for without."""
    trail = request.GET.get("trail") != "0"
    made = found(casebook_paper(cast(Desk, desk()), who, number, request.language, trail=trail))
    return _pdf(made, f"casebook-{quote(number)}.pdf")


@require_GET
@signed
def opened_codes(request: Asked, who: Who, number: str) -> HttpResponse:
    """Who asked for a participant's code, why, when, and who learnt it."""
    return _pdf(found(break_report(cast(Desk, desk()), who, number)), "opened-codes.pdf")


def _pdf(made: bytes, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'inline; filename="{name}"'}
    return HttpResponse(made, content_type="application/pdf", headers=headers)


urlpatterns: list[URLPattern] = [
    path("papers", papers),
    path("papers/crf.pdf", forms_on_paper),
    path("subjects/<str:number>/casebook.pdf", casebook),
    path("subjects/<str:number>/blind.pdf", opened_codes),
]
