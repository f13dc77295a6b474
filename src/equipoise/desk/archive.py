"""What leaves a store: datasets, and the archive that an inspector checks without this program.

Both only read; a store that is being served can be exported at the same time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from equipoise.desk.clock import system_clock
from equipoise.desk.followers import SUBJECTS
from equipoise.ledger.archive import write_archive
from equipoise.ledger.opening import open_ledger
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import StoreFault
from equipoise.oversight import evolve as oversight
from equipoise.protocol.digest import study_from_canonical
from equipoise.protocol.study import Study
from equipoise.standards.export import export_dataset_json
from equipoise.words.canonical import read_canonical
from equipoise.words.problem import Problem, problem

Written = tuple[tuple[Path, int], ...]
"""The files written, each with its number of records."""


@dataclass(frozen=True, slots=True)
class Held:
    """The definition that a store runs under: the study, its digest (empty where none), and the store's purpose."""

    study: Study
    digest: str
    purpose: str | None


def read_trial(store: Path) -> Held | Problem:
    """The definition in force in a store, read without disturbing a server that works on it."""
    ledger = open_ledger(store, write=False)
    if isinstance(ledger, Problem):
        return ledger
    try:
        with ledger.reading() as reader:
            return _held(reader, store)
    except StoreFault as fault:
        return fault.problem
    finally:
        ledger.close()


def _held(reader: Reader, store: Path) -> Held | Problem:
    state = oversight.START
    for recorded in reader.entries("study"):
        state = oversight.evolve(state, recorded)
    if state.in_force is None:
        return problem("desk.no-study", str(store))
    study = study_from_canonical(read_canonical(state.in_force.definition.encode()))
    return Held(study, state.in_force.digest, state.purpose)


def export_datasets(store: Path, out: Path) -> Written | Problem:
    """SDTM datasets of everything captured, as Dataset-JSON, one file each."""
    ledger = open_ledger(store, write=False)
    if isinstance(ledger, Problem):
        return ledger
    try:
        with ledger.reading() as reader:
            held = _held(reader, store)
            if isinstance(held, Problem):
                return held
            rows = reader.rows.find(SUBJECTS, order=("number",))
            subjects = [reader.entries(f"subject/{row['subject']}") for row in rows]
        paths = export_dataset_json(
            held.study, subjects, out, system_clock(), rehearsal=held.purpose == "rehearsal"
        )
        return tuple((path, json.loads(path.read_text("utf-8"))["records"]) for path in paths)
    except StoreFault as fault:
        return fault.problem
    except OSError as fault:
        return problem("desk.cannot-write", str(out), reason=fault.strerror or fault)
    finally:
        ledger.close()


def export_archive(store: Path, out: Path) -> Written | Problem:
    """The whole ledger as one file of JSON lines, bodies opened where their keys still exist."""
    ledger = open_ledger(store, write=False)
    if isinstance(ledger, Problem):
        return ledger
    try:
        out.mkdir(parents=True, exist_ok=True)
        path = out / "entries.jsonl"
        archived = write_archive(ledger, path)
        return archived if isinstance(archived, Problem) else ((path, archived.entries),)
    except OSError as fault:
        return problem("desk.cannot-write", str(out), reason=fault.strerror or fault)
    finally:
        ledger.close()
