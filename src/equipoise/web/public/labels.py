"""Registry codes, ages, dates and numbers as people read them.

The rule that must stay true: a code that the catalogue does not know is shown as it is registered, never dropped
and never guessed at.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable

from equipoise.words.dates import PartialDate, days_between, parse_date
from equipoise.words.problem import catalogue, say
from equipoise.words.text import Language

_AGE = re.compile(r"(\d+) (Year|Month|Week|Day|Hour|Minute)s?")
_ISO = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


def told(key: str, language: Language, **arguments: object) -> str:
    """The message `key` with its arguments."""
    return say(key, language, {name: str(value) for name, value in arguments.items()})


def code(beginning: str, value: str | None, language: Language) -> str:
    """The label of a registry code, its key being `beginning` and the code; the code itself where none is known."""
    if not value:
        return ""
    key = beginning + value
    return say(key, language) if key in catalogue() else value


def joined(parts: Iterable[str], language: Language) -> str:
    """A list in one line."""
    return ("、" if language == "zh" else ", ").join(part for part in parts if part)


def age(text: str, language: Language) -> str:
    """An age limit of the registry (`18 Years`) with its unit in the reader's language."""
    hit = _AGE.fullmatch(text)
    if hit is None:
        return text
    number = int(hit[1])
    return told(f"public.age-{hit[2].lower()}{'' if number == 1 else 's'}", language, n=number)


def ages(low: str | None, high: str | None, language: Language) -> str:
    """The age limits in one phrase; empty where the record gives none."""
    lowest, highest = _limit(low), _limit(high)
    if lowest and highest:
        same = lowest.rpartition(" ")[2].rstrip("s") == highest.rpartition(" ")[2].rstrip("s")
        first = lowest.partition(" ")[0] if same else age(lowest, language)
        return told("public.age-range", language, low=first, high=age(highest, language))
    if lowest:
        return told("public.age-from", language, low=age(lowest, language))
    return told("public.age-upto", language, high=age(highest, language)) if highest else ""


def _limit(text: str | None) -> str:
    return "" if text in (None, "N/A") else str(text)


def iso(text: str | None) -> PartialDate | None:
    """A date of the record; None where it is none."""
    return parse_date(text) if text and _ISO.fullmatch(text) else None


def days_since(text: str | None, today: dt.date, language: Language) -> str:
    """How old something is, in days, as an interval where its day is not known; empty where there is no date."""
    date = iso(text)
    if date is None:
        return ""
    span = days_between(date, PartialDate.of(today))
    low, high = max(0, int(span.low or 0)), max(0, int(span.high or 0))
    if low == high:
        return told("public.days-one" if low == 1 else "public.days-many", language, n=low)
    return told("public.days-range", language, low=low, high=high)


def window(day: int, first: int, last: int, language: Language) -> str:
    """When a visit is, counted from day 1: its day and, where it has one, its window."""
    if first == last == day:
        return told("public.visits-day", language, day=day)
    if day in (first, last):
        return told("public.visits-range", language, first=first, last=last)
    return told("public.visits-day-window", language, day=day, first=first, last=last)
