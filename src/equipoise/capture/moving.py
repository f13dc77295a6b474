"""Forms that were complete under an earlier version: which version decides on them, and moving them to the newer one.

The rules that must stay true: a form that was complete keeps the version that it was completed under, until a person
moves it; a form whose signature stands never moves; moving changes no value. Source: 21 CFR 11.70 (a signature is
bound to its record); decision 0019.
"""

from __future__ import annotations

from equipoise.capture.commands import MoveForms
from equipoise.capture.consequences import Now, consequences
from equipoise.capture.evolve import Place, State
from equipoise.capture.parsing import clean
from equipoise.capture.placing import place_faults
from equipoise.ledger.entries import Append, FormMoved
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.protocol.study import Study
from equipoise.words.dates import PartialDate
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text


def kept_version(state: State, place: Place) -> str:
    """The digest of the version that a form keeps because it was complete under it; an empty text for none.

    What two persons type from one paper is typed under one version, however long it waits for the second.
    """
    pair = state.pairs.get(place)
    if pair is not None and pair.pending:
        return pair.version
    instance = state.forms.get(place)
    return instance.version if instance is not None and instance.ever_complete else ""


def decide_move(
    study: Study, digest: str, state: State, facts: Facts, command: MoveForms, occasion: Occasion
) -> Decision:
    """Decide to move forms; `study`, of `digest`, is the version that decides for the participant."""
    if not facts.subject_known:
        return Refusal((problem("capture.subject-unknown", "subject"),))
    reason = clean(command.reason)
    faults = [problem("oversight.reason-required", "reason")] if not reason else []
    faults += [problem("amendments.nothing-to-move", "places")] if not command.places else []
    signed, found = state.closing.signed_places(), []
    whole = state.closing.casebook is not None and not state.closing.casebook.broken
    now = Now.of(PartialDate.of(occasion.today), facts)
    for place in dict.fromkeys(Place(*each) for each in command.places):
        faults += _faults(study, digest, state, place, signed=whole or place in signed)
        after = consequences(study, state, place, state.form(place).values, now)
        complete = state.form(place).complete and not after.lacking
        found.append(Append(f"subject/{command.subject}", FormMoved(*place, complete, reason)))
    return Refusal(tuple(faults)) if faults else tuple(found)


def _faults(study: Study, digest: str, state: State, place: Place, *, signed: bool) -> list[Problem]:
    form, kept = study.form(place.form), kept_version(state, place)
    name = form.label if form is not None else Text(place.form)
    if signed:
        return [problem("amendments.signed-form-stays", place.form, form=name)]
    pair = state.pairs.get(place)
    if pair is not None and pair.pending:
        return [problem("double.pending", place.form, form=name)]
    if kept in {"", digest}:
        return [problem("amendments.form-there-already", place.form, form=name, version=study.version)]
    return list(place_faults(study, *place))
