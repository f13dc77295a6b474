"""Deciding on marks of having reviewed the audit trail.

The rule that must stay true: nobody marks as reviewed what has not happened yet. Source: EMA 2023, audit trail review.
"""

from __future__ import annotations

import datetime as dt

from equipoise.ledger.commit import written_at
from equipoise.ledger.entries import Append, AuditReviewed
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.oversight.commands import ReviewAudit
from equipoise.protocol.study import Study
from equipoise.words.problem import problem

NOTE_LIMIT = 2000


def decide(study: Study, facts: Facts, command: ReviewAudit, occasion: Occasion) -> Decision:
    """Decide on a mark, on the stream `audit`."""
    since, until = _read(command.since), _read(command.until)
    if since is None or until is None or until <= since:
        return Refusal((problem("audit.range-unfit", "until"),))
    if until > occasion.at:
        return Refusal((problem("audit.range-to-come", "until"),))
    if not command.note.strip():
        return Refusal((problem("audit.note-required", "note"),))
    if len(command.note) > NOTE_LIMIT:
        return Refusal((problem("capture.text-too-long", "note", item="note", limit=NOTE_LIMIT),))
    mark = AuditReviewed(command.of_subject, written_at(since), written_at(until), command.note.strip())
    return (Append("audit", mark),)


def _read(text: str) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
