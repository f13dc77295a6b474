"""A table of columns, and the few verbs that derive one from another.

The rules that must stay true: a verb gives a new table and changes none; rows keep their order; every row says by
`EQLEDGER` which entries of the ledger it rests on (references of `standards`, a space between two), and a value that
rests on others than its row says so in `sources`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

from equipoise.protocol.analysis import Condition

Cell: TypeAlias = "str | int | float | Decimal | bool | None"
Record: TypeAlias = "dict[str, Cell]"
LEDGER, SUBJECT = "EQLEDGER", "USUBJID"


@dataclass(frozen=True, slots=True)
class Table:
    """Named columns of one length. `sources`: row -> variable -> references, where they are not the row's own."""

    name: str
    label: str
    columns: Mapping[str, tuple[Cell, ...]]
    labels: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[int, Mapping[str, str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def records(self) -> Iterator[Record]:
        """The rows, each as variable -> value."""
        names = tuple(self.columns)
        for cells in zip(*self.columns.values(), strict=True):
            yield dict(zip(names, cells, strict=True))

    def column(self, name: str) -> tuple[Cell, ...]:
        """One column; empty cells where the table has no such column."""
        return self.columns.get(name, (None,) * len(self))

    def where(self, conditions: Sequence[Condition]) -> Table:
        """The rows that meet every condition."""
        return self if not conditions else self.kept(meets(row, conditions) for row in self.records())

    def kept(self, wanted: Iterable[bool]) -> Table:
        """The rows for which `wanted` is true, in their order."""
        places = [place for place, want in enumerate(wanted) if want]
        columns = {name: tuple(cells[place] for place in places) for name, cells in self.columns.items()}
        sources = {new: self.sources[old] for new, old in enumerate(places) if old in self.sources}
        return Table(self.name, self.label, columns, self.labels, sources)


def table_of(
    name: str,
    label: str,
    labels: Mapping[str, str],
    records: Iterable[Mapping[str, Cell]],
    sources: Mapping[int, Mapping[str, str]] | None = None,
) -> Table:
    """A table with the variables of `labels`, in that order; a variable that a record lacks is empty."""
    listed = list(records)
    columns = {variable: tuple(row.get(variable) for row in listed) for variable in labels}
    return Table(name, label, columns, labels, sources or {})


def by_subject(table: Table) -> Mapping[str, list[Record]]:
    """The rows of each subject, in their order."""
    found: dict[str, list[Record]] = {}
    for row in table.records():
        found.setdefault(str(row.get(SUBJECT)), []).append(row)
    return found


def meets(row: Mapping[str, Cell], conditions: Iterable[Condition]) -> bool:
    """Whether a row meets every condition; what is not known meets none but that it is not."""
    return all(_meets(row.get(one.variable), one) for one in conditions)


def _meets(cell: Cell, one: Condition) -> bool:
    if one.known is not None and one.known != (cell is not None):
        return False
    if one.values and (cell is None or str(cell) not in one.values):
        return False
    if one.at_least is None and one.at_most is None:
        return True
    value = number(cell)
    return (
        value is not None
        and (one.at_least is None or value >= float(one.at_least))
        and (one.at_most is None or value <= float(one.at_most))
    )


def number(cell: Cell) -> float | None:
    """A cell as a number; None for what is none."""
    if cell is None or isinstance(cell, bool):
        return None
    if isinstance(cell, str):
        try:
            return float(Decimal(cell))
        except InvalidOperation:
            return None
    return float(cell)


def joined(*references: str | Cell) -> str:
    """References of several rows as one, each once, in their order."""
    words = [word for one in references if one for word in str(one).split()]
    return " ".join(dict.fromkeys(words))
