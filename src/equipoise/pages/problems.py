"""One table from rules to HTTP statuses, and the pages that say what went wrong and what to do.

The rule that must stay true: a Problem knows no HTTP; only this table does. What it does not name is 422: the
request was understood and could not be carried out as it stands.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from equipoise.pages.visit import Visit
from equipoise.words.problem import Problem, problem

STATUS = {
    "pages.not-found": 404,
    "pages.our-fault": 500,
    "pages.sign-in-first": 401,
    "pages.sign-in-failed": 422,
    "pages.locked-out": 429,
    "pages.not-a-rehearsal": 403,
    "pages.page-too-old": 403,
    "pages.request-not-understood": 400,
    "diary.sending-too-large": 413,
}
"""Rule -> status, for rules with a status of their own."""
ENDINGS = (
    (("stale", "changed-since", "already-changed", "key-reused", "replay-differs"), 409),
    (("disk-full", "no-space"), 507),
    (("unavailable", "busy", "locked-by-another", "store-in-use", "corrupt", "damaged", "unreadable"), 503),
)
"""How names of rules end, in any room, and the status that goes with it."""
ROOMS = {"access": 403}
"""Room -> status, for rules without one of their own."""
OTHERWISE = 422


class Shown(Exception):
    """Ends a view with the page of a Problem."""

    def __init__(self, shown: Problem) -> None:
        super().__init__(shown.rule)
        self.problem = shown


def missing() -> Shown:
    """What is not there, or not for this reader: the same answer for both."""
    return Shown(problem("pages.not-found"))


def status(shown: Problem) -> int:
    """The HTTP status of one Problem."""
    if shown.rule in STATUS:
        return STATUS[shown.rule]
    room, _, name = shown.rule.partition(".")
    for endings, code in ENDINGS:
        if name.endswith(endings):
            return code
    return ROOMS.get(room, OTHERWISE)


def status_of(all_shown: Iterable[Problem]) -> int:
    """The status of several Problems: the most general of them, 409 first (a person has to decide)."""
    codes = {status(shown) for shown in all_shown}
    return 409 if 409 in codes else max(codes, default=OTHERWISE)


def page(request: Visit, shown: Problem) -> HttpResponse:
    """The page (or, for a script, the JSON) of a Problem with its status."""
    code = status(shown)
    if request.headers.get("Accept", "").startswith("application/json"):
        says = {"rule": shown.rule, "where": shown.where, "says": shown.say(request.language)}
        return JsonResponse({"accepted": False, "problems": [says]}, status=code)
    return render(request, "pages/problem.html", {"shown": shown, "code": code}, status=code)


def not_found(request: Visit, exception: Exception | None = None) -> HttpResponse:
    """Django's 404."""
    return page(request, problem("pages.not-found"))


def stale_page(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page was open across a sign-in or a restart with another key: its CSRF token is no longer good."""
    visit: Visit = request  # type: ignore[assignment]  # the sign-in middleware ran before CSRF's
    return page(visit, problem("pages.page-too-old"))


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's 500, for what failed outside our middleware."""
    return HttpResponse(
        "Something went wrong; nothing was changed. 程序出错，未作任何更改。",
        status=500,
        content_type="text/plain; charset=utf-8",
    )


def refused_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's 400: a host or form that is not ours."""
    return HttpResponse(
        "This request was not understood. 无法理解该请求。",
        status=400,
        content_type="text/plain; charset=utf-8",
    )
