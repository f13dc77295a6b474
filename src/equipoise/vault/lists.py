"""Making an allocation list from a seed: arms by the study's method (or draws), nonces, public numbers.

The rules that must stay true: the list is a function of the seed, the study and this version, so that after the
release of the seeds anyone makes it again; public numbers are drawn without looking at an arm, a stratum or a place.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType

from equipoise.ledger.entries import PublicSlot
from equipoise.protocol.strata import is_mode_b, layers
from equipoise.protocol.study import Study
from equipoise.randomization.decide import REHEARSAL
from equipoise.randomization.draws import Draws
from equipoise.randomization.methods import Method, draw_list, in_order, method_of
from equipoise.randomization.minimization import Minimization, minimization_of
from equipoise.randomization.sealing import (
    DRAW_BYTES,
    NONCE_BYTES,
    UNDECIDED,
    SlotContent,
    SlotName,
    commitment,
)
from equipoise.words.canonical import Json
from equipoise.words.canonical import digest as digest_of
from equipoise.words.problem import Problem, problem

GENERATOR = "equipoise-list-1"
REHEARSAL_GENERATOR = GENERATOR + REHEARSAL
"""Generator of a list from a known seed: a trial store does not take it."""
DIGITS = 5
"""Least digits of a public number; more where the list would use more than a tenth of them."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot: its name, its public number, and what it holds (not printed)."""

    name: SlotName
    number: str
    content: SlotContent

    def public(self) -> PublicSlot:
        """What everybody may know of it."""
        return PublicSlot(self.number, commitment(self.name, self.content))


@dataclass(frozen=True, slots=True)
class AllocationList:
    """The whole list, by stratum in the study's order, and the arms (ids) that the places stand for."""

    arms: tuple[str, ...]
    slots: Mapping[str, tuple[Slot, ...]]

    def public(self) -> Mapping[str, tuple[PublicSlot, ...]]:
        """Numbers and commitments in order."""
        with _no_rings():
            return {stratum: tuple(slot.public() for slot in slots) for stratum, slots in self.slots.items()}


def list_length(study: Study) -> int | None:
    """Slots of each stratum: as many as the study has places, so that no stratum runs out first; None if unbounded."""
    return study.design.cap or study.design.target


def chosen_method(study: Study) -> Method | Minimization | Problem:
    """The study's method over a list of its length, or why there is none."""
    length = list_length(study)
    chosen = in_order(study)
    if chosen is None or length is None:
        return problem("vault.nothing-to-allocate", "randomization")
    unknown = set(chosen.ratio) - {arm.id for arm in study.arms}
    if unknown:
        return problem("vault.ratio-unusable", "ratio", ratio=", ".join(sorted(unknown)))
    if is_mode_b(study):
        return minimization_of(chosen)
    return method_of(chosen, length)


def plan_of(study: Study) -> Json:
    """What, beside the seed, a list follows from, for the public file: method, weights, factors, length, prefix.

    The arms are not named: `arms` is the SHA-256 of the canonical list of their ids, in the order of the places.
    """
    chosen = in_order(study)
    if chosen is None:
        return {}
    return {
        "method": chosen.method,
        "parameters": dict(chosen.parameters),
        "arms": digest_of(list(chosen.ratio)),
        "ratio": list(chosen.ratio.values()),
        "factors": [[level.code for level in factor.levels] for factor in chosen.factors],
        "layers": list(layers(study)),
        "length": list_length(study),
        "prefix": chosen.number_prefix,
    }


def make_list(study: Study, digest: str, seed: bytes) -> AllocationList | Problem:
    """The list of a study with this digest from a combined seed."""
    method, length = chosen_method(study), list_length(study)
    if isinstance(method, Problem):
        return method
    chosen = in_order(study)
    if chosen is None or length is None:
        return problem("vault.nothing-to-allocate", "randomization")
    codes = layers(study)
    numbers = _numbers(chosen.number_prefix, len(codes) * length, Draws(seed, f"{digest} numbers"))
    slots: dict[str, tuple[Slot, ...]] = {}
    with _no_rings():
        for place, code in enumerate(codes):
            mine = numbers[place * length : (place + 1) * length]
            contents = _contents(method, length, seed, (digest, code))
            slots[code] = tuple(
                Slot(SlotName(study.id, code, index), number, content)
                for index, (number, content) in enumerate(zip(mine, contents, strict=True), 1)
            )
    return AllocationList(tuple(chosen.ratio), MappingProxyType(slots))


@contextmanager
def _no_rings() -> Iterator[None]:
    """Without the collector of rings, which would walk over a large list again and again and find none in it."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _contents(
    method: Method | Minimization, length: int, seed: bytes, of: tuple[str, str]
) -> Iterator[SlotContent]:
    """What the slots of one list hold, in order. `of`: the study's digest and the code of the list."""
    digest, code = of
    nonces = Draws(seed, f"{digest} nonces {code}")
    if isinstance(method, Minimization):
        draws = Draws(seed, f"{digest} draws {code}")
        for _ in range(length):
            yield SlotContent(UNDECIDED, nonces.take(NONCE_BYTES), draws.take(DRAW_BYTES))
        return
    for arm in draw_list(method, length, Draws(seed, f"{digest} arms {code}")):
        yield SlotContent(arm, nonces.take(NONCE_BYTES))


def _numbers(prefix: str, count: int, draws: Draws) -> Sequence[str]:
    """Different random numbers of equal length, in the order in which they were drawn."""
    digits = max(DIGITS, len(str(count * 10 - 1)))
    found: dict[int, None] = {}
    while len(found) < count:
        found[draws.below(10**digits)] = None
    return [f"{prefix}{number:0{digits}d}" for number in found]
