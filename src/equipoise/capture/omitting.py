"""A whole form that was not done: one act with a reason instead of a code on every item, and taking that back.

The rules that must stay true: a form that holds a value is never marked so, since a value says that something was done;
while a form is marked nothing is recorded in it, no check asks about it, and what checks had asked is settled; the mark
and its taking back both stay in the ledger.
"""

from __future__ import annotations

from collections.abc import Iterator

from equipoise.capture.commands import RecordForm
from equipoise.capture.evolve import MANUAL, Instance, Place, State
from equipoise.capture.parsing import TEXT_LIMIT, clean
from equipoise.ledger.entries import Append, Entry, FormOmitted, FormReinstated, QueryClosed
from equipoise.ledger.facts import Decision, Refusal
from equipoise.protocol.forms import Form
from equipoise.words.problem import Problem, problem

OFFERED = ("ND", "UK", "NA", "RF")
"""The reasons for which a whole form may be missing."""


def decide_omission(form: Form, state: State, command: RecordForm) -> Decision:
    """Decide that a form was not done (`omit` is a code), or that this was a mistake (`omit` is empty)."""
    place = Place(command.visit, command.form, command.repeat)
    before, reason = state.form(place), clean(command.reason or "")
    faults = tuple(_faults(form, before, command, reason))
    if faults:
        return Refusal(faults)
    entries: list[Entry]
    if command.omit:
        entries = [FormOmitted(*place, command.omit, reason), *_settled(state, place)]
    else:
        entries = [FormReinstated(*place, reason)]
    return tuple(Append(f"subject/{command.subject}", entry) for entry in entries)


def omission_faults(form: Form, before: Instance, command: RecordForm) -> Iterator[Problem]:
    """What keeps a save of values from a form that is marked as not done."""
    if before.omitted is not None:
        yield problem("entry.form-not-done", next(iter(command.items), ""), form=form.label)


def _faults(form: Form, before: Instance, command: RecordForm, reason: str) -> Iterator[Problem]:
    if command.items:
        yield problem("entry.omit-with-values", next(iter(command.items)), form=form.label)
    if len(reason) > TEXT_LIMIT:
        yield problem("capture.text-too-long", "reason", item="reason", limit=TEXT_LIMIT)
    if not command.omit:
        if before.omitted is None:
            yield problem("capture.nothing-changed")
        elif not reason:
            yield problem("capture.reason-required")
        return
    if command.omit not in OFFERED:
        yield problem(
            "entry.omit-code", "omit", code=command.omit, offered=", ".join(OFFERED), form=form.label
        )
    if before.values:
        yield problem("entry.omit-has-values", form=form.label, count=len(before.values))
    if before.omitted is not None:
        yield problem("capture.nothing-changed")


def _settled(state: State, place: Place) -> Iterator[Entry]:
    for query in state.queries_at(place):
        if query.state != "CLOSED" and query.rule != MANUAL:
            yield QueryClosed(query.id, automatic=True)
