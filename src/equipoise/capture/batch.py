"""Queries in a batch: what checks find in data that stand already, and one question about many places.

The rules that must stay true: what a dry run lists is what is opened then, as long as nothing was recorded between;
nothing is asked twice: not where the same check's query is open, nor where a person closed it or took it back, nor the
same words about the same item while they wait for an answer; nothing is asked where the data are locked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from equipoise.capture.closing.change import MAY, level_at
from equipoise.capture.commands import AskMany, RaiseFindings
from equipoise.capture.consequences import Finding, Now, consequences
from equipoise.capture.evolve import MANUAL, Place, State, given_by, is_empty
from equipoise.capture.parsing import TEXT_LIMIT, clean
from equipoise.capture.placing import place_faults
from equipoise.capture.queries import fresh_ids
from equipoise.ledger.entries import Append, Entry, FormSaved, QueryAsked, QueryClosed, QueryRaised
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.protocol.study import Study
from equipoise.words.dates import PartialDate
from equipoise.words.problem import problem


def findings_due(
    study: Study,
    state: State,
    facts: Facts,
    today: PartialDate,
    rules: Mapping[str, Collection[str]] | None = None,
) -> Iterator[tuple[Place, Finding]]:
    """Every check that does not hold in what was recorded, and that nobody asked about yet.

    rules: form -> the checks to look at; None for all. Pure: nothing is opened.
    """
    now = Now.of(today, facts)
    for place, instance in state.forms.items():
        wanted = None if rules is None else rules.get(place.form, ())
        if (wanted is not None and not wanted) or place_faults(study, *place):
            continue
        for finding in consequences(study, state, place, instance.values, now).findings:
            if (wanted is None or finding.rule in wanted) and _may_ask(state, facts, place, finding.rule):
                yield place, finding


def _may_ask(state: State, facts: Facts, place: Place, rule: str) -> bool:
    asked = [query for query in state.queries_at(place) if query.rule == rule]
    settled = all(query.state == "CLOSED" and query.automatic for query in asked)
    return settled and "ask" in MAY[level_at(state, facts, *place)]


def decide_findings(
    study: Study, state: State, facts: Facts, command: RaiseFindings, occasion: Occasion
) -> Decision:
    """Open the queries of the findings named, as far as they still stand; nothing where none does."""
    if not facts.subject_known:
        return Refusal((problem("capture.subject-unknown", "subject"),))
    wanted: dict[str, set[str]] = {}
    for _, form, _, rule in command.findings:
        wanted.setdefault(form, set()).add(rule)
    named = {(Place(visit, form, repeat), rule) for visit, form, repeat, rule in command.findings}
    ids = fresh_ids(occasion, (command.subject, "findings"))
    found: list[Entry] = []
    for place, finding in findings_due(study, state, facts, PartialDate.of(occasion.today), wanted):
        if (place, finding.rule) in named:
            item, message = finding.items[0] if finding.items else "", dict(finding.message.as_mapping())
            found.append(QueryRaised(next(ids), *place, item=item, rule=finding.rule, message=message))
    return tuple(Append(f"subject/{command.subject}", entry) for entry in found)


def settled_since(
    kept: Study, later: Study, state: State, facts: Facts, saved: FormSaved, today: PartialDate
) -> Iterator[QueryClosed]:
    """What a save of a form that keeps an earlier version settles among queries of checks that came later.

    kept: the version that decided the save, which knows nothing of those checks; later: the participant's own, by which
    they were run over old data and by which they are judged again.
    """
    place = Place(saved.visit, saved.form, saved.repeat)
    before, after = kept.form(place.form), later.form(place.form)
    if before is None or after is None or place_faults(later, *place):
        return
    rules = {check.id for check in after.checks} - {check.id for check in before.checks}
    asked = [query for query in state.queries_at(place) if query.open and query.rule in rules]
    if not asked:
        return
    values = {**state.form(place).values, **given_by(saved)}
    found = {name: datum for name, datum in values.items() if not is_empty(datum)}
    held = consequences(later, state, place, found, Now.of(today, facts)).held
    for query in asked:
        if query.rule in held:
            yield QueryClosed(query.id, automatic=True)


def places_to_ask(
    state: State, facts: Facts, places: Collection[tuple[str, str, int, str]], text: str
) -> Iterator[tuple[Place, str]]:
    """The places and items of a listing where the question may be asked and does not wait for an answer already."""
    said = clean(text)
    for visit, form, repeat, item in dict.fromkeys(places):
        place = Place(visit, form, repeat)
        waiting = any(
            query.open and query.rule == MANUAL and query.item == item and query.message.get("en") == said
            for query in state.queries_at(place)
        )
        if not waiting and "ask" in MAY[level_at(state, facts, *place)]:
            yield place, item


def decide_many(study: Study, state: State, facts: Facts, command: AskMany, occasion: Occasion) -> Decision:
    """Ask one question about many places of a participant; nothing where it was asked everywhere already."""
    text = clean(command.text)
    faults = [] if facts.subject_known else [problem("capture.subject-unknown", "subject")]
    if not text:
        faults.append(problem("capture.text-required", "text"))
    elif len(text) > TEXT_LIMIT:
        faults.append(problem("capture.text-too-long", "text", item="text", limit=TEXT_LIMIT))
    for visit, form, repeat, _ in command.places:
        faults += place_faults(study, visit, form, repeat)
    if faults:
        return Refusal(tuple(dict.fromkeys(faults)))
    ids = fresh_ids(occasion, (command.subject, "many", text))
    return tuple(
        Append(f"subject/{command.subject}", QueryAsked(next(ids), *place, item=item, text=text))
        for place, item in places_to_ask(state, facts, command.places, text)
    )
