"""Analysis datasets as files: one as Dataset-JSON and one as CSV each, their variables with labels, and the trace.

The rules that must stay true: the files follow from the tables and the time that is given, byte for byte; every row has
its ledger entries, and `trace.csv` names those of every value that rests on others than its row does. References are
those of SDTM (`Casebook.reference`). CSV is for programs: no cell is changed.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from equipoise.standards.dataset import Cell, Column, Dataset, DataType
from equipoise.standards.dataset_json import write_dataset

LEDGER, SUBJECT, TRACE, VARIABLES = "EQLEDGER", "USUBJID", "trace.csv", "variables.csv"


class Derived(Protocol):
    """A derived table as the analysis room has it."""

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def columns(self) -> Mapping[str, tuple[str | int | float | Decimal | bool | None, ...]]: ...
    @property
    def labels(self) -> Mapping[str, str]: ...
    @property
    def sources(self) -> Mapping[int, Mapping[str, str]]: ...


def export_analysis(
    study: str, version: str, tables: Iterable[Derived], out: Path, at: dt.datetime
) -> tuple[tuple[Path, int], ...]:
    """Write every table into the folder `out`, made when missing; the files with their numbers of rows.

    at: the creation time that the files state (aware). Raises OSError when the folder cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    written: list[tuple[Path, int]] = []
    trace: list[list[object]] = []
    variables: list[list[object]] = []
    for table in tables:
        dataset = _dataset(study, version, table)
        for suffix, content in (("json", write_dataset(dataset, at)), ("csv", _csv(_lines(dataset)))):
            path = out / f"{table.name.lower()}.{suffix}"
            path.write_bytes(content)
            written.append((path, len(dataset.rows)))
        trace += _traced(table)
        variables += [[table.name, one.name, one.label, one.data_type] for one in dataset.columns]
    for name, head, rows in (
        (TRACE, ["DATASET", "ROW", SUBJECT, "VARIABLE", "ENTRIES"], trace),
        (VARIABLES, ["DATASET", "VARIABLE", "LABEL", "TYPE"], variables),
    ):
        (out / name).write_bytes(_csv([head, *rows]))
        written.append((out / name, len(rows)))
    return tuple(written)


def _dataset(study: str, version: str, table: Derived) -> Dataset:
    kinds = {name: _kind(cells) for name, cells in table.columns.items()}
    columns = tuple(Column(name, table.labels.get(name, name)[:200], kinds[name]) for name in table.columns)
    cells = [tuple(_cell(one, kinds[name]) for one in held) for name, held in table.columns.items()]
    return Dataset(table.name, table.label, study, version, columns, tuple(zip(*cells, strict=True)))


def _kind(cells: Iterable[object]) -> DataType:
    known = [one for one in cells if one is not None]
    if known and all(isinstance(one, int) and not isinstance(one, bool) for one in known):
        return "integer"
    if known and all(isinstance(one, int | float | Decimal) and not isinstance(one, bool) for one in known):
        return "decimal"
    return "string"


def _cell(cell: object, kind: DataType) -> Cell:
    if cell is None or kind == "integer":
        return cell if cell is None else int(str(cell))
    return (
        Decimal(f"{cell:.12g}" if isinstance(cell, float) else str(cell)) if kind == "decimal" else str(cell)
    )


def _lines(dataset: Dataset) -> Iterator[list[object]]:
    yield [column.name for column in dataset.columns]
    for row in dataset.rows:
        yield ["" if one is None else str(one) for one in row]


def _traced(table: Derived) -> Iterator[list[object]]:
    """A line for the row, then one for each value that rests on entries of its own; rows count from 1."""
    subjects = table.columns.get(SUBJECT, ())
    for place, entries in enumerate(table.columns.get(LEDGER, ())):
        subject = subjects[place] if place < len(subjects) else ""
        yield [table.name, place + 1, subject, "", entries]
        for variable, own in table.sources.get(place, {}).items():
            yield [table.name, place + 1, subject, variable, own]


def _csv(rows: Iterable[Iterable[object]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()
