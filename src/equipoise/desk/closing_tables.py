"""The read tables of closing: for every form that was recorded, whether it is complete, signed, verified and reviewed.

The rules that must stay true: as for every read table (`followers`): ids, states, moments and places only, and rebuilt
they are what following made them. What breaks a signature is asked of capture, never decided here. What is counted on
a page is counted here as it changes, so that a page reads as many rows with twenty thousand participants as with ten.
They have a follower of their own, which looks at no table but these.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal

from equipoise.capture.closed import touches
from equipoise.capture.closing.verifying import in_full
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
    StudyReleased,
    SubjectRandomized,
    SubjectScreened,
    VisitDated,
    VisitDescribed,
    VisitMissed,
    VisitReopened,
)
from equipoise.ledger.followers import Follower
from equipoise.ledger.store import Cell, Condition, ReadTable, Row, Rows, Transaction
from equipoise.protocol.study import Verification

CLOSING_CASES = ReadTable(
    "closing_cases",
    {
        "subject": "text",
        "site": "text",
        "number": "text",
        "randomized": "integer",
        "rank": "integer",
        "full": "integer",
    },
    ("subject",),
    (("site", "rank"),),
)
"""`rank`: which randomized participant of the site it is, from 1. `full`: verified in full by the plan in force."""
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
        "full": "integer",
        "complete": "integer",
        "signed": "text",
        "verified": "text",
        "reviewed": "integer",
        "saved_at": "text",
    },
    ("subject", "visit", "form", "repeat"),
    (
        ("site", "complete", "signed", "number"),
        ("site", "complete", "full", "verified", "number"),
        ("site", "complete", "reviewed", "number"),
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
CLOSING_COUNTS = ReadTable(
    "closing_counts",
    {
        "site": "text",
        "form": "text",
        "full": "integer",
        "complete": "integer",
        "signed": "text",
        "verified": "text",
        "reviewed": "integer",
        "n": "integer",
    },
    ("site", "form", "full", "complete", "signed", "verified", "reviewed"),
)
"""How many rows of the closings stand so: as many rows as the definition has forms and forms have states."""
EXPECTED_COUNTS = ReadTable(
    "expected_counts",
    {"what": "text", "visit": "text", "form": "text", "n": "integer"},
    ("what", "visit", "form"),
)
"""Of those who were randomized. RANDOMIZED: how many; MISSED: how many missed a visit; BEGUN: how many began a form, in
its first repetition, at a visit that they did not miss."""
PLAN = ReadTable("verification_plan", {"one": "integer", "first": "integer", "share": "text"}, ("one",))
"""The plan of verification of the newest definition."""
_VISITS = (VisitDated, VisitDescribed, VisitMissed, VisitReopened)


def follow(tables: Transaction, recorded: Recorded) -> None:
    """Bring the tables up to date with one more entry."""
    entry, stream = recorded.entry, recorded.header.stream
    if isinstance(entry, StudyReleased):
        _plan(tables, entry)
    if entry is None or not stream.startswith("subject/"):
        return
    subject = stream.removeprefix("subject/")
    if isinstance(entry, SubjectScreened):
        row: Row = {"subject": subject, "site": entry.site, "number": entry.screening_number}
        tables.put(CLOSING_CASES, {**row, "randomized": 0, "rank": None, "full": 0})
    elif isinstance(entry, SubjectRandomized):
        _randomize(tables, subject)
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
        _put(tables, row, {**row, **changes})


def _put(tables: Transaction, before: Row | None, after: Row) -> None:
    """Write a row of the closings, and count it anew where it stands otherwise than before."""
    tables.put(CLOSINGS, after)
    was, now = (
        None if one is None else tuple(one[name] for name in CLOSING_COUNTS.key) for one in (before, after)
    )
    if was != now:
        _count(tables, CLOSING_COUNTS, was, -1)
        _count(tables, CLOSING_COUNTS, now, 1)


def _count(tables: Transaction, table: ReadTable, key: tuple[Cell, ...] | None, step: int) -> None:
    """Add to a count; one of nothing has no row."""
    if key is None:
        return
    key = tuple("" if cell is None else cell for cell in key)
    known = tables.get(table, key)
    count = (int(known["n"] or 0) if known is not None else 0) + step
    if count:
        tables.put(table, {**dict(zip(table.key, key, strict=True)), "n": count})
    else:
        tables.remove(table, key)


def _plan(tables: Transaction, entry: StudyReleased) -> None:
    """The plan of a definition that comes into force; who is verified in full is found anew where it is another."""
    try:
        said = json.loads(entry.definition).get("verification")
        plan = Verification() if said is None else Verification.model_validate(said)
    except ValueError:  # what cannot be read decides nothing; whoever reads the definition says so
        return
    row: Row = {"one": 1, "first": plan.first, "share": str(plan.share)}
    if tables.get(PLAN, (1,)) == row:
        return
    tables.put(PLAN, row)
    for case in tables.find(CLOSING_CASES, {"randomized": 1}):
        _draw(tables, case)


def _draw(tables: Transaction, case: Row) -> None:
    """Whether a randomized participant is verified in full, on the case and on every form."""
    known = tables.get(PLAN, (1,))
    plan = (
        Verification()
        if known is None
        else Verification(first=int(known["first"] or 0), share=Decimal(str(known["share"])))
    )
    full = int(in_full(plan, str(case["number"]), int(case["rank"] or 0)))
    tables.put(CLOSING_CASES, {**case, "full": full})
    for one in tables.find(CLOSINGS, {"subject": case["subject"]}):
        _put(tables, one, {**one, "randomized": case["randomized"], "full": full})


def _randomize(tables: Transaction, subject: str) -> None:
    known = tables.get(CLOSING_CASES, (subject,))
    if known is None or known["randomized"]:
        return
    last = tables.find(CLOSING_CASES, {"site": known["site"]}, order=("rank",), descending=True, limit=1)
    rank = (int(last[0]["rank"] or 0) if last else 0) + 1
    _draw(tables, {**known, "randomized": 1, "rank": rank})
    _count(tables, EXPECTED_COUNTS, ("RANDOMIZED", "", ""), 1)
    missed = tables.find(MISSED, {"subject": subject})
    for one in missed:
        tables.put(MISSED, {**one, "randomized": 1})
        _count(tables, EXPECTED_COUNTS, ("MISSED", one["visit"], ""), 1)
    for row in tables.find(CLOSINGS, {"subject": subject, "repeat": 1}):
        if row["visit"] not in {one["visit"] for one in missed}:
            _count(tables, EXPECTED_COUNTS, ("BEGUN", row["visit"], row["form"]), 1)


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
        whose = {name: case[name] for name in ("site", "number", "randomized", "full")}
        verified = "ALL" if isinstance(entry, FormOmitted) else ""
        _put(tables, None, {**place, **whose, "signed": "", "verified": verified, **changed})
        if case["randomized"] and entry.repeat == 1 and tables.get(MISSED, (subject, entry.visit)) is None:
            _count(tables, EXPECTED_COUNTS, ("BEGUN", entry.visit, entry.form), 1)
        return
    values = isinstance(entry, FormSaved) and (entry.items or entry.texts)
    states: dict[str, Cell] = {
        "signed": "BROKEN" if row["signed"] else "",
        "verified": "CHANGED" if row["verified"] and values else row["verified"],
    }
    if not isinstance(
        entry, FormSaved
    ):  # a form that was not done holds nothing that a source could contradict
        states["verified"] = "ALL" if isinstance(entry, FormOmitted) else ""
    _put(tables, row, {**row, **changed, **states})


def _miss(
    tables: Transaction, subject: str, entry: VisitDated | VisitDescribed | VisitMissed | VisitReopened
) -> None:
    """What is said of a visit last stands: a date, or taking back, ends that it was missed."""
    known = tables.get(MISSED, (subject, entry.visit))
    if isinstance(entry, VisitMissed) and known is None:
        case = tables.get(CLOSING_CASES, (subject,)) or {}
        missed: Row = {"subject": subject, "visit": entry.visit, "randomized": case.get("randomized", 0)}
        tables.put(MISSED, missed)
        _expect(tables, missed, 1)
    elif known is not None and not isinstance(entry, VisitMissed) and entry.repeat == 1:
        tables.remove(MISSED, (subject, entry.visit))
        _expect(tables, known, -1)


def _expect(tables: Transaction, missed: Row, step: int) -> None:
    """A visit that was missed asks for no form: what was begun there is not counted either."""
    if missed["randomized"]:
        _count(tables, EXPECTED_COUNTS, ("MISSED", missed["visit"], ""), step)
        begun = {"subject": missed["subject"], "visit": missed["visit"], "repeat": 1}
        for row in tables.find(CLOSINGS, begun):
            _count(tables, EXPECTED_COUNTS, ("BEGUN", row["visit"], row["form"]), -step)


def _break(tables: Transaction, subject: str, entry: Entry) -> None:
    """A visit's date, or anything else that changes what a signed form shows."""
    visit = getattr(entry, "visit", None)
    if visit is None:
        return
    for row in tables.find(CLOSINGS, {"subject": subject, "visit": str(visit), "signed": "SIGNED"}):
        if touches(entry, (str(row["visit"]), str(row["form"]), int(row["repeat"] or 0))):
            _put(tables, row, {**row, "signed": "BROKEN"})


def count_closings(rows: Rows, where: Mapping[str, Condition]) -> int:
    """How many rows of the closings meet `where`, which may name the columns of the counts' key, and no other."""
    return sum(int(row["n"] or 0) for row in rows.find(CLOSING_COUNTS, where))


CLOSING_FOLLOWER = Follower(
    "closing", "4", (CLOSING_CASES, CLOSINGS, MISSED, CLOSING_COUNTS, EXPECTED_COUNTS, PLAN), follow
)
"""Raise the version whenever this file computes something else."""
