"""Commands on who may do what, and `Who`: the person a command comes from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grant:
    """A role held now, at one site or (None) in the whole study."""

    role: str
    site: str | None = None


@dataclass(frozen=True, slots=True)
class Trained:
    """A training that a person had: topic and version, the day (ISO) and the last day on which it counts."""

    topic: str
    version: str
    on: str
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Certified:
    """A certificate to score an instrument in a language, from a day (ISO) until another.

    Of a reader of images `instrument` is the DICOM code of what is read, and `language` is empty.
    """

    instrument: str
    language: str
    on: str
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Who:
    """A person as the desk knows them: random id, roles held now and ever, the role they act in, what they learnt."""

    actor: str
    role: str
    grants: tuple[Grant, ...]
    past: tuple[Grant, ...] = ()
    trained: tuple[Trained, ...] = ()
    certified: tuple[Certified, ...] = ()


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


@dataclass(frozen=True, slots=True)
class RecordTraining:
    """Record that a person of a site (None: of the study) was trained in topics of the definition, on a day (ISO)."""

    user: str
    topics: tuple[str, ...]
    on: str
    site: str | None = None


@dataclass(frozen=True, slots=True)
class RecordCertificate:
    """Record a person's certificate for an instrument in a language; days are ISO."""

    user: str
    instrument: str
    language: str
    on: str
    until: str
    certificate: str = ""
    site: str | None = None


@dataclass(frozen=True, slots=True)
class WithdrawCertificate:
    """Record that a certificate no longer counts."""

    user: str
    instrument: str
    language: str
    reason: str
    site: str | None = None
