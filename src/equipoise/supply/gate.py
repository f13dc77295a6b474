"""The dosing gate: every condition of a dose judged to true, false or unknown, with its reason, at one moment.

The rules that must stay true (strong Kleene): GO exactly when every condition is TRUE or was accepted by a named
decision; HOLD as soon as one is FALSE; otherwise NOT_EVALUABLE, which holds the dose too. Nothing open is ever read
as fulfilled. What a form of the dose's own visit asks is read at that visit alone: a temperature taken at another
visit is no answer. The spacing of the first participants is a condition like the others.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from equipoise.ledger.facts import Facts
from equipoise.protocol.expressions import Scope, as_logical
from equipoise.protocol.rules import explanation_of, names_in
from equipoise.protocol.study import Dose, GateCondition, Study
from equipoise.protocol.wording import because, still_open
from equipoise.words.changed import changed
from equipoise.words.problem import say
from equipoise.words.text import Language
from equipoise.words.truth import Truth

At = Literal["RELEASE", "BEDSIDE"]
Going = Literal["GO", "HOLD", "NOT_EVALUABLE"]
TIMES: tuple[At, ...] = ("RELEASE", "BEDSIDE")
SENTINEL = "sentinel"
"""The condition that a study's sentinel numbers make; no condition of a study bears this name."""


@dataclass(frozen=True, slots=True)
class Spacing:
    """What the spacing of the first participants looks at: when others began (UTC, earliest first), and this one."""

    others: tuple[dt.datetime, ...]
    infused: bool
    moment: dt.datetime
    zone: str


@dataclass(frozen=True, slots=True)
class Gate:
    """What was judged: condition -> truth, in the study's order, and why it is not TRUE in each language."""

    results: Mapping[str, Truth]
    reasons: Mapping[str, str]
    reasons_zh: Mapping[str, str]


def dose_of(study: Study, dose_id: str) -> Dose | None:
    """The planned dose of that id, or None."""
    return next((dose for dose in study.supply.doses if dose.id == dose_id), None)


def conditions(study: Study, dose_id: str, at: At) -> tuple[GateCondition, ...]:
    """The study's conditions for a dose at one of the two times."""
    return tuple(one for one in study.supply.gate if at in one.at and (not one.doses or dose_id in one.doses))


def names_used(study: Study) -> frozenset[str]:
    """The inputs that the gate asks for."""
    return frozenset().union(*(names_in(one.rule) for one in study.supply.gate))


def for_dose(study: Study, dose: Dose) -> Study:
    """The study with the gate's inputs read at the dose's visit, where their form is planned at it."""
    asked = {form.id for form in study.forms_at(dose.visit)}
    inputs = tuple(
        each.model_copy(update={"origin": each.origin.model_copy(update={"visit": dose.visit})})
        if each.origin.visit is None and each.origin.form in asked
        else each
        for each in study.inputs
        if each.name in names_used(study)
    )
    return study.model_copy(update={"inputs": inputs})


def judge(study: Study, dose_id: str, at: At, inputs: Scope, spacing: Spacing) -> Gate:
    """Every condition of a dose at one time, from the inputs bound for its visit."""
    results: dict[str, Truth] = {}
    reasons: dict[str, str] = {}
    reasons_zh: dict[str, str] = {}
    for one in conditions(study, dose_id, at):
        explanation = explanation_of(one.rule, inputs)
        results[one.id] = truth = as_logical(explanation.value).truth
        if truth is not Truth.TRUE:
            why = still_open if truth is Truth.UNKNOWN else because
            reasons[one.id] = why(study, explanation, "en")
            reasons_zh[one.id] = why(study, explanation, "zh")
    if study.supply.sentinel_first:
        earliest = earliest_start(study, spacing)
        results[SENTINEL] = Truth.of(earliest is None or earliest <= spacing.moment)
        if earliest is not None and results[SENTINEL] is Truth.FALSE:
            reasons[SENTINEL] = _too_soon(study, earliest, spacing.zone, "en")
            reasons_zh[SENTINEL] = _too_soon(study, earliest, spacing.zone, "zh")
    return Gate(results, reasons, reasons_zh)


def earliest_start(study: Study, spacing: Spacing) -> dt.datetime | None:
    """When this participant may be dosed at the earliest, or None where the spacing does not concern them.

    It concerns the first `sentinel_first` participants: who comes while fewer than that have begun waits
    `sentinel_hours` from the latest of them. A later dose of somebody who began already is not held by it.
    """
    if spacing.infused or not spacing.others or len(spacing.others) >= study.supply.sentinel_first:
        return None
    return max(spacing.others) + dt.timedelta(hours=study.supply.sentinel_hours)


def _too_soon(study: Study, earliest: dt.datetime, zone: str, language: Language) -> str:
    local = earliest.astimezone(ZoneInfo(zone))
    words = {"hours": str(study.supply.sentinel_hours), "earliest": f"{local:%Y-%m-%d %H:%M}"}
    return say("supply.sentinel-too-soon", language, words)


def add_gate(facts: Facts, gates: Mapping[At, Gate]) -> Facts:
    """The facts that supply owns about the gate, filled in."""
    return changed(
        facts,
        gate={at: {name: truth.value for name, truth in gate.results.items()} for at, gate in gates.items()},
        gate_reasons={at: gate.reasons for at, gate in gates.items()},
        gate_reasons_zh={at: gate.reasons_zh for at, gate in gates.items()},
    )


def standing(letters: Mapping[str, str], accepted: Collection[str]) -> tuple[str, ...]:
    """The conditions that hold a dose: not TRUE, and not accepted by a decision."""
    return tuple(name for name, letter in letters.items() if letter != "T" and name not in accepted)


def decided(letters: Mapping[str, str], accepted: Collection[str]) -> Going:
    """The decision from the results as letters."""
    against = [letters[name] for name in standing(letters, accepted)]
    if not against:
        return "GO"
    return "HOLD" if "F" in against else "NOT_EVALUABLE"
