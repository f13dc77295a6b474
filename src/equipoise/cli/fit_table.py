"""What every `equipoise fit …` shares: the table that is read, how its columns are meant, how numbers are printed."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from equipoise.cli.files import read_whole
from equipoise.words.problem import Problem, problem

if TYPE_CHECKING:
    from equipoise.analysis.table import Value

LARGEST = 1024**3
"""Bytes of a table; ten million rows need fewer."""


def add_table(command: argparse.ArgumentParser) -> None:
    """Declare the table and how its columns are meant."""
    command.add_argument("data", type=Path, metavar="DATA.csv")
    command.add_argument("--categorical", action="append", default=[], metavar="COLUMN")
    command.add_argument("--reference", action="append", default=[], metavar="COLUMN=LEVEL", type=reference)
    command.add_argument("--json", action="store_true", help="print one JSON value")


def add_level(command: argparse.ArgumentParser) -> None:
    """Declare the level of intervals."""
    command.add_argument("--level", type=_level, default=0.95, help="of the intervals; 0.95 if not given")


def reference(text: str) -> tuple[str, str]:
    """COLUMN=LEVEL as two texts."""
    column, equals, level = text.partition("=")
    if not equals or not column:
        raise argparse.ArgumentTypeError("COLUMN=LEVEL is wanted")
    return column, level


def _level(text: str) -> float:
    try:
        level = float(text)
    except ValueError:
        level = 0.0
    if not 0.0 < level < 1.0:
        raise argparse.ArgumentTypeError("a number between 0 and 1 is wanted")
    return level


def table_of(
    options: argparse.Namespace, *, texts: Collection[str] = ()
) -> Mapping[str, list[Value]] | Problem:
    """The columns of the file; those that are categorical, have a reference or are in `texts` stay as written."""
    from equipoise.analysis.table_file import read_table

    data = read_whole(options.data, LARGEST)
    if isinstance(data, Problem):
        return data
    if len(data) > LARGEST:
        return problem("cli.too-large", str(options.data), largest=LARGEST // 1024**2)
    kept = {*texts, *options.categorical, *dict(options.reference)}
    table = read_table(data, str(options.data), texts=kept)
    if isinstance(table, Problem):
        return table
    strange = next(
        (name for name in (*options.categorical, *dict(options.reference)) if name not in table), None
    )
    return table if strange is None else problem("analysis.no-column", strange, known=", ".join(table))


def printed(heads: Sequence[str], rows: Mapping[str, Sequence[float | str | None]]) -> tuple[str, ...]:
    """Rows of numbers under their heads, the names of the rows first."""
    wide = max(len(name) for name in rows)
    lines = [" ".join([f"{'':<{wide}}", *(f"{head:>12}" for head in heads)])]
    for name, values in rows.items():
        lines.append(" ".join([f"{name:<{wide}}", *(f"{_cell(value):>12}" for value in values)]))
    return tuple(lines)


def _cell(value: float | str | None) -> str:
    return "-" if value is None else value if isinstance(value, str) else f"{value:.6g}"
