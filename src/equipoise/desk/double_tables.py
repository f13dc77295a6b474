"""The read tables of double entry: which pairs of entries there are and how far, and how often an item differed.

The rules that must stay true: as for every read table (`followers`): ids, states, moments, places and counts only,
never what was typed, nor which items before both entries are in. Only settled pairs are counted. They have a follower
of their own.
"""

from __future__ import annotations

from equipoise.ledger.entries import (
    EntriesSettled,
    EntriesWithdrawn,
    FirstEntryRecorded,
    Recorded,
    SecondEntryRecorded,
    SubjectScreened,
)
from equipoise.ledger.followers import Follower
from equipoise.ledger.store import Cell, ReadTable, Row, Transaction

DOUBLE_CASES = ReadTable("double_cases", {"subject": "text", "site": "text", "number": "text"}, ("subject",))
DOUBLES = ReadTable(
    "doubles",
    {
        "subject": "text",
        "visit": "text",
        "form": "text",
        "repeat": "integer",
        "site": "text",
        "number": "text",
        "state": "text",
        "first_by": "text",
        "second_by": "text",
        "first_at": "text",
        "second_at": "text",
        "settled_at": "text",
        "compared": "integer",
        "differing": "integer",
    },
    ("subject", "visit", "form", "repeat"),
    (("state", "number"), ("state", "first_at"), ("site", "state")),
)
"""`state`: FIRST (waits for the second), DIFFERS (waits for a decision), SETTLED, WITHDRAWN."""
PENDING = ("FIRST", "DIFFERS")
DOUBLE_ITEMS = ReadTable(
    "double_items",
    {
        "site": "text",
        "form": "text",
        "item": "text",
        "compared": "integer",
        "differing": "integer",
        "first_wrong": "integer",
        "second_wrong": "integer",
    },
    ("site", "form", "item"),
    (("form", "item"),),
)
"""Of settled pairs, for each item: how often it was compared, how often it differed, and whose entry was not taken."""
_EMPTY: Row = {
    "state": "FIRST",
    "second_by": None,
    "second_at": None,
    "settled_at": None,
    "compared": 0,
    "differing": 0,
}


def follow(tables: Transaction, recorded: Recorded) -> None:
    """Bring the tables up to date with one more entry."""
    entry, header = recorded.entry, recorded.header
    if isinstance(entry, SubjectScreened):
        case = {"subject": entry.subject, "site": entry.site, "number": entry.screening_number}
        tables.put(DOUBLE_CASES, case)
        return
    if not isinstance(entry, FirstEntryRecorded | SecondEntryRecorded | EntriesSettled | EntriesWithdrawn):
        return
    subject = header.stream.removeprefix("subject/")
    place: Row = {"subject": subject, "visit": entry.visit, "form": entry.form, "repeat": entry.repeat}
    if isinstance(entry, FirstEntryRecorded):
        owner = tables.get(DOUBLE_CASES, (subject,)) or {"site": None, "number": None}
        first: Row = {"site": owner["site"], "number": owner["number"], "first_by": header.actor}
        tables.put(DOUBLES, {**place, **_EMPTY, **first, "first_at": header.at})
        return
    row = tables.get(DOUBLES, tuple(place.values()))
    if row is None:
        return
    if isinstance(entry, SecondEntryRecorded):
        second: Row = {"state": "DIFFERS", "second_by": header.actor, "second_at": header.at}
        tables.put(DOUBLES, {**row, **second, "differing": len(entry.differing)})
    elif isinstance(entry, EntriesSettled):
        settled: Row = {"state": "SETTLED", "settled_at": header.at, "compared": len(entry.compared)}
        tables.put(DOUBLES, {**row, **settled})
        _count(tables, str(row["site"] or ""), entry)
    else:
        tables.put(DOUBLES, {**row, "state": "WITHDRAWN", "settled_at": header.at})


def _count(tables: Transaction, site: str, entry: EntriesSettled) -> None:
    for item in entry.compared:
        key = (site, entry.form, item)
        known: Row = tables.get(DOUBLE_ITEMS, key) or {
            "site": site, "form": entry.form, "item": item,
            "compared": 0, "differing": 0, "first_wrong": 0, "second_wrong": 0,
        }  # fmt: skip
        choice = entry.choices.get(item, "")
        more = {
            "compared": 1,
            "differing": int(item in entry.differing),
            "first_wrong": int(choice in {"SECOND", "NEITHER"}),
            "second_wrong": int(choice in {"FIRST", "NEITHER"}),
        }
        counted: dict[str, Cell] = {name: int(known[name] or 0) + step for name, step in more.items()}
        tables.put(DOUBLE_ITEMS, {**known, **counted})


DOUBLE_FOLLOWER = Follower("double", "1", (DOUBLE_CASES, DOUBLES, DOUBLE_ITEMS), follow)
"""Raise the version whenever this file computes something else."""
