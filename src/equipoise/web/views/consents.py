"""A participant's consents: the timeline, what is due, and the forms that record a signature, a capacity, an end.

The rules that must stay true: names typed here go to the identity register, never into the ledger; what each level of a
withdrawal stops is said before it is recorded.
"""

from __future__ import annotations

from typing import cast

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods

from equipoise.access.commands import Who
from equipoise.consent.commands import (
    AnswerOption,
    Level,
    RecordCapacity,
    RecordCaregiver,
    RecordConsent,
    Signer,
    WithdrawConsent,
)
from equipoise.consent.withdrawal import EVERYTHING, STOPS
from equipoise.desk.consent_page import Beside, ConsentLine, ConsentView
from equipoise.web import problems
from equipoise.web.request import Asked, desk, whole_day
from equipoise.web.views.reading import found, new_key, signed, subject_path
from equipoise.words.clock import local
from equipoise.words.problem import Problem, problem

CAPACITY = {
    "HAS": "web.capacity-has",
    "LACKS": "web.capacity-lacks",
    "NOT_ASSESSED": "web.capacity-not-assessed",
}
"""What is recorded of capacity -> message."""
STATUS = {
    "NOT_ASKED": ("consents.status-not-asked", "warn"),
    "IN_FORCE": ("consents.status-in-force", "good"),
    "BY_REPRESENTATIVE": ("consents.status-by-representative", "good"),
    "REFUSED": ("consents.status-refused", "bad"),
    "CAPACITY_OPEN": ("consents.status-capacity-open", "warn"),
    "CAPACITY_REGAINED": ("consents.status-capacity-regained", "warn"),
    "CAPACITY_LOST": ("consents.status-capacity-lost", "bad"),
    "AWAITS_REPRESENTATIVE": ("consents.status-awaits-representative", "warn"),
    "WITHDRAWN": ("consents.status-withdrawn", "bad"),
}
"""Where the consent stands -> words and tone."""
LEVELS = {
    "FROM_TREATMENT": "consents.level-from-treatment",
    "FROM_VISITS": "consents.level-from-visits",
    "FROM_CONTACT": "consents.level-from-contact",
    "FROM_SAMPLES": "consents.level-from-samples",
    "FULL": "consents.level-full",
}
PARTS = {
    "treatment": "consents.part-treatment",
    "visits": "consents.part-visits",
    "contact": "consents.part-contact",
    "records": "consents.part-records",
    "samples": "consents.part-samples",
}
LINES = {
    ("ConsentDocumented", True): ("consents.line-signed", "pen", "good"),
    ("ConsentDocumented", False): ("consents.line-refused", "cross", "bad"),
    ("CapacityRecorded", True): ("consents.line-capacity", "stethoscope", ""),
    ("OptionAnswered", True): ("consents.line-agreed", "check", "good"),
    ("OptionAnswered", False): ("consents.line-declined", "cross", "plain"),
    ("ParticipationLimited", True): ("consents.line-limited", "alert", "warn"),
    ("ConsentWithdrawn", True): ("consents.line-withdrawn", "alert", "bad"),
    ("CaregiverConsented", True): ("consents.line-caregiver", "people", "good"),
    ("CaregiverConsented", False): ("consents.line-caregiver-not", "people", "plain"),
}
"""An act, and whether it was a yes -> words, icon, tone."""
NOTES = {
    "name": "consents.note-name",
    "relation": "consents.note-relation",
    "because": "consents.note-because",
    "explained": "consents.note-explained",
    "witness": "consents.note-witness",
    "copy": "consents.note-copy",
    "reason": "consents.note-reason",
}
Command = RecordCapacity | RecordConsent | WithdrawConsent | AnswerOption | RecordCaregiver


@require_http_methods(["GET", "POST"])
@signed
def consent(request: Asked, who: Who, number: str) -> HttpResponse:
    """The consents of a participant. Capacity is presumed; a representative signs where it is recorded as lacking."""
    view = found(desk().consents(who, number))
    shown: tuple[Problem, ...] = ()
    if request.method == "POST":
        command = _command(found(desk().subject_id(number)), request.POST)
        if isinstance(command, Problem):
            shown = (command,)
        else:
            key = request.POST.get("key") or new_key()
            outcome = desk().record_consent(who, command, _beside(request.POST), key=key)
            if outcome.accepted:
                return redirect(subject_path(number, "consent"))
            shown = outcome.problems
    context = {
        "view": view,
        "status": STATUS[view.status],
        "capacity_key": CAPACITY.get(view.capacity, "web.capacity-not-recorded"),
        "lines": [_line(view, one) for one in view.lines],
        "stops": [PARTS[one] for one in view.stops],
        "goes_on": [PARTS[one] for one in EVERYTHING if one not in view.stops],
        "levels": [
            (level, label, [PARTS[one] for one in EVERYTHING if one in STOPS[level]])
            for level, label in LEVELS.items()
        ],
        "usable": [one for one in view.versions if one.since] or view.versions,
        "me": who.actor,
        "at": "subjects",
        "key": new_key(),
        "problems": shown,
        "given": request.POST,
    }
    return render(request, "web/consent.html", context, status=problems.status_of(shown) if shown else 200)


def _line(view: ConsentView, one: ConsentLine) -> dict[str, object]:
    label = LINES[(one.kind, one.given)]
    return {
        "one": one,
        "says": label[0],
        "icon": label[1],
        "tone": label[2],
        "what": CAPACITY.get(one.what) or LEVELS.get(one.what, ""),
        "notes": [(NOTES[name], value) for name, value in one.notes.items()],
        "recorded": local(one.at, view.zone),
    }


def _beside(posted: QueryDict) -> Beside:
    return Beside(*(posted.get(name, "").strip() for name in ("name", "witness", "phone")))


def _command(subject: str, posted: QueryDict) -> Command | Problem:
    """The command that a posted form asks for, or why it cannot be read."""
    on = whole_day(posted)
    if isinstance(on, Problem):
        return on
    day, by = on.iso(), _by(posted)
    match posted.get("do"):
        case "capacity":
            found_to = posted.get("capacity")
            if found_to not in ("HAS", "LACKS"):
                return problem("web.choose-one", "capacity")
            return RecordCapacity(subject, "HAS" if found_to == "HAS" else "LACKS", day)
        case "withdraw":
            level = posted.get("level") or "FULL"
            if level not in STOPS:
                return problem("web.choose-one", "level")
            return WithdrawConsent(subject, by, day, posted.get("reason", "").strip(), cast(Level, level))
        case "option":
            return AnswerOption(subject, posted.get("option", ""), posted.get("given") != "no", by, day)
        case "caregiver":
            relation = posted.get("relation", "").strip()
            return RecordCaregiver(
                subject, posted.get("caregiver", ""), posted.get("given") != "no", day, relation
            )
        case _:
            return _signature(subject, by, day, posted)


def _by(posted: QueryDict) -> Signer:
    return "LEGAL_REPRESENTATIVE" if posted.get("by") == "LEGAL_REPRESENTATIVE" else "PARTICIPANT"


def _signature(subject: str, by: Signer, day: str, posted: QueryDict) -> RecordConsent:
    answers = {
        name.removeprefix("option."): value for name, value in posted.items() if name.startswith("option.")
    }
    return RecordConsent(
        subject,
        posted.get("version", ""),
        by,
        posted.get("given") != "no",
        day,
        posted.get("relation", "").strip() or None,
        at=posted.get("time", "").strip(),
        explained_by=posted.get("explained", ""),
        copy_given=posted.get("copy") == "yes",
        because=posted.get("because", "").strip(),
        agreed=tuple(option for option, value in answers.items() if value == "yes"),
        declined=tuple(option for option, value in answers.items() if value == "no"),
    )


urlpatterns: list[URLPattern] = [path("subjects/<str:number>/consent", consent)]
