"""What was captured, as values of the expression language: the study's inputs of form and clock origin.

The rules that must stay true: a captured reason for a missing value goes into the rules as an unknown that says so;
an input without a visit of its own is the one of the latest visit, in the schedule's order, that has it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from equipoise.capture.evolve import Instance, Place, State
from equipoise.capture.questions import question
from equipoise.instruments import Answer, ScaleItem, answer_problem, read_answer
from equipoise.ledger.entries import Datum
from equipoise.protocol.assessments import instrument_value, scale_of
from equipoise.protocol.expressions import (
    NUMBER,
    Code,
    DateValue,
    InstrumentValue,
    Logical,
    Number,
    Reason,
    Unknown,
    Value,
)
from equipoise.protocol.expressions.recorded import recorded_value
from equipoise.protocol.forms import Form
from equipoise.protocol.scopes import item_type
from equipoise.protocol.study import Input, Study
from equipoise.words.dates import PartialDate
from equipoise.words.kept import Kept
from equipoise.words.truth import Truth

_NOTHING = Unknown((Reason("missing"),))


def bind(
    study: Study,
    state: State,
    today: PartialDate,
    only: Collection[str] | None = None,
    consent_on: PartialDate | None = None,
) -> Mapping[str, Value]:
    """The value of every study input of form or clock origin, by its name; `only` limits the names looked at.

    consent_on: the day of consent, which checks may compare with; what else consent knows stays with consent.
    """
    bound: dict[str, Value] = {}
    for each in study.inputs:
        if only is not None and each.name not in only:
            continue
        if each.origin.clock is not None:
            bound[each.name] = DateValue(today)
        elif each.origin.consent == "date" and consent_on is not None:
            bound[each.name] = DateValue(consent_on)
        elif each.origin.form is not None:
            form = study.form(each.origin.form)
            found = source_of(study, state, each)
            bound[each.name] = _value(study, each, form, found[1] if found is not None else None)
    return bound


def rested_on(study: Study, state: State, names: Collection[str] | None = None) -> tuple[int, ...]:
    """Sequence numbers of the entries whose values `bind` uses, for the inputs named (all where None)."""
    used: set[int] = set()
    for each in study.inputs:
        found = source_of(study, state, each) if names is None or each.name in names else None
        if found is None:
            continue
        items = (
            [each.origin.item] if each.origin.item is not None else list(_answers_of(study, each, found[1]))
        )
        used |= {found[1].changed[item] for item in items if item in found[1].changed}
    return tuple(sorted(used))


def source_of(study: Study, state: State, each: Input) -> tuple[Place, Instance] | None:
    """The form instance that an input reads: at its visit, or at the latest visit that has it; the last repetition.

    None where none has it.
    """
    order = {visit.id: position for position, visit in enumerate(study.schedule.visits)}
    fitting = [
        (place, instance)
        for place, instance in state.forms.items()
        if place.form == each.origin.form
        and place not in state.voided
        and each.origin.visit in {None, place.visit}
        and _has(study, each, instance)
    ]
    return max(fitting, key=lambda found: (order.get(found[0].visit, -1), found[0].repeat), default=None)


def _has(study: Study, each: Input, instance: Instance) -> bool:
    if each.origin.item is not None:
        return each.origin.item in instance.values
    return any(item in instance.values for item in _answers_of(study, each, instance))


def _answers_of(study: Study, each: Input, instance: Instance) -> Iterator[str]:
    form = study.form(each.origin.form or "")
    used = scale_of(form) if form is not None else None
    if used is not None:
        yield from (item.id for item in used.items if item.id in instance.values)


def _value(study: Study, each: Input, form: Form | None, instance: Instance | None) -> Value:
    values = instance.values if instance is not None else {}
    if each.origin.item is None:
        used = scale_of(form) if form is not None else None
        return (
            Unknown((Reason("missing"),)) if used is None else assessment(form, values, each.name) or _NOTHING
        )
    if form is None:
        return _as_declared(each, _NOTHING)
    return _as_declared(each, value_of_item(study, form, each.origin.item, values.get(each.origin.item)))


def answers(form: Form, values: Mapping[str, Datum]) -> Mapping[str, Answer]:
    """The answers to the form's scale among its values."""
    used = scale_of(form)
    if used is None:
        return {}
    read = {item.id: _answer(item, values.get(item.id)) for item in used.items}
    return {item: answer for item, answer in read.items() if answer is not None}


_Given = tuple[str | None, str | None]
_ITEMS_AT_MOST, _GIVEN_AT_MOST = 5000, 200


def _none_yet(item: ScaleItem) -> dict[_Given, Answer | None]:
    return {}


_ANSWERS = Kept(_none_yet, _ITEMS_AT_MOST)


def _answer(item: ScaleItem, datum: Datum | None) -> Answer | None:
    """The answer, or None where there is none; kept for each item by its identity, because answers are few."""
    if datum is None:
        return None
    given, read = (datum.value, datum.missing), _ANSWERS(item)
    if given not in read:
        if len(read) >= _GIVEN_AT_MOST:
            read.clear()
        read[given] = _read_answer(item, *given)
    return read.get(given)


def _read_answer(item: ScaleItem, value: str | None, missing: str | None) -> Answer | None:
    """The answer; None also for one that the scale does not know now (an amendment changed the item)."""
    if value is not None and not value.isdecimal():
        return None
    answer = read_answer(value, missing)
    return answer if answer is not None and answer_problem(item, answer, explained=True) is None else None


def assessment(form: Form | None, values: Mapping[str, Datum], name: str) -> InstrumentValue | None:
    """The form's scale as a value of the rules under `name`; None where it has none."""
    used = scale_of(form) if form is not None else None
    return (
        instrument_value(used, answers(form, values), name) if used is not None and form is not None else None
    )


def value_of_item(study: Study, form: Form, item_id: str, datum: Datum | None) -> Value:
    """One captured datum as a value of the rules, by the type that its item has now.

    A text that is none of that type, because an amendment changed it, is unknown and says so.
    """
    asked = question(form, item_id)
    if asked is None:
        return _NOTHING
    kind = NUMBER if asked.own is None else item_type(study, asked.own)
    text, missing = (datum.value, datum.missing) if datum is not None else (None, None)
    return recorded_value(kind, text, missing)


def _as_declared(each: Input, value: Value) -> Value:
    """A coded answer as the number or truth that the study declares its input to be."""
    if not isinstance(value, Code):
        return value
    if each.type == "truth":
        truth = {"Y": Truth.TRUE, "N": Truth.FALSE}.get(value.code or "", Truth.UNKNOWN)
        return Logical(truth, value.reasons or ((Reason("missing"),) if truth is Truth.UNKNOWN else ()))
    if each.type == "number":
        if value.code is not None and value.code.isascii() and value.code.isdigit():
            return Number.of(value.code)
        return Number.unknown(*(value.reasons or (Reason("missing"),)))
    return value
