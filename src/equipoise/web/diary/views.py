"""What phones ask for: the page, a definition of the diary, to be set up, and to have their packets taken in.

The rules that must stay true: nobody signs in here and no cookie counts (a phone is known by what it seals, an
invitation by its code and PIN); no answer tells more than its sender may know; nothing here judges a packet.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from equipoise.desk.desk import Desk
from equipoise.desk.devices import enrol
from equipoise.desk.diary_intake import Answer, SlotSeen, take
from equipoise.desk.rehearsal_phones import Side, hand_card
from equipoise.documents.phone_card import PhoneCard, said_on
from equipoise.ledger.receipts import Receipt
from equipoise.pages import problems
from equipoise.web.diary import shell
from equipoise.web.request import Asked, desk
from equipoise.web.views.reading import new_key
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text

_DEFINITION = re.compile(r"definition/([0-9a-f]{64})\.json")
Said = dict[str, Any]  # Any: JSON


def _desk() -> Desk:
    return cast(Desk, desk())


@require_GET
def part(request: Asked, name: str = "") -> HttpResponse:
    """A file of the page, a recording, or the diary of a version of the study."""
    store = cast(Path, settings.STORE)
    found = shell.shell(store).get(name)
    if found is not None:
        return _file(request, found)
    heard = shell.recording(store, name)
    if heard is not None:
        return HttpResponse(heard, content_type=shell.TYPES[".mp3"])
    wanted = _DEFINITION.fullmatch(name)
    plan = _plan(wanted[1]) if wanted else None
    if plan is None:
        raise problems.missing()
    return _json(request, plan)


@csrf_exempt  # no cookie counts here: code and PIN do
@require_POST
def set_up(request: Asked) -> HttpResponse:
    """Set up a phone with the code of a card and its PIN."""
    given = _given(request)
    code, pin = given.get("code"), given.get("pin")
    if not isinstance(code, str) or not isinstance(pin, str):
        return _refusal(problem("pages.request-not-understood"))
    made = enrol(_desk(), code[:64], pin[:12])
    if isinstance(made, Problem):
        return _refusal(made)
    return _json(request, {**dataclasses.asdict(made), "definition": _plan(made.definition) or {}})


@csrf_exempt  # no cookie counts here: a packet is known by its seal
@require_POST
def intake(request: Asked) -> HttpResponse:
    """Take in sealed packets, and say of each what became of it."""
    packets = _given(request).get("packets")
    if not isinstance(packets, list):
        return _refusal(problem("pages.request-not-understood"))
    taken = take(_desk(), [json.dumps(one, separators=(",", ":")).encode() for one in packets])
    said = {
        "server_time": taken.server_time,
        "definition": taken.definition,
        "ends": taken.ends,
        "slots": [_slot(one) for one in taken.slots],
        "answers": [_answer(one) for one in taken.answers],
    }
    return _json(request, said)


@require_POST
def card(request: Asked) -> HttpResponse:
    """In a rehearsal, the card that a made-up coordinator hands to whoever plays a participant or a caregiver."""
    side: Side = "CAREGIVER" if request.POST.get("side") == "CAREGIVER" else "PARTICIPANT"
    handed = hand_card(_desk(), tuple(desk().personas()), side, key=new_key())
    if isinstance(handed, Problem):
        raise problems.Shown(handed)
    link = request.build_absolute_uri(f"/diary/#{handed.invited.code}")
    invited = handed.invited
    card = PhoneCard(link, handed.number, invited.until[:10], caregiver=side == "CAREGIVER")
    said = {**said_on(card), "rehearsal": True, "pin": invited.pin}
    return render(request, "web/phone_card.html", {"card": said})


def _given(request: Asked) -> Mapping[str, Any]:  # Any: JSON
    try:
        read = json.loads(request.body)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _plan(digest: str) -> Said | None:
    """The diary of a released version, as the phone reads it."""
    with _desk().reading() as reader:
        trial = _desk().trial(reader)
    version = next((one for one in trial.released if one.digest == digest), None)
    return {"digest": digest, **version.study.diary.model_dump(mode="json")} if version else None


def _slot(one: SlotSeen) -> Said:
    opens, closes = (
        moment.isoformat().replace("+00:00", "Z") for moment in (one.slot.opens, one.slot.closes)
    )
    return {
        "form": one.slot.form,
        "period": one.slot.period,
        "opens": opens,
        "closes": closes,
        "state": one.state,
    }


def _answer(one: Answer) -> Said:
    receipt = dataclasses.asdict(one.receipt) if isinstance(one.receipt, Receipt) else None
    return {
        "id": one.id, "state": one.state, "receipt": receipt, "rule": one.rule,
        "says": _text(one.says), "next": _text(one.next),
    }  # fmt: skip


def _text(text: Text) -> Said:
    return {"en": text.en, "zh": text.say("zh")}


def _refusal(shown: Problem) -> HttpResponse:
    says = {"rule": shown.rule, "says": {"en": shown.say("en"), "zh": shown.say("zh")}}
    return JsonResponse(says, status=problems.status(shown))


def _json(request: Asked, said: Said) -> HttpResponse:
    data = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    return _packed(request, HttpResponse(data, content_type="application/json"), shell.packed(data))


def _file(request: Asked, found: shell.Sent) -> HttpResponse:
    tag = f'"{found.tag}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("If-None-Match") == tag:
        return HttpResponse(status=304, headers=headers)
    return _packed(request, HttpResponse(found.plain, content_type=found.kind, headers=headers), found.packed)


def _packed(request: Asked, answer: HttpResponse, smaller: bytes) -> HttpResponse:
    if "gzip" in request.headers.get("Accept-Encoding", "") and len(smaller) < len(answer.content):
        answer.content = smaller
        answer.headers["Content-Encoding"] = "gzip"
    return answer


urlpatterns: list[URLPattern] = [
    path("diary/", part),
    path("diary/card", card),
    path("diary/enrol", set_up),
    path("diary/intake", intake),
    path("diary/<path:name>", part),
]
