"""Taking an answer over from the previous visit, where the study allows it.

The rules that must stay true: what is copied says so, with the place it came from, until a person confirms it or gives
another answer; a form with an unconfirmed answer is not complete; nothing is copied but what stands there now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from equipoise.capture.commands import RecordForm
from equipoise.capture.evolve import Instance, Place, State
from equipoise.capture.questions import Question
from equipoise.ledger.entries import Datum
from equipoise.protocol.study import Study
from equipoise.words.problem import Problem, problem


def copy_source(study: Study, state: State, place: Place, item: str) -> tuple[Place, Datum] | None:
    """The latest earlier form of that kind which has a value of the item: an earlier visit, or repetition."""
    order = {visit.id: position for position, visit in enumerate(study.schedule.visits)}
    here = (order.get(place.visit, -1), place.repeat)
    earlier = [
        (order[where.visit], where.repeat, where)
        for where, saved in state.forms.items()
        if where.form == place.form
        and where.visit in order
        and (order[where.visit], where.repeat) < here
        and item in saved.values
        and saved.values[item].value is not None
    ]
    if not earlier:
        return None
    where = max(earlier)[2]
    return where, state.form(where).values[item]


def source_text(place: Place) -> str:
    """A place as it is written in an entry: visit and repetition."""
    return f"{place.visit}/{place.repeat}"


def copy_faults(
    study: Study, state: State, asked: Mapping[str, Question], command: RecordForm, typed: Mapping[str, Datum]
) -> Iterator[Problem]:
    """What is wrong with what a save takes over."""
    place = Place(command.visit, command.form, command.repeat)
    for name, said in command.copied.items():
        question = asked.get(name)
        if question is None or name not in typed:
            continue
        found = copy_source(study, state, place, name)
        if question.own is None or not question.own.copy_forward:
            yield problem("entry.copy-not-allowed", name, item=question.label)
        elif found is None or (source_text(found[0]), found[1]) != (said, typed[name]):
            yield problem("entry.copy-differs", name, item=question.label)


def confirms(before: Instance, command: RecordForm, name: str) -> bool:
    """Whether a save gives a copied answer again, so that it counts as the person's own."""
    return name in before.copied and name not in command.copied


def unconfirmed(
    asked: Mapping[str, Question], before: Instance, command: RecordForm, changes: Mapping[str, Datum]
) -> Iterator[Problem]:
    """Copied answers that keep a form from being complete."""
    if command.complete:
        for name in dict.fromkeys([*before.copied, *command.copied]):
            if name in asked and (name not in changes or name in command.copied):
                yield problem("entry.copy-unconfirmed", name, item=asked[name].label)
