"""Deciding on doses: asking for one, judging its gate, holding it, checking a bag, giving it, bringing it back.

The rules that must stay true: only a randomized participant is dosed, by one open request for each dose; a gate that
is not GO holds the dose, and a held dose goes on by a named investigator's decision only; a bag is what the second door
said; nothing is given that was not scanned by two persons; whatever was given is recorded as it was. A participant
whose dose is held, postponed or omitted stays in the trial and in every analysis: nothing here can say otherwise.
Sources: DESIGN 5 (pharmacy, channel); ICH E6(R3) 4.2.4; domain 5.2–5.4.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

from equipoise.ledger.entries import (
    Append,
    DosingDecided,
    DosingHeld,
    DosingJudged,
    Entry,
    PreparationRequested,
)
from equipoise.ledger.facts import Decision, Facts, Occasion, Refusal
from equipoise.protocol.study import GateCondition, Study
from equipoise.supply import bags, infusing
from equipoise.supply.commands import (
    CheckBag,
    DecideDosing,
    EndInfusion,
    HoldDosing,
    InterruptInfusion,
    JudgeDosing,
    RecordBagRelease,
    RecordMismatch,
    RecordWrongBag,
    RejectBag,
    RequestPreparation,
    ResumeInfusion,
    ReturnBag,
    StartInfusion,
)
from equipoise.supply.evolve import AFTER, DONE, FINAL, Request, State
from equipoise.supply.gate import SENTINEL, At, decided, dose_of, standing
from equipoise.supply.stages import off_stage
from equipoise.supply.times import AHEAD, PLANNED_AHEAD, moment, written
from equipoise.words.ids import random_id
from equipoise.words.problem import Problem, problem, say
from equipoise.words.text import Text

_WEIGHT = re.compile(r"[0-9]{1,3}(\.[0-9])?")
_LIGHTEST, _HEAVIEST = Decimal(1), Decimal(500)

Step = Callable[[Study, Request, Facts, Any, Occasion], tuple[Entry, ...] | Refusal]  # Any: its one command
"""Decides a command on one request that exists."""


def decide(study: Study, state: State, facts: Facts, command: object, occasion: Occasion) -> Decision:
    """Decide a command on the stream of one subject; `facts` hold the gate of the dose that the command concerns."""
    if not facts.subject_known:
        return Refusal((problem("supply.subject-unknown", "subject"),))
    if isinstance(command, RequestPreparation | CheckBag) and facts.consent_against is not None:
        return Refusal((replace(facts.consent_against, where="consent"),))
    if isinstance(command, RequestPreparation):
        return _on(command.subject, _ask(study, state, facts, command, occasion))
    step = STEPS.get(type(command))
    if step is None:
        raise TypeError(f"supply does not know {type(command).__name__}")
    known = cast("Any", command)  # Any: every command of STEPS has a subject and a request
    request = state.requests.get(known.request)
    if request is None:
        return Refusal((problem("supply.request-unknown", "request"),))
    return _on(known.subject, step(study, request, facts, command, occasion))


def _on(subject: str, decided_on: tuple[Entry, ...] | Refusal) -> Decision:
    if isinstance(decided_on, Refusal):
        return decided_on
    return tuple(Append(f"subject/{subject}", entry) for entry in decided_on)


def _ask(
    study: Study, state: State, facts: Facts, command: RequestPreparation, occasion: Occasion
) -> tuple[Entry, ...] | Refusal:
    """A request is written with its first judgement; a dose that the gate does not let go is held from then on."""
    faults = (*_request_faults(study, state, facts, command), *_order_faults(study, state, command, occasion))
    if faults:
        return Refusal(faults)
    count = len(state.of_dose(command.infusion)) + 1
    name = request_id(command.subject, command.infusion, count)
    at = moment(command.at)
    asked = PreparationRequested(
        name, command.infusion, written(at or occasion.at), str(Decimal(command.weight))
    )
    return (asked, *_judged(facts, name, "RELEASE", accepted=(), hold=True))


def _request_faults(
    study: Study, state: State, facts: Facts, command: RequestPreparation
) -> tuple[Problem, ...]:
    found: list[Problem] = []
    dose = dose_of(study, command.infusion)
    if facts.status != "RANDOMIZED":
        found.append(problem("supply.not-randomized", "subject"))
    if dose is None:
        found.append(problem("supply.dose-unknown", "infusion", dose=command.infusion))
    if not weight_fits(command.weight):
        found.append(problem("supply.weight-unfit", "weight", given=command.weight))
    for one in state.of_dose(command.infusion):
        if one.stage in DONE:
            found.append(problem("supply.dose-over", "infusion", dose=_label(study, command.infusion)))
        elif one.stage not in FINAL:
            found.append(problem("supply.already-asked", "infusion", dose=_label(study, command.infusion)))
    return tuple(found)


def _order_faults(
    study: Study, state: State, command: RequestPreparation, occasion: Occasion
) -> tuple[Problem, ...]:
    found: list[Problem] = []
    at = moment(command.at)
    if at is None:
        found.append(problem("supply.time-unfit", "at", given=command.at))
    elif at < occasion.at - AHEAD:
        found.append(problem("supply.release-in-the-past", "at", given=written(at), now=written(occasion.at)))
    elif at > occasion.at + PLANNED_AHEAD:
        found.append(problem("supply.release-too-far", "at", given=written(at)))
    order = [dose.id for dose in study.supply.doses]
    if command.infusion in order:
        for earlier in order[: order.index(command.infusion)]:
            if not any(one.stage in DONE for one in state.of_dose(earlier)):
                found.append(problem("supply.earlier-dose-open", "infusion", dose=_label(study, earlier)))
    return tuple(found)


def weight_fits(text: str) -> bool:
    """Whether a weight in kg can be one: up to one decimal, 1 to 500."""
    return _WEIGHT.fullmatch(text) is not None and _LIGHTEST <= Decimal(text) <= _HEAVIEST


def request_id(subject: str, infusion: str, count: int) -> str:
    """The id of a request: drawn from the subject's own random id, so that it tells nothing and needs no new draw."""
    seed = hashlib.sha256(f"request\n{subject}\n{infusion}\n{count}".encode()).digest()
    return random_id(lambda wanted: (seed * (wanted // len(seed) + 1))[:wanted])


def _label(study: Study, dose_id: str) -> Text:
    dose = dose_of(study, dose_id)
    return dose.label if dose is not None else Text(dose_id)


def _judged(
    facts: Facts, request: str, at: At, *, accepted: tuple[str, ...], hold: bool
) -> tuple[Entry, ...]:
    """The judgement as it is now, and the hold that follows from it where it is not GO."""
    letters, why = facts.gate.get(at, {}), facts.gate_reasons.get(at, {})
    going = decided(letters, accepted)
    judged = DosingJudged(request, at, going, dict(letters), dict(why))
    if going == "GO" or not hold:
        return (judged,)
    against = standing(letters, accepted)
    return judged, DosingHeld(
        request, against, "; ".join(f"{name}: {why.get(name) or letters[name]}" for name in against)
    )


def _judge(
    study: Study, one: Request, facts: Facts, command: JudgeDosing, occasion: Occasion
) -> tuple[Entry, ...] | Refusal:
    """Judging is possible until the infusion; a dose that is held already stays held, and the judgement is kept."""
    if one.stage not in {"REQUESTED", "HELD", "RELEASED", "CHECKED"}:
        return off_stage(one)
    hold = (one.stage, "held") in AFTER
    return _judged(facts, one.request, command.at, accepted=one.accepted, hold=hold)


def _hold(
    study: Study, one: Request, facts: Facts, command: HoldDosing, occasion: Occasion
) -> tuple[Entry, ...] | Refusal:
    if (one.stage, "held") not in AFTER:
        return off_stage(one)
    if not command.reason.strip():
        return Refusal((problem("supply.reason-needed", "reason"),))
    return (DosingHeld(one.request, (), command.reason.strip()),)


def _decide(
    study: Study, one: Request, facts: Facts, command: DecideDosing, occasion: Occasion
) -> tuple[Entry, ...] | Refusal:
    """To give is to accept, by name, what stands against the dose now; some conditions nobody may accept."""
    if one.stage != "HELD":
        return off_stage(one)
    if not command.reason.strip():
        return Refusal((problem("supply.reason-needed", "reason"),))
    done = DosingDecided(one.request, command.decision, command.reason.strip())
    if command.decision != "GIVE":
        return (done,)
    at: At = "BEDSIDE" if one.bag else "RELEASE"
    open_ones = standing(facts.gate.get(at, {}), one.accepted)
    firm = tuple(_stands(study, facts, at, name) for name in open_ones if not _decidable(study, name))
    if firm:
        return Refusal(firm)
    return (*_judged(facts, one.request, at, accepted=one.accepted, hold=False), done)


def condition_of(study: Study, name: str) -> GateCondition | None:
    """The study's condition of that name; None for the spacing of the first participants."""
    return next((each for each in study.supply.gate if each.id == name), None)


def condition_label(study: Study, name: str) -> Text:
    """A condition as people read it."""
    found = condition_of(study, name)
    if found is not None:
        return found.label
    if name == SENTINEL:
        return Text(say("supply.sentinel", "en", {}), say("supply.sentinel", "zh", {}))
    return Text(name)


def _decidable(study: Study, name: str) -> bool:
    found = condition_of(study, name)
    return found is not None and found.decidable


def _stands(study: Study, facts: Facts, at: At, name: str) -> Problem:
    why = facts.gate_reasons.get(at, {}).get(name) or "–"
    spoken = Text(why, facts.gate_reasons_zh.get(at, {}).get(name) or why)
    return problem("supply.condition-stands", name, condition=condition_label(study, name), why=spoken)


STEPS: Mapping[type, Step] = {
    JudgeDosing: _judge,
    HoldDosing: _hold,
    DecideDosing: _decide,
    RecordBagRelease: bags.release,
    CheckBag: bags.check,
    RecordMismatch: bags.mismatch,
    RejectBag: bags.reject,
    RecordWrongBag: bags.wrong,
    ReturnBag: bags.give_back,
    StartInfusion: infusing.start,
    InterruptInfusion: infusing.interrupt,
    ResumeInfusion: infusing.resume,
    EndInfusion: infusing.end,
}
"""Every command on a request that exists."""
