"""What could tell an arm is found wherever it is read: each kind of rule with a study that breaks it.

Source of the rule: the notes on blinding, channel L20 (an expression that reads a restricted item may not write to or
speak on a public one).
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from test_check import SOUND, found
from test_check_supply import SUPPLY


def study_with(*changes: tuple[str, Any]) -> dict[str, Any]:
    """The sound study with its supply; each change sets a path (`a.0.b`) or adds to a list (path ends in `+`)."""
    study: Any = {**deepcopy(dict(SOUND)), "supply": deepcopy(dict(SUPPLY))}
    for path, value in changes:
        *steps, last = path.split(".")
        at = study
        for step in steps:
            at = at[int(step)] if isinstance(at, list) else at.setdefault(step, {})
        if last == "+":
            at.append(value)
        else:
            at[int(last) if isinstance(at, list) else last] = value
    return study


# `kit` is an input that comes from the revealing item KIT; what reads it tells the arm.
KIT_INPUT = (
    "inputs.+",
    {"name": "kit", "label": "k", "type": "code", "origin": {"form": "VS", "item": "KIT"}},
)
# WHERE is open and shown only while KIT is known: being shown tells the arm, and so does an input made of it.
HIDDEN_BY_KIT = ("forms.0.items.2.visible_when", "known(KIT)")
WHERE_INPUT = (
    "inputs.+",
    {"name": "place", "label": "p", "type": "code", "origin": {"form": "VS", "item": "WHERE"}},
)

SINKS = [
    ("criteria.0.rule", 'age > 18 and kit == "x"', "criteria.I1.rule"),
    (
        "randomization.factors.0.levels.0.rule",
        'kit == "x"',
        "randomization.factors.severity.levels.MILD.rule",
    ),
    ("supply.gate.0.rule", 'kit == "x"', "supply.gate.adult.rule"),
    ("forms.1.checks.0.holds", 'kit == "x"', "forms.NIHSS.checks.c.holds"),
    ("forms.0.items.1.visible_when", 'kit == "x"', "forms.VS.items.TEMP.visible_when"),
    ("forms.0.derivations.0", {"id": "D", "label": "d", "rule": "kit"}, "forms.VS.derivations.D.rule"),
    ("eligibility.total_of", "kit", "eligibility.total_of"),
]


@pytest.mark.parametrize(("path", "value", "where"), SINKS, ids=[where for *_, where in SINKS])
def test_whatever_reads_a_revealing_item_through_an_input_is_found(path: str, value: Any, where: str) -> None:
    findings = found(study_with(KIT_INPUT, (path, value)))
    assert (True, "study-taint", where) in findings
    assert (True, "study-taint", "inputs.kit.origin") in findings


@pytest.mark.parametrize(("path", "value", "where"), SINKS, ids=[where for *_, where in SINKS])
def test_the_same_rules_on_an_open_item_are_no_taint(path: str, value: Any, where: str) -> None:
    findings = found(study_with(KIT_INPUT, (path, value), ("forms.0.items.3.blinding", "open")))
    assert not [finding for finding in findings if finding[1] == "study-taint"]


def test_being_shown_is_telling() -> None:
    findings = found(study_with(HIDDEN_BY_KIT, WHERE_INPUT, ("supply.gate.0.rule", 'place == "EAR"')))
    places = {where for _, rule, where in findings if rule == "study-taint"}
    assert places == {"forms.VS.items.WHERE.visible_when", "inputs.place.origin", "supply.gate.adult.rule"}


def test_the_chain_is_named() -> None:
    from equipoise.protocol.check import check_study
    from equipoise.protocol.study import Study

    study = Study.model_validate(
        study_with(HIDDEN_BY_KIT, WHERE_INPUT, ("criteria.0.rule", 'place == "EAR"'))
    )
    said = [one.problem.say() for one in check_study(study) if one.problem.where == "criteria.I1.rule"]
    assert any("VS.KIT → VS.WHERE → place" in text for text in said)


def test_a_message_on_an_open_item_may_not_depend_on_a_revealing_one() -> None:
    speaks = {"id": "k", "holds": 'KIT == "x"', "items": ["KIT", "TEMP"], "message": "m"}
    assert (True, "study-taint", "forms.VS.checks.k.holds") in found(study_with(("forms.0.checks.+", speaks)))


def test_behind_the_second_door_rules_are_free() -> None:
    """A revealing derived value, and a check of revealing items alone, are nobody's on the first side."""
    free = study_with(
        ("forms.0.derivations.+", {"id": "KITS", "label": "k", "rule": "KIT", "blinding": "revealing"}),
        ("forms.0.checks.+", {"id": "k", "holds": 'KIT == "x"', "items": ["KIT"], "message": "m"}),
        ("forms.0.items.+", {"id": "BAG", "label": "b", "type": "text", "blinding": "revealing", "visible_when": "known(KIT)"}),
    )  # fmt: skip
    assert [finding for finding in found(free) if finding[1] == "study-taint"] == []
