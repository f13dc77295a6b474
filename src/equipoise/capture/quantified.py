"""A value that a laboratory could not count: how it is written, kept and written again.

The rule that must stay true: "<0.5" in a field, in a laboratory's file and in a dataset are one datum: the code that
says why there is no number, and the limit beside it; whoever reads it back into a field gets "<0.5" again.
Source: SDTM IG 3.4, LB: LBORRES and LBSTRESC hold "<0.5", LBSTRESN holds nothing.
"""

from __future__ import annotations

import re
import unicodedata

from equipoise.ledger.entries import Datum
from equipoise.protocol.forms import Item
from equipoise.words.codelists import BELOW

_MARKED = re.compile(r"<\s*([0-9]{1,15}(?:\.[0-9]{1,12})?)")
_DOMAINS = frozenset({"LB", "IS", "CP"})


def measured(item: Item | None) -> bool:
    """Whether a laboratory measures the item, so that a value can lie below what it can count."""
    if item is None or item.sdtm is None or item.sdtm.testcd is None:
        return False
    return item.sdtm.domain in _DOMAINS and item.type in {"integer", "decimal"}


def limit_in(text: str) -> str | None:
    """The limit in "<0.5", full width too; None of any other text, and of one with a unit: that stands beside it."""
    found = _MARKED.fullmatch(unicodedata.normalize("NFKC", text).strip())
    return found[1] if found is not None else None


def below(read: Datum, unit: str | None) -> Datum:
    """What is kept of a value below a limit; `read` is the limit as a number of the item, in the item's `unit`."""
    entered = f"<{read.entered}" if read.entered is not None else None
    why = f"<{read.value} {unit or ''}".strip()
    return Datum(missing=BELOW, why=why, entered=entered, unit=read.unit)


def shown_below(datum: Datum) -> str | None:
    """ "<0.5" of a value below a limit, in the item's own unit; None of any other."""
    return (datum.why or "<").split(" ")[0] if datum.missing == BELOW else None


def in_field(datum: Datum) -> tuple[str, str]:
    """What the field and the list of reasons beside it hold for a datum, so that reading them gives it again."""
    said = shown_below(datum)
    if said is not None:
        return datum.entered or said, ""
    return datum.entered or datum.value or "", datum.missing or ""
