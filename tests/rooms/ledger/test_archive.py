"""Archives: the same root whatever they show, and every change found."""

from __future__ import annotations

import json
import random
import shutil

import pytest

from equipoise.ledger.archive import write_archive
from equipoise.ledger.verify import verify_path
from rooms.ledger.ledger_world import (
    SECRET,
    again,
    furnished,
    last_line,
    rules,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A furnished store; every test below works on a copy."""
    return furnished(tmp_path_factory.mktemp("made") / "store")


@pytest.fixture
def folder(made, tmp_path):
    shutil.copytree(made, tmp_path / "store")
    return tmp_path / "store"


# --- archives ------------------------------------------------------------------------------------------------------


@pytest.fixture
def archive(folder, tmp_path):
    """Writes an archive of the store under a rule, and gives its path."""

    def write(rule=None):
        ledger = again(folder, write=False)
        target = tmp_path / "archive.jsonl"
        written = write_archive(ledger, target, *([rule] if rule else []))
        ledger.close()
        assert written.path == target, written
        return target

    return write


@pytest.mark.parametrize("showing", ["open", "sealed", "withheld", "main only"])
def test_an_archive_verifies_to_the_same_root_whatever_it_shows(folder, archive, showing):
    def rule(header, part):
        return ("open" if part == "main" else "withheld") if showing == "main only" else showing

    path = archive(rule)
    verdict, store = verify_path(path), verify_path(folder)
    assert last_line(verdict) == last_line(store)
    assert (verdict.checkpoints, verdict.signatures) == (2, 2)
    total = store.bodies_sealed
    counts = (verdict.bodies_opened, verdict.bodies_sealed, verdict.bodies_withheld)
    headers = [
        value["header"] for value in map(json.loads, path.read_bytes().splitlines()) if "header" in value
    ]
    asides = sum(body["part"] == "aside" for header in headers for body in header["bodies"])
    assert counts == {
        "open": (total, 0, 0), "sealed": (0, total, 0), "withheld": (0, 0, total),
        "main only": (total - asides, 0, asides),
    }[showing]  # fmt: skip
    text = path.read_text("utf-8")
    assert (SECRET in text) == (showing == "open")
    assert ("NIHSS0101" in text) == (showing in {"open", "main only"})


def test_an_erased_body_is_archived_sealed(folder, archive):
    ledger = again(folder)
    ledger.keys.destroy("subject/s0")
    ledger.close()
    verdict = verify_path(archive())
    assert verdict.ok
    assert verdict.bodies_sealed > 200  # 110 saves with free text, two parts each


def test_an_archive_is_never_written_over(folder, archive):
    path = archive()
    before = path.read_bytes()
    ledger = again(folder, write=False)
    assert rules(write_archive(ledger, path)) == ["ledger.archive-exists"]
    ledger.close()
    assert path.read_bytes() == before


def test_every_kind_of_change_to_an_archive_is_found(archive):
    path = archive()
    data = path.read_bytes()
    lines = data.splitlines(keepends=True)
    swapped = [*lines[:5], lines[6], lines[5], *lines[7:]]
    cases = {
        "the last line cut": b"".join(lines[:-1]),
        "cut in the middle": data[: len(data) // 2],
        "a line removed": b"".join([*lines[:7], *lines[8:]]),
        "a line twice": b"".join([*lines[:7], lines[7], *lines[7:]]),
        "two lines swapped": b"".join(swapped),
        "something after the end": data + lines[7],
        "an empty line": b"".join([*lines[:7], b"\n", *lines[7:]]),
        "the first line removed": b"".join(lines[1:]),
        "a part by another name": data.replace(b'"bodies":', b'"bOdies":', 1),
        "white space": data.replace(b'"leaf":', b'"leaf": ', 1),
    }
    for what, changed in cases.items():
        path.write_bytes(changed)
        assert not verify_path(path).ok, what
    path.write_bytes(data)
    assert verify_path(path).ok


def test_any_byte_of_an_archive_changed_is_found(archive):
    path = archive()
    data = bytearray(path.read_bytes())
    draw = random.Random(8)
    for _ in range(150):
        at = draw.randrange(len(data))
        changed = bytearray(data)
        changed[at] ^= 1 << draw.randrange(8)
        path.write_bytes(changed)
        assert not verify_path(path).ok, at


def test_an_opened_body_that_was_changed_is_named(archive):
    path = archive()
    text = path.read_text("utf-8")
    lines = text.splitlines(keepends=True)
    at = next(
        number for number, line in enumerate(lines) if '"stream":"subject/s2"' in line and '"seq":2' in line
    )
    lines[at] = lines[at].replace('"complete":true', '"complete":false')
    path.write_text("".join(lines), "utf-8")
    assert last_line(verify_path(path)).startswith(
        "BAD stream subject/s2 entry 2 (records of one participant): its body"
    )
