"""What a scanner types: GS1 element strings on units, and our own short payloads on bags and requests.

The rules that must stay true: a scan is read whole or refused, never guessed; the same label reads the same whether the
scanner sends its symbology prefix, a group separator, brackets, or full-width characters because an input method was
on. A bag's payload is its masked number and nothing else.
Source: GS1 General Specifications, release 24, 3.2 (application identifiers 01, 10, 17, 21), 7.8.5 (FNC1), 7.9.1
(check digit), 7.12 (dates).
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from equipoise.words.problem import Problem, problem

SEPARATOR = "\x1d"
"""FNC1 inside a GS1 element string, as most scanners type it."""
_SEPARATORS = re.compile(r"\x1d|<GS>|\{GS\}|\^\]|\||␝", re.IGNORECASE)
_SYMBOLOGY = re.compile(r"^\](?:C1|e0|d2|Q3|J1)")
_FIXED: Mapping[str, int] = {"01": 14, "17": 6}
_VARIABLE = ("10", "21")
_BRACKETED = re.compile(r"\((\d{2})\)([^()]*)")
_OWN = re.compile(r"(?:EQ\.)?(BAG|REQ)[.:]([0-9A-Za-z]{1,40})", re.IGNORECASE)
_BAG = re.compile(r"\d{6}")
_REQUEST = re.compile(r"[2-9a-hjkmnp-z]{16}")


@dataclass(frozen=True, slots=True)
class Scan:
    """What was scanned. A unit: lot, serial, and expiry and gtin where the label has them; else the bag or request."""

    what: Literal["unit", "bag", "request"]
    code: str = ""
    lot: str = ""
    serial: str = ""
    gtin: str = ""
    expiry: dt.date | None = None


def request_payload(request: str) -> str:
    """The text of a request's QR code."""
    return f"EQ.REQ.{request}"


def unit_payload(lot: str, serial: str, expiry: dt.date, gtin: str = "") -> str:
    """The GS1 element string of a unit, in brackets as it is printed below the code."""
    return f"{f'(01){gtin}' if gtin else ''}(10){lot}(17){expiry:%y%m%d}(21){serial}"


def read_scan(typed: str) -> Scan | Problem:
    """What a scan says. Problems: `vault_bench.scan-unreadable`, `vault_bench.scan-check-digit`."""
    text = unicodedata.normalize("NFKC", _SEPARATORS.sub(SEPARATOR, typed)).strip(" \r\n\t")
    own = _OWN.fullmatch(text)
    if own:
        return Scan("bag" if own[1].upper() == "BAG" else "request", own[2])
    if _BAG.fullmatch(text):
        return Scan("bag", text)
    if _REQUEST.fullmatch(text):
        return Scan("request", text)
    elements = _elements(_SYMBOLOGY.sub("", text).strip(SEPARATOR))
    return _unit(elements) if elements else problem("vault_bench.scan-unreadable", "scanned")


def _elements(text: str) -> Mapping[str, str] | None:
    """Application identifier -> value; None for anything that is not exactly such a string."""
    if text.startswith("("):
        found = _BRACKETED.findall(text.replace(SEPARATOR, ""))
        whole = "".join(f"({name}){value}" for name, value in found)
        known = {name: value for name, value in found if name in _FIXED or name in _VARIABLE}
        return known if whole == text.replace(SEPARATOR, "") and len(known) == len(found) else None
    elements: dict[str, str] = {}
    while text:
        name, rest = text[:2], text[2:]
        if name in _FIXED:
            value, text = rest[: _FIXED[name]], rest[_FIXED[name] :].removeprefix(SEPARATOR)
        elif name in _VARIABLE:
            value, _, text = rest.partition(SEPARATOR)
        else:
            return None
        if name in elements:
            return None
        elements[name] = value
    return elements


def _unit(elements: Mapping[str, str]) -> Scan | Problem:
    lot, serial, gtin, date = (elements.get(name, "") for name in ("10", "21", "01", "17"))
    lengths = (not gtin or len(gtin) == 14) and 1 <= len(lot) <= 20 and 1 <= len(serial) <= 20
    expiry = _date(date) if date else None
    if not lengths or (date and expiry is None) or (gtin and not gtin.isdecimal()):
        return problem("vault_bench.scan-unreadable", "scanned")
    if gtin and check_digit(gtin[:13]) != gtin[13]:
        return problem("vault_bench.scan-check-digit", "scanned")
    return Scan("unit", "", lot, serial, gtin, expiry)


def check_digit(digits: str) -> str:
    """The GS1 check digit: weights 3 and 1 from the right, the sum filled up to the next ten."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def _date(text: str) -> dt.date | None:
    """YYMMDD of this century; day 00 is the month's last."""
    if not re.fullmatch(r"[0-9]{6}", text):
        return None
    year, month, day = 2000 + int(text[:2]), int(text[2:4]), int(text[4:])
    try:
        return dt.date(year, month, day or calendar.monthrange(year, month)[1])
    except (ValueError, calendar.IllegalMonthError):
        return None
