"""What Today says of doses: held ones that await a decision, and bags that have come.

The rule that must stay true: only who may read doses is told of one; a task names the participant and nothing of a bag.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from equipoise.access.commands import Who
from equipoise.access.decide import may_read
from equipoise.desk.followers import BAGS, DOSES, SITES, SUBJECTS
from equipoise.desk.standing import day_at
from equipoise.desk.views import Task
from equipoise.desk.words import task
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import Row

READS = "supply"
"""The word of access for everything that happens around a dose."""
DUE_AT_MOST = 200
"""Lines of a list of doses."""
_ASKED: Mapping[str, str] = {
    "HELD": "dose_held",
    "RELEASED": "bag_released",
    "CHECKED": "",
    "RUNNING": "",
    "PAUSED": "",
}
"""Where a dose stands -> the kind of task; empty where only a recall asks for something."""
_URGENT = ("bag_recalled", "dose_held", "bag_released")


def sites_of_doses(reader: Reader, who: Who) -> Mapping[str, str]:
    """The sites whose doses the reader may see, each with its time zone."""
    rows = reader.rows.find(SITES, order=("site",))
    return {str(row["site"]): str(row["zone"]) for row in rows if may_read(who, READS, str(row["site"]))}


def numbers_of(reader: Reader, doses: Iterable[Row]) -> Mapping[str, str]:
    """The participants of some doses: subject -> screening number."""
    rows = reader.rows.find(SUBJECTS, {"subject": list({str(row["subject"]) for row in doses})})
    return {str(row["subject"]): str(row["number"]) for row in rows}


def dosing_tasks(reader: Reader, who: Who) -> tuple[Task, ...]:
    """What Today asks of those who decide: doses that are held, and doses of their sites whose bag has come."""
    if not may_read(who, READS, None):
        return ()
    sites = sites_of_doses(reader, who)
    rows = reader.rows.find(DOSES, {"site": list(sites), "stage": list(_ASKED)}, limit=DUE_AT_MOST)
    recalled = {str(row["bag"]) for row in reader.rows.find(BAGS, {"recalled": 1, "site": list(sites)})}
    numbers, found = numbers_of(reader, rows), list[Task]()
    for row in rows:
        kind = "bag_recalled" if row["bag"] in recalled else _ASKED[str(row["stage"])]
        if kind:
            number, zone = numbers.get(str(row["subject"]), ""), sites[str(row["site"])]
            found.append(task(kind, number, since=day_at(str(row["at"]), zone).isoformat()))
    return tuple(sorted(found, key=lambda one: _URGENT.index(one.kind)))
