"""Who may sign in: the keeper enrols a person for purposes and hands over a code, by which the person sets a password.

The rules that must stay true: nobody learns a password but the person whose it is: the code opens nothing except the
page on which it is replaced; a purpose asks for the role at the first door, as the ledger says at that moment; what the
keeper does is an entry under the keeper's own name.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from equipoise.pages import passwords, problems
from equipoise.pages.accounts import logins
from equipoise.pages.accounts.models import Account, SecondFactor
from equipoise.pages.accounts.names import REHEARSED
from equipoise.pages.accounts.people import set_account, unfit_password
from equipoise.pages.visit import door
from equipoise.vault.commands import EnrolCredential, RevokeCredential
from equipoise.vault.facts import Keeper
from equipoise.vault.overview import credentials, slot_holders
from equipoise.vault.web.purposes import INVITED, LOOKS, PROVING
from equipoise.vault.web.request import Asked, at_site, kept, new_key, vault
from equipoise.words.problem import Problem, problem

CODE_BYTES = 12
"""Of the code that is handed over: 96 bits, sixteen signs."""


@require_GET
@kept("KEEPER")
def people(request: Asked, keeper: Keeper) -> HttpResponse:
    """Everybody who is enrolled, and the form for one more."""
    return _page(request)


def _page(
    request: Asked, found: tuple[Problem, ...] = (), given: dict[str, object] | None = None
) -> HttpResponse:
    with vault().reading() as reader:
        held, holders = credentials(reader), slot_holders(reader)
    names = {one.actor: one for one in Account.objects.filter(is_active=True)}
    factors = set(SecondFactor.objects.filter(since__gt=0).values_list("account__actor", flat=True))
    order = list(LOOKS)
    rows = [
        {
            "user": one.user,
            "account": names.get(one.user),
            "look": LOOKS[one.purpose],
            "since": at_site(one.since),
            "factor": one.user in factors,
        }
        for one in sorted(held, key=lambda one: (order.index(one.purpose), one.user))
    ]
    context = {
        "rows": rows, "holders": holders, "looks": list(LOOKS.values()), "key": new_key(), "problems": found,
        "given": given or {}, "at": "/people",
    }  # fmt: skip
    return render(request, "vault/people.html", context, status=problems.status_of(found) if found else 200)


@require_POST
@kept("KEEPER")
def enrol(request: Asked, keeper: Keeper) -> HttpResponse:
    """Enrol a person, and show once the code by which they set their password; none where they have one already."""
    posted = {
        name: request.POST.get(name, "").strip() for name in ("user", "username", "name", "name_zh", "key")
    }
    wanted = [look.purpose for look in LOOKS.values() if look.purpose in request.POST.getlist("purpose")]
    given: dict[str, object] = {**posted, "purposes": wanted}
    found = _unfit(posted, wanted)
    for purpose in wanted if not found else ():
        outcome = vault().submit(
            keeper, EnrolCredential(posted["user"], purpose), key=f"{posted['key']} {purpose}"
        )
        found += tuple(one for one in outcome.problems if one.rule != "vault.credential-held")
    if found:
        return _page(request, found, given)
    known = Account.objects.filter(username=posted["username"], is_active=True).first()
    if known is not None and known.role != INVITED:
        return redirect("/people")
    code = secrets.token_urlsafe(CODE_BYTES)
    refused = set_account(
        Path(settings.DATABASES["default"]["NAME"]).parent, posted["username"], code, actor=posted["user"],
        role=INVITED, name=posted["name"], name_zh=posted["name_zh"],
    )  # fmt: skip
    if refused is not None:
        return _page(request, (refused,), given)
    return render(
        request, "vault/invited.html", {"code": code, "username": posted["username"], "at": "/people"}
    )


def _unfit(posted: dict[str, str], wanted: Sequence[str]) -> tuple[Problem, ...]:
    """What is missing, a user name that is another's, and a second one for who has an account: it would open theirs."""
    found = [
        problem("vault.people-missing", name) for name in ("user", "username", "name") if not posted[name]
    ]
    if not wanted:
        found.append(problem("vault.people-missing", "purpose"))
    other = Account.objects.filter(username=posted["username"]).exclude(actor=posted["user"]).exists()
    own = Account.objects.filter(actor=posted["user"], is_active=True).exclude(username=posted["username"])
    second = posted["user"] and own.exclude(username__startswith=REHEARSED).exists()
    if other or second or posted["username"].startswith(REHEARSED):
        found.append(problem("pages.username-unfit", "username", given=posted["username"]))
    return tuple(found)


@require_POST
@kept("KEEPER")
def revoke(request: Asked, keeper: Keeper) -> HttpResponse:
    """Take a purpose from a person, with the reason; a login for it ends at once."""
    purpose = next((one for one in LOOKS if one == request.POST.get("purpose")), None)
    reason = request.POST.get("reason", "").strip()
    if purpose is None:
        raise problems.missing()
    if not reason:
        return _page(request, (problem("vault.people-missing", "reason"),))
    command = RevokeCredential(request.POST.get("user", ""), purpose, reason)
    outcome = vault().submit(keeper, command, key=request.POST.get("key") or new_key())
    return redirect("/people") if outcome.accepted else _page(request, outcome.problems)


@require_http_methods(["GET", "POST"])
def own_password(request: Asked) -> HttpResponse:
    """Replace the code that was handed over by a password that nobody else knows; later, one's own by another."""
    entered = request.entered
    if entered is not None and entered.role == PROVING:
        return redirect("/factor")
    if entered is None or entered.role != INVITED:
        return passwords.own_password(request)
    if request.method == "GET":
        return render(request, "vault/own_password.html", {})
    first, second = request.POST.get("password", ""), request.POST.get("again", "")
    failed: Problem | None = None
    if first != second:
        failed = problem("vault.passwords-differ", "again")
    account = Account.objects.get(pk=entered.account)
    failed = failed or unfit_password(first, account.username)
    if failed is None and account.check_password(first):
        failed = problem("vault.password-is-the-code", "password")
    if failed is not None:
        return render(request, "vault/own_password.html", {"failed": failed}, status=422)
    account.set_password(first)
    account.role = ""
    account.save()
    logins.leave(request.COOKIES.get(door().cookies.login, ""))
    return redirect("/login")


urlpatterns: list[URLPattern] = [
    path("people", people),
    path("people/enrol", enrol),
    path("people/revoke", revoke),
    path("password", own_password),
]
