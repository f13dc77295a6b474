"""A dataset as a value: named columns and rows. What it is written as (Dataset-JSON, later XPT) is another matter.

The rule that must stay true: every row has one cell for each column, of the column's type, or None for no value.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

Cell: TypeAlias = "str | int | Decimal | bool | None"
"""`decimal` columns hold Decimal, `integer` int, `boolean` bool, the others str; None is an empty cell."""

DataType = Literal[
    "string", "integer", "decimal", "float", "double", "boolean", "datetime", "date", "time", "URI"
]
"""Data types of Dataset-JSON 1.1 (CDISC DataExchange-DatasetJson, DataTypesEnum)."""


@dataclass(frozen=True, slots=True)
class Column:
    """A variable: name, label, type; `key` is its place among the keys (from 1), None when it is no key."""

    name: str
    label: str
    data_type: DataType = "string"
    key: int | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """A table with what identifies it. `modified` is when its source last changed (ISO, UTC), None if unknown."""

    name: str
    label: str
    study: str
    version: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    modified: str | None = None

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"{self.name}: a row does not have {len(self.columns)} cells")

    def position(self, name: str) -> int:
        """Place of the column of that name. Raises KeyError when there is none."""
        for place, column in enumerate(self.columns):
            if column.name == name:
                return place
        raise KeyError(f"{self.name} has no column {name}")

    def column(self, name: str) -> tuple[Cell, ...]:
        """The cells of one column, in row order."""
        place = self.position(name)
        return tuple(row[place] for row in self.rows)

    def columnar(self) -> dict[str, tuple[Cell, ...]]:
        """Every column by its name, in order; of a name that stands twice the first that holds something in a row."""
        found: dict[str, tuple[Cell, ...]] = {}
        for place, column in enumerate(self.columns):
            cells = tuple(row[place] for row in self.rows)
            if column.name in found:
                before = found[column.name]
                cells = tuple(b if a is None else a for a, b in zip(before, cells, strict=True))
            found[column.name] = cells
        return found
