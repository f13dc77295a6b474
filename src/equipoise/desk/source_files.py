"""The files of a whole store: whether every one is there and whole, and their copy in an archive.

The rules that must stay true: a file that an entry names and that is missing or altered is a finding, and so is a file
whose bytes are not what its name says; both only read. A participant's files whose key was destroyed are not missed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from equipoise.ledger.entries import SourceAttached
from equipoise.ledger.files import Kept, altered_files, files_of, is_there, read_file
from equipoise.ledger.opening import Ledger, open_ledger, places_of
from equipoise.ledger.store import StoreFault
from equipoise.words.problem import Problem, problem

ARCHIVE = "entries.jsonl"
"""The archive's own name in its folder."""
_KIND = b'"kind":"SourceAttached"'


@dataclass(frozen=True, slots=True)
class Checked:
    """What was looked at: files named by entries, and what is wrong."""

    named: int
    problems: tuple[Problem, ...]


def check_files(store: Path) -> Checked:
    """Hold the files of a store, or of an archive's folder, against their names and against the entries.

    Of a store's entries that needs its keys; an archive has them opened.
    """
    wrong = [problem("attachments.altered", str(path), name=path.name) for path in altered_files(store)]
    if not places_of(store).store.exists():
        return _check_archive(store, wrong)
    if not places_of(store).keys.exists():
        return Checked(0, tuple(wrong))
    ledger = open_ledger(store, write=False)
    if isinstance(ledger, Problem):
        return Checked(0, (*wrong, ledger))
    named = 0
    try:
        for stream, seq, entry in attached(ledger):
            named += 1
            if not is_there(store, entry.address):
                wrong.append(problem("attachments.lost", f"{stream} {seq}", stream=stream, seq=seq))
    except StoreFault:
        pass  # what is wrong with the entries themselves is the verifier's to say
    finally:
        ledger.close()
    return Checked(named, tuple(wrong))


def _check_archive(folder: Path, wrong: list[Problem]) -> Checked:
    archive, named = folder / ARCHIVE, 0
    lines = archive.read_bytes().splitlines() if archive.is_file() else []
    for line in lines:
        if _KIND not in line:
            continue
        try:
            one = json.loads(line)
            header, body = one["header"], one["bodies"]["main"].get("body")
            digest = str(body["digest"]) if body is not None else ""
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # what is wrong with the entries themselves is the verifier's to say
        if digest:
            named += 1
            if not (files_of(folder) / digest).is_file():
                where = {"stream": header["stream"], "seq": header["seq"]}
                wrong.append(problem("attachments.lost", str(folder), **where))
    return Checked(named, tuple(wrong))


def copy_files(ledger: Ledger, out: Path) -> list[Path] | Problem:
    """Write every file that can be opened, as it was chosen, under its digest into `out/files`."""
    written: list[Path] = []
    for stream, _, entry in attached(ledger):
        target = files_of(out) / entry.digest
        data = read_file(ledger, stream, Kept(entry.digest, entry.address, entry.size))
        if isinstance(data, Problem):
            if data.rule == "ledger.file-erased":
                continue
            return data
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        written.append(target)
    return written


def attached(ledger: Ledger) -> Iterator[tuple[str, int, SourceAttached]]:
    """Every entry that names a file and can be opened, with its stream and seq. Bodies of other kinds stay closed."""
    with ledger.reading() as reader:
        for recorded in reader.of_kind("SourceAttached"):
            if isinstance(recorded.entry, SourceAttached):
                yield recorded.header.stream, recorded.header.seq, recorded.entry
