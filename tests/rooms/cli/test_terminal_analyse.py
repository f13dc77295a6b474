"""`equipoise analyse`: the same bytes each time, dummy or released arms through one program, and files that are refused."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import pytest

from equipoise.cli import main as terminal
from equipoise.desk.analysing import AtCut, read_at_cut
from equipoise.desk.clock import SetClock
from equipoise.desk.desk import open_desk
from equipoise.desk.front import FrontDesk
from equipoise.desk.setup import create_store, release
from equipoise.ledger.commit import Act, commit
from equipoise.ledger.entries import AllocationReleased, Append
from equipoise.words.canonical import canonical_bytes, digest
from madeup import START
from rooms.analysis.conftest import trial

__all__ = ["trial"]  # the fixture, taken over from the analysis
CUT = "2027-12-31"


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, dict]:
    capsys.readouterr()
    status = terminal.main(["analyse", *map(str, words), "--json"])
    return status, json.loads(capsys.readouterr().out)


def every_file(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="session")
def blinded(trial, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report") / "out"
    assert terminal.main(["analyse", str(trial.store), "--cut", CUT, "-o", str(out)]) == 0
    return out


def test_the_same_store_and_cut_give_the_same_bytes(trial, blinded, tmp_path, capsys):
    status, value = run(capsys, trial.store, "--cut", CUT, "-o", tmp_path / "again")
    assert (status, value["arms"], len(value["outputs"])) == (0, "dummy", 42)
    first, second = every_file(blinded), every_file(tmp_path / "again")
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    assert {
        "report.en.html",
        "report.zh.html",
        "report.en.pdf",
        "datasets/adsl.csv",
        "datasets/trace.csv",
    } <= first.keys()


def test_every_page_of_a_blinded_run_says_dummy_arms(blinded):
    pages = list(blinded.rglob("*.html"))
    assert len(pages) > 60
    for page in pages:
        assert "DUMMY ARMS" in page.read_text("utf-8"), page


def test_released_arms_give_the_same_tables_with_other_columns(trial, blinded, tmp_path, capsys):
    """Same outputs, lines and totals; the numbers by arm are those of the release."""
    arguments = (trial.opened, "--cut", CUT, "--treatments", trial.release, "-o", tmp_path / "out")
    status, value = run(capsys, *arguments)
    assert (status, value["arms"]) == (0, "released")
    page, dummy = ((folder / "report.en.html").read_text("utf-8") for folder in (tmp_path / "out", blinded))
    assert "DUMMY ARMS" not in page
    for text in ("T-01", "T-11", "F-05", "L-11"):
        assert page.count(f'<section id="{text}"') == dummy.count(f'<section id="{text}"') == 1
    told = json.loads(trial.release.read_bytes())
    slots = {one["number"]: told["arms"][one["arm"]] for listed in told["slots"].values() for one in listed}
    lines = (tmp_path / "out" / "datasets" / "adsl.csv").read_text("utf-8").splitlines()
    head = lines[0].split(",")
    rows = [dict(zip(head, line.split(","), strict=False)) for line in lines[1:]]
    assert {row["RANDNO"]: row["TRT01P"] for row in rows if row["RANDNO"]} == {
        one["number"]: slots[one["number"]] for one in told["dispensed"]
    }
    received = {one["number"]: one["arm"] for one in told["dispensed"]}
    assert all(row["TRT01A"] == received[row["RANDNO"]] for row in rows if row["RANDNO"])


def test_a_file_of_arms_is_not_believed_before_the_release(trial, tmp_path, capsys):
    status, value = run(
        capsys, trial.store, "--cut", CUT, "--treatments", trial.release, "-o", tmp_path / "out"
    )
    assert (status, [one["rule"] for one in value["problems"]]) == (
        1,
        ["analysis_report.treatments-before-release"],
    )
    assert not (tmp_path / "out").exists()


def _changed(file: Path, to: Path, **changes: object) -> Path:
    """The release with something else in it, and a checksum that fits."""
    content = json.loads(file.read_bytes())
    content.pop("checksum")
    content |= changes
    import hashlib

    checksum = hashlib.sha256(canonical_bytes(content)).hexdigest()
    to.write_bytes(canonical_bytes({**content, "checksum": checksum}) + b"\n")
    return to


@pytest.mark.parametrize(
    ("how", "rule"),
    [
        ("root", "analysis_report.treatments-other-root"),
        ("arm", "analysis_report.treatments-altered"),
        ("byte", "analysis_report.treatments-altered"),
        ("text", "analysis_report.treatments-unreadable"),
        ("nothing", "cli.cannot-read"),
    ],
)
def test_a_file_that_is_not_the_release_is_refused(trial, tmp_path, capsys, how, rule):
    file, told = tmp_path / "file.json", json.loads(trial.release.read_bytes())
    if how == "root":
        _changed(trial.release, file, root="ab" * 32)
    elif how == "arm":
        _changed(trial.release, file, arms=list(reversed(told["arms"])))
    elif how == "byte":
        file.write_bytes(trial.release.read_bytes().replace(b'"study"', b' "study"', 1))
    elif how == "text":
        file.write_text("not json", "utf-8")
    status, value = run(capsys, trial.opened, "--cut", CUT, "--treatments", file, "-o", tmp_path / "out")
    assert (status, [one["rule"] for one in value["problems"]]) == (1, [rule])
    assert not (tmp_path / "out").exists()


def test_a_release_without_the_second_doors_signature_is_refused(trial, tmp_path, capsys):
    import hashlib

    folder = tmp_path / "store"
    shutil.copytree(trial.store, folder)
    desk = open_desk(folder, kind=FrontDesk, clock=SetClock(START.replace(year=2028)))
    assert isinstance(desk, FrontDesk)
    told = json.loads(trial.release.read_bytes())
    entry = AllocationReleased(
        told["root"], hashlib.sha256(trial.release.read_bytes()).hexdigest(), 1, "00" * 64
    )
    with desk.reading() as reader:
        now = desk.trial(reader)
    act = Act(now.study.id, now.digest, "x", "system", desk.now(), None, None, "forged", digest("forged"))
    commit(desk.ledger, act, ["study"], lambda reader: (Append("study", entry),))
    desk.close()
    status, value = run(capsys, folder, "--cut", CUT, "--treatments", trial.release, "-o", tmp_path / "out")
    assert (status, [one["rule"] for one in value["problems"]]) == (
        1,
        ["analysis_report.treatments-unsigned"],
    )


def test_a_cut_before_anything_was_measured_gives_tables_of_zeros(trial, tmp_path, capsys):
    """People were dosed, and nobody has a visit after baseline."""
    status, value = run(capsys, trial.store, "--cut", "2026-03-01", "-o", tmp_path / "out")
    assert (status, len(value["outputs"])) == (0, 42)
    page = (tmp_path / "out" / "report.en.html").read_text("utf-8")
    assert "No model was fitted" in page
    assert "Nothing to show at this cut." in page


def test_an_empty_trial_has_every_output(trial, tmp_path, capsys):
    desk = create_store(tmp_path / "store", trial.study, "rehearsal", clock=SetClock(START))
    assert not isinstance(desk, tuple)
    desk.close()
    status, value = run(capsys, tmp_path / "store", "--cut", CUT, "-o", tmp_path / "out")
    assert (status, value["randomized"], len(value["outputs"])) == (0, 0, 42)


@pytest.mark.parametrize(
    ("cut", "rule"), [("31.12.2026", "analysis_report.cut-unfit"), ("", "analysis_report.cut-unfit")]
)
def test_what_is_no_date_is_refused(trial, tmp_path, capsys, cut, rule):
    status, value = run(capsys, trial.store, "--cut", cut, "-o", tmp_path / "out")
    assert (status, [one["rule"] for one in value["problems"]]) == (1, [rule])


def test_a_folder_that_holds_something_is_left_alone(trial, tmp_path, capsys):
    (tmp_path / "note.txt").write_text("mine", "utf-8")
    status, value = run(capsys, trial.store, "--cut", CUT, "-o", tmp_path)
    assert (status, [one["rule"] for one in value["problems"]]) == (1, ["cli.folder-not-empty"])


def test_the_plan_is_the_one_in_force_at_the_cut(trial, tmp_path):
    """A later version of the definition has one output only; a cut before it still has all of them."""
    folder = tmp_path / "store"
    shutil.copytree(trial.store, folder)
    later = SetClock(dt.datetime(2028, 3, 1, tzinfo=dt.UTC))
    desk = open_desk(folder, kind=FrontDesk, clock=later)
    assert isinstance(desk, FrontDesk)
    plan = trial.study.analysis.model_copy(update={"outputs": trial.study.analysis.outputs[:1]})
    amended = trial.study.model_copy(update={"analysis": plan, "version": "99.0"})
    assert release(desk, amended) == ()
    desk.close()
    before, after = read_at_cut(folder, CUT), read_at_cut(folder, "2028-12-31")
    assert isinstance(before, AtCut)
    assert isinstance(after, AtCut)
    assert (len(before.study.analysis.outputs), len(after.study.analysis.outputs)) == (
        len(trial.study.analysis.outputs),
        1,
    )
    assert (before.study.version, after.study.version) == (trial.study.version, "99.0")
