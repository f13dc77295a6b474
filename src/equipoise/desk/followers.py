"""The read tables: few, all here, written by following the ledger, dropped and rebuilt at will.

The rules that must stay true: a table holds nothing that is not in the entries, and nothing that an entry's body is
sealed for: these tables stand in clear, so they have ids, states, moments and places, never a value, a reason or a
word that somebody wrote; following the entries one by one gives the same rows as rebuilding from the first (a
property test holds this). Lists and counts are answered from here; one subject's page from that subject's stream.
"""

from __future__ import annotations

from collections.abc import Mapping

from equipoise.ledger.entries import (
    EligibilityJudged,
    Entry,
    FormRecorded,
    QueryAnswered,
    QueryClosed,
    QueryRaised,
    Recorded,
    RoleGranted,
    RoleRevoked,
    ScreeningFailed,
    SiteAdded,
    SubjectRandomized,
    SubjectScreened,
)
from equipoise.ledger.followers import Follower
from equipoise.ledger.store import Cell, ReadTable, Transaction

SUBJECTS = ReadTable(
    "subjects",
    {
        "subject": "text",
        "number": "text",
        "site": "text",
        "person": "text",
        "status": "text",
        "randomization_number": "text",
        "randomized_at": "text",
        "screened_at": "text",
        "failed_at": "text",
        "rescreening_of": "text",
        "open_queries": "integer",
    },
    ("subject",),
    (("number",), ("site", "number"), ("person",), ("status",)),
)
FORMS = ReadTable(
    "forms",
    {
        "subject": "text",
        "visit": "text",
        "form": "text",
        "repeat": "integer",
        "complete": "integer",
        "saved_at": "text",
    },
    ("subject", "visit", "form", "repeat"),
)
QUERIES = ReadTable(
    "queries",
    {
        "subject": "text",
        "query": "text",
        "site": "text",
        "visit": "text",
        "form": "text",
        "repeat": "integer",
        "item": "text",
        "state": "text",
        "raised_at": "text",
    },
    ("subject", "query"),
    (("state", "raised_at"), ("site", "state")),
)
SITES = ReadTable("sites", {"site": "text", "en": "text", "zh": "text", "zone": "text"}, ("site",))
GRANTS = ReadTable(
    "grants", {"user": "text", "role": "text", "site": "text", "held": "integer"}, ("user", "role", "site")
)

_WHOLE_STUDY = ""

IN_SCREENING = ("SCREENING", "ELIGIBLE")
"""The states before randomization or failure."""


def follow(tables: Transaction, recorded: Recorded) -> None:
    """Bring the tables up to date with one more entry."""
    if recorded.entry is not None:
        _follow(tables, recorded, recorded.entry)


def _follow(tables: Transaction, recorded: Recorded, entry: Entry) -> None:
    if isinstance(entry, SubjectScreened):
        tables.put(SUBJECTS, _screened(entry, recorded.header.at))
    elif isinstance(entry, EligibilityJudged):
        _change_subject(tables, recorded, {"status": "ELIGIBLE" if entry.confirmed else "SCREENING"})
    elif isinstance(entry, ScreeningFailed):
        _change_subject(tables, recorded, {"status": "SCREEN_FAILURE", "failed_at": recorded.header.at})
    elif isinstance(entry, SubjectRandomized):
        randomized: dict[str, Cell] = {"status": "RANDOMIZED", "randomization_number": entry.number}
        _change_subject(tables, recorded, {**randomized, "randomized_at": recorded.header.at})
    elif isinstance(entry, FormRecorded):
        _follow_form(tables, recorded, entry)
    elif isinstance(entry, QueryRaised):
        _follow_query(tables, recorded, entry)
    elif isinstance(entry, QueryAnswered):
        _move_query(tables, recorded, entry.query, "ANSWERED")
    elif isinstance(entry, QueryClosed):
        _move_query(tables, recorded, entry.query, "CLOSED")
    elif isinstance(entry, SiteAdded):
        name = entry.name
        tables.put(
            SITES, {"site": entry.site, "en": name.get("en"), "zh": name.get("zh"), "zone": entry.zone}
        )
    elif isinstance(entry, RoleGranted | RoleRevoked):
        held = int(isinstance(entry, RoleGranted))
        tables.put(
            GRANTS, {"user": entry.user, "role": entry.role, "site": entry.site or _WHOLE_STUDY, "held": held}
        )


def _screened(entry: SubjectScreened, at: str) -> Mapping[str, Cell]:
    return {
        "subject": entry.subject,
        "number": entry.screening_number,
        "site": entry.site,
        "person": entry.person,
        "status": "SCREENING",
        "randomization_number": None,
        "randomized_at": None,
        "screened_at": at,
        "failed_at": None,
        "rescreening_of": entry.rescreening_of,
        "open_queries": 0,
    }


def subject_of(stream: str) -> str:
    """The subject whose stream it is."""
    return stream.removeprefix("subject/")


def _change_subject(tables: Transaction, recorded: Recorded, changes: Mapping[str, Cell]) -> None:
    row = tables.get(SUBJECTS, (subject_of(recorded.header.stream),))
    if row is not None:
        tables.put(SUBJECTS, {**row, **changes})


def _add_open_queries(tables: Transaction, recorded: Recorded, step: int) -> None:
    row = tables.get(SUBJECTS, (subject_of(recorded.header.stream),))
    if row is not None:
        tables.put(SUBJECTS, {**row, "open_queries": int(row["open_queries"] or 0) + step})


def _follow_form(tables: Transaction, recorded: Recorded, entry: FormRecorded) -> None:
    tables.put(
        FORMS,
        {
            "subject": subject_of(recorded.header.stream),
            "visit": entry.visit,
            "form": entry.form,
            "repeat": entry.repeat,
            "complete": int(entry.complete),
            "saved_at": recorded.header.at,
        },
    )


def _follow_query(tables: Transaction, recorded: Recorded, entry: QueryRaised) -> None:
    subject = subject_of(recorded.header.stream)
    owner = tables.get(SUBJECTS, (subject,))
    tables.put(
        QUERIES,
        {
            "subject": subject,
            "query": entry.query,
            "site": owner["site"] if owner else None,
            "visit": entry.visit,
            "form": entry.form,
            "repeat": entry.repeat,
            "item": entry.item,
            "state": "OPEN",
            "raised_at": recorded.header.at,
        },
    )
    _add_open_queries(tables, recorded, 1)


def _move_query(tables: Transaction, recorded: Recorded, query: str, state: str) -> None:
    row = tables.get(QUERIES, (subject_of(recorded.header.stream), query))
    if row is None:
        return
    tables.put(QUERIES, {**row, "state": state})
    if state == "CLOSED" and row["state"] != "CLOSED":
        _add_open_queries(tables, recorded, -1)


FOLLOWERS = (Follower("desk", "3", (SUBJECTS, FORMS, QUERIES, SITES, GRANTS), follow),)
"""What every commit of the desk runs. Raise the version whenever this file computes something else."""
