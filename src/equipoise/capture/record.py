"""Deciding on one save of one form.

The rules that must stay true: what can be recorded is recorded as it was typed, what cannot is named beside its
item and nothing of the save is written; nobody overwrites what somebody else changed in the meantime without having
seen it; once a form was complete, a change has a reason; an unlikely value is kept and queried, never refused.
Sources: 21 CFR Part 11.10(e); ICH E6(R3) 4.2.2; DESIGN 6.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from equipoise.capture.commands import RecordForm
from equipoise.capture.consequences import Consequences, Finding, Now, consequences
from equipoise.capture.copying import confirms, copy_faults, unconfirmed
from equipoise.capture.evolve import MANUAL, Instance, Place, Query, State, is_empty
from equipoise.capture.logs import row_faults
from equipoise.capture.omitting import decide_omission, omission_faults
from equipoise.capture.parsing import clean, parse
from equipoise.capture.placing import place_faults
from equipoise.capture.queries import fresh_ids
from equipoise.capture.questions import Question, questions
from equipoise.ledger.entries import Append, Datum, Entry, FormSaved, QueryClosed, QueryRaised
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.protocol.forms import Form
from equipoise.protocol.study import Study
from equipoise.words.dates import PartialDate
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text


@dataclass(frozen=True, slots=True)
class Save:
    """A save that is being decided: what stood, what changes, and what follows."""

    place: Place
    before: Instance
    changes: Mapping[str, Datum]
    after: Consequences
    complete: bool


def decide_record(
    study: Study, state: State, facts: Facts, command: RecordForm, occasion: Occasion
) -> Decision:
    """Decide a save."""
    form = study.form(command.form)
    faults = place_faults(study, command.visit, command.form, command.repeat)
    if faults or form is None:
        return Refusal(faults)
    if command.omit is not None:
        return decide_omission(form, state, command)
    asked = {each.id: each for each in questions(form)}
    place = Place(command.visit, command.form, command.repeat)
    faults = row_faults(form, state, place)
    if faults:
        return Refusal(faults)
    before = state.form(place)
    marked = tuple(omission_faults(form, before, command))
    if marked:
        return Refusal(marked)
    typed, problems = typed_items(study, asked, command.items, command.form, occasion.today)
    problems += _stale(asked, before, typed, command.base)
    problems += copy_faults(study, state, asked, command, typed)
    changes = {
        name: datum
        for name, datum in typed.items()
        if datum != before.values.get(name, Datum()) or confirms(before, command, name)
    }
    values = {**before.values, **changes}
    values = {name: datum for name, datum in values.items() if not is_empty(datum)}
    after = consequences(study, state, place, values, Now.of(PartialDate.of(occasion.today), facts))
    problems += hidden_faults(asked, changes, after)
    # What is hidden now is emptied in the same save, so that no forgotten value stays behind a closed question.
    emptied = {name: Datum() for name in sorted(after.hidden & before.values.keys())}
    problems += _stale(
        asked, before, {name: emptied[name] for name in emptied.keys() - typed.keys()}, command.base
    )
    if command.asks_before_hiding:
        problems += _would_hide(asked, typed, emptied)
    changes |= emptied
    wanted = before.complete if command.complete is None else command.complete
    save = Save(place, before, changes, after, wanted and not after.lacking)
    problems += [
        *refused_by_checks(form, after),
        *_incomplete(asked, command, after),
        *unconfirmed(asked, before, command, changes),
        *_unexplained(command, save),
    ]
    if problems:
        return Refusal(tuple(problems))
    if not changes and save.complete == before.complete:
        return Refusal((problem("capture.nothing-changed"),))
    return _entries(form, asked, state, save, command, occasion)


def typed_items(
    study: Study, asked: Mapping[str, Question], items: Mapping[str, Datum], form: str, today: dt.date
) -> tuple[dict[str, Datum], list[Problem]]:
    """What was typed, as it is stored, and what cannot be."""
    typed: dict[str, Datum] = {}
    problems: list[Problem] = []
    for name, given in items.items():
        question = asked.get(name)
        if question is None:
            problems.append(problem("capture.item-unknown", name, item=name, form=form))
            continue
        read = parse(study, question, given, today)
        if isinstance(read, Problem):
            problems.append(read)
        else:
            typed[name] = read
    return typed, problems


def _stale(
    asked: Mapping[str, Question], before: Instance, typed: Mapping[str, Datum], base: int
) -> Iterator[Problem]:
    """Items that somebody changed after the page was read, to something else than what is typed now."""
    for name, datum in typed.items():
        now = before.values.get(name, Datum())
        if before.changed.get(name, 0) > base and now != datum:
            shown = now.value if now.value is not None else now.missing or "–"
            yield problem("capture.stale", name, item=asked[name].label, value=shown)


def hidden_faults(
    asked: Mapping[str, Question], changes: Mapping[str, Datum], after: Consequences
) -> Iterator[Problem]:
    """Values of items that do not apply."""
    for name, datum in changes.items():
        if name in after.hidden and not is_empty(datum):
            yield problem("capture.item-hidden", name, item=asked[name].label)


def _would_hide(
    asked: Mapping[str, Question], typed: Mapping[str, Datum], emptied: Mapping[str, Datum]
) -> Iterator[Problem]:
    """Items with values that would go because they no longer apply, though nobody said that they should."""
    lost = [asked[name].label for name in emptied if name not in typed]
    if lost:
        names = Text(", ".join(one.en for one in lost), "、".join(one.say("zh") for one in lost))
        yield problem("entry.would-hide", next(iter(typed), ""), count=len(lost), items=names)


def refused_by_checks(form: Form, after: Consequences) -> Iterator[Problem]:
    """Checks that say that the values cannot be."""
    for finding in after.findings:
        if finding.refuses:
            where = finding.items[0] if finding.items else form.id
            yield problem("capture.check-refuses", where, message=finding.message, check=finding.rule)


def _incomplete(asked: Mapping[str, Question], command: RecordForm, after: Consequences) -> Iterator[Problem]:
    if command.complete:
        for name in after.lacking:
            yield problem("capture.incomplete", name, item=asked[name].label)


def _unexplained(command: RecordForm, save: Save) -> Iterator[Problem]:
    reopened = save.before.complete and command.complete is False
    if save.before.ever_complete and (save.changes or reopened) and not clean(command.reason or ""):
        yield problem("capture.reason-required", next(iter(save.changes), ""))


def _entries(
    form: Form,
    asked: Mapping[str, Question],
    state: State,
    save: Save,
    command: RecordForm,
    occasion: Occasion,
) -> tuple[Append, ...]:
    texts = {name: datum for name, datum in save.changes.items() if asked[name].free_text}
    items = {name: datum for name, datum in save.changes.items() if name not in texts}
    recorded = FormSaved(
        *save.place,
        items=MappingProxyType(
            {name: replace(datum, why=None) if datum.why else datum for name, datum in items.items()}
        ),
        derived=MappingProxyType(_changed(save.before.derived, save.after.derived)),
        complete=save.complete,
        reason=clean(command.reason or ""),
        copied={name: place for name, place in command.copied.items() if name in save.changes} or None,
        texts=MappingProxyType(texts),
        whys=MappingProxyType({name: datum.why for name, datum in items.items() if datum.why}),
    )
    stream = f"subject/{command.subject}"
    entries: list[Entry] = [recorded, *_query_entries(form, state, save, command.subject, occasion)]
    return tuple(Append(stream, entry) for entry in entries)


def _changed(before: Mapping[str, Datum], after: Mapping[str, Datum]) -> dict[str, Datum]:
    """Derived values that differ; one that is not known any more is emptied."""
    names = [*after, *(name for name in before if name not in after)]
    return {
        name: after.get(name, Datum())
        for name in names
        if after.get(name, Datum()) != before.get(name, Datum())
    }


def _query_entries(form: Form, state: State, save: Save, subject: str, occasion: Occasion) -> Iterator[Entry]:
    """Queries that the save raises, and those that it settles."""
    here = state.queries_at(save.place)
    ids = fresh_ids(occasion, (subject, *map(str, save.place), str(save.before.seq)))
    for finding in save.after.findings:
        earlier = [query for query in here if query.rule == finding.rule]
        if not any(query.open for query in earlier) and _asks_again(
            finding, save, earlier[-1] if earlier else None
        ):
            where = finding.items[0] if finding.items else ""
            message = dict(finding.message.as_mapping())
            yield QueryRaised(next(ids), *save.place, item=where, rule=finding.rule, message=message)
    for query in here:
        # A check's question about an item that does not apply any more is settled too: nobody could see it to answer.
        settled = query.rule in save.after.held or (query.rule != MANUAL and query.item in save.after.hidden)
        if query.open and settled:
            yield QueryClosed(query.id, automatic=True)


def _asks_again(finding: Finding, save: Save, last: Query | None) -> bool:
    """A query that a person closed is not raised again until one of the values it is about changes."""
    return last is None or last.automatic or bool(finding.watched & save.changes.keys())
