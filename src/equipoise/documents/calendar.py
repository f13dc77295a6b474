"""A calendar file with the hours of a diary, for a phone that gets no other reminder.

The rules that must stay true: it says what the study's reminder says and nothing of health, a person or a study; its
times float, so that they follow the clock of the phone; the same plan gives the same bytes, and a newer file takes the
place of an older one. Source: RFC 5545 (3.1 folding, 3.3.5 form 1 floating time, 3.3.10 recurrence, 3.6.6 alarms).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

_FOLD = 75
"""Octets of a line, at most."""


@dataclass(frozen=True, slots=True)
class Recurring:
    """One thing that comes again: its name within the file, first local moment, every how many days, how often."""

    name: str
    first: dt.datetime
    every_days: int
    times: int


def calendar(holder: str, text: str, recurring: Iterable[Recurring], made: dt.datetime) -> bytes:
    """The file as bytes. `text`: what is shown; `made`: in UTC.

    holder: what names the events, the same in every file of one person, and telling nothing of them.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//equipoise//calendar//EN", "METHOD:PUBLISH"]
    for one in recurring:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{one.name}-{holder}@equipoise",
            f"DTSTAMP:{made:%Y%m%dT%H%M%SZ}",
            f"SEQUENCE:{int(made.timestamp())}",
            f"DTSTART:{one.first:%Y%m%dT%H%M%S}",
            "DURATION:PT10M",
            f"RRULE:FREQ=DAILY;INTERVAL={one.every_days};COUNT={one.times}",
            f"SUMMARY:{_escaped(text)}",
            "TRANSP:TRANSPARENT",
            "BEGIN:VALARM",
            "ACTION:DISPLAY",
            f"DESCRIPTION:{_escaped(text)}",
            "TRIGGER:PT0S",
            "END:VALARM",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) + b"\r\n" for line in lines)


def _escaped(text: str) -> str:
    for plain in ("\\", ";", ","):
        text = text.replace(plain, f"\\{plain}")
    return text.replace("\r", "").replace("\n", "\\n")


def _folded(line: str) -> bytes:
    """The line in UTF-8, cut between characters; each continuation begins with a space."""
    pieces, piece = list[bytes](), b""
    for character in line:
        encoded = character.encode()
        if len(piece) + len(encoded) > _FOLD - bool(pieces):
            pieces.append(piece)
            piece = b""
        piece += encoded
    return b"\r\n ".join([*pieces, piece])
