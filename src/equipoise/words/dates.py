"""Partial dates: a year, a year and month, or a day; each is the interval of days that it may be.

The rule that must stay true: an unknown day or month is never filled in. Written in ISO 8601 reduced
precision (`2026`, `2026-08`, `2026-08-14`), as SDTM's --DTC variables are.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from equipoise.words.interval import Interval
from equipoise.words.problem import Problem, problem

_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_UNKNOWN = {"UN", "UK", "UNK", "ND", "??", "--", "NK"}
_DAYS_AGO = {"T": 0, "TODAY": 0, "今天": 0, "今日": 0, "YESTERDAY": 1, "昨天": 1, "昨日": 1}

SixDigits = Literal["day_first", "year_first"]
"""How six digits are read: `140826` as 14 August 2026, or as 26 August 2014 (docs/decisions, six digits)."""


@dataclass(frozen=True, slots=True, order=False)
class PartialDate:
    """A calendar date of which the day, or day and month, may be unknown (None)."""

    year: int
    month: int | None = None
    day: int | None = None

    def __post_init__(self) -> None:
        if self.day is not None and self.month is None:
            raise ValueError("a day without a month")
        dt.date(self.year, _known(self.month), _known(self.day))

    @property
    def complete(self) -> bool:
        """Whether the day is known."""
        return self.day is not None

    @property
    def earliest(self) -> dt.date:
        """First day it may be."""
        return dt.date(self.year, _known(self.month), _known(self.day))

    @property
    def latest(self) -> dt.date:
        """Last day it may be."""
        month = self.month or 12
        return dt.date(self.year, month, self.day or calendar.monthrange(self.year, month)[1])

    def iso(self) -> str:
        """ISO 8601, cut where knowledge ends."""
        parts = [
            f"{self.year:04d}",
            f"{self.month:02d}" if self.month else "",
            f"{self.day:02d}" if self.day else "",
        ]
        return "-".join(part for part in parts if part)

    @staticmethod
    def of(day: dt.date) -> PartialDate:
        """The complete date of `day`."""
        return PartialDate(day.year, day.month, day.day)


def _known(part: int | None) -> int:
    """The month or day itself, or 1 where it is unknown. A zero stays a zero, which no calendar has."""
    return 1 if part is None else part


def parse_date(
    text: str, *, six: SixDigits = "day_first", today: dt.date | None = None, past: bool = False
) -> PartialDate | None:
    """What a person typed, understood as a partial date; None when it is not one. `six`: the order of six digits.

    past: the date has come by `today`, so that six digits which would lie ahead are of the century before.

    Understands `2026-08-14`, `2026/8/14`, `2026.8.14`, `20260814`, `2026-08`, `2026`, `14-AUG-2026`,
    `UN-AUG-2026`, `UN-UN-2026`, `14 Aug 2026`, `140826` (of this century), `2026年8月14日`, `2026年8月`,
    full-width digits; with `today` also `t`, `today`, `今天`, `昨天`. Never guesses between day and month: `08/14/2026`
    is refused.
    """
    return _parsed(text, six, today, past)


def whole_date(
    text: str, rule: str, where: str = "", *, six: SixDigits = "day_first", today: dt.date | None = None
) -> PartialDate | Problem:
    """The day in a text that must hold one; else `rule` with what was `given`, or that nothing was."""
    found = parse_date(text, six=six, today=today)
    if found is not None and found.complete:
        return found
    return problem(rule, where, given=text.strip()) if text.strip() else problem("entry.date-empty", where)


@lru_cache(maxsize=4096)
def _parsed(text: str, six: SixDigits, today: dt.date | None, past: bool) -> PartialDate | None:  # noqa: FBT001
    """As `parse_date`; the same few dates of a participant are asked for at each save."""
    cleaned = unicodedata.normalize("NFKC", text).strip().upper()
    if today is not None and cleaned in _DAYS_AGO:
        return PartialDate.of(today - dt.timedelta(days=_DAYS_AGO[cleaned]))
    cleaned = re.sub(r"[年月]", "-", cleaned).replace("日", "").rstrip("-")
    if cleaned.startswith(("-", "/", ".")):
        return None
    parts = [part for part in re.split(r"[-/.\s]+", cleaned) if part]
    try:
        return _from_digits(parts[0], six, today if past else None) if len(parts) == 1 else _from_parts(parts)
    except (ValueError, IndexError):
        return None


def _from_digits(text: str, six: SixDigits, until: dt.date | None) -> PartialDate | None:
    if not text.isascii() or not text.isdigit():
        return None
    if len(text) == 8:
        return PartialDate(int(text[:4]), int(text[4:6]), int(text[6:]))
    if len(text) == 6:
        year, day = (text[4:], text[:2]) if six == "day_first" else (text[:2], text[4:])
        ahead = until is not None and (2000 + int(year), int(text[2:4]), int(day)) > (
            until.year, until.month, until.day,
        )  # fmt: skip
        return PartialDate((1900 if ahead else 2000) + int(year), int(text[2:4]), int(day))
    return PartialDate(int(text)) if len(text) == 4 else None


def _from_parts(parts: list[str]) -> PartialDate | None:
    if len(parts) > 3:
        return None
    if re.fullmatch(r"\d{4}", parts[0]):
        year, month, day = parts[0], parts[1], parts[2] if len(parts) == 3 else "UN"
    elif re.fullmatch(r"\d{4}", parts[-1]) and (parts[-2] in _MONTHS or parts[-2] in _UNKNOWN):
        year, month, day = parts[-1], parts[-2], parts[0] if len(parts) == 3 else "UN"
    else:
        return None
    known_month = None if month in _UNKNOWN else _MONTHS.get(month) or _number(month)
    known_day = None if day in _UNKNOWN else _number(day)
    return PartialDate(int(year), known_month, known_day)


def _number(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,2}", text):
        raise ValueError(f"{text} is not a day or month")
    return int(text)


def days_between(start: PartialDate, end: PartialDate) -> Interval:
    """Calendar days from `start` to `end` (the start is day 0), as the interval of what is possible.

    Two mentions of the same incomplete date are treated as independent: nothing says they are the same day.
    """
    return Interval(
        Decimal((end.earliest - start.latest).days),
        Decimal((end.latest - start.earliest).days),
    )


def completed_years(birth: PartialDate, on: PartialDate) -> Interval:
    """Completed years of age on a date: the birthday itself counts; 29 February turns on 1 March.

    Where no day of `on` lies on or after `birth` the lower end may be negative: an impossible age shows.
    """
    return Interval(
        Decimal(_years(birth.latest, on.earliest)),
        Decimal(_years(birth.earliest, on.latest)),
    )


def _years(birth: dt.date, on: dt.date) -> int:
    return on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))
