"""The diary, for staff: the list of diaries, one participant's calendar, a period, an entry, phones, interviews, paper.

The rules that must stay true: a code and its PIN are on the page that answers the invitation and on no other; a change
is granted with user name and password on that very page; every step is a plain form, and what was typed stays.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET, require_http_methods

from equipoise.access.commands import Who
from equipoise.desk import diary_pages, diary_phones, diary_work
from equipoise.desk.desk import Desk
from equipoise.desk.devices import revoke as revoke_phone
from equipoise.desk.diary_views import DayCell, EntryView, Happened, InterviewView, OneEntryView, SideView
from equipoise.desk.phones import Invited
from equipoise.desk.views import Outcome
from equipoise.desk.words import YES_NO
from equipoise.diary.commands import PARTICIPANT
from equipoise.diary.evolve import Side
from equipoise.diary.site_commands import (
    Because,
    DecideDiaryChange,
    ExplainDiaryGap,
    HandleDiaryFlag,
    LinkDiaryEntry,
    RecordDiaryInterview,
    ReviewDiary,
    SetDiaryReminder,
)
from equipoise.diary.site_commands import Outcome as FlagOutcome
from equipoise.documents.phone_card import PhoneCard, said_on
from equipoise.ledger.entries import Datum
from equipoise.oversight.commands import RecordInterruption
from equipoise.protocol.diary import DiaryItem
from equipoise.web import problems
from equipoise.web.request import Asked, desk
from equipoise.web.signing import prove, signs_as_demo
from equipoise.web.site_time import at_the_site
from equipoise.web.views.reading import found, new_key, signed, subject_path
from equipoise.words.clock import utc_text
from equipoise.words.ids import random_id
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text

STATES: Mapping[str, tuple[str, str, str]] = {
    "ON_TIME": ("diaries.state-on-time", "check", "done"),
    "LATE_SENT": ("diaries.state-late-sent", "clock", "done"),
    "OPEN": ("diaries.state-open", "half", "part"),
    "SERVICE_DOWN": ("diaries.state-service-down", "offline", ""),
    "INTERVIEW": ("diaries.state-interview", "comment", "part"),
    "EXPLAINED": ("diaries.state-explained", "info", "due"),
    "MISSED": ("diaries.state-missed", "cross", "late"),
}
"""How a period stands -> message, icon, look."""
SIDES: Mapping[Side, str] = {"PARTICIPANT": "diaries.side-participant", "CAREGIVER": "diaries.side-caregiver"}
REPORTERS = {
    "PARTICIPANT": "diaries.by-participant",
    "ASSISTED": "diaries.by-assisted",
    "CAREGIVER": "diaries.by-caregiver",
}
OUTCOMES: Mapping[FlagOutcome, str] = {
    "NO_EVENT": "diaries.outcome-no-event",
    "EVENT_RECORDED": "diaries.outcome-event-recorded",
    "SENT_TO_CARE": "diaries.outcome-sent-to-care",
    "NOT_REACHED": "diaries.outcome-not-reached",
}
REASONS: Mapping[Because, str] = {
    "ADMITTED": "diaries.because-admitted",
    "TRAVEL": "diaries.because-travel",
    "DEVICE": "diaries.because-device",
    "BURDEN": "diaries.because-burden",
    "UNWELL": "diaries.because-unwell",
    "FORGOT": "diaries.because-forgot",
    "OTHER": "diaries.because-other",
    "UNKNOWN": "diaries.because-unknown",
}
WAYS = {
    "": "diaries.way-none",
    "sms": "diaries.way-sms",
    "email": "diaries.way-email",
    "wechat": "diaries.way-wechat",
    "calendar": "diaries.way-calendar",
}
CLOCKS = {
    one: f"diaries.clock-{one.lower().replace('_', '-')}"
    for one in ("UNKNOWN", "OFF", "MOVED", "AHEAD", "BACK", "OTHER_ZONE", "ZONE_CHANGED")
}
PHONE_STATES = {
    "INVITED": ("diaries.phone-invited", "clock", ""),
    "LAPSED": ("diaries.phone-lapsed", "cross", "plain"),
    "ENROLLED": ("diaries.phone-enrolled", "check", "good"),
    "REVOKED": ("diaries.phone-revoked", "lock", "plain"),
}


def _desk() -> Desk:
    return cast(Desk, desk())


# --- the list ---------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@signed
def diaries(request: Asked, who: Who) -> HttpResponse:
    """Every diary that the reader may see; by POST, an interruption of the service is recorded."""
    after = request.GET.get("after", "")
    view = found(diary_work.overview(_desk(), who, after))
    shown: tuple[Problem, ...] = ()
    if request.method == "POST":
        since, until = (_moment(request.POST.get(name, ""), view.zone) for name in ("since", "until"))
        command = RecordInterruption(since, until, request.POST.get("reason", "").strip())
        outcome = desk().submit(who, command, key=request.POST.get("key") or new_key())
        if outcome.accepted:
            return redirect("/diaries#outages")
        shown = outcome.problems
    lines = [
        (line, [_side(side) for side in line.sides], subject_path(line.number, "diary"))
        for line in view.lines
    ]
    more = f"/diaries?after={quote(view.after)}" if view.after else ""
    context = {"view": view, "lines": lines, "at": "diary", "more": more}
    return _page(request, "web/diaries.html", context, shown)


def _moment(typed: str, zone: str) -> str:
    """What was typed, as a moment in UTC; as it is where it is none."""
    try:
        return utc_text(dt.datetime.fromisoformat(at_the_site(typed, zone)))
    except (TypeError, ValueError):
        return typed


# --- one participant --------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@signed
def diary(request: Asked, who: Who, number: str) -> HttpResponse:
    """The calendar of both sides, what waits, what was not read yet; by POST, a review, or what came of a call."""
    view = found(diary_pages.diary_page(_desk(), who, number))
    shown: tuple[Problem, ...] = ()
    if request.method == "POST":
        outcome = _on_diary(request.POST, who, found(desk().subject_id(number)))
        if outcome.accepted:
            return redirect(subject_path(number, "diary"))
        shown = outcome.problems
    context = {
        "view": view,
        "sides": [_side(side) for side in view.sides],
        "waiting": [_entry(number, one) for one in view.waiting],
        "calls": [(one, SIDES[one.side], _outcome(one.handled)) for one in view.calls],
        "unread": [_entry(number, one) for one in view.unread],
        "events": [_entry(number, one) for one in view.events],
        "outcomes": [one for one in OUTCOMES.items() if one[0] != "EVENT_RECORDED"],
        "legend": STATES.values(),
        "forms": [(form.id, form.label) for form in view.plan.forms],
    }  # fmt: skip
    return _page(request, "web/diary.html", context, shown)


def _on_diary(posted: QueryDict, who: Who, subject: str) -> Outcome:
    key = posted.get("key") or new_key()
    if posted.get("do") == "handle":
        return desk().submit(who, _handle(posted, subject, posted.get("about", "")), key=key)
    upto, visit = posted.get("upto", ""), posted.get("visit", "")
    seq = int(upto) if upto.isascii() and upto.isdigit() and len(upto) < 9 else 0
    return desk().submit(
        who, ReviewDiary(subject, visit, 1 if visit else 0, seq, posted.get("note", "")), key=key
    )


def _handle(posted: QueryDict, subject: str, about: str) -> HandleDiaryFlag:
    outcome = cast(FlagOutcome, posted.get("outcome", ""))  # one that is none is the decision's to refuse
    return HandleDiaryFlag(subject, about, outcome, posted.get("note", ""))


def _side(side: SideView) -> dict[str, object]:
    rate = side.told.rate
    forms = [
        (form, [_cell(cell) for cell in cells if cell.state != "NOT_DUE"], _to_come(cells))
        for form, cells in side.forms
    ]
    return {
        "side": side,
        "name": SIDES[side.side],
        "rate": f"{100 * rate:.0f}" if rate is not None else "–",
        "forms": forms,
    }


def _to_come(cells: tuple[DayCell, ...]) -> tuple[int, str, str]:
    """How many periods are still to come, the first and the last of them."""
    ahead = [cell.period for cell in cells if cell.state == "NOT_DUE"]
    return len(ahead), ahead[0] if ahead else "", ahead[-1] if ahead else ""


def _cell(cell: DayCell) -> dict[str, object]:
    key, icon, look = STATES[cell.state]
    day = dt.date.fromisoformat(cell.period)
    if cell.flag:
        icon, look = "flag-full", "open"
    return {"cell": cell, "key": key, "icon": icon, "look": look, "day": f"{day.month}/{day.day}"}


def _entry(number: str, one: EntryView) -> dict[str, object]:
    return {
        "one": one,
        "path": subject_path(number, "diary", "entries", one.packet),
        "side": SIDES[one.side],
        "by": REPORTERS[one.reporter],
        "clocks": [CLOCKS[mark] for mark in one.clock if mark in CLOCKS],
        "outcome": _outcome(one.handled),
        "told": [_by_way(each) for each in one.told],
        "asked": [each for each in one.requests if not each.decided],
    }


def _by_way(one: Happened) -> tuple[Happened, str]:
    """A line of a log, and the message that names the way by which something was sent."""
    return one, WAYS.get(str(one.word), "") if one.word else ""


def _outcome(handled: tuple[str, str, str] | None) -> str:
    """What came of a flag or a call, as a message; empty while nothing did."""
    return OUTCOMES.get(cast(FlagOutcome, handled[0]), "") if handled is not None else ""


# --- one period -------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@signed
def period(request: Asked, who: Who, number: str, form: str, day: str) -> HttpResponse:
    """One period, both sides apart, with its log; by POST, why there is no entry."""
    view = found(diary_pages.period_page(_desk(), who, number, form, day))
    shown: tuple[Problem, ...] = ()
    if request.method == "POST":
        side = cast(Side, request.POST.get("side", ""))
        because = cast(Because, request.POST.get("because", ""))
        subject, note = found(desk().subject_id(number)), request.POST.get("note", "")
        command = ExplainDiaryGap(subject, form, day, side, because, note)
        outcome = desk().submit(who, command, key=request.POST.get("key") or new_key())
        if outcome.accepted:
            return redirect(subject_path(number, "diary", "periods", form, day))
        shown = outcome.problems
    sides = [
        {
            "view": one,
            "name": SIDES[one.side],
            "state": STATES.get(one.state or ""),
            "entries": [_entry(number, each) for each in one.entries],
            "because": REASONS[cast(Because, one.gap[0])] if one.gap else "",
            "log": [_by_way(each) for each in one.log],
        }
        for one in view.sides
    ]
    context = {"view": view, "sides": sides, "reasons": REASONS.items()}
    return _page(request, "web/diary_period.html", context, shown)


# --- one entry --------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@signed
def entry(request: Asked, who: Who, number: str, packet: str) -> HttpResponse:
    """One entry; by POST, its link to an event, what came of a red flag, or the decision on a request."""
    view = found(diary_pages.entry_page(_desk(), who, number, packet))
    shown: tuple[Problem, ...] = ()
    if request.method == "POST":
        outcome = _on_entry(request, who, found(desk().subject_id(number)), view)
        if outcome.accepted:
            return redirect(subject_path(number, "diary", "entries", packet))
        shown = outcome.problems
    log = diary_pages.log_of_events(_desk())
    changing = [_field(item, _given(request.POST, item, stands), shown) for item, stands in view.items]
    context = {
        "view": view,
        "entry": _entry(number, view.entry),
        "outcomes": OUTCOMES.items(),
        "changing": changing,
        "demo": signs_as_demo(request),
        "wrong": {one.where: one for one in shown},
        "new_event": subject_path(number, "logs", log) if log is not None else "",
    }
    return _page(request, "web/diary_entry.html", context, shown)


def _on_entry(request: Asked, who: Who, subject: str, view: OneEntryView) -> Outcome:
    posted, packet = request.POST, view.entry.packet
    key = posted.get("key") or new_key()
    match posted.get("do"):
        case "link":
            command: object = LinkDiaryEntry(subject, packet, posted.get("place", ""))
        case "handle":
            command = _handle(posted, subject, packet)
        case "grant" | "decline":
            proof = prove(request, who)
            if isinstance(proof, Problem):
                return Outcome(accepted=False, problems=(proof,))
            granted = posted.get("do") == "grant"
            changes = {item.id: _datum(posted, item) for item, _ in view.items} if granted else {}
            asked, reason = posted.get("request", ""), posted.get("reason", "")
            command = DecideDiaryChange(subject, asked, granted, changes, reason, proof)
        case _:
            return Outcome(accepted=False, problems=(problem("web.choose-one", "do"),))
    return desk().submit(who, command, key=key)


# --- phones -----------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@signed
def phones(request: Asked, who: Who, number: str) -> HttpResponse:
    """The phones of a diary: invite, take out of use, and how everybody is reminded."""
    found(diary_phones.phones_page(_desk(), who, number))
    shown: tuple[Problem, ...] = ()
    invited: Invited | None = None
    if request.method == "POST":
        done = _on_phones(request.POST, who, number)
        if isinstance(done, Invited):
            invited = done
        elif not done:
            return redirect(f"{subject_path(number, 'diary', 'phones')}#people")
        else:
            shown = done
    view = found(diary_phones.phones_page(_desk(), who, number))
    context = {
        "view": view,
        "lines": [(one, PHONE_STATES[one.state]) for one in view.phones],
        "ways": WAYS.items(),
        "card": _card(request, number, invited, {one.holder: one.name for one in view.people}, request.POST),
    }
    return _page(request, "web/diary_phones.html", context, shown)


def _card(
    request: Asked, number: str, invited: Invited | None, names: Mapping[str, Text | str], posted: QueryDict
) -> dict[str, object] | None:
    """What is handed over, once: what the card says, as it is printed; and the PIN apart from it."""
    if invited is None:
        return None
    link = request.build_absolute_uri(f"/diary/#{invited.code}")
    holder = posted.get("holder", "")
    card = PhoneCard(link, number, invited.until[:10], caregiver=holder != PARTICIPANT)
    pdf = base64.b64encode(diary_phones.phone_card(_desk(), card)).decode()
    pin, name = f"{invited.pin[:3]} {invited.pin[3:]}", names.get(holder, "")
    return {
        **said_on(card),
        "rehearsal": _desk().purpose == "rehearsal",
        "pin": pin,
        "name": name,
        "pdf": pdf,
    }


def _on_phones(posted: QueryDict, who: Who, number: str) -> Invited | tuple[Problem, ...]:
    subject, key = found(desk().subject_id(number)), posted.get("key") or new_key()
    match posted.get("do"):
        case "invite":
            return diary_phones.invite_phone(_desk(), who, number, posted.get("holder", ""), key=key)
        case "revoke":
            device, reason = posted.get("device", ""), posted.get("reason", "")
            return revoke_phone(_desk(), who, subject, device, reason, key=key)
        case "remind":
            wanted = SetDiaryReminder(
                subject, posted.get("holder", ""), posted.get("hour", ""), posted.get("way", ""),
                posted.get("language", "zh"),
            )  # fmt: skip
            outcome = diary_phones.set_reminder(_desk(), who, number, wanted, posted.get("to", ""), key=key)
            return outcome.problems
        case _:
            return (problem("web.choose-one", "do"),)


@require_GET
@signed
def hours(request: Asked, who: Who, number: str, holder: str) -> HttpResponse:
    """The hours of the diary as a calendar file."""
    made = found(diary_phones.calendar_file(_desk(), who, number, holder))
    answer = HttpResponse(made, content_type="text/calendar; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="reminders.ics"'
    return answer


@require_GET
@signed
def paper(request: Asked, who: Who, number: str) -> HttpResponse:
    """Paper cards: of one form, or of all."""
    form, caregiver = request.GET.get("form", ""), request.GET.get("for") == "caregiver"
    language = "en" if request.GET.get("language", request.language) == "en" else "zh"
    made = found(
        diary_phones.paper_card(_desk(), who, number, form, language, caregiver=caregiver)  # type: ignore[arg-type]
    )
    headers = {"Content-Disposition": 'inline; filename="diary-card.pdf"'}
    return HttpResponse(made, content_type="application/pdf", headers=headers)


# --- interviews -------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@signed
def interview(request: Asked, who: Who, number: str, form: str) -> HttpResponse:
    """The questions read out by staff, or copied from a paper card; by POST, the answers."""
    asked = request.POST if request.method == "POST" else request.GET
    side: Side = "CAREGIVER" if asked.get("side") == "CAREGIVER" else "PARTICIPANT"
    view = found(diary_phones.interview_page(_desk(), who, number, form, side))
    shown: tuple[Problem, ...] = ()
    if request.method == "POST":
        command = _heard(request.POST, found(desk().subject_id(number)), view)
        outcome = desk().submit(who, command, key=request.POST.get("key") or new_key())
        if outcome.accepted:
            return redirect(subject_path(number, "diary", "entries", command.interview))
        shown = outcome.problems
    sections = [
        (label, [_field(item, _given(request.POST, item, Datum()), shown, words) for item, words in items])
        for label, items in view.sections
    ]
    context = {
        "view": view,
        "sections": sections,
        "side_name": SIDES[side],
        "period": asked.get("period", ""),
        "on_paper": asked.get("on_paper") == "yes",
        "asked_at": asked.get("asked_at") or view.now.replace(" ", "T")[:16],
        "interview": random_id(_desk().entropy),
    }
    return _page(request, "web/diary_interview.html", context, shown)


def _heard(posted: QueryDict, subject: str, view: InterviewView) -> RecordDiaryInterview:
    answers = {item.id: _datum(posted, item) for _, items in view.sections for item, _ in items}
    asked_at = _moment(posted.get("asked_at", ""), view.zone)
    return RecordDiaryInterview(
        subject,
        posted.get("interview", ""),
        view.side,
        view.form.id,
        posted.get("period") or None,
        view.definition,
        asked_at,
        posted.get("on_paper") == "yes",
        answers,
    )


# --- fields -----------------------------------------------------------------------------------------------------------


def _datum(posted: QueryDict, item: DiaryItem) -> Datum:
    """What was chosen for an item: options in the item's own order, one space between them; or why there is none."""
    name = f"v.{item.id}"
    if item.kind == "many":
        ticked = set(posted.getlist(name))
        value = " ".join(option.id for option in item.options if option.id in ticked)
    else:
        value = posted.get(name, "").strip()
    if value in {"PREFER_NOT", "CANNOT_TELL"}:
        return Datum(missing=value)
    missing = posted.get(f"m.{item.id}", "")
    if not value and missing:
        return Datum(missing=missing)
    return Datum(value) if value else Datum()


def _given(posted: QueryDict, item: DiaryItem, stands: Datum) -> Datum:
    """What a field shows: what was posted, else what stands."""
    return _datum(posted, item) if posted.get("do") in {"grant", "decline", "record"} else stands


def _field(
    item: DiaryItem, given: Datum, shown: tuple[Problem, ...], words: Text | None = None
) -> dict[str, Any]:  # Any: for the template
    options: list[tuple[str, Text]] = []
    if item.kind == "yesno":
        options = [(option.code, option.label) for option in YES_NO]
    elif item.kind == "nrs":
        options = [(str(point), Text(str(point))) for point in range(item.low, item.high + 1)]
    elif item.kind in {"choice", "many"}:
        options = [(option.id, option.label) for option in item.options]
    return {
        "item": item,
        "words": words or item.label,
        "options": options,
        "value": given.value or "",
        "ticked": (given.value or "").split(" "),
        "missing": given.missing or "",
        "wrong": [one for one in shown if one.where == item.id],
    }


def _page(
    request: Asked, template: str, context: Mapping[str, object], shown: tuple[Problem, ...]
) -> HttpResponse:
    more = {"problems": shown, "given": request.POST, "key": new_key(), "at": context.get("at", "subjects")}
    return render(request, template, {**context, **more}, status=problems.status_of(shown) if shown else 200)


_OF = "subjects/<str:number>/diary"
urlpatterns: list[URLPattern] = [
    path("diaries", diaries),
    path(_OF, diary),
    path(f"{_OF}/periods/<str:form>/<str:day>", period),
    path(f"{_OF}/entries/<str:packet>", entry),
    path(f"{_OF}/phones", phones),
    path(f"{_OF}/phones/<str:holder>.ics", hours),
    path(f"{_OF}/card.pdf", paper),
    path(f"{_OF}/interviews/<str:form>", interview),
]
