"""The final release and closed work at the second door: the gate, two signatures, the publication; a board's table.

The rules that must stay true: no page here has an arm; what a person signs is the digest of what the page shows; the
table of closed work is written into this door's own folder and never sent to a browser.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods

from equipoise.pages import problems
from equipoise.pages.accounts.models import Account
from equipoise.vault.facts import Keeper, VaultFacts
from equipoise.vault.release.commands import SetValuesLock, SignVaultRelease
from equipoise.vault.release.decide import gate, may_see_arms
from equipoise.vault.release.evolve import CONDITIONS, SIGNERS, State, conditions_digest, signers
from equipoise.vault.release.publishing import Published, open_closed_work, publish, unwritten
from equipoise.vault.vault import Vault
from equipoise.vault.web.request import Asked, at_site, kept, new_key
from equipoise.words.problem import Problem

LABELS = {
    "DATABASE_LOCKED": "blind.condition-database-locked",
    "DEVIATIONS_CLASSED": "blind.condition-deviations-classed",
    "PLAN_SIGNED": "blind.condition-plan-signed",
    "SETS_SIGNED": "blind.condition-sets-signed",
}


def opened() -> Vault:
    """The vault itself: these pages ask more of it than the shell does."""
    return cast(Vault, settings.VAULT)


@require_http_methods(["GET", "POST"])
@kept("KEEPER", "OFFICER", "LAB")
def release(request: Asked, keeper: Keeper) -> HttpResponse:
    """The gate, and what the reader may do about it."""
    shown: Sequence[Problem] = ()
    if request.method == "POST":
        shown = _act(request, keeper)
        if not shown:
            return redirect("/release")
    state, facts = _now(keeper)
    digest = conditions_digest(state, facts)
    signed = signers(state, facts)
    context = {
        "conditions": [
            (LABELS[name], facts.first_release_conditions.get(name, False)) for name in CONDITIONS
        ],
        "first_signed": len(set(facts.first_release_signers)) >= SIGNERS,
        "locked": state.locked,
        "locked_at": at_site(state.locked_at),
        "signed_here": len(signed),
        "signers": SIGNERS,
        "may_sign": keeper.purpose in {"KEEPER", "OFFICER"} and keeper.actor not in signed,
        "may_lock": keeper.purpose in {"KEEPER", "LAB"},
        "may_publish": keeper.purpose == "KEEPER",
        "ready": gate(state, facts) is None,
        "unwritten": unwritten(opened()),
        "released": state.released,
        "digest": digest,
        "problems": shown,
        "key": new_key(),
        "at": "/release",
    }
    return render(request, "vault/release.html", context, status=problems.status_of(shown) if shown else 200)


def _act(request: Asked, keeper: Keeper) -> Sequence[Problem]:
    """What a form on the page asks for; the problems, if any."""
    key, does = request.POST.get("key") or new_key(), request.POST.get("do")
    if does == "publish":
        came = publish(opened(), keeper, key=key)
        return () if isinstance(came, Published) else came
    command: object
    if does == "sign":
        command = SignVaultRelease(request.POST.get("digest", ""))
    elif does in {"lock", "unlock"}:
        command = SetValuesLock(locked=does == "lock")
    else:
        raise problems.missing()
    return opened().submit(keeper, command, key=key).problems


@require_http_methods(["GET", "POST"])
@kept("BOARD", "KEEPER")
def closed(request: Asked, keeper: Keeper) -> HttpResponse:
    """Closed work: a table of arms for named persons, in this door's own folder."""
    shown: tuple[Problem, ...] = ()
    state, facts = _now(keeper)
    names = {one.actor: one.name for one in Account.objects.all()}
    if request.method == "POST":
        members = tuple(request.POST.getlist("member"))
        purpose, key = request.POST.get("purpose", "").strip(), request.POST.get("key") or new_key()
        came = open_closed_work(opened(), keeper, purpose, members, key=key)
        if not isinstance(came, tuple):
            return redirect("/closed")
        shown = came
    context = {
        "people": [
            (actor, names.get(actor, actor))
            for actor, held in sorted(facts.roles.items())
            if may_see_arms(held)
        ],
        "works": [
            {"at": at_site(at), "work": one, "members": [names.get(each, each) for each in one.members]}
            for at, one in reversed(state.closed)
        ],
        "problems": shown,
        "key": new_key(),
        "at": "/closed",
    }
    return render(request, "vault/closed.html", context, status=problems.status_of(shown) if shown else 200)


def _now(keeper: Keeper) -> tuple[State, VaultFacts]:
    command = SignVaultRelease("")
    with opened().reading() as reader:
        state = cast("State", opened().state(reader, command))
        return state, opened().facts(reader, keeper, command)


urlpatterns: list[URLPattern] = [path("release", release), path("closed", closed)]
