"""Deciding on the allocation list and on randomizing.

The rules that must stay true: a list is published once, whole, and as its root says; a subject takes the next
slot of the stratum, in the order of the list, at most once; every reason against randomizing is named, all at once.
The slot and the subject's entry are one decision: both are written or neither. Nothing here knows an arm.
Source: ICH E9 2.3.2; ICH E6(R3) 4.4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from equipoise.ledger.entries import AllocationPublished, Append, SlotTaken, SubjectRandomized
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.protocol.strata import is_mode_b, layer_of, layers
from equipoise.protocol.study import Study
from equipoise.randomization.commands import PublishAllocation, Randomize
from equipoise.randomization.evolve import State
from equipoise.randomization.tree import list_root
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text
from equipoise.words.truth import Truth

REHEARSAL = "-rehearsal"
"""How the generator of a list from a known seed ends; a trial does not take such a list."""
_HASH = re.compile(r"[0-9a-f]{64}")


def decide(study: Study, state: State, facts: Facts, command: object, occasion: Occasion) -> Decision:
    """Decide a command on the stream `allocation`; `facts` are those of the subject to be randomized."""
    if isinstance(command, PublishAllocation):
        problems = tuple(_list_faults(study, state, facts, command))
        entry = AllocationPublished(command.generator, command.root, command.slots)
        return Refusal(problems) if problems else (Append("allocation", entry),)
    if isinstance(command, Randomize):
        return _randomize(study, state, facts, command)
    raise TypeError(f"randomization does not know {type(command).__name__}")


def _list_faults(study: Study, state: State, facts: Facts, command: PublishAllocation) -> Iterator[Problem]:
    if state.root is not None or state.withheld:
        yield problem("randomization.list-already-published", root=state.root or "–")
        return
    if command.generator.endswith(REHEARSAL) and not facts.rehearsal:
        yield problem("randomization.list-of-a-rehearsal", "generator")
    expected, given = set(layers(study)), set(command.slots)
    if study.randomization is None or expected != given:
        yield problem(
            "randomization.list-of-other-strata", "slots",
            expected=", ".join(sorted(expected)), given=", ".join(sorted(given)) or "–",
        )  # fmt: skip
    cap = study.design.cap or 1
    for stratum, slots in sorted(command.slots.items()):
        if len(slots) < cap:
            yield problem("randomization.list-too-short", stratum, stratum=stratum, slots=len(slots), cap=cap)
    every = [slot for slots in command.slots.values() for slot in slots]
    if len({slot.number for slot in every}) < len(every) or len({slot.commitment for slot in every}) < len(
        every
    ):
        yield problem("randomization.list-repeats", "slots")
    if (
        not all(_HASH.fullmatch(slot.commitment) for slot in every)
        or list_root(command.slots) != command.root
    ):
        yield problem("randomization.list-root-differs", "root")


def _randomize(study: Study, state: State, facts: Facts, command: Randomize) -> Decision:
    problems = tuple(
        found
        for part in (_of_subject(state, facts, command), _of_eligibility(study, facts), _of_enrolment(study, facts),
                     _of_stratum(study, state, facts))
        for found in part
    )  # fmt: skip
    layer = layer_of(study, facts.stratum)
    number = state.next_number(layer) if layer is not None else None
    if problems or facts.stratum is None or layer is None or number is None:
        return Refusal(problems)
    return (
        Append("allocation", SlotTaken(layer, number, command.subject)),
        Append(f"subject/{command.subject}", SubjectRandomized(number, facts.stratum)),
    )


def _of_subject(state: State, facts: Facts, command: Randomize) -> Iterator[Problem]:
    if not facts.subject_known:
        yield problem("randomization.subject-unknown", "subject")
    number = facts.randomization_number
    if number is None and command.subject in state.subjects:
        number = state.subjects[command.subject].number
    if number is not None or facts.status == "RANDOMIZED":
        yield problem("randomization.already-randomized", "subject", number=number or "–")
    elif facts.person_randomized:
        yield problem("randomization.person-randomized", "person")
    if facts.status == "SCREEN_FAILURE":
        yield problem("randomization.screen-failure", "subject")


def _of_eligibility(study: Study, facts: Facts) -> Iterator[Problem]:
    criteria = tuple(_of_criteria(study, facts))
    yield from criteria
    if facts.verdict != "ELIGIBLE" and not criteria:
        yield problem("randomization.not-judged", "eligibility")
    if facts.status == "SCREENING":
        yield problem("randomization.eligibility-not-confirmed", "eligibility")
    elif facts.status == "ELIGIBLE" and not facts.confirmed:
        yield problem("randomization.confirmation-outdated", "eligibility")
    if facts.consent_in_force is not Truth.TRUE:
        yield problem("randomization.no-consent", "consent")
    elif facts.consent_against is not None:
        yield replace(facts.consent_against, where="consent")


def _of_criteria(study: Study, facts: Facts) -> Iterator[Problem]:
    against = {"inclusion": "F", "exclusion": "T"}
    for criterion in study.criteria:
        letter = facts.verdict_results.get(criterion.id)
        if letter not in {"U", against[criterion.category]}:
            continue
        why = Text(
            facts.verdict_reasons.get(criterion.id, "–"),
            facts.verdict_reasons_zh.get(criterion.id) or facts.verdict_reasons.get(criterion.id, "–"),
        )
        if letter == "U":
            yield problem(
                "randomization.criterion-not-evaluable", criterion.id, criterion=criterion.id, why=why
            )
        elif criterion.category == "inclusion":
            yield problem("randomization.inclusion-not-met", criterion.id, criterion=criterion.id, why=why)
        else:
            yield problem("randomization.exclusion-applies", criterion.id, criterion=criterion.id, why=why)


def _of_enrolment(study: Study, facts: Facts) -> Iterator[Problem]:
    if not facts.enrolment_open:
        yield problem("randomization.enrolment-paused", "study")
    if facts.store_behind:
        yield problem("randomization.store-behind", "study")
    if study.design.cap is not None and facts.randomized_count >= study.design.cap:
        yield problem("randomization.cap-reached", "study", cap=study.design.cap)
    if not facts.site_approved:
        yield problem("randomization.site-not-approved", "site", site=facts.subject_site or "–")
    if not facts.site_active:
        yield problem("randomization.site-not-active", "site", site=facts.subject_site or "–")


def _of_stratum(study: Study, state: State, facts: Facts) -> Iterator[Problem]:
    if facts.stratum is None:
        labels = {each.id: each.label for each in study.randomization.factors} if study.randomization else {}
        for factor, reason in facts.stratum_reasons.items():
            why = Text(reason, facts.stratum_reasons_zh.get(factor) or reason)
            label = labels.get(factor, Text(factor))
            yield problem("randomization.stratum-not-evaluable", factor, factor=label, why=why)
        if not facts.stratum_reasons:
            yield problem("randomization.stratum-not-known", "stratum")
    layer = layer_of(study, facts.stratum)
    if is_mode_b(study) and not facts.second_door_answers:
        yield problem("randomization.second-door-needed", "list")
    if state.withheld:
        yield problem("randomization.list-unreadable", "list")
    elif state.root is None or not facts.list_published:
        yield problem("randomization.list-not-published", "list")
    elif layer is not None and state.next_number(layer) is None:
        # The stratum is not named: who reads this learns nothing of how far any list is used up elsewhere.
        yield problem("randomization.list-exhausted", "list")
