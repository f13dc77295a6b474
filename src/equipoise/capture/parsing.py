"""From what a person typed to what is stored, item type by item type.

The rules that must stay true: a value is stored exactly as it was meant (decimals with their digits, dates in ISO
form with unknown parts left out) or refused beside its item, with what would be accepted; nothing is rounded,
cut or guessed. What is possible but unlikely is not refused here: that is a query (`consequences`).
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import replace
from decimal import Decimal

from equipoise.capture.quantified import CODES, beyond, limit_in, measured
from equipoise.capture.questions import Question
from equipoise.instruments import ScaleItem, answer_problem
from equipoise.ledger.entries import Datum
from equipoise.protocol.forms import Item
from equipoise.protocol.study import Study
from equipoise.words.dates import PartialDate, parse_date
from equipoise.words.problem import Problem, problem
from equipoise.words.units import convert

TEXT_LIMIT = 4000
"""Characters of one free text."""
MORE_DIGITS = 2
"""Decimal places that a converted number has beyond those of its item."""
_INTEGER = re.compile(r"[+-]?[0-9]{1,15}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,12})?")
_TIME = re.compile(r"([01]?[0-9]|2[0-3])(?::|时|點|点)?([0-5][0-9])分?")
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_MINUS = str.maketrans({"−": "-", "﹣": "-"})


def parse(study: Study, asked: Question, given: Datum, today: dt.date | None = None) -> Datum | Problem:
    """The datum to store for a question, or why it cannot be. Empty text is an emptied item; `today` is the site's."""
    why = clean(given.why or "") or None
    value = clean(given.value or "") or None
    if asked.revealing and (value is not None or given.missing is not None):
        return problem("capture.revealing-item", asked.id, item=asked.label)
    if value is not None and given.missing is not None:
        return problem("capture.value-and-code", asked.id, item=asked.label)
    if given.missing is not None:
        return _missing(asked, given.missing, why)
    if value is None:
        return Datum()
    if len(value) > TEXT_LIMIT:
        return problem("capture.text-too-long", asked.id, item=asked.label, limit=TEXT_LIMIT)
    if asked.scored is not None:
        return _score(asked, asked.scored, value)
    limit = limit_in(value) if measured(asked.own) else None
    if limit is not None and asked.own is not None:
        read = parse(study, asked, replace(given, value=limit[1:]), today)
        return read if isinstance(read, Problem) else beyond(limit[0], read, asked.own.unit)
    if asked.own is not None and given.unit and given.unit != asked.own.unit:
        return _in_other_unit(asked, asked.own, value, given.unit)
    return _own(study, asked, asked.own, value, today) if asked.own is not None else Datum(value)


def clean(text: str) -> str:
    """Text without surrounding space and characters that cannot be seen, in normal form C, as the ledger takes it."""
    return unicodedata.normalize("NFC", _UNSEEN.sub("", text)).strip()


def plain(text: str) -> str:
    """Digits, points and letters of full width as their plain forms."""
    return unicodedata.normalize("NFKC", text).translate(_MINUS).strip()


def _missing(asked: Question, code: str, why: str | None) -> Datum | Problem:
    limit = limit_in(why.split(" ")[0]) if why is not None and measured(asked.own) else None
    if limit is not None and code == CODES[limit[0]]:
        return Datum(missing=code, why=why)
    if code not in asked.missing:
        return problem(
            "capture.code-not-offered",
            asked.id,
            item=asked.label,
            code=code,
            offered=", ".join(asked.missing) or "–",
        )
    if code in asked.explained and why is None:
        return problem("capture.code-unexplained", asked.id, item=asked.label, code=code)
    return Datum(missing=code, why=why)


def _score(asked: Question, item: ScaleItem, value: str) -> Datum | Problem:
    text = plain(value)
    fault = None
    if _INTEGER.fullmatch(text):
        fault = answer_problem(item, int(text), explained=True)
        if fault is None:
            return Datum(str(int(text)))
    allowed = ", ".join(str(score) for score in item.scores)
    return problem("capture.score-not-allowed", asked.id, item=asked.label, value=value, allowed=allowed)


def _own(study: Study, asked: Question, item: Item, value: str, today: dt.date | None) -> Datum | Problem:
    match item.type:
        case "text":
            return Datum(value)
        case "integer" | "decimal":
            return _number(asked, item, value)
        case "date":
            date = parse_date(value, six=study.entry.six_digit_dates, today=today, past=item.past)
            return _date(asked, item, value, date)
        case "time":
            found = _TIME.fullmatch(plain(value))
            if found is None:
                return problem("capture.not-a-time", asked.id, item=asked.label, value=value)
            return Datum(f"{int(found[1]):02d}:{found[2]}")
        case "truth":
            letter = plain(value).upper()
            if letter not in {"Y", "N"}:
                return problem("capture.not-a-truth", asked.id, item=asked.label, value=value)
            return Datum(letter)
        case "code":
            return _code(study, asked, item, value)


def _number(asked: Question, item: Item, value: str) -> Datum | Problem:
    text = plain(value)
    if not (_INTEGER if item.type == "integer" else _DECIMAL).fullmatch(text):
        rule = "capture.not-an-integer" if item.type == "integer" else "capture.not-a-number"
        return _no_number(asked, value, rule)
    digits = len(text.partition(".")[2])
    if digits > item.digits:
        return problem("capture.too-many-digits", asked.id, item=asked.label, value=value, digits=item.digits)
    return _possible(asked, item, value, Decimal(text))


def _no_number(asked: Question, value: str, rule: str = "capture.not-a-number") -> Problem:
    if measured(asked.own) and not _DECIMAL.fullmatch(plain(value)):
        rule = "capture.not-a-result"
    return problem(rule, asked.id, item=asked.label, value=value)


def _in_other_unit(asked: Question, item: Item, value: str, unit: str) -> Datum | Problem:
    """A number in another unit that the study admits: kept as it was written, and in the item's own unit.

    The own unit gets two places more than the item has, rounded once, halves to even.
    """
    if unit not in item.units or item.unit is None:
        offered = ", ".join((item.unit or "–", *item.units))
        return problem("entry.unit-not-offered", asked.id, item=asked.label, unit=unit, offered=offered)
    text = plain(value)
    if not _DECIMAL.fullmatch(text):
        return _no_number(asked, value)
    number = convert(Decimal(text), unit, item.unit, digits=item.digits + MORE_DIGITS, analyte=item.analyte)
    if number is None:
        return problem("entry.unit-not-offered", asked.id, item=asked.label, unit=unit, offered=item.unit)
    found = _possible(asked, item, f"{value} {unit}", number)
    return found if isinstance(found, Problem) else replace(found, entered=text, unit=unit)


def _possible(asked: Question, item: Item, value: str, number: Decimal) -> Datum | Problem:
    too_low = item.minimum is not None and number < item.minimum
    too_high = item.maximum is not None and number > item.maximum
    if too_low or too_high:
        return problem(
            "capture.impossible-value", asked.id, item=asked.label, value=value,
            low="–" if item.minimum is None else item.minimum,
            high="–" if item.maximum is None else item.maximum, unit=item.unit or "",
        )  # fmt: skip
    return Datum(f"{number + 0:f}")


def _date(asked: Question, item: Item, value: str, date: PartialDate | None) -> Datum | Problem:
    if date is None:
        return problem("capture.not-a-date", asked.id, item=asked.label, value=value)
    if item.complete and not date.complete:
        return problem("capture.date-incomplete", asked.id, item=asked.label, value=value)
    return Datum(date.iso())


def _code(study: Study, asked: Question, item: Item, value: str) -> Datum | Problem:
    codelist = study.codelist(item.codelist or "")
    codes = [term.code for term in codelist.terms] if codelist is not None else []
    if value not in codes:
        return problem(
            "capture.not-in-list", asked.id, item=asked.label, value=value, codes=", ".join(codes) or "–"
        )
    return Datum(value)
