"""The page of a laboratory's files behind the second door: looked through line by line, then taken in whole.

The rules that must stay true: as at the first door (web.views.specimens); here, too, nothing is kept of a file that is
not taken in.
"""

from __future__ import annotations

from typing import cast

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods

from equipoise.capture.specimens.importing import Judged
from equipoise.ledger.facts import Occasion
from equipoise.pages.reports import posted_file, report_lines
from equipoise.vault.facts import Keeper
from equipoise.vault.results import ImportValues, State, asked, judge
from equipoise.vault.vault import Vault
from equipoise.vault.web.request import Asked, kept, new_key
from equipoise.vault.web.request import vault as door
from equipoise.words.problem import Problem, problem

AT = "/values"


@require_http_methods(["GET", "POST"])
@kept("LAB")
def results(request: Asked, keeper: Keeper) -> HttpResponse:
    """A laboratory's file."""
    vault, judged, shown = cast(Vault, door()), None, tuple[Problem, ...]()
    laboratories = vault.study.specimens.laboratories
    text = ""
    if request.method == "POST":
        read, laboratory = posted_file(request), request.POST.get("laboratory", "")
        if isinstance(read, Problem):
            shown = (read,)
        elif not any(one.id == laboratory for one in laboratories):
            shown = (problem("specimens.choose", "laboratory"),)
        else:
            corrects = request.POST.get("corrects") == "yes"
            command = _command(vault, keeper, laboratory, read, corrects=corrects)
            taken = request.POST.get("do") == "import" and vault.submit(
                keeper, command, key=request.POST.get("key") or new_key()
            )
            if taken and taken.accepted:
                return redirect("/values/results?taken=1")
            judged, text = _judged(vault, keeper, command), read
            shown = (judged.report.unread,) if judged.report.unread is not None else ()
    wrong = bool(shown) or (judged is not None and not judged.appends)
    context = {
        "laboratories": laboratories,
        "report": report_lines(judged) if judged is not None and judged.report.unread is None else None,
        "text": text if judged is not None and judged.appends else "",
        "problems": shown,
        "given": request.POST,
        "taken": request.GET.get("taken", ""),
        "key": new_key(),
        "at": AT,
    }
    return render(request, "vault/results.html", context, status=422 if wrong else 200)


def _command(vault: Vault, keeper: Keeper, laboratory: str, text: str, *, corrects: bool) -> ImportValues:
    with vault.reading() as reader:
        facts = vault.facts(reader, keeper, ImportValues(laboratory, "", ()))
    return asked(facts, laboratory, text, corrects=corrects)


def _judged(vault: Vault, keeper: Keeper, command: ImportValues) -> Judged:
    with vault.reading() as reader:
        facts = vault.facts(reader, keeper, command)
        state = cast(State, vault.state(reader, command))
    return judge(vault.study, state, facts, command, Occasion(vault.now(), "UTC"))


urlpatterns: list[URLPattern] = [path("values/results", results)]
