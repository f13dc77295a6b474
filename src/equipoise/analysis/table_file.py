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
SEPARATORS = {";": "“;”", "\t": "TAB", "|": "“|”"}
"""What stands between values in files that are not CSV as RFC 4180 has it, and how a message names it."""


def read_table(
    data: bytes, place: str, *, texts: Collection[str] = ()
) -> Mapping[str, list[Value]] | Problem:
    """The columns of a CSV file by their headings. texts: columns that stay text."""
    try:
        lines = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
    except UnicodeDecodeError:
        return problem("analysis.csv-encoding", place)
    except csv.Error as fault:
        return problem("analysis.csv", place, reason=fault)
    while lines and not lines[-1]:
        lines.pop()
    first = next((at for at, line in enumerate(lines) if line), None)
    if first is None:
        return problem("analysis.csv-empty", place)
    heading = [name.strip() for name in lines[first]]
    if len(heading) == 1 and (mark := next((its for its in SEPARATORS if its in heading[0]), None)):
        return problem("analysis.csv-separator", place, mark=SEPARATORS[mark])
    if len(set(heading)) < len(heading):
        twice = next(name for name in heading if heading.count(name) > 1)
        return problem("analysis.csv-twice", place, column=twice)
    # a line without anything is a row of which everything is missing: the rows below it keep their numbers
    rows = [line or [""] * len(heading) for line in lines[first + 1 :]]
    for at, row in enumerate(rows, 1):
        if len(row) != len(heading):
            return problem("analysis.csv-ragged", place, row=at, values=len(row), columns=len(heading))
    return {
        name: _column([row[at].strip() for row in rows], as_text=name in texts)
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
