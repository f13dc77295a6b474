"""Pages of the values that could tell the arm: a work list by screening number, a form filled in by keyboard, history.

The rules that must stay true: nothing is saved without the key and the base that the page made; a save that is refused
leaves everything typed on the page; what is typed is handed on as typed; who works at one site sees nobody of another.
They work without any script.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import quote
from zoneinfo import ZoneInfo

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from equipoise.capture.evolve import Place, Query
from equipoise.capture.history import Change
from equipoise.capture.quantified import measured, shown_limit
from equipoise.ledger.entries import Datum
from equipoise.ledger.reader import Reader
from equipoise.pages import problems
from equipoise.pages.accounts.models import Account
from equipoise.protocol.forms import Item
from equipoise.vault.facts import Keeper
from equipoise.vault.value_reads import (
    ValueForm,
    ValueItem,
    said,
    subject_of_number,
    value_form,
    value_history,
    value_matrix,
    value_subjects,
)
from equipoise.vault.values import COMMANDS, AnswerValueQuery, CloseValueQuery, RecordValues
from equipoise.vault.vault import Vault
from equipoise.vault.web.purposes import LOOKS
from equipoise.vault.web.request import Asked, at_site, found, kept, new_key
from equipoise.vault.web.request import vault as door
from equipoise.words.dates import PartialDate
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text

AT = "/values"
MISSING_MARK = "!"
"""In a choice, the field of a missing code holds the code after this mark: `!ND`."""


@dataclass(frozen=True, slots=True)
class Row:
    """One item for the template: what its inputs hold, what is wrong with it, what was asked about it."""

    item: ValueItem
    control: str
    head: Text | None
    typed: str
    missing: str
    why: str
    shown: str
    wrong: tuple[Problem, ...]
    queries: tuple[tuple[Query, Text], ...]


def vault() -> Vault:
    """The vault of this process, whole: these pages read the states of their own room."""
    return cast(Vault, door())


@require_GET
@kept("LAB", "BENCH", "CHECK")
def work_list(request: Asked, keeper: Keeper) -> HttpResponse:
    """Everybody of whom there may be values, by screening number."""
    wanted = request.GET.get("q", "").strip()
    with vault().reading() as reader:
        sites = vault().known(reader).told.sites_of(keeper.actor)
        rows = [
            row
            for row in value_subjects(vault(), reader)
            if wanted in row.number and (sites is None or row.site in sites)
        ]
    return render(
        request, "vault/values.html", {"rows": rows, "q": wanted, "at": AT, "lab": keeper.purpose == "LAB"}
    )


@require_GET
@kept("LAB", "BENCH", "CHECK")
def subject(request: Asked, keeper: Keeper, number: str) -> HttpResponse:
    """The forms of one subject at their visits."""
    with vault().reading() as reader:
        found(_whose(reader, keeper, number))
        matrix = found(value_matrix(vault(), reader, number))
    return render(request, "vault/values_subject.html", {"view": matrix, "at": AT, "path": _path(number)})


@require_http_methods(["GET", "POST"])
@kept("LAB", "BENCH", "CHECK")
def form(
    request: Asked, keeper: Keeper, number: str, visit: str, form_id: str, repeat: int = 1
) -> HttpResponse:
    """One form: shown, or saved."""
    view = found(_read(keeper, number, Place(visit, form_id, repeat)))
    if request.method == "GET":
        return _page(request, keeper, view)
    given = request.POST.dict()
    reason = given.get("reason", "").strip()
    command = RecordValues(
        view.subject,
        *view.place,
        _changes(view.items, given),
        _whole(given.get("base", "")),
        True if "complete" in given else None,
        reason or None,
    )
    outcome = vault().submit(keeper, command, key=given.get("key", ""))
    if outcome.accepted or [one.rule for one in outcome.problems] == ["capture.nothing-changed"]:
        back = _path(number) if "complete" in given else _path(number, *_steps(view.place)) + "?saved=1"
        return HttpResponseRedirect(back)
    return _page(request, keeper, view, outcome.problems, given)


@require_POST
@kept("LAB", "BENCH", "CHECK")
def query(request: Asked, keeper: Keeper, number: str) -> HttpResponse:
    """Answer a query, or accept its answer; back to where it was asked."""
    with vault().reading() as reader:
        whose = found(_whose(reader, keeper, number))
    asked, text = request.POST.get("query", ""), request.POST.get("text", "")
    command = (
        CloseValueQuery(whose, asked, text)
        if "close" in request.POST
        else AnswerValueQuery(whose, asked, text)
    )
    outcome = vault().submit(keeper, command, key=request.POST.get("key", ""))
    if not outcome.accepted:
        raise problems.Shown(outcome.problems[0])
    repeat = request.POST.get("repeat", "")
    place = Place(request.POST.get("visit", ""), request.POST.get("form", ""), _whole(repeat) or 1)
    return redirect(_path(number, *_steps(place)))


@require_GET
@kept("LAB", "BENCH", "CHECK")
def history(
    request: Asked, keeper: Keeper, number: str, visit: str, form_id: str, repeat: int = 1
) -> HttpResponse:
    """Every change of the form, latest first."""
    place = Place(visit, form_id, repeat)
    view = found(_read(keeper, number, place))
    with vault().reading() as reader:
        changes = found(value_history(vault(), reader, number, place))
    names = {one.actor: Text(one.name, one.name_zh or None) for one in Account.objects.all()}
    context = {
        "view": view,
        "rows": [_line(view, change, names) for change in changes],
        "back": _path(number, *_steps(place)),
        "path": _path(number),
        "at": AT,
    }
    return render(request, "vault/values_history.html", context)


def _whose(reader: Reader, keeper: Keeper, number: str) -> str | None:
    """The subject of a number at a site of the reader's; these values tell an arm, so others' are not there."""
    told, subject = vault().known(reader).told, subject_of_number(vault(), reader, number)
    sites = told.sites_of(keeper.actor)
    return subject if sites is None or told.sites.get(subject or "") in sites else None


def _read(keeper: Keeper, number: str, place: Place) -> ValueForm | None:
    with vault().reading() as reader:
        whose = _whose(reader, keeper, number)
        if whose is None:
            return None
        site = vault().known(reader).told.sites.get(whose)
        return value_form(vault(), reader, number, place, _today(site))


def _today(site: str | None) -> PartialDate:
    zone = vault().study.zone_of(site)
    return PartialDate.of(vault().now().astimezone(ZoneInfo(zone)).date())


def _page(
    request: Asked,
    keeper: Keeper,
    view: ValueForm,
    shown: Iterable[Problem] = (),
    given: Mapping[str, str] | None = None,
) -> HttpResponse:
    wrong = tuple(shown)
    ids = {item.asked.id for item in view.items}
    context = {
        "view": view,
        "base": _base(view, wrong, given),
        "rows": _rows(view, wrong, given),
        "problems": [one for one in wrong if one.where not in ids],
        "wrong": len(wrong),
        "key": new_key(),
        "query_key": new_key(),
        "reason": (given or {}).get("reason", ""),
        "path": _path(view.number),
        "here": _path(view.number, *_steps(view.place)),
        "may_record": keeper.purpose in COMMANDS[RecordValues],
        "may_close": keeper.purpose in COMMANDS[CloseValueQuery],
        "saved": request.GET.get("saved", ""),
        "at": AT,
    }
    return render(
        request, "vault/values_form.html", context, status=problems.status_of(wrong) if wrong else 200
    )


def _base(view: ValueForm, wrong: Iterable[Problem], given: Mapping[str, str] | None) -> int:
    """Up to where the page has read: after a refusal no further than before, unless it says what came since."""
    told = given is None or any(one.rule == "capture.stale" for one in wrong)
    return view.base if told or given is None else min(_whole(given.get("base", "")), view.base)


def _rows(view: ValueForm, wrong: Iterable[Problem], given: Mapping[str, str] | None) -> list[Row]:
    rows: list[Row] = []
    section: Text | None = None
    for item in view.items:
        own = item.asked.own
        head = own.section if own is not None else None
        typed, missing, why = _held(item, given)
        rows.append(
            Row(
                item,
                "choice" if item.options else _control(own),
                head if head != section else None,
                typed,
                missing,
                why,
                given.get(f"o.{item.asked.id}", "") if given is not None else _joined(typed, missing, why),
                tuple(one for one in wrong if one.where == item.asked.id),
                tuple((one, _message(one)) for one in item.queries if one.state != "CLOSED"),
            )
        )
        section = head
    return rows


def _control(own: Item | None) -> str:
    """How an item is typed; a laboratory's number may be "<0.5", which a phone's pad of digits has no key for."""
    return "measured" if measured(own) else own.type if own is not None else "text"


def _message(query: Query) -> Text:
    return Text(query.message.get("en", ""), query.message.get("zh"))


def _held(item: ValueItem, given: Mapping[str, str] | None) -> tuple[str, str, str]:
    """What the fields of an item hold: what was typed and not saved yet, else what is recorded."""
    name = item.asked.id
    if given is not None and f"v.{name}" in given:
        return given[f"v.{name}"], given.get(f"m.{name}", ""), given.get(f"w.{name}", "")
    now = item.value
    if item.options and now.missing:
        return MISSING_MARK + now.missing, "", now.why or ""
    said = shown_limit(now)
    return (said, "", "") if said is not None else (now.value or "", now.missing or "", now.why or "")


def _changes(items: Iterable[ValueItem], given: Mapping[str, str]) -> dict[str, Datum]:
    """Items whose fields hold something else than the page showed: the same post gives the same changes again."""
    found: dict[str, Datum] = {}
    for item in items:
        name = item.asked.id
        typed, missing, why = (given.get(f"{part}.{name}", "") for part in "vmw")
        if f"o.{name}" not in given or _joined(typed, missing, why) == given[f"o.{name}"]:
            continue
        if typed.startswith(MISSING_MARK) and item.options:
            typed, missing = "", typed.removeprefix(MISSING_MARK)
        found[name] = Datum(typed.strip() or None, missing or None, why.strip() or None if missing else None)
    return found


def _joined(typed: str, missing: str, why: str) -> str:
    """What the fields of an item hold, as one text to compare."""
    return "|".join((typed, missing, why))


def _line(view: ValueForm, change: Change, names: Mapping[str, Text]) -> dict[str, object]:
    study, header = vault().study, change.header
    label = next((item.asked.label for item in view.items if item.asked.id == change.item), Text(change.item))
    look = next((look for look in LOOKS.values() if look.purpose == header.role), None)
    return {
        "label": label,
        "old": said(study, view.place.form, change.item, change.old),
        "new": said(study, view.place.form, change.item, change.new),
        "reason": change.reason,
        "who": names.get(header.actor, Text(header.actor)),
        "as": problem(look.label) if look is not None else None,
        "at": at_site(header.at),
        "utc": f"{dt.datetime.fromisoformat(header.at):%Y-%m-%d %H:%M:%S}",
        "seq": header.seq,
        "leaf": change.leaf[:12],
    }


def _steps(place: Place) -> tuple[str, ...]:
    return (place.visit, place.form, *([str(place.repeat)] if place.repeat != 1 else []))


def _path(number: str, *steps: str) -> str:
    return "/".join([AT, *(quote(step, safe="") for step in (number, *steps))])


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


urlpatterns: list[URLPattern] = [
    path("values", work_list),
    path("values/<str:number>", subject),
    path("values/<str:number>/query", query),
    path("values/<str:number>/<str:visit>/<str:form_id>", form),
    path("values/<str:number>/<str:visit>/<str:form_id>/<int:repeat>", form),
    path("values/<str:number>/<str:visit>/<str:form_id>/history", history),
    path("values/<str:number>/<str:visit>/<str:form_id>/<int:repeat>/history", history),
]
