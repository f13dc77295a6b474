"""The form page: shown whole, saved item by item by its script, or whole by a plain form post.

The rules that must stay true: a save carries the key and the base that its page made, so that a retry is a
replay and a stale page is told so; a save that is refused leaves everything typed on the page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_http_methods

from equipoise.access.commands import Who
from equipoise.access.roles import ROLES
from equipoise.capture.commands import AnswerQuery, CloseQuery, RaiseQuery, RecordForm
from equipoise.capture.omitting import OFFERED
from equipoise.desk.explaining import ExplainView
from equipoise.desk.views import FormView, HistoryRow, Outcome
from equipoise.ledger.entries import Datum
from equipoise.web import conflicts, entry, problems, sheet
from equipoise.web.request import Asked, desk
from equipoise.web.views import double, past
from equipoise.web.views.places import Place
from equipoise.web.views.reading import found, may, new_key, signed, subject_path
from equipoise.words.codelists import MISSING
from equipoise.words.problem import Problem, problem

REASONS = ("transcription-error", "source-corrected", "new-information", "query-answered")
"""Reasons for change offered; stored as written here and shown as `web.reason-…`. Anything else is free text."""


@require_http_methods(["GET", "POST"])
@signed
def form(request: Asked, who: Who, number: str, visit: str, form: str, repeat: int = 1) -> HttpResponse:
    """One form: shown, or saved."""
    if past.asked(request):
        return past.form(request, who, number, visit, form, repeat)
    place = Place(number, visit, form, repeat)
    if request.content_type == "application/json":
        return _saved_by_script(request, who, place)
    view = desk().form(who, number, visit, form, repeat)
    if view is None and request.method == "GET" and desk().log(who, number, form) is not None:
        return redirect(subject_path(number, "logs", form) + ("" if visit == "LOG" else f"?at={visit}"))
    view = found(view)
    if request.method == "GET" and view.grid and request.path == subject_path(number, "forms", visit, form):
        return redirect(subject_path(number, "grids", visit, form))
    if request.method == "GET":
        return _page(request, who, place, view)
    return _saved_whole(request, who, place, view)


@require_GET
@signed
def history(request: Asked, who: Who, number: str, visit: str, form: str, repeat: int = 1) -> HttpResponse:
    """Every change of the form, or of one item: the part for the side panel, or a page of its own."""
    item = request.GET.get("item") or None
    rows = found(desk().history(who, number, visit, form, repeat, item))
    view = found(desk().form(who, number, visit, form, repeat))
    place = Place(number, visit, form, repeat)
    context = {
        "rows": [_history_line(row) for row in rows],
        "view": view,
        "label": next((one.label for one in view.items if one.id == item), view.form_label),
        "one_item": item is not None,
        "place": place,
        "back": place.path(),
        "at": "subjects",
    }
    return render(
        request, "web/history_part.html" if request.GET.get("part") else "web/history.html", context
    )


def _history(who: Who, place: Place, shown: tuple[Problem, ...]) -> Sequence[HistoryRow]:
    """The form's history, asked for only where somebody else changed something."""
    if not any(one.rule in (entry.STALE, "entry.conflict-choose") for one in shown):
        return ()
    return found(desk().history(who, place.number, *place.instance()))


def _reader(request: Asked, who: Who, place: Place) -> sheet.Reader:
    answers, closes = may(who, "AnswerQuery"), may(who, "CloseQuery")
    here = f"{subject_path(place.number, 'events', 'new')}?of={place.visit}/{place.form}/{place.repeat}"
    return sheet.Reader(
        request.language,
        answers=answers,
        closes=closes,
        number=place.number,
        enters=may(who, "RecordForm"),
        here=here,
    )


def _history_line(row: HistoryRow) -> dict[str, object]:
    """A change with its reason and role in the reader's words."""
    role = ROLES.get(row.role)
    return {
        **{name: getattr(row, name) for name in ("label", "old", "new", "who", "at_site", "seq", "leaf")},
        "reason": row.reason,
        "at": row.at[:19].replace("T", " "),
        "role_label": role.label if role else row.role,
        "reason_key": f"web.reason-{known}"
        if (known := row.reason.lower().replace(" ", "-")) in REASONS
        else row.reason,
    }


def _page(
    request: Asked,
    who: Who,
    place: Place,
    view: FormView,
    *,
    shown: tuple[Problem, ...] = (),
    posted: Mapping[str, str] | None = None,
    status: int = 200,
    refused: Mapping[str, ExplainView] | None = None,
) -> HttpResponse:
    reader = replace(_reader(request, who, place), refused=refused or {})
    context = {
        "view": view,
        "base": entry.base_after(shown, entry.base_of(posted), view.base) if posted else view.base,
        "place": place,
        "path": place.path(),
        "sources": subject_path(place.number, "sources", place.visit, place.form, place.repeat),
        "rows": sheet.rows(view, reader, shown, posted),
        "totals": sheet.totals(view, request.language),
        "left": sheet.left(view, request.language),
        "state_key": f"web.state-{view.state.replace('_', '-')}",
        "problems": [one for one in shown if one.where not in {item.id for item in view.items}],
        "problem_count": len(shown),
        "key": new_key(),
        "off": "" if view.editable else SafeString(" disabled"),
        "reasons": [(reason, f"web.reason-{reason}") for reason in REASONS],
        "posted_reason": (posted or {}).get("reason", ""),
        "dated": view.dated,
        "before": subject_path(place.number, "forms", *view.previous) if view.previous else None,
        "after": subject_path(place.number, "forms", *view.next) if view.next else None,
        "may_raise": may(who, "RaiseQuery"),
        "at": "subjects",
        "conflicts": conflicts.conflicts(view, shown, posted or {}, _history(who, place, shown)),
        "hides": any(one.rule == "entry.would-hide" for one in shown),
        "repetitions": [(number, replace(place, repeat=number).path()) for number in view.repetitions],
        "omit_codes": [(code, MISSING[code]) for code in OFFERED],
        "may_omit": view.editable and not any(item.value.value or item.value.missing for item in view.items),
        "may_reinstate": view.omitted is not None and may(who, "RecordForm"),
        "rules": json.dumps(view.rules, ensure_ascii=False) if view.rules else "",
        "just_saved": request.GET.get("saved", ""),
        "twice_key": double.notice(view.twice) if view.twice is not None else "",
        "double_path": subject_path(place.number, "double", *place.instance()),
    }
    return render(request, "web/form.html", context, status=status)


def _saved_whole(request: Asked, who: Who, place: Place, view: FormView) -> HttpResponse:
    """A form sent without script: what differs from what is recorded is saved, and then the button's wish is done."""
    posted = {name: str(value) for name, value in request.POST.items()}
    wish, _, target = posted.get("do", "save").partition(":")
    # A post from elsewhere brings no items; nothing may be read as emptied by it.
    changed = conflicts.kept(entry.changes(view.items, posted), posted) if posted.get("whole") else {}
    strange = entry.not_asked(view.items, posted) if posted.get("whole") and not posted.get("looked") else ""
    shown = conflicts.undecided(view, posted)
    if strange:
        shown = (problem("amendments.page-of-another-version", typed=strange),)
    key = posted.get("key") or new_key()
    if shown:
        return _page(request, who, place, view, shown=shown, posted=posted, status=409)
    if wish in ("omit", "reinstate"):
        return _omission(request, who, place, view, posted, key)
    copied, seen = _taken_over(view, wish, target, changed), entry.base_of(posted)
    if changed or wish in ("complete", "reopen"):
        command = RecordForm(
            found(desk().subject_id(place.number)),
            *place.instance(),
            changed,
            seen if seen <= view.base else 0,  # ahead of the record: of a store put back from a copy
            complete={"complete": True, "reopen": False}.get(wish),
            reason=_reason(posted),
            asks_before_hiding=posted.get("hide") != "agreed",
            copied=copied,
        )
        shown = desk().submit(who, command, key=key).problems
        if shown:
            status, why = problems.status_of(shown), _refused(who, place, command, shown)
            return _page(request, who, place, view, shown=shown, posted=posted, status=status, refused=why)
    if wish in ("answer", "close", "raise"):
        shown = _about_query(who, place, wish, target, posted.get(f"q.{target}", ""), f"{key}-q").problems
        if shown:
            again = found(desk().form(who, place.number, *place.instance()))
            return _page(request, who, place, again, shown=shown, status=problems.status_of(shown))
    return redirect(f"{place.path()}?saved=1")


def _refused(
    who: Who, place: Place, command: RecordForm, shown: tuple[Problem, ...]
) -> Mapping[str, ExplainView]:
    """Why checks refused a save, where one did."""
    if not any(one.rule == "capture.check-refuses" for one in shown):
        return {}
    return desk().explain_refusals(who, place.number, command)


def _taken_over(view: FormView, wish: str, target: str, changed: dict[str, Datum]) -> dict[str, str]:
    """What a button takes over or confirms joins the changes; the places of what is taken over."""
    item = next((one for one in view.items if one.id == target), None)
    if item is None or wish not in ("copy", "confirm"):
        return {}
    if wish == "confirm":
        changed.setdefault(target, entry.datum(item, entry.fields(item, item.value)))
        return {}
    if item.offer is None:
        return {}
    place, datum, _, _ = item.offer
    changed[target] = Datum(datum.entered or datum.value, unit=datum.unit)
    return {target: place}


def _omission(
    request: Asked, who: Who, place: Place, view: FormView, posted: Mapping[str, str], key: str
) -> HttpResponse:
    """The whole form was not done, or that was a mistake."""
    code = posted.get("omit-code", "") if posted.get("do") == "omit" else ""
    shown: tuple[Problem, ...] = ()
    if posted.get("do") == "omit" and not code:
        shown = (problem("web.choose-one", "omit"),)
    else:
        subject = found(desk().subject_id(place.number))
        said = posted.get("omit-reason", "").strip() or None
        command = RecordForm(subject, *place.instance(), {}, view.base, reason=said, omit=code)
        shown = desk().submit(who, command, key=key).problems
    if shown:
        return _page(request, who, place, view, shown=shown, posted=posted, status=problems.status_of(shown))
    return redirect(f"{place.path()}?saved=1")


def _saved_by_script(request: Asked, who: Who, place: Place) -> HttpResponse:
    """One save of the page's queue. The answer is a small strip; nothing in it replaces an input."""
    try:
        asked = sheet.Save.read(json.loads(request.body))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise problems.Shown(problem("pages.request-not-understood")) from None
    reader = _reader(request, who, place)
    if asked.wish:
        outcome = _about_query(who, place, asked.wish, asked.target, asked.text, asked.key)
        after = desk().form(who, place.number, *place.instance())
    else:
        command = RecordForm(
            found(desk().subject_id(place.number)),
            *place.instance(),
            asked.items,
            asked.base,
            complete=True if asked.complete else None,
            reason=asked.reason,
            asks_before_hiding=not asked.hide,
            copied=asked.copied,
        )
        outcome, after = desk().save(who, command, place.number, key=asked.key, client_at=asked.client_at)
    after = found(after)
    if not outcome.accepted:
        theirs = conflicts.who_recorded(outcome.problems, _history(who, place, outcome.problems))
        if not asked.wish:
            reader = replace(reader, refused=_refused(who, place, command, outcome.problems))
        refused = sheet.refusal(outcome.problems, after, reader, theirs)
        return JsonResponse(refused, status=problems.status_of(outcome.problems))
    return JsonResponse(sheet.strip(after, outcome, reader))


def _about_query(who: Who, place: Place, wish: str, target: str, text: str, key: str) -> Outcome:
    """Answer or close the query `target`, or raise one on the item `target`."""
    subject = found(desk().subject_id(place.number))
    said = text.strip()
    if not said and wish != "close":
        return Outcome(accepted=False, problems=(problem("web.say-something", target),))
    command: AnswerQuery | CloseQuery | RaiseQuery
    if wish == "answer":
        command = AnswerQuery(subject, target, said)
    elif wish == "close":
        command = CloseQuery(subject, target, said)
    else:
        command = RaiseQuery(subject, place.visit, place.form, place.repeat, target, said)
    return desk().submit(who, command, key=key)


def _reason(posted: Mapping[str, str]) -> str | None:
    chosen = posted.get("reason", "")
    return (posted.get("reason-other", "").strip() if chosen == "other" else chosen) or None
