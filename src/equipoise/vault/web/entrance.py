"""Coming in at the second door: the chooser of a rehearsal, and the choice between several purposes.

The rules that must stay true: nobody enters the vault of a trial without a password, and no setting changes that: the
purpose of the vault stands in its ledger; a person acts for one purpose at a time.
"""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from equipoise.pages import problems
from equipoise.pages.accounts import logins
from equipoise.pages.accounts.models import Account
from equipoise.pages.accounts.names import REHEARSED
from equipoise.pages.entrance import signed_in
from equipoise.pages.visit import door
from equipoise.vault.web.purposes import INVITED, LOOKS, PROVING
from equipoise.vault.web.request import Asked, rehearsal
from equipoise.vault.web.second_door import keeper
from equipoise.words.problem import problem
from equipoise.words.text import Text


@require_GET
def front(request: Asked) -> HttpResponse:
    """The chooser in a rehearsal; otherwise the work, or the sign-in."""
    if not rehearsal():
        return redirect("/work" if request.keeper else "/login")
    after = request.GET.get("next", "")
    cards = _cards()
    if after.startswith("/break"):  # in an emergency nobody looks for their own card
        cards.sort(key=lambda card: card["look"] is not LOOKS["BREAK"])
    return render(request, "vault/chooser.html", {"cards": cards, "next": after})


def _cards() -> list[dict[str, object]]:
    """The made-up people of the rehearsal, one card for each purpose that they have."""
    people = list(Account.objects.filter(username__startswith=REHEARSED, is_active=True).order_by("pk"))
    return [
        {"look": look, "user": one.actor, "name": Text(one.name, one.name_zh or None)}
        for look in LOOKS.values()
        for one in people
        if keeper(one.actor, look.purpose) is not None
    ]


@require_POST
def step_in(request: Asked) -> HttpResponse:
    """Sign in as a made-up person of a rehearsal, without a password."""
    if not rehearsal():
        raise problems.Shown(problem("pages.not-a-rehearsal"))
    actor, purpose = request.POST.get("user", ""), request.POST.get("purpose", "")
    account = Account.objects.filter(username__startswith=REHEARSED, actor=actor, is_active=True).first()
    if account is None or keeper(actor, purpose) is None:
        raise problems.missing()
    return signed_in(request, account, purpose, request.POST.get("next", ""), "/work")


@require_http_methods(["GET", "POST"])
def choose(request: Asked) -> HttpResponse:
    """What a person wants to do now, where several purposes are enrolled."""
    entered = request.entered
    if entered is None:
        return redirect("/login")
    if entered.role == INVITED:
        return redirect("/password")
    if entered.role == PROVING:
        return redirect("/factor")
    parts = door().parts(entered.actor, entered.role)
    if request.method == "POST":
        purpose = request.POST.get("purpose", "")
        if purpose not in parts:
            raise problems.missing()
        logins.act_as(request.COOKIES.get(door().cookies.login, ""), purpose)
        return redirect("/work")
    looks = [look for look in LOOKS.values() if look.purpose in parts]
    return render(request, "vault/purposes.html", {"looks": looks})
