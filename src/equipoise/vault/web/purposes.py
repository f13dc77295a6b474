"""The purposes for which a person signs in at the second door: their order, words, icons and pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from equipoise.vault.facts import Purpose


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
    def may(self) -> str:
        """Message key of what the purpose allows, where it has no page of its own."""
        return f"vault.may-{self.purpose.lower()}"


_BENCH = Link("/bench", "vault.nav-bench", "pill")
_STOCK = Link("/stock", "vault.nav-stock", "table")
_VALUES = Link("/values", "vault.nav-values", "gauge")
_BREAK = Link("/break", "vault.nav-break", "eye")

_BREAKS = Link("/breaks", "vault.nav-breaks", "alert")

LOOKS: Mapping[Purpose, Look] = {
    look.purpose: look
    for look in (
        Look("BENCH", "vault.purpose-bench", "vault.lead-bench", "pill", (_BENCH, _STOCK, _VALUES)),
        Look("CHECK", "vault.purpose-check", "vault.lead-check", "clipboard-check", (_BENCH, _VALUES)),
        Look("BREAK", "vault.purpose-break", "vault.lead-break", "eye", (_BREAK,)),
        Look("LAB", "vault.purpose-lab", "vault.lead-lab", "gauge", (_VALUES,)),
        Look("OFFICER", "vault.purpose-officer", "vault.lead-officer", "lock"),
        Look("BOARD", "vault.purpose-board", "vault.lead-board", "chart"),
        Look("KEEPER", "vault.purpose-keeper", "vault.lead-keeper", "gear", (_BREAKS,)),
    )
}
"""Every purpose, in the order in which pages list them."""
