"""What every page behind the sign-in shares: the person, and "not found" for what they may not see."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from equipoise.access.commands import Who
from equipoise.access.roles import ROLES
from equipoise.desk.views import Task
from equipoise.web import problems
from equipoise.web.request import Asked
from equipoise.words.problem import problem

Given = ParamSpec("Given")
Found = TypeVar("Found")
Page = Callable[Concatenate[Asked, Who, Given], HttpResponse]


def signed(page: Page[Given]) -> Callable[Concatenate[HttpRequest, Given], HttpResponse]:
    """A page for people who are signed in: others are sent to sign in and come back afterwards."""

    @wraps(page)
    def answer(request: HttpRequest, *args: Given.args, **kwargs: Given.kwargs) -> HttpResponse:
        asked = cast(Asked, request)
        if asked.who is not None:
            return page(asked, asked.who, *args, **kwargs)
        if asked.headers.get("Accept", "").startswith("application/json"):
            raise problems.Shown(problem("web.sign-in-first"))
        return redirect(f"/login?next={quote(asked.get_full_path())}")

    return answer


def found(value: Found | None) -> Found:
    """The value, or the page "not found"."""
    if value is None:
        raise problems.missing()
    return value


def new_key() -> str:
    """A fresh idempotency key for a form on a page."""
    return secrets.token_urlsafe(18)


def may(who: Who, command: str) -> bool:
    """Whether the role knows this command: pages offer a button by it; the desk asks again when it is pressed."""
    role = ROLES.get(who.role)
    return role is not None and command in role.commands


def subject_path(number: str, *parts: object) -> str:
    """Address below a subject's casebook."""
    return "/".join(["/subjects", quote(number), *(quote(str(part)) for part in parts)])


_PLACES = {
    "not_evaluable": "eligibility",
    "stratum_not_evaluable": "randomize",
    "ready_to_randomize": "randomize",
    "consent_missing": "consent",
}


def task_path(task: Task) -> str:
    """Where a task is done: a form where its place names visit and form, else the page of its kind."""
    if task.kind in _PLACES:
        return subject_path(task.subject, _PLACES[task.kind])
    if len(task.place) >= 2:
        return subject_path(task.subject, "forms", *task.place)
    return subject_path(task.subject)


TASK_LOOKS = {
    "visit_due": ("clock", "warn"),
    "form_unfinished": ("half", ""),
    "query_open": ("flag-full", "bad"),
    "not_evaluable": ("alert", "warn"),
    "stratum_not_evaluable": ("alert", "warn"),
    "ready_to_randomize": ("shuffle", "good"),
    "consent_missing": ("pen", "warn"),
}
"""Kind of task -> icon and tone."""


def task_lines(tasks: tuple[Task, ...]) -> list[dict[str, object]]:
    """Tasks with address and look, for the template."""
    lines: list[dict[str, object]] = []
    for task in tasks:
        icon, tone = TASK_LOOKS.get(task.kind, ("info", ""))
        shown = problem(task.key, **task.arguments)
        lines.append({"task": task, "shown": shown, "path": task_path(task), "icon": icon, "tone": tone})
    return lines
