"""A visit to a page, at either door: its language, who is signed in, and what the frame of the page shows.

The rule that must stay true: the doors share code and nothing else. What differs between them (whom they know, the
names of their cookies, their look) is one `Door`, which the settings of the process hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from equipoise.pages.journey import Standing
from equipoise.protocol.study import Study
from equipoise.words.text import Language, Text

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""Headers of every answer of either door; each door adds its Content-Security-Policy."""


@dataclass(frozen=True, slots=True)
class Entered:
    """Who is signed in, as the account table knows them. `role`: what they act as, a role or a purpose of the door.

    must_change: somebody else made the password, which is to be replaced before anything else.
    """

    role: str
    account: int
    actor: str
    name: str
    name_zh: str
    language: str
    must_change: bool = False


class Visit(HttpRequest):
    """A request after the sign-in middleware. `entered` is None when nobody is signed in."""

    language: Language
    entered: Entered | None


@dataclass(frozen=True, slots=True)
class House:
    """What the frame of a page shows of the trial. The label of a rehearsal is never the registry's number.

    `frame` is the template that pages of this door extend, `note` one that stands under its sign-in; `here` the
    address of the page. `bar`: a template that shows where a rehearsal in play stands, which is `journey`.
    """

    label: str
    rehearsal: bool
    home: str
    here: str
    frame: str
    note: str = ""
    bar: str = ""
    journey: Standing | None = None


@dataclass(frozen=True, slots=True)
class Signed:
    """The person in the top bar."""

    name: Text
    initials: str
    role: str
    role_label: Text
    site: str | None
    blind: str
    reads: frozenset[str] = frozenset()
    """What the person's role may read, as the navigation asks."""


@dataclass(frozen=True, slots=True)
class Cookies:
    """The names of a door's cookies. Browsers share cookies between the ports of a host: no name serves both doors."""

    login: str
    language: str
    csrf: str
    device: str


class Door(Protocol):
    """What the shared code asks of the door that it serves."""

    @property
    def cookies(self) -> Cookies:
        """The names of its cookies."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Security headers of every answer."""

    @property
    def login_hours(self) -> float:
        """How long a login lasts without being renewed."""

    def recognise(self, visit: Visit) -> None:
        """Put on the request what the ledger says of the person who is signed in, if anybody is."""

    def parts(self, actor: str, role: str) -> Sequence[str]:
        """What the person may act as now: roles or purposes. `role` is the one noted with the account."""

    def after_sign_in(self, parts: Sequence[str]) -> str:
        """The address to go to when nobody asked for another."""

    def more_proof(self, account: int, parts: Sequence[str]) -> tuple[str, str] | None:
        """Where a password alone is not enough: what its login acts as, and the address that asks for more."""

    def whole(self, visit: Visit) -> bool:
        """Whether the login gave all the proof that its account can be asked for, and may change the password."""

    def house(self, visit: Visit) -> House:
        """The frame of a page."""

    def signed(self, visit: Visit) -> Signed | None:
        """The person in the top bar, or None."""


def door() -> Door:
    """The door of this process."""
    return cast(Door, settings.DOOR)


def trial_label(study: Study, *, rehearsal: bool) -> str:
    """What a page calls the trial: its demonstration number in a rehearsal, its own name otherwise."""
    if rehearsal:
        return study.demo_id
    return study.acronym or (study.registry.identifier if study.registry else study.id)


def here(visit: HttpRequest) -> str:
    """The address to come back to after the language was changed."""
    return visit.get_full_path() if visit.method == "GET" else visit.path


def page_context(request: HttpRequest) -> dict[str, Any]:  # Any: Django's context values
    """Language, house and signed person for every template."""
    visit = cast(Visit, request)
    entered = getattr(request, "entered", None) is not None
    return {
        "language": getattr(request, "language", "en"),
        "house": SimpleLazyObject(lambda: door().house(visit)),
        "signed": door().signed(visit) if entered else None,
    }


def initials(name: str) -> str:
    """One or two letters for the round badge: of the first and last word, or the last two Chinese characters."""
    if not name.isascii():
        return name[-2:]
    parts = [part for part in name.replace(".", " ").split() if part not in {"Dr", "Prof", "Mr", "Ms"}]
    return "".join(part[0].upper() for part in (parts[:1] + parts[1:][-1:]))
