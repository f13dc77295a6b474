"""Whose participation is over, read from the tables: for lists of what is due, and for what is waited for no more.

The rule that must stay true: it says of every participant what `protocol.windows` says of each visit as NO_LONGER_DUE.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from equipoise.desk.followers import FORMS
from equipoise.desk.standing import Trial
from equipoise.desk.visit_tables import COURSES, LEFT_VISITS
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import Condition
from equipoise.protocol.windows import REMOTE

_AT_ONCE = 500


def ended_by_form(reader: Reader, trial: Trial, subjects: Collection[str]) -> frozenset[str]:
    """Of some subjects, those of whom the form of the end, by any released version, is complete."""
    known = trial.released or (trial,)
    ends = {one.study.schedule.end.form for one in known if one.study.schedule.end is not None}
    where: dict[str, Condition] = {"subject": list(subjects), "form": list(ends), "complete": 1}
    rows = reader.rows.find(FORMS, where) if ends else ()
    return frozenset(str(row["subject"]) for row in rows)


def left_early(reader: Reader, trial: Trial) -> Mapping[str, frozenset[str]]:
    """Subjects whose participation was over before all visits were settled -> their visits that are still looked at.


    Over, as `protocol.windows` has it: consent, or its part for visits, withdrawn; a visit held that ends it all;
    or the form of the end complete. What is read are those with a visit left, and not everybody.
    """
    subjects = sorted({str(row["subject"]) for row in reader.rows.find(LEFT_VISITS)})
    ending = {visit.id for visit in trial.record.schedule.visits if visit.ends}
    from_afar = [visit.id for visit in trial.record.schedule.visits if visit.mode in REMOTE]
    found: dict[str, frozenset[str]] = {}
    for begin in range(0, len(subjects), _AT_ONCE):
        some = subjects[begin : begin + _AT_ONCE]
        gone = ended_by_form(reader, trial, some)
        for row in reader.rows.find(COURSES, {"subject": some}):
            held, missed = str(row["held"] or "").split(), str(row["missed"] or "").split()
            over = row["withdrawn"] or row["limited"] == 2 or row["subject"] in gone or ending & set(held)
            if over or row["limited"]:
                called = [] if over else from_afar
                found[str(row["subject"])] = frozenset((*held, *missed, *called))
    return found
