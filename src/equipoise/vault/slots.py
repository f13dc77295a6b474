"""Slots at the second door: who holds which, and opening one.

The rules that must stay true: a slot goes to a subject once, in the order of its stratum, as the first door's ledger
says, or it is refused and nothing is dispensed for it; whoever opens a slot recomputes its commitment and its path to
the root that was fixed at the ceremony; what was opened is handed to the one who asked and is kept nowhere.
Source: DESIGN 5 (randomizing, pharmacy).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from equipoise.ledger.entries import AllocationPublished, Append, PublicSlot, Recorded, SlotTaken
from equipoise.ledger.merkle import inclusion_holds, path_from, rows_of
from equipoise.ledger.vault_entries import SlotAssigned, SlotRefused
from equipoise.protocol.study import Study
from equipoise.randomization.sealing import UNDECIDED, SlotContent, SlotName, unseal
from equipoise.randomization.tree import slot_leaf
from equipoise.vault.told import Told
from equipoise.words.problem import Problem, problem

STREAM = "slots"
RECIPIENT = "vault"
"""The name under which a slot is sealed to this door."""
_NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class State:
    """Who holds which slot. `refused`: number -> rule; `faults`: subject -> rule."""

    numbers: Mapping[str, str] = field(default_factory=lambda: _NONE)
    subjects: Mapping[str, str] = field(default_factory=lambda: _NONE)
    strata: Mapping[str, str] = field(default_factory=lambda: _NONE)
    """number -> stratum it was assigned in."""
    taken: Mapping[str, int] = field(default_factory=lambda: _NONE)
    order: int = 0
    refused: Mapping[str, str] = field(default_factory=lambda: _NONE)
    faults: Mapping[str, str] = field(default_factory=lambda: _NONE)
    alarms: tuple[tuple[str, str, str], ...] = ()
    """(moment, rule, number) of every refusal."""


START = State()


def evolve(state: State, recorded: Recorded) -> State:
    """The state after one more entry of the stream `slots`."""
    entry = recorded.entry
    if isinstance(entry, SlotAssigned):
        return _assigned(state, entry)
    if isinstance(entry, SlotRefused):
        return replace(
            state,
            refused=MappingProxyType({**state.refused, entry.number: entry.rule}),
            faults=MappingProxyType({**state.faults, entry.subject: entry.rule}),
            alarms=(*state.alarms, (recorded.header.at, entry.rule, entry.number)),
        )
    return state


def _assigned(state: State, entry: SlotAssigned) -> State:
    return replace(
        state,
        numbers=MappingProxyType({**state.numbers, entry.subject: entry.number}),
        subjects=MappingProxyType({**state.subjects, entry.number: entry.subject}),
        strata=MappingProxyType({**state.strata, entry.number: entry.stratum}),
        taken=MappingProxyType({**state.taken, entry.stratum: state.taken.get(entry.stratum, 0) + 1}),
        order=entry.order,
    )


def assign(state: State, told: Told, taken: Sequence[SlotTaken]) -> tuple[Append, ...]:
    """The entries for slots that the first door says were taken, in its order."""
    found: list[Append] = []
    for one in taken:
        rule = _fault_of(state, told.published, one)
        if rule:
            found.append(Append(STREAM, SlotRefused(one.number, one.subject, rule)))
            continue
        entry = SlotAssigned(one.number, one.subject, one.stratum, state.order + 1)
        state = _assigned(state, entry)
        found.append(Append(STREAM, entry))
    return tuple(found)


def _fault_of(state: State, published: AllocationPublished | None, one: SlotTaken) -> str:
    listed = published.slots.get(one.stratum, ()) if published is not None else ()
    place = state.taken.get(one.stratum, 0)
    if one.number in state.subjects or one.subject in state.numbers:
        return "vault.slot-twice"
    if place < len(listed) and listed[place].number == one.number:
        return ""
    on_list = any(slot.number == one.number for slot in listed)
    return "vault.slot-out-of-order" if on_list else "vault.slot-unknown"


@dataclass(frozen=True, slots=True)
class SealedSlot:
    """A slot as it lies here."""

    stratum: str
    index: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class _Proven:
    """The tree of a published list, remembered for many proofs."""

    published: AllocationPublished
    rows: tuple[tuple[bytes, ...], ...]
    places: Mapping[tuple[str, int], int]


class SlotBook:
    """The sealed slots, the arms (ids) that their contents stand for, and the key that opens them (never printed)."""

    def __init__(
        self, study: str, arms: tuple[str, ...], slots: Mapping[str, SealedSlot], key: bytes
    ) -> None:
        self._study, self._arms, self._slots, self._key = study, arms, slots, key
        self._proven: _Proven | None = None

    def __repr__(self) -> str:
        return f"SlotBook({len(self._slots)} sealed slots)"

    def __len__(self) -> int:
        return len(self._slots)

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms (ids) that the contents stand for by place."""
        return self._arms

    def open(self, number: str, published: AllocationPublished | None, root: str) -> SlotContent | Problem:
        """What a slot holds, once its commitment and its path to `root` (hex), fixed at the ceremony, agree.

        Problems: `vault.slot-unknown`, `vault.list-of-another`, `vault.slot-unreadable`, `vault.slot-not-committed`.
        """
        if published is None or number not in self._slots:
            return problem("vault.slot-unknown", number)
        held = self._slots[number]
        listed = published.slots.get(held.stratum, ())
        if not 0 < held.index <= len(listed) or listed[held.index - 1].number != number:
            return problem("vault.slot-not-committed", number)
        slot = listed[held.index - 1]
        if not self._leads_to(published, held, slot, root):
            return problem("vault.list-of-another", number)
        name = SlotName(self._study, held.stratum, held.index)
        opened = unseal(name, held.sealed, self._key, slot.commitment)
        if isinstance(opened, Problem):
            return Problem(opened.rule, number, opened.arguments)
        if opened.arm >= len(self._arms) and opened.arm != UNDECIDED:
            return problem("vault.slot-not-committed", number)
        return opened

    def _leads_to(
        self, published: AllocationPublished, held: SealedSlot, slot: PublicSlot, root: str
    ) -> bool:
        if self._proven is None or self._proven.published is not published:
            self._proven = _Proven(published, *_leaves(published))
        place = self._proven.places[held.stratum, held.index]
        rows = self._proven.rows
        leaf = slot_leaf(held.stratum, held.index, slot)
        return inclusion_holds(leaf, place, len(rows[0]), path_from(rows, place), bytes.fromhex(root))


def _leaves(
    published: AllocationPublished,
) -> tuple[tuple[tuple[bytes, ...], ...], Mapping[tuple[str, int], int]]:
    leaves: list[bytes] = []
    places: dict[tuple[str, int], int] = {}
    for code in sorted(published.slots):
        for index, slot in enumerate(published.slots[code], 1):
            places[code, index] = len(leaves)
            leaves.append(slot_leaf(code, index, slot))
    return rows_of(leaves), places


def read_slots(path: Path, study: str, key: bytes) -> SlotBook | Problem:
    """The sealed slots of a file as the ceremony wrote it. Problem: `vault.slots-unreadable`."""
    try:
        content = json.loads(path.read_bytes())
        slots = {
            number: SealedSlot(one["stratum"], one["index"], bytes.fromhex(one["sealed"][RECIPIENT]))
            for number, one in content["slots"].items()
        }
        arms = tuple(str(arm) for arm in content["arms"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return problem("vault.slots-unreadable", str(path), path=path, detail=type(error).__name__)
    return SlotBook(study, arms, slots, key)


def product_of(study: Study, arm: str) -> str:
    """The product (id) that an arm is given; the arm's own id where the study names none."""
    return next((one.id for one in study.supply.products if one.arm == arm), arm)
