"""From a model of a form to the answers on it: texts as a person would write them, and only what the form asks.

The rules that must stay true: an answer that the form hides is not given (the study's own conditions decide); points
of a scale add up to the total that was drawn; a number is written with the digits of its item and inside what is
possible.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from equipoise.capture.binding import value_of_item
from equipoise.capture.laboratory import Person, indications, judged
from equipoise.capture.questions import questions
from equipoise.ledger.entries import Datum, RangeRow
from equipoise.protocol.assessments import scale_of
from equipoise.protocol.expressions import Reason, Unknown, as_logical
from equipoise.protocol.expressions import Value as RuleValue
from equipoise.protocol.forms import Form, Item
from equipoise.protocol.rules import names_in, value_of
from equipoise.protocol.study import Input, Study
from equipoise.simulation.people.chances import Chances
from equipoise.simulation.people.definition import FormModel
from equipoise.simulation.people.draws import Draw, Drawn, Missing, spelled
from equipoise.simulation.people.formula import Value, as_number
from equipoise.simulation.people.sharing import share_out
from equipoise.words.dates import parse_date
from equipoise.words.truth import Truth

Answers = Mapping[str, Datum]
"""Item id -> what a person writes there."""
MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Background:
    """What a form's conditions may ask of the rest of the casebook. `zero`: the date of day 0 of the person's axis."""

    study: Study
    zero: dt.date
    known: Mapping[str, tuple[Answers, ...]]
    """Form id -> its answers so far, which the study's inputs are read from."""
    ranges: tuple[RangeRow, ...] = ()


def answer_form(
    background: Background, form: Form, answered: FormModel, scope: Mapping[str, Value], chances: Chances
) -> tuple[Answers, ...]:
    """The answers of every repetition of a form; one where it does not repeat, none where it is not answered."""
    if answered.when is not None and not answered.when.number(scope):
        return ()
    if answered.rows is None:
        return (_answers(background, form, answered, scope, chances),)
    item = form.item(answered.rows)
    codelist = background.study.codelist(item.codelist or "") if item is not None else None
    codes = [term.code for term in codelist.terms] if codelist is not None else []
    return tuple(
        _answers(background, form, answered, {**scope, "row": code}, chances.at(f"{chances.place}:{code}"))
        for code in codes
    )


def _answers(
    background: Background, form: Form, answered: FormModel, scope: Mapping[str, Value], chances: Chances
) -> Answers:
    found = answer_items(background, form, answered.items, scope, chances)
    used = scale_of(form)
    if used is not None:
        for shared in answered.shared:
            value = round(shared.draw.number(chances, f"{form.id}.{shared.total}", found.values))
            points = share_out(used, shared.total, value, shared.easy, shared.noise, chances)
            found.answers.update({item: Datum(str(score)) for item, score in points.items()})
    if answered.significance is not None:
        _judge(background, form, answered.significance, found, chances)
    return asked_only(background, form, found.answers)


@dataclass(slots=True)
class _Found:
    """Answers so far, and what later draws may ask: the scope, with their values under the names of the items."""

    answers: dict[str, Datum]
    values: dict[str, Value]


def answer_items(
    background: Background,
    form: Form,
    items: Mapping[str, Draw],
    scope: Mapping[str, Value],
    chances: Chances,
) -> _Found:
    """The answers of items in the order of the model; later items may ask for earlier ones by their id."""
    found = _Found({}, dict(scope))
    own = {item.id: item for item in form.items}
    for name, draw in items.items():
        drawn = draw.draw(chances, f"{form.id}.{name}", found.values)
        found.values[name] = 0.0 if drawn is None or isinstance(drawn, Missing) else drawn
        if drawn is None or name.startswith("_"):
            continue
        datum = written(own.get(name), drawn, background.zero)
        found.answers[name] = datum
        if datum.value is not None and isinstance(drawn, float):
            found.values[name] = _as_written(datum.value, drawn)
    return found


def _as_written(text: str, drawn: float) -> float:
    """The number that was written, so that what follows from it follows from what people see."""
    try:
        return float(text)
    except ValueError:
        return drawn


def written(item: Item | None, drawn: Drawn, zero: dt.date) -> Datum:
    """A value as it is written on a form; `item` None is an item of a scale. Days count from `zero`."""
    if isinstance(drawn, Missing):
        return Datum(missing=drawn.code)
    if drawn is None:
        return Datum()
    if item is None:
        return Datum(str(round(as_number(drawn))))
    if isinstance(drawn, str):
        return Datum(drawn)
    match item.type:
        case "date":
            return Datum((zero + dt.timedelta(days=round(drawn))).isoformat())
        case "time":
            minutes = round(drawn) % MINUTES
            return Datum(f"{minutes // 60:02d}:{minutes % 60:02d}")
        case "truth":
            return Datum("Y" if drawn else "N")
        case "integer" | "decimal":
            return Datum(_number(item, drawn))
        case _:
            return Datum(spelled(drawn))


def _number(item: Item, drawn: float) -> str:
    digits = 0 if item.type == "integer" else item.digits
    number = Decimal(repr(drawn)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    if item.minimum is not None:
        number = max(number, item.minimum)
    if item.maximum is not None:
        number = min(number, item.maximum)
    return f"{number + 0:f}"


def _judge(background: Background, form: Form, draw: Draw, found: _Found, chances: Chances) -> None:
    """Whether what lies outside its range matters: the items that describe a test (`of` of their target)."""
    for item in form.items:
        of = item.sdtm.of if item.sdtm is not None else None
        if of is not None and item.id not in found.answers and of in found.answers:
            drawn = draw.draw(chances, f"{form.id}.{item.id}", found.values)
            if drawn is not None:
                found.answers[item.id] = written(item, drawn, background.zero)


def asked_only(background: Background, form: Form, answers: Mapping[str, Datum]) -> Answers:
    """The answers without those that the form does not ask for in this case, in the order of the form."""
    order = [each.id for each in questions(form)]
    kept = {name: answers[name] for name in order if name in answers}
    while True:
        scope = _scope(background, form, kept)
        hidden = {
            item.id
            for item in form.items
            if item.id in kept
            and item.visible_when is not None
            and as_logical(value_of(item.visible_when, scope)).truth is not Truth.TRUE
        }
        if not hidden:
            return kept
        kept = {name: datum for name, datum in kept.items() if name not in hidden}


def _scope(background: Background, form: Form, answers: Mapping[str, Datum]) -> Mapping[str, RuleValue]:
    """What the form's conditions ask for: its own items, the study's inputs of other forms, its ranges."""
    study = background.study
    asked = frozenset().union(*(names_in(item.visible_when) for item in form.items if item.visible_when))
    scope: dict[str, RuleValue] = {
        each.name: input_value(background, each) for each in study.inputs if each.name in asked
    }
    if form.panel is not None:
        birth = study.reference_ranges.birth or ""
        person = Person(
            text_of(background, study.reference_ranges.sex or ""),
            parse_date(text_of(background, birth) or ""),
        )
        scope |= indications(form, judged(study, form, answers, background.ranges, person))
    for item in form.items:
        if item.id in asked:
            scope[item.id] = value_of_item(study, form, item.id, answers.get(item.id))
    return scope


def input_value(background: Background, each: Input) -> RuleValue:
    """What an input of form origin is worth, of what was answered before."""
    form = background.study.form(each.origin.form or "")
    if form is None or each.origin.item is None:
        return Unknown((Reason("missing"),))
    return value_of_item(background.study, form, each.origin.item, _datum(background, each))


def text_of(background: Background, name: str) -> str | None:
    """What was written for an input of the study, or None."""
    each = next((one for one in background.study.inputs if one.name == name), None)
    datum = _datum(background, each) if each is not None else None
    return datum.value if datum is not None else None


def _datum(background: Background, each: Input) -> Datum | None:
    return next(_written_for(background, each), None)


def _written_for(background: Background, each: Input) -> Iterator[Datum]:
    for answers in background.known.get(each.origin.form or "", ()):
        datum = answers.get(each.origin.item or "")
        if datum is not None:
            yield datum
