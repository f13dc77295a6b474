"""Rehearsals through the terminal: to the release and half-way, the same bytes for the same seed, and what is refused.

One whole rehearsal of few participants is made for the module and only read. Sources of what is expected: issue 7,
capability 3 (ends in a release, an analysis and the allocation's verification; same bytes for the same seed; any prefix);
DESIGN 9 (exit statuses, one JSON value); DESIGN 5 (what stands before a release).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from equipoise.capture.evolve import Place
from equipoise.cli import rehearse as rehearsing
from equipoise.cli.answer import refused
from equipoise.cli.main import main
from equipoise.desk.closing_tables import CLOSINGS
from equipoise.desk.desk import Desk, open_desk
from equipoise.desk.lock_checklist import checklist, planned_forms
from equipoise.ledger.verify import verify_path
from equipoise.protocol.load import load_study
from equipoise.simulation.rehearsal.account import blind
from equipoise.simulation.rehearsal.case import Case
from equipoise.simulation.rehearsal.staff import Guess, load_staff
from equipoise.words.problem import problem

ROOT = Path(__file__).resolve().parents[3]
STUDY = ROOT / "studies" / "nct07197606"
PARTICIPANTS = 3


def rehearse(out: Path, *more: str, seed: str = "7", participants: int = PARTICIPANTS, hashed: str = "0"):
    """`equipoise rehearse` as a process of its own; its status, and what it said."""
    command = [sys.executable, "-m", "equipoise.cli.main", "rehearse", str(STUDY)]
    given = ["--participants", str(participants), "--seed", seed, "--scenario", "modest"]
    return subprocess.run(
        [*command, *given, "--without-pdf", "--out", str(out), "--json", *more],
        capture_output=True, check=False, encoding="utf-8", cwd=out.parent,
        env={**os.environ, "PYTHONHASHSEED": hashed, "EQUIPOISE_LANGUAGE": "en"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("rehearsal") / "whole"
    ran = rehearse(out)
    assert ran.returncode == 0, ran.stderr
    return out, json.loads(ran.stdout)


def entries(store: Path) -> list[tuple[Any, ...]]:
    """Every entry as it lies in the ledger, sealed bodies included."""
    with sqlite3.connect(f"file:{store / 'ledger.sqlite'}?mode=ro", uri=True) as base:
        rows = base.execute(
            "SELECT position, stream, seq, key, header FROM entries ORDER BY position"
        ).fetchall()
        sealed = base.execute(
            "SELECT stream, seq, part, sealed FROM bodies ORDER BY stream, seq, part"
        ).fetchall()
    base.close()
    return [*rows, *sealed]


def test_it_ends_in_a_release_an_analysis_and_the_verification(whole):
    out, said = whole
    assert said["released"]
    assert said["flow"]["randomized"] == PARTICIPANTS
    assert said["flow"]["completed"] + said["flow"]["left early"] == PARTICIPANTS
    assert said["verified"].startswith("ok ")
    page = (out / "report" / "report.en.html").read_text("utf-8")
    assert 'id="F-01"' in page  # the flow of participants, which the plan names first of its figures
    assert not list((out / "report").rglob("*.pdf"))
    assert json.loads((out / "account.json").read_text("utf-8")) == said
    verdict = verify_path(out / "store")
    assert verdict.ok, verdict.lines()


def test_the_database_was_locked_with_nothing_left_to_do(whole, tmp_path):
    shutil.copytree(whole[0] / "store", tmp_path / "store")
    desk = open_desk(tmp_path / "store")
    assert isinstance(desk, Desk)
    with desk.reading() as reader:
        trial = desk.trial(reader)
        assert trial.database.locked
        assert {line.id: line.count for line in checklist(reader, trial) if line.count} == {}
        listed = {form for forms in planned_forms(trial.study).values() for form in forms}
        begun = {str(row["form"]) for row in reader.rows.find(CLOSINGS)}
    desk.close()
    assert listed <= begun
    assert not any(trial.study.form(form).log for form in listed)


def test_what_it_cost_adds_up(whole):
    _, said = whole
    minutes = said["staff_minutes"]
    assert minutes["total"] == sum(minutes.values()) - minutes["total"]
    assert said["queries"]["total"] == said["queries"]["by checks"] + said["queries"]["by people"]
    bags = said["bags"]
    assert (
        bags["prepared"] == bags["given"] + bags["rejected at the ward"]
    )  # each that was prepared was given or lost
    diary = said["diary"]
    assert diary["at the hospital"] + diary["lost with a phone"] <= diary["entries"]
    assert (
        diary["at the hospital"] > PARTICIPANTS * 28 / 2
    )  # over the daily entries alone, half and more are made
    assert said["deviations"]["total"] == sum(said["deviations"].values()) - said["deviations"]["total"]


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    """Whatever the order in which Python keeps its sets, which another hash seed changes."""
    for name, hashed in (("one", "1"), ("other", "2")):
        ran = rehearse(tmp_path / name, "--until", "day 30", participants=2, hashed=hashed)
        assert ran.returncode == 0, ran.stderr
        assert json.loads(ran.stdout)["released"] is False
        for arm in load_study(STUDY).arms:  # before the release nobody is told of one
            assert arm.id not in ran.stdout + ran.stderr + (tmp_path / name / "account.json").read_text(
                "utf-8"
            )
    for door in ("store", "vault"):
        assert entries(tmp_path / "one" / door) == entries(tmp_path / "other" / door)
    assert len(entries(tmp_path / "one" / "store")) > 200  # something happened


@pytest.mark.parametrize(
    ("more", "status", "rule"),
    [
        (["--participants", "87"], 1, "rehearsal.over-the-cap"),
        (["--scenario", "wonder"], 1, "rehearsal.scenario-unknown"),
        (["--until", "2020-01-01"], 1, "rehearsal.until-before"),
        (
            ["--begin", "2026-01-14"],
            1,
            "rehearsal.begins-before-consent",
        ),  # eligibility.yaml: version 1.0 is of 2026-01-15
        (["--until", "some day"], 2, ""),
        (["--seed", "-1"], 2, ""),
    ],
)
def test_what_cannot_be_rehearsed_is_said(more, status, rule, tmp_path, capsys):
    out = tmp_path / "out"
    given = ["rehearse", str(STUDY), "--out", str(out), "--json", *more]
    if status == 2:
        with pytest.raises(SystemExit) as ended:
            main(given)
        assert ended.value.code == 2
    else:
        assert main(given) == status
        assert json.loads(capsys.readouterr().out)["problems"][0]["rule"] == rule
    assert list(tmp_path.iterdir()) == []


def test_a_study_without_staff_or_people_says_which_file_to_write(tmp_path, capsys):
    shutil.copytree(STUDY, tmp_path / "study", ignore=shutil.ignore_patterns("staff.yaml", "people.yaml"))
    given = ["rehearse", str(tmp_path / "study"), "--out", str(tmp_path / "out"), "--json"]
    assert main(given) == 1
    said = capsys.readouterr().out
    assert "staff.yaml" in said
    assert "people.yaml" in said


GUESS = Guess(codelist="GUESS", arms={"ACTIVE": "MSC", "PLACEBO": "PLACEBO"}, unknown="DO NOT KNOW")


def asked(said: str) -> list[Case]:
    """Cases by arm and guess, as in “MSC ACTIVE, PLACEBO ACTIVE”."""
    found = []
    for number, (arm, guess) in enumerate(one.split() for one in said.split(", ")):
        case = Case(number, None, "", None)
        case.arm, case.guesses = arm, {Place("V9", "BQ", 1): guess}
        found.append(case)
    return found


def test_half_way_nothing_follows_from_an_arm():
    cases = asked("MSC ACTIVE, MSC PLACEBO, PLACEBO PLACEBO, PLACEBO ACTIVE")
    assert blind(GUESS, cases, released=False) == {"BQ V9": {"answers": 4}}
    told: Any = blind(GUESS, cases, released=True)["BQ V9"]
    assert told["right"] == 2  # the first and the third
    assert set(told["bang"]) == {"MSC", "PLACEBO"}


def test_who_guessed_right_is_said_only_with_two_answers_in_each_arm():
    """One right answer in an arm of one would be that person's arm."""
    few = asked("MSC ACTIVE, MSC ACTIVE, PLACEBO ACTIVE")
    assert blind(GUESS, few, released=True) == {"BQ V9": {"answers": 3}}
    assert blind(GUESS, asked("MSC ACTIVE, MSC ACTIVE"), released=True) == {"BQ V9": {"answers": 2}}


@pytest.mark.parametrize(
    ("text", "changed", "rule"),
    [
        ('role: investigator, site: "02"', 'role: rater, site: "02"', "rehearsal.staff-lacks-role"),
        ("role: monitor}", 'role: monitor, site: "01"}', "rehearsal.staff-lacks-role"),
        ("role: data_manager}", "role: dreamer}", "rehearsal.staff-unknown"),
        ('role: coordinator, site: "03"', 'role: coordinator, site: "09"', "rehearsal.staff-unknown"),
        ('site: "01", second_door: [BENCH]', 'site: "01"', "rehearsal.staff-lacks-purpose"),
        ("second_door: [KEEPER]", "second_door: [KEY]", "rehearsal.staff-unknown"),
        ('fraud: {site: "03"', 'fraud: {site: "33"', "rehearsal.staff-unknown"),
        ("id: mahui", "id: liuyan", "rehearsal.staff-twice"),
        ("codelist: GUESS", "codelist: GUESSES", "rehearsal.staff-unknown"),
        ("ACTIVE: MSC", "ACTIVE: MCS", "rehearsal.staff-unknown"),
        ("unknown: DO NOT KNOW", "unknown: MAYBE", "rehearsal.staff-unknown"),
        ("mistyped: 0.004", "mistyped: 4", "rehearsal.staff-unreadable"),
    ],
)
def test_a_fault_in_the_staff_is_said_before_anything_is_rehearsed(text, changed, rule, tmp_path):
    written = (STUDY / "staff.yaml").read_text("utf-8")
    assert text in written
    (tmp_path / "staff.yaml").write_text(written.replace(text, changed, 1), "utf-8")
    found = load_staff(tmp_path, load_study(STUDY))
    assert isinstance(found, tuple)
    assert rule in {one.rule for one in found}
    for language in ("en", "zh"):
        assert all(one.say(language) for one in found)


def test_all_faults_in_the_staff_are_said_at_once(tmp_path):
    written = (STUDY / "staff.yaml").read_text("utf-8")
    changed = written.replace("role: monitor}", "role: dreamer}").replace("codelist: GUESS", "codelist: NONE")
    (tmp_path / "staff.yaml").write_text(changed, "utf-8")
    said = [(one.rule, one.where.split()[-1]) for one in load_staff(tmp_path, load_study(STUDY))]
    assert said == [
        ("rehearsal.staff-unknown", "people.wanglei.role"),
        ("rehearsal.staff-lacks-role", "people"),
        ("rehearsal.staff-unknown", "guess.codelist"),
    ]
    twice = written.replace("mistyped: 0.004", "mistyped: 4").replace("blank: 0.002", "blank: 2")
    (tmp_path / "staff.yaml").write_text(twice, "utf-8")
    assert len(load_staff(tmp_path, load_study(STUDY))) == 2


def test_a_folder_of_somebody_else_is_left_alone(tmp_path, monkeypatch, capsys):
    """Whatever its name: a rehearsal takes away what it made itself and nothing else."""
    (tmp_path / "out.unfinished").mkdir()
    (tmp_path / "out.unfinished" / "mine").write_text("kept")
    monkeypatch.setattr(rehearsing, "_play", lambda plan, *, pdf: refused((problem("cli.folder-not-empty"),)))
    assert main(["rehearse", str(STUDY), "--out", str(tmp_path / "out"), "--json"]) == 1
    capsys.readouterr()
    assert [path.name for path in tmp_path.iterdir()] == ["out.unfinished"]
    assert (tmp_path / "out.unfinished" / "mine").read_text() == "kept"


def test_the_passphrase_is_nobody_elses_from_its_first_byte(tmp_path):
    held = os.umask(0)
    try:
        rehearsing.keep_secret(tmp_path / "passphrase", "said")
    finally:
        os.umask(held)
    assert stat.S_IMODE((tmp_path / "passphrase").stat().st_mode) == 0o600
    assert (tmp_path / "passphrase").read_text() == "said\n"
    with pytest.raises(FileExistsError):
        rehearsing.keep_secret(tmp_path / "passphrase", "again")


def test_nothing_is_overwritten(tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("kept")
    assert main(["rehearse", str(STUDY), "--out", str(tmp_path / "out"), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["problems"][0]["rule"] == "cli.folder-not-empty"
    assert (tmp_path / "out" / "mine").read_text() == "kept"


def test_one_that_is_interrupted_says_so_and_leaves_nothing(tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "equipoise.cli.main", "rehearse", str(STUDY), "--participants", "3"]
    with subprocess.Popen(
        [*command, "--out", str(out)], stderr=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8",
        env={**os.environ, "EQUIPOISE_LANGUAGE": "en"},
    ) as running:  # fmt: skip
        for _ in range(1200):
            if list(tmp_path.glob("out.*.unfinished/store/ledger.sqlite")):
                break
            time.sleep(0.05)
        else:
            running.kill()
            pytest.fail("a minute, and no ledger was begun")
        running.send_signal(signal.SIGINT)
        said = running.communicate(timeout=60)[1]
    assert running.returncode == 1
    assert "interrupted" in said
    assert list(tmp_path.iterdir()) == []
