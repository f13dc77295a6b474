"""The analysis plan in the closed area: for named persons, in the arms of the closed work, readable by its owner alone."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from equipoise.vault.analysing import analyse_closed
from equipoise.vault.facts import Keeper
from equipoise.vault.release.publishing import open_closed_work, read_closed_work
from rooms.vault.two_doors import Doors

CUT = "2026-12-31"


def _opened(doors: Doors) -> Path:
    with doors.desk.reading() as reader:
        strata = list(doors.desk.trial(reader).allocation.numbers)
    for place, subject in enumerate(("s1", "s2", "s3")):
        doors.randomize(subject, strata[place % 2])
    doors.exchange()
    assert doors.enrol("dsmb", "BOARD").accepted
    board = doors.vault.who("dsmb", "BOARD")
    assert isinstance(board, Keeper)
    path = open_closed_work(doors.vault, board, "safety report 1", ("dsmb",), key="closed")
    assert isinstance(path, Path), path
    return path


def test_the_plan_runs_in_the_arms_of_the_closed_work(doors: Doors, tmp_path: Path):
    table = _opened(doors).name
    done = analyse_closed(doors.vault, "dsmb", table, (doors.folder / "first", CUT), tmp_path / "out")
    assert isinstance(done, dict), [one.say() for one in done]
    assert len(done["outputs"]) == 42  # type: ignore[arg-type]
    told = read_closed_work(doors.vault, "dsmb", table)
    assert isinstance(told, bytes)
    with (tmp_path / "out" / "datasets" / "adsl.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["RANDNO"]: row["TRT01P"] for row in rows} == {
        row["number"]: row["arm"] for row in json.loads(told)["rows"]
    }
    pages = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert all(path.stat().st_mode & 0o077 == 0 for path in pages)
    shown = [path.read_text("utf-8") for path in pages if path.suffix == ".html"]
    assert shown
    assert all("CLOSED" in page and "DUMMY ARMS" not in page for page in shown)


def test_it_is_refused_to_everybody_else(doors: Doors, tmp_path: Path):
    table = _opened(doors).name
    for actor, cut, rule in (
        ("inv", CUT, "vault_release.closed-not-for"),
        ("dsmb", "soon", "analysis_report.cut-unfit"),
    ):
        refused = analyse_closed(doors.vault, actor, table, (doors.folder / "first", cut), tmp_path / "out")
        assert isinstance(refused, tuple)
        assert [one.rule for one in refused] == [rule]
    assert not (tmp_path / "out").exists()
    (tmp_path / "note.txt").write_text("mine", "utf-8")
    refused = analyse_closed(doors.vault, "dsmb", table, (doors.folder / "first", CUT), tmp_path)
    assert isinstance(refused, tuple)
    assert [one.rule for one in refused] == ["analysis_report.folder-not-empty"]
