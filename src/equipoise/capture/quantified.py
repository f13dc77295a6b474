"""A value that a laboratory could not count: how it is written, kept and written again.

The rule that must stay true: "<0.5" or ">500" in a field, in a laboratory's file and in a dataset are one datum: the
code that says why there is no number, and the limit beside it; whoever reads it back into a field gets "<0.5" again.
Source: SDTM IG 3.4, LB: LBORRES and LBSTRESC hold "<0.5" or ">500", LBSTRESN holds nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from equipoise.ledger.entries import Datum
from equipoise.protocol.forms import Item
from equipoise.words.codelists import MISSING
from equipoise.words.text import Text

CODES: Mapping[str, str] = {"<": "BLQ", ">": "ALQ"}
"""What is kept of a value that lies on that side of a limit. No list offers these codes: "<0.5" and ">500" give them,
in a laboratory's file or typed in the field."""
UNCOUNTED: Mapping[str, Text] = {
    "BLQ": Text("Below the limit of quantification", "低于定量限"),
    "ALQ": Text("Above the limit of quantification", "高于定量限"),
}
_MARKED = re.compile(r"([<>])\s*([0-9]{1,15}(?:\.[0-9]{1,12})?)")
_DOMAINS = frozenset({"LB", "IS", "CP"})


def decoded(code: str) -> Text:
    """Why there is no value, in words; the code itself where it is none of ours."""
    return UNCOUNTED.get(code) or MISSING.get(code, Text(code))


def measured(item: Item | None) -> bool:
    """Whether a laboratory measures the item, so that a value can lie beyond what it can count."""
    if item is None or item.sdtm is None or item.sdtm.testcd is None:
        return False
    return item.sdtm.domain in _DOMAINS and item.type in {"integer", "decimal"}


def limit_in(text: str) -> str | None:
    """ "<0.5" of "< 0.5", full width too; None of text that is no limit, and of one with a unit."""
    found = _MARKED.fullmatch(unicodedata.normalize("NFKC", text).strip())
    return found[1] + found[2] if found is not None else None


def beyond(sign: str, read: Datum, unit: str | None) -> Datum:
    """What is kept of a value beyond a limit; `read` is the limit as a number of the item, in the item's `unit`."""
    entered = f"{sign}{read.entered}" if read.entered is not None else None
    why = f"{sign}{read.value} {unit or ''}".strip()
    return Datum(missing=CODES[sign], why=why, entered=entered, unit=read.unit)


def shown_limit(datum: Datum) -> str | None:
    """ "<0.5" of a value beyond a limit, in the item's own unit; None of any other."""
    sign = next((sign for sign, code in CODES.items() if code == datum.missing), None)
    return (datum.why or sign).split(" ")[0] if sign is not None else None


def in_field(datum: Datum) -> tuple[str, str]:
    """What the field and the list of reasons beside it hold for a datum, so that reading them gives it again."""
    said = shown_limit(datum)
    if said is not None:
        return datum.entered or said, ""
    return datum.entered or datum.value or "", datum.missing or ""
