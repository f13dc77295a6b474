"""What the plan of verification takes: of some participants everything, of everybody else what is critical.

The rule that must stay true: who is taken follows from the plan, the order of randomizing at a site and public numbers
(capture.closing.verifying), and stands on the tables of closings; nothing here looks at a value.
"""

from __future__ import annotations

from equipoise.capture.closing.verifying import critical_items
from equipoise.ledger.store import Condition
from equipoise.protocol.study import Study

LEFT_IN_FULL = ("", "PART", "CRITICAL", "CHANGED")
"""States of a form that is to be verified whole and is not."""
LEFT_CRITICAL = ("", "PART", "CHANGED")
"""States of a form of which the critical items are to be verified and are not."""


def critical_forms(study: Study) -> tuple[str, ...]:
    """The forms with critical items."""
    return tuple(form.id for form in study.forms if critical_items(study, form))


def planned(study: Study) -> tuple[dict[str, Condition], ...]:
    """Conditions on the closings, or their counts, that together name every complete form of the plan, each once."""
    found: list[dict[str, Condition]] = [{"complete": 1, "full": 1}]
    if critical := critical_forms(study):
        found.append({"complete": 1, "full": 0, "form": list(critical)})
    return tuple(found)


def to_verify(study: Study) -> tuple[dict[str, Condition], ...]:
    """As `planned`, of the forms of which the planned items are not all verified as they stand."""
    return tuple(
        {**where, "verified": list(LEFT_CRITICAL if "form" in where else LEFT_IN_FULL)}
        for where in planned(study)
    )
