"""Files of cases as people make them, and as nobody should: each is answered, none is guessed at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from equipoise.cli import main as terminal
from equipoise.cli.study import read_study
from equipoise.protocol.study import Study

ROOT = Path(__file__).resolve().parents[3]
STUDY = ROOT / "studies" / "nct07197606"


@pytest.fixture(scope="module")
def first() -> Study:
    """The first study, read once."""
    found = read_study(STUDY)
    assert isinstance(found, Study)
    return found


@pytest.fixture
def screen(
    first: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Any:
    """Screen a file with this content: exit status, the JSON on standard output, the last line of standard error."""
    monkeypatch.setattr("equipoise.cli.screen.read_study", lambda folder: first)

    def run(content: bytes | str | list[Any]) -> tuple[int, Any, str]:
        file = tmp_path / "cases.json"
        data = content if isinstance(content, bytes | str) else json.dumps(content)
        file.write_bytes(data if isinstance(data, bytes) else data.encode())
        status = terminal.main(["screen", str(STUDY), "--cases", str(file), "--json"])
        said = capsys.readouterr()
        return status, json.loads(said.out), said.err.rstrip("\n").rsplit("\n", 1)[-1]

    return run


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_json_is_read_in_each_of_its_encodings(screen: Any, encoding: str) -> None:
    status, value, _ = screen('[{"case": "张三", "input": {"age": 20}}]'.encode(encoding))
    assert status == 0
    assert [case["case"] for case in value] == ["张三"]


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ('[{"case": "x", "input": {"age": 20, "age": 80}}]', "age"),
        ('[{"case": "x", "input": {"age": 20}, "input": {"age": 90}}]', "input"),
        ('[{"case": "x", "input": {"nihss": {"1a": 0, "1a": 3}}}]', "1a"),
    ],
)
def test_a_key_that_stands_twice_is_named(screen: Any, content: str, key: str) -> None:
    status, _, last = screen(content)
    assert status == 1
    assert f"“{key}”" in last


@pytest.mark.parametrize(
    "number",
    [
        *("NaN", "Infinity", "-Infinity", "1e400", "1" + "0" * 5000, '"1e999999999"', '"9e999"', '"1e-99999999"'),
        *('"2_0"', '"0x14"', '"20 years"', '""', '"1/2"', "true", "[20]", "121", "-1", "20.5"),
    ],
)  # fmt: skip
def test_a_number_that_cannot_be_is_refused_at_once(screen: Any, number: str) -> None:
    status, _, last = screen(f'[{{"case": "x", "input": {{"age": {number}}}}}]')
    assert status == 1
    assert last


@pytest.mark.parametrize("number", ["20", "20.0", '"20"', '" 20 "', '"+20"', '"２０"', "2e1"])
def test_a_number_is_read_however_it_is_written(screen: Any, number: str) -> None:
    status, value, _ = screen(f'[{{"case": "x", "input": {{"age": {number}}}}}]')
    assert (status, value[0]["results"]["I01"]) == (0, "T")


def test_a_criterion_and_its_opposite_are_not_both_believed(screen: Any) -> None:
    status, _, last = screen([{"case": "x", "input": {"E03": "F", "prestroke_mrs": 5}}])
    assert status == 1
    assert "“E03”" in last
    for stated, results in (
        ("T", "T"),
        ("U", "U"),
        (None, "U"),
    ):  # what is stated counts where nothing contradicts it
        status, value, _ = screen([{"case": "x", "input": {"E03": stated, "prestroke_mrs": 5}}])
        assert (status, value[0]["results"]["E03"]) == (0, results)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (5, 5),
        ("5", "5"),
        (None, "1"),
        ("", "1"),
        (1.50, "1.5"),
        (True, "true"),
        ([1, {"a": "x"}], '[1, {"a": "x"}]'),
    ],
)
def test_a_case_is_called_what_the_file_calls_it(screen: Any, name: Any, shown: Any) -> None:
    status, value, _ = screen([{"case": name, "input": {"age": 20}}])
    assert (status, value[0]["case"]) == (0, shown)


def test_half_a_letter_in_a_name_comes_back_as_it_was(screen: Any) -> None:
    status, value, _ = screen(r'[{"case": "a\ud800\u001b[31m", "input": {"age": 20}}]')
    assert (status, value[0]["case"]) == (0, "a\ud800\x1b[31m")


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\x00", b"[] []", b"[" * 100_000, b'[{"case": "x", "input": {"nihss":' + b'{"a":' * 50_000],
)
def test_what_is_no_json_is_said_to_be_none(screen: Any, content: bytes) -> None:
    status, value, last = screen(content)
    assert (status, value["problems"][0]["rule"]) == (1, "cli.not-json")
    assert "cases.json" in last


def test_a_file_without_end_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("equipoise.cli.screen.LARGEST", 2**20)
    assert terminal.main(["screen", str(STUDY), "--cases", "/dev/zero"]) == 1
    assert "1 MB" in capsys.readouterr().err
