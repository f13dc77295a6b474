"""Files that are none, places that cannot be used, terminals that know few letters, readers that go away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from commanded import typed_bytes
from equipoise.cli import main as terminal
from equipoise.cli.answer import visible
from equipoise.ledger.store import StoreFault
from equipoise.words.problem import problem

ROOT = Path(__file__).resolve().parents[3]
STUDY = ROOT / "studies" / "nct07197606"
PAGE = ROOT / "tests" / "vectors" / "registry" / "chinese-page.txt"


def command(*arguments: object) -> list[str]:
    return [
        sys.executable,
        "-m",
        "equipoise.cli.main",
        *map(os.fsdecode, map(os.fspath, map(str, arguments))),
    ]


def environment(**more: str) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "src"), **more}


def run(*arguments: object, **more: str) -> subprocess.CompletedProcess[bytes]:
    """One command as bytes in and out, under an environment of its own."""
    return subprocess.run(command(*arguments), capture_output=True, timeout=120, env=environment(**more))


def last(ran: subprocess.CompletedProcess[bytes], encoding: str = "utf-8") -> str:
    assert b"Traceback" not in ran.stderr, ran.stderr
    return ran.stderr.decode(encoding).rstrip("\n").rsplit("\n", 1)[-1]


def test_a_device_without_end_is_refused() -> None:
    ran = run("study", "import", "/dev/zero", "-o", "anywhere")
    assert ran.returncode == 1
    assert "32 MB" in last(ran)  # registry.LARGEST


@pytest.mark.parametrize("subject", ["study", "export", "store"])
def test_a_file_where_a_folder_belongs_is_refused(tmp_path: Path, subject: str) -> None:
    place = tmp_path / "a file"
    place.write_text("mine")
    ran = {
        "study": lambda: typed_bytes("study", "import", PAGE, "-o", place),
        "export": lambda: typed_bytes("export", tmp_path, "--format", "archive", "-o", place),
        "store": lambda: typed_bytes("store", "new", place, "--study", STUDY, "--purpose", "rehearsal"),
    }[subject]()
    assert ran.returncode == 1
    assert "a file" in last(ran)
    assert place.read_text() == "mine"


def test_a_name_may_hold_any_bytes(tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"p\xffa\x1b[31mge\n.txt")
    odd.write_bytes(PAGE.read_bytes())
    ran = run("study", "import", odd, "-o", tmp_path / "skeleton", "--json")
    assert ran.returncode == 0, ran.stderr
    assert b"\x1b" not in ran.stdout + ran.stderr
    assert json.loads(ran.stdout)["identifier"] == "NCT09990005"  # chinese-page.txt
    assert run("study", "check", tmp_path / "skeleton").returncode == 0


def test_a_text_that_is_none_is_wrong_usage(tmp_path: Path) -> None:
    for name in ("reason", "reason\n"):
        ran = run("store", "pause", tmp_path, "--reason", os.fsdecode(b"\xff") + name)
        assert ran.returncode == 2
        assert "reason" in last(ran)


def test_a_ceremony_in_a_place_of_any_name(tmp_path: Path) -> None:
    place = tmp_path / os.fsdecode(b"l\xffst")
    study = ROOT / "tests" / "studies" / "second"
    ran = run(
        "allocation",
        "make",
        study,
        "--public",
        place / "p",
        "--vault",
        place / "v",
        "--few-seeds-reason",
        "a test",
        "--json",
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["said"][-1].startswith("ok ")
    assert run("allocation", "verify", place / "p").returncode == 0


def test_signs_that_steer_a_terminal_are_written_out() -> None:
    assert visible("a\x1b[31m\nb\u202ec\udcff") == r"a\x1b[31m\nb\u202ec\udcff"
    assert visible("受试者 “x” à · 　") == "受试者 “x” à · 　"  # a full-width space is no steering sign


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "gb18030", "utf-8"])
def test_every_terminal_gets_whole_json_and_all_lines(encoding: str) -> None:
    for options in ((), ("--json",)):
        asked = ("study", "assumptions", STUDY, *options)
        if encoding == "ascii":  # once as the system says it to a process
            ran = run(*asked, PYTHONIOENCODING=encoding, EQUIPOISE_LANGUAGE="zh")
        else:
            ran = typed_bytes(*asked, encoding=encoding, language="zh")
        assert ran.returncode == 0
        last(ran, encoding)
        if options:
            assert len(json.loads(ran.stdout.decode(encoding))) > 20
        else:
            assert len(ran.stdout.decode(encoding).splitlines()) > 20


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_an_answer_that_finds_no_room_is_no_success(options: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            command("study", "assumptions", STUDY, *options),
            stdout=full, stderr=subprocess.PIPE, timeout=120, env=environment(),
        )  # fmt: skip
    assert ran.returncode == 1
    assert "No space left" in last(ran)


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_reader_that_goes_away_is_told_no_more(options: tuple[str, ...]) -> None:
    ran = subprocess.Popen(
        command("study", "assumptions", STUDY, *options),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(),
    )  # fmt: skip
    assert ran.stdout is not None
    assert ran.stderr is not None
    ran.stdout.close()  # before a line is written
    said = ran.stderr.read()
    assert ran.wait(120) == 1
    assert b"Traceback" not in said
    assert b"Exception ignored" not in said
    ran.stderr.close()


def test_without_standard_output_the_status_still_answers() -> None:
    for asked, status in ((STUDY, 0), (STUDY / "nowhere", 1)):
        line = " ".join([*command("study", "check", asked), ">&-"])
        ran = subprocess.run(["/bin/sh", "-c", line], capture_output=True, timeout=120, env=environment())
        assert ran.returncode == status
        assert b"Traceback" not in ran.stderr


@pytest.mark.parametrize("port", ["-1", "65536", "99999", "８０", "1e3", ""])
def test_what_is_no_port_is_wrong_usage(port: str, tmp_path: Path) -> None:
    for subject in ("serve", "demo"):
        ran = typed_bytes(
            subject, f"--port={port}", *([tmp_path] if subject == "serve" else ["--study", tmp_path])
        )
        assert ran.returncode == 2, subject
        assert "65535" in last(ran)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (PermissionError(13, "Permission denied", "/secret/place"), "/secret/place"),
        (StoreFault(problem("ledger.disk-full", "here", path="here")), "disk"),
        (KeyboardInterrupt(), "Interrupted"),
    ],
)
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_what_the_system_refuses_is_an_answer(
    fault: BaseException,
    says: str,
    options: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(folder: Path) -> None:
        raise fault

    monkeypatch.setattr("equipoise.protocol.load.load_study", refuse)
    assert terminal.main(["study", "assumptions", str(STUDY), *options]) == 1
    said = capsys.readouterr()
    assert says in said.err.splitlines()[-1]
    if options:
        assert json.loads(said.out)["problems"]
    else:
        assert said.out == ""
