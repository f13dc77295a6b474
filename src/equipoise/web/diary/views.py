"""What phones ask for: the page, a definition of the diary, to be set up, and to have their packets taken in.

The rules that must stay true: nobody signs in here and no cookie counts (a phone is known by what it seals, an
invitation by its code and PIN); no answer tells more than its sender may know; nothing here judges a packet.
"""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import cast

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from equipoise.desk.desk import Desk
from equipoise.desk.devices import enrol
from equipoise.desk.diary_intake import take
from equipoise.desk.diary_wire import answers_json, definition_json, read_object, read_sending
from equipoise.desk.rehearsal_phones import Side, hand_card
from equipoise.documents.phone_card import PhoneCard, said_on
from equipoise.pages import problems
from equipoise.web.diary import shell
from equipoise.web.request import Asked, desk
from equipoise.web.views.reading import new_key
from equipoise.words.canonical import Json
from equipoise.words.problem import Problem, problem

_DEFINITION = re.compile(r"definition/([0-9a-f]{64})\.json")


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
    plan = definition_json(_desk(), wanted[1]) if wanted else None
    if plan is None:
        raise problems.missing()
    return _json(request, plan)


@csrf_exempt  # no cookie counts here: code and PIN do
@require_POST
def set_up(request: Asked) -> HttpResponse:
    """Set up a phone with the code of a card and its PIN."""
    body = _body(request)
    given = read_object(body) if isinstance(body, bytes) else body
    if isinstance(given, Problem):
        return _refusal(given)
    code, pin = given.get("code"), given.get("pin")
    if not isinstance(code, str) or not isinstance(pin, str):
        return _refusal(problem("pages.request-not-understood"))
    made = enrol(_desk(), code[:64], pin[:12])
    if isinstance(made, Problem):
        return _refusal(made)
    plan = definition_json(_desk(), made.definition) or {}
    return _json(request, {**dataclasses.asdict(made), "definition": plan})


@csrf_exempt  # no cookie counts here: a packet is known by its seal
@require_POST
def intake(request: Asked) -> HttpResponse:
    """Take in sealed packets, and say of each what became of it."""
    body = _body(request)
    packets = read_sending(body) if isinstance(body, bytes) else body
    if isinstance(packets, Problem):
        return _refusal(packets)
    return _json(request, answers_json(_desk(), take(_desk(), packets)))


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


def _body(request: Asked) -> bytes | Problem:
    try:
        return request.body
    except RequestDataTooBig:
        return problem("diary.sending-too-large")


def _refusal(shown: Problem) -> HttpResponse:
    says = {"rule": shown.rule, "says": {"en": shown.say("en"), "zh": shown.say("zh")}}
    return JsonResponse(says, status=problems.status(shown))


def _json(request: Asked, said: Json) -> HttpResponse:
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
