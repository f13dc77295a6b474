"""One preparation, folded from its own stream `bench/<request>` beside the whole stock.

The rules that must stay true: a request has attempts in order, each for the same slot; an attempt ends in a bag that is
handed over or in a failure, never in both; what does not fit is a misfit, and nothing is dispensed from such a ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

from equipoise.ledger import vault_entries as entries
from equipoise.ledger.entries import Recorded
from equipoise.vault.stock.evolve import START as EMPTY
from equipoise.vault.stock.evolve import Stock
from equipoise.vault.stock.evolve import evolve as evolve_stock

Stage = Literal["NONE", "WORKING", "READY", "OUT", "FAILED"]
SHAM = "SHAM"
"""What stands for the viability of a product without cells."""


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was done: when (UTC), by whom, and the second person where there was one."""

    step: str
    at: str
    by: str
    second: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a dose. `failed` is why it came to nothing, `again` whether a replacement was asked for then."""

    opened_at: str
    done: tuple[Done, ...] = ()
    lot: str = ""
    unit: str = ""
    viability: str = ""
    bag: str = ""
    use_by: str = ""
    taken: str = ""
    cells: str = ""
    verified: bool = False
    handed_at: str = ""
    failed: str = ""
    again: bool = False

    @property
    def stage(self) -> Stage:
        """How far it is."""
        if self.failed:
            return "FAILED"
        if self.handed_at:
            return "OUT"
        return "READY" if self.verified else "WORKING"

    def at(self, step: str) -> str | None:
        """When a step (its id) was done."""
        return next((each.at for each in self.done if each.step == step), None)


@dataclass(frozen=True, slots=True)
class Preparation:
    """What was done for one request."""

    request: str = ""
    subject: str = ""
    number: str = ""
    product: str = ""
    attempts: tuple[Attempt, ...] = ()

    @property
    def current(self) -> Attempt | None:
        """The attempt that is under way, or was the last."""
        return self.attempts[-1] if self.attempts else None

    @property
    def stage(self) -> Stage:
        """How far the current attempt is."""
        return self.current.stage if self.current else "NONE"


@dataclass(frozen=True, slots=True)
class State:
    """The preparation of one request, and the stock. `misfits`: seqs, in either stream, of what did not fit."""

    preparation: Preparation = field(default_factory=Preparation)
    stock: Stock = EMPTY
    misfits: tuple[int, ...] = ()


START = State()


def evolve(state: State, recorded: Recorded) -> State:
    """The state after one more entry of the streams `stock` or `bench/<request>`; the two need no common order."""
    if recorded.header.stream == "stock":
        return replace(state, stock=evolve_stock(state.stock, recorded))
    if not recorded.header.stream.startswith("bench/"):
        return state
    after = evolve_preparation(state.preparation, recorded)
    if after is None:
        return replace(state, misfits=(*state.misfits, recorded.header.seq))
    return replace(state, preparation=after)


def evolve_preparation(preparation: Preparation, recorded: Recorded) -> Preparation | None:
    """The preparation after one more entry of its own stream; None where it does not fit."""
    entry, apply = recorded.entry, _APPLY.get(recorded.header.kind)
    if isinstance(entry, entries.PreparationOpened):
        return _opened(preparation, entry, recorded.header.at)
    if isinstance(entry, entries.BagTakenBack | entries.BagDestroyed):
        return preparation  # where a bag is stands in the stock
    current = preparation.current
    if entry is None or apply is None or current is None:
        return None
    changed = apply(current, entry, recorded.header.actor)
    if changed is None:
        return None
    return replace(preparation, attempts=(*preparation.attempts[:-1], changed))


def _opened(preparation: Preparation, entry: entries.PreparationOpened, at: str) -> Preparation | None:
    if entry.attempt != len(preparation.attempts) + 1 or preparation.number not in {"", entry.number}:
        return None
    attempts = (*preparation.attempts, Attempt(at))
    return Preparation(entry.request, entry.subject, entry.number, entry.product, attempts)


def _changed(attempt: Attempt, *stages: Stage, **changes: Any) -> Attempt | None:  # Any: fields of Attempt
    return replace(attempt, **changes) if attempt.stage in stages else None


def _failed(attempt: Attempt, entry: entries.PreparationFailed, actor: str) -> Attempt | None:
    return _changed(attempt, "WORKING", "READY", failed=entry.because, again=entry.again)


def _step(attempt: Attempt, entry: entries.StepDone, actor: str) -> Attempt | None:
    done = (*attempt.done, Done(entry.step, entry.at, actor, entry.second))
    return _changed(attempt, "WORKING", done=done)


def _prepared(attempt: Attempt, entry: entries.BagPrepared, actor: str) -> Attempt | None:
    return _changed(
        attempt, "WORKING", bag=entry.bag, use_by=entry.use_by, taken=entry.taken, cells=entry.cells
    )


_APPLY: Mapping[str, Callable[[Attempt, Any, str], Attempt | None]] = MappingProxyType(  # Any: the kind named
    {
        "UnitTaken": lambda now, entry, _: _changed(now, "WORKING", lot=entry.lot, unit=entry.unit),
        "StepDone": _step,
        "ViabilityMeasured": lambda now, entry, _: _changed(now, "WORKING", viability=entry.percent),
        "PreparationFailed": _failed,
        "BagPrepared": _prepared,
        "BagVerified": lambda now, _, __: _changed(now, "WORKING", verified=True) if now.bag else None,
        "BagHandedOver": lambda now, entry, _: _changed(now, "READY", handed_at=entry.at),
    }
)
