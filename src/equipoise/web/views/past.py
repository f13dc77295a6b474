"""A subject's pages as they stood at a past moment, `?asof=2026-08-01T12:00` in the site's time, only to be read."""

from __future__ import annotations

import datetime as dt
import re

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString

from equipoise.access.commands import Who
from equipoise.desk.views import ItemView
from equipoise.web import problems
from equipoise.web.door import PastDoor
from equipoise.web.matrix import legend, matrix
from equipoise.web.request import Asked, at_site, desk
from equipoise.web.site_time import at_the_site
from equipoise.web.views.reading import found, subject_path
from equipoise.words.problem import problem
from equipoise.words.text import Text

_FORM = re.compile(r'href="(/subjects/[^"?]+/forms/[^"?]+)"')
_ELSEWHERE = re.compile(r'<a ([^>]*)href="/subjects/[^"]+/(?:visits|logs)/[^"]*"([^>]*)>(.*?)</a>', re.DOTALL)


def asked(request: Asked) -> bool:
    """Whether the page is asked for as it stood at a moment."""
    return request.method == "GET" and bool(request.GET.get("asof"))


def casebook(request: Asked, who: Who, number: str) -> HttpResponse:
    """The matrix as it stood."""
    past, site = _past(request, who, number)
    view = found(past.subject(who, number))
    drawn = _FORM.sub(rf'href="\1?asof={_typed(request)}"', matrix(view, request.language))
    drawn = _ELSEWHERE.sub(lambda one: f"<span {_named(one[1] + one[2])}>{one[3]}</span>", drawn)
    context = {"view": view, "matrix": SafeString(drawn), "legend": legend(request.language)}
    return _page(request, "web/past_casebook.html", number, site, past, context)


def form(request: Asked, who: Who, number: str, visit: str, form: str, repeat: int) -> HttpResponse:
    """A form as it stood: each item with its value."""
    past, site = _past(request, who, number)
    view = found(past.form(who, number, visit, form, repeat))
    items = [{"item": item, "value": _value(item)} for item in view.items if item.visible]
    context = {"view": view, "items": items, "state_key": f"web.state-{view.state.replace('_', '-')}"}
    return _page(request, "web/past_form.html", number, site, past, context)


def eligibility(request: Asked, who: Who, number: str) -> HttpResponse:
    """The checklist as it stood."""
    past, site = _past(request, who, number)
    view = found(past.checklist(who, number))
    return _page(request, "web/past_checklist.html", number, site, past, {"view": view})


def _past(request: Asked, who: Who, number: str) -> tuple[PastDoor, str]:
    """The desk as it stood then, and the subject's site. Who may not see the casebook finds nothing."""
    site = found(desk().subject(who, number)).site
    try:
        moment = dt.datetime.fromisoformat(at_the_site(request.GET["asof"], desk().study.zone_of(site)))
    except ValueError as fault:
        raise problems.Shown(problem("audit.moment-unfit", "asof", given=request.GET["asof"])) from fault
    if moment.tzinfo is None:
        raise problems.Shown(problem("audit.moment-unfit", "asof", given=request.GET["asof"]))
    return desk().as_of(moment), site


def _page(
    request: Asked, template: str, number: str, site: str, past: PastDoor, more: dict[str, object]
) -> HttpResponse:
    context = {
        "number": number,
        "moment": at_site(past.moment.isoformat(), site),
        "asof": _typed(request),
        "now": subject_path(number),
        "here": request.path,
        "at": "subjects",
        **more,
    }
    return render(request, template, context)


def _typed(request: Asked) -> str:
    """The moment as a field for date and time holds it."""
    return re.sub(r"[^0-9T:-]", "", request.GET["asof"])[:16]


def _named(attributes: str) -> str:
    """The attributes of a link that leads nowhere in the past: a name needs a role then."""
    return f'{attributes} role="img"' if "aria-label" in attributes else attributes


def _value(item: ItemView) -> Text | str:
    """What an item held, in words."""
    datum = item.value
    for option in (*item.options, *item.missing):
        if option.code in {datum.value, datum.missing}:
            return option.label
    return item.shown or ""
