"""What a page of the second door knows of its reader, and the vault of this process."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast
from urllib.parse import quote
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect

from equipoise.pages import problems
from equipoise.pages.visit import Visit
from equipoise.vault.facts import Keeper, Purpose
from equipoise.vault.web.door import VaultDoor
from equipoise.words.problem import problem

Given = ParamSpec("Given")
Found = TypeVar("Found")
Page = Callable[Concatenate["Asked", Keeper, Given], HttpResponse]


class Asked(Visit):
    """A request after the sign-in middleware. `keeper`: the person and the purpose, None when nobody is signed in."""

    keeper: Keeper | None


def vault() -> VaultDoor:
    """The vault of this process. A page area that needs more of it casts to its own Protocol, or to Vault."""
    return cast(VaultDoor, settings.VAULT)


def rehearsal() -> bool:
    """Whether this vault is a rehearsal's, in which no person is real."""
    return vault().purpose == "rehearsal"


def kept(*purposes: Purpose) -> Callable[[Page[Given]], Callable[Concatenate[Asked, Given], HttpResponse]]:
    """A page for people signed in for one of these purposes (for any, where none is named).

    Others are sent to sign in, or to choose a purpose, and come back; with another purpose there is no such page.
    """

    def decorate(page: Page[Given]) -> Callable[Concatenate[Asked, Given], HttpResponse]:
        @wraps(page)
        def answer(request: Asked, /, *args: Given.args, **kwargs: Given.kwargs) -> HttpResponse:
            keeper = request.keeper
            if keeper is not None and (not purposes or keeper.purpose in purposes):
                return page(request, keeper, *args, **kwargs)
            if keeper is not None:
                raise problems.missing()
            if request.headers.get("Accept", "").startswith("application/json"):
                raise problems.Shown(problem("pages.sign-in-first"))
            if request.entered is not None:
                return redirect("/purpose")
            entrance = "/" if rehearsal() else "/login"  # made-up people have no password: they are chosen
            return redirect(f"{entrance}?next={quote(request.get_full_path())}")

        return answer

    return decorate


def found(value: Found | None) -> Found:
    """The value, or the page "not found"."""
    if value is None:
        raise problems.missing()
    return value


def new_key() -> str:
    """A fresh idempotency key for a form on a page."""
    return secrets.token_urlsafe(18)


def at_site(moment: str | None, site: str | None = None) -> str:
    """A UTC moment of a ledger as people at a site read it, to the minute; of the study's first site for None."""
    if not moment:
        return ""
    zone = vault().study.zone_of(site)
    try:
        local = dt.datetime.fromisoformat(moment).astimezone(ZoneInfo(zone))
    except (
        ValueError,
        OverflowError,
    ):  # somebody else's door says it: one moment must not take a whole list away
        return moment
    return f"{local:%Y-%m-%d %H:%M} {zone}"
