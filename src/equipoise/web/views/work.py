"""Today, and the list of subjects."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from equipoise.access.commands import Who
from equipoise.access.roles import ROLES
from equipoise.web.matrix import visit_matrix
from equipoise.web.request import Asked, desk
from equipoise.web.views.reading import found, may, signed, task_lines
from equipoise.web.views.visits import due_lines

PAGE = 50
"""Subjects on a page of the list."""
MATRIX_PAGE = 25
"""Subjects on a page of the matrix: each is read from its own stream."""


@require_GET
@signed
def today(request: Asked, who: Who) -> HttpResponse:
    """Three numbers and what is asked of the reader."""
    made = desk().today(who)
    if made is None and desk().reads(who) is not None:
        return redirect("/reads")  # who only reads images has no other work
    view = found(made)
    return render(
        request,
        "web/today.html",
        {
            "view": view,
            "lines": task_lines(view.tasks),
            "visits": due_lines(view.visits),
            "at": "today",
            "may_screen": may(who, "ScreenSubject"),
            "links": _links(who),
        },
    )


def _links(who: Who) -> list[tuple[str, str]]:
    """Further pages of the reader's role: address and message key."""
    role = ROLES.get(who.role)
    reads, site = (
        role.reads if role else frozenset[str](),
        next((one.site for one in who.grants if one.site), None),
    )
    found = [("/release", "blind.release")] if "release" in reads else []
    found += [("/accounts", "accounts.title")] if may(who, "GrantRole") else []
    found += [("/amendments", "amendments.title")] if "amendments" in reads else []
    found += [("/listing", "amendments.listing")] if "listing" in reads else []
    found += [("/audit", "audit.title")] if "audit" in reads else []
    found += [("/double", "double.title")] if "casebook" in reads else []
    found += [("/signatures", "closing.signatures")] if "signatures" in reads else []
    found += [("/verification", "closing.verification")] if "verification" in reads else []
    found += [("/lock", "closing.database-lock")] if "lock" in reads else []
    found += [("/knowledge", "blind.knowledge")] if "knowledge" in reads else []
    if "casebook" in reads and site is not None:
        found.append((f"/sites/{site}/ranges", "logs.ranges"))
    if may(who, "RequestCodeBreak") and site is not None:
        found.append((f"/drills/{site}", "blind.practise"))
    found += [("/enrolment", "web.enrolment")] if "enrolment" in reads else []
    return [*found, ("/papers", "web.papers")]


@require_GET
@signed
def subjects(request: Asked, who: Who) -> HttpResponse:
    """The list, found by number, a page at a time: the next starts after the last number of this one."""
    wanted, after = request.GET.get("q", "").strip(), request.GET.get("after", "")
    rows = found(desk().subjects(who, begins=wanted, after=after, limit=PAGE + 1))
    context = {
        "rows": rows[:PAGE],
        "q": wanted,
        "more": rows[PAGE - 1].number if len(rows) > PAGE else None,
        "count": desk().number_of_subjects(who),
        "after": after,
        "at": "subjects",
        "may_screen": may(who, "ScreenSubject"),
    }
    return render(request, "web/subjects.html", context)


@require_GET
@signed
def subject_matrix(request: Asked, who: Who) -> HttpResponse:
    """Participants by visits, a page at a time."""
    wanted, after = request.GET.get("q", "").strip(), request.GET.get("after", "")
    view = found(desk().visit_matrix(who, begins=wanted, after=after, limit=MATRIX_PAGE + 1))
    rows = view.rows[:MATRIX_PAGE]
    context = {
        "matrix": visit_matrix(view.columns, rows, request.language),
        "shown": len(rows),
        "q": wanted,
        "more": rows[-1].number if len(view.rows) > MATRIX_PAGE else None,
        "after": after,
        "count": desk().number_of_subjects(who),
        "at": "subjects",
    }
    return render(request, "web/subject_matrix.html", context)
