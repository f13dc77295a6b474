"""Moving participants and forms to a later version, after a dry run."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods

from equipoise.access.commands import Who
from equipoise.desk.moving import Moved
from equipoise.web import problems
from equipoise.web.request import Asked, desk
from equipoise.web.views.reading import form_path, found, new_key, signed
from equipoise.words.problem import Problem, problem

SHOWN = 500
"""Lines of each list that the page shows; the site narrows it."""


@require_http_methods(["GET", "POST"])
@signed
def moves(request: Asked, who: Who) -> HttpResponse:
    """Who and what stays behind; a choice is tried dry, then moved."""
    given = request.POST if request.method == "POST" else request.GET
    site, reason = given.get("site", ""), given.get("reason", "")
    chosen = frozenset(request.POST.getlist("chosen"))
    view = found(desk().moves(who, site))
    came: Moved | None = None
    shown: tuple[Problem, ...] = ()
    if request.method == "POST":
        key, step = request.POST.get("key") or new_key(), given.get("do")
        if step not in {"look", "move"}:
            shown = (problem("web.choose-one", "do"),)
        elif not chosen:
            shown = (problem("amendments.nothing-to-move", "chosen"),)
        else:
            came = found(desk().move(who, chosen, reason, key=key, dry=step == "look"))
            shown = came.problems
            if step == "move" and not shown:
                return redirect(f"/amendments/moves?moved={came.participants}&forms={came.forms}")
            view = found(desk().moves(who, site))
    counts = [request.GET.get(name, "") for name in ("moved", "forms")]
    context = {
        "view": view,
        "participants": view.participants[:SHOWN],
        "forms": [
            {"line": line, "path": form_path(line.number, (line.place.visit, line.place.form, str(line.place.repeat)))}
            for line in view.forms[:SHOWN]
        ],
        "site": site,
        "chosen": chosen,
        "reason": reason,
        "tried": came is not None,
        "dry": came if given.get("do") == "look" else None,
        "done": counts if all(each.isdigit() and len(each) < 6 for each in counts) else None,
        "key": new_key(),
        "problems": shown,
        "at": "amendments",
    }  # fmt: skip
    return render(request, "web/moves.html", context, status=problems.status_of(shown) if shown else 200)


urlpatterns: list[URLPattern] = [path("amendments/moves", moves)]
