"""Commands on who may do what, and `Who`: the person a command comes from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grant:
    """A role held now, at one site or (None) in the whole study."""

    role: str
    site: str | None = None


@dataclass(frozen=True, slots=True)
class Who:
    """A person as the desk knows them: random id, the roles held now and ever, and the role they act in."""

    actor: str
    role: str
    grants: tuple[Grant, ...]
    past: tuple[Grant, ...] = ()


SYSTEM = Who("system", "system", ())
"""The program itself, acting for an administrator at the terminal. No person bears this id."""


@dataclass(frozen=True, slots=True)
class GrantRole:
    """Give a person a role."""

    user: str
    role: str
    site: str | None = None


@dataclass(frozen=True, slots=True)
class RevokeRole:
    """Take a role away."""

    user: str
    role: str
    site: str | None = None
    reason: str = ""
