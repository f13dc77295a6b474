"""The people of the trial for who keeps their accounts: which roles they hold and held, and who may be given more.

The rule that must stay true: inviting, granting and ending are commands in the ledger; this page only reads them.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from equipoise.access.commands import GrantRole, Who
from equipoise.access.decide import may
from equipoise.access.roles import ROLES, label_of
from equipoise.desk.desk import Desk
from equipoise.desk.followers import GRANTS, SITES
from equipoise.desk.views import Outcome
from equipoise.ledger.facts import Facts
from equipoise.words.ids import random_id
from equipoise.words.text import Text


@dataclass(frozen=True, slots=True)
class GrantLine:
    """One role of a person at a site (empty: in the whole study)."""

    role: str
    label: Text
    site: str
    held: bool


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One person and every role ever held."""

    user: str
    name: str
    grants: tuple[GrantLine, ...]


@dataclass(frozen=True, slots=True)
class AccountsView:
    """Everybody, the roles there are, and the sites."""

    people: tuple[AccountLine, ...]
    roles: tuple[tuple[str, Text], ...]
    sites: tuple[str, ...]


def accounts_page(desk: Desk, who: Who) -> AccountsView | None:
    """Everybody who holds or held a role; None for who does not grant roles."""
    if may(who, GrantRole("", ""), Facts()) is not None:
        return None
    with desk.reading() as reader:
        rows = reader.rows.find(GRANTS, order=("user", "role", "site"))
        sites = tuple(str(row["site"]) for row in reader.rows.find(SITES, order=("site",)))
    grants: dict[str, list[GrantLine]] = {}
    for row in rows:
        role = str(row["role"])
        line = GrantLine(role, label_of(role), str(row["site"] or ""), bool(row["held"]))
        grants.setdefault(str(row["user"]), []).append(line)
    people = [AccountLine(user, desk.register.staff_name(user), tuple(held)) for user, held in grants.items()]
    roles = tuple((role, known.label) for role, known in ROLES.items() if role != "system")
    return AccountsView(tuple(sorted(people, key=lambda one: one.name)), roles, sites)


def invite(desk: Desk, who: Who, name: str, role: str, site: str | None, *, key: str) -> tuple[str, Outcome]:
    """Give a new person a random id and a first role; the name goes to the register once the ledger accepted."""
    user = random_id(secrets.token_bytes)
    outcome = desk.submit(who, GrantRole(user, role, site), key=key)
    if outcome.accepted and not outcome.replayed:
        desk.register.add_staff(user, name)
    return user, outcome
