"""A laboratory's file of results that could tell the arm: taken in behind the second door, whole or not at all.

The rules that must stay true: what holds for the first door's files holds here, because the same module decides, on the
part of the study whose items are captured here; a number of another site than the reader's is no number at all; locked
values stay as they are; nothing of it is told to the first door.
Streams `laboratory/<laboratory>` and `subject/<subject>` of this door's ledger, kinds of the first door.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from equipoise.capture import evolve as captured
from equipoise.capture.specimens.importing import Casebooks, Judged, decide_import, judge_import
from equipoise.capture.specimens.results import Collected, Door, numbers_in
from equipoise.ledger.entries import Recorded, Reported, ResultsImported, ResultsReported
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.protocol.study import Study
from equipoise.vault.facts import Purpose, VaultFacts
from equipoise.vault.revealing import revealing_study
from equipoise.words.problem import problem


@dataclass(frozen=True, slots=True)
class ImportValues:
    """Take in a laboratory's file whole, as `ImportResults` does at the first door. Fields as there."""

    laboratory: str
    text: str
    subjects: tuple[str, ...]
    corrects: bool = False


COMMANDS: Mapping[type, frozenset[Purpose]] = MappingProxyType({ImportValues: frozenset({"LAB"})})
"""The laboratory's desk alone takes in its files."""


@dataclass(frozen=True, slots=True)
class State:
    """The values of the subjects concerned, what was reported of their tubes, and how many files came before."""

    cases: Mapping[str, captured.State] = field(default_factory=lambda: MappingProxyType({}))
    reported: Mapping[tuple[str, str], Reported] = field(default_factory=lambda: MappingProxyType({}))
    reports: int = 0


START = State()


def streams(command: object) -> tuple[str, ...]:
    """The streams that the decision on a command may append to."""
    if not isinstance(command, ImportValues):
        raise TypeError(f"results do not know {type(command).__name__}")
    return (f"laboratory/{command.laboratory}", *(f"subject/{one}" for one in command.subjects))


def evolve(state: State, recorded: Recorded) -> State:
    """The state after one more entry of one of the streams."""
    entry, kind, name = recorded.entry, *recorded.header.stream.split("/", 1)
    if isinstance(entry, ResultsImported):
        return replace(state, reports=state.reports + 1)
    if isinstance(entry, ResultsReported):
        found = {(entry.specimen, test): result for test, result in entry.results.items()}
        return replace(state, reported=MappingProxyType({**state.reported, **found}))
    if kind != "subject":
        return state
    case = captured.evolve(state.cases.get(name, captured.START), recorded)
    return replace(state, cases=MappingProxyType({**state.cases, name: case}))


def decide(study: Study, state: State, facts: VaultFacts, command: object, occasion: Occasion) -> Decision:
    """Decide on a file."""
    if not isinstance(command, ImportValues):
        raise TypeError(f"results do not know {type(command).__name__}")
    if facts.values_locked:
        return Refusal((problem("vault.values-locked"),))
    judged = judge(study, state, facts, command, occasion)
    named = {f"laboratory/{command.laboratory}", *(f"subject/{one}" for one in command.subjects)}
    if any(append.stream not in named for append in judged.appends):
        return Refusal((problem("specimens.file-again", "file"),))
    return decide_import(judged)


def judge(study: Study, state: State, facts: VaultFacts, command: ImportValues, occasion: Occasion) -> Judged:
    """What a file would do: for its dry run and for its import alike."""

    def known(subject: str) -> Facts:
        return Facts(subject_known=True, subject_site=facts.tube_sites.get(subject))

    def when(subject: str) -> Occasion:
        return replace(occasion, zone=study.zone_of(facts.tube_sites.get(subject)))

    books = Casebooks(revealing_study(study), state.cases, known, when)
    door = Door(study, True, tubes_for(facts), state.reported)  # noqa: FBT003  # as its field says
    return judge_import(
        door, books, command.laboratory, command.text, state.reports, corrects=command.corrects
    )


def tubes_for(facts: VaultFacts) -> Mapping[str, Collected]:
    """The tubes that the actor may know of."""
    sites = facts.actor_sites
    if sites is None:
        return facts.tubes
    return {
        number: tube for number, tube in facts.tubes.items() if facts.tube_sites.get(tube.subject) in sites
    }


def asked(facts: VaultFacts, laboratory: str, text: str, *, corrects: bool) -> ImportValues:
    """The command for a file: it names the subjects whose tubes the file's numbers are."""
    tubes = tubes_for(facts)
    subjects = {tubes[number].subject for number in numbers_in(text) if number in tubes}
    return ImportValues(laboratory, text, tuple(sorted(subjects)), corrects)
