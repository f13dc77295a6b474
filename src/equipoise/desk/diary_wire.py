"""Sendings and answers as they travel between a phone and the desk, and the definition that a phone asks by.

The rules that must stay true: what a phone sends is read here and nowhere else, within bounds, and what cannot be read
is refused with its reason; nothing here decides anything; what a phone is told of the definition is the same for
everybody, and of where its words come from a phone is told nothing; what is told of a participant's diary (its windows,
its version, its end) is sealed for the phone itself, whoever sent its packets.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from equipoise.desk.desk import Desk
from equipoise.desk.diary_intake import PACKETS_AT_MOST, Answer, Answers, SlotSeen
from equipoise.diary.packets import LARGEST_SEALED, NONCE_BYTES, seal_news
from equipoise.protocol.elements import Element, Part
from equipoise.words.canonical import Json
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text

LARGEST_SENDING = 40 * LARGEST_SEALED
"""Bytes of a sending, at most (960 KiB): a phone sends no more than 33 packets at once."""
_INNER = frozenset(Element.model_fields)
"""What a definition says of itself: sources, assumptions, notes. They are for who reviews it."""


def read_object(body: bytes) -> dict[str, Any] | Problem:  # Any: JSON of a foreign device
    """The JSON object that a phone sent. Problems: `diary.sending-too-large`, `pages.request-not-understood`."""
    if len(body) > LARGEST_SENDING:
        return problem("diary.sending-too-large")
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return problem("pages.request-not-understood")
    return read if isinstance(read, dict) else problem("pages.request-not-understood")


def read_sending(body: bytes) -> tuple[bytes, ...] | Problem:
    """The packets of a sending, `{"packets": […]}`, each as the bytes of its JSON. Problems: as `read_object`."""
    read = read_object(body)
    if isinstance(read, Problem):
        return read
    packets = read.get("packets")
    if not isinstance(packets, list):
        return problem("pages.request-not-understood")
    if len(packets) > PACKETS_AT_MOST:
        return problem("diary.sending-too-large")
    try:
        return tuple(json.dumps(one, separators=(",", ":")).encode() for one in packets)
    except RecursionError:
        return problem("pages.request-not-understood")


def answers_json(desk: Desk, answers: Answers) -> Json:
    """The answer to a sending as it travels. `news`: None where no known phone has spoken."""
    return {
        "server_time": answers.server_time,
        "news": _news(desk, answers),
        "answers": [_answer(one) for one in answers.answers],
    }


def _news(desk: Desk, answers: Answers) -> Json:
    phone = desk.phones.phone(answers.device) if answers.device else None
    if phone is None:
        return None
    slots = [_slot(one) for one in answers.slots]
    said = {"definition": answers.definition, "ends": answers.ends, "slots": slots}
    return {**seal_news(phone.key, phone.device, desk.entropy(NONCE_BYTES), said)}


def _slot(one: SlotSeen) -> Json:
    """In short, because what is sealed cannot be packed: the times in seconds since 1970."""
    opens, closes = (int(at.timestamp()) for at in (one.slot.opens, one.slot.closes))
    return [one.slot.form, one.slot.period, opens, closes, one.state]


def _answer(one: Answer) -> Json:
    return {
        "id": one.id,
        "state": one.state,
        "receipt": None if one.receipt is None else asdict(one.receipt),
        "rule": one.rule,
        "says": one.says.as_mapping(),
        "next": one.next.as_mapping(),
    }


def definition_json(desk: Desk, digest: str) -> dict[str, Json] | None:
    """The diary of a released version as a phone asks it; None for no such version.

    The same for everybody: nothing in it is a participant's.
    """
    with desk.reading() as reader:
        version = next((one for one in desk.trial(reader).released if one.digest == digest), None)
    return None if version is None else {"digest": digest, **_fields(version.study.diary)}


def _fields(part: Part) -> dict[str, Json]:
    return {name: _plain(getattr(part, name)) for name in type(part).model_fields if name not in _INNER}


def _plain(value: object) -> Json:
    """A part of a definition with every field that is for a phone, as JSON; texts as `{en, zh}`."""
    if isinstance(value, Text):
        return value.as_mapping()
    if isinstance(value, Part):
        return _fields(value)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, str | int):
        return value
    raise TypeError(type(value).__name__)
