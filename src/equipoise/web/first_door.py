"""The first door, as the pages shared by both doors ask it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from equipoise.access.roles import ROLES
from equipoise.pages.visit import HEADERS, Cookies, House, Signed, Visit, here, initials
from equipoise.web.request import Asked, desk, rehearsal, study_label
from equipoise.web.travel import journey
from equipoise.words.text import Text


class FirstDoor:
    """Sign-in as a role that the desk's ledger grants."""

    cookies = Cookies("equipoise_login", "equipoise_language", "equipoise_csrf", "equipoise_device")
    headers = {
        **HEADERS,
        "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self';"
        " frame-ancestors 'none'",
    }
    login_hours = 12.0
    """One long working day."""

    def recognise(self, visit: Visit) -> None:
        """Ask the desk who it is."""
        entered = visit.entered
        cast(Asked, visit).who = desk().who(entered.actor, entered.role) if entered else None

    def parts(self, actor: str, role: str) -> Sequence[str]:
        """The role of the account, where the ledger grants it now."""
        return (role,) if desk().who(actor, role) is not None else ()

    def after_sign_in(self, parts: Sequence[str]) -> str:
        """Today's work."""
        return "/today"

    def more_proof(self, account: int, parts: Sequence[str]) -> tuple[str, str] | None:
        """A password is enough here: nothing behind this door tells an arm."""
        return None

    def whole(self, visit: Visit) -> bool:
        """A password is all there is."""
        return True

    def house(self, visit: Visit) -> House:
        """Home is today's work for a person who is signed in."""
        signed = getattr(visit, "who", None) is not None
        home, travel = "/today" if signed else "/", journey()
        house = House(study_label(), rehearsal(), home, here(visit), "web/frame.html")
        if travel is None:
            return house
        return replace(house, bar="web/travel_bar.html", journey=travel.standing())

    def signed(self, visit: Visit) -> Signed | None:
        """The person with role and site."""
        entered, who = visit.entered, cast(Asked, visit).who
        if entered is None or who is None:
            return None
        role = ROLES.get(who.role)
        label = role.label if role else Text(who.role)
        site = next((grant.site for grant in who.grants if grant.role == who.role), None)
        name = Text(entered.name, entered.name_zh or None)
        reads = role.reads if role else frozenset[str]()
        if not desk().study.supply.doses:
            reads -= {"supply"}
        blind = role.blind if role else "blinded"
        return Signed(name, initials(entered.name), who.role, label, site, blind, reads)
