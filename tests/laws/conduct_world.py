"""A trial in memory, for walks through it: the desk's own routes, access, facts, folds and read tables, and no disk.

What it leaves out of a desk is only how entries are sealed, chained and stored, which other laws look at. A command goes
through `desk._judged` exactly as `Desk.submit` sends it, and what it decides is folded by the same code.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from equipoise.access.commands import Grant, Who
from equipoise.desk.cases import Case
from equipoise.desk.desk import _judged
from equipoise.desk.followers import FOLLOWERS
from equipoise.desk.routes import ROUTES
from equipoise.desk.standing import Memory, Standing, Trial, read_trial, stand
from equipoise.ledger.commit import written_at
from equipoise.ledger.entries import Append, Entry, Header, Recorded
from equipoise.ledger.facts import Decision, Proof, Refusal
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import Cell, Condition, Head, ReadTable, Row

ZEROS = "0" * 64
_UNIQUE = itertools.count(1)


class Tables:
    """The read tables as dictionaries."""

    def __init__(self, rows: Mapping[str, Mapping[tuple[Cell, ...], Row]] | None = None) -> None:
        self._rows = {name: dict(held) for name, held in (rows or {}).items()}

    def copy(self) -> Tables:
        return Tables(self._rows)

    def get(self, table: ReadTable, key: Sequence[Cell]) -> Row | None:
        return self._rows.get(table.name, {}).get(tuple(key))

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
        names = (*order, *table.key)
        found = [row for row in self._rows.get(table.name, {}).values() if _meets(row, where)]
        found.sort(key=lambda row: [(row[name] is not None, row[name]) for name in names], reverse=descending)
        assert not after, "no walk asks for a second page"
        return tuple(found[:limit])

    def count(self, table: ReadTable, where: Mapping[str, Condition] | None = None) -> int:
        return sum(_meets(row, where) for row in self._rows.get(table.name, {}).values())

    def put(self, table: ReadTable, row: Row) -> None:
        self._rows.setdefault(table.name, {})[tuple(row[name] for name in table.key)] = dict(row)

    def remove(self, table: ReadTable, key: Sequence[Cell]) -> None:
        self._rows.get(table.name, {}).pop(tuple(key), None)


def _meets(row: Row, where: Mapping[str, Condition] | None) -> bool:
    for name, wanted in (where or {}).items():
        one_of = isinstance(wanted, Collection) and not isinstance(wanted, str)
        if not (row[name] in wanted if one_of else row[name] == wanted):  # type: ignore[operator]
            return False
    return True


class Book:
    """Streams and tables, read as `ledger.Reader` reads them."""

    def __init__(
        self, streams: Mapping[str, Sequence[Recorded]] | None = None, rows: Tables | None = None
    ) -> None:
        self.streams = {name: list(held) for name, held in (streams or {}).items()}
        self.rows = rows or Tables()
        self._mark = next(_UNIQUE)

    def copy(self) -> Book:
        return Book(self.streams, self.rows.copy())

    def head(self, stream: str) -> Head:
        held = self.streams.get(stream)
        return Head(stream, held[-1].header.seq, held[-1].leaf) if held else Head(stream, 0, ZEROS)

    def entries(self, stream: str, after: int = 0) -> tuple[Recorded, ...]:
        return tuple(self.streams.get(stream, ())[after:])

    def fold(self, stream: str, folding: Any) -> Any:  # Any: the state of the folding
        state = folding.start
        for recorded in self.entries(stream):
            state = folding.evolve(state, recorded)
        return state

    def append(self, entry: Append, actor: str, role: str, at: dt.datetime) -> Recorded:
        """Write one entry, as a commit does, and have the followers follow it."""
        head = self.head(entry.stream)
        header = Header(
            1, "made-up", entry.stream, head.seq + 1, head.leaf, entry.entry.kind, "d" * 64, actor, role, written_at(at),
            None, "Asia/Shanghai", "key", 0, "c" * 64, (),
        )  # fmt: skip
        recorded = Recorded(header, f"{self._mark}:{entry.stream}:{head.seq + 1}", entry.entry)
        self.streams.setdefault(entry.stream, []).append(recorded)
        for follower in FOLLOWERS:
            follower.follow(cast(Any, self.rows), recorded)
        return recorded


class World:
    """A book, the people who act in it, and a clock that goes a minute with every command."""

    memory = Memory()
    """Shared by every world: what was folded is known by its leaves, and definitions by their digests."""

    def __init__(self, book: Book, people: Mapping[str, tuple[str, str | None]], at: dt.datetime) -> None:
        self.book, self.people, self.at = book, people, at
        self._trial: tuple[str, str, Trial] | None = None

    @property
    def reader(self) -> Reader:
        """The book, as what it stands in for."""
        return cast(Reader, self.book)

    def trial(self) -> Trial:
        """What holds for the whole trial; read again when one of its streams moved, as a desk does."""
        heads, known = (self.book.head("study").leaf, self.book.head("allocation").leaf), self._trial
        if known is None or known[:2] != heads:
            same = known[2] if known is not None and known[0] == heads[0] else None
            known = self._trial = (*heads, read_trial(self.reader, same, memory=self.memory))
        return known[2]

    def case(self, subject: str) -> Case:
        """What was recorded of a subject."""
        return self.memory.case(self.reader, subject)

    def standing(self, subject: str | None, site: str | None = None, *, judged: bool = False) -> Standing:
        """What holds for a subject now."""
        return stand(
            self.trial(), self.reader, subject, self.at, memory=self.memory, site=site, judged=judged
        )

    def who(self, actor: str) -> Who:
        """A person in the role they hold."""
        role, site = self.people[actor]
        return Who(actor, role, (Grant(role, site),), (Grant(role, site),))

    def decide(self, actor: str, command: Any, proved: str = "") -> Decision:  # Any: a command of any room
        """Judge a command as the desk does. `proved`: who gave user name and password for it."""
        self.at += dt.timedelta(minutes=1)
        route = ROUTES[type(command)]
        subject, site = getattr(command, "subject", None), getattr(command, "site", None)
        now = self.standing(subject, site, judged=route.depth == "judged")
        if proved:
            facts = dataclasses.replace(now.facts, proved=Proof(proved, "DEMO"))
            now = dataclasses.replace(now, facts=facts)
        return _judged(self.reader, route, self.who(actor), now, command)

    def give(
        self, actor: str, command: Any, proved: str = ""
    ) -> tuple[Entry, ...] | Refusal:  # Any: as above
        """Judge a command and write what was decided."""
        decision = self.decide(actor, command, proved)
        if isinstance(decision, Refusal):
            return decision
        role = self.people[actor][0]
        return tuple(self.write(append, actor, role) for append in decision)

    def write(self, append: Append, actor: str = "system", role: str = "system") -> Entry:
        """Write one entry."""
        recorded = self.book.append(append, actor, role, self.at)
        assert recorded.entry is not None
        return recorded.entry
