"""Deciding on visits: that one took place, that it was missed, that either was a mistake; and how participation ended.

The rules that must stay true: a true date is always taken, in its window or not; refused is only a day that is still
to come, and one before the participant was born. A date that replaces another says why. An unscheduled visit says
why it was held, and they are counted without a gap. Source: ICH E6(R3) 4.2.2; DESIGN 6.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from equipoise.capture.binding import value_of_item
from equipoise.capture.commands import DateVisit, MissVisit, ReopenVisit
from equipoise.capture.evolve import State
from equipoise.capture.parsing import TEXT_LIMIT, clean
from equipoise.capture.placing import visit_faults
from equipoise.ledger.entries import Append, Entry, VisitDated, VisitDescribed, VisitMissed, VisitReopened
from equipoise.ledger.facts import Decision, Occasion, Refusal
from equipoise.protocol.expressions import DateValue
from equipoise.protocol.study import Study, Visit
from equipoise.words.dates import PartialDate, whole_date
from equipoise.words.problem import Problem, problem

MODES = ("clinic", "inpatient", "phone", "home", "remote")
"""How a visit can have been held."""


def decide_date(study: Study, state: State, command: DateVisit, occasion: Occasion) -> Decision:
    """Decide on the date of a visit."""
    faults = visit_faults(study, command.visit, command.repeat)
    visit = study.visit(command.visit)
    if faults or visit is None:
        return Refusal(faults)
    six = study.entry.six_digit_dates
    on = whole_date(command.on, "capture.visit-date-incomplete", "on", six=six, today=occasion.today)
    if isinstance(on, Problem):
        return Refusal((on,))
    reason = clean(command.reason)
    found = [*_impossible(study, state, on, occasion.today), *_untold(state, visit, command, on, reason)]
    found += _too_long(reason)
    if found:
        return Refusal(tuple(found))
    place, stream = (command.visit, command.repeat), f"subject/{command.subject}"
    known = state.dates.get(place)
    described = VisitDescribed(*place, mode=command.mode, because=command.because, reason=reason)
    told = (command.mode, command.because, reason)
    before = (known.mode, known.because, known.reason) if known is not None else ("", "", "")
    entries: list[Entry] = [] if known is not None and known.on == on.iso() else [
        VisitDated(command.visit, on.iso(), command.repeat)
    ]  # fmt: skip
    if told != before and (any(told) or known is not None):
        entries.append(described)
    if not entries:
        return Refusal((problem("capture.nothing-changed"),))
    return tuple(Append(stream, entry) for entry in entries)


def _impossible(study: Study, state: State, on: PartialDate, today: dt.date) -> Iterator[Problem]:
    """A day that is still to come, and one before birth: everything else can be true."""
    if on.earliest > today:
        yield problem("capture.visit-in-the-future", "on", given=on.iso(), today=today.isoformat())
    born = born_on(study, state)
    if born is not None and on.latest < born.earliest:
        yield problem("visits.before-birth", "on", given=on.iso(), born=born.iso())


def _untold(
    state: State, visit: Visit, command: DateVisit, on: PartialDate, reason: str
) -> Iterator[Problem]:
    place = (command.visit, command.repeat)
    known = state.dates.get(place)
    if command.mode and command.mode not in MODES:
        yield problem("visits.mode-unknown", "mode", given=command.mode)
    if known is not None and known.on != on.iso() and not reason:
        yield problem("visits.date-reason", "reason", before=known.on)
    if visit.unscheduled:
        held = [repeat for name, repeat in state.dates if name == visit.id]
        if known is None and command.repeat > max(held, default=0) + 1:
            following = str(max(held, default=0) + 1)
            yield problem("visits.out-of-count", "repeat", repeat=command.repeat, next=following)
    if (visit.unscheduled or visit.ends) and known is None and command.because == "OTHER" and not reason:
        yield problem("visits.reason", "reason")


def decide_miss(study: Study, state: State, command: MissVisit, occasion: Occasion) -> Decision:
    """Decide that a visit was missed: any that has a day, whenever it is known that it will not take place."""
    visit, reason = study.visit(command.visit), clean(command.reason)
    if visit is None:
        return Refusal((problem("capture.visit-unknown", "visit", visit=command.visit),))
    place = (command.visit, 1)
    found: list[Problem] = list(_too_long(reason))
    if visit.day is None:
        found.append(problem("visits.not-planned", "visit", visit=visit.label))
    if place in state.dates:
        found.append(problem("visits.took-place", "visit", visit=visit.label, on=state.dates[place].on))
    known = state.missed.get(place)
    if known is not None and (known.because, known.reason) == (command.because, reason):
        found.append(problem("capture.nothing-changed"))
    if command.because == "OTHER" and not reason:
        found.append(problem("visits.reason", "reason"))
    if found:
        return Refusal(tuple(found))
    missed = VisitMissed(command.visit, command.because, reason)
    return (Append(f"subject/{command.subject}", missed),)


def decide_reopen(study: Study, state: State, command: ReopenVisit) -> Decision:
    """Decide that what was recorded of a visit was a mistake. Its forms stay."""
    visit, reason = study.visit(command.visit), clean(command.reason)
    if visit is None:
        return Refusal((problem("capture.visit-unknown", "visit", visit=command.visit),))
    place = (command.visit, command.repeat)
    found: list[Problem] = list(_too_long(reason))
    if place not in state.dates and place not in state.missed:
        found.append(problem("visits.open", "visit", visit=visit.label))
    if not reason:
        found.append(problem("visits.reason", "reason"))
    if found:
        return Refusal(tuple(found))
    return (Append(f"subject/{command.subject}", VisitReopened(*place, reason=reason)),)


def _too_long(reason: str) -> Iterator[Problem]:
    if len(reason) > TEXT_LIMIT:
        yield problem("capture.text-too-long", "reason", item="reason", limit=TEXT_LIMIT)


def born_on(study: Study, state: State) -> PartialDate | None:
    """The day of birth as it was captured, or as much of it as is known; None where nothing is."""
    named = next((each for each in study.inputs if each.name == study.schedule.born), None)
    form = study.form(named.origin.form) if named is not None and named.origin.form is not None else None
    item = named.origin.item if named is not None else None
    if form is None or item is None:
        return None
    for place, instance in state.forms.items():
        if place.form == form.id and item in instance.values:
            value = value_of_item(study, form, item, instance.values[item])
            if isinstance(value, DateValue) and value.date is not None:
                return value.date
    return None


def ended(study: Study, state: State) -> tuple[str, str] | None:
    """How and on which day (ISO) participation ended, as far as capture knows; None while it goes on.

    By the form of the end, once it says both and is complete; else by a visit that ends participation. The day of a
    form that several visits have is that of the last one saved.
    """
    end = study.schedule.end
    found = [
        (instance.seq, instance.values[end.how].value, instance.values[end.on].value)
        for place, instance in state.forms.items()
        if end is not None
        and place.form == end.form
        and instance.complete
        and {end.how, end.on} <= instance.values.keys()
    ]
    told = [(seq, how, on) for seq, how, on in found if how is not None and on is not None]
    if told:
        return max(told)[1:]
    last = {visit.id for visit in study.schedule.visits if visit.ends}
    days = [date.on for (visit, _), date in state.dates.items() if visit in last]
    return ("", min(days)) if days else None
