"""The study's analysis plan in the closed area: the same program as `equipoise analyse`, in the arms of a closed work.

The rules that must stay true: the arms come out of a table that was opened for closed work and names the person who
asks; the first door's store is read and nothing is written into it; the report lies in a new folder of the person,
readable by its owner alone, and every page says that it is closed. Source: DESIGN 5 (three openings, the second).
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Mapping
from functools import reduce
from pathlib import Path
from zoneinfo import ZoneInfo

from equipoise.analysis.arms import Arms, known_arms
from equipoise.analysis.datasets.derive import derive, plain_tables
from equipoise.analysis.report.write import write_report
from equipoise.documents.report_files import write_report_files
from equipoise.ledger.entries import RangeRow, Recorded
from equipoise.ledger.opening import open_ledger
from equipoise.ledger.reader import Reader
from equipoise.ledger.store import StoreFault
from equipoise.oversight.evolve import SITE_START, evolve_site
from equipoise.protocol.study import Study
from equipoise.standards.adam import export_analysis
from equipoise.standards.at_cut import Columns, columns_of
from equipoise.vault.release.publishing import read_closed_work
from equipoise.vault.vault import Vault
from equipoise.words.canonical import Json
from equipoise.words.problem import Problem, problem

Done = dict[str, Json] | tuple[Problem, ...]


def analyse_closed(vault: Vault, actor: str, table: str, asked: tuple[Path, str], out: Path) -> Done:
    """Write the report and datasets of a closed work. table: its digest. asked: the first door's store and the cut.

    Problems: `vault_release.closed-not-for`, `vault_release.closed-unreadable`, `analysis_report.cut-unfit`,
    `analysis_report.folder-not-empty`, and those of a store that cannot be read.
    """
    content = read_closed_work(vault, actor, table)
    if isinstance(content, Problem):
        return (content,)
    try:
        until = dt.date.fromisoformat(asked[1])
    except ValueError:
        return (problem("analysis_report.cut-unfit", "--cut", given=asked[1]),)
    if out.exists() and any(out.iterdir()):
        return (problem("analysis_report.folder-not-empty", str(out)),)
    rehearsal = vault.purpose == "rehearsal"
    held = _columns(vault.study, asked[0], until, rehearsal=rehearsal)
    if isinstance(held, Problem):
        return (held,)
    arms = _arms(vault.study, held, content, table)
    tables = plain_tables(held.tables)
    datasets = derive(vault.study, tables, arms, until)
    report = write_report(vault.study, {**tables, **datasets}, arms, until, rehearsal=rehearsal)
    before = os.umask(0o077)
    try:
        files = write_report_files(report, out)
        at = dt.datetime.combine(until, dt.time(), dt.UTC)
        export_analysis(report.study, vault.study.version, datasets.values(), out / "datasets", at)
    finally:
        os.umask(before)
    return {"folder": str(out), "pages": len(files), "outputs": [one.id for one in report.exhibits]}


def _columns(study: Study, store: Path, until: dt.date, *, rehearsal: bool) -> Columns | Problem:
    ledger = open_ledger(store, write=False)
    if isinstance(ledger, Problem):
        return ledger
    zone = ZoneInfo(study.zone_of(None))
    moment = dt.datetime.combine(until, dt.time(23, 59, 59, 999999), zone).astimezone(dt.UTC)
    try:
        with ledger.reading() as reader:
            names = [head.stream for head in reader.streams()]
            subjects = [_until(reader, name, moment) for name in names if name.startswith("subject/")]
            return columns_of(study, subjects, _ranges(reader, names, moment), rehearsal=rehearsal)
    except StoreFault as fault:
        return fault.problem
    finally:
        ledger.close()


def _until(reader: Reader, stream: str, moment: dt.datetime) -> tuple[Recorded, ...]:
    found = reader.entries(stream)
    return tuple(one for one in found if dt.datetime.fromisoformat(one.header.at) <= moment)


def _ranges(reader: Reader, names: list[str], moment: dt.datetime) -> Mapping[str, tuple[RangeRow, ...]]:
    sites = [name for name in names if name.startswith("site/")]
    return {
        name.removeprefix("site/"): reduce(evolve_site, _until(reader, name, moment), SITE_START).ranges
        for name in sites
    }


def _arms(study: Study, held: Columns, content: bytes, table: str) -> Arms:
    """The arms of the table, by public number; what was received counts as what was assigned."""
    by_number = {str(one["number"]): str(one["arm"]) for one in json.loads(content)["rows"]}
    pairs = [
        (key, by_number.get(number, ""), by_number.get(number, "")) for key, number in held.numbers.items()
    ]
    return known_arms(study, "closed", pairs, table.removesuffix(".sealed"))
