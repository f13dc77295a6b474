"""The store in one SQLite file: the embedded default, for one host and one server process.

The rules that must stay true: a transaction that returned is on disk (WAL with synchronous=FULL; both are read
back after opening and anything else is refused); one write at a time in the process, begun IMMEDIATE, so that
nothing is read that another writer could still change; after a failed write the connection is thrown away and
never asked again; triggers refuse every change of an entry, INSERT OR REPLACE included, on any connection.
Why one process: SQLite waits for a lock by sleeping and asking again, so that with several writing processes
nothing is lost and the slowest save is many times slower (the lock of opening.py keeps a second one out).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Literal

from equipoise.ledger import sqlite_rows
from equipoise.ledger.chain import ZEROS
from equipoise.ledger.entries import Part
from equipoise.ledger.store import (
    Cell,
    Condition,
    Head,
    NewEntry,
    ReadTable,
    Row,
    Stale,
    StoredEntry,
    StoredSnapshot,
    StoreFault,
    fault,
)

APPLICATION = 0x45515053  # "EQPS": the file says what it is (PRAGMA application_id)
_MAGIC = b"SQLite format 3\x00"
_WAIT_SECONDS = 30.0
_PAGE = 500
_STATEMENTS = 512
"""Compiled statements that a connection keeps: more than the program has."""
_RULES: dict[int, str] = {
    sqlite3.SQLITE_FULL: "ledger.disk-full",
    sqlite3.SQLITE_CORRUPT: "ledger.store-damaged",
    sqlite3.SQLITE_NOTADB: "ledger.store-foreign",
    sqlite3.SQLITE_BUSY: "ledger.busy",
    sqlite3.SQLITE_LOCKED: "ledger.busy",
}
_ENTRY = "position, stream, seq, key, part, leaf, header"
_BODIES_BY_POSITION = (
    "SELECT b.stream, b.seq, b.part, b.sealed FROM entries AS e"
    " CROSS JOIN bodies AS b ON b.stream = e.stream AND b.seq = e.seq WHERE e.position BETWEEN ? AND ?"
)
_EntryRow = tuple[int, str, int, str, int, str, bytes]
_BodyRow = tuple[str, int, Part, bytes]


def fault_of(error: sqlite3.Error, path: Path) -> StoreFault:
    """What an error of the database means to a reader."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # raised by the driver: text that is no UTF-8, a closed file
        rule = "ledger.store-damaged" if "decode" in str(error).lower() else "ledger.unavailable"
    else:
        rule = _RULES.get(code & 0xFF, "ledger.unavailable")
    if isinstance(error, sqlite3.DatabaseError) and "malformed" in str(error):
        rule = "ledger.store-damaged"
    return fault(rule, str(path), path=path, detail=error)


def _joined(rows: Sequence[_EntryRow], bodies: Iterable[_BodyRow]) -> tuple[StoredEntry, ...]:
    sealed: dict[tuple[str, int], dict[Part, bytes]] = {(row[1], row[2]): {} for row in rows}
    for stream, seq, part, data in bodies:
        sealed[stream, seq][part] = data
    return tuple(StoredEntry(*row, sealed[row[1], row[2]]) for row in rows)


class SqliteReading:
    """One consistent moment, on a connection that is inside a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def head(self, stream: str) -> Head:
        row = self._connection.execute(
            "SELECT seq, leaf, header FROM entries WHERE stream = ? ORDER BY seq DESC LIMIT 1", [stream]
        ).fetchone()
        return Head(stream, 0, ZEROS) if row is None else Head(stream, *row)

    def heads(self) -> tuple[Head, ...]:
        # From one stream to the next by the index: as many steps as streams, not as entries.
        rows = self._connection.execute(
            "WITH RECURSIVE names (name) AS (SELECT min(stream) FROM entries UNION ALL"
            " SELECT (SELECT min(stream) FROM entries WHERE stream > name) FROM names WHERE name IS NOT NULL)"
            " SELECT name FROM names WHERE name IS NOT NULL"
        ).fetchall()
        return tuple(self.head(name) for (name,) in rows)

    def entries(self, stream: str, after: int = 0) -> tuple[StoredEntry, ...]:
        rows = self._rows("stream = ? AND seq > ? ORDER BY seq", (stream, after))
        return self._with_bodies(rows, "stream = ? AND seq > ?", (stream, after))

    def keyed(self, stream: str, key: str) -> tuple[StoredEntry, ...]:
        rows = self._rows("stream = ? AND key = ? ORDER BY part", (stream, key))
        if not rows:
            return ()
        span = (stream, min(row[2] for row in rows), max(row[2] for row in rows))
        return self._with_bodies(rows, "stream = ? AND seq BETWEEN ? AND ?", span)

    def walk(self, after: int = 0, *, bodies: bool = True) -> Iterator[StoredEntry]:
        """As `store.Reading.walk`."""
        while rows := self._rows("position > ? ORDER BY position LIMIT ?", (after, _PAGE)):
            after = rows[-1][0]
            found: Iterable[_BodyRow] = ()
            if bodies:
                found = self._connection.execute(_BODIES_BY_POSITION, (rows[0][0], after))
            yield from _joined(rows, found)

    def _rows(self, where: str, values: Sequence[Cell]) -> list[_EntryRow]:
        return self._connection.execute(f"SELECT {_ENTRY} FROM entries WHERE {where}", values).fetchall()  # noqa: S608 literals of this file

    def _with_bodies(
        self, rows: list[_EntryRow], where: str, values: Sequence[Cell]
    ) -> tuple[StoredEntry, ...]:
        sql = f"SELECT stream, seq, part, sealed FROM bodies WHERE {where}"  # noqa: S608 literals of this file
        return _joined(rows, self._connection.execute(sql, values))

    def snapshot(self, stream: str) -> StoredSnapshot | None:
        row = self._connection.execute(
            "SELECT stream, seq, leaf, code, sealed, digest FROM snapshots WHERE stream = ?", [stream]
        ).fetchone()
        if row is None:
            return None
        found = StoredSnapshot(*row[:5])
        return found if row[5] == snapshot_digest(found) else None  # damaged: as good as none

    def get(self, table: ReadTable, key: Sequence[Cell]) -> Row | None:
        return sqlite_rows.get(self._connection, table, key)

    def find(
        self,
        table: ReadTable,
        where: Mapping[str, Condition] | None = None,
        *,
        order: Sequence[str] = (),
        after: Sequence[Cell] = (),
        descending: bool = False,
        limit: int | None = None,
    ) -> tuple[Row, ...]:
        """As `store.Rows.find`."""
        return sqlite_rows.find(
            self._connection, table, where, order=order, after=after, descending=descending, limit=limit
        )

    def count(self, table: ReadTable, where: Mapping[str, Condition] | None = None) -> int:
        return sqlite_rows.count(self._connection, table, where)


class SqliteTransaction(SqliteReading):
    """A reading that also writes; held by one thread under the write lock."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._heads: dict[str, Head] = {}

    def head(self, stream: str) -> Head:
        """As `store.Reading.head`; read once, because under the lock nobody else moves it."""
        known = self._heads.get(stream)
        if known is None:
            known = self._heads[stream] = super().head(stream)
        return known

    def append(self, entries: Sequence[NewEntry]) -> None:
        """As `store.Transaction.append`."""
        (last,) = self._connection.execute("SELECT coalesce(max(position), 0) FROM entries").fetchone()
        for position, new in enumerate(entries, last + 1):
            head = self.head(new.stream)
            if (new.seq - 1, new.prev) != (head.seq, head.leaf):
                raise Stale(new.stream)
            self._heads[new.stream] = Head(new.stream, new.seq, new.leaf, new.header)
            row = (position, new.stream, new.seq, new.key, new.part, new.leaf, new.header)
            try:
                self._connection.execute(f"INSERT INTO entries ({_ENTRY}) VALUES (?, ?, ?, ?, ?, ?, ?)", row)  # noqa: S608 literals of this file
            except sqlite3.IntegrityError as refused:
                raise Stale(new.stream) from refused
            self._connection.executemany(
                "INSERT INTO bodies (stream, seq, part, sealed) VALUES (?, ?, ?, ?)",
                [(new.stream, new.seq, part, sealed) for part, sealed in new.sealed.items()],
            )

    def keep_snapshot(self, snapshot: StoredSnapshot) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO snapshots (stream, seq, leaf, code, sealed, digest)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                snapshot.stream,
                snapshot.seq,
                snapshot.leaf,
                snapshot.code,
                snapshot.sealed,
                snapshot_digest(snapshot),
            ),
        )

    def put(self, table: ReadTable, row: Row) -> None:
        sqlite_rows.put(self._connection, table, row)

    def remove(self, table: ReadTable, key: Sequence[Cell]) -> None:
        sqlite_rows.remove(self._connection, table, key)

    def clear(self, table: ReadTable) -> None:
        sqlite_rows.clear(self._connection, table)

    def prepare(self, tables: Sequence[ReadTable], code: str) -> bool:
        """As `store.Transaction.prepare`."""
        wanted = {table.name: sqlite_rows.shape_of(table, code) for table in tables}
        standing = dict(self._connection.execute("SELECT name, shape FROM shapes").fetchall())
        if wanted == standing:
            return True
        for name in standing:
            sqlite_rows.drop(self._connection, name)
        self._connection.execute("DELETE FROM shapes")
        for table in tables:
            sqlite_rows.create(self._connection, table)
        self._connection.executemany("INSERT INTO shapes (name, shape) VALUES (?, ?)", wanted.items())
        return False


def snapshot_digest(snapshot: StoredSnapshot) -> str:
    """What a snapshot's row must add up to; it finds damage, not forgery, which the sealing finds."""
    place = f"{snapshot.stream}\n{snapshot.seq}\n{snapshot.leaf}\n{snapshot.code}\n".encode()
    return hashlib.sha256(place + snapshot.sealed).hexdigest()


class SqliteStore:
    """The store in the file at `path`. Made by `open_store`."""

    def __init__(self, path: Path, mode: Literal["write", "read"]) -> None:
        self._path = path
        self._mode = mode
        self.durable = True
        """As `store.Store.durable`."""
        self._writing = threading.Lock()
        self._writer: sqlite3.Connection | None = None
        self._writing_thread: int | None = None
        self._idle: list[sqlite3.Connection] = []  # list.append and list.pop are atomic

    @contextmanager
    def reading(self) -> Iterator[SqliteReading]:
        """As `store.Store.reading`."""
        connection: sqlite3.Connection | None = None
        try:
            connection = self._idle.pop() if self._idle else _connect(self._path, "read")
            connection.execute("BEGIN")
            yield SqliteReading(connection)
            connection.execute("ROLLBACK")
            self._idle.append(connection)
            connection = None
        except sqlite3.Error as error:
            raise fault_of(error, self._path) from error
        finally:
            if connection is not None:  # left by an exception: cheaper to open another than to judge this one
                connection.close()

    @contextmanager
    def writing(self, streams: Collection[str]) -> Iterator[SqliteTransaction]:
        """As `store.Store.writing`. One write lock serves every stream: an append takes well under a millisecond."""
        if self._mode != "write":
            raise fault("ledger.read-only", str(self._path), path=self._path)
        if self._writing_thread == threading.get_ident():
            raise RuntimeError("a write within a write would wait for itself")
        if not self._writing.acquire(timeout=_WAIT_SECONDS):
            raise fault("ledger.busy", str(self._path), path=self._path, detail="")
        self._writing_thread = threading.get_ident()
        try:
            with self._transaction() as transaction:
                yield transaction
        finally:
            self._writing_thread = None
            self._writing.release()

    @contextmanager
    def _transaction(self) -> Iterator[SqliteTransaction]:
        try:
            if self._writer is None:
                self._writer = _connect(self._path, "write")
                if not self.durable:
                    self._writer.execute("PRAGMA synchronous = OFF")
            self._writer.execute("BEGIN IMMEDIATE")
            yield SqliteTransaction(self._writer)
            self._writer.execute("COMMIT")
        except sqlite3.Error as error:
            self._abandon()
            raise fault_of(error, self._path) from error
        except BaseException:
            self._abandon()
            raise

    def _abandon(self) -> None:
        """Undo, and never ask this connection again: after a failed write it may not tell the truth."""
        connection, self._writer = self._writer, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def relax(self) -> None:
        """As `store.Store.relax`: from the next write on nothing is awaited."""
        with self._writing:
            self.durable = False
            if self._writer is not None:
                self._writer.execute("PRAGMA synchronous = OFF")

    def close(self) -> None:
        """As `store.Store.close`."""
        while self._idle:
            self._idle.pop().close()
        with self._writing:
            if self._writer is not None:
                self._writer.close()
                self._writer = None


def open_store(path: Path, mode: Literal["write", "read"], *, create: bool = False) -> SqliteStore:
    """The store at `path`, checked to be one and to keep its promises; `create` makes it where there is none.

    Raises StoreFault: `ledger.not-found`, `ledger.store-foreign`, `ledger.store-damaged`, `ledger.store-newer`,
    `ledger.store-altered` (its tables or triggers are not ours), `ledger.unsafe-mode`, `ledger.unavailable`.
    """
    try:
        if not path.exists() or path.stat().st_size == 0:
            if not create or mode == "read":
                raise fault("ledger.not-found", str(path), path=path)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        elif not _is_database(path):
            raise fault("ledger.store-foreign", str(path), path=path)
        # Looked at before it is opened for writing, so that another program's file stays as it is.
        version = _first_look(path, mode, create=create)
        if mode == "write":
            with contextlib.closing(_connect(path, "write")) as connection:
                version = _migrate(connection, version)
        with contextlib.closing(_connect(path, "read")) as connection:
            _check_schema(connection, path, version)
    except sqlite3.Error as error:
        raise fault_of(error, path) from error
    except OSError as error:
        raise fault("ledger.unavailable", str(path), path=path, detail=error.strerror) from error
    return SqliteStore(path, mode)


def _is_database(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def _first_look(path: Path, mode: Literal["write", "read"], *, create: bool) -> int:
    """The version of the file, read without writing unless a kill has left it half-way through a change."""
    try:
        with contextlib.closing(_connect(path, "read")) as connection:
            return _version(connection, path, create=create)
    except sqlite3.OperationalError as error:
        if mode == "read" or error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_READONLY:
            raise
    with contextlib.closing(_connect(path, "recover")) as connection:
        return _version(connection, path, create=create)


def _connect(path: Path, mode: Literal["write", "read", "recover"]) -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?mode={'ro' if mode == 'read' else 'rw'}"
    connection = sqlite3.connect(
        address,
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=_WAIT_SECONDS,
        cached_statements=_STATEMENTS,
    )
    try:
        for setting in (
            "cell_size_check = ON",
            "trusted_schema = OFF",
            "foreign_keys = ON",
            "recursive_triggers = ON",
        ):
            connection.execute(f"PRAGMA {setting}")
        if mode == "write":
            _make_durable(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_durable(connection: sqlite3.Connection, path: Path) -> None:
    """Switch WAL, FULL and the triggers on, and read them back: some file systems answer and do not obey."""
    connection.execute("PRAGMA synchronous = FULL")
    (journal,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "recursive_triggers": 1}
    found = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in expected}
    if found != expected or journal != "wal":
        raise fault("ledger.unsafe-mode", str(path), path=path, detail=found)


def _scripts() -> list[str]:
    folder = files("equipoise.ledger").joinpath("sql")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [folder.joinpath(name).read_text("utf-8") for name in names]


def _version(connection: sqlite3.Connection, path: Path, *, create: bool) -> int:
    """How many of the numbered scripts the file has seen; a fault where it is no store, or a later one."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    begun = create and application == 0 and version == 0 and not _schema(connection)
    if application != APPLICATION and not begun:
        raise fault("ledger.store-foreign", str(path), path=path)
    if version > len(_scripts()):
        raise fault("ledger.store-newer", str(path), path=path)
    return int(version)


def _check_schema(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Hold tables, indexes and triggers to those that the scripts make."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as model:
        _migrate(model, 0, version)
        if _schema(model) != _schema(connection):
            raise fault("ledger.store-altered", str(path), path=path)


def _migrate(connection: sqlite3.Connection, version: int, upto: int | None = None) -> int:
    """Run the scripts that the file has not seen, all or none; the number of scripts it has seen then."""
    scripts = _scripts()[:upto]
    if version == len(scripts):
        return version
    connection.execute("BEGIN IMMEDIATE")
    for script in scripts[version:]:
        statement = ""
        for line in script.splitlines(keepends=True):
            statement += line
            if sqlite3.complete_statement(statement):
                connection.execute(statement)
                statement = ""
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {len(scripts)}")
    connection.execute("COMMIT")
    return len(scripts)


def _schema(connection: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """What the ledger's tables, indexes and triggers are; the read tables are not part of it."""
    return connection.execute(
        "SELECT type, name, coalesce(sql, '') FROM sqlite_schema"
        " WHERE tbl_name NOT LIKE 'read\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        " ORDER BY type, name"
    ).fetchall()
