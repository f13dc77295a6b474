"""What an analysis in the closed area starts from: the first door's entries and this door's own, as one set of tables.

The rules that must stay true: the first door's store or archive is read and nothing is written into it; only entries
up to the end of the day of the cut count, of either door; a row that rests on an entry of this door names it; nothing
made here leaves the closed area. Source: DESIGN 5 (three openings, the second).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path

from equipoise.analysis.datasets.derive import plain_tables
from equipoise.analysis.datasets.table import LEDGER, SUBJECT, Record, Table, table_of
from equipoise.ledger.archive import read_archive
from equipoise.ledger.entries import FormSaved, RangeRow, Recorded, RowRestored, RowVoided
from equipoise.ledger.opening import open_ledger
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import StoreFault
from equipoise.ledger.verify import find_ledger
from equipoise.oversight.evolve import SITE_START, evolve_site
from equipoise.protocol.study import Study
from equipoise.standards.at_cut import Columns, columns_of
from equipoise.standards.sdtm_casebook import SECOND_DOOR, reference_of, streams_of
from equipoise.vault.releasing import arms_received, preparations
from equipoise.vault.revealing import whole_study
from equipoise.vault.vault import Vault
from equipoise.words.clock import end_of_day, local
from equipoise.words.problem import Problem

Streams = Mapping[str, tuple[Recorded, ...]]
VALUES = (FormSaved, RowVoided, RowRestored)
"""The kinds of entry that make values; what this door asks and answers of them is not part of a table."""
PREPARED: Mapping[str, str] = {
    SUBJECT: "Unique Subject Identifier",
    "BAG": "Number of the Bag",
    "LOT": "Lot Number",
    "CELLS": "Viable Cells in the Bag",
    "VIAB": "Viability after Thawing (%)",
    "THAWDTC": "Thawed",
    LEDGER: "Ledger Entry the Row Came From",
}


@dataclass(frozen=True, slots=True)
class Held:
    """Tables of both doors; numbers: USUBJID -> public number; received: number -> arm of what was handed over."""

    tables: Mapping[str, Table]
    numbers: Mapping[str, str]
    received: Mapping[str, str]


def closed_tables(vault: Vault, store: Path, until: dt.date) -> Held | Problem:
    """The tables at the end of a day. store: the first door's store, or an archive of it (file or folder).

    Problems: those of a store or archive that cannot be read.
    """
    study = vault.study
    moment = end_of_day(until, study.zone_of(None))
    first = _first_door(store)
    if isinstance(first, Problem):
        return first
    first = {name: kept for name, entries in first.items() if (kept := _until(entries, moment))}
    with vault.reading() as reader:
        subjects = [name.removeprefix("subject/") for name in first if name.startswith("subject/")]
        both = [_of_both(reader, first, subject, moment) for subject in subjects]
        found = columns_of(whole_study(study), both, _ranges(first), rehearsal=vault.purpose == "rehearsal")
        prepared = _prepared(reader, study, found, moment)
        received = arms_received(reader, study, until=moment)
    tables = {**plain_tables(found.tables), "EQPR": prepared}
    return Held(tables, found.numbers, received)


def _first_door(store: Path) -> Streams | Problem:
    """The streams of subjects, their diaries and the sites, of a store or an archive."""
    place = find_ledger(store)
    if place is not None and _is_archive(place):
        return read_archive(place)
    ledger = open_ledger(store, write=False)
    if isinstance(ledger, Problem):
        return ledger
    try:
        with ledger.reading() as reader:
            names = [head.stream for head in reader.streams()]
            wanted = [name for name in names if name.startswith(("subject/", "diary/", "site/"))]
            return {name: reader.entries(name) for name in wanted}
    except StoreFault as fault:
        return fault.problem
    finally:
        ledger.close()


def _is_archive(place: Path) -> bool:
    try:
        with place.open("rb") as source:
            return source.read(1) == b"{"
    except OSError:
        return False


def _until(entries: Sequence[Recorded], moment: dt.datetime) -> tuple[Recorded, ...]:
    return tuple(one for one in entries if dt.datetime.fromisoformat(one.header.at) <= moment)


def _of_both(reader: Reader, first: Streams, subject: str, moment: dt.datetime) -> tuple[Recorded, ...]:
    """What both doors hold of a subject: the first door's streams, then this door's values."""
    there = [one for name in streams_of(subject) for one in first.get(name, ())]
    return (*there, *_own(reader, f"subject/{subject}", moment))


def _own(reader: Reader, stream: str, moment: dt.datetime) -> tuple[Recorded, ...]:
    """The values that this door holds of a subject, numbered apart from the first door's."""
    mine = [one for one in _until(reader.entries(stream), moment) if isinstance(one.entry, VALUES)]
    return tuple(replace(one, header=replace(one.header, seq=one.header.seq + SECOND_DOOR)) for one in mine)


def _ranges(first: Streams) -> Mapping[str, tuple[RangeRow, ...]]:
    return {
        name.removeprefix("site/"): reduce(evolve_site, entries, SITE_START).ranges
        for name, entries in first.items()
        if name.startswith("site/")
    }


def _prepared(reader: Reader, study: Study, found: Columns, moment: dt.datetime) -> Table:
    """EQPR: every bag that was handed over, with lot, cells, viability and the time of the thaw on the site's clock."""
    own = {stream.removeprefix("subject/"): key for key, stream in found.streams.items()}
    sites = dict(zip(found.tables["DM"]["USUBJID"], found.tables["DM"]["SITEID"], strict=True))
    thaws = [step.id for step in study.supply.bench if step.kind == "thaw"]
    rows: list[Record] = []
    for made in preparations(reader):
        key = own.get(made.subject)
        for one in made.attempts:
            if key is None or not one.handed_at or dt.datetime.fromisoformat(one.handed_at) > moment:
                continue
            thawed = next((at for step in thaws if (at := one.at(step))), None)
            zone = study.zone_of(str(sites[key]))
            stream = f"bench/{made.request}"
            rows.append({
                SUBJECT: key, "BAG": one.bag, "LOT": one.lot, "CELLS": one.cells or None,
                "VIAB": one.viability or None,
                "THAWDTC": local(thawed, zone).replace(" ", "T") if thawed else None,
                LEDGER: reference_of(f"second-door/{stream}", reader.head(stream).seq),
            })  # fmt: skip
    return table_of("EQPR", "Bags Handed Over", PREPARED, rows)
