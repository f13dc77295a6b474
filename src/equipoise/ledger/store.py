"""What a store is: the few operations on which the ledger stands, whatever database serves them.

The rules that must stay true for every implementation (one contract suite holds them to it): entries are only
ever added; an append is atomic over all its streams and is on disk before `writing` returns; it is refused
(`Stale`) unless each entry follows the head of its stream; readings see one consistent moment. Nothing outside
an implementation's own file may know which database it is. Faults of the machine (full disk, damaged file, lost
connection) are raised as `StoreFault`, which carries the Problem to show; no operation retries by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

from equipoise.ledger.entries import Part
from equipoise.words.problem import Problem, problem

Cell = str | int | None
Row = Mapping[str, Cell]
"""One row of a read table by column."""
Condition = Cell | Collection[str | int]
"""What a column must equal, or, for a list or set, be one of."""


class StoreFault(Exception):
    """The store could not do it, for a reason outside the program; `problem` says which and what to do."""

    def __init__(self, reason: Problem) -> None:
        super().__init__(reason.rule, reason.where, dict(reason.arguments))
        self.problem = reason


class Stale(Exception):
    """Another writer was first: the stream's head is no longer the one that the append follows."""


def fault(rule: str, where: str = "", **arguments: object) -> StoreFault:
    """A StoreFault with the Problem of `rule`."""
    return StoreFault(problem(rule, where, **arguments))


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a stream: 0, 64 zeros and no header for a stream without entries."""

    stream: str
    seq: int
    leaf: str
    header: bytes | None = None


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry to append: its canonical header bytes, what the store indexes of them, and its sealed parts."""

    stream: str
    seq: int
    prev: str
    key: str
    part: int
    leaf: str
    header: bytes
    sealed: Mapping[Part, bytes]


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry as the store holds it. `position` grows with every append; only its order means anything."""

    position: int
    stream: str
    seq: int
    key: str
    part: int
    leaf: str
    header: bytes
    sealed: Mapping[Part, bytes]


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """The sealed state of a stream after `seq`, of which `leaf` is the leaf; `code` is what computed it."""

    stream: str
    seq: int
    leaf: str
    code: str
    sealed: bytes


@dataclass(frozen=True, slots=True)
class ReadTable:
    """A table that answers questions quickly and can be dropped at any time: it is recomputed from the entries.

    columns: name -> `text` or `integer`; every column may be None except those of `key`.
    key: the columns that name a row. orders: the column lists by which rows are often looked up or sorted.
    Names are lower-case letters, digits and underscores.
    """

    name: str
    columns: Mapping[str, Literal["text", "integer"]]
    key: tuple[str, ...]
    orders: tuple[tuple[str, ...], ...] = ()


class Rows(Protocol):
    """Reading the read tables."""

    def get(self, table: ReadTable, key: Sequence[Cell]) -> Row | None:
        """The row of `key`, in the order of `table.key`, or None."""

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
        """The rows that meet `where`, sorted by `order` and then by the key, None first.

        after: values of `order` followed by those of the key; rows up to and including it are left out, so that
        the last row of one page gives the start of the next.
        """

    def count(self, table: ReadTable, where: Mapping[str, Condition] | None = None) -> int:
        """How many rows meet `where`."""


class Reading(Rows, Protocol):
    """One consistent moment of the store."""

    def head(self, stream: str) -> Head:
        """The last entry of `stream`."""

    def heads(self) -> tuple[Head, ...]:
        """The last entry of every stream, by stream name."""

    def entries(self, stream: str, after: int = 0) -> tuple[StoredEntry, ...]:
        """The entries of `stream` with seq > `after`, by seq."""

    def keyed(self, stream: str, key: str) -> tuple[StoredEntry, ...]:
        """The entries of `stream` that were appended under an idempotency key, by part."""

    def walk(self, after: int = 0, *, bodies: bool = True) -> Iterator[StoredEntry]:
        """Every entry of the store with position > `after`, in the order in which they were appended.

        bodies: with their sealed parts; without, `sealed` is empty, which is quicker.
        """

    def snapshot(self, stream: str) -> StoredSnapshot | None:
        """The stream's snapshot, if there is one."""


class Transaction(Reading, Protocol):
    """A reading in which things are also written; all of it becomes durable together, or none of it."""

    def append(self, entries: Sequence[NewEntry]) -> None:
        """Add entries, in this order. Raises Stale unless each follows the head of its stream."""

    def keep_snapshot(self, snapshot: StoredSnapshot) -> None:
        """Put the stream's snapshot in the place of the one before."""

    def put(self, table: ReadTable, row: Row) -> None:
        """Write a whole row; it replaces the row of the same key."""

    def remove(self, table: ReadTable, key: Sequence[Cell]) -> None:
        """Take away the row of `key`, if there is one."""

    def clear(self, table: ReadTable) -> None:
        """Take away every row."""

    def prepare(self, tables: Sequence[ReadTable], code: str) -> bool:
        """Make the read tables. False where they, or `code`, are not what the store last had: they are empty then
        and must be filled from the entries."""


class Store(Protocol):
    """A place that holds one ledger."""

    def reading(self) -> AbstractContextManager[Reading]:
        """A consistent moment to read; many may be open at once."""

    def writing(self, streams: Collection[str]) -> AbstractContextManager[Transaction]:
        """A transaction that may append to `streams`, which no other writer can extend meanwhile.

        Leaving the block normally makes it durable; leaving it by an exception undoes all of it.
        """

    @property
    def durable(self) -> bool:
        """Whether a write that returned is on disk."""

    def relax(self) -> None:
        """Wait for the disk no more: a crash may lose what was written last. For rehearsals only (decision 0036)."""

    def close(self) -> None:
        """Give everything back. Further use is a fault of the program."""
