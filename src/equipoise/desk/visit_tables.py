"""The read table of visits: for every subject, what day 1 counts from, and which visits are held, missed or over.

The rules that must stay true: as for every read table (`followers`): ids, states and moments only, never the day of a
visit nor why it was missed; windows are worked out when the list is read, from moments that stand in clear anyway
(decision 0021). Rebuilt it is what following made it. It has a follower of its own.
"""

from __future__ import annotations

import datetime as dt

from equipoise.consent.withdrawal import STOPS
from equipoise.ledger.entries import (
    ConsentDocumented,
    ConsentWithdrawn,
    Entry,
    InfusionStarted,
    ParticipationLimited,
    Recorded,
    ScreeningFailed,
    SubjectMoved,
    SubjectRandomized,
    SubjectScreened,
    VisitDated,
    VisitMissed,
    VisitReopened,
)
from equipoise.ledger.followers import Follower
from equipoise.ledger.store import Cell, ReadTable, Row, Transaction

COURSES = ReadTable(
    "courses",
    {
        "subject": "text",
        "site": "text",
        "number": "text",
        "screened_at": "text",
        "randomized_at": "text",
        "infused_at": "text",
        "version": "text",
        "held": "text",
        "missed": "text",
        "failed": "integer",
        "withdrawn": "integer",
        "limited": "integer",
    },
    ("subject",),
    (("site", "number"),),
)
"""`held`, `missed`: ids of visits between spaces, each once. `failed`: in screening. `limited`: a
withdrawal in part ended visits (1), or contact too (2). `version`: the digest of the version that the subject was
moved to. Moments are UTC."""


def follow(tables: Transaction, recorded: Recorded) -> None:
    """Bring the table up to date with one more entry."""
    entry, stream = recorded.entry, recorded.header.stream
    if entry is None or not stream.startswith("subject/"):
        return
    if isinstance(entry, SubjectScreened):
        fresh: dict[str, Cell] = dict.fromkeys(COURSES.columns)
        begun = {"subject": entry.subject, "site": entry.site, "number": entry.screening_number}
        nothing: dict[str, Cell] = {"held": "", "missed": "", "failed": 0, "withdrawn": 0, "limited": 0}
        tables.put(COURSES, {**fresh, **begun, **nothing, "screened_at": recorded.header.at})
        return
    row = tables.get(COURSES, (stream.removeprefix("subject/"),))
    if row is None:
        return
    changes = _changes(row, entry, recorded.header.at)
    if changes:
        tables.put(COURSES, {**row, **changes})


def _changes(row: Row, entry: Entry, at: str) -> dict[str, Cell]:
    match entry:
        case SubjectRandomized():
            return {"randomized_at": at}
        case InfusionStarted():
            known = row["infused_at"]
            moments = [entry.at] if known is None else [entry.at, str(known)]
            return {"infused_at": min(moments, key=dt.datetime.fromisoformat)}
        case SubjectMoved():
            return {"version": entry.digest}
        case ScreeningFailed():
            return {"failed": 1}
        case ConsentWithdrawn():
            return {"withdrawn": 1}
        case ParticipationLimited():
            stops = STOPS[entry.level]
            reach = 2 if "contact" in stops else int("visits" in stops)
            return {"limited": max(reach, int(row["limited"] or 0))}
        case ConsentDocumented():
            # as consent's own fold: a new consent after a withdrawal begins anew, beside one it leaves the limits
            return {"withdrawn": 0, "limited": 0} if entry.given and row["withdrawn"] else {}
        case VisitDated() | VisitMissed() | VisitReopened():
            return {
                name: _marked(str(row[name] or ""), entry.visit, present=isinstance(entry, kind))
                for name, kind in (("held", VisitDated), ("missed", VisitMissed))
            }
        case _:
            return {}


def _marked(visits: str, visit: str, *, present: bool) -> str:
    """A list of ids with one of them in it, or not."""
    rest = [each for each in visits.split() if each != visit]
    return " ".join([*rest, visit] if present else rest)


VISITS_FOLLOWER = Follower("visits", "3", (COURSES,), follow)
