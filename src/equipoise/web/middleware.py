"""What happens before and after every page: headers, language, sign-in, and pages for faults.

The rules that must stay true: no inline script or style runs; a page with data is never stored by a browser or
a proxy; the person and the login are found in one query.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from equipoise.ledger.store import StoreFault
from equipoise.web import problems
from equipoise.web.accounts import logins
from equipoise.web.request import Asked, desk
from equipoise.words.problem import problem
from equipoise.words.text import Language

View = Callable[[HttpRequest], HttpResponseBase]

LANGUAGE_COOKIE = "equipoise_language"
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_log = logging.getLogger("equipoise.web")


def guard(get_response: View) -> View:
    """Put the security headers on every answer, files included."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return answer


def sign_in(get_response: View) -> View:
    """Find the person, the role and the language; forbid storing what is shown."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        asked = cast(Asked, request)
        token = request.COOKIES.get(logins.COOKIE, "")
        asked.entered = logins.find(token) if token else None
        asked.who = desk().who(asked.entered.actor, asked.entered.role) if asked.entered else None
        asked.language = language_of(asked)
        response = get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["Vary"] = "Cookie, Accept-Language"
        response.headers["Content-Language"] = "zh-Hans" if asked.language == "zh" else "en"
        return response

    return answer


def language_of(request: Asked) -> Language:
    """The cookie's language, else the person's, else the first that the browser asks for and we have, else English."""
    kept = request.COOKIES.get(LANGUAGE_COOKIE) or (request.entered.language if request.entered else "")
    if kept in ("en", "zh"):
        return "zh" if kept == "zh" else "en"
    for wish in request.headers.get("Accept-Language", "").split(","):
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
            return problems.page(cast(Asked, request), exception.problem)
        if isinstance(exception, problems.Shown):
            return problems.page(cast(Asked, request), exception.problem)
        _log.exception("a page failed", exc_info=exception)
        return problems.page(cast(Asked, request), problem("web.our-fault"))

    answer.process_exception = process_exception  # type: ignore[attr-defined]  # the hook Django looks for
    return answer
