"""Temperature files of shipments: a CSV of time and temperature, and how long it was warmer than allowed.

The rules that must stay true: what the logger did not see is not called cold. An excursion lasts from the last reading
that was cold enough to the next one that is again; two readings further apart than GAP leave a time that nobody
watched, which counts as an excursion without a temperature. Minutes are rounded up. A file that cannot be read whole
is refused, with its line. Source: WHO Technical Report Series 961, Annex 9 (time and temperature sensitive products).
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from equipoise.words.problem import Problem, problem

GAP = dt.timedelta(minutes=60)
"""Longest time between two readings that still counts as watched."""
BYTES_AT_MOST = 512 * 1024


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading: when (aware), and degrees Celsius."""

    at: dt.datetime
    celsius: Decimal


@dataclass(frozen=True, slots=True)
class Excursion:
    """A time that was too warm, or (warmest None) unwatched: from, to, whole minutes, the highest reading."""

    begin: dt.datetime
    end: dt.datetime
    minutes: int
    warmest: Decimal | None


@dataclass(frozen=True, slots=True)
class TemperatureLog:
    """What a file says: how many readings, from when to when, the highest, and every excursion in order."""

    readings: int
    begin: dt.datetime
    end: dt.datetime
    warmest: Decimal
    excursions: tuple[Excursion, ...]

    @property
    def minutes(self) -> int:
        """Minutes of all excursions together."""
        return sum(each.minutes for each in self.excursions)


def read_log(text: str, at_most: Decimal) -> TemperatureLog | Problem:
    """The file judged against the highest temperature allowed (degrees Celsius), or what is wrong with it.

    Columns `time` (ISO 8601 with its offset) and `temperature`; comma, semicolon or tab between them.
    """
    readings = _readings(text)
    if isinstance(readings, Problem):
        return readings
    excursions = sorted(
        (*_warm(readings, at_most), *_unwatched(readings, at_most)), key=lambda each: each.begin
    )
    warmest = max(reading.celsius for reading in readings)
    return TemperatureLog(len(readings), readings[0].at, readings[-1].at, warmest, tuple(excursions))


def _readings(text: str) -> Sequence[Reading] | Problem:
    if len(text.encode()) > BYTES_AT_MOST:
        return problem("vault_stock.log-too-long", "log", most=BYTES_AT_MOST // 1024)
    lines = text.removeprefix("\ufeff").splitlines()
    separator = next((mark for mark in (";", "\t", ",") if lines and mark in lines[0]), ",")
    rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=separator))
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    if header[:2] != ["time", "temperature"]:
        return problem("vault_stock.log-without-header", "log")
    found: list[Reading] = []
    for number, row in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        reading = _reading(row, decimal_comma=separator != ",")
        if reading is None:
            return problem("vault_stock.log-line-unreadable", "log", line=number)
        if found and reading.at <= found[-1].at:
            return problem("vault_stock.log-out-of-order", "log", line=number)
        found.append(reading)
    return found or problem("vault_stock.log-empty", "log")


def _reading(row: Sequence[str], *, decimal_comma: bool) -> Reading | None:
    if len(row) < 2:
        return None
    written = row[1].strip().replace("\N{MINUS SIGN}", "-")
    try:
        at = dt.datetime.fromisoformat(row[0].strip())
        celsius = Decimal(written.replace(",", ".") if decimal_comma else written)
    except (ValueError, InvalidOperation):
        return None
    absolute_zero = Decimal("-273.15")
    if at.tzinfo is None or not celsius.is_finite() or not absolute_zero <= celsius <= 1000:
        return None
    return Reading(at.astimezone(dt.UTC), celsius)


def _minutes(begin: dt.datetime, end: dt.datetime) -> int:
    """Whole minutes, rounded up; at least one."""
    return max(-((begin - end) // dt.timedelta(minutes=1)), 1)


def _warm(readings: Sequence[Reading], at_most: Decimal) -> list[Excursion]:
    found: list[Excursion] = []
    place = 0
    while place < len(readings):
        if readings[place].celsius <= at_most:
            place += 1
            continue
        first = place
        while place < len(readings) and readings[place].celsius > at_most:
            place += 1
        begin = readings[max(first - 1, 0)].at
        end = readings[min(place, len(readings) - 1)].at
        warmest = max(reading.celsius for reading in readings[first:place])
        found.append(Excursion(begin, end, _minutes(begin, end), warmest))
    return found


def _unwatched(readings: Sequence[Reading], at_most: Decimal) -> list[Excursion]:
    """Gaps between two cold readings; a gap beside a warm one is part of that excursion already."""
    pairs = itertools.pairwise(readings)
    return [
        Excursion(a.at, b.at, _minutes(a.at, b.at), None)
        for a, b in pairs
        if b.at - a.at > GAP and max(a.celsius, b.celsius) <= at_most
    ]
