"""What every page behind the sign-in shares: the person, and "not found" for what they may not see."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar
from urllib.parse import quote

from django.http import HttpResponse
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


def signed(page: Page[Given]) -> Callable[Concatenate[Asked, Given], HttpResponse]:
    """A page for people who are signed in: others are sent to sign in and come back afterwards."""

    @wraps(page)
    def answer(request: Asked, /, *args: Given.args, **kwargs: Given.kwargs) -> HttpResponse:
        if request.who is not None:
            return page(request, request.who, *args, **kwargs)
        if request.headers.get("Accept", "").startswith("application/json"):
            raise problems.Shown(problem("pages.sign-in-first"))
        return redirect(f"/login?next={quote(request.get_full_path())}")

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


def form_path(number: str, place: tuple[str, ...]) -> str:
    """Address of a form from its place: visit, form, and perhaps repeat and item."""
    visit, form, *more = place
    repeat = more[:1] if more and more[0] != "1" else []
    return subject_path(number, "forms", visit, form, *repeat) + (
        f"#item-{more[1]}" if more[1:] and more[1] else ""
    )


_PLACES = {
    "not_evaluable": "eligibility",
    "ineligible": "eligibility",
    "ready_to_confirm": "eligibility",
    "stratum_not_evaluable": "randomize",
    "ready_to_randomize": "randomize",
    "consent_missing": "consent",
    "reconsent_capacity": "consent",
    "reconsent_version": "consent",
    "reconsent_late": "consent",
    "bag_recalled": "infusion",
    "dose_held": "infusion",
    "bag_released": "infusion",
    "break_review": "blind",
    "break_review_late": "blind",
    "rater_reassign": "blind",
    "break_notice": "blind",
    "break_card": "blind",
    "deviation_explain": "deviations",
    "deviation_class": "deviations",
    "reads_waiting": "imaging",
    "images_to_give": "imaging",
    "images_differ": "imaging",
    "results_missing": "specimens",
    "diary_help": "diary",
    "diary_silent": "diary",
}


_PAGES = {"queries_answered": "/queries", "release_sign": "/release", "reader_certificate_ends": "/readers"}
"""Tasks that are about no participant, and the page on which each is done."""


_AT_THE_SITE = frozenset({"training_ends", "certificate_ends", "delegation_ends", "principal_missing"})
"""Tasks that are done on the page of a site's people; their place is the site."""
_QUEUES = {"to_sign": "/signatures", "to_verify": "/verification", "to_review": "/verification"}


_OF_THE_DIARY = frozenset({"diary_flag", "diary_change", "diary_second", "diary_unlike"})
_TYPED_TWICE = frozenset({"double_second", "double_settle"})


def task_path(task: Task) -> str:
    """Where a task is done: a form where its place names visit and form, else the page of its kind."""
    if task.kind in _QUEUES:
        return _QUEUES[task.kind]
    if task.kind in _OF_THE_DIARY and task.place:
        return subject_path(task.subject, "diary", "entries", *task.place)
    if task.kind in _TYPED_TWICE:
        return subject_path(task.subject, "double", *task.place)
    if task.kind in _PLACES:
        return subject_path(task.subject, _PLACES[task.kind])
    if task.kind in _PAGES:
        return _PAGES[task.kind]
    if task.kind == "query_open" and len(task.place) > 4:
        return f"/queries/{quote(task.subject)}/{quote(task.place[4])}"
    if task.kind in _AT_THE_SITE and task.place:
        return f"/staff/{quote(task.place[0])}"
    if len(task.place) >= 2:
        return form_path(task.subject, task.place)
    if not task.subject:
        return "/today"
    return subject_path(task.subject)


TASK_LOOKS = {
    "visit_due": ("clock", "warn"),
    "form_unfinished": ("half", ""),
    "query_open": ("flag-full", "bad"),
    "not_evaluable": ("alert", "warn"),
    "ineligible": ("cross", "bad"),
    "ready_to_confirm": ("list-check", "good"),
    "stratum_not_evaluable": ("alert", "warn"),
    "ready_to_randomize": ("shuffle", "good"),
    "consent_missing": ("pen", "warn"),
    "bag_recalled": ("alert", "bad"),
    "dose_held": ("alert", "bad"),
    "bag_released": ("clipboard", "warn"),
    "break_review": ("alert", "warn"),
    "break_review_late": ("alert", "bad"),
    "rater_reassign": ("people", "bad"),
    "break_notice": ("eye-off", ""),
    "break_card": ("eye-off", ""),
    "break_quota": ("alert", "bad"),
    "second_door": ("alert", "bad"),
    "reconsent_capacity": ("pen", "warn"),
    "reconsent_version": ("pen", "warn"),
    "reconsent_late": ("pen", "bad"),
    "deviation_explain": ("alert", "warn"),
    "deviation_class": ("alert", "warn"),
    "reads_waiting": ("eye", ""),
    "images_to_give": ("eye", "warn"),
    "images_differ": ("alert", "warn"),
    "results_missing": ("clock", "warn"),
    "queries_answered": ("flag", "warn"),
    "release_sign": ("pen", "warn"),
    "site_to_open": ("building", "warn"),
    "site_to_approve": ("building", "warn"),
    "training_ends": ("clipboard-check", "warn"),
    "certificate_ends": ("clipboard-check", "warn"),
    "reader_certificate_ends": ("clipboard-check", "warn"),
    "delegation_ends": ("clipboard-check", "warn"),
    "principal_missing": ("alert", "bad"),
    "double_second": ("clipboard", "warn"),
    "double_settle": ("alert", "warn"),
    "diary_flag": ("flag-full", "bad"),
    "diary_help": ("alert", "bad"),
    "diary_post": ("alert", "bad"),
    "diary_second": ("clipboard", "warn"),
    "diary_unlike": ("alert", "warn"),
    "diary_change": ("pen", "warn"),
    "diary_silent": ("clock", "warn"),
    "to_sign": ("pen", "warn"),
    "to_verify": ("list-check", ""),
    "to_review": ("list-check", ""),
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
