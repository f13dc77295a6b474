"""Protocol deviations: the log of one participant with what may be done, the log of the study, and its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET, require_http_methods

from equipoise.access.commands import Who
from equipoise.desk.deviation_batches import Class, Classed
from equipoise.desk.deviation_pages import DeviationLine, Filters
from equipoise.oversight.commands import (
    ClassDeviation,
    CloseDeviation,
    ExplainDeviation,
    RaiseDeviation,
    ReopenDeviation,
    WithdrawDeviation,
)
from equipoise.protocol.deviating import Severity
from equipoise.web import problems
from equipoise.web.request import Asked, desk, whole_day
from equipoise.web.views.reading import found, may, new_key, signed, subject_path
from equipoise.words.csv_text import csv_text
from equipoise.words.problem import Problem, problem, say
from equipoise.words.text import Language

SEVERITIES: tuple[Severity, ...] = ("MINOR", "MAJOR", "CRITICAL")
STATES = {
    "OPEN": ("deviations.state-open", "alert", "warn"),
    "CLOSED": ("deviations.state-closed", "check-circle", "good"),
    "WITHDRAWN": ("deviations.state-withdrawn", "cross", "plain"),
}
"""State -> message, icon, tone."""
Command = (
    RaiseDeviation | ClassDeviation | ExplainDeviation | CloseDeviation | ReopenDeviation | WithdrawDeviation
)
COLUMNS = (
    "number", "site", "rule", "deviation", "visit", "days", "on", "raised-at", "raised-by", "state", "severity",
    "important", "text", "explanation", "action", "note", "closing",
)  # fmt: skip


@require_http_methods(["GET", "POST"])
@signed
def of_subject(request: Asked, who: Who, number: str) -> HttpResponse:
    """The deviations of a participant; by POST, what is done with one."""
    shown: tuple[Problem, ...] = ()
    if request.method == "POST":
        found(desk().subject_deviations(who, number))
        command = _command(found(desk().subject_id(number)), request.POST)
        if isinstance(command, Problem):
            shown = (command,)
        else:
            outcome = desk().submit(who, command, key=request.POST.get("key") or new_key())
            if outcome.accepted:
                return redirect(f"{subject_path(number, 'deviations')}#{request.POST.get('deviation', '')}")
            shown = outcome.problems
    view = found(desk().subject_deviations(who, number))
    context = {
        "view": view,
        "here": True,
        "lines": [_line(line) for line in view.lines],
        "severities": _severities(),
        "problems": shown,
        "given": request.POST,
        "at": "deviations",
        "key": new_key(),
    }
    return render(request, "web/deviations.html", context, status=problems.status_of(shown) if shown else 200)


@require_http_methods(["GET", "POST"])
@signed
def of_study(request: Asked, who: Who) -> HttpResponse:
    """The deviations of every participant that the reader may see, a page at a time; by POST, many are classed."""
    filters = _filters(request.GET)
    asked = request.GET.get("page", "1")
    page = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1
    view = found(desk().study_deviations(who, filters, page=page))
    came, shown = _batch(request, who, view.lines) if request.method == "POST" else (None, ())
    done = came is not None and request.POST.get("do") == "class"
    if done:
        view = found(desk().study_deviations(who, filters, page=page))
    given = request.GET.copy()
    given.pop("page", None)
    context = {
        "view": view,
        "lines": [_line(line) for line in view.lines],
        "may_class": may(who, "ClassDeviation"),
        "came": came,
        "done": done,
        "chosen": frozenset() if done else frozenset(request.POST.getlist("deviation")),
        "given": {} if done else request.POST,
        "problems": shown,
        "key": new_key() if done else request.POST.get("key") or new_key(),
        "tiles": [
            ("deviations.open", view.open),
            ("deviations.unclassed", view.unclassed),
            ("deviations.important-ones", view.important),
        ],
        "states": [(state, look[0]) for state, look in STATES.items()],
        "severities": _severities(),
        "query": given.urlencode(),
        "before": view.page - 1 if view.page > 1 else None,
        "after": view.page + 1 if view.page < view.pages else None,
        "at": "deviations",
    }
    return render(
        request, "web/deviations_log.html", context, status=problems.status_of(shown) if shown else 200
    )


def _batch(
    request: Asked, who: Who, lines: Sequence[DeviationLine]
) -> tuple[Classed | None, tuple[Problem, ...]]:
    """What was, or would be, classed of a page of the log; or why that cannot be told."""
    posted = request.POST
    chosen = [line for line in lines if posted.get("all") == "yes" or line.id in posted.getlist("deviation")]
    severity = next((one for one in SEVERITIES if one == posted.get("severity")), None)
    if severity is None:
        return None, (problem("deviations.choose-severity", "severity"),)
    if not chosen:
        return None, (problem("deviations.choose-some", "deviation"),)
    given = Class(severity, important=posted.get("important") == "yes", note=posted.get("text", "").strip())
    match posted.get("do"):
        case "look":
            return desk().would_class(who, chosen, given), ()
        case "class":
            return desk().class_many(who, chosen, given, key=posted.get("key") or new_key()), ()
        case _:
            return None, (problem("deviations.nothing-asked", "do"),)


@require_GET
@signed
def as_file(request: Asked, who: Who) -> HttpResponse:
    """The same as a file; what somebody wrote never becomes a formula in it."""
    view = found(desk().study_deviations(who, _filters(request.GET), size=None))
    language = request.language
    head = [say(f"deviations.column-{name}", language) for name in COLUMNS]
    content = csv_text(head, [_row(line, language) for line in view.lines])
    answer = HttpResponse(content, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="deviations.csv"'
    return answer


def _row(line: DeviationLine, language: Language) -> tuple[str, ...]:
    important = ("yes" if line.important else "no") if line.severity else ""
    visit = f"{line.visit} {line.repeat}" if line.repeat > 1 else line.visit
    return (
        line.number, line.site, line.rule, line.label.say(language), visit, str(line.days) if line.days else "",
        line.on, line.raised_at, line.raised_by, line.state, line.severity, important, line.text, line.explanation,
        line.action, line.note, line.closing,
    )  # fmt: skip


def _severities() -> list[tuple[str, str]]:
    return [(each, f"deviations.severity-{each.lower()}") for each in SEVERITIES]


def _line(line: DeviationLine) -> dict[str, object]:
    severity = line.severity or line.suggested
    return {
        "line": line,
        "state": STATES[line.state],
        "severity": f"deviations.severity-{severity.lower()}" if severity else "",
        "chosen": severity,
        "chosen_important": line.important if line.severity else line.suggested_important,
        "days": str(abs(line.days)),
        "path": subject_path(line.number, "deviations") + f"#{line.id}",
    }


def _filters(given: Mapping[str, str]) -> Filters:
    return Filters(
        site=given.get("site", ""),
        state=given.get("state", ""),
        severity=given.get("severity", ""),
        rule=given.get("rule", ""),
        important=given.get("important") == "yes",
    )


def _command(subject: str, posted: Mapping[str, str]) -> Command | Problem:
    """What is asked for, or why it cannot be read."""
    name, text = posted.get("deviation", ""), posted.get("text", "").strip()
    match posted.get("do"):
        case "raise":
            on = whole_day(posted)
            if isinstance(on, Problem):
                return on
            return RaiseDeviation(subject, posted.get("visit", ""), on.iso(), text)
        case "class":
            severity = next((one for one in SEVERITIES if one == posted.get("severity")), None)
            if severity is None:
                return problem("deviations.choose-severity", "severity")
            return ClassDeviation(subject, name, severity, posted.get("important") == "yes", text)
        case "explain":
            return ExplainDeviation(subject, name, text, posted.get("action", "").strip())
        case "close":
            return CloseDeviation(subject, name, text)
        case "reopen":
            return ReopenDeviation(subject, name, text)
        case "withdraw":
            return WithdrawDeviation(subject, name, text)
        case _:
            return problem("deviations.nothing-asked", "do")


urlpatterns: list[URLPattern] = [
    path("deviations", of_study),
    path("deviations.csv", as_file),
    path("subjects/<str:number>/deviations", of_subject),
]
