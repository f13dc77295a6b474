"""Sendings and answers as they travel between a phone and the desk, and the definition that a phone asks by.

The rules that must stay true: nothing here decides anything; what a phone is told of the definition is the same for
everybody.
"""

from __future__ import annotations

import json
from dataclasses import asdict

from equipoise.desk.desk import Desk
from equipoise.desk.diary_intake import Answers, iso
from equipoise.protocol.elements import Part
from equipoise.words.canonical import Json
from equipoise.words.text import Text


def read_sending(body: bytes) -> tuple[bytes, ...] | None:
    """The packets of a sending as it travels: JSON `{"packets": […]}`, each an object or its text; None for anything
    else."""
    try:
        read = json.loads(body)
        packets = read["packets"]
        if not isinstance(packets, list):
            return None
        return tuple((one if isinstance(one, str) else json.dumps(one)).encode() for one in packets)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def answers_json(answers: Answers) -> Json:
    """The answer to a sending as it travels."""
    return {
        "server_time": answers.server_time,
        "definition": answers.definition,
        "ends": answers.ends,
        "slots": [
            {
                "form": one.slot.form,
                "period": one.slot.period,
                "opens": iso(one.slot.opens),
                "closes": iso(one.slot.closes),
                "state": one.state,
            }
            for one in answers.slots
        ],
        "answers": [
            {
                "id": one.id,
                "state": one.state,
                "receipt": None if one.receipt is None else asdict(one.receipt),
                "rule": one.rule,
                "says": one.says.as_mapping(),
                "next": one.next.as_mapping(),
            }
            for one in answers.answers
        ],
    }


def definition_json(desk: Desk, digest: str) -> Json | None:
    """The diary of a released version as a phone asks it, with the languages of the study; None for no such version.

    The same for everybody: nothing in it is a participant's.
    """
    with desk.reading() as reader:
        version = next((one for one in desk.trial(reader).released if one.digest == digest), None)
    if version is None:
        return None
    return {
        "digest": digest,
        "languages": list(version.study.languages),
        "diary": _plain(version.study.diary),
    }


def _plain(value: object) -> Json:
    """A part of a definition with every field, as JSON; texts as `{en, zh}`."""
    if isinstance(value, Text):
        return value.as_mapping()
    if isinstance(value, Part):
        left_out = {"source", "assumption", "note"}
        names = [name for name in type(value).model_fields if name not in left_out]
        return {name: _plain(getattr(value, name)) for name in names}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, str | int):
        return value
    raise TypeError(type(value).__name__)
