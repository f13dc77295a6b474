"""What waits in the queues of closing, as conditions on the table of closings, for one reader.

The rule that must stay true: a queue holds only forms of sites that the reader may read, and none that the reader's
role never sees; the pages, the counts on Today and the checklist ask the same conditions.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping

from equipoise.access.commands import Who
from equipoise.access.decide import may_read
from equipoise.desk.closing_tables import CLOSINGS
from equipoise.desk.followers import SITES
from equipoise.desk.standing import Trial
from equipoise.desk.verification_plan import to_verify
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import Cell, Condition, Row

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
    return [_for_reader(trial, reader, who, "verification", dict(where)) for where in to_verify(trial.study)]


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


_ONE_BY_ONE = ("site", "signed", "verified")
"""Columns of which a queue takes several values: asked one by one, each answer stands in order in an index."""


def page_of(
    reader: Reader, conditions: Iterable[Mapping[str, Condition]], key: tuple[Cell, ...], limit: int
) -> list[Row]:
    """The first rows of the closings after a key, by number, over conditions that exclude each other.

    key: as an address has it, number and place; empty for the first page. What is read is the page, whatever waits.
    """
    found = [
        row
        for where in conditions
        for one in _singly(where)
        for row in reader.rows.find(CLOSINGS, one, order=("number",), after=key, limit=limit)
    ]
    return sorted(found, key=_in_order)[:limit]


def _in_order(row: Row) -> tuple[str, str, str, str, int]:
    number, subject, visit, form = (str(row[name]) for name in ("number", "subject", "visit", "form"))
    return number, subject, visit, form, int(row["repeat"] or 0)


def _singly(where: Mapping[str, Condition]) -> Iterator[Mapping[str, Condition]]:
    several = {
        name: wanted
        for name, wanted in where.items()
        if name in _ONE_BY_ONE and isinstance(wanted, Collection) and not isinstance(wanted, str)
    }
    for chosen in itertools.product(*several.values()):
        yield {**where, **dict(zip(several, chosen, strict=True))}
