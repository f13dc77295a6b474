"""The read tables of visits: for every subject what day 1 counts from and which visits are held, missed or over, and
one row for each visit that somebody may still be waited for.

The rules that must stay true: as for every read table (`followers`): ids, states and moments only, never the day of a
visit nor why it was missed; windows are worked out when the list is read, from moments that stand in clear anyway
(decision 0021). A visit that is due by any released version has an open row, and one that is not due may have one, too:
who reads the list asks the version that decides. Rebuilt they are what following made them. They have a follower of
their own.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from equipoise.consent.withdrawal import STOPS
from equipoise.ledger.entries import (
    ConsentDocumented,
    ConsentWithdrawn,
    Entry,
    FormMoved,
    FormOmitted,
    FormReinstated,
    FormSaved,
    InfusionStarted,
    ParticipationLimited,
    Recorded,
    ScreeningFailed,
    StudyReleased,
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
        "zone": "text",
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
        "ended": "text",
    },
    ("subject",),
    (("site", "number"),),
)
"""`held`, `missed`: ids of visits between spaces, each once. `failed`: in screening. `limited`: a withdrawal in part
ended visits (1), or contact too (2). `ended`: the places at which a form of the end is complete. `version`: the digest
of the version that the subject was moved to. Moments are UTC; `zone` is the site's."""
OPEN_VISITS = ReadTable(
    "open_visits",
    {"subject": "text", "visit": "text", "site": "text", "since": "text"},
    ("subject", "visit"),
    (("site", "visit", "since"),),
)
"""Visits of which nothing was recorded, of subjects who are still taking part. `since`: the first day from which day 1
may be counted, of the first dose or the randomization at the site; empty before either."""
LEFT_VISITS = ReadTable("left_visits", {"subject": "text", "visit": "text"}, ("subject", "visit"))
"""Visits of which nothing was recorded, of subjects whose participation is over by some version."""
PLANNED = ReadTable(
    "planned_visits",
    {"one": "integer", "visits": "text", "ending": "text", "may_end": "text", "ends": "text"},
    ("one",),
)
"""Of all released versions: visits with a day; visits that end participation by all, and by any; forms of the end."""


def follow(tables: Transaction, recorded: Recorded) -> None:
    """Bring the table up to date with one more entry."""
    entry, stream = recorded.entry, recorded.header.stream
    if isinstance(entry, StudyReleased):
        _plan(tables, entry)
    if entry is None or not stream.startswith("subject/"):
        return
    if isinstance(entry, SubjectScreened):
        fresh: dict[str, Cell] = dict.fromkeys(COURSES.columns)
        begun = {"subject": entry.subject, "site": entry.site, "number": entry.screening_number}
        nothing: dict[str, Cell] = {"failed": 0, "withdrawn": 0, "limited": 0}
        nothing |= dict.fromkeys(("held", "missed", "ended"), "")
        here: dict[str, Cell] = {"screened_at": recorded.header.at, "zone": recorded.header.zone}
        _put(tables, {**fresh, **begun, **nothing, **here})
        return
    if not isinstance(entry, _FOLLOWED):
        return
    before = tables.get(COURSES, (stream.removeprefix("subject/"),))
    if before is None:
        return
    changes = _ending(tables, before, entry) if isinstance(entry, _SAVES) else {}
    changes = changes or _changes(before, entry, recorded.header.at)
    if changes:
        _put(tables, {**before, **changes})


_SAVES = (FormSaved, FormOmitted, FormReinstated, FormMoved)
_FOLLOWED = (
    *_SAVES,
    ConsentDocumented,
    ConsentWithdrawn,
    InfusionStarted,
    ParticipationLimited,
    ScreeningFailed,
    SubjectMoved,
    SubjectRandomized,
    VisitDated,
    VisitMissed,
    VisitReopened,
)
"""Entries that may change a course."""


def _plan(tables: Transaction, entry: StudyReleased) -> None:
    """What a definition adds to the plan; where it adds something, every course is looked at again."""
    try:
        schedule = json.loads(entry.definition).get("schedule") or {}
    except ValueError:  # what cannot be read plans nothing; whoever reads the definition says so
        return
    dated = {visit["id"]: bool(visit.get("ends")) for visit in schedule.get("visits", ())}
    planned = [visit["id"] for visit in schedule.get("visits", ()) if visit.get("day") is not None]
    end = schedule.get("end") or {}
    known = tables.get(PLANNED, (1,)) or dict.fromkeys(PLANNED.columns, "")
    visits, ends = _words(known["visits"]), _words(known["ends"])
    kept = set(_words(known["ending"])) if visits else set(dated)
    ending = [visit for visit, ends_it in dated.items() if ends_it and visit in kept]
    row: Row = {
        "one": 1,
        "visits": " ".join(dict.fromkeys((*visits, *planned))),
        "ending": " ".join(ending),
        "may_end": " ".join(
            dict.fromkeys((*_words(known["may_end"]), *(one for one, ends_it in dated.items() if ends_it)))
        ),
        "ends": " ".join(dict.fromkeys((*ends, *([end["form"]] if "form" in end else [])))),
    }
    if tables.get(PLANNED, (1,)) == row:
        return
    tables.put(PLANNED, row)
    for course in tables.find(COURSES):
        _put(tables, course)


def _words(cell: Cell) -> list[str]:
    return str(cell or "").split()


def _ending(tables: Transaction, row: Row, entry: Entry) -> dict[str, Cell]:
    """Whether a form of the end is complete, and where."""
    plan = tables.get(PLANNED, (1,))
    if plan is None or not isinstance(entry, _SAVES) or entry.form not in _words(plan["ends"]):
        return {}
    complete = isinstance(entry, FormOmitted) or (isinstance(entry, FormSaved | FormMoved) and entry.complete)
    place = f"{entry.visit}/{entry.form}/{entry.repeat}"
    return {"ended": _marked(str(row["ended"] or ""), place, present=complete)}


def _put(tables: Transaction, row: Row) -> None:
    """Write a course, and what follows from it: the visits that are open, or were left, of those that are planned."""
    tables.put(COURSES, row)
    subject, since = row["subject"], _since(row)
    wanted, left = _unsettled(tables, row)
    _settle(
        tables,
        OPEN_VISITS,
        subject,
        {one: {"subject": subject, "visit": one, "site": row["site"], "since": since} for one in wanted},
    )
    _settle(tables, LEFT_VISITS, subject, {one: {"subject": subject, "visit": one} for one in left})


def _settle(tables: Transaction, table: ReadTable, subject: Cell, rows: Mapping[str, Row]) -> None:
    """Make these the rows of a subject; what stands already is not written again."""
    standing = {str(one["visit"]): one for one in tables.find(table, {"subject": subject})}
    for visit in standing.keys() - rows.keys():
        tables.remove(table, (subject, visit))
    for visit, row in rows.items():
        if row != standing.get(visit):
            tables.put(table, row)


def _unsettled(tables: Transaction, row: Row) -> tuple[list[str], list[str]]:
    """The planned visits neither held nor missed: those still open, and those left when participation was over."""
    plan = tables.get(PLANNED, (1,))
    if plan is None or row["failed"]:
        return [], []
    held = _words(row["held"])
    settled = {*held, *_words(row["missed"])}
    rest = [visit for visit in _words(plan["visits"]) if visit not in settled]
    over = is_over(row)
    ends, may_end = ({*held} & {*_words(plan[name])} for name in ("ending", "may_end"))
    return [] if over or ends else rest, rest if over or row["limited"] or may_end else []


def is_over(row: Row) -> bool:
    """Whether a course is over: in screening, by a withdrawal that ended contact too, or by a form of the end."""
    return bool(row["failed"] or row["withdrawn"] or row["limited"] == 2 or row["ended"])


def _since(row: Row) -> str:
    """The first day, at the site, from which day 1 may be counted."""
    zone = ZoneInfo(str(row["zone"] or "UTC"))
    moments = [str(row[name]) for name in ("randomized_at", "infused_at") if row[name] is not None]
    return min(
        (dt.datetime.fromisoformat(one).astimezone(zone).date().isoformat() for one in moments), default=""
    )


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


VISITS_FOLLOWER = Follower("visits", "4", (COURSES, OPEN_VISITS, LEFT_VISITS, PLANNED), follow)
