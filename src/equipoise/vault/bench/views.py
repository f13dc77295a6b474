"""What the pages of the bench show: the work list with its clocks, and one request as a course of steps.

The rule that must stay true: the same rows, steps and fields for every product; a label of a step is that of its sham
where the product has no cells, and nothing else of the page differs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from equipoise.protocol.study import Study
from equipoise.vault.bench.clock import ThawClock, ready_at, release_at, thaw_clock
from equipoise.vault.bench.decide import next_step, thawed_at
from equipoise.vault.bench.dose import DoseVolume, dose_volume
from equipoise.vault.bench.evolve import SHAM, Attempt, Done, Preparation, Stage, State
from equipoise.vault.bench.scan import unit_payload
from equipoise.vault.facts import VaultFacts, Wanted
from equipoise.vault.stock.availability import product_of, unit_faults
from equipoise.vault.stock.evolve import BagState, Stock
from equipoise.words.text import Text

RowState = Literal["NONE", "WORKING", "READY", "OUT", "FAILED", "HELD", "OVER"]


@dataclass(frozen=True, slots=True)
class Row:
    """One request on the work list. `minutes` until the hour of release, negative when it is past."""

    request: str
    number: str
    dose: Text
    site: str
    weight: str
    release_at: str
    minutes: int
    state: RowState
    use_by: str = ""
    bags_back: int = 0


@dataclass(frozen=True, slots=True)
class StepView:
    """One step: done (when, by whom, with whom), open, or later. `ready_at`: not before that, for the open one."""

    id: str
    label: Text
    kind: str
    two_persons: bool
    state: Literal["done", "open", "later"]
    done: Done | None = None
    ready_at: str = ""


@dataclass(frozen=True, slots=True)
class LooseBag:
    """A bag of the request that still has to be brought back or destroyed."""

    bag: str
    state: BagState


@dataclass(frozen=True, slots=True)
class BenchView:
    """One request: what it asks for, how far it is, and every earlier attempt that failed."""

    row: Row
    product: Text | None
    cellular: bool
    steps: tuple[StepView, ...]
    step: StepView | None
    current: Attempt | None
    failed: tuple[Attempt, ...]
    dose: DoseVolume | None
    bags: tuple[LooseBag, ...]
    may_open: bool
    clock: ThawClock | None = None
    example: str = ""
    """In a rehearsal, where no unit lies before anybody: what the label of one that fits would say."""


def dose_label(study: Study, dose: str) -> Text:
    """A planned dose as people read it."""
    return next((each.label for each in study.supply.doses if each.id == dose), Text(dose))


def row_of(
    study: Study, wanted: Wanted, preparation: Preparation, stock: Stock, number: str, now: dt.datetime
) -> Row:
    """One line of the work list."""
    stage: Stage = preparation.stage
    state: RowState = (
        "OVER" if wanted.over or wanted.infusing else "HELD" if wanted.held and stage != "OUT" else stage
    )
    current = preparation.current
    left = release_at(wanted) - now
    return Row(
        wanted.request, number, dose_label(study, wanted.infusion), wanted.site, wanted.weight, wanted.at,
        int(left.total_seconds() // 60), state, current.use_by if current and not current.failed else "",
        len(_loose(stock, wanted.request)),
    )  # fmt: skip


def work_list(rows: Iterable[Row], *, everything: bool) -> tuple[Row, ...]:
    """Rows by the hour of release; settled ones without a bag to bring back only where everything is asked for."""
    shown = [row for row in rows if everything or row.state != "OVER" or row.bags_back]
    return tuple(sorted(shown, key=lambda row: (row.release_at, row.request)))


def _loose(stock: Stock, request: str) -> tuple[LooseBag, ...]:
    there = {"OUT", "BACK", "FAILED"}
    return tuple(
        LooseBag(name, bag.state)
        for name, bag in sorted(stock.bags.items())
        if bag.request == request and bag.state in there
    )


def bench_view(
    study: Study,
    state: State,
    facts: VaultFacts,
    now: dt.datetime,
    *,
    hung: str = "",
    infused: tuple[str, str] | None = None,
) -> BenchView | None:
    """One request; None for one that nobody made.

    hung, infused: the bag with which its infusion began, and when it began and ended, as the first door says.
    """
    wanted, preparation = facts.wanted, state.preparation
    if wanted is None:
        return None
    product = product_of(study, preparation.product)
    cellular = product is None or product.cellular
    current = preparation.current
    working = current is not None and current.stage == "WORKING"
    steps = _steps(study, current, cellular=cellular, rehearsal=facts.rehearsal) if current else ()
    rejected = current is not None and current.bag in wanted.rejected
    again = current is not None and bool(current.failed) and current.again
    return BenchView(
        row_of(study, wanted, preparation, state.stock, facts.subject_number or wanted.subject, now),
        product.label if product else None,
        cellular,
        steps,
        next((step for step in steps if step.state == "open"), None) if working else None,
        current,
        tuple(each for each in preparation.attempts if each.failed),
        _dose(study, state, wanted) if working else None,
        _loose(state.stock, wanted.request),
        not (wanted.held or wanted.over or wanted.infusing) and (current is None or again or rejected),
        _clock(study, preparation, now, hung, infused),
        _example(state, wanted, now) if facts.rehearsal else "",
    )


def _example(state: State, wanted: Wanted, now: dt.datetime) -> str:
    """The label of the first unit that may be used for the dose; empty where none is on the shelf."""
    product = state.preparation.product
    for name, lot in state.stock.lots.items():
        for serial in lot.units:
            if not any(
                unit_faults(state.stock, name, serial, product=product, site=wanted.site, today=now.date())
            ):
                expiry = dt.date.fromisoformat(lot.certificate.expiry)
                return unit_payload(name, serial, expiry)
    return ""


def _clock(
    study: Study, preparation: Preparation, now: dt.datetime, hung: str, infused: tuple[str, str] | None
) -> ThawClock | None:
    """The clock of the bag that was hung, or of the attempt that is not over; None where nothing was thawed."""
    given = next((each for each in preparation.attempts if hung and each.bag == hung), None)
    attempt = given or preparation.current
    if attempt is None or attempt.failed or (given is None and infused):
        return None
    thawed = thawed_at(study, attempt)
    return thaw_clock(study.supply, thawed, infused, now) if thawed else None


def _steps(study: Study, attempt: Attempt, *, cellular: bool, rehearsal: bool) -> tuple[StepView, ...]:
    following = next_step(study, attempt) if attempt.stage == "WORKING" else None
    done: Mapping[str, Done] = {each.step: each for each in attempt.done}
    before = attempt.done[-1].at if attempt.done else attempt.opened_at
    found = []
    for step in study.supply.bench:
        open_ = following is not None and step.id == following.id
        found.append(
            StepView(
                step.id, step.label if cellular else step.sham or step.label, step.kind, step.two_persons,
                "done" if step.id in done else "open" if open_ else "later", done.get(step.id),
                ready_at(step, before, rehearsal=rehearsal).isoformat() if open_ else "",
            )
        )  # fmt: skip
    return tuple(found)


def _dose(study: Study, state: State, wanted: Wanted) -> DoseVolume | None:
    """The volumes of the attempt under way, once they can be computed."""
    current = state.preparation.current
    lot = state.stock.lots.get(current.lot) if current else None
    if current is None or lot is None or not current.viability:
        return None
    viability = lot.certificate.viability if current.viability == SHAM else current.viability
    dose = dose_volume(study.supply, lot.certificate, wanted.weight, viability)
    return dose if isinstance(dose, DoseVolume) else None
