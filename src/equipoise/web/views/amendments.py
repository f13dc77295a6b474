"""Versions of the definition: which counts where, what the newest touches, new checks over old data; and listings."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods

from equipoise.access.commands import Who
from equipoise.capture.questions import named
from equipoise.desk.batches import Filter, Line, Wanted
from equipoise.desk.log_page import LOG_LABEL
from equipoise.oversight.commands import AdoptVersion, ApproveVersion
from equipoise.protocol.study import Study
from equipoise.web import problems
from equipoise.web.request import Asked, desk
from equipoise.web.views.reading import form_path, found, may, new_key, signed
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text

SHOWN = 200
"""Lines of a listing that a page shows; a question goes to all of them."""
HOLDS: tuple[Wanted, ...] = ("ANY", "VALUE", "MISSING", "EMPTY", "EQUAL")


@require_http_methods(["GET", "POST"])
@signed
def amendments(request: Asked, who: Who) -> HttpResponse:
    """Released versions by site; approvals, adoptions and queries of new checks are posted here."""
    view = found(desk().amendments(who))
    shown: tuple[Problem, ...] = ()
    if request.method == "POST":
        shown, onward = _posted(request, who)
        if not shown:
            return redirect(onward)
        view = found(desk().amendments(who))
    context = {
        "view": view,
        "newest": view.versions[-1][0],
        "may_adopt": may(who, "AdoptVersion"),
        "may_move": may(who, "MoveSubject"),
        "may_open": may(who, "RaiseFindings"),
        "changes": [change.say(request.language) for change in view.changes],
        "hits": [
            {"hit": hit, "path": form_path(hit.number, hit.place[:3]) if len(hit.place) > 2 else ""}
            for hit in view.hits
        ],
        "total": sum(group[5] for group in view.findings),
        "given": request.POST,
        "opened": _counts(request.GET, "queries", "participants"),
        "key": new_key(),
        "problems": shown,
        "at": "amendments",
    }
    return render(request, "web/amendments.html", context, status=problems.status_of(shown) if shown else 200)


def _counts(given: QueryDict, *names: str) -> list[str] | None:
    """Counts that stand in an address for what was done; None where they are none."""
    found = [given.get(name, "") for name in names]
    return found if all(each.isascii() and each.isdigit() and len(each) < 6 for each in found) else None


def _posted(request: Asked, who: Who) -> tuple[tuple[Problem, ...], str]:
    """What stands in the way of what was posted, and the page that tells of it where nothing does."""
    posted, key = request.POST, request.POST.get("key") or new_key()
    site, version = posted.get("site", ""), posted.get("version", "")
    match posted.get("do"):
        case "approve":
            command: object = ApproveVersion(site, version, posted.get("approval", ""), posted.get("on", ""))
        case "adopt":
            staying = posted.get("existing") == "STAY"
            command = AdoptVersion(site, version, posted.get("on", ""), "STAY" if staying else "MOVE")
        case "open":
            chosen = posted.getlist("group")
            if not chosen:
                return (problem("web.choose-one", "group"),), ""
            came = desk().open_chosen(who, chosen, key=key)
            return came.problems, f"/amendments?queries={came.queries}&participants={came.participants}"
        case _:
            return (problem("web.choose-one", "do"),), ""
    return desk().submit(who, command, key=key).problems, "/amendments"


@require_http_methods(["GET", "POST"])
@signed
def listing(request: Asked, who: Who) -> HttpResponse:
    """A listing over forms; a question about all of it is shown dry, then asked."""
    given = request.POST if request.method == "POST" else request.GET
    wanted = _filter(given)
    lines = found(desk().listing(who, wanted))
    text, step = given.get("text", "").strip(), given.get("do", "")
    due, asked = lines, None
    shown: tuple[Problem, ...] = ()
    if request.method == "POST" and step in {"look", "ask"}:
        due = desk().still_to_ask(lines, text)
        if not text:
            shown = (problem("capture.text-required", "text"),)
        elif step == "ask":
            came = desk().ask_many(who, lines, text, key=request.POST.get("key") or new_key())
            shown, asked = came.problems, came
    elif request.method == "POST":
        shown = (problem("web.choose-one", "do"),)
    study = desk().study
    form = study.form(wanted.form)
    context = {
        "wanted": wanted,
        "lines": [_listed(study, line) for line in lines[:SHOWN]],
        "shown": min(len(lines), SHOWN),
        "count": len(lines),
        "due": len(due),
        "dry": step == "look" and not shown,
        "asked": asked if asked is not None and not shown else None,
        "text": text,
        "forms": [(one.id, one.label) for one in study.forms],
        "items": [(one.id, one.label) for one in form.items] if form is not None else [],
        "visits": [(one.id, one.label) for one in study.schedule.visits],
        "holds": [(one, f"amendments.holds-{one.lower()}") for one in HOLDS],
        "may_ask": may(who, "AskMany"),
        "key": request.POST.get("key") or new_key(),
        "problems": shown,
        "at": "listing",
    }  # fmt: skip
    return render(request, "web/listing.html", context, status=problems.status_of(shown) if shown else 200)


def _listed(study: Study, line: Line) -> dict[str, object]:
    place = line.place
    visit, form = study.visit(place.visit), study.form(place.form)
    return {
        "line": line,
        "visit": visit.label if visit is not None else LOG_LABEL,
        "form": form.label if form is not None else Text(place.form),
        "item": named(form, [line.item]) if line.item else None,
        "path": form_path(line.number, (place.visit, place.form, str(place.repeat))),
    }


def _filter(given: Mapping[str, str]) -> Filter:
    value = given.get("value", "").strip()
    holds: Wanted = next((one for one in HOLDS if one == given.get("holds")), "ANY")
    complete = {"yes": True, "no": False}.get(given.get("complete", ""))
    return Filter(
        given.get("form", ""),
        given.get("item", ""),
        given.get("visit", ""),
        given.get("site", ""),
        "EQUAL" if value else holds,
        value,
        complete,
    )


urlpatterns: list[URLPattern] = [path("amendments", amendments), path("listing", listing)]
