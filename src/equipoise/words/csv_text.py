"""Tables as comma-separated text for a person's spreadsheet program.

The rule that must stay true: no cell that somebody typed is a formula when the file is opened: a text that begins as
one is led by an apostrophe, which spreadsheet programs take as “this is text”. A plain number stays a number. Files for
machines (datasets) are not written with this: they keep every character. Source: OWASP, CSV Injection.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
BYTE_ORDER_MARK = "\ufeff"
"""Leads the file, so that a spreadsheet program reads Chinese as it is."""


def cell(value: object) -> str:
    """A value as the text of a cell that no spreadsheet program runs."""
    text = "" if value is None else str(value)
    if text.lstrip(" ").startswith(_BEGINS_A_FORMULA) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The table as one text: a mark of its encoding, then lines that end as RFC 4180 says."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow([cell(each) for each in header])
    table.writerows([[cell(each) for each in row] for row in rows])
    return BYTE_ORDER_MARK + out.getvalue()
