"""Which forms, and which items, must be filled by somebody who does not know the participant's arm.

The rule that must stay true: a form of an independent assessor, or of a scale, is rated whole; of any other form only
the judgement of causality is, which CDISC calls AEREL. Source: CDISC SDTM (EVAL, AEREL); ICH E9 2.3.1.
"""

from __future__ import annotations

from collections.abc import Mapping

from equipoise.protocol.forms import Form
from equipoise.protocol.study import Study

CAUSALITY = frozenset({"AEREL", "AERELPR"})
"""Whether an event is related to the product, and whether to a procedure (ours: SDTM has no variable for it)."""
WHOLE: frozenset[str] = frozenset()
"""Stands for every item of a form."""


def rated_items(study: Study) -> Mapping[str, frozenset[str]]:
    """Form -> the items that need the blind; WHOLE where all do. Other forms are not in it."""
    found: dict[str, frozenset[str]] = {}
    for form in study.forms:
        if form.instrument is not None or form.evaluator == "INDEPENDENT ASSESSOR":
            found[form.id] = WHOLE
        elif causality := _causality(form):
            found[form.id] = causality
    return found


def _causality(form: Form) -> frozenset[str]:
    return frozenset(item.id for item in form.items if item.sdtm and item.sdtm.variable in CAUSALITY)
