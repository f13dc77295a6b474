"""Specimens: every kit can be drawn, kept, sent and reported.

The rules that must stay true: a kit names visits, a storage and a laboratory of the study; a test is captured in an
item that a laboratory can report (a number or a code), of a form that is planned at every visit of its kit; a
laboratory reports a test under one code from one kit.
"""

from __future__ import annotations

from equipoise.protocol.checks.finding import Findings, fault
from equipoise.protocol.specimens import Kit
from equipoise.protocol.study import Study

REPORTED = frozenset({"integer", "decimal", "code"})


def specimens_can_be_handled(study: Study) -> Findings:
    """All rules of this module; a study without kits has nothing to keep."""
    plan = study.specimens
    storages, laboratories = {one.id for one in plan.storages}, {one.id for one in plan.laboratories}
    seen: set[tuple[str, str]] = set()
    for n, kit in enumerate(plan.kits):
        at = ("specimens", "kits", n)
        if kit.storage not in storages:
            yield fault("protocol.study-kit-reference", (*at, "storage"), kit=kit.id, name=kit.storage)
        if kit.laboratory not in laboratories:
            yield fault("protocol.study-kit-reference", (*at, "laboratory"), kit=kit.id, name=kit.laboratory)
        for visit in kit.visits:
            if study.visit(visit) is None:
                yield fault("protocol.study-kit-reference", (*at, "visits"), kit=kit.id, name=visit)
        yield from _tests(study, kit, n, seen)
        yield from _fills(study, kit, n)


def _tests(study: Study, kit: Kit, n: int, seen: set[tuple[str, str]]) -> Findings:
    for m, test in enumerate(kit.tests):
        at = ("specimens", "kits", n, "tests", m)
        form = study.form(test.form)
        item = form.item(test.item) if form is not None else None
        if item is None or item.type not in REPORTED:
            yield fault(
                "protocol.study-kit-test", (*at, "item"), code=test.code, item=f"{test.form}.{test.item}"
            )
        for visit in kit.visits:
            if form is not None and study.visit(visit) is not None and form not in study.forms_at(visit):
                yield fault(
                    "protocol.study-kit-visit", (*at, "form"), code=test.code, form=test.form, visit=visit
                )
        if (kit.laboratory, test.code) in seen:
            yield fault("protocol.study-kit-code-twice", (*at, "code"), code=test.code)
        seen.add((kit.laboratory, test.code))


def _fills(study: Study, kit: Kit, n: int) -> Findings:
    if kit.fills is None:
        return
    form = study.form(kit.fills.form)
    for name in ("date", "time", "accession"):
        wanted = getattr(kit.fills, name)
        if wanted is not None and (form is None or form.item(wanted) is None):
            at = ("specimens", "kits", n, "fills", name)
            yield fault("protocol.study-kit-test", at, code=name, item=f"{kit.fills.form}.{wanted}")
