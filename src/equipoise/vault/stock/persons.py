"""The second person: who may check, and who may witness a destruction.

The rule that must stay true: two persons are two; the second works in the pharmacy now, by the first door's own roles.
That the second person was there is shown by their credential, which the page asks for before a command is given.
Source: ICH E6(R3) 4.4; EU GMP Part I 5 (checks by a second person).
"""

from __future__ import annotations

from collections.abc import Iterator

from equipoise.vault.facts import VaultFacts
from equipoise.words.problem import Problem, problem

PHARMACY = frozenset({"pharmacist", "pharmacy_checker"})
"""Roles of the first door whose holders work at the bench."""


def at_home(facts: VaultFacts, site: str) -> bool:
    """Whether the person who acts works at that site; everywhere for a role of the whole study."""
    return facts.actor_sites is None or site in facts.actor_sites


def second_person_faults(facts: VaultFacts, second: str, where: str = "second") -> Iterator[Problem]:
    """What stands against `second` (an actor's id) as the second person of what `facts.actor` does."""
    if not second:
        yield problem("vault_stock.second-person-missing", where)
    elif second == facts.actor:
        yield problem("vault_stock.second-person-is-the-first", where)
    elif not PHARMACY & set(facts.roles.get(second, ())):
        yield problem("vault_stock.second-person-not-of-the-pharmacy", where)
