"""Opening one code, made for a telephone at night: one request, one arm, one minute.

The rules that must stay true: an arm is on a page only in the answer to a press of a button, is stored nowhere, and
goes away by the browser's own reload after the seconds that are left, with or without script; the page that an
investigator gives a code on never has the arm; what a person may not see is not there; who signed in a while ago types
the password once more, so that a screen left open opens no code.
"""

from __future__ import annotations

import secrets
from typing import cast

from django.conf import settings
from django.contrib.auth import authenticate
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from equipoise.pages import problems
from equipoise.pages.accounts import logins
from equipoise.pages.accounts.models import Account
from equipoise.pages.visit import door
from equipoise.vault.breaks import showing
from equipoise.vault.breaks.commands import AcceptBreak
from equipoise.vault.breaks.evolve import State
from equipoise.vault.breaks.showing import Shown
from equipoise.vault.facts import Keeper
from equipoise.vault.vault import Vault
from equipoise.vault.web.request import Asked, at_site, kept, new_key, rehearsal, vault
from equipoise.words.problem import Problem, problem

FRESH_SECONDS = 180
"""For how long the password that was typed to sign in is enough to open a code: who comes for that types it once."""
ASK_AGAIN_SECONDS = 3
"""How soon the page of a request that has not arrived yet looks again."""
CATEGORIES = {
    "EMERGENCY": "vault_breaks.category-emergency",
    "SERIOUS_EVENT": "vault_breaks.category-serious-event",
    "PREGNANCY": "vault_breaks.category-pregnancy",
    "OVERDOSE": "vault_breaks.category-overdose",
    "OTHER": "vault_breaks.category-other",
}
STAGES = {
    "open": "vault_breaks.stage-open",
    "handed": "vault_breaks.stage-handed",
    "shown": "vault_breaks.stage-shown",
    "hidden": "vault_breaks.stage-hidden",
}


def opened() -> Vault:
    """The vault itself: these pages ask more of it than the shell does."""
    return cast(Vault, settings.VAULT)


@require_GET
@kept("BREAK")
def requests(request: Asked, keeper: Keeper) -> HttpResponse:
    """The requests that the reader made."""
    mine = [
        {"offer": one, "asked_at": at_site(one.asked_at, one.site), "stage": STAGES[one.stage]}
        for one in showing.requests_of(opened(), keeper)
    ]
    return render(request, "vault/breaks.html", {"requests": mine, "at": "/break"})


@require_GET
@kept("BREAK")
def one_request(request: Asked, keeper: Keeper, wanted: str) -> HttpResponse:
    """One request before the arm is shown."""
    return _page(request, keeper, wanted)


@require_POST
@kept("BREAK")
def show(request: Asked, keeper: Keeper, wanted: str) -> HttpResponse:
    """The arm, for a minute."""
    failed = _password_failed(request, wanted)
    if failed is not None:
        return _page(request, keeper, wanted, (failed,))
    came = showing.show(opened(), keeper, wanted, key=request.POST.get("key") or new_key())
    if isinstance(came, Shown):
        return _arm(request, came, f"/break/{came.request}")
    return _page(request, keeper, wanted, came)


@require_POST
@kept("BREAK")
def hand_over(request: Asked, keeper: Keeper, wanted: str) -> HttpResponse:
    """A one-time code for the third person; the arm is not on this page."""
    failed = _password_failed(request, wanted)
    if failed is not None:
        return _page(request, keeper, wanted, (failed,))
    key = request.POST.get("key") or new_key()
    came = showing.hand_over(opened(), keeper, wanted, key=key, entropy=secrets.token_bytes)
    first = came[0]
    if isinstance(first, Problem):
        return _page(request, keeper, wanted, cast("tuple[Problem, ...]", came))
    host = request.build_absolute_uri("/third")
    return render(request, "vault/break_code.html", {"code": first, "address": host, "at": "/break"})


def _asks_password(request: Asked) -> bool:
    """Whether the password is asked for once more; made-up people of a rehearsal have none."""
    token = request.COOKIES.get(door().cookies.login, "")
    return not rehearsal() and logins.age_seconds(token, hours=door().login_hours) > FRESH_SECONDS


def _password_failed(request: Asked, wanted: str) -> Problem | None:
    """Why the arm is not shown to whoever sits there: not the password of the person who is signed in. Written down."""
    if not _asks_password(request) or request.entered is None:
        return None
    mine = Account.objects.get(pk=request.entered.account)
    found = authenticate(request, username=mine.username, password=request.POST.get("password", ""))
    if isinstance(found, Account) and found.pk == mine.pk:
        return None
    return showing.refused(opened(), wanted, problem("vault_breaks.password-wrong", "password"))


@require_http_methods(["GET", "POST"])
def third(request: Asked) -> HttpResponse:
    """The page of a third person, who has no account and brings a code."""
    if request.method == "GET":
        return render(request, "vault/break_third.html", {"key": new_key(), "over": "over" in request.GET})
    key = request.POST.get("key") or new_key()
    came = showing.show_third(opened(), request.POST.get("code", "")[:100], key=key)
    if isinstance(came, Shown):
        return _arm(request, came, "/third?over")
    context = {"problems": came, "key": new_key()}
    return render(request, "vault/break_third.html", context, status=problems.status_of(came))


@require_GET
@kept("KEEPER")
def log(request: Asked, keeper: Keeper) -> HttpResponse:
    """Alarms, refusals and drills, for who keeps the door. No arm."""
    with vault().reading() as reader:
        state = cast(State, opened().state(reader, AcceptBreak("")))
        told = opened().known(reader).told
    context = {
        "cards": [
            {
                "at": at_site(one.opened_at, told.sites.get(subject)),
                "number": told.numbers.get(subject, subject),
            }
            for subject, one in told.cards.items()
        ],
        "alarms": [{"alarm": one, "at": at_site(one.at, one.site)} for one in reversed(state.alarms)],
        "refused": [
            {"at": at_site(at), "request": asked, "says": Problem(rule)}
            for at, asked, rule in state.refused[::-1]
        ],
        "drills": [{"drill": one, "at": at_site(one.shown_at)} for one in state.drills()],
        "at": "/breaks",
    }
    return render(request, "vault/break_log.html", context)


def _page(request: Asked, keeper: Keeper, wanted: str, shown: tuple[Problem, ...] = ()) -> HttpResponse:
    offer = showing.offer(opened(), keeper, wanted)
    if offer is None:
        response = render(request, "vault/break_waiting.html", {"at": "/break"}, status=404)
        response["Refresh"] = str(ASK_AGAIN_SECONDS)
        return response
    context = {
        "offer": offer,
        "asked_at": at_site(offer.asked_at, offer.site),
        "category": CATEGORIES[offer.category],
        "stage": STAGES[offer.stage],
        "problems": shown,
        "asks_password": _asks_password(request),
        "key": new_key(),
        "at": "/break",
    }
    status = problems.status_of(shown) if shown else 200
    return render(request, "vault/break_request.html", context, status=status)


def _arm(request: Asked, shown: Shown, after: str) -> HttpResponse:
    """The only page with an arm on it. The browser itself leaves it when the time is over."""
    response = render(request, "vault/break_arm.html", {"shown": shown, "after": after, "at": "/break"})
    response["Refresh"] = f"{shown.seconds}; url={after}"
    response["Cache-Control"] = "no-store, private"
    return response


urlpatterns: list[URLPattern] = [
    path("break", requests),
    path("break/<str:wanted>", one_request),
    path("break/<str:wanted>/show", show),
    path("break/<str:wanted>/code", hand_over),
    path("breaks", log),
    path("third", third),
]
