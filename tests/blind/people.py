"""Who acts in a world: one person for each role that the program knows, and the browser each of them holds.

The roles are read from the program: a role that is added has its person here at once, and its operations want cover.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlencode

from equipoise.access.roles import ROLES

AT_SITE = ("coordinator", "investigator", "rater", "pharmacist", "pharmacy_checker")
"""Roles that are held at one site; the others in the whole study."""
TWICE = {"coordinator", "investigator"}
"""Roles that a second site has, too."""

PASSWORD = "correct horse battery"


@dataclass(slots=True)
class Person:
    """A person with a browser. `cookies` are what the first door has set."""

    actor: str
    name: str
    role: str
    site: str | None
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def first(self) -> bool:
        """Whether this is the person who stands for the role in the sample."""
        return not self.name.endswith(" Two")


def people() -> list[Person]:
    """Everybody."""
    found = []
    for role in ROLES:
        if role == "system":
            continue
        sites: tuple[str | None, ...] = (None,)
        if role in AT_SITE:
            sites = ("01", "02") if role in TWICE else ("01",)
        if role == "reader":
            sites = (None, None, None)  # two read the same images, and a third decides
        if role == "rater":
            sites = ("01", "01")  # a second one, to whom a participant goes over
        for place, site in enumerate(sites):
            name = role.replace("_", " ").title() + " Two" * place
            found.append(Person(f"{role.replace('_', '-')}-{site or 'all'}-{place}", name, role, site))
    return found


def observed_roles() -> tuple[str, ...]:
    """Every role whose pages are compared: all of them. At this door nobody may see an arm, blinded or not."""
    return tuple(role for role in ROLES if role != "system")


def blinded_roles() -> tuple[str, ...]:
    """Roles that the blind binds."""
    return tuple(role for role, known in ROLES.items() if known.blind == "blinded")


def chosen(role: str) -> bool:
    """Whether the role chooser of a rehearsal offers it: those who see through the blind work at the other door."""
    return ROLES[role].blind != "unblinded"


def form(fields: dict[str, str]) -> bytes:
    """A form as a browser sends it."""
    return urlencode(fields).encode()
