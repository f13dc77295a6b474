"""The second door, as the pages shared by both doors ask it.

The rules that must stay true: cookies, colours and words are this door's own; nothing shown here is stored by a
browser; a login ends after half a working day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from django.conf import settings

from equipoise.pages.journey import Journey
from equipoise.pages.visit import HEADERS, Cookies, House, Signed, Visit, here, initials, trial_label
from equipoise.vault.facts import Keeper, Purpose
from equipoise.vault.web.purposes import INVITED, LOOKS, PROVING
from equipoise.vault.web.request import Asked, rehearsal, vault
from equipoise.words.problem import problem
from equipoise.words.text import Text


class SecondDoor:
    """Sign-in for a purpose that is enrolled in this door's own ledger."""

    cookies = Cookies(
        "equipoise_second_login", "equipoise_second_language", "equipoise_second_csrf", "equipoise_second_device"
    )  # fmt: skip
    headers = {
        **HEADERS,
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
        " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    login_hours = 6.0

    def recognise(self, visit: Visit) -> None:
        """Ask the vault who it is."""
        entered = visit.entered
        cast(Asked, visit).keeper = keeper(entered.actor, entered.role) if entered else None

    def parts(self, actor: str, role: str) -> Sequence[str]:
        """The purposes enrolled now; for an account without a password of its own, to set one and nothing else."""
        if role == INVITED:
            return (INVITED,)
        return tuple(purpose for purpose in LOOKS if vault().who(actor, purpose) is not None)

    def after_sign_in(self, parts: Sequence[str]) -> str:
        """The work of the purpose; where there are several, the choice."""
        if INVITED in parts:
            return "/password"
        return "/work" if len(parts) == 1 else "/purpose"

    def more_proof(self, account: int, parts: Sequence[str]) -> tuple[str, str] | None:
        """The second factor of who has one, and setting one up where this door asks everybody for it.

        Never for opening one code alone.
        """
        from equipoise.vault.web import (
            second_factor,
        )  # Django's tables can be imported only once it is set up

        if not set(parts) - {"BREAK", INVITED}:
            return None
        if second_factor.of(account) is not None:
            return PROVING, "/factor"
        return (PROVING, "/factor/set-up") if getattr(settings, "SECOND_FACTOR", False) else None

    def whole(self, visit: Visit) -> bool:
        """Not where somebody with a second factor came in without it, to open one code."""
        entered, known = visit.entered, cast(Asked, visit).keeper
        if entered is None or known is None or known.purpose != "BREAK":
            return True
        return self.more_proof(entered.account, self.parts(entered.actor, "")) is None

    def house(self, visit: Visit) -> House:
        """Home is the work of the purpose."""
        known: Keeper | None = getattr(visit, "keeper", None)
        home = LOOKS[known.purpose].home if known is not None else "/"
        label = trial_label(vault().study, rehearsal=rehearsal())
        house = House(label, rehearsal(), home, here(visit), "vault/frame.html", "vault/note.html")
        journey: Journey | None = getattr(settings, "JOURNEY", None)
        if journey is None:
            return house
        return replace(house, bar="vault/travel_bar.html", journey=journey.standing())

    def signed(self, visit: Visit) -> Signed | None:
        """The person with the purpose."""
        entered, known = visit.entered, cast(Asked, visit).keeper
        if entered is None:
            return None
        name = Text(entered.name, entered.name_zh or None)
        label = purpose_label(known.purpose) if known else Text("", "")
        return Signed(name, initials(entered.name), known.purpose if known else "", label, None, "unblinded")


def keeper(actor: str, purpose: str) -> Keeper | None:
    """The person for a purpose as a login names it; None for no purpose."""
    known: Purpose | None = next((one for one in LOOKS if one == purpose), None)
    return vault().who(actor, known) if known is not None else None


def purpose_label(purpose: Purpose) -> Text:
    """The name of a purpose in both languages."""
    named = problem(LOOKS[purpose].label)
    return Text(named.say("en"), named.say("zh"))
