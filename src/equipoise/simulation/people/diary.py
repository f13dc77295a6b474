"""What a person taps into the diary, and whether they do.

The rules that must stay true: an answer is one that the item can have; an item that is not asked in this case, or not
of who answers, has none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from equipoise.diary.judging import applies
from equipoise.ledger.entries import Datum
from equipoise.protocol.diary import DiaryItem
from equipoise.simulation.people.draws import Missing, spelled
from equipoise.simulation.people.formula import Value
from equipoise.simulation.people.moments import Nature, plain


@dataclass(frozen=True, slots=True)
class DiaryEntry:
    """One entry: who answered (PARTICIPANT, ASSISTED, CAREGIVER), what (in the order of the form), what was shown."""

    reporter: str
    answers: Mapping[str, Datum]
    shown: tuple[str, ...]


def diary_entry(nature: Nature, form_id: str, on: dt.date, scope: Mapping[str, Value]) -> DiaryEntry | None:
    """The entry of a person in a form about a day; None where none is made, or where the model has no such form."""
    plan, model = nature.study.diary, nature.model.diary.get(form_id)
    form = plan.form(form_id)
    if form is None or model is None:
        return None
    place = nature.chances.at(f"diary:{form_id}:{nature.day(on)}")
    if not model.made.number(place, "made", scope):
        return None
    reporter = str(plain(model.reporter.draw(place, "reporter", scope)))
    values = dict(scope)
    drawn: dict[str, Value] = {}
    for name, draw in model.items.items():
        found = draw.draw(place, name, values)
        values[name] = plain(found)
        if found is not None and not isinstance(found, Missing):
            drawn[name] = found
    answers: dict[str, Datum] = {}
    shown = []
    for item in plan.items(form):
        if (reporter == "CAREGIVER" and not item.proxy) or not applies(item, answers):
            continue
        shown.append(item.id)
        if item.id in drawn:
            answers[item.id] = Datum(_tapped(item, drawn[item.id]))
    return DiaryEntry(reporter, answers, tuple(shown))


def _tapped(item: DiaryItem, value: Value) -> str:
    """A value as the phone keeps it."""
    if isinstance(value, str):
        return value
    match item.kind:
        case "yesno":
            return "Y" if value else "N"
        case "nrs" | "number":
            steps = round((min(max(value, item.low), item.high) - item.low) / item.step)
            return str(item.low + steps * item.step)
        case _:
            return spelled(value)
