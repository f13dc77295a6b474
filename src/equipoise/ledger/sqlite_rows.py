"""Read tables in SQLite: the SQL of `store.Rows`, made from a table's declaration.

Only names from a declaration enter the text of a statement, and each is checked to be a plain name; every value
goes in as a parameter.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from equipoise.ledger.store import Cell, Condition, ReadTable, Row
from equipoise.words.canonical import Json, digest
from equipoise.words.kept import Kept

_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_PREFIX = "read_"  # keeps read tables apart from the ledger's own


def shape_of(table: ReadTable, code: str) -> str:
    """A digest of a table's declaration and of `code`, the version of what fills it."""
    declared: Json = {
        "name": table.name,
        "columns": [[name, kind] for name, kind in table.columns.items()],
        "key": table.key,
        "orders": table.orders,
        "code": code,
    }
    return digest(declared)


@dataclass(frozen=True, slots=True)
class _Statements:
    """A declaration whose names were checked, its table's name, and the statements made of it so far.

    `finds`: what was asked for -> its statement; only as many as there are shapes of questions in the program.
    """

    target: str
    written: str
    got: str
    finds: dict[tuple[object, ...], str] = field(default_factory=dict)


_FINDS_AT_MOST = 200


def _checked(table: ReadTable) -> str:
    """The name of a table whose names were checked."""
    return _known(table).target


def _made(table: ReadTable) -> _Statements:
    target, columns = _check(table), ", ".join(table.columns)
    marks = ", ".join("?" * len(table.columns))
    place = " AND ".join(f"{name} IS ?" for name in table.key)
    return _Statements(
        target,
        f"INSERT OR REPLACE INTO {target} ({columns}) VALUES ({marks})",  # noqa: S608 checked names
        f"SELECT {columns} FROM {target} WHERE {place}",  # noqa: S608 checked names
    )


_known = Kept(_made, 1000)
"""What is known of a declaration; kept, for every statement asks."""


def _check(table: ReadTable) -> str:
    names = {table.name, *table.columns}
    used = {name for names_of in (table.key, *table.orders) for name in names_of}
    if not all(_NAME.fullmatch(name) for name in names) or not used <= set(table.columns) or not table.key:
        raise ValueError(f"read table {table.name} has names that are none of its columns, or no plain names")
    return _PREFIX + table.name


def drop(connection: sqlite3.Connection, name: str) -> None:
    """Take a read table away with its rows."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name} is no name of a read table")
    connection.execute(f"DROP TABLE IF EXISTS {_PREFIX}{name}")


def create(connection: sqlite3.Connection, table: ReadTable) -> None:
    """Make an empty read table and its indexes."""
    target = _checked(table)
    columns = ", ".join(
        f"{name} {kind.upper()}{' NOT NULL' if name in table.key else ''}"
        for name, kind in table.columns.items()
    )
    connection.execute(f"CREATE TABLE {target} ({columns}, PRIMARY KEY ({', '.join(table.key)})) STRICT")
    for number, order in enumerate(table.orders, 1):
        connection.execute(f"CREATE INDEX {target}_{number} ON {target} ({', '.join((*order, *table.key))})")


def put(connection: sqlite3.Connection, table: ReadTable, row: Row) -> None:
    """Write a whole row. Raises ValueError for a row that has not exactly the table's columns."""
    if row.keys() != table.columns.keys():
        raise ValueError(f"a row of {table.name} has the columns {', '.join(table.columns)}")
    connection.execute(_known(table).written, [row[name] for name in table.columns])


def get(connection: sqlite3.Connection, table: ReadTable, key: Sequence[Cell]) -> Row | None:
    """The row of a key, or None."""
    if len(key) != len(table.key):
        raise ValueError(f"a row of {table.name} is named by {', '.join(table.key)}")
    row = connection.execute(_known(table).got, key).fetchone()
    return None if row is None else dict(zip(table.columns, row, strict=True))


def remove(connection: sqlite3.Connection, table: ReadTable, key: Sequence[Cell]) -> None:
    """Take away one row."""
    clause = _where(table, dict(zip(table.key, key, strict=True)))
    connection.execute(f"DELETE FROM {_checked(table)}{clause}", key)  # noqa: S608 checked names


def clear(connection: sqlite3.Connection, table: ReadTable) -> None:
    """Take away every row."""
    connection.execute(f"DELETE FROM {_checked(table)}")  # noqa: S608 checked names


def count(
    connection: sqlite3.Connection, table: ReadTable, where: Mapping[str, Condition] | None = None
) -> int:
    """How many rows meet `where`."""
    clause = _where(table, where or {})
    sql = f"SELECT count(*) FROM {_checked(table)}{clause}"  # noqa: S608 checked names
    (found,) = connection.execute(sql, _values(where or {})).fetchone()
    return cast(int, found)


def find(
    connection: sqlite3.Connection,
    table: ReadTable,
    where: Mapping[str, Condition] | None = None,
    *,
    order: Sequence[str] = (),
    after: Sequence[Cell] = (),
    descending: bool = False,
    limit: int | None = None,
) -> tuple[Row, ...]:
    """As `store.Rows.find`."""
    if after:
        sql, values = _find(table, where or {}, order, after, descending=descending)
    else:
        known = _known(table)
        values = _values(where or {})
        shape = (*_shape(where or {}), *order, descending)
        sql = known.finds.get(shape, "")
        if not sql:
            if len(known.finds) >= _FINDS_AT_MOST:
                known.finds.clear()
            sql = known.finds[shape] = _find(table, where or {}, order, (), descending=descending)[0]
    rows = connection.execute(sql, [*values, -1 if limit is None else limit]).fetchall()
    return tuple([dict(zip(table.columns, row, strict=True)) for row in rows])


def _find(
    table: ReadTable,
    where: Mapping[str, Condition],
    order: Sequence[str],
    after: Sequence[Cell],
    *,
    descending: bool,
) -> tuple[str, list[Cell]]:
    """The statement that finds rows, and its values but for the limit."""
    sorted_by = (*order, *table.key)
    if not set(sorted_by) <= set(table.columns) or (after and len(after) != len(sorted_by)):
        raise ValueError(f"{table.name} is sorted by its columns, and `after` has a value for each")
    clause, values = _where(table, where), _values(where)
    if after:
        later, more = _later(sorted_by, after, descending=descending)
        first, value = sorted_by[0], after[0]
        if value is not None and (not descending or first in table.key):
            # Says nothing new, since None sorts first, and lets an index begin where the last page ended.
            later, more = f"{first} {'<=' if descending else '>='} ? AND {later}", [value, *more]
        clause += (" AND " if clause else " WHERE ") + later
        values += more
    direction = " DESC" if descending else ""
    sql = f"SELECT {', '.join(table.columns)} FROM {_checked(table)}{clause} ORDER BY "  # noqa: S608 checked names
    return sql + ", ".join(name + direction for name in sorted_by) + " LIMIT ?", values


def _shape(where: Mapping[str, Condition]) -> Iterator[object]:
    """What of a condition the statement's text depends on."""
    for name, wanted in where.items():
        yield name
        yield None if wanted is None or isinstance(wanted, str | int) else len(wanted)


def _where(table: ReadTable, where: Mapping[str, Condition]) -> str:
    """The clause of a condition; `_values` are its values."""
    if not where.keys() <= table.columns.keys():
        raise ValueError(f"{table.name} has the columns {', '.join(table.columns)}")
    terms = [
        f"{name} IS ?"
        if wanted is None or isinstance(wanted, str | int)
        else f"{name} IN ({', '.join('?' * len(wanted))})"
        for name, wanted in where.items()
    ]
    return " WHERE " + " AND ".join(terms) if terms else ""


def _values(where: Mapping[str, Condition]) -> list[Cell]:
    """The values of a condition, in the order of its marks."""
    values: list[Cell] = []
    for wanted in where.values():
        if wanted is None or isinstance(wanted, str | int):
            values.append(wanted)
        else:
            values.extend(wanted)
    return values


def _later(names: Sequence[str], after: Sequence[Cell], *, descending: bool) -> tuple[str, list[Cell]]:
    """The condition that a row sorts behind `after`; None sorts before every value."""
    terms: list[str] = []
    values: list[Cell] = []
    for place, (name, value) in enumerate(zip(names, after, strict=True)):
        if descending:
            behind = "0" if value is None else f"({name} < ? OR {name} IS NULL)"
        else:
            behind = f"{name} IS NOT NULL" if value is None else f"{name} > ?"
        same = [f"{earlier} IS ?" for earlier in names[:place]]
        terms.append("(" + " AND ".join([*same, behind]) + ")")
        values += [*after[:place], *([] if value is None else [value])]
    return "(" + " OR ".join(terms) + ")", values
