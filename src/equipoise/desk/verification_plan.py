"""Whom the plan of verification takes in full, and what of everybody else; over all participants, from the read tables.

The rule that must stay true: who is taken follows from the plan, the order of randomizing at a site and public numbers
(capture.closing.verifying); nothing here looks at a value.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from equipoise.capture.closing.verifying import critical_items, in_full
from equipoise.desk.followers import SUBJECTS
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import Condition
from equipoise.protocol.study import Study

LEFT_IN_FULL = ("", "PART", "CRITICAL", "CHANGED")
"""States of a form that is to be verified whole and is not."""
LEFT_CRITICAL = ("", "PART", "CHANGED")
"""States of a form of which the critical items are to be verified and are not."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Participants to be verified in full; the other participants; forms with critical items."""

    full: tuple[str, ...]
    others: tuple[str, ...]
    critical: tuple[str, ...]


def plan_of(reader: Reader, study: Study) -> Plan:
    """The plan at the reader's moment."""
    randomized: Counter[str] = Counter()
    full: list[str] = []
    others: list[str] = []
    rows = reader.rows.find(SUBJECTS, order=("randomized_at",))
    for row in rows:
        rank = None
        if row["randomized_at"] is not None:
            randomized[str(row["site"])] += 1
            rank = randomized[str(row["site"])]
        taken = in_full(study.verification, str(row["number"]), rank)
        (full if taken else others).append(str(row["subject"]))
    critical = tuple(form.id for form in study.forms if critical_items(study, form))
    return Plan(tuple(full), tuple(others), critical)


def planned(plan: Plan) -> tuple[dict[str, Condition], ...]:
    """Conditions on the table of closings that together name every complete form that the plan takes, each once."""
    found: list[dict[str, Condition]] = []
    if plan.full:
        found.append({"complete": 1, "subject": list(plan.full)})
    if plan.critical and plan.others:
        found.append({"complete": 1, "form": list(plan.critical), "subject": list(plan.others)})
    return tuple(found)


def to_verify(plan: Plan) -> tuple[dict[str, Condition], ...]:
    """As `planned`, of the forms of which the planned items are not all verified as they stand."""
    return tuple(
        {**where, "verified": list(LEFT_CRITICAL if "form" in where else LEFT_IN_FULL)}
        for where in planned(plan)
    )
