"""The infusion page of a participant, and what is due: usable with a scanner, a keyboard or a finger.

The rules that must stay true: a page shows a bag's number and use-by and never what is in it; what was scanned and
does not agree fills the whole screen and is kept in the ledger; every step is a plain form, so that a slow line or a
missing script loses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, cast

from django.contrib.auth import authenticate
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET, require_http_methods

from equipoise.access.commands import Who
from equipoise.desk.supply_page import BagView, DoseView, GateView, InfusionView, RequestView
from equipoise.pages.accounts.models import Account
from equipoise.supply.commands import (
    CheckBag,
    DecideDosing,
    EndInfusion,
    HoldDosing,
    InterruptInfusion,
    JudgeDosing,
    RecordMismatch,
    RecordWrongBag,
    RejectBag,
    RequestPreparation,
    ResumeInfusion,
    ReturnBag,
    StartInfusion,
)
from equipoise.web import problems
from equipoise.web.request import Asked, desk, rehearsal
from equipoise.web.site_time import at_the_site, field, hour
from equipoise.web.views.reading import found, new_key, signed, subject_path
from equipoise.words.clock import local
from equipoise.words.problem import Problem, problem

STOPS = frozenset({"supply.wrong-bag", "supply.wrong-bag-of", "supply.wrong-subject"})
"""Refusals that fill the screen: whoever stands at the bedside must not go on."""
STAGES = {
    "REQUESTED": ("dosing.stage-requested", "clock", ""),
    "HELD": ("dosing.stage-held", "alert", "bad"),
    "RELEASED": ("dosing.stage-released", "clipboard", "warn"),
    "CHECKED": ("dosing.stage-checked", "clipboard-check", "good"),
    "RUNNING": ("dosing.stage-running", "play", "good"),
    "PAUSED": ("dosing.stage-paused", "alert", "warn"),
    "ENDED": ("dosing.stage-ended", "check", "plain"),
    "POSTPONED": ("dosing.stage-postponed", "history", "plain"),
    "OMITTED": ("dosing.stage-omitted", "cross", "plain"),
}
"""Where a dose stands -> words, icon and tone."""
RESULTS = {
    "T": ("dosing.result-true", "check", "good"),
    "F": ("dosing.result-false", "cross", "bad"),
    "U": ("dosing.result-unknown", "alert", "warn"),
}
DECISIONS = {
    "GO": ("dosing.gate-go", "good"),
    "HOLD": ("dosing.gate-hold", "bad"),
    "NOT_EVALUABLE": ("dosing.gate-unknown", "warn"),
}
AT = {"RELEASE": "dosing.gate-release", "BEDSIDE": "dosing.gate-bedside"}
BECAUSE = {
    "SPILLED": "dosing.because-spilled",
    "DAMAGED": "dosing.because-damaged",
    "LATE": "dosing.because-late",
    "RECALLED": "dosing.because-recalled",
    "NOT_MASKED": "dosing.because-not-masked",
    "OTHER": "dosing.because-other",
}
CHOICES = {
    "GIVE": "dosing.decide-give",
    "POSTPONE": "dosing.decide-postpone",
    "OMIT": "dosing.decide-omit",
}
OUTCOMES = {"COMPLETE": "dosing.outcome-complete", "STOPPED": "dosing.outcome-stopped"}
TOTALS = {
    "RELEASED": "dosing.total-released",
    "GIVEN": "dosing.total-given",
    "REJECTED": "dosing.total-rejected",
    "RETURNED": "dosing.total-returned",
}
SOON_MINUTES = 30
"""A bag whose use-by is nearer than this is shown as urgent."""
ASK_AHEAD_MINUTES = 120
"""What the field for the hour of release proposes."""
REHEARSED_MINUTES = 5
"""The same in a rehearsal, where a step of the bench that takes minutes takes seconds."""
Command = (
    RequestPreparation
    | JudgeDosing
    | HoldDosing
    | DecideDosing
    | CheckBag
    | RejectBag
    | StartInfusion
    | InterruptInfusion
    | ResumeInfusion
    | EndInfusion
    | RecordWrongBag
    | ReturnBag
)


@require_http_methods(["GET", "POST"])
@signed
def infusion(request: Asked, who: Who, number: str) -> HttpResponse:
    """Dose by dose: request, gate, bag, check, infusion, return."""
    view = found(desk().infusions(who, number))
    shown: tuple[Problem, ...] = ()
    if request.method == "POST":
        subject = found(desk().subject_id(number))
        command = _command(subject, request.POST, view.zone)
        absent = _absent(request, command)
        if isinstance(command, Problem) or absent is not None:
            shown = tuple(one for one in (command, absent) if isinstance(one, Problem))
        else:
            outcome = desk().submit(who, command, key=request.POST.get("key") or new_key())
            if outcome.accepted:
                return redirect(subject_path(number, "infusion"))
            shown = outcome.problems
            stops = [one for one in shown if one.rule in STOPS]
            if stops and isinstance(command, CheckBag):
                return _stop(request, who, number, command, stops)
        view = found(desk().infusions(who, number))
    context = {
        "view": view,
        "doses": [_dose(one, view) for one in view.doses],
        "problems": shown,
        "given": request.POST,
        "because": BECAUSE.items(),
        "choices": CHOICES.items(),
        "at": "due",
        "key": new_key(),
        "clock": local(view.now, view.zone),
    }
    return render(request, "web/infusion.html", context, status=problems.status_of(shown) if shown else 200)


@require_GET
@signed
def due(request: Asked, who: Who) -> HttpResponse:
    """What is due at the reader's sites, and totals of bags."""
    view = found(desk().due(who))
    lines = [
        {
            "line": one,
            "stage": STAGES[one.stage],
            "at": local(one.at, one.zone),
            "path": subject_path(one.number, "infusion"),
            "soon": one.left is not None and one.left < SOON_MINUTES,
        }
        for one in view.lines
    ]
    context = {
        "lines": lines,
        "waiting": [(number, label, subject_path(number, "infusion")) for number, label in view.waiting],
        "totals": [(TOTALS[state], count) for state, count in view.totals.items()],
        "at": "due",
    }
    return render(request, "web/due.html", context)


def _absent(request: Asked, command: object) -> Problem | None:
    """Why the second person of a check is not there: in a trial they type their own password; a rehearsal has none."""
    if not isinstance(command, CheckBag) or rehearsal():
        return None
    account = Account.objects.filter(actor=command.second, is_active=True).first()
    password = request.POST.get("second_password", "")
    name = account.username if account is not None else ""
    there = authenticate(request, username=name, password=password)
    return None if isinstance(there, Account) else problem("dosing.second-not-there", "second_password")


def _stop(request: Asked, who: Who, number: str, command: CheckBag, stops: list[Problem]) -> HttpResponse:
    """The whole screen says stop, and the near miss is kept."""
    missed = RecordMismatch(command.subject, command.request, command.scanned_bag, command.scanned_subject)
    desk().submit(who, missed, key=new_key())
    context = {"stops": stops, "number": number, "path": subject_path(number, "infusion"), "at": "due"}
    return render(request, "web/stop.html", context, status=problems.status_of(stops))


# --- what was posted ------------------------------------------------------------------------------------------


def _command(subject: str, posted: Mapping[str, str], zone: str) -> Command | Problem:
    """The command that a posted form asks for."""
    one, reason = posted.get("request", ""), posted.get("reason", "").strip()
    at = at_the_site(posted.get("at", ""), zone)
    match posted.get("do"):
        case "ask":
            return RequestPreparation(subject, posted.get("dose", ""), at, posted.get("weight", "").strip())
        case "judge":
            return JudgeDosing(subject, one, "BEDSIDE" if posted.get("place") == "BEDSIDE" else "RELEASE")
        case "hold":
            return HoldDosing(subject, one, reason)
        case "decide":
            if posted.get("decision") not in CHOICES:
                return problem("web.choose-one", "decision")
            decision = cast("Literal['GIVE', 'POSTPONE', 'OMIT']", posted.get("decision"))
            return DecideDosing(subject, one, decision, reason)
        case "check":
            scanned = posted.get("scanned_bag", "").strip(), posted.get("scanned_subject", "").strip()
            return CheckBag(subject, one, *scanned, posted.get("second", ""))
        case _:
            return _bedside(subject, one, posted, at, reason)


def _bedside(subject: str, one: str, posted: Mapping[str, str], at: str, reason: str) -> Command | Problem:
    bag = posted.get("bag", "").strip()
    match posted.get("do"):
        case "reject":
            if posted.get("because") not in BECAUSE:
                return problem("web.choose-one", "because")
            because = cast("Literal['SPILLED']", posted.get("because"))
            return RejectBag(subject, one, bag, because, reason)
        case "start":
            return StartInfusion(subject, one, bag, at)
        case "interrupt":
            return InterruptInfusion(subject, one, at, reason)
        case "resume":
            return ResumeInfusion(subject, one, at)
        case "end":
            whole = posted.get("outcome") == "COMPLETE"
            share = "100" if whole else posted.get("share", "").strip()
            return EndInfusion(subject, one, at, "COMPLETE" if whole else "STOPPED", share, reason)
        case "wrong":
            return RecordWrongBag(subject, one, bag, reason)
        case "return":
            return ReturnBag(subject, one, bag, posted.get("remaining", "").strip())
        case _:
            return problem("web.choose-one", "do")


# --- what is shown --------------------------------------------------------------------------------------------


def _dose(dose: DoseView, view: InfusionView) -> dict[str, object]:
    requests = [_request(one, dose, view) for one in dose.requests]
    return {
        "dose": dose,
        "requests": requests,
        "over": STAGES[dose.requests[-1].stage] if dose.over and not _open_bag(dose) else None,
        "preview": None if dose.preview is None else _gate(dose.preview, dose, view, None),
        "ask_at": field(view.now, view.zone, ahead=REHEARSED_MINUTES if rehearsal() else ASK_AHEAD_MINUTES),
    }


def _request(one: RequestView, dose: DoseView, view: InfusionView) -> dict[str, object]:
    zone, stage = view.zone, one.stage
    started = one.started_at != ""
    gates = [_gate(gate, dose, view, one) for gate in one.gates]
    bedside = next((gate for gate in one.gates if gate.at == "BEDSIDE"), None)
    judged = bedside is not None and bedside.written == bedside.decision == "GO"
    mixed_up = one.wrong[-1] if one.wrong and not started else ""
    may_start = "StartInfusion" in view.may
    return {
        "one": one,
        "stage": STAGES[stage],
        "waits": stage == "REQUESTED" and not one.bags,
        "waits_again": stage == "REQUESTED" and bool(one.bags),
        "at": local(one.at, zone),
        "requested_at": local(one.requested_at, zone),
        "gates": gates,
        "bedside": next((gate for gate in gates if gate["at"] == "BEDSIDE"), None),
        "judge_next": stage == "CHECKED" and not judged and "JudgeDosing" in view.may,
        "can_start": may_start and ((stage == "CHECKED" and judged) or bool(mixed_up)),
        "chosen": CHOICES.get(one.decision, ""),
        # the bag that is to be given stands first: the number of a lost one is not to be scanned
        "bags": [_bag(bag, zone) for bag in sorted(one.bags, key=lambda bag: bag.bag != one.bag)],
        "started_at": local(one.started_at, zone),
        "ended_at": local(one.ended_at, zone),
        "outcome": OUTCOMES.get(one.outcome, ""),
        "pauses": [(hour(begun, zone), hour(over, zone)) for begun, over in one.pauses],
        "wrong": ", ".join(one.wrong),
        "wrong_to_start": mixed_up,
        "now": field(view.now, zone),
        "can_hold": stage in {"REQUESTED", "RELEASED", "CHECKED"} and "HoldDosing" in view.may,
        "can_decide": stage == "HELD" and "DecideDosing" in view.may,
        "can_judge": "JudgeDosing" in view.may,
        "can_do": may_start,
        "can_reject": bool(one.bag) and stage in {"RELEASED", "CHECKED", "HELD", "POSTPONED", "OMITTED"},
        "can_mix_up": stage not in {"RUNNING", "PAUSED"} and not started,
    }


def _open_bag(dose: DoseView) -> bool:
    """Whether something is left to be done with a bag of a dose that is over."""
    return any(bag.to_return or bag.recalled for one in dose.requests for bag in one.bags)


def _gate(gate: GateView, dose: DoseView, view: InfusionView, one: RequestView | None) -> dict[str, object]:
    """A gate: what is not fulfilled line by line, what is in one. `asks`: it still decides something, and is not GO.

    The judgement before release decides until there is a bag; from then on the one at the bedside does.
    """
    decides = gate.at == ("BEDSIDE" if one is not None and one.bag else "RELEASE")
    return {
        "gate": gate,
        "at": gate.at,
        "title": AT[gate.at],
        "decision": DECISIONS[gate.decision if decides else gate.written or gate.decision],
        "asks": decides and gate.decision != "GO",
        "judged_here": decides and one is not None and one.stage != "CHECKED",
        "failed": [(each, RESULTS[each.result]) for each in gate.conditions if each.result != "T"],
        "met": [each for each in gate.conditions if each.result == "T"],
        "written": DECISIONS.get(gate.written),
        "written_at": local(gate.written_at, view.zone),
        "form": subject_path(view.number, "forms", dose.visit, gate.form) if gate.form else "",
    }


def _bag(bag: BagView, zone: str) -> dict[str, object]:
    return {
        "bag": bag,
        "use_by": local(bag.use_by, zone),
        "late": bag.left is not None and bag.left < 0,
        "soon": bag.left is not None and bag.left < SOON_MINUTES,
        "rejected": BECAUSE.get(bag.rejected, ""),
        "done": _over(bag),
    }


def _over(bag: BagView) -> tuple[str] | None:
    """The icon of a bag with which nothing is left to be done: lost or given, and back at the pharmacy."""
    if bag.recalled or not bag.returned:
        return None
    return ("cross",) if bag.rejected else ("check",)


urlpatterns: list[URLPattern] = [
    path("due", due),
    path("subjects/<str:number>/infusion", infusion),
]
