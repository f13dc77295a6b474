"""Documents of the first door, as PDF: the report of a participant's opened codes, for the trial file."""

from __future__ import annotations

from typing import cast

from django.http import HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET

from equipoise.access.commands import Who
from equipoise.desk.break_report import break_report
from equipoise.desk.desk import Desk
from equipoise.web.request import Asked, desk
from equipoise.web.views.reading import found, signed


@require_GET
@signed
def opened_codes(request: Asked, who: Who, number: str) -> HttpResponse:
    """Who asked for a participant's code, why, when, and who learnt it."""
    made = found(break_report(cast(Desk, desk()), who, number))
    headers = {"Content-Disposition": 'inline; filename="opened-codes.pdf"'}
    return HttpResponse(made, content_type="application/pdf", headers=headers)


urlpatterns: list[URLPattern] = [path("subjects/<str:number>/blind.pdf", opened_codes)]
