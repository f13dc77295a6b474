"""What a page knows of its reader: language, person, the desk; and the context that every template gets."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from equipoise.access.commands import Who
from equipoise.access.roles import ROLES
from equipoise.web.door import DeskDoor
from equipoise.words.text import Language, Text


@dataclass(frozen=True, slots=True)
class Entered:
    """Who is signed in, as the account table knows them."""

    role: str
    account: int
    actor: str
    name: str
    name_zh: str
    language: str


class Asked(HttpRequest):
    """A request after the sign-in middleware. `who` is the desk's word on the person, None when nobody is signed in."""

    language: Language
    entered: Entered | None
    who: Who | None


@dataclass(frozen=True, slots=True)
class House:
    """What the frame of a page shows of the trial. The label of a rehearsal is never the registry's number."""

    label: str
    rehearsal: bool
    home: str
    here: str


@dataclass(frozen=True, slots=True)
class Signed:
    """The person in the top bar."""

    name: Text
    initials: str
    role: str
    role_label: Text
    site: str | None
    blind: str


def desk() -> DeskDoor:
    """The desk of this server."""
    return cast(DeskDoor, settings.DESK)


def rehearsal() -> bool:
    """Whether this store is a rehearsal, in which no person is real."""
    return desk().purpose == "rehearsal"


def study_label() -> str:
    """What a page calls the trial: its demonstration number in a rehearsal, its own name otherwise."""
    study = desk().study
    if rehearsal():
        return study.demo_id
    return study.acronym or (study.registry.identifier if study.registry else study.id)


def at_site(moment: str | None, site: str) -> str:
    """A UTC moment of the ledger in the site's own time, with the zone's name; nothing for None."""
    if moment is None:
        return ""
    zone = next((one.zone for one in desk().study.sites if one.id == site), "UTC")
    local = dt.datetime.fromisoformat(moment).astimezone(ZoneInfo(zone))
    return f"{local:%Y-%m-%d %H:%M:%S} {zone}"


def page_context(request: HttpRequest) -> dict[str, Any]:  # Any: Django's context values
    """Language, house and signed person for every template."""
    who, entered = getattr(request, "who", None), getattr(request, "entered", None)
    return {
        "language": getattr(request, "language", "en"),
        "house": SimpleLazyObject(lambda: _house(request)),
        "signed": SimpleLazyObject(lambda: _signed(entered, who)) if entered and who else None,
    }


def _house(request: HttpRequest) -> House:
    signed = getattr(request, "who", None) is not None
    here = request.get_full_path() if request.method == "GET" else request.path
    return House(study_label(), rehearsal(), "/today" if signed else "/", here)


def _signed(entered: Entered, who: Who) -> Signed:
    role = ROLES.get(who.role)
    label = role.label if role else Text(who.role)
    site = next((grant.site for grant in who.grants if grant.role == who.role), None)
    name = Text(entered.name, entered.name_zh or None)
    return Signed(name, initials(entered.name), who.role, label, site, role.blind if role else "blinded")


def initials(name: str) -> str:
    """One or two letters for the round badge: of the first and last word, or the last two Chinese characters."""
    if not name.isascii():
        return name[-2:]
    parts = [part for part in name.replace(".", " ").split() if part not in {"Dr", "Prof", "Mr", "Ms"}]
    return "".join(part[0].upper() for part in (parts[:1] + parts[1:][-1:]))
