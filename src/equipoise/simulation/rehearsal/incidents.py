"""What should not happen in a trial and does: a code that is broken, and a site that copies instead of measuring.

The rule that must stay true: both go the way that people go; an arm is shown behind the second door alone, and what was
made up looks like any other entry.
"""

from __future__ import annotations

from collections.abc import Sequence

from equipoise.capture.evolve import Place
from equipoise.capture.questions import questions
from equipoise.ledger.entries import Datum
from equipoise.randomization.commands import RequestCodeBreak, ReviewCodeBreak
from equipoise.simulation.rehearsal.case import Case, Filled
from equipoise.simulation.rehearsal.stage import Stage
from equipoise.words.ids import random_id

_MEASURED = frozenset({"integer", "decimal"})


def break_code(stage: Stage, case: Case) -> None:
    """An emergency: the investigator asks for the code and sees the arm; the safety desk reviews."""
    doctor, safety = stage.person("investigator", case.site), stage.person("safety_desk")
    request = random_id(stage.desk.ledger.entropy)
    command = RequestCodeBreak(case.subject, request, "EMERGENCY", urgent=True, to="SELF", reason="bleeding")
    stage.must(doctor, command)
    stage.exchange()
    stage.door.ask("show", stage.clock(), request=request, actor=stage.actors[doctor.id])
    stage.pass_minutes(2)
    stage.exchange()
    stage.tally.counts["code breaks"] += 1
    case.broken = True
    review = ReviewCodeBreak(case.subject, request, justified=True, note="The arm decided on the treatment.")
    stage.must(safety, review)


def copied(stage: Stage, case: Case, answered: Sequence[Filled]) -> list[Filled]:
    """The forms of a visit with the numbers and scores of the last time, where there was one."""
    found: list[Filled] = []
    for filled in answered:
        before = _last(case, filled)
        form = stage.study.form(filled.form)
        if before is None or form is None or filled.row:
            found.append(filled)
            continue
        numbers = {
            each.id
            for each in questions(form)
            if not each.revealing
            and (each.scored is not None or (each.own is not None and each.own.type in _MEASURED))
        }
        kept = {
            item: before.get(item, said) if item in numbers else said for item, said in filled.items.items()
        }
        stage.tally.counts["forms copied from the last visit"] += kept != dict(filled.items)
        found.append(Filled(filled.form, filled.repeat, kept))
    return found


def _last(case: Case, filled: Filled) -> dict[str, Datum] | None:
    """What was last said on the same form."""
    places: list[Place] = [
        place for place in case.saved if place.form == filled.form and place.repeat == filled.repeat
    ]
    return case.saved[places[-1]] if places else None
