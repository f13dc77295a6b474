"""Where a form is typed twice, and what that keeps from being saved in the usual way.

The rules that must stay true: while a pair of entries waits, nothing else is recorded at its place; a form that is
typed twice gets its first values from a settled pair and from nothing else; once it has them it is changed as any form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from equipoise.capture.commands import RecordForm
from equipoise.capture.evolve import Place, State
from equipoise.ledger.entries import Datum
from equipoise.ledger.facts import Facts
from equipoise.protocol.forms import DoubleEntry, Form
from equipoise.protocol.study import Study
from equipoise.words.problem import Problem, problem


def asked_twice(form: Form, site: str | None) -> DoubleEntry | None:
    """The form's rules of double entry, where they hold at a site."""
    asked = form.double_entry
    if asked is None or (asked.sites and site not in asked.sites):
        return None
    return asked


def begun(state: State, place: Place) -> bool:
    """Whether values of the form count already: recorded in the usual way, or out of a settled pair."""
    instance, pair = state.form(place), state.pairs.get(place)
    return bool(instance.values) or instance.ever_complete or (pair is not None and not pair.pending)


def waits_for_entry(form: Form, site: str | None, state: State, place: Place) -> bool:
    """Whether an entry may be handed in at a place: nothing of it counts yet, and not both are in."""
    pair = state.pairs.get(place)
    if pair is not None and pair.pending:
        return pair.stage == "FIRST"
    return (
        asked_twice(form, site) is not None and not begun(state, place) and state.form(place).omitted is None
    )


def only_twice(form: Form, site: str | None, state: State, place: Place) -> bool:
    """Whether no value may be saved at a place in the usual way."""
    pair, asked = state.pairs.get(place), asked_twice(form, site)
    if pair is not None and pair.pending:
        return True
    return asked is not None and asked.written_on is None and not begun(state, place)


def save_faults(study: Study, state: State, facts: Facts, command: RecordForm) -> tuple[Problem, ...]:
    """What keeps a usual save from a form that is typed twice."""
    form = study.form(command.form)
    return () if form is None else tuple(_faults(form, state, facts, command))


def _faults(form: Form, state: State, facts: Facts, command: RecordForm) -> Iterator[Problem]:
    place = Place(command.visit, command.form, command.repeat)
    pair, asked = state.pairs.get(place), asked_twice(form, facts.subject_site)
    where = next(iter(command.items), "")
    if pair is not None and pair.pending:
        yield problem("double.pending", where, form=form.label)
    elif asked is None or command.omit is not None or pair is not None:
        return  # a pair that does not wait is settled: from then on it is a form like any other
    elif asked.written_on is None:
        if not begun(state, place):
            yield problem("double.only-twice", where, form=form.label)
    elif is_paper(asked, command.items):
        yield problem("double.paper-twice", asked.written_on, form=form.label)


def is_paper(asked: DoubleEntry, items: Mapping[str, Datum]) -> bool:
    """Whether what was typed says that the source is paper."""
    said = items.get(asked.written_on or "")
    return asked.written_on is None or (said is not None and said.value in asked.paper)
