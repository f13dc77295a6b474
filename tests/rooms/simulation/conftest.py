"""What the tests of the batch share: the study, what is asked of it, and people who were measured once."""

from __future__ import annotations

import pytest

from equipoise.protocol.load import load_study
from equipoise.simulation.batch import engines, scenario
from equipoise.simulation.batch import run as running
from equipoise.words.problem import Problem
from rooms.simulation.batch_cases import FOLDER, made_up


@pytest.fixture
def no_program(monkeypatch, prepared):
    """Rows that are made up, of people who were measured once."""
    monkeypatch.setattr(engines, "rows", made_up)
    monkeypatch.setattr(scenario, "measure", lambda *_, **__: prepared[0].people)


@pytest.fixture(scope="module")
def study():
    return load_study(FOLDER)


@pytest.fixture(scope="module")
def design(study):
    found = running.read_design(FOLDER, study)
    assert not any(isinstance(one, Problem) for one in found), [one.say() for one in found]
    return found


@pytest.fixture(scope="module")
def prepared(study, design):
    wanted = running.named(design[0], ["null", "design"])
    return scenario.prepare(study, design[0], design[1], wanted, count=200), wanted
