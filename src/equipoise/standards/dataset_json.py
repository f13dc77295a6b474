"""Dataset-JSON 1.1, written and read.

The rules that must stay true: the same dataset and the same time give the same bytes; what is written is read back
as it was. Decimals travel as text (`dataType` and `targetDataType` decimal), so that no digit is lost.
Source: CDISC Dataset-JSON 1.1, dataset.schema.json.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from importlib.metadata import PackageNotFoundError, version
from typing import Any, cast, get_args

from equipoise.standards.dataset import Cell, Column, Dataset, DataType
from equipoise.words.problem import Problem, problem

VERSION = "1.1.0"
SOURCE = "Equipoise"
_VERSIONS = re.compile(r"1\.1(\.(0|[1-9]\d*))?")
_DIGITS = 400
_TYPES = frozenset(get_args(DataType))
_NEEDED = (
    "datasetJSONCreationDateTime",
    "datasetJSONVersion",
    "itemGroupOID",
    "records",
    "name",
    "label",
    "columns",
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A dataset that was read, and the creation time that its file states."""

    dataset: Dataset
    created: str


def write_dataset(dataset: Dataset, at: dt.datetime) -> bytes:
    """The file of a dataset, created `at` (an aware time): UTF-8, one row a line, keys in the schema's order."""
    head = {
        "datasetJSONCreationDateTime": _time(at),
        "datasetJSONVersion": VERSION,
        "fileOID": f"{dataset.study}.{dataset.version}.{dataset.name}",
        **({"dbLastModifiedDateTime": dataset.modified} if dataset.modified else {}),
        "originator": SOURCE,
        "sourceSystem": {"name": SOURCE, "version": _program_version()},
        "studyOID": dataset.study,
        "metaDataVersionOID": f"MDV.{dataset.version}",
        "itemGroupOID": f"IG.{dataset.name}",
        "records": len(dataset.rows),
        "name": dataset.name,
        "label": dataset.label,
    }
    columns = [_column(dataset, place) for place in range(len(dataset.columns))]
    rows = [[_written(cell) for cell in row] for row in dataset.rows]
    opening = _dump(head)[1:-1]
    text = "{" + opening + ',"columns":' + _lines(columns) + ',"rows":' + _lines(rows) + "}\n"
    return text.encode()


def read_dataset(data: bytes, where: str) -> Reading | tuple[Problem, ...]:
    """The dataset in a Dataset-JSON 1.1 file, or what is wrong with it. `where` names the file."""
    try:
        value = json.loads(data.decode("utf-8-sig"), parse_float=Decimal)
    except (ValueError, RecursionError, InvalidOperation) as fault:
        return (problem("standards.dataset-not-json", where, fault=fault),)
    if not isinstance(value, dict):
        return (problem("standards.dataset-not-json", where, fault="not an object"),)
    faults = _shape_faults(value, where)
    if faults:
        return faults
    columns = tuple(
        Column(column["name"], column["label"], column["dataType"], column.get("keySequence"))
        for column in value["columns"]
    )
    rows: list[tuple[Cell, ...]] = []
    for number, row in enumerate(value.get("rows", ()), start=1):
        try:
            rows.append(_row(columns, row))
        except (TypeError, ValueError, InvalidOperation):
            return (problem("standards.dataset-row", f"{where}: row {number}", columns=len(columns)),)
    dataset = Dataset(
        name=value["name"],
        label=value["label"],
        study=str(value.get("studyOID", "")),
        version=str(value.get("metaDataVersionOID", "")).removeprefix("MDV."),
        columns=columns,
        rows=tuple(rows),
        modified=value.get("dbLastModifiedDateTime"),
    )
    return Reading(dataset, value["datasetJSONCreationDateTime"])


def _program_version() -> str:
    try:
        return version("equipoise")
    except PackageNotFoundError:  # run from a bare source tree
        return "source"


def _time(at: dt.datetime) -> str:
    if at.tzinfo is None:
        raise ValueError("a creation time without a zone")
    return at.astimezone(dt.UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def _column(dataset: Dataset, place: int) -> Mapping[str, str | int]:
    column = dataset.columns[place]
    described: dict[str, str | int] = {
        "itemOID": f"IT.{dataset.name}.{column.name}",
        "name": column.name,
        "label": column.label,
        "dataType": column.data_type,
    }
    if column.data_type == "decimal":
        described["targetDataType"] = "decimal"
    if column.data_type == "string":
        described["length"] = max(
            [1, *(len(str(row[place])) for row in dataset.rows if row[place] is not None)]
        )
    if column.key is not None:
        described["keySequence"] = column.key
    return described


def _written(cell: Cell) -> str | int | bool | None:
    return format(cell, "f") if isinstance(cell, Decimal) else cell


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _lines(values: Sequence[object]) -> str:
    return (
        "["
        + "".join(("," if place else "") + "\n" + _dump(value) for place, value in enumerate(values))
        + "]"
    )


def _shape_faults(value: Mapping[str, Any], where: str) -> tuple[Problem, ...]:  # Any: JSON as found
    missing = [name for name in _NEEDED if name not in value]
    if missing:
        return (problem("standards.dataset-incomplete", where, names=", ".join(missing)),)
    if not _VERSIONS.fullmatch(str(value["datasetJSONVersion"])):
        return (problem("standards.dataset-version", where, version=value["datasetJSONVersion"]),)
    columns, rows = value["columns"], value.get("rows", [])
    whole = isinstance(columns, list) and all(
        isinstance(column, dict)
        and all(isinstance(column.get(name), str) for name in ("name", "label", "dataType"))
        and column["dataType"] in _TYPES
        and (column.get("keySequence") is None or isinstance(column["keySequence"], int))
        for column in columns
    )
    texts = all(isinstance(value[name], str) for name in ("name", "label", "datasetJSONCreationDateTime"))
    if not whole or not texts or not isinstance(rows, list):
        return (problem("standards.dataset-columns", where),)
    if value["records"] != len(rows):
        return (problem("standards.dataset-records", where, stated=value["records"], found=len(rows)),)
    return ()


def _row(columns: Sequence[Column], row: object) -> tuple[Cell, ...]:
    if not isinstance(row, list) or len(row) != len(columns):
        raise ValueError("a row of another length")
    return tuple(_cell(column.data_type, cell) for column, cell in zip(columns, row, strict=True))


def _cell(data_type: DataType, cell: object) -> Cell:
    if cell is None:
        return None
    if data_type in ("decimal", "float", "double"):
        if isinstance(cell, bool) or not isinstance(cell, str | int | Decimal):
            raise ValueError(f"{cell!r} is no number")
        return _number(Decimal(cell))
    if isinstance(cell, str):
        cell.encode()  # a lone surrogate, which JSON can spell, is no text
    wanted = {"integer": int, "boolean": bool}.get(data_type, str)
    if type(cell) is not wanted:
        raise ValueError(f"{cell!r} is no {data_type}")
    return cast(Cell, cell)


def _number(value: Decimal) -> Decimal:
    # Beyond this no measurement lies, and writing such a number out would fill the memory.
    if not value.is_finite() or abs(value.adjusted()) > _DIGITS:
        raise ValueError(f"{value} is no measurable number")
    return value
