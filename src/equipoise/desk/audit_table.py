"""The read table of the audit trail: one row for every entry, from its header and its place, to search it quickly.

The rules that must stay true: no row holds what a body part is sealed for: ids, kinds, moments and places only; every
entry has a row, also one whose body was erased.
"""

from __future__ import annotations

from equipoise.ledger.entries import Recorded, SubjectScreened
from equipoise.ledger.followers import Follower
from equipoise.ledger.store import Cell, ReadTable, Transaction

AUDIT = ReadTable(
    "audit",
    {
        "stream": "text",
        "seq": "integer",
        "at": "text",
        "kind": "text",
        "actor": "text",
        "role": "text",
        "key": "text",
        "site": "text",
        "subject": "text",
        "visit": "text",
        "form": "text",
        "repeat": "integer",
    },
    ("at", "stream", "seq"),
    (("stream", "seq"), ("subject", "at"), ("actor", "at"), ("kind", "at"), ("form", "at")),
)
"""`subject` is the id, `site` that of the stream; both empty where the stream has none."""
OF_SUBJECTS = frozenset({"subject", "diary"})
"""Kinds of stream that belong to one participant, by whose site their rows are seen."""


def follow_audit(tables: Transaction, recorded: Recorded) -> None:
    """Add the row of one more entry."""
    header, entry = recorded.header, recorded.entry
    kind, _, name = header.stream.partition("/")
    repeat = getattr(entry, "repeat", None)
    row: dict[str, Cell] = {
        "stream": header.stream,
        "seq": header.seq,
        "at": header.at,
        "kind": header.kind,
        "actor": header.actor,
        "role": header.role,
        "key": header.idempotency_key,
        "site": _site(tables, recorded, kind, name),
        "subject": name if kind in OF_SUBJECTS else "",
        "visit": _text(getattr(entry, "visit", "")),
        "form": _text(getattr(entry, "form", "")),
        "repeat": repeat if isinstance(repeat, int) else None,
    }
    tables.put(AUDIT, row)


def _site(tables: Transaction, recorded: Recorded, kind: str, name: str) -> str:
    """The site of a stream: its own name, or where the participant was screened by the stream's first entry."""
    if kind == "site":
        return name
    if isinstance(recorded.entry, SubjectScreened):
        return recorded.entry.site
    if kind not in OF_SUBJECTS:
        return ""
    first = tables.find(AUDIT, {"stream": f"subject/{name}", "seq": 1}, limit=1)
    return str(first[0]["site"]) if first else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


AUDIT_FOLLOWER = Follower("audit", "3", (AUDIT,), follow_audit)
"""Raise the version whenever this file computes something else."""
