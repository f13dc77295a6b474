"""The report of a made-up trial: from tables to datasets, to the outputs of the first study's plan, to pages and PDF.

The trial is `trial_tables`; the arms are known. Alone: python -m bench report (with --large also 2,000 participants).
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.table import Row
from bench.trial_tables import numbers, trial_tables
from equipoise.analysis.arms import known_arms
from equipoise.analysis.datasets.derive import derive
from equipoise.analysis.report.write import write_report
from equipoise.documents.report_files import write_report_files
from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study

SIZES, LARGE = (86,), 2_000
UNTIL = dt.date(2036, 12, 31)
STUDY = Path(__file__).resolve().parent.parent / "studies" / "nct07197606"


def report_rows(folder: Path, sizes: Sequence[int] = SIZES) -> Iterator[Row]:
    """Seconds of each step, once."""
    study = load_study(STUDY)
    if not isinstance(study, Study):
        raise RuntimeError("the first study does not load")
    for size in sizes:
        tables = trial_tables(size)
        pairs = [(one, ("PLACEBO", "MSC")[place % 2]) for place, one in enumerate(numbers(tables))]
        arms = known_arms(study, "released", [(one, arm, arm) for one, arm in pairs], "0" * 64)
        started = time.perf_counter()
        datasets = derive(study, tables, arms, UNTIL)
        derived = time.perf_counter()
        report = write_report(study, {**tables, **datasets}, arms, UNTIL, rehearsal=True)
        made = time.perf_counter()
        files = write_report_files(report, folder / f"report-{size}")
        written = time.perf_counter()
        told = f"{size:,} participants"
        yield Row("datasets of a report", told, note=f"{derived - started:.1f} s")
        yield Row("outputs of a report", told, note=f"{made - derived:.1f} s, {len(report.exhibits)} outputs")
        yield Row("pages and PDF of a report", told, note=f"{written - made:.1f} s, {len(files)} files")
