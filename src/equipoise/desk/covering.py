"""Earlier scores are covered from a rater until the assessment that is due now is complete: nobody scores by them.

The rules that must stay true: while a form of an instrument is open for a participant (begun, never complete, or asked
for by a visit that took place or whose window has begun, and not missed), every other form of that instrument, whoever
scored it, shows the rater no value, total, history or query; when the open one is complete all are shown again.
Other roles, and forms of no instrument, are not concerned. Source: ux notes 1.2 (anchoring).
"""

from __future__ import annotations

from collections.abc import Mapping

from equipoise.access.rating import RATER
from equipoise.capture.evolve import Place
from equipoise.desk.standing import Standing
from equipoise.protocol.study import Study
from equipoise.protocol.windows import plan_visit
from equipoise.words.text import Text

COVERED = Text("covered until you have scored", "完成本次评估后可见")
"""What stands in place of a value."""


def covered(now: Standing, role: str, place: Place) -> tuple[Text, ...]:
    """The visits whose open assessment covers the form at `place` from a reader in `role`; none where it is shown."""
    if role != RATER:
        return ()
    instrument = _instruments(now.trial.record).get(place.form)
    if instrument is None:
        return ()
    open_places = _open(now, instrument)
    if place in open_places:
        return ()
    visits = dict.fromkeys(each.visit for each in open_places)
    labels = {visit.id: visit.label for visit in now.trial.record.schedule.visits}
    return tuple(labels.get(visit, Text(visit)) for visit in visits)


def _instruments(study: Study) -> Mapping[str, str]:
    """Form -> its instrument."""
    return {form.id: form.instrument for form in study.forms if form.instrument is not None}


def _open(now: Standing, instrument: str) -> frozenset[Place]:
    """The places at which the instrument is to be scored now."""
    capture, study = now.case.capture, now.trial.study
    forms = {form for form, used in _instruments(study).items() if used == instrument}
    begun = {
        place for place, saved in capture.forms.items() if place.form in forms and not saved.ever_complete
    }
    asked: set[Place] = set()
    for visit in study.schedule.visits:
        if visit.unscheduled or (visit.id, 1) in capture.missed:
            continue
        plan = plan_visit(visit, now.facts.day_one)
        reached = plan.first is not None and plan.first <= now.today
        if (visit.id, 1) in capture.dates or reached:
            asked |= {Place(visit.id, form.id, 1) for form in study.forms_at(visit.id) if form.id in forms}
    return frozenset(begun | {place for place in asked if not capture.form(place).ever_complete})
