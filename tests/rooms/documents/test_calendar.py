"""The calendar file, read back by the rules of RFC 5545: lines, folding, escapes, repetition."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from equipoise.documents.calendar import Recurring, calendar

MADE = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
DAILY = Recurring("daily", dt.datetime(2026, 3, 2, 19, 0), 1, 28)
WEEKLY = Recurring("weekly", dt.datetime(2026, 4, 5, 19, 0), 7, 48)


def read(file: bytes) -> list[tuple[str, str]]:
    """Names and values of a file: unfolded (3.1), escapes taken back (3.3.11)."""
    assert file.endswith(b"\r\n")
    raw = file[:-2].split(b"\r\n")
    assert all(len(line) <= 75 for line in raw), "a line of more than 75 octets"
    lines = list[bytes]()
    for line in raw:
        if line.startswith(b" "):
            lines[-1] += line[1:]
        else:
            lines.append(line)
    pairs = [line.decode("utf-8").partition(":")[::2] for line in lines]
    taken = {"n": "\n", "\\": "\\", ",": ",", ";": ";"}
    return [(name, _plain(value, taken)) for name, value in pairs]


def _plain(value: str, taken: dict[str, str]) -> str:
    out, characters = "", iter(value)
    for one in characters:
        out += taken[next(characters)] if one == "\\" else one
    return out


def test_what_a_calendar_shows() -> None:
    lines = read(calendar("k2f", "You have an entry to fill in.", [DAILY, WEEKLY], MADE))
    assert lines[0] == ("BEGIN", "VCALENDAR")
    assert [value for name, value in lines if name == "DTSTART"] == ["20260302T190000", "20260405T190000"]
    assert [value for name, value in lines if name == "RRULE"] == [
        "FREQ=DAILY;INTERVAL=1;COUNT=28",
        "FREQ=DAILY;INTERVAL=7;COUNT=48",
    ]
    assert [value for name, value in lines if name == "UID"] == [
        "daily-k2f@equipoise",
        "weekly-k2f@equipoise",
    ]
    parts = [name + value for name, value in lines if name in {"BEGIN", "END"}]
    assert parts == [
        "BEGINVCALENDAR",
        *("BEGINVEVENT", "BEGINVALARM", "ENDVALARM", "ENDVEVENT") * 2,
        "ENDVCALENDAR",
    ]


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=200))
def test_any_words_come_back_as_they_were(text: str) -> None:
    lines = read(calendar("k", text, [DAILY], MADE))
    assert [value for name, value in lines if name == "SUMMARY"] == [text]
