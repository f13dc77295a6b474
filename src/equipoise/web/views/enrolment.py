"""The flow of participants and enrolment against its plan: live, and the same for whoever is blinded."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET

from equipoise.access.commands import Who
from equipoise.desk.flow import EnrolmentView
from equipoise.documents.enrolment import Curve, enrolment_svg
from equipoise.web.request import Asked, desk
from equipoise.web.views.reading import found, signed


@require_GET
@signed
def enrolment(request: Asked, who: Who) -> HttpResponse:
    """Both on one page."""
    view, flow = found(desk().enrolment(who)), found(desk().flow(who))
    months: dict[str, int] = {}
    for day, count in view.days:
        months[f"{day:%Y-%m}"] = count
    context = {"view": view, "flow": flow, "months": months.items(), "at": "enrolment"}
    return render(request, "web/enrolment.html", context)


@require_GET
@signed
def curve(request: Asked, who: Who) -> HttpResponse:
    """The curve of enrolment."""
    made = enrolment_svg(_curve(found(desk().enrolment(who))), request.language)
    return HttpResponse(made, content_type="image/svg+xml")


def _curve(view: EnrolmentView) -> Curve:
    plan, expected = view.plan, view.forecast
    return Curve(
        view.days,
        view.today,
        plan.target if plan is not None else None,
        (plan.opened, plan.ends) if plan is not None else None,
        (expected.early, expected.likely, expected.late) if expected is not None else None,
    )


urlpatterns: list[URLPattern] = [path("enrolment", enrolment), path("enrolment.svg", curve)]
