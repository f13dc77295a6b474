"""What a keeper decides about the first door's word: a definition that it released, and a store that a backup replaced.

The rules that must stay true: a keeper is shown every change before confirming, those at the bench first; what is
confirmed is the digest that the page showed; nothing here tells an arm.
"""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods

from equipoise.ledger.reader import Reader
from equipoise.pages import problems
from equipoise.protocol.diff import Change, diff_studies
from equipoise.protocol.digest import study_digest, study_from_text
from equipoise.protocol.study import Study
from equipoise.vault import keeping
from equipoise.vault.facts import Keeper, VaultFacts
from equipoise.vault.keeping import AcceptRestore, ConfirmDefinition, DeclineDefinition
from equipoise.vault.vault import Vault
from equipoise.vault.web.request import Asked, kept, new_key
from equipoise.words.problem import Problem
from equipoise.words.text import Text

AT = "/definition"
BENCH = ("supply", "arms", "randomization", "interventions")
"""Sections of a definition by which doses are prepared: what changes there is shown first."""


def opened() -> Vault:
    """The vault itself: these pages ask more of it than the shell does."""
    return cast(Vault, settings.VAULT)


@require_http_methods(["GET", "POST"])
@kept("KEEPER")
def definition(request: Asked, keeper: Keeper) -> HttpResponse:
    """What waits for a keeper's decision, and the decision."""
    shown: tuple[Problem, ...] = ()
    if request.method == "POST":
        key = request.POST.get("key") or new_key()
        shown = opened().submit(keeper, _asked(request), key=key).problems
        if not shown:
            return redirect(AT)
    with opened().reading() as reader:
        context = _waiting(reader, keeper)
    context |= {"problems": shown, "key": new_key(), "at": AT, "given": request.POST.get("reason", "")}
    status = problems.status_of(shown) if shown else 200
    return render(request, "vault/definition.html", context, status=status)


def _asked(request: Asked) -> object:
    """The command that a form of the page asks for."""
    digest, reason = request.POST.get("digest", ""), request.POST.get("reason", "")[:2000]
    heard = request.POST.get("heard", "")
    match request.POST.get("do"):
        case "confirm":
            return ConfirmDefinition(digest)
        case "decline":
            return DeclineDefinition(digest, reason)
        case "restore" if heard.isascii() and heard.isdigit() and len(heard) < 12:
            return AcceptRestore(int(heard), reason)
    raise problems.missing()


def _waiting(reader: Reader, keeper: Keeper) -> dict[str, object]:
    state, facts, now = looked_at(reader, keeper)
    in_force, released = study_digest(now), facts.definition_released
    digest = keeping.waiting(state, released, in_force)
    context: dict[str, object] = {
        "now": now, "in_force": in_force, "digest": digest, "released": released if released != in_force else "",
        "said": facts.said, "heard": facts.heard_there if facts.heard_there > facts.said else 0,
    }  # fmt: skip
    if released in {"", in_force}:
        return context
    new = study_from_text(opened().known(reader).told.definitions[released])
    changes = diff_studies(now, new)
    at_bench = [one for one in changes if one.path.split(".")[0] in BENCH]
    context |= {
        "new": new,
        "bench": [_line(one) for one in at_bench],
        "others": [_line(one) for one in changes if one not in at_bench],
    }
    return context


def looked_at(reader: Reader, keeper: Keeper) -> tuple[keeping.State, VaultFacts, Study]:
    """What was decided, the facts, and the definition in force."""
    command = ConfirmDefinition("")
    state = cast("keeping.State", opened().state(reader, command))
    return state, opened().facts(reader, keeper, command), opened().study


def _line(change: Change) -> Text:
    return Text(change.say("en"), change.say("zh"))


urlpatterns: list[URLPattern] = [path("definition", definition)]
