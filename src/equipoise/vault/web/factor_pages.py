"""The second factor: proving it after the password, setting it up, and taking it from somebody who lost it.

The rules that must stay true: a login that has proved a password alone opens these pages and nothing else, but for
opening one code; setting up and taking away are entries; nobody takes away their own, so that a stolen login cannot;
the codes for the bad day are on one page, once.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_http_methods, require_POST

from equipoise.pages import problems
from equipoise.pages.accounts import logins
from equipoise.pages.accounts.models import Account
from equipoise.pages.entrance import signed_in
from equipoise.pages.visit import door, trial_label
from equipoise.vault.commands import RemoveSecondFactor, SetSecondFactor, UseRecoveryCode
from equipoise.vault.facts import PROGRAM, Keeper
from equipoise.vault.web import second_factor
from equipoise.vault.web.purposes import PROVING
from equipoise.vault.web.request import Asked, kept, new_key, rehearsal, vault
from equipoise.words.problem import Problem, problem


@require_http_methods(["GET", "POST"])
def prove(request: Asked) -> HttpResponse:
    """The code after the password."""
    account = _proving(request)
    if account is None:
        return redirect("/login")
    onward = request.POST.get("next", "") or request.GET.get("next", "")
    if second_factor.of(account.pk) is None:
        return redirect("/factor/set-up")
    if request.method == "GET":
        return _asked(request, account, onward)
    if second_factor.paused(vault(), account.pk):
        return _asked(request, account, onward, problem("pages.locked-out"), 429)
    how = second_factor.proven(vault(), account.pk, request.POST.get("code", "")[:100])
    if not how:
        return _asked(request, account, onward, problem("vault_factor.wrong", "code"), 422)
    if how == "RECOVERY":
        left = second_factor.left(account.pk)
        vault().submit(PROGRAM, UseRecoveryCode(account.actor, left), key=new_key())
    return _let_in(request, account, onward)


def _asked(
    request: Asked, account: Account, onward: str, failed: Problem | None = None, status: int = 200
) -> HttpResponse:
    context = {"failed": failed, "next": onward, "may_break": _may_break(account)}
    return render(request, "vault/factor.html", context, status=status)


def _proving(request: Asked) -> Account | None:
    """The account whose password was given and nothing more."""
    entered = request.entered
    if entered is None or entered.role != PROVING:
        return None
    return Account.objects.filter(pk=entered.account, is_active=True).first()


def _may_break(account: Account) -> bool:
    return vault().who(account.actor, "BREAK") is not None


def _let_in(request: Asked, account: Account, onward: str) -> HttpResponse:
    parts = door().parts(account.actor, account.role)
    if not parts:
        raise problems.missing()
    one = parts[0] if len(parts) == 1 else ""
    return signed_in(request, account, one, onward if one else "", door().after_sign_in(parts))


@require_POST
def only_a_code(request: Asked) -> HttpResponse:
    """In for opening one code, and for nothing else: an emergency waits for no telephone."""
    account = _proving(request)
    if account is None or not _may_break(account):
        raise problems.missing()
    onward = request.POST.get("next", "")
    return signed_in(request, account, "BREAK", onward if onward.startswith("/break") else "", "/break")


@require_http_methods(["GET", "POST"])
def set_up(request: Asked) -> HttpResponse:
    """Show the secret, take a first code, and show the recovery codes once."""
    entered = request.entered
    if rehearsal():  # made-up people have no password, so there is nothing to be the second of
        raise problems.missing()
    keeper = request.keeper
    if entered is None or (keeper is None and entered.role != PROVING):
        return redirect("/login")
    if keeper is not None and keeper.purpose == "BREAK":
        raise problems.missing()
    account = Account.objects.get(pk=entered.account)
    if second_factor.of(account.pk) is not None:
        left = second_factor.left(account.pk)
        return render(request, "vault/factor_held.html", {"left": left, "at": "/factor/set-up"})
    failed: Problem | None = None
    if request.method == "POST":
        codes = second_factor.confirm(vault(), account.pk, request.POST.get("code", "")[:100])
        if codes:
            vault().submit(PROGRAM, SetSecondFactor(account.actor), key=new_key())
            parts = door().parts(account.actor, account.role)
            if keeper is None:  # password and code were given: the login is whole
                one = parts[0] if len(parts) == 1 else ""
                logins.act_as(request.COOKIES.get(door().cookies.login, ""), one)
            once = {"codes": codes, "onward": door().after_sign_in(parts), "at": "/factor/set-up"}
            return render(request, "vault/factor_codes.html", once)
        late = second_factor.paused(vault(), account.pk)
        failed = problem("pages.locked-out" if late else "vault_factor.wrong", "code")
    label = trial_label(vault().study, rehearsal=False)
    offered = second_factor.offer(vault(), account, label)
    context = {
        "offered": offered,
        "picture": mark_safe(offered.picture),  # noqa: S308  # drawn here, from squares alone
        "failed": failed,
        "required": required(),
        "may_break": keeper is None and _may_break(account),
        "at": "/factor/set-up",
    }
    return render(request, "vault/factor_set_up.html", context, status=422 if failed else 200)


def required() -> bool:
    """Whether this door lets nobody do more than open one code without a second factor."""
    return bool(getattr(settings, "SECOND_FACTOR", False))


@require_POST
@kept("KEEPER")
def take_away(request: Asked, keeper: Keeper) -> HttpResponse:
    """Take the second factor from somebody who lost it, with the reason."""
    actor, reason = request.POST.get("user", ""), request.POST.get("reason", "").strip()
    account = Account.objects.filter(actor=actor, is_active=True, secondfactor__isnull=False).first()
    if account is None:
        raise problems.missing()
    outcome = vault().submit(
        keeper, RemoveSecondFactor(actor, reason), key=request.POST.get("key") or new_key()
    )
    if not outcome.accepted:
        raise problems.Shown(outcome.problems[0])
    second_factor.remove(account.pk)
    return redirect("/people")


urlpatterns: list[URLPattern] = [
    path("factor", prove),
    path("factor/code", only_a_code),
    path("factor/set-up", set_up),
    path("people/factor", take_away),
]
