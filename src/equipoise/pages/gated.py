"""A door's application behind the gate of a rehearsal in play: shut while time passes, with one page that says so.

The rule that must stay true: what is sent while the gate is shut is not taken, and the answer says that nothing was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any
from urllib.parse import quote

from equipoise.pages.journey import Journey
from equipoise.pages.serving import Application
from equipoise.words.problem import say

WAIT_SECONDS = 2.0
"""So long a page waits for a short passage of time to be over."""
_AGAIN_SECONDS = 3


def gated(
    application: Application, journey: Journey | None, *, open_to: Collection[str] = (), waiting: str = ""
) -> Application:
    """The application, with its pages shut while the journey's gate is. Without a journey: the application itself.

    open_to: beginnings of addresses that are answered all the same. waiting: the address of the page that tells how
    time passes, to which who asks for another is led; where there is none, a plain one says to come back.
    """
    if journey is None:
        return application
    gate, free = journey.gate, ("/static/", *open_to)

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:  # Any: WSGI's own
        path = str(environ.get("PATH_INFO", "/"))
        if path.startswith(free):
            return application(environ, start)
        if not gate.enter(WAIT_SECONDS):
            return _shut(environ, start, waiting)
        try:
            return application(environ, start)
        finally:
            gate.leave()

    return answer


def _shut(
    environ: dict[str, Any], start: Callable[..., Any], waiting: str
) -> Iterable[bytes]:  # Any: WSGI's own
    """Lead to the page that waits, or say to come back. What was sent is told not to have been taken."""
    path, method = str(environ.get("PATH_INFO", "/")), environ.get("REQUEST_METHOD", "GET")
    machine = "json" in str(environ.get("HTTP_ACCEPT", "")) or path.startswith("/diary/intake")
    if waiting and not machine:
        asked = path + (f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else "")
        back = asked if method == "GET" else "/today"
        lost = "" if method == "GET" else "&lost=1"
        start("303 See Other", [("Location", f"{waiting}?back={quote(back)}{lost}")])
        return [b""]
    told = f"{say('travel.come-back', 'en')} {say('travel.come-back', 'zh')}"
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Retry-After", str(_AGAIN_SECONDS))]
    start("503 Service Unavailable", headers)
    return [told.encode()]
