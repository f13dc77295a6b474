"""Who may settle two entries that differ, and what a settlement has to say.

The rules that must stay true: who typed does not settle, unless the study says so; every item that differs and applies
is decided; one that takes neither entry says what it takes and why. Source: GCDMP (third-party verification).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import get_args

from equipoise.capture.double.commands import Choice, SettleEntries
from equipoise.capture.entered import Pair
from equipoise.capture.parsing import TEXT_LIMIT, clean
from equipoise.capture.questions import Question
from equipoise.ledger.entries import Datum
from equipoise.protocol.forms import DoubleEntry
from equipoise.words.problem import Problem, problem


def who_may_not_settle(rules: DoubleEntry | None, pair: Pair, by: str, role: str) -> tuple[Problem, ...]:
    """Why a person, in a role, does not settle this pair; empty where they may."""
    if rules is not None and rules.settled_by and role not in rules.settled_by:
        return (problem("double.not-this-role"),)
    if by in pair.typists() and not (rules is not None and rules.by_enterer):
        return (problem("double.third-person"),)
    return ()


def settling_faults(
    asked: Mapping[str, Question],
    pair: Pair,
    command: SettleEntries,
    typed: Mapping[str, Datum],
    hidden: Collection[str],
) -> Iterator[Problem]:
    """What is lacking in a settlement, or said of what is not to be settled."""
    for name in [*command.choices, *command.items]:
        if name not in pair.differing:
            yield problem("double.not-differing", name, item=asked[name].label if name in asked else name)
    for name in pair.differing:
        choice = command.choices.get(name)
        if name in hidden:
            continue  # it does not apply after what was chosen elsewhere, whatever was entered
        if choice not in get_args(Choice):
            yield problem("double.choose", name, item=asked[name].label)
        elif choice == "NEITHER":
            said = clean(command.reasons.get(name, ""))
            if not said:
                yield problem("double.why-neither", name, item=asked[name].label)
            if len(said) > TEXT_LIMIT:
                yield problem("capture.text-too-long", name, item=asked[name].label, limit=TEXT_LIMIT)
            if name in typed and typed[name] in (pair.first.items.get(name), _second(pair, name)):
                yield problem("double.neither-is-one", name, item=asked[name].label)


def _second(pair: Pair, name: str) -> Datum | None:
    return pair.second.items.get(name) if pair.second is not None else None
