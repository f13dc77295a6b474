"""Adverse events of one person, and what they leave on the forms.

The rules that must stay true: an event happens in the active arm whenever it happens in the other and its ratio is 1 or
more (the same chance is held against both rates); a person's own liability (frailty) makes events cluster without
changing the rate of any; nothing begins after participation ended.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from equipoise.simulation.people.chances import Chances
from equipoise.simulation.people.course import Course
from equipoise.simulation.people.definition import EventModel, Events
from equipoise.simulation.people.draws import Draw
from equipoise.simulation.people.formula import Value
from equipoise.simulation.people.moments import NEVER, Lived, Nature, plain

LASTS_FOREVER = NEVER / 2


@dataclass(frozen=True, slots=True)
class VirtualEvent:
    """One adverse event. `id`: of the model. starts, ends: dates; ends None: it goes on. grade: CTCAE 1 to 5.

    known_on: the day on which the site learns of it. names: what its form is written from.
    """

    id: str
    starts: dt.date
    ends: dt.date | None
    known_on: dt.date
    grade: int
    serious: bool
    names: Mapping[str, Value]


def draw_events(nature: Nature, course: Course, lived: Lived) -> tuple[VirtualEvent, ...]:
    """The events of twelve months, by onset."""
    events = nature.model.events
    if events is None:
        return ()
    first = nature.day(lived.doses[0]) if lived.doses else course.wait
    scope: dict[str, Value] = {
        **nature.variables, **nature.clock("", first, lived), **nature.base(),
        **{name: nature.base()[f"base_{name}"] for name in (each.name for each in nature.model.state)},
        **dict.fromkeys(events.marks, 0.0), "outcome": "", "ended": NEVER,
    }  # fmt: skip
    end = course.end
    last = float(first + end[1] - 1) if end is not None else float(first + 365)
    liability = _liability(events.frailty, nature)
    found = []
    for model in events.rows:
        place = nature.chances.at(f"event:{model.id}")
        if place.uniform("happens") >= _rate(model, events.frailty, liability, nature, lived, scope):
            continue
        event = _event(
            nature, events, model, {**scope, **_names({**events.names, **model.names}, place, scope)}
        )
        if nature.day(event.starts) <= last:
            found.append(event)
    return tuple(sorted(found, key=lambda event: (event.starts, event.id)))


def _names(draws: Mapping[str, Draw], place: Chances, scope: Mapping[str, Value]) -> dict[str, Value]:
    values = dict(scope)
    for name, draw in draws.items():
        values[name] = plain(draw.draw(place, name, values))
    return {name: values[name] for name in draws}


def _liability(variance: float, nature: Nature) -> float:
    """A person's own liability: gamma with mean 1 and this variance, as a sum of exponentials (1/variance of them)."""
    if variance <= 0:
        return 1.0
    shape = max(1, round(1 / variance))
    place = nature.chances.at("frailty")
    return sum(-math.log(place.uniform(str(number))) for number in range(shape)) / shape


def _rate(
    model: EventModel,
    variance: float,
    liability: float,
    nature: Nature,
    lived: Lived,
    scope: Mapping[str, Value],
) -> float:
    """The chance of an event for this person, so that over all persons it is the rate of the model."""
    rate = model.rate.number(nature.chances.at(f"event:{model.id}"), "rate", scope)
    active = nature.model.arms.get(lived.arm, {}).get("active", 0.0) if lived.doses else 0.0
    rate = min(rate * (1.0 + (model.ratio - 1.0) * active), 0.999999)
    if variance <= 0 or rate <= 0 or rate > 0.9:
        return rate
    shape = max(1, round(1 / variance))
    return 1.0 - math.exp(-liability * shape * ((1.0 - rate) ** (-1.0 / shape) - 1.0))


def _event(nature: Nature, events: Events, model: EventModel, names: Mapping[str, Value]) -> VirtualEvent:
    start = float(names["start"])
    end = float(names["end"])
    known = max(float(names["known"]), start)
    zero = nature.zero
    return VirtualEvent(
        model.id,
        zero + dt.timedelta(days=round(start)),
        None if end >= LASTS_FOREVER else zero + dt.timedelta(days=round(max(end, start))),
        zero + dt.timedelta(days=round(known)),
        int(float(names["grade"])),
        bool(names["serious"]),
        names,
    )


def marks_on(nature: Nature, events: Iterable[VirtualEvent], today: int) -> dict[str, float]:
    """For each mark of the model the greatest of its values over a person's events, 0 where there is none."""
    model = nature.model.events
    if model is None:
        return {}
    found = dict.fromkeys(model.marks, 0.0)
    for event in events:
        scope = {**event.names, "today": float(today)}
        for mark, formula in model.marks.items():
            found[mark] = max(found[mark], formula.number(scope))
    return found


def rows_by(events: Iterable[VirtualEvent], on: dt.date) -> Iterator[VirtualEvent]:
    """The events that a site knows of on a day, in the order in which it learned of them."""
    known = [event for event in events if event.known_on <= on]
    yield from sorted(known, key=lambda event: (event.known_on, event.starts, event.id))
