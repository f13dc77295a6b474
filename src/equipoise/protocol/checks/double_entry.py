"""Double entry: a form that two persons type can be typed from paper as a whole, and by nobody else.

The rules that must stay true: nothing but people fills such a form, all of it is open to them, and what says that the
source is paper is asked of everybody who types.
"""

from __future__ import annotations

from collections.abc import Mapping

from equipoise.protocol.checks.finding import Findings, fault
from equipoise.protocol.forms import DoubleEntry, Form
from equipoise.protocol.notation import Steps
from equipoise.protocol.study import Study


def twice_can_be_typed(study: Study) -> Findings:
    """All rules of this module."""
    filled = _filled(study)
    for n, form in enumerate(study.forms):
        if form.double_entry is None:
            continue
        at: Steps = ("forms", n, "double_entry")
        if form.log is not None or form.grid is not None:
            yield fault("double.study-kind", at)
        if form.instrument is not None or form.evaluator == "INDEPENDENT ASSESSOR":
            yield fault("double.study-scored", at)
        if form.id in filled:
            yield fault("double.study-filled", at, by=filled[form.id])
        for item in form.items:
            if item.blinding == "revealing":
                yield fault("double.study-revealing", at, item=item.id)
        yield from _source(at, study, form, form.double_entry)


def _filled(study: Study) -> Mapping[str, str]:
    """Form -> what fills it in beside people."""
    kits = study.specimens.kits
    by = {test.form: f"specimens.kits.{kit.id}" for kit in kits for test in kit.tests}
    by |= {kit.fills.form: f"specimens.kits.{kit.id}" for kit in kits if kit.fills is not None}
    return by | {one.form: f"imaging.procedures.{one.id}" for one in study.imaging.procedures}


def _source(at: Steps, study: Study, form: Form, asked: DoubleEntry) -> Findings:
    if (asked.written_on is None) != (not asked.paper):
        yield fault("double.study-source-half", at)
        return
    if asked.written_on is None:
        return
    item = form.item(asked.written_on)
    if (
        item is None
        or item.type not in {"code", "truth"}
        or not item.required
        or item.visible_when is not None
    ):
        yield fault("double.study-source", (*at, "written_on"), item=asked.written_on)
        return
    codelist = study.codelist(item.codelist or "")
    codes = (
        {"Y", "N"} if item.type == "truth" else {term.code for term in codelist.terms} if codelist else set()
    )
    for n, code in enumerate(asked.paper):
        if code not in codes:
            yield fault("double.study-source-code", (*at, "paper", n), code=code, item=item.id)
