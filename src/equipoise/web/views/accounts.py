"""The accounts of people, for the administrator: invite somebody, grant a role, end one.

The rules that must stay true: a right is a grant in the ledger and nothing else; a first password is made by the
program, shown once to who invited, and stored nowhere in clear; who holds no role any more is let in no more.
"""

from __future__ import annotations

import secrets

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods

from equipoise.access.commands import GrantRole, RevokeRole, Who
from equipoise.pages.accounts.models import Account, Login
from equipoise.web import problems
from equipoise.web.request import Asked, desk
from equipoise.web.views.reading import found, new_key, signed
from equipoise.words.problem import Problem, problem

GROUPS = 5
"""Groups of the first password; each holds 24 bits."""


@require_http_methods(["GET", "POST"])
@signed
def accounts(request: Asked, who: Who) -> HttpResponse:
    """Everybody who holds or held a role."""
    found(desk().accounts(who))
    shown: tuple[Problem, ...] = ()
    made: dict[str, str] = {}
    if request.method == "POST":
        key = request.POST.get("key") or new_key()
        if request.POST.get("do") == "invite":
            shown, made = _invite(request, who, key)
        else:
            shown = _change(request, who, key)
    context = {
        "view": found(desk().accounts(who)),
        "problems": shown,
        "made": made,
        "given": request.POST if shown else {},
        "key": new_key(),
        "at": "accounts",
    }
    return render(request, "web/accounts.html", context, status=problems.status_of(shown) if shown else 200)


def _invite(request: Asked, who: Who, key: str) -> tuple[tuple[Problem, ...], dict[str, str]]:
    """A new person: a grant under a random id, a name in the register, and a sign-in with a first password."""
    name, username = (request.POST.get(field, "").strip() for field in ("name", "username"))
    if not name or not username or Account.objects.filter(username=username).exists():
        return (problem("accounts.name-or-taken", "username", given=username),), {}
    role, site = request.POST.get("role", ""), request.POST.get("site") or None
    user, outcome = desk().invite(who, name, role, site, key=key)
    if not outcome.accepted or outcome.replayed:
        return outcome.problems, {}
    password = "-".join(secrets.token_hex(3) for _ in range(GROUPS))
    account = Account(username=username, actor=user, role=role, name=name, must_change=True)
    account.set_password(password)
    account.save()
    return (), {"username": username, "password": password}


def _change(request: Asked, who: Who, key: str) -> tuple[Problem, ...]:
    user = request.POST.get("user", "")
    role, _, site = request.POST.get("grant", "").partition(" ")
    if request.POST.get("do") == "end":
        reason = request.POST.get("reason", "").strip()
        if not reason:
            return (problem("people.reason-required", "reason"),)
        outcome = desk().submit(who, RevokeRole(user, role, site or None, reason), key=key)
        if outcome.accepted:
            _let_out(user, role)
        return outcome.problems
    given = request.POST.get("role", ""), request.POST.get("site") or None
    return desk().submit(who, GrantRole(user, *given), key=key).problems


def _let_out(user: str, role: str) -> None:
    """Whoever was signed in in the role is out at once."""
    Login.objects.filter(account__actor=user, role=role).delete()


urlpatterns: list[URLPattern] = [path("accounts", accounts)]
