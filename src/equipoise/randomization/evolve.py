"""How far the allocation list is used up, folded from the stream `allocation`, and who bears which number.

The rule that must stay true: the next slot of a stratum is the first that no entry has taken, in the order of the
list. Nothing here knows an arm. Over one subject's stream the same fold gives that subject's number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, cast

from equipoise.ledger.entries import AllocationPublished, Recorded, SlotTaken, SubjectRandomized
from equipoise.ledger.facts import Facts
from equipoise.protocol.strata import StratumResult
from equipoise.words.canonical import Json
from equipoise.words.changed import changed

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Allocated:
    """The public number and the stratum under which a subject was randomized."""

    number: str
    stratum: str


@dataclass(frozen=True, slots=True)
class State:
    """The public list as published, the next position in each stratum, and who took a slot.

    `withheld`: an entry of the list cannot be read any more, so what is free is not known.
    """

    root: str | None = None
    generator: str | None = None
    numbers: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NOTHING)
    taken: Mapping[str, int] = field(default_factory=lambda: _NOTHING)
    subjects: Mapping[str, Allocated] = field(default_factory=lambda: _NOTHING)
    withheld: bool = False

    def next_number(self, stratum: str) -> str | None:
        """The number of the next free slot of a stratum, or None where the list holds none."""
        numbers, position = self.numbers.get(stratum, ()), self.taken.get(stratum, 0)
        return numbers[position] if position < len(numbers) else None

    @property
    def randomized_count(self) -> int:
        """How many slots were taken, over all strata."""
        return sum(self.taken.values())


START = State()


def evolve(state: State, recorded: Recorded) -> State:
    """The state after one more entry of the stream `allocation`, or of a subject's stream."""
    entry = recorded.entry
    if entry is None and recorded.header.kind in {"AllocationPublished", "SlotTaken"}:
        return replace(state, withheld=True)
    if isinstance(entry, AllocationPublished):
        numbers = {stratum: tuple(slot.number for slot in slots) for stratum, slots in entry.slots.items()}
        return replace(state, root=entry.root, generator=entry.generator, numbers=MappingProxyType(numbers))
    if isinstance(entry, SlotTaken):
        taken = {**state.taken, entry.stratum: state.taken.get(entry.stratum, 0) + 1}
        subjects = {**state.subjects, entry.subject: Allocated(entry.number, entry.stratum)}
        return replace(state, taken=MappingProxyType(taken), subjects=MappingProxyType(subjects))
    if isinstance(entry, SubjectRandomized):
        subject = recorded.header.stream.removeprefix("subject/")
        subjects = {**state.subjects, subject: Allocated(entry.number, entry.stratum)}
        return replace(state, subjects=MappingProxyType(subjects))
    return state


def add_facts(facts: Facts, state: State, subject: str | None, result: StratumResult | None) -> Facts:
    """The facts that randomization owns, filled in. `state` is the fold of `allocation`; `result` the stratum now."""
    found = changed(
        facts,
        list_published=state.root is not None,
        list_root=state.root,
        randomized_count=state.randomized_count,
    )
    if subject is not None and subject in state.subjects:
        found = changed(found, randomization_number=state.subjects[subject].number)
    if result is None:
        return found
    return changed(
        found,
        stratum=result.code,
        stratum_reasons={factor: why.en for factor, why in result.reasons.items()},
        stratum_reasons_zh={factor: why.say("zh") for factor, why in result.reasons.items()},
    )


def state_to_json(state: State) -> Json:
    """The state as canonical JSON, for a disposable snapshot."""
    return {
        "root": state.root,
        "generator": state.generator,
        "numbers": [[stratum, list(numbers)] for stratum, numbers in sorted(state.numbers.items())],
        "taken": [[stratum, taken] for stratum, taken in sorted(state.taken.items())],
        "subjects": [[name, each.number, each.stratum] for name, each in sorted(state.subjects.items())],
        "withheld": state.withheld,
    }


def state_from_json(json: Json) -> State:
    """The state that `state_to_json` wrote."""
    written = cast("Mapping[str, Any]", json)  # Any: as written above
    return State(
        written["root"],
        written["generator"],
        MappingProxyType({stratum: tuple(numbers) for stratum, numbers in written["numbers"]}),
        MappingProxyType(dict(written["taken"])),
        MappingProxyType({name: Allocated(number, stratum) for name, number, stratum in written["subjects"]}),
        written["withheld"],
    )
