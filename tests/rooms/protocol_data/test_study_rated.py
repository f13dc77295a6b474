"""Which forms of the first study only somebody who does not know the arm may fill.

Source: the study's own forms (evaluator: INDEPENDENT ASSESSOR) and CDISC's AEREL for causality.
"""

from __future__ import annotations

from equipoise.protocol.rated import WHOLE, rated_items


def test_every_scale_and_every_independent_assessment_is_rated_whole(first):
    rated = rated_items(first)
    for form in first.forms:
        whole = form.instrument is not None or form.evaluator == "INDEPENDENT ASSESSOR"
        assert (rated.get(form.id) == WHOLE) == whole, form.id
    assert {"NIHSS", "MRS", "FMA", "BI", "MMSE"} <= {name for name, items in rated.items() if items == WHOLE}


def test_of_adverse_events_only_causality_is(first):
    rated = rated_items(first)
    partly = {name: items for name, items in rated.items() if items}
    assert partly == {"AE": frozenset({"AEREL", "AERELPR"})}
