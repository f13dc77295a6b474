"""The read table of protocol deviations: which there are, where, by which rule, and how far each is.

The rule that must stay true: as for every read table (`followers`): ids, states, moments and places only, no text
and no day on which something happened. It has a follower of its own.
"""

from __future__ import annotations

from equipoise.ledger.entries import (
    DeviationClassed,
    DeviationClosed,
    DeviationExplained,
    DeviationRaised,
    DeviationReopened,
    DeviationWithdrawn,
    Entry,
    Recorded,
    SubjectScreened,
)
from equipoise.ledger.followers import Follower
from equipoise.ledger.store import Cell, ReadTable, Transaction

DEVIATION_CASES = ReadTable(
    "deviation_cases", {"subject": "text", "site": "text", "number": "text"}, ("subject",)
)
DEVIATIONS = ReadTable(
    "deviations",
    {
        "subject": "text",
        "deviation": "text",
        "site": "text",
        "number": "text",
        "rule": "text",
        "visit": "text",
        "state": "text",
        "severity": "text",
        "important": "integer",
        "explained": "integer",
        "raised_at": "text",
    },
    ("subject", "deviation"),
    (("site", "state", "raised_at"), ("state", "severity", "raised_at")),
)
"""`state`: OPEN, CLOSED or WITHDRAWN. `severity`: empty until a person classed it."""


def follow(tables: Transaction, recorded: Recorded) -> None:
    """Bring the tables up to date with one more entry."""
    entry, stream = recorded.entry, recorded.header.stream
    if isinstance(entry, SubjectScreened):
        place = {"subject": entry.subject, "site": entry.site, "number": entry.screening_number}
        tables.put(DEVIATION_CASES, place)
    elif isinstance(entry, DeviationRaised):
        owner = tables.get(DEVIATION_CASES, (stream.removeprefix("subject/"),))
        if owner is not None:
            fresh: dict[str, Cell] = {"state": "OPEN", "severity": "", "important": 0, "explained": 0}
            about: dict[str, Cell] = {"deviation": entry.deviation, "rule": entry.rule, "visit": entry.visit}
            tables.put(DEVIATIONS, {**owner, **about, **fresh, "raised_at": recorded.header.at})
    elif entry is not None:
        changes = _changes(entry)
        row = tables.get(DEVIATIONS, (stream.removeprefix("subject/"), entry_of(entry))) if changes else None
        if row is not None:
            tables.put(DEVIATIONS, {**row, **changes})


def entry_of(entry: Entry) -> str:
    """The deviation that an entry is about; empty for any other entry."""
    return str(getattr(entry, "deviation", ""))


def _changes(entry: Entry) -> dict[str, Cell]:
    match entry:
        case DeviationClassed():
            return {"severity": entry.severity, "important": int(entry.important)}
        case DeviationExplained():
            return {"explained": 1}
        case DeviationClosed():
            return {"state": "CLOSED"}
        case DeviationReopened():
            return {"state": "OPEN"}
        case DeviationWithdrawn():
            return {"state": "WITHDRAWN"}
        case _:
            return {}


DEVIATIONS_FOLLOWER = Follower("deviations", "1", (DEVIATION_CASES, DEVIATIONS), follow)
