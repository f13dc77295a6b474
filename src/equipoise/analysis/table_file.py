"""A CSV file as columns of numbers and texts: for analyses that are asked for from a terminal.

The rule that must stay true: a column is numeric only when every value in it is a number; a column that is told to be
categorical, or that names participants or visits, keeps its texts as they are written. Source: RFC 4180.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping

from equipoise.analysis.table import Value, number
from equipoise.words.problem import Problem, problem

MISSING = frozenset({"", "NA", "N/A", ".", "NaN", "nan", "NULL", "null"})


def read_table(
    data: bytes, place: str, *, texts: Collection[str] = ()
) -> Mapping[str, list[Value]] | Problem:
    """The columns of a CSV file by their headings. texts: columns that stay text."""
    try:
        rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as fault:
        return problem("analysis.csv", place, reason=fault)
    rows = [row for row in rows if row]
    if not rows:
        return problem("analysis.csv", place, reason="no line")
    heading = [name.strip() for name in rows[0]]
    if len(set(heading)) < len(heading):
        twice = next(name for name in heading if heading.count(name) > 1)
        return problem("analysis.csv", place, reason=f"two columns “{twice}”")
    for at, row in enumerate(rows[1:], 1):
        if len(row) != len(heading):
            return problem(
                "analysis.csv", place, reason=f"row {at}: {len(row)} values, {len(heading)} columns"
            )
    return {
        name: _column([row[at].strip() for row in rows[1:]], as_text=name in texts)
        for at, name in enumerate(heading)
    }


def _column(cells: list[str], *, as_text: bool) -> list[Value]:
    kept: list[Value] = [None if cell in MISSING else cell for cell in cells]
    if as_text:
        return kept
    numbers: list[Value] = [cell if cell is None else number(cell) for cell in kept]
    return (
        kept
        if any(n is None and cell is not None for n, cell in zip(numbers, kept, strict=True))
        else numbers
    )
