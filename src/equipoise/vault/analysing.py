"""The study's analysis plan in the closed area: the same program as `equipoise analyse`, in the arms of a closed work.

The rules that must stay true: the arms come out of a table that was opened for closed work and names the person who
asks; what both doors hold is read (closed_tables); the report lies in a new folder of the person, readable by its owner
alone, and every page says that it is closed. Source: DESIGN 5 (three openings, the second).
"""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path

from equipoise.analysis.arms import Arms, known_arms
from equipoise.analysis.datasets.derive import derive
from equipoise.analysis.report.write import write_report
from equipoise.documents.report_files import write_report_files
from equipoise.protocol.study import Study
from equipoise.standards.adam import export_analysis
from equipoise.vault.closed_tables import Held, closed_tables
from equipoise.vault.release.publishing import read_closed_work
from equipoise.vault.vault import Vault
from equipoise.words.canonical import Json
from equipoise.words.problem import Problem, problem

Done = dict[str, Json] | tuple[Problem, ...]


def analyse_closed(vault: Vault, actor: str, table: str, asked: tuple[Path, str], out: Path) -> Done:
    """Write the report and datasets of a closed work. table: its digest. asked: the first door's store (or an archive
    of it) and the cut.

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
    held = closed_tables(vault, asked[0], until)
    if isinstance(held, Problem):
        return (held,)
    study, rehearsal = vault.study, vault.purpose == "rehearsal"
    arms = _arms(study, held, content, table)
    datasets = derive(study, held.tables, arms, until)
    report = write_report(study, {**held.tables, **datasets}, arms, until, rehearsal=rehearsal)
    before = os.umask(0o077)
    try:
        files = write_report_files(report, out)
        at = dt.datetime.combine(until, dt.time(), dt.UTC)
        export_analysis(report.study, study.version, datasets.values(), out / "datasets", at)
    finally:
        os.umask(before)
    return {"folder": str(out), "pages": len(files), "outputs": [one.id for one in report.exhibits]}


def _arms(study: Study, held: Held, content: bytes, table: str) -> Arms:
    """The arms of the table, by public number; as received what this door handed over."""
    by_number = {str(one["number"]): str(one["arm"]) for one in json.loads(content)["rows"]}
    pairs = [
        (key, by_number.get(number, ""), held.received.get(number, ""))
        for key, number in held.numbers.items()
    ]
    return known_arms(study, "closed", pairs, table.removesuffix(".sealed"))
