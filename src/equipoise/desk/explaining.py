"""Why a check asked: the rule part by part, with the values that it saw then, where each came from, and what holds now.

A save that a check refuses is explained in the same way, with the values that were to be recorded.

The rules that must stay true: the moment is found again in the ledger, never kept beside it: the stream is folded up to
the save that raised the query, and judged by the definition of that save; a value of a form that the reader never sees,
of one that is covered from the reader now, or that could tell the arm is not shown, nor a rule that reads it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from equipoise.access.commands import Who
from equipoise.capture.binding import source_of
from equipoise.capture.commands import RecordForm
from equipoise.capture.consequences import Now, consequences, scope_at
from equipoise.capture.evolve import START, Place, Query, State, evolve, is_empty
from equipoise.capture.questions import question, questions
from equipoise.capture.record import typed_items
from equipoise.desk.covering import covered
from equipoise.desk.desk import Desk
from equipoise.desk.standing import Standing
from equipoise.desk.words import shown
from equipoise.ledger.entries import Header, QueryAsked, QueryRaised, Recorded
from equipoise.protocol.expressions import Explanation, Value
from equipoise.protocol.expressions.render import say_reasons, say_value
from equipoise.protocol.forms import Form
from equipoise.protocol.rules import explanation_of, names_in
from equipoise.protocol.scopes import SCORE
from equipoise.protocol.study import Study
from equipoise.words.clock import local
from equipoise.words.dates import PartialDate
from equipoise.words.problem import say
from equipoise.words.text import Text

Shown = Literal["shown", "hidden", "covered"]


@dataclass(frozen=True, slots=True)
class Seen:
    """One name of the rule: what it was worth then and now, from which form, and who recorded it when."""

    name: str
    label: Text
    then: Text
    now: Text
    where: Text
    who: str = ""
    at: str = ""
    state: Shown = "shown"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the rule: how deep it stands, its source, its value and why it is not known."""

    depth: int
    source: str
    value: Text
    reasons: Text
    decides: bool


@dataclass(frozen=True, slots=True)
class ExplainView:
    """Why one query was raised. `parts` is empty where a value of the rule is not shown to the reader."""

    number: str
    place: tuple[str, ...]
    form: Text
    visit: Text
    message: Text
    rule: str
    holds: str
    at: str
    data: tuple[Seen, ...]
    parts: tuple[Part, ...]
    now: Text
    version: str


@dataclass(frozen=True, slots=True)
class _Moment:
    """The subject's data right after the save that raised a query, and by which definition they were judged."""

    study: Study
    version: str
    state: State
    at: str


def explain_query(desk: Desk, who: Who, number: str, query_id: str) -> ExplainView | None:
    """Why a query was raised; None for what the reader may not see. Of a person's query: the value that it is about."""
    with desk.reading() as reader:
        subject = desk.may_read(reader, who, "history", number)
        if subject is None:
            return None
        now = desk.standing_light(reader, subject)
        query = now.case.capture.queries.get(query_id)
        if query is None or _state(now, who, query.place) != "shown":
            return None
        moment = _moment(now, reader.entries(f"subject/{subject}"), query_id)
        headers = {one.header.seq: one.header for one in reader.entries(f"subject/{subject}")}
    form = moment.study.form(query.place.form) if moment is not None else None
    if moment is None or form is None:
        return None
    then = _scope(moment, moment.state, query, _holds(form, query.rule), now, _day(moment.at, now))
    return _view(_Told(desk, who, number, now, moment, query, form, headers), then)


def explain_refusals(desk: Desk, who: Who, number: str, command: RecordForm) -> dict[str, ExplainView]:
    """Why checks refuse a save, by the check: its rule with the values that were to be recorded, and those that are."""
    with desk.reading() as reader:
        subject = desk.may_read(reader, who, "casebook", number)
        if subject is None or subject != command.subject:
            return {}
        now = desk.standing_light(reader, subject)
    place = Place(command.visit, command.form, command.repeat)
    study = now.version_at(*place).study
    form = study.form(place.form)
    if form is None or _state(now, who, place) != "shown":
        return {}
    before = now.case.capture.form(place)
    asked = {one.id: one for one in questions(form)}
    typed, _ = typed_items(study, asked, command.items, command.form, now.today)
    values = {name: datum for name, datum in {**before.values, **typed}.items() if not is_empty(datum)}
    wanted = replace(before, values=values)
    state = replace(now.case.capture, forms={**now.case.capture.forms, place: wanted})
    after = consequences(study, now.case.capture, place, values, Now.of(PartialDate.of(now.today), now.facts))
    found = {}
    for finding in after.findings:
        if finding.refuses:
            message = {"en": finding.message.en, "zh": finding.message.say("zh")}
            at = now.now.isoformat()
            query = Query("", place, finding.items[0] if finding.items else "", finding.rule, message, at, "")
            moment = _Moment(study, study.version, state, at)
            told = _Told(desk, who, number, now, moment, query, form, {})
            found[finding.rule] = _view(
                told, _scope(moment, state, query, _holds(form, finding.rule), now, now.today)
            )
    return found


@dataclass(frozen=True, slots=True)
class _Told:
    """What one explanation is made of: who asks, what holds now, the moment that is explained, and about what."""

    desk: Desk
    who: Who
    number: str
    now: Standing
    moment: _Moment
    query: Query
    form: Form
    headers: Mapping[int, Header]


def _view(told: _Told, then: Mapping[str, Value]) -> ExplainView:
    now, moment, query, form = told.now, told.moment, told.query, told.form
    holds = _holds(form, query.rule)
    after = _scope(moment, now.case.capture, query, holds, now, now.today)
    data = tuple(_data(told.desk, now, told.who, moment, query, form, then, after, told.headers))
    open_to_reader = all(one.state == "shown" for one in data)
    visit = now.trial.record.visit(query.place.visit)
    return ExplainView(
        number=told.number,
        place=(query.place.visit, query.place.form, str(query.place.repeat)),
        form=form.label,
        visit=visit.label if visit is not None else Text(query.place.visit),
        message=Text(query.message.get("en", ""), query.message.get("zh")),
        rule=query.rule,
        holds=holds if open_to_reader else "",
        at=local(moment.at, now.site.zone),
        data=data,
        parts=tuple(_parts(explanation_of(holds, then))) if holds and open_to_reader else (),
        now=_value(explanation_of(holds, after).value) if holds and open_to_reader else Text(""),
        version=moment.version,
    )


def _moment(now: Standing, entries: tuple[Recorded, ...], query_id: str) -> _Moment | None:
    state = START
    for one in entries:
        if isinstance(one.entry, QueryRaised | QueryAsked) and one.entry.query == query_id:
            version = next(
                (each for each in now.trial.released if each.digest == one.header.study_digest), None
            )
            study = version.study if version is not None else now.trial.record
            return _Moment(study, study.version, state, one.header.at)
        state = evolve(state, one)
    return None


def _state(now: Standing, who: Who, place: Place) -> Shown:
    """Whether a reader may see what stands at a place."""
    if place.form in now.trial.hidden_from(who.role):
        return "hidden"
    return "covered" if covered(now, who.role, place) else "shown"


def _day(at: str, now: Standing) -> dt.date:
    return dt.date.fromisoformat(local(at, now.site.zone)[:10])


def _scope(
    moment: _Moment, state: State, query: Query, holds: str, now: Standing, day: dt.date
) -> Mapping[str, Value]:
    """What the rule looks at in a state, on a day."""
    form, place = moment.study.form(query.place.form), query.place
    if form is None:
        return {}
    on = Now.of(PartialDate.of(day), now.facts)
    return scope_at(moment.study, state, place, form, state.form(place).values, on, holds or "true")


def _holds(form: Form, rule: str) -> str:
    """The expression of a check, or of a plausible range; empty for what a scale expects of its items."""
    found = next((check.holds for check in form.checks if check.id == rule), "")
    item = form.item(rule.removeprefix("expected:")) if rule.startswith("expected:") else None
    if item is not None and item.expected is not None:
        unit = f" '{item.unit}'" if item.unit else ""
        low, high = (f"{end:f}{unit}" for end in item.expected)
        return f"`{item.id}` in {low}..{high}"
    return found


def _data(
    desk: Desk,
    now: Standing,
    who: Who,
    moment: _Moment,
    query: Query,
    form: Form,
    then: Mapping[str, Value],
    after: Mapping[str, Value],
    headers: Mapping[int, Header],
) -> Iterator[Seen]:
    """Every name of the rule; for a scale's own expectation, the items that it is about."""
    study = moment.study
    holds = _holds(form, query.rule)
    names = sorted(names_in(holds)) if holds else [query.item]
    for name in filter(None, names):
        place, item, label = _source(study, moment.state, query.place, form, name)
        state: Shown = _state(now, who, place) if place is not None else "shown"
        asked = study.form(place.form) if place is not None else None
        found = question(asked, item) if asked is not None and item else None
        if found is not None and found.revealing:
            state = "hidden"
        if state != "shown":
            yield Seen(name, label, Text(""), Text(""), _where(study, place), state=state)
            continue
        saved = moment.state.form(place) if place is not None else None
        header = headers.get(saved.changed.get(item, saved.seq)) if saved is not None else None
        datum = saved.values.get(item) if saved is not None and item else None
        current = now.case.capture.form(place).values.get(item) if place is not None and item else None
        yield Seen(
            name,
            label,
            (shown(study, found, datum) if datum is not None else None) or _value(then.get(name)),
            (shown(study, found, current) if current is not None else None) or _value(after.get(name)),
            _where(study, place),
            desk.register.staff_name(header.actor) if header is not None else "",
            local(header.at, now.site.zone) if header is not None else "",
        )


def _source(study: Study, state: State, here: Place, form: Form, name: str) -> tuple[Place | None, str, Text]:
    """Where a name gets its value: the form instance, the item there (empty for a whole scale), and its label."""
    own = question(form, name)
    if own is not None:
        return here, name, own.label
    if name == SCORE:
        return here, "", form.label
    each = next((one for one in study.inputs if one.name == name), None)
    if each is None or each.origin.form is None:
        return None, "", each.label if each is not None else Text(name)
    found = source_of(study, state, each)
    place = found[0] if found is not None else Place(each.origin.visit or here.visit, each.origin.form, 1)
    return place, each.origin.item or "", each.label


def _where(study: Study, place: Place | None) -> Text:
    if place is None:
        return Text("")
    form, visit = study.form(place.form), study.visit(place.visit)
    parts = [
        visit.label if visit is not None else Text(place.visit),
        form.label if form is not None else Text(place.form),
    ]
    repeat = f" {place.repeat}" if place.repeat > 1 else ""
    return Text(
        " · ".join(one.en for one in parts) + repeat, " · ".join(one.say("zh") for one in parts) + repeat
    )


def _value(value: Value | None) -> Text:
    if value is None:
        return Text(say("protocol.value-U", "en"), say("protocol.value-U", "zh"))
    return Text(say_value(value, "en"), say_value(value, "zh"))


def _parts(explanation: Explanation) -> Iterator[Part]:
    """The parts that are not written out in the rule, from the whole to the single names."""
    for depth, part in explanation.walk():
        if depth and not part.parts and not names_in(part.source):
            continue
        reasons = Text(say_reasons(part.reasons, "en"), say_reasons(part.reasons, "zh"))
        yield Part(depth, part.source, _value(part.value), reasons, depth == 0)
