"""The inbox of queries: the list, one query, and what is done with it in place.

The rules that must stay true: an act on a query leads to the next one of the same filters, so that nobody goes back to
a list between two; what was typed stays on the page when it is refused.
"""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET, require_http_methods

from equipoise.access.commands import Who
from equipoise.capture.commands import AnswerQuery, CancelQuery, CloseQuery, ReopenQuery
from equipoise.desk.inbox import STATES, Filters, QueryLine
from equipoise.web import problems
from equipoise.web.request import Asked, desk
from equipoise.web.views.reading import form_path, found, may, new_key, signed
from equipoise.words.problem import Problem, problem

AGES = (7, 14, 30)
"""Ages that the list can be cut at, in days."""


@require_GET
@signed
def queries(request: Asked, who: Who) -> HttpResponse:
    """Every query that the filters let through, a page at a time."""
    filters = _filters(request.GET, who)
    view = found(desk().inbox(who, filters, request.GET.get("after", ""), request.GET.get("before", "")))
    tabs = [
        (name, f"closing.inbox-{name}", view.counts[name], _address(filters, state=name)) for name in STATES
    ]
    context = {
        "view": view,
        "lines": [_shown(line, filters) for line in view.lines],
        "tabs": tabs,
        "ages": AGES,
        "total": view.counts[filters.state],
        "before": _address(filters, before=view.before) if view.before else "",
        "after": _address(filters, after=view.after) if view.after else "",
        "at": "queries",
    }
    return render(request, "web/inbox.html", context)


@require_http_methods(["GET", "POST"])
@signed
def query(request: Asked, who: Who, number: str, query: str) -> HttpResponse:
    """One query: its thread, and what may be done with it."""
    filters = _filters(request.GET, who)
    view = found(desk().one_query(who, number, query, filters))
    shown: tuple[Problem, ...] = ()
    typed = ""
    if request.method == "POST":
        typed = request.POST.get("text", "")
        command = _command(found(desk().subject_id(number)), query, request.POST.get("do", ""), typed)
        if command is None:
            raise problems.Shown(problem("pages.request-not-understood"))
        outcome = desk().submit(who, command, key=request.POST.get("key") or new_key())
        if outcome.accepted:
            return redirect(_onward(request, filters, view.next))
        shown = outcome.problems
        view = found(desk().one_query(who, number, query, filters))
    context = {
        "line": _shown(view.line, filters),
        "previous": _query_address(*view.previous, filters) if view.previous else "",
        "next": _query_address(*view.next, filters) if view.next else "",
        "list": _address(filters),
        "problems": shown,
        "problem_count": len(shown),
        "typed": typed,
        "at": "queries",
    }
    return render(request, "web/query.html", context, status=problems.status_of(shown) if shown else 200)


def _onward(request: HttpRequest, filters: Filters, following: tuple[str, str] | None) -> str:
    """After an act: to the list that it came from, or to the next query."""
    if request.POST.get("back") == "list" or following is None:
        return _address(filters)
    return _query_address(*following, filters)


def _command(
    subject: str, query: str, wish: str, text: str
) -> AnswerQuery | CloseQuery | CancelQuery | ReopenQuery | None:
    match wish:
        case "answer":
            return AnswerQuery(subject, query, text)
        case "close":
            return CloseQuery(subject, query, text)
        case "cancel":
            return CancelQuery(subject, query, text)
        case "reopen":
            return ReopenQuery(subject, query, text)
    return None


def _filters(given: QueryDict, who: Who) -> Filters:
    """The filters of an address; what is no filter is not there. Who answers begins with what is open."""
    state, older = given.get("state", ""), given.get("older", "")
    return Filters(
        state if state in STATES else "open" if may(who, "AnswerQuery") else "waiting",
        bool(given.get("mine")),
        given.get("site", ""),
        given.get("form", ""),
        given.get("rule", ""),
        int(older) if older.isascii() and older.isdigit() and len(older) < 5 else 0,
    )


def _words(filters: Filters, **more: str) -> str:
    given = {
        "state": filters.state,
        "mine": "1" if filters.mine else "",
        "site": filters.site,
        "form": filters.form,
        "rule": filters.rule,
        "older": str(filters.older) if filters.older else "",
    }
    kept = {
        name: value
        for name, value in (given | more).items()
        if value and (name, value) != ("state", "waiting")
    }
    return f"?{urlencode(kept)}" if kept else ""


def _address(filters: Filters, **more: str) -> str:
    return f"/queries{_words(filters, **more)}"


def _query_address(number: str, query: str, filters: Filters) -> str:
    return f"/queries/{number}/{query}{_words(filters)}"


def _shown(line: QueryLine, filters: Filters) -> dict[str, object]:
    return {
        "query": line,
        "key": new_key(),
        "path": _query_address(line.number, line.id, filters),
        "form_path": form_path(line.number, (line.place[0], line.place[1], str(line.place[2]), line.item)),
        "state_key": f"closing.query-is-{line.state.lower()}",
        "age_key": "web.query-age" if line.age_days else "web.query-today",
        "said": [(said, f"closing.said-{said.act}") for said in line.thread],
        "same": _address(Filters(rule=line.rule, state=filters.state)),
    }


urlpatterns: list[URLPattern] = [
    path("queries", queries),
    path("queries/<str:number>/<str:query>", query),
]
