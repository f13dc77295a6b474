"""From what an opened packet says to `Sent`, or the rule by which it cannot be read.

The rules that must stay true: nothing beyond this file sees a foreign type; what cannot be read is still kept as it
was written; the shape is judged here, what it means in `judging`.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from equipoise.diary.commands import Instant, Sent, Told
from equipoise.diary.packets import VERSION
from equipoise.ledger.entries import Datum

UNREADABLE = "diary.content-unreadable"
MISSING = ("PREFER_NOT", "CANNOT_TELL")
"""Why an item that was asked has no value: who answers would rather not say, or cannot tell."""
WISH_AT_MOST = 500
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_VALUE = re.compile(r"[A-Z0-9_ -]{1,200}")
_MODE = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_KINDS: Mapping[str, Told] = {"entry": "entry", "request": "request", "seen": "seen", "help": "help"}
_FAR = 10**13
"""Milliseconds (317 years): no skew and no counter is larger."""


class _Unfit(ValueError):
    """The path of what cannot be read."""


def parse(packet: str, sealed: str, said: Mapping[str, Any]) -> Sent:
    """What a packet says; with `rule` and `where` set where it cannot be read. Any: JSON of a foreign device."""
    text = json.dumps(said, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    kind = _KINDS.get(said["kind"]) if isinstance(said.get("kind"), str) else None
    if type(said.get("v")) is int and said["v"] != VERSION:
        return Sent(packet, sealed, "entry", text, "diary.packet-version", "v")
    if said.get("v") is True or said.get("v") != VERSION or kind is None:
        return Sent(packet, sealed, "entry", text, UNREADABLE, "kind")
    try:
        return _parse(packet, sealed, kind, text, said)
    except _Unfit as fault:
        return Sent(packet, sealed, kind, text, UNREADABLE, str(fault), form=_soft(said, "form"))


def _parse(packet: str, sealed: str, kind: Told, text: str, said: Mapping[str, Any]) -> Sent:
    if kind in {"request", "help"}:
        wish = said.get("wish", "")
        if not isinstance(wish, str) or len(wish) > WISH_AT_MOST or not _plain(wish):
            raise _Unfit("wish")
        if kind == "help":
            return _help(Sent(packet, sealed, kind, text, wish=wish.strip()), said)
        return Sent(packet, sealed, kind, text, about=_code(said, "entry", any_id=True), wish=wish.strip())
    period = said.get("period")
    if period is not None and not _is_day(period):
        raise _Unfit("period")
    begun = _instant(said.get("begun"), "begun")
    found = Sent(
        packet, sealed, kind, text, form=_code(said, "form"), period=period, begun=begun,
        definition=_text(said, "digest", 64),
        submitted=begun if kind == "seen" else _instant(said.get("submitted"), "submitted"),
        synced=None if said.get("synced") is None else _instant(said.get("synced"), "synced"),
        zone=_text(said, "zone", 64), skew_ms=_whole(said.get("skew_ms"), "skew_ms"),
        heard=_wall(said["heard"], "heard") if said.get("heard") is not None else None,
        after=_wall(said["after"], "after") if said.get("after") is not None else None,
    )  # fmt: skip
    return found if kind == "seen" else _entry(found, said)


def _help(found: Sent, said: Mapping[str, Any]) -> Sent:
    """A call for help with the item (`about`) whose answer raised it, as far as it can be read: none is refused."""
    answers, period = said.get("answers"), said.get("period")
    items = [name for name in answers if _is_code(name)] if isinstance(answers, dict) else []
    day = period if _is_day(period) else None
    return replace(found, form=_soft(said, "form"), period=day, about=items[0] if items else "")


def _entry(found: Sent, said: Mapping[str, Any]) -> Sent:
    if not isinstance(said.get("offline"), bool):
        raise _Unfit("offline")
    shown = said.get("shown")
    if not isinstance(shown, list) or len(shown) > 200 or not all(_is_code(one) for one in shown):
        raise _Unfit("shown")
    return replace(
        found,
        reporter=_text(said, "reporter", 20),
        offline=said["offline"],
        language=_text(said, "language", 16),
        modes=_modes(said.get("modes")),
        answers=_answers(said.get("answers")),
        shown=tuple(shown),
    )


def _answers(given: object) -> Mapping[str, Datum]:
    if not isinstance(given, dict) or len(given) > 200:
        raise _Unfit("answers")
    found: dict[str, Datum] = {}
    for name, one in given.items():
        if not _is_code(name) or not isinstance(one, dict) or len(one) != 1:
            raise _Unfit(f"answers.{name}"[:80])
        value, missing = one.get("value"), one.get("missing")
        if isinstance(value, str) and _VALUE.fullmatch(value):
            found[name] = Datum(value)
        elif missing in MISSING:
            found[name] = Datum(missing=missing)
        else:
            raise _Unfit(f"answers.{name}")
    return found


def _modes(given: object) -> Mapping[str, str]:
    if not isinstance(given, dict) or len(given) > 20:
        raise _Unfit("modes")
    for name, one in given.items():
        if not _MODE.fullmatch(name) or not isinstance(one, str) or not _MODE.fullmatch(one or "-"):
            raise _Unfit("modes")
    return dict(given)


def _instant(given: object, where: str) -> Instant:
    if not isinstance(given, dict) or not isinstance(given.get("wall"), str):
        raise _Unfit(where)
    wall = _wall(given["wall"], f"{where}.wall")
    return Instant(wall, _whole(given.get("mono"), f"{where}.mono"))


def _wall(given: object, where: str) -> str:
    """A moment with its offset, as it was written."""
    if not isinstance(given, str) or len(given) > 40 or not given.isascii():
        raise _Unfit(where)
    try:
        wall = dt.datetime.fromisoformat(given)
    except ValueError as fault:
        raise _Unfit(where) from fault
    if wall.tzinfo is None or not 1970 <= wall.year <= 2199:
        raise _Unfit(where)
    return given


def _whole(given: object, where: str) -> int | None:
    if given is None:
        return None
    if type(given) is not int or abs(given) > _FAR:
        raise _Unfit(where)
    return given


def _text(said: Mapping[str, Any], name: str, at_most: int) -> str:
    given = said.get(name)
    if not isinstance(given, str) or not given or len(given) > at_most or not given.isascii():
        raise _Unfit(name)
    return given


def _code(said: Mapping[str, Any], name: str, *, any_id: bool = False) -> str:
    given = said.get(name)
    fits = isinstance(given, str) and (
        re.fullmatch(r"[A-Za-z0-9_-]{1,64}", given) if any_id else _is_code(given)
    )
    if not fits:
        raise _Unfit(name)
    return str(given)


def _soft(said: Mapping[str, Any], name: str) -> str:
    return said[name] if _is_code(said.get(name)) else ""


def _is_code(given: object) -> bool:
    return isinstance(given, str) and _CODE.fullmatch(given) is not None


def _is_day(given: object) -> bool:
    try:
        return (
            isinstance(given, str) and len(given) == 10 and dt.date.fromisoformat(given).isoformat() == given
        )
    except ValueError:
        return False


def _plain(text: str) -> bool:
    return not any(unicodedata.category(one) == "Cs" for one in text)
