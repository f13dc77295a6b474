"""The demonstration's folders: made whole or made again, never another's, never under somebody's hands."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from demonstrated import copied
from equipoise.cli import demo as command
from equipoise.cli import main as terminal
from equipoise.desk.desk import open_desk
from equipoise.ledger.verify import verify_path
from equipoise.words.problem import Problem

ROOT = Path(__file__).resolve().parents[3]
STUDY = ROOT / "studies" / "nct07197606"


def play(store: Path, vault: Path, *options: str, study: Path = STUDY) -> int:
    return terminal.main(
        ["demo", "--no-serve", "--study", str(study), "--store", str(store), "--vault", str(vault), *options]
    )


def held(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a demonstration in `store` and `vault`."""
    return copied(tmp_path_factory)


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.rstrip("\n").rsplit("\n", 1)[-1]


def test_what_is_there_is_kept_and_said_to_be(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = held(made)
    assert play(made / "store", made / "vault") == 0
    assert held(made) == before
    assert "--reset" in capsys.readouterr().out


def test_a_reset_without_a_study_to_play_takes_nothing_away(made: Path, tmp_path: Path) -> None:
    before = held(made)
    for study in (tmp_path / "nowhere", ROOT / "tests" / "studies" / "second"):  # the second has no people
        assert play(made / "store", made / "vault", "--reset", study=study) == 1
    assert held(made) == before


def test_a_reset_under_a_running_server_is_refused(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    desk = open_desk(made / "store")
    assert not isinstance(desk, Problem)
    try:
        assert play(made / "store", made / "vault", "--reset") == 1
        assert str(os.getpid()) in said(capsys)
    finally:
        desk.close()
    assert verify_path(made / "store").ok


def test_a_folder_that_cannot_be_emptied_is_left_whole(
    made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before, fixed, may = held(made), made / "store" / "keys", os.access

    def access(path: Path, mode: int) -> bool:  # what a person without rights there would be told
        return Path(path) != fixed and may(path, mode)

    monkeypatch.setattr(os, "access", access)
    assert play(made / "store", made / "vault", "--reset") == 1
    assert "keys" in said(capsys)
    assert held(made) == before


@pytest.mark.parametrize(("store", "vault"), [("s", "s"), ("s", "s/v"), ("v/s", "v"), ("s", "v/../s/x")])
def test_the_vault_does_not_lie_in_the_store(tmp_path: Path, store: str, vault: str) -> None:
    assert play(tmp_path / store, tmp_path / vault) == 1
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("which", ["store", "vault"])
@pytest.mark.parametrize("options", [(), ("--reset",)])
def test_what_is_another_s_is_not_touched(tmp_path: Path, which: str, options: Sequence[str]) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "letter").write_text("mine")
    before = held(tmp_path)
    for foreign in ("file", "folder"):
        places = {"store": tmp_path / "s", "vault": tmp_path / "v", which: tmp_path / foreign}
        assert play(places["store"], places["vault"], *options) == 1
    assert held(tmp_path) == before


def test_what_was_broken_off_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> tuple[Problem, ...]:
        raise KeyboardInterrupt

    store, vault = tmp_path / "store", tmp_path / "vault"
    with monkeypatch.context() as broken:
        broken.setattr(command, "load_participants", stop)
        assert play(store, vault) == 1
    assert play(store, vault) == 0
    assert verify_path(store).ok


def test_a_store_behind_a_link_is_started_over_there(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "store").symlink_to(tmp_path / "disk")
    for options in ((), ("--reset",)):
        (tmp_path / "disk" / "left.txt").unlink(missing_ok=True)
        assert play(tmp_path / "store", tmp_path / "vault", *options) == 0
        assert verify_path(tmp_path / "disk").ok
        (tmp_path / "disk" / "left.txt").write_text("entered since")
    assert (tmp_path / "store").is_symlink()
