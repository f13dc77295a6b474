"""Whether a visit, a form and a repetition belong together in the study."""

from __future__ import annotations

from equipoise.protocol.forms import LOG
from equipoise.protocol.study import Study
from equipoise.words.problem import Problem, problem


def place_faults(study: Study, visit_id: str, form_id: str, repeat: int) -> tuple[Problem, ...]:
    """What is wrong with a place; empty where the schedule has the form at the visit and it may repeat so often."""
    if visit_id == LOG:
        return _row_faults(study, form_id, repeat)
    visit, form = study.visit(visit_id), study.form(form_id)
    found = []
    if visit is None:
        found.append(problem("capture.visit-unknown", "visit", visit=visit_id))
    if form is None:
        found.append(problem("capture.form-unknown", "form", form=form_id))
    if visit is None or form is None:
        return tuple(found)
    if form not in study.forms_at(visit_id):
        found.append(problem("capture.form-not-planned", "form", form=form.label, visit=visit.label))
    if form.log is not None:
        found.append(problem("capture.form-is-log", "form", form=form.label))
    if repeat < 1 or (repeat > 1 and not form.repeats and not visit.unscheduled):
        found.append(problem("capture.repeat-unknown", "repeat", form=form.label, repeat=repeat))
    return tuple(found)


def _row_faults(study: Study, form_id: str, repeat: int) -> tuple[Problem, ...]:
    form = study.form(form_id)
    if form is None:
        return (problem("capture.form-unknown", "form", form=form_id),)
    if form.log is None:
        return (problem("capture.form-no-log", "form", form=form.label),)
    return (
        () if repeat >= 1 else (problem("capture.repeat-unknown", "repeat", form=form.label, repeat=repeat),)
    )


def visit_faults(study: Study, visit_id: str, repeat: int) -> tuple[Problem, ...]:
    """What is wrong with a visit and its repetition: only an unscheduled visit takes place more than once."""
    visit = study.visit(visit_id)
    if visit is None:
        return (problem("capture.visit-unknown", "visit", visit=visit_id),)
    if repeat < 1 or (repeat > 1 and not visit.unscheduled):
        return (problem("capture.repeat-unknown", "repeat", form=visit.label, repeat=repeat),)
    return ()
