"""A list and the store it is for: another study's, another version's, a changed one and a second one are not taken."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from equipoise.cli import main as terminal
from equipoise.desk.desk import open_desk
from equipoise.ledger.verify import verify_path
from equipoise.words.problem import Problem

ROOT = Path(__file__).resolve().parents[3]
STUDY = ROOT / "tests" / "studies" / "second"


def copied(place: Path, before: str, after: str) -> Path:
    """The second study with one text of its definition changed."""
    shutil.copytree(STUDY, place)
    changed = 0
    for file in place.glob("*.yaml"):
        text = file.read_text("utf-8")
        changed += text.count(before)
        file.write_text(text.replace(before, after), "utf-8")
    assert changed == 1, before
    return place


def made(study: Path, place: Path) -> Path:
    assert (
        terminal.main(
            [
                "allocation",
                "make",
                str(study),
                "--public",
                str(place / "p"),
                "--vault",
                str(place / "v"),
                "--few-seeds-reason",
                "a test",
            ]
        )
        == 0
    )
    return place / "p"


@pytest.fixture(scope="module")
def the_list(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(STUDY, tmp_path_factory.mktemp("list"))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    assert terminal.main(["store", "new", str(folder), "--study", str(STUDY), "--purpose", "trial"]) == 0
    return folder


def publish(store: Path, public: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    capsys.readouterr()
    status = terminal.main(["allocation", "publish", str(store), str(public), "--json"])
    value: Any = json.loads(capsys.readouterr().out)
    return status, [problem["rule"] for problem in value.get("problems", [])]


def test_a_list_is_taken_once(store: Path, the_list: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert publish(store, the_list, capsys) == (0, [])
    assert publish(store, the_list, capsys) == (1, ["randomization.list-already-published"])
    assert verify_path(store).ok


@pytest.mark.parametrize(
    ("before", "after"),
    [  # lines of tests/studies/second
        ("id: quiet-nights", "id: loud-nights"),
        ('version: "2.3"', 'version: "2.4"'),
        ("sizes: \"4,8\"", "sizes: \"8,12\""),
    ],
)  # fmt: skip
def test_a_list_for_another_definition_is_refused(
    store: Path, tmp_path: Path, before: str, after: str, capsys: pytest.CaptureFixture[str]
) -> None:
    public = made(copied(tmp_path / "other", before, after), tmp_path / "made")
    assert publish(store, public, capsys) == (1, ["randomization.list-of-another-definition"])


def test_a_changed_list_is_refused(
    store: Path, the_list: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = json.loads((the_list / "allocation.json").read_bytes())
    content["over_bar_because"] = "x"
    (tmp_path / "allocation.json").write_text(
        json.dumps(content, sort_keys=True, separators=(",", ":")) + "\n"
    )
    assert publish(store, tmp_path, capsys) == (1, ["randomization.public-file-changed"])
    assert terminal.main(["allocation", "verify", str(tmp_path)]) == 1
    assert terminal.main(["allocation", "verify", str(the_list)]) == 0


def test_the_ceremony_speaks_the_reader_s_language(
    the_list: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EQUIPOISE_LANGUAGE", "zh")
    again = [
        "allocation",
        "make",
        str(STUDY),
        "--public",
        str(the_list),
        "--vault",
        str(the_list.parent / "w"),
        "--few-seeds-reason",
        "a test",
        "--json",
    ]
    assert terminal.main(again) == 1
    said = capsys.readouterr()
    [line] = json.loads(said.out)["said"]
    assert "已有" in line  # vault.ceremony-already-held, in Chinese
    assert said.err.rstrip("\n") == line


# ---------------------------------------------------------------- setting a store up


def names(store: Path) -> str:
    """The name that the register holds for `u1`."""
    desk = open_desk(store)
    assert not isinstance(desk, Problem)
    try:
        return desk.register.staff_name("u1")
    finally:
        desk.close()


def test_a_grant_that_is_refused_changes_no_name(store: Path) -> None:
    def grant(role: str, name: str) -> int:
        return terminal.main(["store", "grant", str(store), "u1", role, "--name", name])

    assert grant("coordinator", "Ada") == 0
    for role, name in (("coordinator", "Eve"), ("nonsense", "Eve"), ("monitor", " ")):
        assert grant(role, name) == 1
        assert names(store) == "Ada"


def test_an_open_site_takes_a_new_approval(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for approval, on, status in (
        ("EC-1", "2026-01-01", 0),
        ("EC-2", "2026-02-01", 0),
        (" ", "2026-03-01", 1),
    ):
        command = ["store", "open-site", str(store), "HOME", "--approval", approval, "--on", on]
        assert terminal.main(command) == status, capsys.readouterr().err


# ---------------------------------------------------------------- a ceremony in steps


def test_the_steps_of_a_ceremony_are_passed_on_as_they_were_typed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def step(*arguments: str) -> tuple[int, str]:
        capfd.readouterr()
        status = terminal.main(["allocation", *arguments])
        said = capfd.readouterr()
        return status, said.out + said.err

    vault = ["--vault", str(tmp_path / "v")]
    assert step("begin", str(STUDY), *vault, "--public-value", "a value of tomorrow")[0] == 0
    assert step("commit", *vault, "--by", "Ada Lovelace", "--digest", "ab" * 32)[0] == 0
    status, said = step("status", *vault)
    assert (status, f"Ada Lovelace {'ab' * 32}" in said) == (0, True)
    status, said = step("commit", *vault, "--by", "Bo", "--digest", "ab" * 32)
    assert (status, "nobody else's" in said) == (1, True)
    assert step("abort", *vault, "--reason", "Ada is ill")[0] == 0
    assert step("status", *vault)[1].splitlines()[-1] == "none, 1 aborted"
    assert step("commit", "--by", "Bo")[0] == 2
    assert "--digest" in step("commit", "--help")[1]


def test_seeds_are_typed_or_given_and_not_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    places = ["--public", str(tmp_path / "p"), "--vault", str(tmp_path / "v")]
    asked = ["allocation", "make", str(STUDY), *places, "--interactive", "--rehearsal-seed", "x"]
    assert terminal.main(asked) == 2
    assert "--seed" in capsys.readouterr().err
    asked = ["allocation", "make", str(STUDY), *places, "--public-value", "noon's beacon"]
    assert terminal.main(asked) == 2
    assert "--interactive" in capsys.readouterr().err
    assert not (tmp_path / "v").exists()
