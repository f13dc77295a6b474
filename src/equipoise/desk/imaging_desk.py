"""What a decision on imaging must know beyond its subject's stream, and what a concluded read does to its form."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from equipoise.access.evolve import START as NOBODY
from equipoise.access.evolve import State as Person
from equipoise.access.evolve import evolve as evolve_grants
from equipoise.capture import decide as capture
from equipoise.capture.commands import RecordForm
from equipoise.capture.evolve import Place
from equipoise.capture.imaging.commands import OpenAdjudication, OpenReading, ScoreReading
from equipoise.capture.imaging.decide import decide
from equipoise.desk.standing import Standing
from equipoise.ledger.entries import Append, ReadingConcluded
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.ledger.reader import Reader


def decide_imaging(
    reader: Reader, now: Standing, command: Any, occasion: Occasion
) -> Decision:  # Any: a command of imaging.STEPS
    """Imaging of one subject; what readers conclude fills in the form, where it can."""
    facts = now.facts
    if isinstance(command, OpenReading | OpenAdjudication):
        facts = with_readers(
            facts, reader, {getattr(command, name, "") for name in ("first", "second", "third")}
        )
    elif isinstance(command, ScoreReading):
        facts = with_readers(facts, reader, {occasion.by})
    decided = decide(now.trial.study, now.case.imaging, facts, command, occasion)
    if isinstance(decided, Refusal) or not isinstance(decided[-1].entry, ReadingConcluded):
        return decided
    return (*decided, *_filled(now, command.subject, decided[-1].entry, occasion))


def _filled(
    now: Standing, subject: str, concluded: ReadingConcluded, occasion: Occasion
) -> tuple[Append, ...]:
    """The form's entries; none where its judgement is against them: the read stands all the same."""
    study, order = now.trial.study, now.case.imaging.orders[concluded.order]
    procedure = study.imaging.procedure(order.procedure)
    if procedure is None:
        return ()
    place = Place(order.visit, procedure.form, 1)
    base = now.case.capture.form(place).seq
    command = RecordForm(subject, *place, dict(concluded.items), base, reason=f"central read {order.order}")
    decided = capture.decide(study, now.case.capture, now.facts, command, occasion)
    return () if isinstance(decided, Refusal) else decided


def with_readers(facts: Facts, reader: Reader, named: Collection[str]) -> Facts:
    """The facts, and what the ledger says of persons as readers: who holds the role now, with which certificates."""
    people = {one: _person(reader, one) for one in named if one}
    return replace(
        facts,
        readers_named=frozenset(
            one for one, state in people.items() if any(grant.role == "reader" for grant in state.now)
        ),
        readers_certified={
            one: {
                each.instrument: (each.on, each.until or "") for each in state.certified if not each.language
            }
            for one, state in people.items()
        },
    )


def _person(reader: Reader, actor: str) -> Person:
    state = NOBODY
    for recorded in reader.entries(f"user/{actor}"):
        state = evolve_grants(state, recorded)
    return state
