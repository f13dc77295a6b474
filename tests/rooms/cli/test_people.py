"""`equipoise study people`: a list, one person, what the model implies, and what is refused.

Expected: the contract of commands (exit 0 done, 1 the answer is no, one JSON value on standard output).
"""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from equipoise.cli.main import main
from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study
from equipoise.simulation.people import PeopleModel, load_people
from equipoise.words.problem import Problem

STUDY = Path(__file__).resolve().parents[3] / "studies" / "nct07197606"


@pytest.fixture(autouse=True)
def read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The study and its model are read once for all calls of this file; reading them has tests of its own."""
    monkeypatch.setattr("equipoise.protocol.load.load_study", study_read)
    monkeypatch.setattr("equipoise.simulation.people.load_people", model_read)


study_read = cache(load_study)
_MODELS: dict[Path, PeopleModel | tuple[Problem, ...]] = {}


def model_read(folder: Path, study: Study) -> PeopleModel | tuple[Problem, ...]:
    """The model of a folder, read once."""
    if folder not in _MODELS:
        _MODELS[folder] = load_people(folder, study)
    return _MODELS[folder]


def answered(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, Any]:
    """Exit status and JSON value of a call."""
    status = main(["study", "people", *map(str, arguments), "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_people_are_listed_and_one_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Person 4 of a list of six is person 4 alone; in both arms the person is the same and the screening too."""
    status, listed = answered(capsys, STUDY, "--participants", 6, "--seed", 3)
    assert (status, len(listed)) == (0, 6)
    shown = {}
    for arm in ("MSC", "PLACEBO"):
        status, shown[arm] = answered(capsys, STUDY, "--participant", 4, "--seed", 3, "--arm", arm)
        assert status == 0
        assert {name: shown[arm][name] for name in listed[4]} == listed[4]
    assert shown["MSC"]["forms"]["V1"] == shown["PLACEBO"]["forms"]["V1"]


def test_what_cannot_be_shown_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A scenario, an arm and a number that are not there; a study without a model of people."""
    for arguments, rule in (
        (("--scenario", "large"), "virtual.scenario"),
        (("--participant", 0, "--arm", "X"), "virtual.arm-unknown"),
        (("--implied", 1), "virtual.how-many"),
        (("--participants", 0), "virtual.how-many"),
    ):
        status, told = answered(capsys, STUDY, *arguments)
        assert (status, told["problems"][0]["rule"]) == (1, rule)
    bare = tmp_path / "study"
    shutil.copytree(STUDY, bare, ignore=shutil.ignore_patterns("people.yaml"))
    status, told = answered(capsys, bare)
    assert (status, told["problems"][0]["rule"]) == (1, "virtual.no-model")
    assert "people.yaml" in told["problems"][0]["says"]
