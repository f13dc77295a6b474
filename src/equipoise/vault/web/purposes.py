"""The purposes for which a person signs in at the second door: their order, words, icons and pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from equipoise.vault.facts import Purpose

PROVING = "PROVING"
"""What a login acts as whose person gave a password and has to give a second factor, too: it opens nothing else."""
INVITED = "INVITED"
"""What an account is noted as, and its logins act as, until its person has set a password: it bears no purpose."""


@dataclass(frozen=True, slots=True)
class Link:
    """An entry of the main menu."""

    path: str
    key: str
    icon: str

    @property
    def lead(self) -> str:
        """Message key of what the page is for."""
        return f"{self.key}-lead"


@dataclass(frozen=True, slots=True)
class Look:
    """How a purpose is shown: message keys of its name and of what it is for, an icon, its pages."""

    purpose: Purpose
    label: str
    lead: str
    icon: str
    links: tuple[Link, ...] = ()

    @property
    def home(self) -> str:
        """Where work begins: at the list of what waits, or, for who has none, at a page that says what they may."""
        return self.links[0].path if self.purpose in {"BENCH", "CHECK", "BREAK", "LAB"} else "/work"

    @property
    def may(self) -> str:
        """Message key of what the purpose allows, where it has no page of its own."""
        return f"vault.may-{self.purpose.lower()}"


_BENCH = Link("/bench", "vault.nav-bench", "pill")
_STOCK = Link("/stock", "vault.nav-stock", "table")
_VALUES = Link("/values", "vault.nav-values", "gauge")
_BREAK = Link("/break", "vault.nav-break", "eye")

_PEOPLE = Link("/people", "vault.credentials", "id")
_KEEPING = Link("/definition", "vault_keeping.title", "clipboard-check")
_BREAKS = Link("/breaks", "vault.nav-breaks", "alert")
_RELEASE = Link("/release", "vault_release.title", "globe")
_CLOSED = Link("/closed", "vault_release.closed", "chart")

LOOKS: Mapping[Purpose, Look] = {
    look.purpose: look
    for look in (
        Look("BENCH", "vault.purpose-bench", "vault.lead-bench", "pill", (_BENCH, _STOCK, _VALUES)),
        Look(
            "CHECK", "vault.purpose-check", "vault.lead-check", "clipboard-check", (_BENCH, _STOCK, _VALUES)
        ),
        Look("BREAK", "vault.purpose-break", "vault.lead-break", "eye", (_BREAK,)),
        Look("LAB", "vault.purpose-lab", "vault.lead-lab", "gauge", (_VALUES, _RELEASE)),
        Look("OFFICER", "vault.purpose-officer", "vault.lead-officer", "lock", (_RELEASE,)),
        Look("BOARD", "vault.purpose-board", "vault.lead-board", "chart", (_CLOSED,)),
        Look(
            "KEEPER",
            "vault.purpose-keeper",
            "vault.lead-keeper",
            "gear",
            (_PEOPLE, _KEEPING, _BREAKS, _RELEASE, _CLOSED),
        ),
    )
}
"""Every purpose, in the order in which pages list them."""
