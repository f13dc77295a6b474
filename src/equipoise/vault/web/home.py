"""The first page after signing in: what waits for this purpose, and, for who keeps the door, its state."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from equipoise.ledger.reader import Reader
from equipoise.pages.accounts.models import Account
from equipoise.pages.visit import door
from equipoise.protocol.digest import study_digest
from equipoise.vault.facts import Keeper
from equipoise.vault.keeping import waiting
from equipoise.vault.overview import Enrolled, Overview, overview
from equipoise.vault.web.keeping_pages import looked_at
from equipoise.vault.web.purposes import LOOKS, Link
from equipoise.vault.web.request import Asked, at_site, kept, rehearsal, vault
from equipoise.words.problem import Problem, problem


@require_GET
@kept()
def work(request: Asked, keeper: Keeper) -> HttpResponse:
    """The page of the purpose, or the list of what waits where that is the whole of the work."""
    look = LOOKS[keeper.purpose]
    if look.home != "/work":
        return redirect(look.home)
    context: dict[str, object] = {"look": look, "at": "work"}
    if keeper.purpose == "KEEPER":
        with vault().reading() as reader:
            state = overview(reader)
            context |= _decisions(reader, keeper)
        context |= _shown(state)
    return render(request, "vault/work.html", context)


def _decisions(reader: Reader, keeper: Keeper) -> dict[str, object]:
    """What waits for a keeper: a definition that the first door released, a store that a backup replaced."""
    made, facts, now = looked_at(reader, keeper)
    waits = waiting(made, facts.definition_released, study_digest(now))
    return {"definition_waits": waits, "behind": facts.heard_there > facts.said}


def _shown(state: Overview) -> dict[str, object]:
    """The state with its moments in the site's time and its refusals in words."""
    return {
        "state": state,
        "opened_at": at_site(state.opened_at),
        "unlocked_at": at_site(state.unlocked_at),
        "accepted_at": at_site(state.accepted_at),
        "anchors": [{"anchor": one, "at": at_site(one.at)} for one in state.anchors],
        "alarms": [
            {"says": _reason(one.rule), "about": one.about, "at": at_site(one.at)} for one in state.alarms
        ],
        "people": _people(state.credentials),
    }


def _reason(rule: str) -> Problem:
    """What a recorded rule says; one whose message needs more than the ledger kept of it is shown by its name."""
    said = Problem(rule)
    return problem("vault.refused-by", named=rule) if said.say() == rule or "{" in said.say() else said


def _people(credentials: tuple[Enrolled, ...]) -> list[dict[str, object]]:
    """Who may sign in for what, with the names that their accounts bear here."""
    names = {one.actor: one for one in Account.objects.filter(is_active=True)}
    order = list(LOOKS)
    return [
        {
            "user": one.user,
            "account": names.get(one.user),
            "look": LOOKS[one.purpose],
            "since": at_site(one.since),
        }
        for one in sorted(credentials, key=lambda one: order.index(one.purpose))
    ]


def menu(request: HttpRequest) -> dict[str, Any]:  # Any: Django's context values
    """The main menu of the purpose, for every template."""
    keeper: Keeper | None = getattr(request, "keeper", None)
    if keeper is None:
        return {"menu": (), "may_choose": False}
    links: tuple[Link, ...] = LOOKS[keeper.purpose].links
    several = not rehearsal() and len(door().parts(keeper.actor, "")) > 1
    return {"menu": links, "may_choose": several}
