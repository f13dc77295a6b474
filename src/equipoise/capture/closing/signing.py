"""Signing forms: by user name and password at that moment, in a meaning, over what was shown.

The rules that must stay true: only what is complete is signed; a signature says what was shown, and where that is no
longer what stands, nothing is signed; a casebook is signed whole or not at all; what stands signed is not signed again.
Source: 21 CFR 11.50 to 11.200; ICH E6(R3) 2.12.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from equipoise.capture.closing.change import place_words
from equipoise.capture.closing.commands import SignForms
from equipoise.capture.closing.shown import shown_digest
from equipoise.capture.evolve import Place, State
from equipoise.ledger.entries import Append, FormsSigned, SignedPlace
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.ledger.proving import proof_fault
from equipoise.protocol.study import Study
from equipoise.words.problem import Problem, problem

SignatureState = Literal["", "SIGNED", "BROKEN"]


def signature_state(state: State, place: Place) -> SignatureState:
    """Whether a form is signed; BROKEN: it was, and changed since."""
    one = state.closing.signed.get(place)
    return "" if one is None else "BROKEN" if one.broken else "SIGNED"


def to_sign(state: State) -> tuple[Place, ...]:
    """The forms that wait for a signature: complete, and not signed as they stand."""
    return tuple(
        place
        for place, instance in state.forms.items()
        if instance.complete and signature_state(state, place) != "SIGNED"
    )


def casebook_places(state: State) -> tuple[Place, ...]:
    """Everything that a signature of the casebook stands for: each form that was recorded and is not empty."""
    return tuple(place for place, instance in state.forms.items() if instance.values or instance.complete)


def decide_sign(study: Study, state: State, facts: Facts, command: SignForms, occasion: Occasion) -> Decision:
    """Decide on a signature."""
    faults = [*_casebook(study, state, command)] if command.meaning == "CASEBOOK" else []
    for one in command.places:
        faults += _place(study, state, command, one)
    if not command.places:
        faults.append(problem("closing.nothing-to-sign"))
    unproved = proof_fault(facts, occasion)
    if unproved is not None:
        faults.append(unproved)
    if faults or facts.proved is None:
        return Refusal(tuple(faults))
    entry = FormsSigned(command.places, command.meaning, facts.proved.method)
    return (Append(f"subject/{command.subject}", entry),)


def _place(study: Study, state: State, command: SignForms, one: SignedPlace) -> Iterator[Problem]:
    place = Place(one.visit, one.form, one.repeat)
    where, words = one.form, place_words(study, place)
    if not state.form(place).complete:
        yield problem("closing.sign-incomplete", where, place=words)
    elif command.meaning == "FORM" and signature_state(state, place) == "SIGNED":
        yield problem("closing.signed-already", where, place=words)
    elif shown_digest(study, state, place) != one.shown:
        yield problem("closing.shown-differs", where, place=words)


def _casebook(study: Study, state: State, command: SignForms) -> Iterator[Problem]:
    given = {(one.visit, one.form, one.repeat) for one in command.places}
    for place in casebook_places(state):
        if place not in given:
            yield problem("closing.casebook-lacks", place.form, place=place_words(study, place))
    signed = state.closing.casebook
    if signed is not None and not signed.broken:
        yield problem("closing.signed-already", "", place=place_words(study, ("", "", 0)))
