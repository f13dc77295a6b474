"""Imaging: every procedure can be ordered, checked and read.

The rules that must stay true: a procedure is planned at visits that have its form; a read scores open items of that
form; a tolerance is for numbers only.
"""

from __future__ import annotations

from equipoise.protocol.checks.finding import Findings, fault
from equipoise.protocol.study import Study


def images_can_be_read(study: Study) -> Findings:
    """All rules of this module."""
    for n, one in enumerate(study.imaging.procedures):
        at, form = ("imaging", "procedures", n), study.form(one.form)
        for visit in one.visits:
            if study.visit(visit) is None or form is None or form not in study.forms_at(visit):
                yield fault("protocol.study-imaging-visit", (*at, "visits"), procedure=one.id, visit=visit)
        for m, read in enumerate(one.read):
            item = form.item(read.item) if form is not None else None
            numbers = item is not None and item.type in ("integer", "decimal")
            tolerates = (read.absolute, read.relative) != (None, None)
            if item is None or item.blinding == "revealing" or (tolerates and not numbers):
                where = (*at, "read", m)
                yield fault("protocol.study-imaging-item", where, procedure=one.id, item=read.item)
