"""`equipoise analyse STORE --cut DATE [--treatments FILE] -o DIR`: the study's analysis plan over a data cut.

Without a file of arms the arms are dummy arms from a public seed, and every page says so; one program runs on both.
"""

from __future__ import annotations

import argparse
import datetime as dt
from pathlib import Path

from equipoise.cli.answer import Answer, done, occupied, refused, told
from equipoise.words.canonical import Json
from equipoise.words.problem import Problem, problem


def declare(subjects: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    command = subjects.add_parser("analyse", help="run the study's analysis plan over a data cut")
    command.add_argument("store", type=Path)
    command.add_argument(
        "--cut", required=True, metavar="DATE", help="last day whose entries count, YYYY-MM-DD"
    )
    command.add_argument(
        "--treatments",
        type=Path,
        metavar="FILE",
        help="release.json of the final release; without it dummy arms",
    )
    command.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="a new folder")
    command.add_argument("--json", action="store_true", help="print one JSON value")
    command.set_defaults(run=_analyse)


def _analyse(options: argparse.Namespace) -> Answer:
    return analyse_store(options.store, options.cut, options.treatments, options.output)


def analyse_store(
    store: Path, cut_on: str, treatments: Path | None, output: Path, *, pdf: bool = True
) -> Answer:
    """Run the plan of a store over a cut (ISO date) into a new folder. pdf: whether documents are typeset, too."""
    from equipoise.analysis.arms import dummy_arms
    from equipoise.analysis.datasets.derive import derive
    from equipoise.analysis.report.write import write_report
    from equipoise.desk.analysing import read_at_cut
    from equipoise.documents.report_files import write_report_files
    from equipoise.standards.adam import export_analysis

    if occupied(output):
        return refused((problem("cli.folder-not-empty", str(output)),))
    cut = read_at_cut(store, cut_on)
    if isinstance(cut, Problem):
        return refused((cut,))
    if not cut.study.analysis.outputs:
        return refused((problem("analysis_report.no-plan", str(store)),))
    arms = dummy_arms(cut.study, cut.numbers)
    if treatments is not None:
        from equipoise.cli.treatments import read_treatments

        known = read_treatments(treatments, cut)
        if isinstance(known, tuple):
            return refused(known)
        arms = known
    datasets = derive(cut.study, cut.tables, arms, cut.until)
    report = write_report(cut.study, {**cut.tables, **datasets}, arms, cut.until, rehearsal=cut.rehearsal)
    output.mkdir(parents=True, exist_ok=True)
    files = write_report_files(report, output, pdf=pdf)
    at = dt.datetime.combine(cut.until, dt.time(), dt.UTC)
    tables = export_analysis(report.study, cut.study.version, datasets.values(), output / "datasets", at)
    value: Json = {
        "arms": arms.kind,
        "cut": cut_on,
        "randomized": len(cut.numbers),
        "outputs": [one.id for one in report.exhibits],
        "files": [str(path) for path in (*files, *(path for path, _ in tables))],
    }
    kind = told(f"analysis_report.arms-{arms.kind}")
    count = len(report.exhibits)
    said = told("analysis_report.told-written", count=count, people=len(cut.numbers), path=output, arms=kind)
    return done(value, said)
