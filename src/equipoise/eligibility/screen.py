"""Judging made-up or exported cases against a study's criteria: `equipoise screen DIR --cases FILE`.

The rules that must stay true: a name that the study does not know, or a value that cannot be, is named with its case
and nothing is judged; null is unknown; a criterion is reported when at least one of the names in its rule was
given, or when it was given itself; what was not given is unknown in the decision. Contract: DESIGN 9.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from equipoise.eligibility.case_values import case_truth, case_value, written, wrong
from equipoise.eligibility.judgement import EXCL, INCL, judge
from equipoise.protocol.expressions import Value, as_logical
from equipoise.protocol.rules import explanation_of, names_in
from equipoise.protocol.strata import stratum
from equipoise.protocol.study import Input, Study
from equipoise.words.canonical import Json
from equipoise.words.interval import Interval
from equipoise.words.problem import Problem, problem
from equipoise.words.truth import Truth


@dataclass(frozen=True, slots=True)
class Case:
    """One case as read: its label, its name as given (a whole number stays one), the values of inputs by name,
    verdicts stated directly by criterion."""

    label: str
    name: str | int
    inputs: Mapping[str, Value]
    stated: Mapping[str, Truth]


def screen_cases(study: Study, cases: object) -> list[dict[str, Json]] | tuple[Problem, ...]:
    """The verdicts on a JSON list of `{case, input, expect?}`, or everything that is wrong with the list.

    Each verdict: `case`, `results` (criterion, INCL, EXCL -> T, F, U), `decision`; `total` ([low, high]) where the
    input of the study's total was given; `stratum` (code or None) where any name of the strata was given.
    """
    if not isinstance(cases, list):
        return (problem("eligibility.cases-not-a-list"),)
    read: list[Case] = []
    problems: list[Problem] = []
    for position, each in enumerate(cases, 1):
        case = _case(study, position, each)
        if isinstance(case, Case):
            read.append(case)
        else:
            problems += case
    return tuple(problems) if problems else [_verdict(study, case) for case in read]


def _case(study: Study, position: int, given: object) -> Case | tuple[Problem, ...]:
    if not isinstance(given, dict) or not isinstance(given.get("input"), dict):
        return (problem("eligibility.case-not-an-object", f"[{position}]", position=position),)
    name = given.get("case")
    label = _label(name, position)
    inputs: dict[str, Value] = {}
    stated: dict[str, Truth] = {}
    problems: list[Problem] = []
    by_name = {word: each for each in study.inputs for word in (each.name, *each.alias)}
    criteria = {criterion.id for criterion in study.criteria if criterion.enabled}
    for word, value in given["input"].items():
        found = by_name.get(word)
        if found is None and word in criteria:
            problems += _state(label, word, value, stated)
        elif found is None:
            problems.append(_unknown(label, word, (*by_name, *criteria)))
        elif found.name in inputs:
            problems.append(problem("eligibility.case-name-twice", f"{label}: {word}", case=label, name=word))
        else:
            problems += _input(study, label, word, found, value, inputs)
    problems += _contradicted(study, label, inputs, stated)
    return tuple(problems) or Case(label, name if type(name) is int else label, inputs, stated)


def _label(name: object, position: int) -> str:
    """What a case is called: its text or number as it is written, or its place in the list where it has none."""
    if isinstance(name, str | int | float | Decimal) and not isinstance(name, bool):
        return str(name) or str(position)
    return str(position) if name is None else written(name)


def _state(label: str, criterion: str, value: object, stated: dict[str, Truth]) -> Iterator[Problem]:
    truth = case_truth(value)
    if truth is None:
        yield wrong(label, criterion, value, "eligibility.want-truth")
    else:
        stated[criterion] = truth


def _contradicted(
    study: Study, label: str, inputs: Mapping[str, Value], stated: Mapping[str, Truth]
) -> Iterator[Problem]:
    """What is stated of a criterion and the opposite of what its inputs say: which one is meant cannot be told."""
    for criterion in study.criteria:
        if criterion.id not in stated or criterion.rule is None:
            continue
        found = as_logical(explanation_of(criterion.rule, inputs).value).truth
        if Truth.UNKNOWN not in (found, stated[criterion.id]) and found is not stated[criterion.id]:
            where = f"{label}: {criterion.id}"
            yield problem("eligibility.case-contradicted", where, case=label, name=criterion.id)


def _input(
    study: Study, label: str, word: str, found: Input, value: object, inputs: dict[str, Value]
) -> tuple[Problem, ...]:
    bound = case_value(study, label, word, found, value)
    if isinstance(bound, tuple):
        return bound
    inputs[found.name] = bound
    return ()


def _unknown(label: str, word: str, known: Sequence[str]) -> Problem:
    like = next(iter(difflib.get_close_matches(word, known, 1)), None)
    where = f"{label}: {word}"
    if like is None:
        return problem("eligibility.case-name-unknown", where, case=label, name=word)
    return problem("eligibility.case-name-like", where, case=label, name=word, like=like)


def _verdict(study: Study, case: Case) -> dict[str, Json]:
    judgement = judge(study, case.inputs, case.stated)
    reported = [*(name for name in judgement.explanations if _reported(study, case, name)), INCL, EXCL]
    verdict: dict[str, Json] = {
        "case": case.name,
        "results": {name: judgement.results[name].value for name in reported},
        "decision": judgement.decision,
    }
    if judgement.total is not None:
        verdict["total"] = _ends(judgement.total)
    factors = study.randomization.factors if study.randomization is not None else ()
    used = {name for factor in factors for level in factor.levels for name in names_in(level.rule)}
    if used & set(case.inputs):
        verdict["stratum"] = stratum(study, case.inputs).code
    return verdict


def _reported(study: Study, case: Case, criterion_id: str) -> bool:
    rule = next(each.rule for each in study.criteria if each.id == criterion_id)
    return criterion_id in case.stated or bool(rule and names_in(rule) & set(case.inputs))


def _ends(total: Interval) -> list[Json]:
    return [
        None if end is None else int(end) if end == int(end) else str(end) for end in (total.low, total.high)
    ]
