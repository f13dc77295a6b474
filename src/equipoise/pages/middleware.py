"""What happens before and after every page: headers, language, sign-in, and pages for faults.

The rules that must stay true: no inline script or style runs; a page with data is never stored by a browser or
a proxy; the person and the login are found in one query.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from equipoise.ledger.store import StoreFault
from equipoise.pages import problems
from equipoise.pages.accounts import logins
from equipoise.pages.visit import Visit, door
from equipoise.words.problem import problem
from equipoise.words.text import Language

View = Callable[[HttpRequest], HttpResponseBase]

FIRST = frozenset({"/password", "/logout", "/language"})
"""Where a person goes whose password was made by somebody else, until it is replaced."""
_log = logging.getLogger("equipoise.pages")


def guard(get_response: View) -> View:
    """Put the security headers on every answer, files included."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        for name, value in door().headers.items():
            response.headers.setdefault(name, value)
        return response

    return answer


def sign_in(get_response: View) -> View:
    """Find the person, the role and the language; forbid storing what is shown."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        visit = cast(Visit, request)
        token = request.COOKIES.get(door().cookies.login, "")
        visit.entered = logins.find(token) if token else None
        door().recognise(visit)
        visit.language = language_of(visit)
        held = visit.entered is not None and visit.entered.must_change and visit.path not in FIRST
        response = redirect("/password") if held else get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["Vary"] = "Cookie, Accept-Language"
        response.headers["Content-Language"] = "zh-Hans" if visit.language == "zh" else "en"
        return response

    return answer


def language_of(visit: Visit) -> Language:
    """The cookie's language, else the person's, else the first that the browser asks for and we have, else English."""
    kept = visit.COOKIES.get(door().cookies.language) or (visit.entered.language if visit.entered else "")
    if kept in ("en", "zh"):
        return "zh" if kept == "zh" else "en"
    for wish in visit.headers.get("Accept-Language", "").split(","):
        tag = wish.split(";")[0].strip().lower()
        if tag.startswith(("zh", "en")):
            return "zh" if tag.startswith("zh") else "en"
    return "en"


def fault_pages(get_response: View) -> View:
    """Turn a fault of the store, or a bug of ours, into a page that says what to do."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        return get_response(request)

    def process_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, StoreFault):
            return problems.page(cast(Visit, request), exception.problem)
        if isinstance(exception, problems.Shown):
            return problems.page(cast(Visit, request), exception.problem)
        # Where, and what sort; never its text, which could hold a value, or at the second door an arm.
        where = "".join(traceback.format_tb(exception.__traceback__))
        _log.error("a page failed: %s\n%s", type(exception).__name__, where)
        return problems.page(cast(Visit, request), problem("pages.our-fault"))

    answer.process_exception = process_exception  # type: ignore[attr-defined]  # the hook Django looks for
    return answer
