"""Today, the list of subjects, and the inbox of queries."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from equipoise.access.commands import Who
from equipoise.access.roles import ROLES
from equipoise.desk.views import Task
from equipoise.web.request import Asked, desk
from equipoise.web.views.reading import form_path, found, may, new_key, signed, task_lines

PAGE = 50
"""Subjects on a page of the list."""
INBOX = 100
"""Forms whose queries one page of the inbox shows."""


@require_GET
@signed
def today(request: Asked, who: Who) -> HttpResponse:
    """Three numbers and what is asked of the reader."""
    view = found(desk().today(who))
    return render(
        request,
        "web/today.html",
        {
            "view": view,
            "lines": task_lines(view.tasks),
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
    found += [("/knowledge", "blind.knowledge")] if "knowledge" in reads else []
    if may(who, "RequestCodeBreak") and site is not None:
        found.append((f"/drills/{site}", "blind.practise"))
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
def queries(request: Asked, who: Who) -> HttpResponse:
    """Every open query, answered where it stands: one list, no page for each."""
    view = found(desk().today(who))
    context = {
        "lines": [line for place in _places(view.tasks) for line in _queries_of(who, place)],
        "at": "queries",
        "may_answer": may(who, "AnswerQuery"),
        "may_close": may(who, "CloseQuery"),
    }
    return render(request, "web/queries.html", context)


def _places(tasks: tuple[Task, ...]) -> list[Task]:
    """One task for each form that has an open query."""
    by_form = {
        (task.subject, task.place[:3]): task
        for task in tasks
        if task.kind == "query_open" and len(task.place) >= 2
    }
    return list(by_form.values())[:INBOX]


def _queries_of(who: Who, task: Task) -> list[dict[str, object]]:
    visit, form = task.place[0], task.place[1]
    repeat = int(task.place[2]) if len(task.place) > 2 else 1
    view = desk().form(who, task.subject, visit, form, repeat)
    if view is None:
        return []
    labels = {item.id: item.label for item in view.items}
    every = [*view.queries, *(query for item in view.items for query in item.queries)]
    return [
        {
            "subject": task.subject,
            "path": form_path(task.subject, task.place[:3]),
            "visit": view.visit_label,
            "form": view.form_label,
            "label": labels.get(query.item, ""),
            "query": query,
            "key": new_key(),
        }
        for query in {query.id: query for query in every if query.state != "CLOSED"}.values()
    ]
