"""Panels and reference ranges: they fit the items, units, sexes and ages that they speak of."""

from __future__ import annotations

from equipoise.protocol.checks.finding import Findings, fault
from equipoise.protocol.forms import Item
from equipoise.protocol.study import Study


def ranges_make_sense(study: Study) -> Findings:
    """All rules of this module."""
    tests: dict[str, Item] = {item.id: item for form in study.forms for item in form.tests()}
    for n, form in enumerate(study.forms):
        if form.panel is not None:
            sampled = form.item(form.panel.sampled)
            if sampled is None or sampled.type != "date":
                yield fault(
                    "protocol.study-panel-day", ("forms", n, "panel", "sampled"), item=form.panel.sampled
                )
    own = study.reference_ranges
    inputs = {each.name: each for each in study.inputs}
    for name in ("sex", "birth"):
        wanted = getattr(own, name)
        if wanted is not None and wanted not in inputs:
            yield fault(
                "protocol.study-reference", ("reference_ranges", name), name=wanted, kind="inputs", like=None
            )
    if own.event is not None:
        log = study.form(own.event.form)
        for name in ("term", "start"):
            item = log.item(getattr(own.event, name)) if log is not None else None
            if log is None or log.log is None or item is None:
                yield fault(
                    "protocol.study-lab-event",
                    ("reference_ranges", "event", name),
                    name=getattr(own.event, name),
                )
    for n, one in enumerate(own.rows):
        test = tests.get(one.test)
        if test is None:
            yield fault("protocol.study-range-test", ("reference_ranges", "rows", n, "test"), test=one.test)
        elif one.unit != test.unit:
            unit = ("reference_ranges", "rows", n, "unit")
            yield fault(
                "protocol.study-range-unit",
                unit,
                test=one.test,
                unit=one.unit or "–",
                wanted=test.unit or "–",
            )
        if one.low is None and one.high is None:
            yield fault("protocol.study-range-empty", ("reference_ranges", "rows", n), test=one.test)
        elif one.low is not None and one.high is not None and one.low > one.high:
            yield fault(
                "protocol.study-item-limits",
                ("reference_ranges", "rows", n, "low"),
                low=one.low,
                high=one.high,
            )
        if (one.sex is not None and own.sex is None) or (
            own.birth is None and (one.age_from is not None or one.age_until is not None)
        ):
            yield fault("protocol.study-range-person", ("reference_ranges", "rows", n), test=one.test)
