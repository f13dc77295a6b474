"""The people of a site: who does which duty, what they were trained in, and what certificates they hold.

The rules that must stay true: a start or an end is signed by the principal investigator alone, who in a trial types the
own password again; nothing is shown of the people of the second door.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET, require_http_methods

from equipoise.access.commands import (
    Certified,
    Grant,
    RecordCertificate,
    RecordTraining,
    Who,
    WithdrawCertificate,
)
from equipoise.desk.readers_page import ReaderLine, ReadersView
from equipoise.desk.staff_page import PersonLine, StaffView
from equipoise.oversight.commands import DelegateDuties, EndDelegation, NamePrincipalInvestigator
from equipoise.pages.accounts.models import Account
from equipoise.web import problems
from equipoise.web.request import Asked, desk, rehearsal
from equipoise.web.signing import given_by
from equipoise.web.views.reading import found, new_key, signed
from equipoise.words.clock import local
from equipoise.words.problem import Problem, problem

CELLS = {
    "principal": ("people.cell-principal", "check-circle", "good"),
    "held": ("people.cell-held", "check", "good"),
    "over": ("people.cell-over", "cross", "bad"),
    "none": ("people.cell-none", "", ""),
    "unfit": ("people.cell-unfit", "", ""),
}
"""State of a duty -> words, icon, tone."""
TOPICS = {
    "had": ("people.topic-had", "check", "good"),
    "over": ("people.topic-over", "cross", "bad"),
    "old": ("people.topic-old", "alert", "warn"),
    "none": ("people.topic-none", "", ""),
}
DATA = "people.data-{}"
BLINDS = {
    "blinded": ("people.blinded", "eye-off", "dark"),
    "unblinded": ("people.unblinded", "eye", "warn"),
    "none": ("people.no-data", "gear", "plain"),
}
"""Whether the blind binds a role -> words, icon, tone."""
HELD = {
    "yes": ("people.held-yes", "check", "good"),
    "role": ("people.held-role", "cross", "bad"),
    "duty": ("people.held-duty", "cross", "warn"),
    "training": ("people.held-training", "alert", "warn"),
}
Command = (
    NamePrincipalInvestigator
    | DelegateDuties
    | EndDelegation
    | RecordTraining
    | RecordCertificate
    | WithdrawCertificate
)


@require_GET
@signed
def sites(request: Asked, who: Who) -> HttpResponse:
    """The sites whose people the reader may see; with one site, its page."""
    every = found(desk().staffed_sites(who))
    if len(every) == 1:
        return redirect(f"/staff/{every[0][0]}")
    return render(request, "web/staff_sites.html", {"sites": every, "at": "staff"})


@require_http_methods(["GET", "POST"])
@signed
def site_staff(request: Asked, who: Who, site: str) -> HttpResponse:
    """The delegation log, trainings and certificates of one site."""
    view = found(desk().staff(who, site))
    shown: tuple[Problem, ...] = ()
    if request.method == "POST":
        command = _command(who, site, request.POST)
        absent = None if isinstance(command, Problem) else _unsigned(request, who, command)
        if isinstance(command, Problem) or absent is not None:
            shown = tuple(one for one in (command, absent) if isinstance(one, Problem))
        else:
            outcome = desk().submit(who, command, key=request.POST.get("key") or new_key())
            if outcome.accepted:
                return redirect(f"/staff/{site}")
            shown = outcome.problems
    context = {
        "view": view,
        "people": [_line(view, one) for one in view.people],
        "log": [
            {"one": one, "since": local(one.since, view.zone), "ended": local(one.ended or "", view.zone)}
            for one in view.log
        ],
        "investigators": [one for one in view.people if one.investigator],
        "problems": shown,
        "given": request.POST,
        "password": not rehearsal(),
        "key": new_key(),
        "at": "staff",
    }
    return render(request, "web/staff.html", context, status=problems.status_of(shown) if shown else 200)


@require_http_methods(["GET", "POST"])
@signed
def readers(request: Asked, who: Who) -> HttpResponse:
    """The readers of images and their certificates."""
    view = found(desk().readers(who))
    shown: tuple[Problem, ...] = ()
    if request.method == "POST":
        command = _command(who, "", request.POST)
        if isinstance(command, RecordCertificate | WithdrawCertificate):
            outcome = desk().submit(who, command, key=request.POST.get("key") or new_key())
            if outcome.accepted:
                return redirect("/readers")
            shown = outcome.problems
        else:
            shown = (command if isinstance(command, Problem) else problem("web.choose-one", "do"),)
    rows = [{"one": one, "cells": _kinds(view, one)} for one in view.readers]
    context = {
        "view": view,
        "rows": rows,
        "problems": shown,
        "given": request.POST,
        "key": new_key(),
        "at": "staff",
    }
    return render(request, "web/readers.html", context, status=problems.status_of(shown) if shown else 200)


def _kinds(view: ReadersView, one: ReaderLine) -> list[tuple[str, Certified | None, bool]]:
    """Each kind of images: the certificate that is recorded for it, and whether none counts today."""
    held = {each.instrument: each for each in one.certificates}
    return [(kind, held.get(kind), kind in one.lacking) for kind in view.kinds]


def _unsigned(request: Asked, who: Who, command: Command) -> Problem | None:
    """Why a signature does not count: in a trial the password is typed again; a rehearsal has none."""
    if not isinstance(command, DelegateDuties | EndDelegation) or rehearsal():
        return None
    account = Account.objects.filter(actor=who.actor, is_active=True).first()
    given = given_by(request, account.username if account else "", request.POST.get("password", ""))
    if isinstance(given, Problem):
        return given
    return None if given == who.actor else problem("people.not-signed", "password")


def _command(who: Who, site: str, posted: QueryDict) -> Command | Problem:
    """The command that a posted form asks for."""
    user, reason = posted.get("user", ""), posted.get("reason", "").strip()
    about = None if Grant(who.role, None) in who.grants else site
    if not user:
        return problem("people.nobody-chosen", "user")
    match posted.get("do"):
        case "name":
            return NamePrincipalInvestigator(site, user)
        case "delegate":
            until = posted.get("until", "").strip() or None
            return DelegateDuties(site, user, tuple(posted.getlist("duties")), until)
        case "end":
            return EndDelegation(site, user, tuple(posted.getlist("duties")), reason)
        case "train":
            return RecordTraining(user, tuple(posted.getlist("topics")), posted.get("on", ""), about)
        case "certify":
            return _certificate(user, posted, about)
        case "withdraw":
            instrument, _, language = posted.get("certificate", "").partition(" ")
            return WithdrawCertificate(user, instrument, language, reason, about)
        case _:
            return problem("web.choose-one", "do")


def _certificate(user: str, posted: Mapping[str, str], site: str | None) -> RecordCertificate:
    return RecordCertificate(
        user,
        posted.get("instrument", ""),
        posted.get("language", ""),
        posted.get("on", ""),
        posted.get("until", ""),
        posted.get("number", "").strip(),
        site,
    )


def _line(view: StaffView, one: PersonLine) -> dict[str, object]:
    labels = dict(view.duties)
    return {
        "one": one,
        "duties": [(cell, labels[cell.duty], CELLS[cell.state]) for cell in one.duties],
        "held": [(cell.duty, labels[cell.duty]) for cell in one.duties if cell.state in {"held", "over"}],
        "open": [
            (cell.duty, labels[cell.duty]) for cell in one.duties if cell.state in {"none", "over", "held"}
        ],
        "topics": [(cell, TOPICS[cell.state]) for cell in one.topics],
        "principal": any(cell.state == "principal" for cell in one.duties),
    }


@require_GET
@signed
def access(request: Asked, who: Who) -> HttpResponse:
    """The access map."""
    view = found(desk().access_map(who))
    context = {
        "view": view,
        "blinds": [BLINDS[role.blind] for role in view.roles],
        "data": [
            (DATA.format(word.replace("_", "-")), [word in role.reads for role in view.roles])
            for word in view.data
        ],
        "commands": [(row, [role.id in row.roles for role in view.roles]) for row in view.commands],
        "at": "staff",
    }
    return render(request, "web/access.html", context)


@require_GET
@signed
def person(request: Asked, who: Who, user: str) -> HttpResponse:
    """What a named person may see and do today."""
    view = found(desk().person_access(who, user))
    roles = [
        {
            "one": one,
            "blind": BLINDS[one.blind],
            "reads": [DATA.format(word.replace("_", "-")) for word in one.reads],
            "commands": [(name, HELD[held]) for name, held in one.commands],
        }
        for one in view.held
    ]
    return render(request, "web/person.html", {"view": view, "roles": roles, "at": "staff"})


urlpatterns: list[URLPattern] = [
    path("staff", sites),
    path("staff/<str:site>", site_staff),
    path("readers", readers),
    path("access", access),
    path("access/<str:user>", person),
]
