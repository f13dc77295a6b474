"""Specimens: tubes of a participant, labels, shipments with their manifest, and the files of a laboratory.

The rules that must stay true: a file is shown line by line before anything of it is taken in, and taken in whole or not
at all; a file with a value that could tell an arm is neither shown again nor kept; every step is a plain form.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.http.request import QueryDict
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET, require_http_methods

from equipoise.access.commands import Who
from equipoise.capture.specimens.accession import spaced
from equipoise.capture.specimens.commands import (
    CollectSpecimen,
    EndAliquot,
    ImportResults,
    MakeAliquots,
    MissSpecimen,
    MoveAliquot,
    ProcessSpecimen,
    ReceiveShipment,
    SendShipment,
    VoidSpecimen,
)
from equipoise.capture.specimens.importing import Judged
from equipoise.capture.specimens.shipping import CONDITIONS, DIFFERENCES
from equipoise.desk.specimens_page import ShipmentView, SpecimensView, TubeView
from equipoise.desk.views import Outcome
from equipoise.documents.tube import Manifest, TubeLabel, manifest_pdf, tube_labels_pdf
from equipoise.documents.typeset import Issue
from equipoise.pages.reports import posted_file, report_lines
from equipoise.web import problems
from equipoise.web.request import Asked, desk, rehearsal, study_label
from equipoise.web.site_time import at_the_site, field
from equipoise.web.views.reading import found, new_key, signed, subject_path
from equipoise.words.clock import local
from equipoise.words.csv_text import csv_text
from equipoise.words.ids import random_id
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text

FASTING = {"Y": "specimens.fasting-yes", "N": "specimens.fasting-no", "U": "specimens.fasting-unknown"}
HAEMOLYSIS = {one: f"specimens.haemolysis-{one.lower()}" for one in ("NONE", "SLIGHT", "MODERATE", "GROSS")}
MISSED = {
    one: f"specimens.missed-{one.lower().replace('_', '-')}"
    for one in ("NOT_DONE", "REFUSED", "NOT_POSSIBLE", "OTHER")
}
ENDED = {one: f"specimens.ended-{one.lower()}" for one in ("USED", "DESTROYED", "LOST", "BROKEN")}
ARRIVED = {one: f"specimens.arrived-{one.lower().replace('_', '-')}" for one in CONDITIONS}
WRONG = {one: f"specimens.wrong-{one.lower()}" for one in DIFFERENCES}


# --- tubes ------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@signed
def specimens(request: Asked, who: Who, number: str) -> HttpResponse:
    """The tubes of a participant: drawn, missed, spun, divided, moved, voided."""
    view = found(desk().specimens(who, number))
    shown: tuple[Problem, ...] = ()
    if request.method == "POST":
        subject = found(desk().subject_id(number))
        command = _command(subject, request.POST, view.zone)
        if isinstance(command, Problem):
            shown = (command,)
        else:
            outcome = desk().submit(who, command, key=request.POST.get("key") or new_key())
            if outcome.accepted:
                return redirect(f"{subject_path(number, 'specimens')}#{request.POST.get('row', '')}")
            shown = outcome.problems
    context = {
        "view": view,
        "rows": [_tube(row, view, number) for row in view.rows],
        "problems": shown,
        "given": request.POST,
        "now": field(view.now, view.zone),
        "fasting": FASTING.items(),
        "haemolysis": HAEMOLYSIS.items(),
        "missed": MISSED.items(),
        "ended": ENDED.items(),
        "key": new_key(),
        "at": "subjects",
    }
    return render(request, "web/specimens.html", context, status=problems.status_of(shown) if shown else 200)


def _tube(row: TubeView, view: SpecimensView, number: str) -> dict[str, object]:
    tube = row.tube
    storages = {one.id: one.label for one in view.storages}
    return {
        "row": row,
        "id": f"{row.kit.id}-{row.visit}",
        "spaced": spaced(tube.specimen) if tube else "",
        "at": local(tube.at, view.zone) if tube else "",
        "spun": local(tube.spun_at, view.zone) if tube else "",
        "frozen": local(tube.frozen_at, view.zone) if tube else "",
        "fasting": FASTING.get(tube.fasting, "") if tube else "",
        "haemolysis": HAEMOLYSIS.get(tube.haemolysis, "") if tube else "",
        "deviations": [
            f"specimens.deviation-{one.lower().replace('_', '-')}" for one in (*tube.deviations, *tube.late)
        ]
        if tube
        else [],
        "missed": MISSED.get(row.missed, ""),
        "aliquots": [
            {
                "one": one,
                "storage": storages.get(one.storage, Text(one.storage)),
                "ended": ENDED.get(one.ended, ""),
                "often": one.thaws > view.thaws_at_most,
            }
            for one in row.aliquots
        ],
        "labels": subject_path(number, "specimens", f"{tube.specimen}.pdf") if tube else "",
    }


Command = (
    CollectSpecimen | MissSpecimen | VoidSpecimen | ProcessSpecimen | MakeAliquots | MoveAliquot | EndAliquot
)


def _command(subject: str, posted: QueryDict, zone: str) -> Command | Problem:
    """The command that a posted form asks for. What is not one of a list is the decision's to refuse."""
    said: Mapping[str, Any] = {
        name: str(value).strip() for name, value in posted.items()
    }  # Any: typed literals

    def given(name: str) -> Any:  # Any: as above
        return said.get(name, "")

    def moment(name: str) -> str:
        return at_the_site(given(name), zone) if given(name) else ""

    specimen, aliquot, note = given("specimen"), given("aliquot"), given("note")
    match given("do"):
        case "collect":
            at = moment("at")
            return CollectSpecimen(subject, given("kit"), given("visit"), at, given("fasting"), note)
        case "miss":
            return MissSpecimen(subject, given("kit"), given("visit"), given("because"), note)
        case "void":
            return VoidSpecimen(subject, specimen, given("reason"))
        case "process":
            times = moment("spun_at"), moment("frozen_at")
            return ProcessSpecimen(subject, specimen, *times, given("haemolysis"), note)
        case "divide":
            count = int(given("count")) if given("count").isdecimal() and len(given("count")) < 4 else 0
            return MakeAliquots(subject, specimen, count, given("volume"), given("storage"), given("place"))
        case "move":
            return MoveAliquot(subject, aliquot, given("storage"), given("thawed") == "yes", given("place"))
        case "end":
            return EndAliquot(subject, aliquot, given("because"), given("reason"))
        case _:
            return problem("web.choose-one", "do")


@require_GET
@signed
def labels(request: Asked, who: Who, number: str, wanted: str) -> HttpResponse:
    """Labels of one tube and its aliquots, each with a code for the scanner."""
    view = found(desk().specimens(who, number))
    row = found(next((one for one in view.rows if one.tube and one.tube.specimen == wanted), None))
    tube = found(row.tube)
    at = local(tube.at, view.zone)
    made = [TubeLabel(tube.specimen, row.kit.label, row.kit.tube, at)]
    made += [
        TubeLabel(one.aliquot, row.kit.label, Text(f"{one.volume} mL"), at)
        for one in row.aliquots
        if not one.ended
    ]
    return _pdf(tube_labels_pdf(made, _issue(view.zone)), f"labels-{tube.specimen}.pdf")


def _issue(zone: str) -> Issue:
    today = desk().now().astimezone(ZoneInfo(zone)).date()
    return Issue(study_label(), today, rehearsal=rehearsal())


def _pdf(made: bytes, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'inline; filename="{name}"'}
    return HttpResponse(made, content_type="application/pdf", headers=headers)


# --- shipments --------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@signed
def shipments(request: Asked, who: Who) -> HttpResponse:
    """What is in stock at the reader's site, to be sent; and every shipment the reader may see."""
    view = found(desk().shipments(who))
    shown: tuple[Problem, ...] = ()
    if request.method == "POST":
        posted = request.POST
        name = posted.get("shipment") or random_id(secrets.token_bytes, 10)
        at = at_the_site(posted.get("at", ""), view.zone)
        command = SendShipment(
            view.site, name, posted.get("laboratory", ""), tuple(posted.getlist("aliquots")), at,
            posted.get("condition", ""), posted.get("carrier", ""),
        )  # fmt: skip
        outcome = desk().submit(who, command, key=posted.get("key") or new_key())
        if outcome.accepted:
            return redirect(f"/shipments/{name}")
        shown = outcome.problems
    context = {
        "view": view,
        "lines": [
            {
                "one": one,
                "sent": local(one.sent_at, view.zone),
                "received": local(one.received_at, view.zone),
            }
            for one in view.lines
        ],
        "packed": request.POST.getlist("aliquots"),
        "problems": shown,
        "given": request.POST,
        "now": field(view.now, view.zone),
        "shipment": random_id(secrets.token_bytes, 10),
        "may_import": "results" in _reads(request),
        "key": new_key(),
        "at": "shipments",
    }
    return render(request, "web/shipments.html", context, status=problems.status_of(shown) if shown else 200)


def _reads(request: Asked) -> frozenset[str]:
    from equipoise.access.roles import ROLES

    role = ROLES.get(request.who.role) if request.who is not None else None
    return role.reads if role is not None else frozenset()


@require_http_methods(["GET", "POST"])
@signed
def shipment(request: Asked, who: Who, name: str) -> HttpResponse:
    """One shipment: its manifest, and how it arrived."""
    view = found(desk().shipment(who, name))
    shown: tuple[Problem, ...] = ()
    if request.method == "POST":
        outcome = _received(request, who, view)
        if outcome.accepted:
            return redirect(f"/shipments/{name}")
        shown = outcome.problems
    received = view.received
    context = {
        "view": view,
        "manifest": [
            {
                "aliquot": aliquot,
                "kit": kit,
                "volume": volume,
                "wrong": WRONG.get(received.discrepancies.get(aliquot, ""), "") if received else "",
                "typed": request.POST.get(f"d.{aliquot}", ""),
            }
            for aliquot, kit, volume in view.manifest
        ],
        "sent": local(view.sent.at, view.zone),
        "received": local(received.at, view.zone) if received else "",
        "arrived": ARRIVED.get(received.condition, "") if received else "",
        "conditions": ARRIVED.items(),
        "wrong": WRONG.items(),
        "problems": shown,
        "given": request.POST,
        "now": field(view.now, view.zone),
        "key": new_key(),
        "at": "shipments",
    }
    return render(request, "web/shipment.html", context, status=problems.status_of(shown) if shown else 200)


def _received(request: Asked, who: Who, view: ShipmentView) -> Outcome:
    posted = request.POST
    differences = tuple(
        f"{aliquot} {code}" for aliquot, _, _ in view.manifest if (code := posted.get(f"d.{aliquot}", ""))
    )
    unexpected = tuple(posted.get("unexpected", "").replace(",", " ").replace("，", " ").split())
    condition: Any = posted.get("condition", "")  # Any: a literal that the decision judges
    at = at_the_site(posted.get("at", ""), view.zone)
    command = ReceiveShipment(
        view.sent.site, view.sent.shipment, at, condition, differences, unexpected, posted.get("note", "")
    )
    return desk().submit(who, command, key=posted.get("key") or new_key())


@require_GET
@signed
def manifest(request: Asked, who: Who, name: str) -> HttpResponse:
    """The manifest on paper."""
    view = found(desk().shipment(who, name))
    sent = view.sent
    made = Manifest(
        sent.shipment, sent.site, view.laboratory, local(sent.at, view.zone), view.condition, view.manifest
    )
    return _pdf(manifest_pdf(made, _issue(view.zone)), f"manifest-{sent.shipment}.pdf")


@require_GET
@signed
def manifest_table(request: Asked, who: Who, name: str) -> HttpResponse:
    """The manifest as a table for the laboratory's own program."""
    view = found(desk().shipment(who, name))
    header = ("shipment", "aliquot", "accession", "kit", "volume_mL", "storage", "sent")
    sent = view.sent
    rows = [
        (sent.shipment, aliquot, aliquot.split("-")[0], kit.en, volume, sent.condition, sent.at)
        for aliquot, kit, volume in view.manifest
    ]
    headers = {"Content-Disposition": f'attachment; filename="manifest-{view.sent.shipment}.csv"'}
    return HttpResponse(csv_text(header, rows), content_type="text/csv; charset=utf-8", headers=headers)


# --- results ----------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@signed
def results(request: Asked, who: Who) -> HttpResponse:
    """A laboratory's file: looked through line by line, then taken in whole."""
    view = found(desk().results(who))
    judged: Judged | None = None
    shown: tuple[Problem, ...] = ()
    command: ImportResults | None = None
    if request.method == "POST":
        read = posted_file(request)
        laboratory = request.POST.get("laboratory", "")
        if isinstance(read, Problem):
            shown = (read,)
        elif not any(one.id == laboratory for one in view.laboratories):
            shown = (problem("specimens.choose", "laboratory"),)
        else:
            command = desk().asked_import(laboratory, read, corrects=request.POST.get("corrects") == "yes")
            if request.POST.get("do") == "import":
                outcome = desk().submit(who, command, key=request.POST.get("key") or new_key())
                if outcome.accepted:
                    return redirect("/results?taken=1")
            judged = desk().dry_run(who, command)
            if judged is None:
                shown = (problem("specimens.may-not-import"),)
            elif judged.report.unread is not None:
                shown = (judged.report.unread,)
    wrong = bool(shown) or (judged is not None and not judged.appends)
    context = {
        "view": view,
        "imports": [(*one[:2], local(one[2], "UTC"), *one[3:]) for one in view.imports],
        "report": report_lines(judged) if judged is not None and judged.report.unread is None else None,
        "text": command.text if command is not None and judged is not None and judged.appends else "",
        "problems": shown,
        "given": request.POST,
        "taken": request.GET.get("taken", ""),
        "key": new_key(),
        "at": "shipments",
    }
    return render(request, "web/results.html", context, status=422 if wrong else 200)


_TUBES = "subjects/<str:number>/specimens"
urlpatterns: list[URLPattern] = [
    path(_TUBES, specimens),
    path(f"{_TUBES}/<str:wanted>.pdf", labels),
    path("shipments", shipments),
    path("shipments/<str:name>", shipment),
    path("shipments/<str:name>/manifest.pdf", manifest),
    path("shipments/<str:name>/manifest.csv", manifest_table),
    path("results", results),
]
