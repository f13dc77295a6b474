"""What waits in the queues of closing, as conditions on the table of closings, for one reader.

The rule that must stay true: a queue holds only forms of sites that the reader may read, and none that the reader's
role never sees; the pages, the counts on Today and the checklist ask the same conditions.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from equipoise.access.commands import Who
from equipoise.access.decide import may_read
from equipoise.desk.followers import SITES
from equipoise.desk.standing import Trial
from equipoise.desk.verification_plan import plan_of, to_verify
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import Condition

TO_SIGN = ("", "BROKEN")


def sites_of(reader: Reader, who: Who, what: str) -> Mapping[str, str]:
    """The sites of which `who` may read `what`, each with its time zone."""
    return {
        str(row["site"]): str(row["zone"])
        for row in reader.rows.find(SITES, order=("site",))
        if may_read(who, what, str(row["site"]))
    }


def to_sign(
    trial: Trial, reader: Reader, who: Who, signed: Collection[str] = TO_SIGN
) -> dict[str, Condition]:
    """Complete forms that are not signed as they stand."""
    where: dict[str, Condition] = {"complete": 1, "signed": list(signed)}
    return _for_reader(trial, reader, who, "signatures", where)


def to_review(trial: Trial, reader: Reader, who: Who) -> list[dict[str, Condition]]:
    """Complete forms that data management did not read as they stand."""
    return [_for_reader(trial, reader, who, "verification", {"complete": 1, "reviewed": 0})]


def to_verify_for(trial: Trial, reader: Reader, who: Who) -> list[dict[str, Condition]]:
    """Complete forms of which planned items are not verified as they stand."""
    return [
        _for_reader(trial, reader, who, "verification", dict(where))
        for where in to_verify(plan_of(reader, trial.study))
    ]


def _for_reader(
    trial: Trial, reader: Reader, who: Who, what: str, where: dict[str, Condition]
) -> dict[str, Condition]:
    where["site"] = list(sites_of(reader, who, what))
    hidden = trial.hidden_from(who.role)
    if hidden:
        asked = where.get("form")
        forms = asked if isinstance(asked, list) else [form.id for form in trial.record.forms]
        where["form"] = [form for form in forms if form not in hidden]
    return where
