"""What a store held at a cut, as the tables that an analysis is derived from. It only reads.

The rules that must stay true: of the entries, only those count that were recorded up to the end of the day of the cut
(at the study's first site); definition and plan are those in force then. Nothing of an arm passes here: it hands on
what this door's ledger says of the final release, so that who reads a file of arms can check.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from equipoise.analysis.datasets.derive import plain_tables
from equipoise.analysis.datasets.table import Table
from equipoise.desk.archive import entries_of, ranges_of
from equipoise.desk.followers import SUBJECTS
from equipoise.desk.past import PastReader
from equipoise.desk.standing import read_trial
from equipoise.ledger.entries import (
    AllocationPublished,
    AllocationReleased,
    SecondDoorEnrolled,
    SlotTaken,
    SubjectRandomized,
)
from equipoise.ledger.opening import open_ledger
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import StoreFault
from equipoise.protocol.study import Study
from equipoise.randomization.dispensing import Taken
from equipoise.standards.at_cut import columns_of
from equipoise.words.clock import end_of_day
from equipoise.words.problem import Problem, problem


@dataclass(frozen=True, slots=True)
class Told:
    """What the ledger says of the list and its release: who took what, the released file, keys of the second door."""

    taken: Taken | None
    released: AllocationReleased | None
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AtCut:
    """What an analysis starts from. numbers: USUBJID -> public randomization number; streams: USUBJID -> stream."""

    study: Study
    rehearsal: bool
    until: dt.date
    tables: Mapping[str, Table]
    numbers: Mapping[str, str]
    streams: Mapping[str, str]
    told: Told


def read_at_cut(store: Path, cut: str) -> AtCut | Problem:
    """The tables of a store as of the end of a day (ISO).

    Problems: `desk.no-study`, `analysis_report.cut-unfit`, and those of a store that cannot be read.
    """
    ledger = open_ledger(store, write=False)
    if isinstance(ledger, Problem):
        return ledger
    try:
        with ledger.reading() as reader:
            return _at_cut(reader, store, cut)
    except StoreFault as fault:
        return fault.problem
    finally:
        ledger.close()


def _at_cut(reader: Reader, store: Path, cut: str) -> AtCut | Problem:
    trial = read_trial(reader)
    if not trial.digest:
        return problem("desk.no-study", str(store))
    study = trial.record
    try:
        until = dt.date.fromisoformat(cut)
    except ValueError:
        return problem("analysis_report.cut-unfit", "--cut", given=cut)
    moment = end_of_day(until, study.zone_of(None))
    past = PastReader(reader, moment)
    then = read_trial(past)
    study = (
        then.record if then.digest else study
    )  # before the first release nobody is there, and the plan is today's
    entries = [entries_of(past, str(row["subject"])) for row in reader.rows.find(SUBJECTS, order=("number",))]
    rehearsal = trial.state.purpose == "rehearsal"
    found = columns_of(study, entries, ranges_of(past), rehearsal=rehearsal)
    tables = plain_tables(found.tables)
    return AtCut(study, rehearsal, until, tables, found.numbers, found.streams, _told(reader))


def _told(reader: Reader) -> Told:
    """What stands there now: a release after the cut opens what was randomized before it."""
    published: AllocationPublished | None = None
    taken, strata = [], {}
    for recorded in reader.entries("allocation"):
        if isinstance(recorded.entry, AllocationPublished):
            published = recorded.entry
        elif isinstance(recorded.entry, SlotTaken):
            taken.append(recorded.entry)
    for recorded in reader.of_kind(SubjectRandomized.__name__):
        if isinstance(recorded.entry, SubjectRandomized):
            strata[recorded.header.stream.removeprefix("subject/")] = recorded.entry.stratum
    held = Taken(published.root, published.slots, tuple(taken), strata) if published is not None else None
    released = [one.entry for one in reader.entries("study") if isinstance(one.entry, AllocationReleased)]
    keys = [
        one.entry.key for one in reader.entries("second-door") if isinstance(one.entry, SecondDoorEnrolled)
    ]
    return Told(held, released[-1] if released else None, tuple(keys))
