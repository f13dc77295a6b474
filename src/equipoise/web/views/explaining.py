"""Why a query was raised: as a page, and as a part for the panel beside a form."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET

from equipoise.access.commands import Who
from equipoise.web.request import Asked, desk
from equipoise.web.sheet import part_context
from equipoise.web.views.reading import found, signed, subject_path


@require_GET
@signed
def why(request: Asked, who: Who, number: str, query: str) -> HttpResponse:
    """The rule, part by part, with the values that it saw then."""
    view = found(desk().explain(who, number, query))
    visit, form, repeat = view.place
    back = subject_path(number, "forms", visit, form, *(() if repeat == "1" else (repeat,)))
    context = {
        **part_context(view),
        "back": back,
        "at": "queries",
    }
    return render(
        request, "web/explain_part.html" if request.GET.get("part") else "web/explain.html", context
    )


urlpatterns: list[URLPattern] = [path("queries/<str:number>/<str:query>/why", why)]
