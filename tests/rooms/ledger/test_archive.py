"""Archives: the same root whatever they show, and every change found."""

from __future__ import annotations

import itertools
import json
import random
import re
import shutil

import pytest

from equipoise.ledger.archive import write_archive
from equipoise.ledger.checkpoint import make_checkpoint
from equipoise.ledger.entries import Append, StoreOpened
from equipoise.ledger.verify import verify_path
from rooms.ledger.ledger_world import (
    NOON,
    SECRET,
    STUDY,
    again,
    fresh,
    furnished,
    last_line,
    must,
    query,
    rules,
    save,
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


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The smallest archive that has everything in it: free text, a query, bodies opened and sealed, a checkpoint."""
    folder = tmp_path_factory.mktemp("small")
    ledger = fresh(folder / "store")
    must(ledger, "open", Append("study", StoreOpened("trial", STUDY)))
    must(ledger, "one", save("subject/s0", 1, SECRET), query("subject/s0", 1))
    make_checkpoint(ledger, NOON)
    path = folder / "archive.jsonl"
    write_archive(ledger, path, lambda header, part: "sealed" if header.seq == 2 else "open")
    ledger.close()
    return path


def _missed(path, places, bits) -> list[tuple[int, int]]:
    """Positions at which a flipped bit is not found; the file is as before afterwards."""
    data, found = path.read_bytes(), []
    assert verify_path(path).ok
    for at, bit in itertools.product(places, bits):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :])
        if verify_path(path).ok:
            found.append((at, bit))
    path.write_bytes(data)
    return found


def test_capitals_in_a_nonce_are_found(small):
    """Bit 5 turns a small letter into a capital: hexadecimal capitals give the same bytes and once went unseen."""
    nonces = [one.span(1) for one in re.finditer(rb'"nonce":"([0-9a-f]+)"', small.read_bytes())]
    assert len(nonces) == 3  # the store's first entry has one part, the save two; the query is sealed
    places = [at for begin, end in nonces for at in range(begin, end)]
    assert _missed(small, places, [5]) == []


@pytest.mark.nightly
def test_every_bit_of_an_archive_that_is_flipped_is_found(small):
    """Nothing in an archive is outside what is verified: each position, each bit."""
    assert _missed(small, range(small.stat().st_size), range(8)) == []


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b'{"archive":1,', b'{"archive":2,'),
        (b'{"archive":1,', b'{"archive":1,"by":"somebody",'),
        (b'"checkpoint":', b'"by":"somebody","checkpoint":'),
        (b'"entries":', b'"by":"somebody","entries":'),
        (b'"nonce":"', b'"more":"","nonce":"'),
        (b'"nonce":"', b'"nonce":" '),
    ],
)
def test_what_an_archive_does_not_write_is_not_taken(small, tmp_path, was, becomes):
    path = tmp_path / "changed.jsonl"
    data = small.read_bytes()
    assert was in data
    path.write_bytes(data.replace(was, becomes, 1))
    assert not verify_path(path).ok


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
