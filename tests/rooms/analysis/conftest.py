"""A made-up trial for tests of datasets and report: played once, before its list is released and after."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study
from madeup import Course, make_madeup, released

CUT = "2027-12-31"


@dataclass(frozen=True)
class Trial:
    """Folder of the store, the same after its release, the file of the release, and what was meant for each person."""

    store: Path
    opened: Path
    release: Path
    study: Study
    courses: tuple[Course, ...]


@pytest.fixture(scope="session")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    folder = tmp_path_factory.mktemp("madeup")
    study = load_study(Path(__file__).resolve().parents[3] / "studies" / "nct07197606")
    assert isinstance(study, Study)
    made = make_madeup(folder, study, randomized=12, seed=4)
    blinded = folder / "blinded"
    made.desk.checkpoint()
    made.desk.close()
    shutil.copytree(folder / "first", blinded)
    from equipoise.desk.desk import open_desk
    from equipoise.desk.front import FrontDesk

    desk = open_desk(folder / "first", kind=FrontDesk, clock=made.clock)
    assert isinstance(desk, FrontDesk)
    made.desk = desk
    file = released(made, folder)
    desk.close()
    return Trial(blinded, folder / "first", file, study, tuple(made.courses))
