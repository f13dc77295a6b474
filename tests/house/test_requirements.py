"""The locks: every package by one version and its hashes, no address of an index, and the page that gives the reasons."""

from __future__ import annotations

import re

import pytest
from house_files import text

PINNED = re.compile(r"^([a-z0-9._-]+)==(\S+) \\$", re.M)
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}\b")
WANTED = re.compile(r"^([A-Za-z0-9._-]+)", re.M)


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lock: str) -> dict[str, str]:
    return {plain(name): version for name, version in PINNED.findall(text(f"requirements/{lock}"))}


def wanted(source: str) -> set[str]:
    lines = [line for line in text(f"requirements/{source}").splitlines() if line and line[0] not in "#-"]
    return {plain(WANTED.findall(line)[0]) for line in lines}


@pytest.mark.parametrize("lock", ["run.txt", "test.txt"])
def test_every_line_of_a_lock_is_a_pin_or_a_hash(lock):
    lines = text(f"requirements/{lock}").splitlines()
    strays = [
        line
        for line in lines
        if not PINNED.match(line) and not HASH.fullmatch(line.strip().removesuffix(" \\"))
    ]
    assert not strays, strays


@pytest.mark.parametrize("lock", ["run.txt", "test.txt"])
def test_every_pin_has_a_hash(lock):
    parts = PINNED.split(text(f"requirements/{lock}"))[3::3]
    assert parts
    assert all(HASH.search(part) for part in parts)


def test_the_test_lock_holds_the_run_lock():
    assert pins("run.txt").items() <= pins("test.txt").items()


@pytest.mark.parametrize(("source", "lock"), [("run.in", "run.txt"), ("test.in", "test.txt")])
def test_what_is_asked_for_is_locked(source, lock):
    assert wanted(source)
    assert wanted(source) <= set(pins(lock))


def test_every_package_asked_for_has_its_reason():
    page = text("docs/decisions/0001-dependencies.md")
    named = {plain(name) for name in re.findall(r"^\| `([^`]+)`", page, re.M)}
    assert named == wanted("run.in") | wanted("test.in")
