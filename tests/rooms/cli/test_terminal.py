"""The terminal's contract: exit statuses, one JSON value, the last line, and messages beside their cause."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from commanded import typed as run
from demonstrated import COMMAND, copied

ROOT = Path(__file__).resolve().parents[3]
STUDY = ROOT / "studies" / "nct07197606"
SECOND = ROOT / "tests" / "studies" / "second"


def one_json(ran: subprocess.CompletedProcess[str]) -> Any:
    """Standard output as exactly one JSON value."""
    return json.loads(ran.stdout)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demonstration store, made by the command."""
    return copied(tmp_path_factory) / "store"


@pytest.mark.parametrize("folder", [STUDY, SECOND])
def test_both_studies_pass_the_check(folder: Path) -> None:
    ran = run("study", "check", folder, "--json")
    assert ran.returncode == 0, ran.stderr
    value = one_json(ran)
    assert value["faults"] == []
    assert len(value["digest"]) == 64


def test_assumptions_are_listed_with_their_alternatives() -> None:
    value = one_json(run("study", "assumptions", STUDY, "--json"))
    assert len(value) >= 25  # the public record is silent on at least the 25 topics collected for it
    assert all(each["because"] for each in value)
    text = json.dumps(value).lower()
    for topic in (
        "strat",
        "death",
        "pregnan",
        "analysis",
    ):  # named by the issue: strata, death, pregnancy, analysis set
        assert topic in text, topic


def test_a_study_equals_itself_and_an_amendment_is_told() -> None:
    assert one_json(run("study", "diff", STUDY, STUDY, "--json")) == []
    assert len(one_json(run("study", "diff", STUDY, SECOND, "--json"))) > 10


def test_screen_answers_cases(tmp_path: Path) -> None:
    cases = [
        {"case": "day 14", "input": {"onset": "2026-03-01", "ref": "2026-03-15"}, "expect": {}},
        {"case": "day 13", "input": {"onset": "2026-03-01", "ref": "2026-03-14"}},
        {"case": "dominance", "input": {"E01": "T", "E04": "U"}},
    ]
    (tmp_path / "cases.json").write_text(json.dumps(cases))
    ran = run("screen", STUDY, "--cases", tmp_path / "cases.json", "--json")
    assert ran.returncode == 0
    value = one_json(ran)
    assert [each["results"].get("I02") for each in value] == ["T", "F", None]
    assert [each["decision"] for each in value] == ["NOT_EVALUABLE", "INELIGIBLE", "INELIGIBLE"]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ('[{"case": "a", "input": {"no_such_name": 1}}]', 1),
        ('{"case": "a"}', 1),
        ("[", 1),
        ('[{"case": "a", "input": {"nihss": {"5a": 9}}}]', 1),
    ],
)
def test_bad_cases_are_refused_by_name(tmp_path: Path, content: str, status: int) -> None:
    (tmp_path / "cases.json").write_text(content)
    for language in ("en", "zh"):
        ran = run("screen", STUDY, "--cases", tmp_path / "cases.json", language=language)
        assert ran.returncode == status
        assert ran.stderr.strip()
        assert "Traceback" not in ran.stderr


def test_wrong_usage_is_two() -> None:
    assert run("study").returncode == 2
    assert run("no-such-command").returncode == 2
    assert run("screen", STUDY).returncode == 2


def test_a_broken_study_names_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(
        "notation: 1\nid: x\nversion: '1'\ndated: '2026'\ntitle: t\nformz: []\n"
    )
    ran = run("study", "check", tmp_path)
    assert ran.returncode == 1
    assert "study.yaml" in ran.stderr
    assert "6" in ran.stderr  # the line of `formz`


def test_a_made_store_verifies_and_a_changed_byte_is_named(store: Path, tmp_path: Path) -> None:
    fine = run("ledger", "verify", store)
    assert fine.returncode == 0, fine.stdout + fine.stderr
    last = fine.stdout.splitlines()[-1].split()
    assert (last[0], last[2], last[3]) == ("ok", "entries", "root")
    assert len(last[4]) == 64
    import shutil

    shutil.copytree(store, tmp_path / "copy")
    path = tmp_path / "copy" / "ledger.sqlite"
    data = bytearray(path.read_bytes())
    place = data.index(b'"kind":"SubjectRandomized"') + 10
    data[place] ^= 1
    path.write_bytes(data)
    bad = run("ledger", "verify", tmp_path / "copy")
    assert bad.returncode == 1
    assert "subject/" in bad.stderr + bad.stdout


def test_an_archive_verifies_without_the_program(store: Path, tmp_path: Path) -> None:
    ran = run("export", store, "--format", "archive", "-o", tmp_path / "out")
    assert ran.returncode == 0, ran.stderr
    alone = subprocess.run(
        [sys.executable, "-I", str(ROOT / "src/equipoise/ledger/verify.py"), str(tmp_path / "out")],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert alone.returncode == 0, alone.stdout + alone.stderr
    assert alone.stdout.splitlines()[-1].startswith("ok ")


def test_the_export_holds_what_was_captured(store: Path, tmp_path: Path) -> None:
    ran = run("export", store, "--format", "dataset-json", "-o", tmp_path / "out", "--json")
    assert ran.returncode == 0, ran.stderr
    files = {Path(each["file"]).name for each in one_json(ran)}
    assert {"dm.json", "ds.json", "ie.json", "rs.json", "ft.json"} <= files
    rs = json.loads((tmp_path / "out" / "rs.json").read_text("utf-8"))
    names = [column["name"] for column in rs["columns"]]
    rows = [dict(zip(names, row, strict=True)) for row in rs["rows"]]
    totals = {
        (row["USUBJID"][-5:], row["VISIT"]): row["RSSTRESN"] for row in rows if row["RSTESTCD"] == "NIH0116"
    }
    assert totals[("01001", "SCREENING")] == 10  # 2+3+2+1+1+1, after the correction of item 6b from 3 to 2
    assert all(row["EQLEDGER"] for row in rows)
    assert "NCT07197606" not in (tmp_path / "out" / "dm.json").read_text("utf-8")


def test_export_never_overwrites(store: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    assert run("export", store, "--format", "dataset-json", "-o", tmp_path).returncode == 1
    assert (tmp_path / "mine.txt").read_text() == "keep me"


@pytest.mark.parametrize("content", [b"", b"not a database at all", b"SQLite format 3\x00" + bytes(200)])
def test_what_is_no_store_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(content)
    for arguments in (("ledger", "verify", tmp_path), ("serve", tmp_path, "--port", "0"),
                      ("export", tmp_path, "--format", "archive", "-o", tmp_path / "out")):  # fmt: skip
        ran = run(*arguments)
        assert ran.returncode == 1, arguments
        assert "Traceback" not in ran.stderr
        assert (ran.stderr + ran.stdout).strip()


def test_demo_keeps_its_data_and_starts_over_when_told(store: Path) -> None:
    before = (store / "ledger.sqlite").stat().st_ino
    again = run("demo", "--no-serve", "--study", STUDY, "--store", store, "--vault", store.parent / "vault")
    assert again.returncode == 0
    assert (store / "ledger.sqlite").stat().st_ino == before


def test_demo_never_removes_what_it_did_not_make(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "thesis.txt").write_text("ten years")
    ran = run("demo", "--reset", "--no-serve", "--store", tmp_path / "store", "--vault", tmp_path / "vault")
    assert ran.returncode == 1
    assert (tmp_path / "store" / "thesis.txt").read_text() == "ten years"


def test_the_list_is_public_on_one_side_only(store: Path) -> None:
    ran = run("allocation", "verify", store / "allocation")
    assert ran.returncode == 0, ran.stderr
    public = (store / "allocation" / "allocation.json").read_text("utf-8")
    assert '"MSC"' not in public
    assert '"PLACEBO"' not in public


def test_a_trial_is_set_up_from_the_terminal(tmp_path: Path) -> None:
    steps: list[tuple[object, ...]] = [
        ("store", "new", tmp_path / "s", "--study", SECOND, "--purpose", "trial"),
        ("store", "grant", tmp_path / "s", "u1", "coordinator", "--name", "Ada", "--json"),
        ("store", "pause", tmp_path / "s", "--reason", "look"),
        ("store", "resume", tmp_path / "s", "--reason", "done"),
        ("store", "pause", tmp_path / "s", "--reason", "look"),
        ("ledger", "verify", tmp_path / "s"),
    ]
    for step in steps:
        ran = run(*step)
        assert ran.returncode == 0, (step, ran.stderr)
    twice = run("store", "new", tmp_path / "s", "--study", SECOND, "--purpose", "rehearsal")
    assert twice.returncode == 1


def test_a_folder_that_was_changed_is_said_and_changes_nothing(store: Path, tmp_path: Path) -> None:
    import shutil

    from equipoise.cli.demo import changed_since

    folder = tmp_path / "study"
    shutil.copytree(STUDY, folder)
    assert changed_since(folder, store) == ()
    path = folder / "eligibility.yaml"
    path.write_text(path.read_text("utf-8").replace("in 18..70", "in 18..60", 1), "utf-8")
    assert [found.rule for found in changed_since(folder, store)] == ["cli.definition-changed"]
    path.write_text("criteria: [", "utf-8")
    assert changed_since(folder, store)[0].where.startswith(str(folder)) or "eligibility.yaml" in str(
        changed_since(folder, store)[0].where
    )


def test_a_person_gets_a_sign_in_and_loses_it(tmp_path: Path) -> None:
    store = tmp_path / "s"
    assert run("store", "new", store, "--study", SECOND, "--purpose", "trial").returncode == 0
    given = ("--user", "u1", "--role", "coordinator", "--name", "Ada")

    def account(
        *words: object, said: str = ""
    ) -> subprocess.CompletedProcess[str]:  # Django has one door a process
        command = [*COMMAND, "account", *map(str, words)]
        return subprocess.run(command, input=said, capture_output=True, text=True, timeout=60)

    assert account("add", store, "ada", *given, said="short\n").returncode == 1
    made = account("add", store, "ada", *given, said="correct horse battery\n")
    assert made.returncode == 0, made.stderr
    assert "battery" not in made.stdout + made.stderr
    assert b"battery" not in (store / "accounts.sqlite").read_bytes()
    assert account("close", store, "ada").returncode == 0
    assert account("close", store, "nobody").returncode == 1
    assert account("add", tmp_path / "none", "x", *given).returncode == 1


@pytest.mark.parametrize(
    "command",
    [
        ("study", "import", STUDY / "study.yaml", "-o"),
        ("export", ".", "--format", "archive", "-o"),
        ("store", "new", "--study", STUDY, "--purpose", "rehearsal"),
    ],
)
def test_a_file_where_a_folder_is_to_be_written_is_left_alone(
    command: tuple[object, ...], tmp_path: Path
) -> None:
    place = tmp_path / "taken"
    place.write_text("mine", "utf-8")
    answer = run(*command, place)
    assert answer.returncode == 1
    assert answer.stderr.strip().splitlines()[-1].startswith(f"{place}: There is something")
    assert place.read_text("utf-8") == "mine"


def test_the_last_line_about_a_faulty_study_says_why(tmp_path: Path) -> None:
    shutil.copytree(SECOND, tmp_path / "study")
    conduct = tmp_path / "study" / "conduct.yaml"
    conduct.write_text(conduct.read_text("utf-8").replace("permuted_blocks", "drawing_lots"), "utf-8")
    for language, word in (("en", "no method drawing_lots"), ("zh", "没有名为 drawing_lots 的随机方法")):
        ran = run("study", "check", tmp_path / "study", language=language)
        last = ran.stderr.rstrip("\n").rsplit("\n", 1)[-1]
        assert (ran.returncode, word in last, "conduct.yaml:" in last) == (1, True, True)


def test_forms_are_printed_from_a_definition_and_never_over_a_file(tmp_path: Path) -> None:
    out = tmp_path / "crf.pdf"
    told = run("study", "crf", STUDY, "-o", out, "--form", "DM", "--annotated")
    assert told.returncode == 0, told.stderr
    assert out.read_bytes().startswith(b"%PDF")
    again = run("study", "crf", STUDY, "-o", out)
    assert again.returncode == 1
    assert "already" in again.stdout + again.stderr
    unknown = run("study", "crf", STUDY, "-o", tmp_path / "x.pdf", "--form", "NONE")
    assert unknown.returncode == 1
    assert not (tmp_path / "x.pdf").exists()
