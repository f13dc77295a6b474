"""`equipoise allocation verify`: the public list, the release, and what the first door's ledger says, from a terminal."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from equipoise.cli import main as terminal
from equipoise.vault.releasing import release_of
from equipoise.words.canonical import canonical_bytes
from equipoise.words.problem import Problem
from rooms.vault.two_doors import Doors, make_doors, open_doors

STRATA = ("N6-12/D14-45", "N13-20/D14-45")


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A played trial: its public list, its release, its store, and an archive of that."""
    folder = tmp_path_factory.mktemp("released")
    make_doors(folder)
    doors: Doors = open_doors(folder)
    for count in range(5):
        doors.randomize(f"s{count}", STRATA[count % 2])
    doors.exchange()
    found = release_of(doors.vault)
    assert not isinstance(found, Problem)
    (folder / "release.json").write_bytes(found[0])
    doors.close()
    assert (
        terminal.main(["export", str(folder / "first"), "--format", "archive", "-o", str(folder / "out")])
        == 0
    )
    return folder


def verify(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict]:
    capsys.readouterr()
    status = terminal.main(["allocation", "verify", *map(str, arguments), "--json"])
    return status, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("ledger", ["first", "out/entries.jsonl"])
def test_list_release_and_ledger_agree(released, ledger, capsys):
    status, value = verify(
        capsys, released / "public", "--release", released / "release.json", "--ledger", released / ledger
    )
    assert status == 0, value
    assert value["said"].endswith(f"5 dispensed, root {value['root']}")
    assert value["same_program"] is True
    assert verify(capsys, released / "public", "--store", released / ledger)[0] == 0


def test_one_changed_byte_of_the_release_is_refused(released, tmp_path, capsys):
    changed = bytearray((released / "release.json").read_bytes())
    changed[len(changed) // 3] ^= 1
    (tmp_path / "release.json").write_bytes(changed)
    status, value = verify(capsys, released / "public", "--release", tmp_path / "release.json")
    assert (status, [each["rule"] for each in value["problems"]]) == (1, ["cli.release-disagrees"])


def test_a_release_that_leaves_somebody_out_is_found_against_the_ledger(released, tmp_path, capsys):
    content = json.loads((released / "release.json").read_bytes())
    content.pop("checksum")
    left_out = content["dispensed"].pop()
    checksum = hashlib.sha256(canonical_bytes(content)).hexdigest()
    (tmp_path / "release.json").write_bytes(canonical_bytes({**content, "checksum": checksum}) + b"\n")
    arguments = (released / "public", "--release", tmp_path / "release.json")
    assert verify(capsys, *arguments)[0] == 0, "by itself it agrees: nothing in it is false"
    status, value = verify(capsys, *arguments, "--ledger", released / "first")
    assert status == 1
    [found] = value["problems"]
    assert (found["rule"], found["where"]) == (
        "randomization.release-dispensed-otherwise",
        left_out["number"],
    )


def test_a_ledger_that_does_not_verify_is_not_believed(released, tmp_path, capsys):
    archive = tmp_path / "entries.jsonl"
    shutil.copy(released / "out" / "entries.jsonl", archive)
    archive.write_bytes(archive.read_bytes().replace(b'"SlotTaken"', b'"SlotTaker"', 1))
    status, value = verify(capsys, released / "public", "--ledger", archive)
    assert (status, [each["rule"] for each in value["problems"]]) == (1, ["cli.ledger-not-verified"])
    status, value = verify(capsys, released / "public", "--ledger", tmp_path / "nothing")
    assert (status, [each["rule"] for each in value["problems"]]) == (1, ["cli.ledger-not-verified"])
