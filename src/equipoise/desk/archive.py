"""What leaves a store: datasets, and the archive that an inspector checks without this program.

The rules that must stay true: both only read, so that a store can be exported while it is being served; what was
captured under a version of the definition that is no longer in force leaves with the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import reduce
from pathlib import Path

from equipoise.desk.clock import system_clock
from equipoise.desk.followers import SITES, SUBJECTS
from equipoise.desk.source_files import ARCHIVE, copy_files
from equipoise.desk.standing import Trial, read_trial
from equipoise.ledger.archive import write_archive
from equipoise.ledger.entries import RangeRow, Recorded
from equipoise.ledger.opening import open_ledger
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import StoreFault
from equipoise.oversight.evolve import SITE_START, evolve_site
from equipoise.standards.export import export_dataset_json
from equipoise.standards.sdtm_casebook import streams_of
from equipoise.words.problem import Problem, problem

Written = tuple[tuple[Path, int], ...]
"""The files written, each with its number of records."""


def definition_in_force(store: Path) -> Trial | Problem:
    """What holds for the trial of a store, read without disturbing a server that works on it."""
    ledger = open_ledger(store, write=False)
    if isinstance(ledger, Problem):
        return ledger
    try:
        with ledger.reading() as reader:
            return _released(reader, store)
    except StoreFault as fault:
        return fault.problem
    finally:
        ledger.close()


def _released(reader: Reader, store: Path) -> Trial | Problem:
    trial = read_trial(reader)
    return trial if trial.digest else problem("desk.no-study", str(store))


def ranges_of(reader: Reader) -> Mapping[str, tuple[RangeRow, ...]]:
    """The reference ranges of the laboratories, by site."""
    sites = {str(row["site"]) for row in reader.rows.find(SITES)}
    return {
        site: reduce(evolve_site, reader.entries(f"site/{site}"), SITE_START).ranges for site in sorted(sites)
    }


def entries_of(reader: Reader, subject: str) -> tuple[Recorded, ...]:
    """The entries of a subject's stream, then those of the subject's diary."""
    return tuple(one for name in streams_of(subject) for one in reader.entries(name))


def export_datasets(store: Path, out: Path) -> Written | Problem:
    """SDTM datasets of everything captured, as Dataset-JSON, one file each."""
    ledger = open_ledger(store, write=False)
    if isinstance(ledger, Problem):
        return ledger
    try:
        with ledger.reading() as reader:
            trial = _released(reader, store)
            if isinstance(trial, Problem):
                return trial
            rows = reader.rows.find(SUBJECTS, order=("number",))
            subjects = [entries_of(reader, str(row["subject"])) for row in rows]
            ranges = ranges_of(reader)
        rehearsal = trial.state.purpose == "rehearsal"
        paths = export_dataset_json(trial.record, subjects, ranges, out, system_clock(), rehearsal=rehearsal)
        return tuple((path, json.loads(path.read_text("utf-8"))["records"]) for path in paths)
    except StoreFault as fault:
        return fault.problem
    except OSError as fault:
        return problem("desk.cannot-write", str(out), reason=fault.strerror or fault)
    finally:
        ledger.close()


def export_archive(store: Path, out: Path) -> Written | Problem:
    """The whole ledger as one file of JSON lines, opened where keys still exist; scans as files beside it."""
    ledger = open_ledger(store, write=False)
    if isinstance(ledger, Problem):
        return ledger
    try:
        out.mkdir(parents=True, exist_ok=True)
        path = out / ARCHIVE
        archived = write_archive(ledger, path)
        if isinstance(archived, Problem):
            return archived
        copied = copy_files(ledger, out)
        if isinstance(copied, Problem):
            return copied
        return ((path, archived.entries), *((each, 1) for each in copied))
    except StoreFault as fault:
        return fault.problem
    except OSError as fault:
        return problem("desk.cannot-write", str(out), reason=fault.strerror or fault)
    finally:
        ledger.close()
