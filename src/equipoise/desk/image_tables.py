"""The read tables of imaging: reads, from which alone a reader's list is answered, and what waits to be given to one.

The rules that must stay true: as in followers.py; a reader is shown the number of a read and where it stands, and no
other column of this table.
"""

from __future__ import annotations

from collections.abc import Mapping

from equipoise.ledger.entries import (
    ImagesReferenced,
    ImagingCancelled,
    ImagingOrdered,
    ImagingPerformed,
    ReadingConcluded,
    ReadingDiffered,
    ReadingOpened,
    ReadingScored,
    Recorded,
)
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


IMAGES = ReadTable(
    "images",
    {"order_id": "text", "subject": "text", "procedure": "text", "quality": "text", "state": "text"},
    ("order_id",),
    (("state",),),
)
"""`state`: ORDERED, REFERENCED, GIVEN, DIFFERS (no third reader has them yet), READ or CANCELLED."""
_LATER = ImagesReferenced | ReadingOpened | ReadingDiffered | ReadingConcluded | ImagingCancelled
AFTER: Mapping[type, str] = {
    ImagesReferenced: "REFERENCED",
    ReadingOpened: "GIVEN",
    ReadingDiffered: "DIFFERS",
    ReadingConcluded: "READ",
    ImagingCancelled: "CANCELLED",
}
"""Kind of entry -> where its images stand after it."""


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
    _follow_images(tables, entry, subject)


def _follow_images(tables: Transaction, entry: object, subject: str) -> None:
    if isinstance(entry, ImagingOrdered):
        made = {"order_id": entry.order, "subject": subject, "procedure": entry.procedure}
        tables.put(IMAGES, {**made, "quality": "", "state": "ORDERED"})
    elif isinstance(entry, ImagingPerformed | _LATER):
        row = tables.get(IMAGES, (entry.order,))
        if row is not None:
            quality = entry.quality if isinstance(entry, ImagingPerformed) else row["quality"]
            tables.put(IMAGES, {**row, "quality": quality, "state": AFTER.get(type(entry), row["state"])})


READS_FOLLOWER = Follower("reads", "2", (READS, IMAGES), follow)
"""Raise the version whenever this file computes something else."""
