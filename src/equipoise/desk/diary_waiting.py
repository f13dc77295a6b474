"""The read tables of the diary's work: whose diary has begun and was heard when, and what waits for a person.

The rule that must stay true: as in followers.py; ids, states, moments and places, and no word that anybody wrote. They
have a follower of their own.
"""

from __future__ import annotations

from equipoise.ledger.entries import (
    DiaryChangeDecided,
    DiaryChangeRequested,
    DiaryEntryRecorded,
    DiaryFlagHandled,
    DiaryHelpAsked,
    DiaryInterviewRecorded,
    DiaryInvited,
    DiaryReminderPlanned,
    DiarySitePaged,
    Recorded,
    SubjectScreened,
)
from equipoise.ledger.followers import Follower
from equipoise.ledger.store import ReadTable, Transaction

DIARIES = ReadTable(
    "diaries",
    {
        "subject": "text",
        "site": "text",
        "number": "text",
        "begun": "integer",
        "reminds": "integer",
        "heard_at": "text",
        "papers": "integer",
    },
    ("subject",),
    (("begun", "site", "number"), ("begun", "site", "heard_at"), ("reminds",), ("papers", "site")),
)
"""Every participant. `begun`: somebody was invited; `reminds`: somebody wanted to be reminded; `heard_at`: when the
participant's latest entry, or else the first invitation, came; `papers`: a card on paper was typed."""
REMINDED = ReadTable(
    "diary_reminded",
    {"subject": "text", "holder": "text", "site": "text", "gateway": "text"},
    ("subject", "holder"),
    (("site", "gateway"),),
)
"""By which way each person is to be reminded; empty: by none."""
WAITING = ReadTable(
    "diary_waiting",
    {
        "subject": "text",
        "about": "text",
        "kind": "text",
        "site": "text",
        "number": "text",
        "at": "text",
        "state": "text",
        "paged_at": "text",
    },
    ("subject", "about"),
    (("site", "state", "at"), ("state", "paged_at")),
)
"""`kind`: FLAG (an entry with red flags), HELP (a call for help), CHANGE (a request); `state`: WAITING or DONE.
`paged_at`: when the site was told of a flag or a call; empty while it was not."""


def follow(tables: Transaction, recorded: Recorded) -> None:
    """Bring the tables up to date with one more entry."""
    entry, header = recorded.entry, recorded.header
    if isinstance(entry, SubjectScreened):
        case = {"subject": entry.subject, "site": entry.site, "number": entry.screening_number}
        tables.put(DIARIES, {**case, "begun": 0, "reminds": 0, "heard_at": "", "papers": 0})
        return
    if not header.stream.startswith("diary/"):
        return
    subject = header.stream.removeprefix("diary/")
    row = tables.get(DIARIES, (subject,))
    if row is None:
        return
    match entry:
        case DiaryInvited() if not row["begun"]:
            tables.put(DIARIES, {**row, "begun": 1, "heard_at": header.at})
        case DiaryReminderPlanned():
            whose = {"subject": subject, "holder": entry.holder, "site": row["site"]}
            tables.put(REMINDED, {**whose, "gateway": entry.gateway})
            if entry.gateway not in {"", "calendar"} and not row["reminds"]:
                tables.put(DIARIES, {**row, "reminds": 1})
        case DiaryEntryRecorded():
            if entry.reporter != "CAREGIVER":
                tables.put(DIARIES, {**row, "heard_at": header.at})
            if entry.red_flags:
                _wait(tables, subject, entry.packet, "FLAG", header.at)
        case DiaryInterviewRecorded():
            if entry.on_paper:
                tables.put(DIARIES, {**row, "papers": 1})
            if entry.red_flags:
                _wait(tables, subject, entry.interview, "FLAG", header.at)
        case DiaryHelpAsked():
            _wait(tables, subject, entry.packet, "HELP", header.at)
        case DiaryChangeRequested():
            _wait(tables, subject, entry.packet, "CHANGE", header.at)
        case DiaryFlagHandled() | DiaryChangeDecided():
            about = entry.about if isinstance(entry, DiaryFlagHandled) else entry.request
            waits = tables.get(WAITING, (subject, about))
            if waits is not None:
                tables.put(WAITING, {**waits, "state": "DONE"})
        case DiarySitePaged():
            waits = tables.get(WAITING, (subject, entry.about))
            if waits is not None and entry.delivered:
                tables.put(WAITING, {**waits, "paged_at": header.at})
        case _:
            pass


def _wait(tables: Transaction, subject: str, about: str, kind: str, at: str) -> None:
    row = tables.get(DIARIES, (subject,)) or {}
    whose = {"subject": subject, "about": about, "site": row.get("site"), "number": row.get("number")}
    tables.put(WAITING, {**whose, "kind": kind, "at": at, "state": "WAITING", "paged_at": ""})


DIARY_FOLLOWER = Follower("diary", "4", (DIARIES, REMINDED, WAITING), follow)
"""Raise the version whenever this file computes something else."""
