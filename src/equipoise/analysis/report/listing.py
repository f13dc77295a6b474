"""Listings: one line for each row, with its participant first."""

from __future__ import annotations

from equipoise.analysis.datasets.table import SUBJECT, Record
from equipoise.analysis.datasets.table import Cell as Value
from equipoise.analysis.report.counting import Made
from equipoise.analysis.report.run import Run, evidence
from equipoise.documents.report import Cell, Line
from equipoise.protocol.analysis import Output
from equipoise.words.text import Text

ARMS = frozenset({"TRT01P", "TRT01A", "TRTP", "TRTA"})
AS_WRITTEN = frozenset({"AETERM", "DVTERM", "REASON", "USUBJID"})


def listing(run: Run, output: Output) -> Made:
    """The lines, in the order of the dataset."""
    return tuple(_line(run, output, row) for row in run.rows(output, output.dataset, output.where)), ()


def _line(run: Run, output: Output, row: Record) -> Line:
    cells = [Cell(_shown(run, one.variable, row.get(one.variable))) for one in output.columns]
    if cells:
        cells[0] = Cell(cells[0].text or "–", evidence([row]))
    return Line(str(row[SUBJECT]), tuple(cells))


def _shown(run: Run, name: str, value: Value) -> Text | str:
    if value is None:
        return ""
    if name in ARMS:
        return run.arm_label(str(value))
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) if name in AS_WRITTEN else run.decode(name, value)
