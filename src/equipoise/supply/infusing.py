"""Deciding on an infusion: when it began, stood still, went on and ended, and how much was given.

The rules that must stay true: an infusion begins only with the bag that two persons checked, within its use-by and with
the gate judged again at the bedside; one that began is followed to its end whatever happens. A bag that was given by
mistake is followed like any other: what is true is recorded. Times are judged in `times`.
"""

from __future__ import annotations

import re

from equipoise.ledger.entries import (
    Entry,
    InfusionEnded,
    InfusionInterrupted,
    InfusionResumed,
    InfusionStarted,
)
from equipoise.ledger.facts import Facts, Occasion, Refusal
from equipoise.protocol.study import Study
from equipoise.supply.bags import Decided, use_faults
from equipoise.supply.commands import EndInfusion, InterruptInfusion, ResumeInfusion, StartInfusion
from equipoise.supply.evolve import AFTER, Request
from equipoise.supply.gate import decided
from equipoise.supply.stages import off_stage
from equipoise.supply.times import moment, time_fault, written
from equipoise.words.problem import Problem, problem

_SHARE = re.compile(r"0|[1-9][0-9]?|100")


def start(study: Study, one: Request, facts: Facts, command: StartInfusion, occasion: Occasion) -> Decided:
    """An infusion began."""
    mixed_up = command.bag in one.wrong
    if (one.stage, "wrong started" if mixed_up else "started") not in AFTER:
        return off_stage(one)
    if not mixed_up and command.bag != one.bag:
        return Refusal((problem("supply.wrong-bag", "bag", scanned=command.bag or "–", meant=one.bag),))
    faults = _time(one, command.at, occasion)
    if not mixed_up and not faults:
        faults = [*use_faults(one, facts, command.at), *_gate(one, facts)]
    return (
        Refusal(tuple(faults)) if faults else (InfusionStarted(one.request, command.bag, _utc(command.at)),)
    )


def _gate(one: Request, facts: Facts) -> list[Problem]:
    """The gate was judged at the bedside since the last hold, and holds good at this moment."""
    if one.bedside is None or one.bedside.on <= one.held_at or one.bedside.decision != "GO":
        return [problem("supply.bedside-not-judged", "gate")]
    if decided(facts.gate.get("BEDSIDE", {}), one.accepted) != "GO":
        return [problem("supply.bedside-no-longer", "gate")]
    return []


def interrupt(
    study: Study, one: Request, facts: Facts, command: InterruptInfusion, occasion: Occasion
) -> Decided:
    """An infusion stands still."""
    if (one.stage, "interrupted") not in AFTER:
        return off_stage(one)
    entry: Entry = InfusionInterrupted(one.request, _utc(command.at), command.reason.strip())
    return _timed(one, command.at, occasion, entry)


def resume(study: Study, one: Request, facts: Facts, command: ResumeInfusion, occasion: Occasion) -> Decided:
    """An infusion goes on; with a bag that was recalled meanwhile it does not."""
    if (one.stage, "resumed") not in AFTER:
        return off_stage(one)
    if facts.bag_recalled:
        return Refusal((problem("supply.bag-recalled", "bag", bag=one.given),))
    return _timed(one, command.at, occasion, InfusionResumed(one.request, _utc(command.at)))


def end(study: Study, one: Request, facts: Facts, command: EndInfusion, occasion: Occasion) -> Decided:
    """An infusion ended: all of it, or stopped with the share that was given and why."""
    if (one.stage, "ended") not in AFTER:
        return off_stage(one)
    if _SHARE.fullmatch(command.share) is None:
        return Refusal((problem("supply.share-unfit", "share", given=command.share),))
    if (command.outcome == "COMPLETE") != (command.share == "100"):
        return Refusal((problem("supply.share-and-outcome", "share", given=command.share),))
    if command.outcome == "STOPPED" and not command.reason.strip():
        return Refusal((problem("supply.reason-needed", "reason"),))
    reason = command.reason.strip()
    entry = InfusionEnded(one.request, _utc(command.at), command.outcome, command.share, reason)
    return _timed(one, command.at, occasion, entry)


def _timed(one: Request, at: str, occasion: Occasion, entry: Entry) -> Decided:
    faults = _time(one, at, occasion)
    return Refusal(tuple(faults)) if faults else (entry,)


def _time(one: Request, at: str, occasion: Occasion) -> list[Problem]:
    found = time_fault(at, asked_at=one.requested_at, step_at=one.clock, now=occasion.at)
    return [found] if found is not None else []


def _utc(at: str) -> str:
    found = moment(at)
    return written(found) if found is not None else at
