"""The audit trail: searched, a page at a time, and marked as reviewed."""

from __future__ import annotations

import datetime as dt
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods

from equipoise.access.commands import Who
from equipoise.access.phones import PHONES, sender_label
from equipoise.desk.audit import AuditLine, Search, kind_key
from equipoise.oversight.commands import ReviewAudit
from equipoise.web import problems
from equipoise.web.request import Asked, desk
from equipoise.web.site_time import at_the_site
from equipoise.web.views.reading import form_path, found, may, new_key, signed
from equipoise.words.clock import local
from equipoise.words.problem import Problem, problem, say

FIELDS = ("number", "actor", "kind", "form", "item", "words", "since", "until")


@require_http_methods(["GET", "POST"])
@signed
def audit(request: Asked, who: Who) -> HttpResponse:
    """The trail, newest first; a mark of having reviewed a range is posted here."""
    asked = {name: request.GET.get(name, "").strip() for name in FIELDS}
    zone = desk().study.zone_of(None)
    since, until = _moment(asked["since"], zone), _moment(asked["until"], zone)
    shown = [one for one in (since, until) if isinstance(one, Problem)]
    search = Search(
        asked["number"], asked["actor"], asked["kind"], asked["form"], asked["item"], asked["words"],
        since if isinstance(since, dt.datetime) else None,
        until if isinstance(until, dt.datetime) else None,
    )  # fmt: skip
    view = found(desk().audit(who, search, request.GET.get("after", "")))
    if request.method == "POST":
        shown += _review(request, who, zone)
        if not shown:
            return redirect(f"/audit?{urlencode({name: value for name, value in asked.items() if value})}")
    query = urlencode({name: value for name, value in asked.items() if value})
    study = desk().study
    context = {
        "view": view,
        "lines": [_line(one) for one in view.lines],
        "reviews": [
            {
                "one": one,
                "at": local(one.at, zone),
                "since": local(one.entry.since, zone),
                "until": local(one.entry.until, zone),
            }
            for one in view.reviews
        ],
        "kinds": sorted(
            ((kind, say(kind_key(kind), request.language)) for kind in view.kinds), key=lambda one: one[1]
        ),
        "asked": asked,
        "forms": [(form.id, form.label) for form in study.forms],
        "more": f"/audit?{query}&{urlencode({'after': view.after})}" if view.after else "",
        "first": f"/audit?{query}" if request.GET.get("after") else "",
        "zone": zone,
        "may_review": may(who, "ReviewAudit"),
        "given": request.POST,
        "key": new_key(),
        "problems": tuple(shown),
        "at": "audit",
    }
    return render(
        request, "web/audit.html", context, status=problems.status_of(tuple(shown)) if shown else 200
    )


def _review(request: Asked, who: Who, zone: str) -> list[Problem]:
    posted = {name: request.POST.get(name, "").strip() for name in ("since", "until", "number", "note")}
    subject = desk().subject_id(posted["number"]) if posted["number"] else ""
    if subject is None:
        return [problem("web.nobody-found", "number", q=posted["number"])]
    since, until = at_the_site(posted["since"], zone), at_the_site(posted["until"], zone)
    command = ReviewAudit(subject, since, until, posted["note"])
    return list(desk().submit(who, command, key=request.POST.get("key") or new_key()).problems)


def _moment(typed: str, zone: str) -> dt.datetime | Problem | None:
    if not typed:
        return None
    try:
        found = dt.datetime.fromisoformat(at_the_site(typed, zone))
    except ValueError:
        return problem("audit.moment-unfit", given=typed)
    return found if found.tzinfo is not None else problem("audit.moment-unfit", given=typed)


def _line(one: AuditLine) -> dict[str, object]:
    place = one.place if one.number and one.place is not None else None
    return {
        "one": one,
        "role": sender_label(one.role),
        "phone": one.role in PHONES,
        "kind_key": kind_key(one.kind),
        "where": "" if place is None else form_path(one.number, (place[0], place[1], str(place[2]))),
        "items": ", ".join(one.items),
    }


urlpatterns: list[URLPattern] = [path("audit", audit)]
