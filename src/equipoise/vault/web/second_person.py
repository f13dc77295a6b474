"""The second person at one screen: their own name and password, beside the person who is signed in.

The rule that must stay true: in a trial nobody is a second person without a password given on that very page, and only
who is enrolled for checking is one; in a rehearsal the made-up person is chosen. The person who acts is refused as
their own second one by the room that decides.
"""

from __future__ import annotations

from django.contrib.auth import authenticate

from equipoise.pages.accounts.models import Account
from equipoise.pages.accounts.names import REHEARSED
from equipoise.vault.web.purposes import INVITED
from equipoise.vault.web.request import Asked, rehearsal, vault
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text


def second_of(request: Asked) -> str | Problem:
    """The actor of the second person whom the form names and whose password it bears; or why there is none."""
    if rehearsal():
        actor = request.POST.get("second", "")
    else:
        username = request.POST.get("second_name", "").strip()
        account = authenticate(request, username=username, password=request.POST.get("second_password", ""))
        if not isinstance(account, Account) or account.role == INVITED:  # a code that the keeper knows, too
            return problem("pages.sign-in-failed", "second")
        actor = account.actor
    if not actor:
        return problem("vault_stock.second-person-missing", "second")
    return actor if vault().who(actor, "CHECK") else problem("vault_bench.second-not-enrolled", "second")


def choices(first: str) -> list[dict[str, object]]:
    """Made-up people of a rehearsal who may be the second person beside `first`; empty in a trial."""
    if not rehearsal():
        return []
    people = Account.objects.filter(username__startswith=REHEARSED, is_active=True).order_by("pk")
    return [
        {"actor": one.actor, "name": Text(one.name, one.name_zh or None)}
        for one in people
        if one.actor != first and vault().who(one.actor, "CHECK") is not None
    ]


def names() -> dict[str, Text]:
    """The names of everybody who has an account here, by actor."""
    return {one.actor: Text(one.name, one.name_zh or None) for one in Account.objects.all() if one.actor}
