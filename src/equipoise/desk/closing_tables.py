"""The read tables of closing: for every form that was recorded, whether it is complete, signed, verified and reviewed.

The rules that must stay true: as for every read table (`followers`): ids, states, moments and places only, and rebuilt
they are what following made them. What breaks a signature is asked of capture, never decided here. They have a
follower of their own, which looks at no table but these.
"""

from __future__ import annotations

from equipoise.capture.closed import touches
from equipoise.ledger.entries import (
    Entry,
    FormMoved,
    FormOmitted,
    FormReinstated,
    FormReviewed,
    FormSaved,
    FormsSigned,
    ItemsVerified,
    Recorded,
    SubjectRandomized,
    SubjectScreened,
    VisitDated,
    VisitDescribed,
    VisitMissed,
    VisitReopened,
)
from equipoise.ledger.followers import Follower
from equipoise.ledger.store import Cell, ReadTable, Row, Transaction

CLOSING_CASES = ReadTable(
    "closing_cases",
    {"subject": "text", "site": "text", "number": "text", "randomized": "integer"},
    ("subject",),
    (("site", "number"),),
)
CLOSINGS = ReadTable(
    "closings",
    {
        "subject": "text",
        "visit": "text",
        "form": "text",
        "repeat": "integer",
        "site": "text",
        "number": "text",
        "randomized": "integer",
        "complete": "integer",
        "signed": "text",
        "verified": "text",
        "reviewed": "integer",
        "saved_at": "text",
    },
    ("subject", "visit", "form", "repeat"),
    (
        ("signed", "complete", "number"),
        ("verified", "complete", "number"),
        ("randomized", "visit", "form"),
        ("complete",),
    ),
)
"""`signed`: empty, SIGNED or BROKEN. `verified`: empty, PART, CRITICAL, ALL, or CHANGED since it was verified."""


MISSED = ReadTable(
    "missed_visits",
    {"subject": "text", "visit": "text", "randomized": "integer"},
    ("subject", "visit"),
    (("visit",),),
)
"""Planned visits that did not take place and will not: their forms are not waited for."""
_VISITS = (VisitDated, VisitDescribed, VisitMissed, VisitReopened)


def follow(tables: Transaction, recorded: Recorded) -> None:
    """Bring the tables up to date with one more entry."""
    entry, stream = recorded.entry, recorded.header.stream
    if entry is None or not stream.startswith("subject/"):
        return
    subject = stream.removeprefix("subject/")
    if isinstance(entry, SubjectScreened):
        row: Row = {"subject": subject, "site": entry.site, "number": entry.screening_number, "randomized": 0}
        tables.put(CLOSING_CASES, row)
    elif isinstance(entry, SubjectRandomized):
        known = tables.get(CLOSING_CASES, (subject,))
        if known is not None:
            tables.put(CLOSING_CASES, {**known, "randomized": 1})
        for table in (CLOSINGS, MISSED):
            for one in tables.find(table, {"subject": subject}):
                tables.put(table, {**one, "randomized": 1})
    elif isinstance(entry, FormsSigned):
        for place in entry.places:
            _change(tables, (subject, place.visit, place.form, place.repeat), signed="SIGNED")
    elif isinstance(entry, ItemsVerified):
        _change(tables, (subject, entry.visit, entry.form, entry.repeat), verified=entry.covers)
    elif isinstance(entry, FormReviewed):
        _change(tables, (subject, entry.visit, entry.form, entry.repeat), reviewed=1)
    elif isinstance(entry, FormMoved):
        _break(tables, subject, entry)
        _change(tables, (subject, entry.visit, entry.form, entry.repeat), complete=int(entry.complete))
    elif isinstance(entry, FormSaved):
        _save(tables, subject, recorded, entry, complete=entry.complete)
    elif isinstance(entry, FormOmitted | FormReinstated):
        _save(tables, subject, recorded, entry, complete=isinstance(entry, FormOmitted))
    else:
        if isinstance(entry, _VISITS):
            _miss(tables, subject, entry)
        _break(tables, subject, entry)


def _change(tables: Transaction, key: tuple[str, str, str, int], **changes: str | int) -> None:
    row = tables.get(CLOSINGS, key)
    if row is not None:
        tables.put(CLOSINGS, {**row, **changes})


def _save(
    tables: Transaction,
    subject: str,
    recorded: Recorded,
    entry: FormSaved | FormOmitted | FormReinstated,
    *,
    complete: bool,
) -> None:
    row = tables.get(CLOSINGS, (subject, entry.visit, entry.form, entry.repeat))
    changed: dict[str, Cell] = {
        "complete": int(complete),
        "reviewed": 0,
        "saved_at": recorded.header.at,
    }
    if row is None:
        case = tables.get(CLOSING_CASES, (subject,)) or dict.fromkeys(CLOSING_CASES.columns)
        place: dict[str, Cell] = {
            "subject": subject,
            "visit": entry.visit,
            "form": entry.form,
            "repeat": entry.repeat,
        }
        whose = {name: case[name] for name in ("site", "number", "randomized")}
        tables.put(CLOSINGS, {**place, **whose, "signed": "", "verified": "", **changed})
        return
    values = isinstance(entry, FormSaved) and (entry.items or entry.texts)
    states: dict[str, Cell] = {
        "signed": "BROKEN" if row["signed"] else "",
        "verified": "CHANGED" if row["verified"] and values else row["verified"],
    }
    tables.put(CLOSINGS, {**row, **changed, **states})


def _miss(
    tables: Transaction, subject: str, entry: VisitDated | VisitDescribed | VisitMissed | VisitReopened
) -> None:
    """What is said of a visit last stands: a date, or taking back, ends that it was missed."""
    if isinstance(entry, VisitMissed):
        case = tables.get(CLOSING_CASES, (subject,)) or {}
        tables.put(
            MISSED, {"subject": subject, "visit": entry.visit, "randomized": case.get("randomized", 0)}
        )
    elif entry.repeat == 1:
        tables.remove(MISSED, (subject, entry.visit))


def _break(tables: Transaction, subject: str, entry: Entry) -> None:
    """A visit's date, or anything else that changes what a signed form shows."""
    visit = getattr(entry, "visit", None)
    if visit is None:
        return
    for row in tables.find(CLOSINGS, {"subject": subject, "visit": str(visit), "signed": "SIGNED"}):
        if touches(entry, (str(row["visit"]), str(row["form"]), int(row["repeat"] or 0))):
            tables.put(CLOSINGS, {**row, "signed": "BROKEN"})


CLOSING_FOLLOWER = Follower("closing", "2", (CLOSING_CASES, CLOSINGS, MISSED), follow)
"""Raise the version whenever this file computes something else."""
