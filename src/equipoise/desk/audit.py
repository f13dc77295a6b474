"""The audit trail, searched: who, when, what kind, whose, which form and item, why; and marks of having reviewed it.

The rules that must stay true: a reader sees here no more than on the pages of the role: no form that it never sees, no
kind of entry that belongs to pages it does not read, nothing of what one person typed from paper before the other has;
a page opens the bodies of its own lines and no others.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from equipoise.access.commands import Who
from equipoise.access.decide import may_read
from equipoise.desk.audit_table import AUDIT
from equipoise.desk.desk import Desk, subject_of
from equipoise.desk.double_tables import DOUBLES
from equipoise.desk.followers import GRANTS, QUERIES, SUBJECTS
from equipoise.desk.queues import sites_of
from equipoise.ledger.commit import written_at
from equipoise.ledger.entries import (
    KINDS,
    AuditReviewed,
    EntriesSettled,
    EntriesWithdrawn,
    Entry,
    FirstEntryRecorded,
    FormSaved,
    Recorded,
    SecondEntryRecorded,
)
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import Condition, Row
from equipoise.words.clock import local

READS = "audit"
PAGE = 50
_CAPITAL = re.compile(r"(?<!^)([A-Z])")
LOOKED_AT = 1000
"""Entries that one page looks through at most, where a search needs the bodies."""
ENTRIES_OF_ONE = (FirstEntryRecorded, EntriesWithdrawn)
"""What one person typed from paper, or said of it: covered until the other has typed it, too."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for; empty texts stand for all. `since`, `until`: moments in UTC; `words`: within the reason."""

    number: str = ""
    actor: str = ""
    kind: str = ""
    form: str = ""
    item: str = ""
    words: str = ""
    since: dt.datetime | None = None
    until: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One entry: when (UTC and site time), who in which role, what, whose and where, which items, why; its proof."""

    at: str
    at_site: str
    who: str
    role: str
    kind: str
    number: str
    place: tuple[str, str, int] | None
    items: tuple[str, ...]
    reason: str
    stream: str
    seq: int
    leaf: str


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A mark that somebody reviewed the trail."""

    at: str
    who: str
    entry: AuditReviewed


@dataclass(frozen=True, slots=True)
class AuditView:
    """A page of the trail, newest first. `after`: where the next page begins, empty at the end."""

    lines: tuple[AuditLine, ...]
    after: str
    kinds: tuple[str, ...]
    people: tuple[tuple[str, str], ...]
    reviews: tuple[Reviewed, ...]


def audit_page(desk: Desk, who: Who, search: Search, after: str = "") -> AuditView | None:
    """A page of the trail; None for who may not read it."""
    if not may_read(who, READS, None):
        return None
    with desk.reading() as reader:
        sites = sites_of(reader, who, READS)
        kinds = seen_kinds(who)
        lines, rest = _lines(desk, reader, who, search, after, sites, kinds)
        people = {str(row["user"]) for row in reader.rows.find(GRANTS)}
        reviews = _reviews(desk, reader)
    named = sorted(((actor, desk.register.staff_name(actor)) for actor in people), key=lambda one: one[1])
    return AuditView(lines, rest, tuple(sorted(kinds)), tuple(named), reviews)


def seen_kinds(who: Who) -> frozenset[str]:
    """The kinds of entry that a role sees in the trail."""
    return frozenset(
        name for name, kind in KINDS.items() if not kind.belongs or may_read(who, kind.belongs, None)
    )


def kind_key(kind: str) -> str:
    """The message that names a kind of entry."""
    words = _CAPITAL.sub(r"-\1", kind).lower()
    return f"kinds.of-{words}"


def _lines(
    desk: Desk,
    reader: Reader,
    who: Who,
    search: Search,
    after: str,
    sites: Mapping[str, str],
    kinds: frozenset[str],
) -> tuple[tuple[AuditLine, ...], str]:
    """The lines of a page and the start of the next."""
    hidden = desk.trial(reader).ever_hidden_from(who.role)
    where = _where(reader, search, sites, kinds)
    if where is None:
        return (), ""
    cursor: tuple[str, str, int] | None = _read_cursor(after)
    if cursor is None and search.until is not None:
        cursor = (written_at(search.until), "", 0)
    found: list[AuditLine] = []
    looked = 0
    while looked < LOOKED_AT:
        rows = reader.rows.find(AUDIT, where, after=cursor or (), descending=True, limit=PAGE)
        for row in rows:
            if search.since is not None and str(row["at"]) < written_at(search.since):
                return tuple(found), ""
            cursor = (str(row["at"]), str(row["stream"]), int(row["seq"] or 0))
            looked += 1
            seen = (
                row["kind"] in kinds
            )  # not asked of the table: a long list of kinds would keep it from its index
            line = _line(desk, reader, row, search, sites, hidden) if seen else None
            if line is not None:
                found.append(line)
            if len(found) == PAGE:
                return tuple(found), _cursor(cursor)
        if len(rows) < PAGE:
            return tuple(found), ""
    return tuple(found), _cursor(cursor) if cursor else ""


def _where(
    reader: Reader, search: Search, sites: Mapping[str, str], kinds: frozenset[str]
) -> dict[str, Condition] | None:
    """The search as conditions of the table; None where nothing can be found."""
    where: dict[str, Condition] = {"site": [*sites, ""]}
    if search.kind:
        if search.kind not in kinds:
            return None
        where["kind"] = search.kind
    if search.number:
        subject = subject_of(reader, search.number)
        if subject is None:
            return None
        where["subject"] = subject
    where |= {name: value for name, value in (("actor", search.actor), ("form", search.form)) if value}
    return where


def _line(
    desk: Desk, reader: Reader, row: Row, search: Search, sites: Mapping[str, str], hidden: Collection[str]
) -> AuditLine | None:
    """The line of a row; None where its reader never sees the form, or the search is for something else."""
    stream, seq, subject = str(row["stream"]), int(row["seq"] or 0), str(row["subject"] or "")
    opened = next((one for one in reader.keyed(stream, str(row["key"])) if one.header.seq == seq), None)
    if opened is None or _form_of(reader, row, opened.entry) in hidden:
        return None
    items, reason = _items(opened), _reason(opened.entry)
    if isinstance(opened.entry, ENTRIES_OF_ONE) and _may_still_be_typed(reader, subject, opened.entry):
        items, reason = (), ""
    if (search.item and search.item not in items) or search.words.lower() not in reason.lower():
        return None
    known = reader.rows.get(SUBJECTS, (subject,)) if subject else None
    place = (str(row["visit"]), str(row["form"]), int(row["repeat"] or 1)) if row["form"] else None
    return AuditLine(
        at=str(row["at"]),
        at_site=local(str(row["at"]), sites.get(str(row["site"])) or desk.trial(reader).study.zone_of(None)),
        who=desk.register.staff_name(str(row["actor"])),
        role=str(row["role"]),
        kind=str(row["kind"]),
        number=str(known["number"]) if known is not None else "",
        place=place,
        items=items,
        reason=reason,
        stream=stream,
        seq=seq,
        leaf=opened.leaf,
    )


def _form_of(reader: Reader, row: Row, entry: Entry | None) -> str:
    """The form that an entry is about, also where it names a query only."""
    asked = getattr(entry, "query", None)
    if isinstance(asked, str) and not row["form"]:
        known = reader.rows.get(QUERIES, (str(row["subject"]), asked))
        return str(known["form"]) if known is not None else ""
    return str(row["form"] or "")


def _may_still_be_typed(reader: Reader, subject: str, entry: FirstEntryRecorded | EntriesWithdrawn) -> bool:
    """Whether somebody may yet type the same source, who is not to know what another typed of it."""
    row = reader.rows.get(DOUBLES, (subject, entry.visit, entry.form, entry.repeat))
    return row is None or row["state"] in {"FIRST", "WITHDRAWN"}


def _items(recorded: Recorded) -> tuple[str, ...]:
    entry = recorded.entry
    if isinstance(entry, FormSaved):
        return tuple(dict.fromkeys((*entry.items, *entry.texts)))
    if isinstance(entry, FirstEntryRecorded | SecondEntryRecorded):
        return tuple(entry.items)
    if isinstance(entry, EntriesSettled):
        return entry.differing
    item = getattr(entry, "item", "")
    return (item,) if isinstance(item, str) and item else ()


def _reason(entry: Entry | None) -> str:
    """Why, in the words that somebody wrote: a reason, a question, an answer or a note."""
    for name in ("reason", "text", "answer", "note"):
        said = getattr(entry, name, None)
        if isinstance(said, str) and said:
            return said
    return ""


def _reviews(desk: Desk, reader: Reader) -> tuple[Reviewed, ...]:
    """The latest marks, newest first."""
    found = [
        Reviewed(one.header.at, desk.register.staff_name(one.header.actor), one.entry)
        for one in reader.entries("audit")[-20:]
        if isinstance(one.entry, AuditReviewed)
    ]
    return tuple(reversed(found))


def _cursor(cursor: tuple[str, str, int]) -> str:
    return " ".join((cursor[0], cursor[1], str(cursor[2])))


def _read_cursor(text: str) -> tuple[str, str, int] | None:
    parts = text.split(" ")
    if len(parts) != 3 or not parts[2].isdigit():
        return None
    return parts[0], parts[1], int(parts[2])
