"""The access map as a page: role by data and blind, role by command; and what one named person may see and do today.

The rule that must stay true: everything comes from `access.policy` and the ledger; who looks at a person reads of the
people of a site at which that person holds a role.
"""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.access.commands import Grant, Who
from equipoise.access.decide import may_read
from equipoise.access.policy import CommandRow, Held, command_rows, data_words, held, people_roles
from equipoise.access.roles import ROLES, Blind, label_of
from equipoise.desk.desk import Desk
from equipoise.desk.routes import ROUTES
from equipoise.words.text import Text

READS = "people"


@dataclass(frozen=True, slots=True)
class RoleColumn:
    """A role: its name, whether the blind binds it, what it reads."""

    id: str
    label: Text
    blind: Blind
    reads: frozenset[str]


@dataclass(frozen=True, slots=True)
class AccessMap:
    """The whole map."""

    roles: tuple[RoleColumn, ...]
    data: tuple[str, ...]
    commands: tuple[CommandRow, ...]


@dataclass(frozen=True, slots=True)
class RoleOfPerson:
    """A role that a person holds at a site (empty: in the whole study), what it reads there, what it may do today."""

    role: Text
    blind: Blind
    site: str
    reads: tuple[str, ...]
    commands: tuple[tuple[str, Held], ...]


@dataclass(frozen=True, slots=True)
class PersonAccess:
    """What a named person may see and do, and which roles were held before."""

    user: str
    name: str
    held: tuple[RoleOfPerson, ...]
    before: tuple[tuple[Text, str], ...]


def access_map(desk: Desk, who: Who) -> AccessMap | None:
    """The map, for who reads of people."""
    if not may_read(who, READS, None):
        return None
    roles = tuple(
        RoleColumn(role, ROLES[role].label, ROLES[role].blind, ROLES[role].reads) for role in people_roles()
    )
    return AccessMap(roles, data_words(), command_rows({command.__name__ for command in ROUTES}))


def person_access(desk: Desk, who: Who, user: str) -> PersonAccess | None:
    """What a person may see and do today; None where the reader sees nothing of that person."""
    with desk.reading() as reader:
        state = desk.person(reader, user)
        sites = {grant.site for grant in state.ever}
        if not state.ever or not any(may_read(who, READS, site) for site in sites):
            return None
        every = sorted(command.__name__ for command in ROUTES)
        roles = []
        for grant in state.now:
            facts = desk.standing_of_site(reader, grant.site or "").facts
            person, role = state.who(user, grant.role), ROLES[grant.role]
            commands = tuple((name, held(person, name, facts)) for name in every if name in role.commands)
            roles.append(
                RoleOfPerson(role.label, role.blind, grant.site or "", tuple(sorted(role.reads)), commands)
            )
    gone = [grant for grant in dict.fromkeys(state.ever) if grant not in state.now]
    return PersonAccess(user, desk.register.staff_name(user), tuple(roles), tuple(_gone(one) for one in gone))


def _gone(grant: Grant) -> tuple[Text, str]:
    return label_of(grant.role), grant.site or ""
