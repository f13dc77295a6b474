"""The read table of phones: by it the desk knows at once whether a phone may send, and for whom.

The rule that must stay true: as in followers.py; no key and no code is here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from equipoise.access.commands import Who
from equipoise.access.phones import as_phone
from equipoise.ledger.entries import DeviceEnrolled, DeviceRevoked, DiaryInvited, Recorded
from equipoise.ledger.followers import Follower
from equipoise.ledger.store import Cell, ReadTable, Transaction

PHONES = ReadTable(
    "phones",
    {"device": "text", "subject": "text", "holder": "text", "state": "text", "moved_at": "text"},
    ("device",),
    (("subject",), ("state",)),
)
"""`state`: INVITED, ENROLLED or REVOKED; `holder`: as in DiaryInvited."""


def follow(tables: Transaction, recorded: Recorded) -> None:
    """Bring the table up to date with one more entry."""
    entry, at = recorded.entry, recorded.header.at
    if isinstance(entry, DiaryInvited):
        subject = recorded.header.stream.removeprefix("diary/")
        whose = {"device": entry.device, "subject": subject, "holder": entry.holder}
        tables.put(PHONES, {**whose, "state": "INVITED", "moved_at": at})
    elif isinstance(entry, DeviceEnrolled | DeviceRevoked):
        row = tables.get(PHONES, (entry.device,))
        if row is not None:
            state = "ENROLLED" if isinstance(entry, DeviceEnrolled) else "REVOKED"
            tables.put(PHONES, {**row, "state": state, "moved_at": at})


PHONES_FOLLOWER = Follower("phones", "1", (PHONES,), follow)
"""Raise the version whenever this file computes something else."""


def phone_now(who: Who, row: Mapping[str, Cell] | None, site: str | None) -> Who:
    """A phone with the role that its row of the table leaves it; `site`: its participant's."""
    if row is None:
        return replace(who, grants=())
    return as_phone(who.actor, str(row["holder"]), site, enrolled=row["state"] == "ENROLLED")
