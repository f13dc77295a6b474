"""A participant's blind at the first door: asking for one arm, what became of it, raters, drills; the release; reports.

The rules that must stay true: no page here can hold an arm, for nothing at this door knows one; asking is possible in
three steps on a telephone, and nothing but a wrong participant stops it; the link to the second door carries the
request's random id and nothing else.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Literal, cast

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET, require_http_methods

from equipoise.access.commands import Who
from equipoise.desk.code_breaks import BlindView, BreakLine, DrillView
from equipoise.oversight.commands import RecordReleaseCondition, SignRelease
from equipoise.randomization.commands import (
    AssignRater,
    CorrectStratum,
    RecordCardOpening,
    RequestCodeBreak,
    ReviewCodeBreak,
)
from equipoise.web import problems
from equipoise.web.request import Asked, desk
from equipoise.web.site_time import at_the_site
from equipoise.web.views.reading import found, new_key, signed, subject_path
from equipoise.words.clock import local
from equipoise.words.ids import random_id
from equipoise.words.problem import Problem, problem

Category = Literal["EMERGENCY", "SERIOUS_EVENT", "PREGNANCY", "OVERDOSE", "OTHER"]
CATEGORIES: Mapping[Category, str] = {
    "EMERGENCY": "blind.category-emergency",
    "SERIOUS_EVENT": "blind.category-serious-event",
    "PREGNANCY": "blind.category-pregnancy",
    "OVERDOSE": "blind.category-overdose",
    "OTHER": "blind.category-other",
}
HOW = {
    "ROLE": "blind.how-role",
    "CODE_SHOWN": "blind.how-code-shown",
    "CODE_ASKED": "blind.how-code-asked",
    "CODE_HELD": "blind.how-code-held",
    "THIRD_PERSON": "blind.how-third-person",
    "CARD_OPENED": "blind.how-card-opened",
    "CARD_WITNESSED": "blind.how-card-witnessed",
    "RELEASE": "blind.how-release",
}
CONDITIONS = {
    "DATABASE_LOCKED": "blind.condition-database-locked",
    "DEVIATIONS_CLASSED": "blind.condition-deviations-classed",
    "PLAN_SIGNED": "blind.condition-plan-signed",
    "SETS_SIGNED": "blind.condition-sets-signed",
}
LOOK_AGAIN_SECONDS = 5
"""How soon the page of a request looks whether it was answered."""


@require_http_methods(["GET", "POST"])
@signed
def unblind(request: Asked, who: Who, number: str) -> HttpResponse:
    """Ask for one participant's arm, in three steps on one page."""
    view = _for_asking(desk().blind(who, number))
    if request.method == "POST":
        subject = found(desk().subject_id(number))
        return _ask(request, who, _command(subject, request.POST), view, subject_path(number, "unblind"))
    return _asking(request, view, subject_path(number, "unblind"))


@require_http_methods(["GET", "POST"])
@signed
def drill(request: Asked, who: Who, site: str) -> HttpResponse:
    """The same three steps for a made-up participant."""
    view = _for_asking(desk().drills(who, site))
    if request.method == "POST":
        command = _command(f"drill-{site}", request.POST, drill_at=site)
        return _ask(request, who, command, view, f"/drills/{site}")
    return _asking(request, view, f"/drills/{site}")


@require_GET
@signed
def requested(request: Asked, who: Who, number: str, wanted: str) -> HttpResponse:
    """A request after it was recorded: on to the second door, or the paper card."""
    view = found(desk().blind(who, number))
    return _requested(request, view, view.breaks, wanted)


@require_GET
@signed
def drilled(request: Asked, who: Who, site: str, wanted: str) -> HttpResponse:
    """The same for a drill."""
    view = found(desk().drills(who, site))
    return _requested(request, view, view.latest, wanted)


@require_http_methods(["GET", "POST"])
@signed
def blind(request: Asked, who: Who, number: str) -> HttpResponse:
    """Everything that became of a participant's blind, and what is to be done about it."""
    shown: tuple[Problem, ...] = ()
    if request.method == "POST":
        command = _change(found(desk().subject_id(number)), request.POST, found(desk().blind(who, number)))
        if isinstance(command, Problem):
            shown = (command,)
        else:
            outcome = desk().submit(who, command, key=request.POST.get("key") or new_key())
            if outcome.accepted:
                return redirect(subject_path(number, "blind"))
            shown = outcome.problems
    view = found(desk().blind(who, number))
    context = {
        "view": view,
        "lines": [_line(one, view.zone) for one in view.breaks],
        "cards": [{"card": card, "at": local(card.opened_at, view.zone)} for card in view.cards],
        "problems": shown,
        "given": request.POST,
        "key": new_key(),
        "at": "subjects",
    }
    return render(request, "web/blind.html", context, status=problems.status_of(shown) if shown else 200)


@require_GET
@signed
def knowledge(request: Asked, who: Who) -> HttpResponse:
    """Who could know whose arm, since when."""
    lines = found(desk().knowledge(who))
    shown = [
        {"line": one, "how": HOW[one.how], "since": local(one.since, desk().study.zone_of(one.site))}
        for one in lines
    ]
    return render(request, "web/knowledge.html", {"lines": shown, "at": "knowledge"})


@require_http_methods(["GET", "POST"])
@signed
def release(request: Asked, who: Who) -> HttpResponse:
    """The gate of the final release: a list of conditions, and two signatures."""
    view = found(desk().release(who))
    shown: tuple[Problem, ...] = ()
    if request.method == "POST":
        command = _release_command(request.POST)
        if command is None:
            raise problems.missing()
        outcome = desk().submit(who, command, key=request.POST.get("key") or new_key())
        if outcome.accepted:
            return redirect("/release")
        shown = outcome.problems
        view = found(desk().release(who))
    zone = desk().study.zone_of(None)
    context = {
        "view": view,
        "conditions": [
            {"one": one, "label": CONDITIONS[one.id], "at": local(one.at, zone)} for one in view.conditions
        ],
        "signatures": [{"one": one, "at": local(one.at, zone)} for one in view.signatures],
        "problems": shown,
        "key": new_key(),
        "at": "release",
    }
    return render(request, "web/release.html", context, status=problems.status_of(shown) if shown else 200)


# --- asking --------------------------------------------------------------------------------------------------------


def _for_asking(view: BlindView | DrillView | None) -> BlindView | DrillView:
    """The view, for who may ask; there is no such page for anybody else."""
    if view is None or "RequestCodeBreak" not in view.may:
        raise problems.missing()
    return view


def _ask(
    request: Asked, who: Who, command: RequestCodeBreak | Problem, view: BlindView | DrillView, here: str
) -> HttpResponse:
    if isinstance(command, Problem):
        return _asking(request, view, here, (command,))
    if not command.urgent and request.POST.get("anyway") != "yes":
        return _asking(request, view, here, call_first=True)
    outcome = desk().ask_for_code(who, command, key=request.POST.get("key") or new_key())
    if outcome.accepted:
        return redirect(f"{here}/{command.request}")
    return _asking(request, view, here, outcome.problems)


def _asking(
    request: Asked,
    view: BlindView | DrillView,
    here: str,
    shown: tuple[Problem, ...] = (),
    *,
    call_first: bool = False,
) -> HttpResponse:
    contacts = desk().study.registry
    context = {
        "view": view,
        "drill": isinstance(view, DrillView),
        "here": here,
        "categories": list(CATEGORIES.items()),
        "contact": contacts.value(_CONTACT + "name") if contacts is not None else None,
        "phone": contacts.value(_CONTACT + "phone") if contacts is not None else None,
        "call_first": call_first,
        "problems": shown,
        "given": request.POST,
        "request_id": request.POST.get("request") or random_id(secrets.token_bytes),
        "key": request.POST.get("key") or new_key(),
        "at": "subjects",
    }
    return render(request, "web/unblind.html", context, status=problems.status_of(shown) if shown else 200)


_CONTACT = "protocolSection.contactsLocationsModule.centralContacts[0]."


def _command(subject: str, posted: Mapping[str, str], *, drill_at: str = "") -> RequestCodeBreak | Problem:
    """What the posted steps ask for, or the step that is missing."""
    if posted.get("urgent") not in {"yes", "no"}:
        return problem("blind.say-whether-urgent", "urgent")
    category = posted.get("category", "")
    if category not in CATEGORIES:
        return problem("blind.choose-category", "category")
    if posted.get("identity") != "yes":
        return problem("blind.confirm-participant", "identity")
    return RequestCodeBreak(
        subject,
        posted.get("request", ""),
        cast("Category", category),
        urgent=posted.get("urgent") == "yes",
        to="THIRD_PERSON" if posted.get("to") == "THIRD_PERSON" else "SELF",
        reason=posted.get("reason", "").strip(),
        third_person=posted.get("third_person", "").strip(),
        drill=bool(drill_at),
        site=drill_at,
    )


def _requested(
    request: Asked, view: BlindView | DrillView, lines: tuple[BreakLine, ...], wanted: str
) -> HttpResponse:
    line = found(next((one for one in lines if one.request == wanted and one.mine), None))
    door = str(getattr(settings, "SECOND_DOOR", "") or "").rstrip("/")
    context = {
        "view": view,
        "drill": isinstance(view, DrillView),
        "line": _line(line, view.zone),
        "address": f"{door}/break/{line.request}" if door else "",
        "at": "subjects",
    }
    response = render(request, "web/unblind_asked.html", context)
    if line.shown_at is None and not view.second_door_answers:
        response["Refresh"] = str(LOOK_AGAIN_SECONDS)
    return response


# --- changes ----------------------------------------------------------------------------------------------------------


def _change(subject: str, posted: Mapping[str, str], view: BlindView) -> object:
    """The command that a form on the page of the blind asks for; a Problem where it cannot be read."""
    match posted.get("do"):
        case "review":
            if posted.get("justified") not in {"yes", "no"}:
                return problem("web.choose-one", "justified")
            note = posted.get("note", "").strip()
            return ReviewCodeBreak(subject, posted.get("request", ""), posted["justified"] == "yes", note)
        case "rater":
            because = "CODE_BREAK" if view.rater_knows else "FIRST" if view.rater is None else "OTHER"
            return AssignRater(subject, posted.get("user", ""), cast("Literal['FIRST', 'OTHER']", because))
        case "card":
            opened = at_the_site(posted.get("opened_at", ""), view.zone)
            people = posted.get("opened_by", ""), posted.get("witnessed_by", "")
            return RecordCardOpening(subject, opened, *people, posted.get("reason", "").strip())
        case "stratum":
            return CorrectStratum(subject, posted.get("corrected", ""), posted.get("reason", "").strip())
        case _:
            raise problems.missing()


def _release_command(posted: Mapping[str, str]) -> RecordReleaseCondition | SignRelease | None:
    if posted.get("do") == "sign":
        return SignRelease(posted.get("digest", ""))
    condition = posted.get("condition", "")
    if condition not in CONDITIONS:
        return None
    return RecordReleaseCondition(
        cast("Literal['DATABASE_LOCKED']", condition),
        met=posted.get("met") == "yes",
        reference=posted.get("reference", "").strip(),
    )


# --- words ------------------------------------------------------------------------------------------------------------


def _line(line: BreakLine, zone: str) -> dict[str, object]:
    """A request with its moments in the site's time."""
    return {
        "line": line,
        "category": CATEGORIES[cast("Category", line.category)],
        "asked_at": local(line.asked_at, zone),
        "shown_at": local(line.shown_at, zone),
        "review_due": local(line.review_due, zone),
        "reviewed_at": local(line.reviewed_at, zone),
    }


urlpatterns: list[URLPattern] = [
    path("subjects/<str:number>/blind", blind),
    path("subjects/<str:number>/unblind", unblind),
    path("subjects/<str:number>/unblind/<str:wanted>", requested),
    path("drills/<str:site>", drill),
    path("drills/<str:site>/<str:wanted>", drilled),
    path("knowledge", knowledge),
    path("release", release),
]
