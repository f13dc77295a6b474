"""What a form page offers to take over from an earlier visit, and what was taken over and is not confirmed."""

from __future__ import annotations

from dataclasses import replace

from equipoise.access.commands import Who
from equipoise.capture.copying import copy_source, source_text
from equipoise.capture.evolve import Place
from equipoise.capture.questions import question
from equipoise.desk.covering import covered
from equipoise.desk.standing import Standing
from equipoise.desk.views import ItemView
from equipoise.desk.words import shown
from equipoise.protocol.forms import Form
from equipoise.protocol.study import Study
from equipoise.words.text import Text


def with_copies(
    study: Study, now: Standing, who: Who, form: Form, place: Place, items: tuple[ItemView, ...]
) -> tuple[ItemView, ...]:
    """The items of a form page with their offers and marks."""
    state = now.case.capture
    marked = state.form(place).copied
    found = []
    for view in items:
        own = form.item(view.id)
        source = (
            copy_source(study, state, place, view.id)
            if own is not None
            and own.copy_forward
            and view.visible
            and view.id not in state.form(place).values
            else None
        )
        if view.id in marked:
            found.append(replace(view, copied=_visit(study, marked[view.id].split("/")[0])))
        elif source is not None and not view.revealing and not covered(now, who.role, source[0]):
            where, datum = source
            words = shown(study, question(form, view.id), datum) or Text("")
            said = _visit(study, where.visit)
            found.append(replace(view, offer=(source_text(where), datum, words, said)))
        else:
            found.append(view)
    return tuple(found)


def _visit(study: Study, visit_id: str) -> Text:
    visit = study.visit(visit_id)
    if visit is None:
        return Text(visit_id)
    return Text(f"{visit_id} {visit.label.en}", f"{visit_id} {visit.label.say('zh')}")
