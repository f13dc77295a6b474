"""Rows of running lists: history, medication, training, devices, and the adverse events.

The rule that must stay true: a list on a later day holds the rows of an earlier one at the same positions; a row
changes only by its end.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from equipoise.simulation.people.answering import Answers, Background, answer_items, asked_only
from equipoise.simulation.people.definition import RowModel
from equipoise.simulation.people.draws import Draw
from equipoise.simulation.people.events import LASTS_FOREVER, VirtualEvent, rows_by
from equipoise.simulation.people.formula import Value
from equipoise.simulation.people.moments import NEVER, Nature, plain


def draw_logs(
    nature: Nature, events: Iterable[VirtualEvent], on: dt.date, scope: Mapping[str, Value]
) -> dict[str, tuple[Answers, ...]]:
    """The rows of every list as they stand on a day. `scope`: the person at that day."""
    today = nature.day(on)
    background = Background(nature.study, nature.zero, {})
    found: dict[str, tuple[Answers, ...]] = {}
    for form, rows in nature.model.logs.items():
        known = [found_row for row in rows if (found_row := _row(nature, form, row, scope)) is not None]
        listed = sorted((one for one in known if one[0] <= today), key=lambda one: (one[0], one[1].id))
        found[form] = tuple(
            _answers(background, nature, form, row.items, {**scope, **names}, f"log:{form}:{row.id}", today)
            for _, row, names in listed
        )
    if nature.model.events is not None:
        form = nature.model.events.form
        found[form] = tuple(
            _answers(
                background,
                nature,
                form,
                nature.model.events.items,
                {**scope, **event.names},
                f"event:{event.id}",
                today,
            )
            for event in rows_by(events, on)
        )
    return {form: rows for form, rows in found.items() if rows}


def _row(
    nature: Nature, form: str, row: RowModel, scope: Mapping[str, Value]
) -> tuple[int, RowModel, dict[str, Value]] | None:
    """A row of a person: the day on which it becomes known, and its names; None where the person has it not."""
    if row.when is not None and not row.when.number(scope):
        return None
    place = nature.chances.at(f"log:{form}:{row.id}")
    values: dict[str, Value] = {
        **scope,
        "start": 0.0,
        "end": NEVER,
        "known": 0.0,
        "ongoing": 1.0,
        "row": row.id,
    }
    for name, draw in row.names.items():
        values[name] = plain(draw.draw(place, name, values))
    start = float(values["start"])
    names = {
        **{name: values[name] for name in row.names},
        "start": start,
        "end": values["end"],
        "row": row.id,
    }
    known = max(float(values["known"]), start, 0.0)
    return round(known), row, {**names, "known": known}


def _answers(
    background: Background,
    nature: Nature,
    form_id: str,
    items: Mapping[str, Draw],
    scope: Mapping[str, Value],
    place: str,
    today: int,
) -> Answers:
    form = nature.study.form(form_id)
    if form is None:
        raise ValueError(f"the model was read with the form {form_id}")
    end = float(scope["end"])
    named = {**scope, "ongoing": float(end > today or end >= LASTS_FOREVER)}
    drawn = answer_items(background, form, items, named, nature.chances.at(place))
    return asked_only(background, form, drawn.answers)
