"""Values that could tell the arm: captured, checked and queried behind the second door, in its own ledger.

The rules that must stay true: what holds for every captured value holds here too, because the same room decides (a
refusal beside its item, a reason for a change of what was complete, nobody overwritten unseen, an unlikely value kept
and queried); nothing of it is told to the first door, not even that a value is there; nobody enters values of another
site; locked values stay as they are.
Stream `subject/<subject>` of this door's ledger, kinds of the first door. Sources: DESIGN 5; 21 CFR Part 11.10(e).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from equipoise.capture import decide as capture
from equipoise.capture import evolve as captured
from equipoise.capture.commands import AnswerQuery, CloseQuery, RecordForm
from equipoise.ledger.entries import Datum
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.protocol.study import Study
from equipoise.vault.facts import Purpose, VaultFacts
from equipoise.vault.revealing import revealing_study
from equipoise.vault.stock.persons import at_home
from equipoise.words.problem import problem


@dataclass(frozen=True, slots=True)
class RecordValues:
    """Save revealing items of a form, as `RecordForm` saves the others. Fields as there."""

    subject: str
    visit: str
    form: str
    repeat: int
    items: Mapping[str, Datum]
    base: int
    complete: bool | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class AnswerValueQuery:
    """Explain a value that a check asked about."""

    subject: str
    query: str
    answer: str


@dataclass(frozen=True, slots=True)
class CloseValueQuery:
    """Accept the explanation, as a second person."""

    subject: str
    query: str
    note: str = ""


COMMANDS: Mapping[type, frozenset[Purpose]] = MappingProxyType(
    {
        RecordValues: frozenset({"LAB", "BENCH"}),
        AnswerValueQuery: frozenset({"LAB", "BENCH"}),
        CloseValueQuery: frozenset({"CHECK"}),
    }
)
"""Every command on revealing values, and for which purposes a person must have signed in to give it.

The preparation record is the bench's own, laboratory results are the laboratory desk's; both know what they enter.
"""
START = captured.START
evolve = captured.evolve


def streams(command: object) -> tuple[str, ...]:
    """The stream that the decision on a command may append to."""
    if not isinstance(command, RecordValues | AnswerValueQuery | CloseValueQuery):
        raise TypeError(f"values do not know {type(command).__name__}")
    return (f"subject/{command.subject}",)


def decide(
    study: Study, state: captured.State, facts: VaultFacts, command: object, occasion: Occasion
) -> Decision:
    """Decide a command on the values of one subject."""
    if facts.subject_site is None or not at_home(facts, facts.subject_site):
        return Refusal((problem("vault.values-subject-unknown", "subject"),))
    if facts.values_locked:
        return Refusal((problem("vault.values-locked"),))
    known = Facts(subject_known=True, subject_site=facts.subject_site)
    return capture.decide(revealing_study(study), state, known, _captured(command), occasion)


def _captured(command: object) -> RecordForm | AnswerQuery | CloseQuery:
    """The command as the room of capture knows it."""
    match command:
        case RecordValues(subject, visit, form, repeat, items, base, complete, reason):
            return RecordForm(subject, visit, form, repeat, items, base, complete, reason)
        case AnswerValueQuery(subject, query, answer):
            return AnswerQuery(subject, query, answer)
        case CloseValueQuery(subject, query, note):
            return CloseQuery(subject, query, note)
        case _:
            raise TypeError(f"values do not know {type(command).__name__}")
