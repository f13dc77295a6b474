"""Tables as comma-separated values that a spreadsheet may open: what somebody wrote never becomes a formula.

The rule that must stay true: a cell whose text begins with a character that makes spreadsheets calculate (= + - @,
tab, carriage return) gets an apostrophe before it, numbers excepted. UTF-8 with a byte order mark, so that Chinese is
read as such. Sources: RFC 4180; OWASP, CSV Injection.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

_CALCULATES = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")


def safe(cell: str) -> str:
    """The cell as it may stand in a spreadsheet."""
    begins = cell.lstrip(" \n")[:1]
    if begins in _CALCULATES and begins and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def write_csv(head: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A whole table with its head."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    for row in (head, *rows):
        writer.writerow([safe(cell) for cell in row])
    return out.getvalue().encode("utf-8-sig")
