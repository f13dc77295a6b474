"""Imaging of a participant, and the reads of a blinded reader.

The rules that must stay true: a reader's pages and their addresses hold the number of a read and nothing of a
participant; files are looked at in memory and let go; every step is a plain form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET, require_http_methods

from equipoise.access.commands import Who
from equipoise.capture.imaging.commands import (
    CancelImaging,
    OpenAdjudication,
    OpenReading,
    OrderImaging,
    RecordImaging,
    ReferenceImages,
)
from equipoise.capture.imaging.decide import QUALITIES
from equipoise.desk.imaging_page import WRONG, ImagingRow
from equipoise.desk.views import Outcome
from equipoise.ledger.entries import Datum, SeriesSeen
from equipoise.pages.uploads import content_of
from equipoise.web import problems
from equipoise.web.request import Asked, desk
from equipoise.web.views.reading import found, new_key, signed, subject_path
from equipoise.words.problem import Problem, problem

QUALITY = {one: f"imaging.quality-{one.lower()}" for one in QUALITIES}
DEVIATIONS = {"EARLY": "imaging.deviation-early", "LATE": "imaging.deviation-late"}
_SERIES = re.compile(r"\s*([0-9.]+)[\s,;]+([A-Za-z]{2,4})[\s,;]+([0-9]{1,5})\s*")


@require_http_methods(["GET", "POST"])
@signed
def imaging(request: Asked, who: Who, number: str) -> HttpResponse:
    """What is asked of a participant: ordered, performed, its images referenced or looked at, given to readers."""
    view = found(desk().imaging(who, number))
    shown: tuple[Problem, ...] = ()
    if request.method == "POST":
        outcome = _done(request, who, number)
        if outcome.accepted:
            return redirect(f"{subject_path(number, 'imaging')}#{request.POST.get('row', '')}")
        shown = outcome.problems
        view = found(desk().imaging(who, number))
    context = {
        "view": view,
        "rows": [_row(one) for one in view.rows],
        "problems": shown,
        "given": request.POST,
        "quality": QUALITY.items(),
        "key": new_key(),
        "at": "subjects",
    }
    return render(request, "web/imaging.html", context, status=problems.status_of(shown) if shown else 200)


def _row(row: ImagingRow) -> dict[str, object]:
    order = row.order
    return {
        "row": row,
        "id": f"{row.procedure.id}-{row.visit}",
        "quality": QUALITY.get(order.quality, "") if order else "",
        "deviations": [DEVIATIONS[one] for one in order.deviations] if order else [],
        "refused": [problem(WRONG[one], "", tags=", ".join(order.tags)) for one in order.refused]
        if order
        else [],
        "can_open": bool(order and order.study_uid and row.procedure.read and not order.reads),
        "can_third": bool(order and order.differs and row.given == 2),
    }


def _done(request: Asked, who: Who, number: str) -> Outcome:
    """What a posted form asks for. What is not one of a list is the decision's to refuse."""
    said: Mapping[str, Any] = {
        name: str(value).strip() for name, value in request.POST.items()
    }  # Any: literals
    subject, key = found(desk().subject_id(number)), said.get("key") or new_key()

    def given(name: str) -> Any:  # Any: as above
        return said.get(name, "")

    order = given("order")
    match given("do"):
        case "upload":
            return _upload(request, who, number, order, key)
        case "order":
            window = given("due_from"), given("due_by")
            command: object = OrderImaging(
                subject, given("procedure"), given("visit"), *window, given("indication")
            )
        case "record":
            command = RecordImaging(subject, order, given("on"), given("quality"), given("device"))
        case "cancel":
            command = CancelImaging(subject, order, given("reason"))
        case "reference":
            command = ReferenceImages(subject, order, given("study_uid"), _series(given("series")))
        case "open":
            command = OpenReading(subject, order, given("first"), given("second"))
        case "third":
            command = OpenAdjudication(subject, order, given("third"))
        case _:
            return Outcome(accepted=False, problems=(problem("web.choose-one", "do"),))
    return desk().submit(who, command, key=key)


def _series(text: str) -> tuple[SeriesSeen, ...]:
    """Lines of `identifier modality images`; a line that is none of that is no series, and is refused as such."""
    read = [(line, _SERIES.fullmatch(line)) for line in text.splitlines() if line.strip()]
    return tuple(
        SeriesSeen(one[1], one[2].upper(), int(one[3])) if one else SeriesSeen(line[:64], "", 0)
        for line, one in read
    )


def _upload(request: Asked, who: Who, number: str, order: str, key: str) -> Outcome:
    files = [content_of(one) for one in request.FILES.getlist("file")]
    if not files:
        return Outcome(accepted=False, problems=(problem("imaging.choose-files", "file"),))
    whole = [one for one in files if isinstance(one, bytes)]
    if len(whole) < len(files):
        return Outcome(accepted=False, problems=(problem("imaging.files-too-large", "file"),))
    return desk().upload(who, number, order, whole, key=key)


# --- readers ----------------------------------------------------------------------------------------------------


@require_GET
@signed
def reads(request: Asked, who: Who) -> HttpResponse:
    """A reader's own list."""
    lines = found(desk().reads(who))
    context = {"open": [one for one in lines if not one.scored], "done": [one for one in lines if one.scored]}
    own = desk().own_certificates(who)
    return render(request, "web/reads.html", {**context, "own": own, "at": "reads"})


@require_http_methods(["GET", "POST"])
@signed
def read(request: Asked, who: Who, name: str) -> HttpResponse:
    """One read: its items, scored once."""
    view = found(desk().read(who, name))
    shown: tuple[Problem, ...] = ()
    if request.method == "POST":
        items = {one.id: _datum(request.POST, one.id) for one in view.items}
        outcome = desk().score(who, name, items, key=request.POST.get("key") or new_key())
        if outcome.accepted:
            return redirect("/reads")
        shown = outcome.problems
    names = {one.id for one in view.items}
    context = {
        "view": view,
        "rows": [_read_item(one, request.POST, shown) for one in view.items],
        "problems": [one for one in shown if one.where not in names],
        "key": new_key(),
        "at": "reads",
    }
    return render(request, "web/read.html", context, status=problems.status_of(shown) if shown else 200)


def _read_item(
    one: Any, posted: Mapping[str, str], shown: tuple[Problem, ...]
) -> dict[str, object]:  # Any: its view
    return {
        "one": one,
        "value": posted.get(f"v.{one.id}", one.value.value or ""),
        "missing": posted.get(f"m.{one.id}", one.value.missing or ""),
        "wrong": [each for each in shown if each.where == one.id],
    }


def _datum(posted: Mapping[str, str], name: str) -> Datum:
    value, missing = posted.get(f"v.{name}", "").strip(), posted.get(f"m.{name}", "").strip()
    return Datum(value or None, missing or None)


urlpatterns: list[URLPattern] = [
    path("subjects/<str:number>/imaging", imaging),
    path("reads", reads),
    path("reads/<str:name>", read),
]
