"""Deciding on double entry: the first entry, the second, and what becomes of both.

The rules that must stay true: two different persons type, neither after having seen what the other typed; nothing that
was typed counts before both agree or somebody who may has settled what differs, and then the form comes into being by
the save of the same append, judged as any save is; a pair is settled once. What a rule may not know (the first entry)
is never an argument of what the second is told. Source: GCDMP, data entry processes; ICH E6(R3) 4.2.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from equipoise.capture.commands import RecordForm
from equipoise.capture.consequences import Consequences, Now, consequences
from equipoise.capture.double.applies import asked_twice, begun, is_paper
from equipoise.capture.double.commands import DoubleCommand, RecordEntry, SettleEntries, WithdrawEntries
from equipoise.capture.double.compare import compared, differing
from equipoise.capture.double.settling import settling_faults, who_may_not_settle
from equipoise.capture.entered import Pair
from equipoise.capture.evolve import Place, State, is_empty
from equipoise.capture.parsing import TEXT_LIMIT, clean
from equipoise.capture.placing import place_faults
from equipoise.capture.questions import Question, questions
from equipoise.capture.record import decide_record, hidden_faults, refused_by_checks, typed_items
from equipoise.ledger.entries import (
    Append,
    Datum,
    EntriesSettled,
    EntriesWithdrawn,
    Entry,
    FirstEntryRecorded,
    SecondEntryRecorded,
)
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.protocol.forms import Form
from equipoise.protocol.study import Study
from equipoise.words.dates import PartialDate
from equipoise.words.problem import Problem, problem


def decide_double(
    study: Study, state: State, facts: Facts, command: DoubleCommand, occasion: Occasion
) -> Decision:
    """Decide a command of double entry."""
    form = study.form(command.form)
    faults = place_faults(study, command.visit, command.form, command.repeat)
    if faults or form is None:
        return Refusal(faults)
    match command:
        case RecordEntry():
            return _entry(study, state, facts, command, occasion)
        case SettleEntries():
            return _settle(study, state, facts, command, occasion)
        case WithdrawEntries():
            return _withdraw(form, state, facts, command, occasion)


def _place(command: DoubleCommand) -> Place:
    return Place(command.visit, command.form, command.repeat)


def _form(study: Study, command: DoubleCommand) -> Form:
    form = study.form(command.form)
    if form is None:
        raise TypeError("the place was looked at before")
    return form


# --- an entry --------------------------------------------------------------------------------------------------


def _entry(study: Study, state: State, facts: Facts, command: RecordEntry, occasion: Occasion) -> Decision:
    form, place = _form(study, command), _place(command)
    standing = tuple(_not_waiting(form, state, facts, place, occasion.by))
    if standing:
        return Refusal(standing)
    asked = {each.id: each for each in questions(form)}
    typed, problems = typed_items(study, asked, command.items, command.form, occasion.today)
    items = {name: datum for name, datum in typed.items() if not is_empty(datum)}
    now = Now.of(PartialDate.of(occasion.today), facts)
    after = consequences(study, state, place, items, now)
    problems += hidden_faults(asked, items, after)
    problems += refused_by_checks(form, after)
    problems += _unfinished(asked, typed, after, problems)
    rules = asked_twice(form, facts.subject_site)
    if rules is not None and not problems and not is_paper(rules, items):
        problems.append(problem("double.not-paper", rules.written_on or "", form=form.label))
    if problems:
        return Refusal(tuple(problems))
    pair = state.pairs.get(place)
    if pair is None or not pair.pending:
        return (_append(command, FirstEntryRecorded(*place, items=MappingProxyType(items))),)
    return _second(study, state, facts, command, occasion, pair.first.items, items)


def _second(
    study: Study,
    state: State,
    facts: Facts,
    command: RecordEntry,
    occasion: Occasion,
    *both: Mapping[str, Datum],
) -> Decision:
    """The second entry; where it is like the first, the form comes into being with it."""
    form, place, (first, second) = _form(study, command), _place(command), both
    apart = differing(form, first, second)
    entry = SecondEntryRecorded(*place, differing=apart, items=MappingProxyType(dict(second)))
    if apart:
        return (_append(command, entry),)
    saved = _saved(study, state, facts, command, occasion, first)
    if isinstance(saved, Refusal):
        return saved
    settled = EntriesSettled(
        *place, compared=compared(form, first, second), differing=(), choices={}, automatic=True
    )
    return (_append(command, entry), _append(command, settled), *saved)


def _not_waiting(form: Form, state: State, facts: Facts, place: Place, by: str) -> Iterator[Problem]:
    """Why nobody, or not this person, may hand in an entry here now."""
    pair = state.pairs.get(place)
    if begun(state, place):
        yield problem("double.recorded-already", form=form.label)
    elif pair is not None and pair.stage == "DIFFERS":
        yield problem("double.both-in", form=form.label)
    elif pair is not None and pair.first.by == by:
        yield problem("double.same-person", form=form.label)
    elif pair is None and asked_twice(form, facts.subject_site) is None:
        yield problem("double.not-asked", form=form.label)
    elif state.form(place).omitted is not None:
        yield problem("entry.form-not-done", form=form.label)


def _unfinished(
    asked: Mapping[str, Question], typed: Mapping[str, Datum], after: Consequences, problems: list[Problem]
) -> list[Problem]:
    """Required items without an answer: an entry is the whole source. One that is named already is not named twice."""
    named = {one.where for one in problems}
    return [
        problem("capture.incomplete", name, item=asked[name].label)
        for name in after.lacking
        if name not in named and is_empty(typed.get(name, Datum()))
    ]


def _saved(
    study: Study,
    state: State,
    facts: Facts,
    command: DoubleCommand,
    occasion: Occasion,
    values: Mapping[str, Datum],
) -> Decision:
    """The form, complete, as a usual save of these values would record it."""
    place = _place(command)
    items = {name: _as_typed(datum) for name, datum in values.items()}
    save = RecordForm(command.subject, *place, items, state.form(place).seq, complete=True)
    return decide_record(study, state, facts, save, occasion)


def _as_typed(datum: Datum) -> Datum:
    """A stored datum as somebody would type it: the number that was written, in its unit."""
    if datum.unit is None or datum.entered is None:
        return datum
    return Datum(datum.entered, datum.missing, datum.why, unit=datum.unit)


# --- settling --------------------------------------------------------------------------------------------------


def _settle(study: Study, state: State, facts: Facts, command: SettleEntries, occasion: Occasion) -> Decision:
    form, place = _form(study, command), _place(command)
    pair = state.pairs.get(place)
    if pair is None or pair.second is None:
        return Refusal((problem("double.nothing-to-settle", form=form.label),))
    standing = _cannot_settle(form, state, facts, place, occasion)
    if pair.second.seq != command.base:
        standing = (problem("double.stale", form=form.label),)
    if standing:
        return Refusal(standing)
    asked = {each.id: each for each in questions(form)}
    typed, problems = typed_items(study, asked, command.items, command.form, occasion.today)
    values = _chosen(pair, command, typed)
    after = consequences(study, state, place, values, Now.of(PartialDate.of(occasion.today), facts))
    problems += settling_faults(asked, pair, command, typed, after.hidden)
    if problems:
        return Refusal(tuple(problems))
    kept = {name: datum for name, datum in values.items() if name not in after.hidden}
    saved = _saved(study, state, facts, command, occasion, kept)
    if isinstance(saved, Refusal):
        return saved
    counted = [name for name in pair.differing if name in command.choices and name not in after.hidden]
    reasons = {name: said for name in counted if (said := clean(command.reasons.get(name, "")))}
    settled = EntriesSettled(
        *place,
        compared=compared(form, pair.first.items, pair.second.items),
        differing=pair.differing,
        choices=MappingProxyType({name: command.choices[name] for name in counted}),
        automatic=False,
        reasons=MappingProxyType(reasons),
    )
    return (_append(command, settled), *saved)


def _cannot_settle(
    form: Form, state: State, facts: Facts, place: Place, occasion: Occasion
) -> tuple[Problem, ...]:
    """Why this person may not settle this pair, or nobody may any more."""
    pair = state.pairs[place]
    if not pair.pending:
        return (problem("double.settled-already", form=form.label),)
    if begun(state, place):
        return (problem("double.recorded-already", form=form.label),)
    return who_may_not_settle(asked_twice(form, facts.subject_site), pair, occasion.by, occasion.role)


def _chosen(pair: Pair, command: SettleEntries, typed: Mapping[str, Datum]) -> dict[str, Datum]:
    """What both entered alike, and what was chosen of the rest."""
    second = pair.second.items if pair.second is not None else {}
    values = {name: datum for name, datum in pair.first.items.items() if name not in pair.differing}
    for name in pair.differing:
        match command.choices.get(name):
            case "FIRST":
                found = pair.first.items.get(name, Datum())
            case "SECOND":
                found = second.get(name, Datum())
            case "NEITHER":
                found = typed.get(name, Datum())
            case _:
                found = Datum()
        if not is_empty(found):
            values[name] = found
    return values


# --- taking back -----------------------------------------------------------------------------------------------


def _withdraw(
    form: Form, state: State, facts: Facts, command: WithdrawEntries, occasion: Occasion
) -> Decision:
    pair, reason = state.pairs.get(_place(command)), clean(command.reason)
    if pair is None or not pair.pending:
        return Refusal((problem("double.nothing-to-withdraw", form=form.label),))
    problems: list[Problem] = []
    latest = pair.second or pair.first
    if latest.seq != command.base:
        problems.append(problem("double.stale", form=form.label))
    elif pair.second is None and pair.first.by != occasion.by:
        problems.append(problem("double.not-the-author", form=form.label))
    elif pair.second is not None:
        rules = asked_twice(form, facts.subject_site)
        problems += who_may_not_settle(rules, pair, occasion.by, occasion.role)
    if not reason:
        problems.append(problem("capture.reason-required", "reason"))
    if len(reason) > TEXT_LIMIT:
        problems.append(problem("capture.text-too-long", "reason", item="reason", limit=TEXT_LIMIT))
    if problems:
        return Refusal(tuple(problems))
    return (_append(command, EntriesWithdrawn(*_place(command), reason)),)


def _append(command: DoubleCommand, entry: Entry) -> Append:
    return Append(f"subject/{command.subject}", entry)
