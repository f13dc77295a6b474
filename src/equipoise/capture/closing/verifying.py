"""Verification against the source, by a plan that is part of the study, and review by data management.

The rules that must stay true: an item is verified as it stands or not at all: a change after the verification undoes it
for that item and for no other; what does not agree becomes a query and is not verified, even if it had been; who is
verified in full follows from the plan and from public numbers alone, so that nobody chooses. Source: ICH E6(R3) 3.11.4;
ICH E6(R2) 5.18.3 (targeted checks).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

from equipoise.capture.closing.change import place_words
from equipoise.capture.closing.commands import ReviewForm, VerifyItems
from equipoise.capture.evolve import Instance, Place, State
from equipoise.capture.parsing import TEXT_LIMIT, clean
from equipoise.capture.placing import place_faults
from equipoise.capture.queries import fresh_ids
from equipoise.capture.questions import question, questions
from equipoise.ledger.entries import Append, Entry, FormReviewed, ItemsVerified, QueryAsked
from equipoise.ledger.facts import Decision, Occasion, Refusal
from equipoise.protocol.forms import Form
from equipoise.protocol.study import Study, Verification
from equipoise.words.problem import Problem, problem


def in_full(plan: Verification, number: str, rank: int | None) -> bool:
    """Whether a participant is verified in full. `rank`: which randomized participant of the site it is, from 1.

    The first of each site are; of the later ones a share, drawn by the SHA-256 of the screening number, which is
    public and says nothing of the arm.
    """
    if rank is None:
        return False
    if rank <= plan.first:
        return True
    drawn = int.from_bytes(hashlib.sha256(f"verification {number}".encode()).digest()[:8], "big")
    return Decimal(drawn) < plan.share * 2**64


def critical_items(study: Study, form: Form) -> frozenset[str]:
    """The items of a form that are verified in everybody: those marked so, or all where the plan names the form."""
    whole = form.id in study.verification.critical_forms
    return frozenset(
        each.id
        for each in questions(form)
        if not each.revealing and (whole or (each.own is not None and each.own.critical))
    )


def recorded_items(instance: Instance) -> frozenset[str]:
    """The items of a form that hold something to verify."""
    return frozenset(instance.values)


def verified_items(state: State, place: Place) -> frozenset[str]:
    """The items of a form that are verified as they stand."""
    known, instance = state.closing.verified.get(place, {}), state.form(place)
    return frozenset(item for item in instance.values if known.get(item, 0) > instance.changed.get(item, 0))


def undone_items(state: State, place: Place) -> frozenset[str]:
    """The items that were verified once and changed since, also to nothing."""
    known, instance = state.closing.verified.get(place, {}), state.form(place)
    return frozenset(item for item, seq in known.items() if instance.changed.get(item, 0) > seq)


def reviewed(state: State, place: Place) -> bool:
    """Whether data management read the form as it stands."""
    return state.closing.reviewed.get(place, 0) > state.form(place).seq


def decide_verify(study: Study, state: State, command: VerifyItems, occasion: Occasion) -> Decision:
    """Decide on a verification of some items, with exceptions that become queries."""
    form, place = study.form(command.form), Place(command.visit, command.form, command.repeat)
    if form is None:
        return Refusal(place_faults(study, *place))
    instance = state.form(place)
    faults = [*_item_faults(study, form, instance, command), *_text_faults(command)]
    if not command.items and not command.exceptions:
        faults.append(problem("closing.nothing-to-verify"))
    fresh = set(command.items) - verified_items(state, place)
    if command.items and not fresh and not command.exceptions and not faults:
        faults.append(problem("capture.nothing-changed"))
    if faults:
        return Refusal(tuple(faults))
    stream = f"subject/{command.subject}"
    entries: list[Entry] = []
    before = verified_items(state, place)
    undone = tuple(sorted(before & command.exceptions.keys()))
    if command.items or undone:
        now = (before | set(command.items)) - set(undone)
        left = recorded_items(instance) - now
        critical = left & critical_items(study, form)
        covers: Literal["PART", "CRITICAL", "ALL"]
        covers = "ALL" if not left else "PART" if critical else "CRITICAL"
        entries.append(ItemsVerified(*place, tuple(sorted(command.items)), covers, undone or None))
    ids = fresh_ids(occasion, (command.subject, *map(str, place), "verification"))
    for item, text in command.exceptions.items():
        entries.append(QueryAsked(next(ids), *place, item=item, text=clean(text)))
    return tuple(Append(stream, entry) for entry in entries)


def _item_faults(study: Study, form: Form, instance: Instance, command: VerifyItems) -> Iterator[Problem]:
    for item in (*command.items, *command.exceptions):
        asked = question(form, item)
        if asked is None:
            yield problem("capture.item-unknown", item, item=item, form=command.form)
        elif instance.changed.get(item, 0) > command.base:
            yield problem("closing.changed-since", item, item=asked.label)
        elif item in command.items and item not in instance.values:
            yield problem("closing.nothing-recorded", item, item=asked.label)
    for item in command.items:
        if item in command.exceptions:
            yield problem("closing.verified-and-queried", item, item=item)


def _text_faults(command: VerifyItems) -> Iterator[Problem]:
    for item, text in command.exceptions.items():
        if not clean(text):
            yield problem("capture.text-required", item)
        elif len(text) > TEXT_LIMIT:
            yield problem("capture.text-too-long", item, item=item, limit=TEXT_LIMIT)


def decide_review(study: Study, state: State, command: ReviewForm) -> Decision:
    """Decide on a review of a form by data management."""
    place = Place(command.visit, command.form, command.repeat)
    if place not in state.forms:
        return Refusal((problem("closing.nothing-there", "", place=place_words(study, place)),))
    if state.form(place).seq > command.base:
        return Refusal((problem("closing.changed-since", "", item=place_words(study, place)),))
    if reviewed(state, place):
        return Refusal((problem("capture.nothing-changed"),))
    return (Append(f"subject/{command.subject}", FormReviewed(*place)),)
