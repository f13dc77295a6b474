"""Deciding at the bench: opening a request, its steps in order, the bag, two persons, handing over, taking back.

The rules that must stay true: the same commands, steps, checks, entries and draws for every product; the order of the
steps is the study's; a wrong, doubtful or recalled unit stops the work by name; nothing is handed over before its hour,
unverified, held, late for use or from a recalled lot; a replacement is for the same sealed slot, and the first door
hears of it nothing but another bag. Source: DESIGN 5 (pharmacy); reliability notes L3, L5, L9, L23.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from equipoise.ledger import vault_entries as entries
from equipoise.ledger.entries import Append, Entry
from equipoise.ledger.facts import Decision, Occasion, Refusal
from equipoise.protocol.study import BenchStep, Study
from equipoise.vault.bench import commands
from equipoise.vault.bench.clock import moment, ready_at, release_at, said_use_by, use_by, written
from equipoise.vault.bench.dose import dose_volume
from equipoise.vault.bench.evolve import SHAM, Attempt, State
from equipoise.vault.bench.masking import bag_number
from equipoise.vault.bench.scan import Scan, read_scan
from equipoise.vault.facts import VaultFacts
from equipoise.vault.statements import say
from equipoise.vault.stock.availability import product_of, unit_faults
from equipoise.vault.stock.decide import amount
from equipoise.vault.stock.evolve import Stock
from equipoise.vault.stock.persons import at_home, second_person_faults
from equipoise.words.problem import Problem, problem

_TOLD_TWICE = (
    entries.UnitTaken, entries.BagPrepared, entries.BagVerified, entries.PreparationFailed,
    entries.BagHandedOver, entries.BagTakenBack, entries.BagDestroyed,
)  # fmt: skip
"""Kinds that stand in the stock as well: they move a unit or a bag."""
WHOLE = "WHOLE"
"""How much of a unit is taken in a study whose dose is not counted in cells."""


def decide(study: Study, state: State, facts: VaultFacts, command: object, occasion: Occasion) -> Decision:
    """Decide a command on the streams `bench/<request>` and `stock`. Entries, or every reason against it."""
    misfits = (*state.misfits, *state.stock.misfits)
    if misfits:
        return Refusal((problem("vault_stock.ledger-misfit", seq=misfits[0]),))
    judge = _JUDGES.get(type(command))
    if judge is None:
        raise TypeError(f"the bench does not know {type(command).__name__}")
    found = tuple(judge(study, state, facts, command, occasion))
    problems = tuple(each for each in found if isinstance(each, Problem))
    if problems:
        return Refusal(problems)
    stream = f"bench/{getattr(command, 'request', '')}"
    appends: list[Append] = []
    for each in found:
        if isinstance(each, Append):
            appends.append(each)
        elif isinstance(each, Entry):
            appends.append(Append(stream, each))
            appends += [Append("stock", each)] if isinstance(each, _TOLD_TWICE) else []
    return tuple(appends)


_Found = Iterator[Entry | Append | Problem]


def _wanted_faults(facts: VaultFacts) -> Iterator[Problem]:
    """What stands, at the first door, against working on a request."""
    wanted = facts.wanted
    if wanted is None or not at_home(facts, wanted.site):
        yield problem("vault_bench.request-unknown", "request")
    elif wanted.over or wanted.infusing:
        yield problem("vault_bench.request-over", "request")
    elif wanted.held:
        yield problem("vault_bench.request-held", "request")


def _open(
    study: Study, state: State, facts: VaultFacts, command: commands.OpenPreparation, occasion: Occasion
) -> _Found:
    wanted, now = facts.wanted, state.preparation
    yield from _wanted_faults(facts)
    if facts.slot_fault is not None or facts.number is None or facts.product is None:
        yield problem("vault_bench.slot-fault", "slot", number=facts.number or "–")
    elif product_of(study, facts.product) is None:
        yield problem("vault_stock.product-unknown", "product", product=facts.product)
    if now.number and now.number != facts.number:
        yield problem("vault_bench.slot-changed", "slot")
    current = now.current
    if now.stage in {"WORKING", "READY"}:
        yield problem("vault_bench.already-open", "request")
    elif current is not None and current.failed and not current.again:
        yield problem("vault_bench.not-to-be-replaced", "request")
    elif current is not None and now.stage == "OUT" and wanted and current.bag not in wanted.rejected:
        yield problem("vault_bench.bag-is-out", "request", bag=current.bag)
    if wanted is not None:
        attempt = len(now.attempts) + 1
        yield entries.PreparationOpened(
            command.request, wanted.subject, facts.number or "", attempt, facts.product or ""
        )


def _current(state: State) -> Attempt | Problem:
    current = state.preparation.current
    if current is None or current.stage in {"FAILED", "OUT"}:
        return problem("vault_bench.not-open", "request")
    return current


def _work_faults(study: Study, state: State, facts: VaultFacts, now: dt.datetime) -> Iterator[Problem]:
    """What stops the work on an open preparation, whichever step comes next."""
    yield from _wanted_faults(facts)
    current = state.preparation.current
    lot = state.stock.lots.get(current.lot) if current and current.lot else None
    if current is not None and lot is not None and lot.state == "RECALLED":
        yield problem("vault_bench.lot-recalled-meanwhile", "unit", lot=current.lot)
    thawed = thawed_at(study, current) if current else None
    if thawed and now > use_by(study.supply, thawed):
        yield problem("vault_bench.time-passed", "request", minutes=study.supply.use_within)


def thawed_at(study: Study, attempt: Attempt) -> str | None:
    """When the thaw, or its sham, was: in a study without such a step, when the unit was taken."""
    steps = {step.kind: step.id for step in study.supply.bench}
    return attempt.at(steps.get("thaw") or steps.get("scan_unit") or "")


def next_step(study: Study, attempt: Attempt) -> BenchStep | None:
    """The step that comes next, or None when all are done."""
    done = len(attempt.done)
    return study.supply.bench[done] if done < len(study.supply.bench) else None


def _step(
    study: Study, state: State, facts: VaultFacts, occasion: Occasion, wanted_kinds: tuple[str, ...],
    *, step: str | None = None, second: str = "",
) -> tuple[BenchStep | None, tuple[Problem, ...]]:  # fmt: skip
    """The step that comes next, and what stands against calling it done now."""
    current = _current(state)
    if isinstance(current, Problem):
        return None, (current,)
    faults = list(_work_faults(study, state, facts, occasion.at))
    following = next_step(study, current)
    if following is None:
        return None, (*faults, problem("vault_bench.all-steps-done", "step"))
    if following.kind not in wanted_kinds or (step is not None and step != following.id):
        return None, (*faults, problem("vault_bench.another-step-first", "step", step=following.label))
    before = current.done[-1].at if current.done else current.opened_at
    earliest = ready_at(following, before, rehearsal=facts.rehearsal)
    if occasion.at < earliest:
        left = -((occasion.at - earliest) // dt.timedelta(seconds=1))
        faults.append(problem("vault_bench.step-too-soon", "step", time=f"{left // 60}:{left % 60:02d}"))
    if following.two_persons:
        faults += second_person_faults(facts, second)
    return following, tuple(faults)


def _done(step: BenchStep, request: str, occasion: Occasion, second: str, scanned: str = "") -> Entry:
    return entries.StepDone(
        request, step.id, written(occasion.at), second if step.two_persons else "", scanned
    )


def _do(
    study: Study, state: State, facts: VaultFacts, command: commands.DoStep, occasion: Occasion
) -> _Found:
    step, faults = _step(
        study, state, facts, occasion, ("do", "thaw"), step=command.step, second=command.second
    )
    yield from faults
    if step is not None:
        yield _done(step, command.request, occasion, command.second)


def _take(
    study: Study, state: State, facts: VaultFacts, command: commands.TakeUnit, occasion: Occasion
) -> _Found:
    step, faults = _step(study, state, facts, occasion, ("scan_unit",), second=command.second)
    yield from faults
    scan = read_scan(command.scanned)
    if isinstance(scan, Problem):
        yield scan
        return
    if scan.what != "unit":
        yield problem("vault_bench.not-a-unit", "scanned")
        return
    wanted, prepared = facts.wanted, state.preparation
    if step is None or wanted is None:
        return
    yield from unit_faults(
        state.stock, scan.lot, scan.serial,
        product=prepared.product, site=wanted.site, today=occasion.today,
    )  # fmt: skip
    yield from _label_faults(state, scan)
    yield entries.UnitTaken(command.request, prepared.subject, scan.serial, scan.lot)
    yield _done(step, command.request, occasion, command.second, command.scanned)


def _label_faults(state: State, scan: Scan) -> Iterator[Problem]:
    lot = state.stock.lots.get(scan.lot)
    if lot and scan.expiry and scan.expiry.isoformat() != lot.certificate.expiry:
        yield problem(
            "vault_bench.label-differs", "scanned", label=scan.expiry, certificate=lot.certificate.expiry
        )


def _viability(
    study: Study, state: State, facts: VaultFacts, command: commands.MeasureViability, occasion: Occasion
) -> _Found:
    step, faults = _step(study, state, facts, occasion, ("viability",), second=command.second)
    yield from faults
    product = product_of(study, state.preparation.product)
    cellular = product is not None and product.cellular
    percent = _percent(command.percent)
    if cellular and percent is None:
        yield problem("vault_bench.viability-unreadable", "percent")
    if not cellular and command.percent.strip():
        yield problem("vault_bench.sham-is-not-read", "percent")
    if step is None:
        return
    yield entries.ViabilityMeasured(command.request, f"{percent:f}" if cellular and percent else SHAM)
    yield _done(step, command.request, occasion, command.second)
    limit = amount(study.supply.viability_at_least)
    if cellular and percent is not None and limit is not None and percent < limit:
        yield entries.PreparationFailed(command.request, "VIABILITY_LOW", again=True)


def _percent(text: str) -> Decimal | None:
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() and 0 <= value <= 100 else None


def _fill(
    study: Study, state: State, facts: VaultFacts, command: commands.FillBag, occasion: Occasion
) -> _Found:
    step, faults = _step(study, state, facts, occasion, ("fill",), second=command.second)
    yield from faults
    current, wanted = state.preparation.current, facts.wanted
    if step is None or current is None or wanted is None:
        return
    lot, thawed = state.stock.lots.get(current.lot), thawed_at(study, current)
    if lot is None or thawed is None:
        yield problem("vault_bench.nothing-taken", "unit")
        return
    product = product_of(study, state.preparation.product)
    cellular = product is not None and product.cellular
    measured = current.viability if cellular and current.viability != SHAM else ""
    viability = measured or lot.certificate.viability
    dose = dose_volume(study.supply, lot.certificate, wanted.weight, viability)
    if isinstance(dose, Problem):
        yield dose
        return
    taken = f"{dose.taken:f}" if dose else WHOLE
    bag = bag_number(occasion.fresh[0], state.stock.bags)
    until = written(said_use_by(study.supply, wanted, thawed, occasion.at))
    yield _done(step, command.request, occasion, command.second)
    yield entries.BagPrepared(
        command.request, state.preparation.subject, bag, study.supply.volume,
        until, taken, f"{dose.cells:f}" if dose and cellular else "0",
    )  # fmt: skip


def _verify(
    study: Study, state: State, facts: VaultFacts, command: commands.VerifyBag, occasion: Occasion
) -> _Found:
    current = _current(state)
    if isinstance(current, Problem):
        yield current
        return
    yield from _work_faults(study, state, facts, occasion.at)
    following = next_step(study, current)
    if following is not None:
        yield problem("vault_bench.another-step-first", "step", step=following.label)
    if current.verified:
        yield problem("vault_bench.verified-already", "bag")
    for typed, what, expected in (
        (command.scanned_bag, "bag", current.bag),
        (command.scanned_request, "request", command.request),
    ):
        scan = read_scan(typed)
        if isinstance(scan, Problem):
            yield Problem(scan.rule, f"scanned_{what}", scan.arguments)
        elif what == "bag" and (scan.what, scan.code) != (what, expected):
            yield problem("vault_bench.wrong-bag", "scanned_bag")
        elif what == "request" and (scan.what, scan.code) != (what, expected):
            yield problem("vault_bench.wrong-request", "scanned_request")
    yield from second_person_faults(facts, command.second)
    if facts.wanted is not None:
        hour = written(release_at(facts.wanted))
        yield entries.BagVerified(command.request, current.bag, command.second, hour)


def _fail(
    study: Study, state: State, facts: VaultFacts, command: commands.FailPreparation, occasion: Occasion
) -> _Found:
    current = _current(state)
    if isinstance(current, Problem):
        yield current
    if command.because == "OTHER" and not command.reason.strip():
        yield problem("vault_stock.reason-required", "reason")
    yield entries.PreparationFailed(command.request, command.because, command.again, command.reason)


def _hand_over(
    study: Study, state: State, facts: VaultFacts, command: commands.HandOver, occasion: Occasion
) -> _Found:
    current, wanted = _current(state), facts.wanted
    if isinstance(current, Problem):
        yield current
        return
    yield from _work_faults(study, state, facts, occasion.at)
    if not current.verified or command.bag != current.bag:
        yield problem("vault_bench.not-verified", "bag")
    if wanted is None:
        return
    if occasion.at < release_at(wanted):
        yield problem("vault_bench.before-its-hour", "request", at=written(release_at(wanted)))
    yield entries.BagHandedOver(
        command.request, wanted.subject, current.bag, written(occasion.at), current.use_by
    )
    yield say(
        "BagReleased", request=command.request, subject=wanted.subject, bag=current.bag, use_by=current.use_by
    )


def due(study: Study, stock: Stock, now: dt.datetime) -> Iterator[commands.HandOver]:
    """The bags whose hour has come: what the program hands over by the clock, in order of number."""
    for name, bag in sorted(stock.bags.items()):
        if bag.state == "VERIFIED" and moment(bag.release_at) <= now <= moment(bag.use_by):
            yield commands.HandOver(bag.request, name)


def _receive(
    study: Study, state: State, facts: VaultFacts, command: commands.ReceiveBag, occasion: Occasion
) -> _Found:
    bag = state.stock.bags.get(command.bag)
    if bag is None or bag.request != command.request:
        yield problem("vault_bench.bag-of-another-request", "bag")
    elif bag.state != "OUT":
        yield problem("vault_bench.bag-not-out", "bag")
    left, whole = _volume(command.remaining), amount(study.supply.volume)
    if left is None or (whole is not None and left > whole):
        yield problem("vault_bench.volume-unusable", "remaining", most=study.supply.volume)
    yield entries.BagTakenBack(command.request, command.bag, command.remaining)


def _volume(text: str) -> Decimal | None:
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() and value >= 0 else None


def _destroy(
    study: Study, state: State, facts: VaultFacts, command: commands.DestroyBag, occasion: Occasion
) -> _Found:
    bag = state.stock.bags.get(command.bag)
    if bag is None or bag.request != command.request:
        yield problem("vault_bench.bag-of-another-request", "bag")
    elif bag.state not in {"FAILED", "BACK"}:
        yield problem("vault_bench.bag-not-to-be-destroyed", "bag")
    if not command.reason.strip():
        yield problem("vault_stock.reason-required", "reason")
    yield from second_person_faults(facts, command.witness, "witness")
    yield entries.BagDestroyed(command.request, command.bag, command.witness, command.reason)


_JUDGES: Mapping[
    type, Callable[[Study, State, VaultFacts, Any, Occasion], _Found]
] = {  # Any: the type beside
    commands.OpenPreparation: _open,
    commands.TakeUnit: _take,
    commands.DoStep: _do,
    commands.MeasureViability: _viability,
    commands.FillBag: _fill,
    commands.VerifyBag: _verify,
    commands.FailPreparation: _fail,
    commands.HandOver: _hand_over,
    commands.ReceiveBag: _receive,
    commands.DestroyBag: _destroy,
}
