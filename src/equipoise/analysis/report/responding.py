"""Responders: who reached a threshold, by visit, with the difference between the arms.

The rules that must stay true: of a share the people are those with a value; who has none is missing and counts in no
share; a value that a death set counts as the estimand says.
"""

from __future__ import annotations

from collections.abc import Sequence

from equipoise.analysis.datasets.table import Record, number
from equipoise.analysis.report.comparing import share_interval, shares
from equipoise.analysis.report.counting import Made, of_column
from equipoise.analysis.report.run import Run, evidence, known, texts
from equipoise.documents.report import Cell, Line
from equipoise.protocol.analysis import Output, Threshold


def responders(run: Run, output: Output) -> Made:
    """n of those with a value at a visit who meet a threshold, and every arm against control."""
    return tuple(threshold_lines(run, output)), (
        texts("responder-note"),
        texts("share-note", interval=share_interval(run)),
    )


def threshold_lines(run: Run, output: Output) -> list[Line]:
    """The lines of the output's thresholds."""
    lines: list[Line] = []
    for asked in output.thresholds:
        lines.append(Line(asked.label, head=True))
        rows = run.analysed(output, asked.parameter)
        for visit in asked.visits:
            here = [row for row in known(rows, asked.of) if row["AVISIT"] == visit]
            good = [row for row in here if _reached(asked, row)]
            cells = [_share(of_column(here, one), of_column(good, one)) for one in run.columns(output)]
            label = run.visit_label(output, visit)
            lines.append(Line(label, (*cells, *shares(run, output, here, good)), 1))
    return lines


def _reached(asked: Threshold, row: Record) -> bool:
    value, low, high = number(row[asked.of]), asked.at_least, asked.at_most
    if value is None:
        return False
    return (low is None or value >= float(low)) and (high is None or value <= float(high))


def _share(rows: Sequence[Record], good: Sequence[Record]) -> Cell:
    share = f"{100 * len(good) / len(rows):.1f}" if rows else "–"
    return Cell(f"{len(good)}/{len(rows)} ({share})", evidence(rows))
