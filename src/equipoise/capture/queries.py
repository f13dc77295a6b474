"""Queries: the table of states, and raising, answering, closing, cancelling and asking again by a person.

The rules that must stay true: OPEN, then ANSWERED, then CLOSED; a query of a check closes by itself only when the value
was corrected, or when its item does not apply any more; a person's query never does; a query is cancelled by the role
that asked it, or by data management; what was settled can be asked again, and everything said stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from equipoise.capture.commands import AnswerQuery, CancelQuery, CloseQuery, RaiseQuery, ReopenQuery
from equipoise.capture.evolve import MANUAL, QueryState, State
from equipoise.capture.parsing import TEXT_LIMIT, clean
from equipoise.capture.placing import place_faults
from equipoise.capture.questions import question
from equipoise.ledger.entries import (
    Append,
    QueryAnswered,
    QueryAsked,
    QueryCancelled,
    QueryClosed,
    QueryReopened,
)
from equipoise.ledger.facts import Decision, Occasion, Refusal
from equipoise.protocol.study import Study
from equipoise.words.canonical import digest
from equipoise.words.problem import Problem, problem

NEXT: Mapping[tuple[QueryState, str], QueryState] = {
    ("OPEN", "answer"): "ANSWERED",
    ("OPEN", "close automatically"): "CLOSED",
    ("ANSWERED", "close"): "CLOSED",
    ("ANSWERED", "close automatically"): "CLOSED",
    ("OPEN", "cancel"): "CANCELLED",
    ("ANSWERED", "cancel"): "CANCELLED",
    ("ANSWERED", "reopen"): "OPEN",
    ("CLOSED", "reopen"): "OPEN",
    ("CANCELLED", "reopen"): "OPEN",
}
"""(state, act) -> state. What is not in the table may not happen."""


def fresh_ids(occasion: Occasion, seed: tuple[str, ...]) -> Iterator[str]:
    """Ids for new queries: the random ones of the occasion, then ids made from the first of them and the place."""
    yield from occasion.fresh
    count = 0
    while True:
        count += 1
        yield digest([*occasion.fresh[:1], *seed, occasion.at.isoformat(), count])[:16]


def decide_raise(study: Study, command: RaiseQuery, occasion: Occasion) -> Decision:
    """Decide on a person's query."""
    form = study.form(command.form)
    faults = list(place_faults(study, command.visit, command.form, command.repeat))
    if form is not None and command.item and question(form, command.item) is None:
        faults.append(problem("capture.item-unknown", command.item, item=command.item, form=command.form))
    text = clean(command.text)
    faults += _text_faults(text, "text")
    if faults:
        return Refusal(tuple(faults))
    place = (command.visit, command.form, command.repeat)
    query_id = next(fresh_ids(occasion, (command.subject, *map(str, place), command.item, text)))
    asked = QueryAsked(query_id, *place, item=command.item, text=text)
    return (Append(f"subject/{command.subject}", asked),)


def decide_answer(state: State, command: AnswerQuery) -> Decision:
    """Decide on the site's answer."""
    text = clean(command.answer)
    faults = [*_state_faults(state, command.query, "answer"), *_text_faults(text, "answer")]
    if faults:
        return Refusal(tuple(faults))
    return (Append(f"subject/{command.subject}", QueryAnswered(command.query, text)),)


def decide_close(state: State, command: CloseQuery) -> Decision:
    """Decide on closing by a person."""
    faults = tuple(_state_faults(state, command.query, "close"))
    if faults:
        return Refusal(faults)
    closed = QueryClosed(command.query, automatic=False, note=clean(command.note))
    return (Append(f"subject/{command.subject}", closed),)


CANCELS_ANY = frozenset({"data_manager"})
"""Roles that may take back a query that another role, or a check, asked."""


def decide_cancel(state: State, command: CancelQuery, occasion: Occasion) -> Decision:
    """Decide on taking a query back."""
    text = clean(command.reason)
    faults = [*_state_faults(state, command.query, "cancel"), *_text_faults(text, "reason")]
    query = state.queries.get(command.query)
    if query is not None and occasion.role not in {query.raised_role, *CANCELS_ANY}:
        faults.append(problem("closing.query-of-another-role", "query"))
    elif query is not None and query.rule != MANUAL and occasion.role not in CANCELS_ANY:
        faults.append(problem("closing.query-of-another-role", "query"))  # a check asked, whoever saved
    if faults:
        return Refusal(tuple(faults))
    return (Append(f"subject/{command.subject}", QueryCancelled(command.query, text)),)


def decide_reopen(state: State, command: ReopenQuery) -> Decision:
    """Decide on asking again."""
    text = clean(command.text)
    faults = [*_state_faults(state, command.query, "reopen"), *_text_faults(text, "text")]
    if faults:
        return Refusal(tuple(faults))
    return (Append(f"subject/{command.subject}", QueryReopened(command.query, text)),)


def _state_faults(state: State, query_id: str, act: str) -> Iterator[Problem]:
    query = state.queries.get(query_id)
    if query is None:
        yield problem("capture.query-unknown", "query")
    elif (query.state, act) not in NEXT:
        rule = {
            "OPEN": "capture.query-open",
            "ANSWERED": "capture.query-answered",
            "CLOSED": "capture.query-closed",
            "CANCELLED": "closing.query-cancelled",
        }
        yield problem(rule[query.state], "query")


def _text_faults(text: str, where: str) -> Iterator[Problem]:
    if not text:
        yield problem("capture.text-required", where)
    elif len(text) > TEXT_LIMIT:
        yield problem("capture.text-too-long", where, item=where, limit=TEXT_LIMIT)
