"""User name and password, given again at each signing: the account store is asked, and the desk gets a proof of it.

The rules that must stay true: the account must be that of the person who is signed in; wrong names, wrong passwords and
another's account are answered alike, and count towards the same lock-out as a sign-in; the password goes nowhere else.
In a rehearsal a made-up person, who has no password, signs with a credential that the page shows and that is marked.
Source: 21 CFR 11.200(a), 11.300(d).
"""

from __future__ import annotations

from django.contrib.auth import authenticate

from equipoise.access.commands import Who
from equipoise.pages.accounts.models import Account
from equipoise.pages.accounts.names import REHEARSED
from equipoise.web.request import Asked, desk, rehearsal
from equipoise.words.problem import Problem, problem

DEMO = "demo"
"""User name and password with which a made-up person of a rehearsal signs."""


def signs_as_demo(request: Asked) -> bool:
    """Whether the person is made up: a persona of a rehearsal, who has no password."""
    if not rehearsal() or request.entered is None:
        return False
    account = Account.objects.filter(pk=request.entered.account).first()
    return account is not None and account.username.startswith(REHEARSED)


def prove(request: Asked, who: Who) -> str | Problem:
    """The desk's token for what the person signs now; or what is wrong with what was given."""
    username, password = request.POST.get("username", "").strip(), request.POST.get("password", "")
    if not username or not password:
        return problem("closing.both-components", "username" if not username else "password")
    if signs_as_demo(request):
        if (username.casefold(), password) != (DEMO, DEMO):
            return problem("closing.demo-credential", "password")
        return desk().prove(who, "DEMO")
    actor = given_by(request, username, password)
    if isinstance(actor, Problem):
        return actor
    return (
        desk().prove(who, "PASSWORD")
        if actor == who.actor
        else problem("closing.credential-wrong", "password")
    )


def given_by(request: Asked, username: str, password: str) -> str | Problem:
    """The person whose user name and password were given, empty for nobody; a Problem while the name is locked."""
    account = authenticate(request, username=username, password=password)
    if vars(request).pop(
        "axes_locked_out", False
    ):  # left there, it turns the answer into the page of a sign-in
        return problem("pages.locked-out", "password")
    return account.actor if isinstance(account, Account) else ""
