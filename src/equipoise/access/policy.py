"""The access map: what each role may read and do, made from the same table and the same steps that the desk enforces.

The rule that must stay true: no line here is written by hand; a cell of the map is what `decide.may` would say of the
role (tests/laws/test_access_map.py asks it for every role and every command).
Source: reliability notes 1.4 (11.10 d and g: one policy table); ICH E6(R3) 4.2.2 (list of users and rights).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from equipoise.access.commands import Who
from equipoise.access.duties import (
    CONDUCT,
    DUTIES,
    NEVER_HELD_UP,
    SIGNED_BY_THE_PRINCIPAL,
    SITE_STAFF,
    training_lacking,
)
from equipoise.access.roles import ROLES
from equipoise.ledger.facts import Facts
from equipoise.words.text import Text

Held = Literal["yes", "role", "duty", "training"]
"""Whether a command is open to a person: yes, or what is lacking."""
_OF = {command: duty.id for duty in DUTIES.values() for command in duty.commands}
SAVES = frozenset({"RecordForm", "RecordEntry", "SettleEntries"})
"""Commands whose duty is that of the form: scoring a scale is one of its own."""


@dataclass(frozen=True, slots=True)
class CommandRow:
    """One command: the duties of site staff that it needs (none: the grant alone), and the roles that may give it."""

    command: str
    duties: tuple[Text, ...]
    roles: frozenset[str]


def data_words() -> tuple[str, ...]:
    """Every word of what can be read."""
    return tuple(sorted(set().union(*(role.reads for role in ROLES.values()))))


def people_roles() -> tuple[str, ...]:
    """The roles of people, in the order of the table."""
    return tuple(role for role in ROLES if role != "system")


def duties_of(command: str) -> tuple[str, ...]:
    """The duties that a command may need of site staff: none for what waits for no log, two for a save of a form."""
    if command in NEVER_HELD_UP | SIGNED_BY_THE_PRINCIPAL:
        return ()
    if command in SAVES:
        return ("data_entry", "rating")
    return (_OF.get(command, CONDUCT),)


def command_rows(commands: Collection[str]) -> tuple[CommandRow, ...]:
    """The map of some commands, by name."""
    return tuple(
        CommandRow(
            name,
            tuple(DUTIES[duty].label for duty in duties_of(name)) if _is_of_sites(name) else (),
            frozenset(role for role in people_roles() if name in ROLES[role].commands),
        )
        for name in sorted(commands)
    )


def _is_of_sites(command: str) -> bool:
    return any(command in ROLES[role].commands for role in SITE_STAFF)


def held(who: Who, command: str, facts: Facts) -> Held:
    """Whether a command is open to a person at the site of `facts`, and if not, what is lacking first."""
    role = ROLES.get(who.role)
    if role is None or command not in role.commands:
        return "role"
    if not facts.log_in_force or who.role not in SITE_STAFF:
        return "yes"
    needed = duties_of(command)
    if not needed:
        return "yes"
    given = facts.delegated.get(who.actor, {})
    mine = [
        duty
        for duty in needed
        if who.actor == facts.principal or (duty in given and (given[duty] or "9999") >= facts.today)
    ]
    if not mine:
        return "duty"
    return "yes" if any(not training_lacking(who.trained, duty, facts) for duty in mine) else "training"
