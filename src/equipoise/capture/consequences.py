"""What follows from the values of a form: which items are hidden, what is derived, which checks fire, what is lacking.

The rules that must stay true: a check fires only when it is FALSE, never on an unknown; a hidden item is empty,
neither required nor kept; a derived value is there only when it is fully known. Pure: the same values, the same
consequences.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from equipoise.capture.binding import answers, assessment, bind, value_of_item
from equipoise.capture.evolve import Place, State
from equipoise.capture.laboratory import Judged, indications, inputs_asked, judged, person_of
from equipoise.capture.questions import Question, questions
from equipoise.instruments import score, unanswered, unmet_expectations
from equipoise.ledger.entries import Datum, RangeRow
from equipoise.ledger.facts import DoseGiven, Facts
from equipoise.protocol.assessments import scale_of
from equipoise.protocol.expressions import (
    Code,
    DateValue,
    Logical,
    Number,
    Reason,
    Value,
    as_logical,
    known_number,
)
from equipoise.protocol.forms import Check, Form, Item
from equipoise.protocol.rules import names_in, value_of
from equipoise.protocol.study import Study
from equipoise.words.dates import PartialDate, parse_date
from equipoise.words.problem import say
from equipoise.words.text import Text
from equipoise.words.truth import Truth

SCORE = "score"
"""The name of the form's scale in its rules."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A check that does not hold. `items` are those it is about; `watched` those whose change reopens the question."""

    rule: str
    items: tuple[str, ...]
    message: Text
    watched: frozenset[str]
    refuses: bool = False


@dataclass(frozen=True, slots=True)
class Consequences:
    """`values` without what is hidden; `held`: rules that hold now; `lacking`: required items without an answer."""

    values: Mapping[str, Datum]
    hidden: frozenset[str]
    derived: Mapping[str, Datum]
    findings: tuple[Finding, ...]
    held: frozenset[str]
    lacking: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Now:
    """What a form's rules may ask beside what was captured: day at the site, day of consent, ranges, doses by visit."""

    today: PartialDate
    consent_on: PartialDate | None = None
    ranges: tuple[RangeRow, ...] = ()
    doses: Mapping[str, DoseGiven] = field(default_factory=lambda: MappingProxyType({}))

    @staticmethod
    def of(today: PartialDate, facts: Facts) -> Now:
        """The day, and the day of consent where the facts have one."""
        consent_on = parse_date(facts.consent_on) if facts.consent_on is not None else None
        return Now(today, consent_on, facts.ranges, facts.doses_given)


def consequences(
    study: Study, state: State, place: Place, values: Mapping[str, Datum], now: Now
) -> Consequences:
    """What follows if the form at `place` had these values. `state` is everything captured of the subject."""
    form = study.form(place.form)
    if form is None or state.form(place).omitted is not None:
        return Consequences(values, frozenset(), {}, (), frozenset(), ())
    asked = questions(form)
    kept, hidden, scope = _visible(study, state, place, form, values, now)
    verdicts = [
        *_checks(form, place, asked, scope),
        *_ranges(study, form, asked, kept),
        *_expectations(form, kept),
    ]
    return Consequences(
        MappingProxyType(kept),
        hidden,
        MappingProxyType(_derived(form, kept, scope)),
        tuple(finding for finding, truth in verdicts if truth is Truth.FALSE),
        frozenset(finding.rule for finding, truth in verdicts if truth is Truth.TRUE),
        _lacking(form, asked, kept, hidden),
    )


def _visible(
    study: Study, state: State, place: Place, form: Form, values: Mapping[str, Datum], now: Now
) -> tuple[dict[str, Datum], frozenset[str], Mapping[str, Value]]:
    """Hide items until nothing more is hidden: emptying one may hide another. Ends, since values only become fewer."""
    kept = dict(values)
    while True:
        scope = scope_at(study, state, place, form, kept, now)
        hidden = frozenset(
            item.id
            for item in form.items
            if item.visible_when is not None
            and as_logical(value_of(item.visible_when, scope)).truth is not Truth.TRUE
        )
        if not hidden & kept.keys():
            return kept, hidden, scope
        kept = {name: datum for name, datum in kept.items() if name not in hidden}


def scope_at(
    study: Study,
    state: State,
    place: Place,
    form: Form,
    values: Mapping[str, Datum],
    now: Now,
    also: str = "true",
) -> Mapping[str, Value]:
    """What the rules of a form look at, and one rule more, if it had these values."""
    sources = [
        also,
        *(item.visible_when for item in form.items if item.visible_when is not None),
        *(check.holds for check in form.checks),
        *(derivation.rule for derivation in form.derivations),
    ]
    used = frozenset().union(*(names_in(source) for source in sources))
    here = replace(state.form(place), values=MappingProxyType(dict(values)))
    after = replace(state, forms=MappingProxyType({**state.forms, place: here}))
    scope = {
        **bind(study, after, now.today, used, now.consent_on),
        **bind_dose(study, now, place.visit, used),
    }
    scored = assessment(form, values, SCORE)
    if scored is not None:
        scope[SCORE] = scored
    if form.panel is not None:
        scope |= indications(form, form_judged(study, after, form, values, now))
    for item in form.items:
        if item.id in used:
            scope[item.id] = value_of_item(study, form, item.id, values.get(item.id))
    return scope


def bind_dose(study: Study, now: Now, visit: str, names: Collection[str]) -> Mapping[str, Value]:
    """The value of the named inputs of dose origin for a form at a visit: of the dose that was given at it."""
    given = now.doses.get(visit)
    return {
        each.name: Number.of(str(given.share if each.origin.dose == "share" else given.minutes))
        if given is not None
        else Number.unknown(Reason("missing"))
        for each in study.inputs
        if each.origin.dose is not None and each.name in names
    }


def form_judged(
    study: Study, state: State, form: Form, values: Mapping[str, Datum], now: Now
) -> Mapping[str, Judged]:
    """The values of a panel against the ranges in force on the day of the sample; empty where the form is none."""
    if form.panel is None:
        return {}
    inputs = bind(study, state, now.today, inputs_asked(study), now.consent_on)
    return judged(study, form, values, now.ranges, person_of(study, inputs))


def _derived(form: Form, values: Mapping[str, Datum], scope: Mapping[str, Value]) -> dict[str, Datum]:
    found: dict[str, Datum] = {}
    used = scale_of(form)
    if used is not None:
        for testcd, total in score(used, answers(form, values)).items():
            if total.official is not None:
                found[testcd] = Datum(f"{total.official:f}")
    for derivation in form.derivations:
        if derivation.blinding == "revealing":
            continue  # worked out behind the second door, where its values are
        text = _written(value_of(derivation.rule, scope))
        if text is not None:
            found[derivation.id] = Datum(text)
    return found


def _written(value: Value) -> str | None:
    """A known value as it is stored; None where it is not fully known."""
    match value:
        case Number(interval=interval) if interval.known and interval.low is not None:
            return f"{interval.low + 0:f}"
        case DateValue(date=date) if date is not None and date.complete:
            return date.iso()
        case Code(code=code) if code is not None:
            return code
        case Logical(truth=truth) if truth is not Truth.UNKNOWN:
            return "Y" if truth is Truth.TRUE else "N"
        case _:
            return None


def _checks(
    form: Form, place: Place, asked: tuple[Question, ...], scope: Mapping[str, Value]
) -> Iterator[tuple[Finding, Truth]]:
    for check in form.checks:
        if check.visits and place.visit not in check.visits:
            continue
        finding = Finding(
            check.id, check.items, check.message, _watched(check, asked), check.severity == "refuse"
        )
        yield finding, as_logical(value_of(check.holds, scope)).truth


def _watched(check: Check, asked: tuple[Question, ...]) -> frozenset[str]:
    used = names_in(check.holds)
    scored = {each.id for each in asked if each.scored is not None} if SCORE in used else set()
    return frozenset({*check.items, *scored, *(each.id for each in asked if each.id in used)})


def _ranges(
    study: Study, form: Form, asked: tuple[Question, ...], values: Mapping[str, Datum]
) -> Iterator[tuple[Finding, Truth]]:
    """Plausible ranges as checks: outside them a value stays, and a query asks."""
    for each in asked:
        if each.own is None or each.own.expected is None or each.own.type not in {"integer", "decimal"}:
            continue
        low, high = each.own.expected
        given = known_number(value_of_item(study, form, each.id, values.get(each.id)))
        holds = given is None or low <= given <= high
        message = Text("") if holds else _unexpected(each, each.own)  # nobody is told of a check that holds
        yield Finding(f"expected:{each.id}", (each.id,), message, frozenset({each.id})), Truth.of(holds)


def _unexpected(each: Question, own: Item) -> Text:
    low, high = own.expected or (None, None)
    words = {"low": f"{low:f}", "high": f"{high:f}", "unit": own.unit or ""}
    return Text(
        say("capture.unexpected-value", "en", {**words, "item": each.label.say("en")}),
        say("capture.unexpected-value", "zh", {**words, "item": each.label.say("zh")}),
    )


def _expectations(form: Form, values: Mapping[str, Datum]) -> Iterator[tuple[Finding, Truth]]:
    """Scores that usually go together, as the scale has them."""
    used = scale_of(form)
    if used is None:
        return
    unmet = unmet_expectations(used, answers(form, values))
    for each in used.expectations:
        watched = frozenset({*each.given, *each.expected})
        finding = Finding(f"{used.id}:{each.id}", tuple(each.given), each.message, watched)
        yield finding, Truth.of(each.id not in unmet)


def _lacking(
    form: Form, asked: tuple[Question, ...], values: Mapping[str, Datum], hidden: frozenset[str]
) -> tuple[str, ...]:
    used = scale_of(form)
    open_scores = set(unanswered(used, answers(form, values))) if used is not None else set()
    return tuple(
        each.id
        for each in asked
        if each.id in open_scores or (_wanted(each) and each.id not in hidden and each.id not in values)
    )


def _wanted(each: Question) -> bool:
    """Whether an item of the form itself, which is not of the scale, is asked of everybody."""
    return each.own is not None and each.required and not each.revealing
