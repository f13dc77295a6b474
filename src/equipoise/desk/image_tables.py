"""The read table of reads: a reader's list is answered from it, and from nothing else.

The rules that must stay true: as in followers.py; a reader is shown the number of a read and where it stands, and no
other column of this table.
"""

from __future__ import annotations

from equipoise.ledger.entries import ReadingOpened, ReadingScored, Recorded
from equipoise.ledger.followers import Follower
from equipoise.ledger.store import ReadTable, Transaction

READS = ReadTable(
    "reads",
    {
        "read": "text",
        "subject": "text",
        "order_id": "text",
        "reader": "text",
        "part": "integer",
        "state": "text",
    },
    ("read",),
    (("reader", "state"),),
)
"""`state`: OPEN or SCORED."""


def follow(tables: Transaction, recorded: Recorded) -> None:
    """Bring the table up to date with one more entry."""
    entry, subject = recorded.entry, recorded.header.stream.removeprefix("subject/")
    if isinstance(entry, ReadingOpened):
        for one in entry.reads:
            whose = {"read": one.read, "subject": subject, "order_id": entry.order, "reader": one.reader}
            tables.put(READS, {**whose, "part": one.part, "state": "OPEN"})
    elif isinstance(entry, ReadingScored):
        row = tables.get(READS, (entry.read,))
        if row is not None:
            tables.put(READS, {**row, "state": "SCORED"})


READS_FOLLOWER = Follower("reads", "1", (READS,), follow)
"""Raise the version whenever this file computes something else."""
