"""Values on the log scale: geometric means by arm and visit, and the ratio of every arm's to control's.

The rules that must stay true: the ratio is that of an analysis of covariance of the logarithm on arm, the baseline's
logarithm and the covariates that vary; a value that has no logarithm (zero) is counted and takes no part; where no row
of the set is held, the table says so and shows nothing.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from equipoise.analysis.ancova import AncovaFit, fit_ancova
from equipoise.analysis.datasets.table import Record, number
from equipoise.analysis.report.comparing import NONE, Columns, arm_variable, not_fitted, varying
from equipoise.analysis.report.counting import Made, of_column
from equipoise.analysis.report.run import Run, evidence, interval, known, p_value, texts
from equipoise.documents.report import Cell, Line
from equipoise.protocol.analysis import Output
from equipoise.words.text import Text


def ratio_heads(run: Run, output: Output) -> tuple[Text, ...]:
    """Arms, then the ratio of every arm to control and its p."""
    control = run.arm_label(run.arms.order[0])
    compared = [
        text
        for arm in run.arms.order[1:]
        for text in (texts("mean-ratio", arm=run.arm_label(arm), control=control), texts("p"))
    ]
    return (*(one.head for one in run.columns(output)), *compared)


def ratios(run: Run, output: Output) -> Made:
    """Each parameter by visit; nothing where no row is held."""
    if not any(run.analysed(output, code) for code in output.parameters):
        return (), (texts("hidden-empty"),)
    lines: list[Line] = []
    notes: list[Text] = [texts("ratio-note"), texts("nominal")]
    blank = [Cell()] * (2 * (len(run.arms.order) - 1))
    for code in output.parameters:
        rows, parameter = run.analysed(output, code), run.plan.parameter(code)
        label = parameter.label if parameter is not None else Text(code)
        lines.append(Line(label, head=True))
        for visit in ("BASELINE", *output.visits):
            here = [row for row in known(rows, "AVAL") if row["AVISIT"] == visit]
            compared, why = (blank, []) if visit == "BASELINE" else _compared(run, output, here)
            cells = [_mean(of_column(here, one)) for one in run.columns(output)]
            at = run.visit_label(output, visit)
            lines.append(Line(at, (*cells, *compared), 1))
            notes += [
                texts("at-visit", visit=texts("asked-at", who=label, visit=at), said=one) for one in why
            ]
    return tuple(lines), tuple(dict.fromkeys(notes))


def _mean(rows: Sequence[Record]) -> Cell:
    """n; geometric mean (coefficient of variation); zeros beside n, where there are any."""
    values = [value for row in rows if (value := number(row["AVAL"])) is not None]
    logs = [math.log(value) for value in values if value > 0]
    if not logs:
        return Cell(str(len(values)), evidence(rows))
    spread = f"{100 * math.sqrt(math.expm1(statistics.variance(logs))):.0f} %" if len(logs) > 1 else "–"
    size = (
        str(len(values))
        if len(logs) == len(values)
        else texts("with-zeros", count=len(values), zeros=len(values) - len(logs))
    )
    shown = f"{math.exp(statistics.fmean(logs)):.3g} ({spread})"
    said = (
        f"{size}; {shown}"
        if isinstance(size, str)
        else Text(f"{size.en}; {shown}", f"{size.say('zh')}; {shown}")
    )
    return Cell(said, evidence(rows))


def _compared(run: Run, output: Output, rows: Sequence[Record]) -> tuple[list[Cell], list[Text]]:
    variable, control = arm_variable(output), run.arms.order[0]
    mine = [
        row
        for row in rows
        if row[variable] is not None and (number(row["AVAL"]) or 0) > 0 and (number(row["BASE"]) or 0) > 0
    ]
    covariates = varying(run, output, mine)
    data: Columns = {
        "VALUE": [math.log(number(row["AVAL"]) or 1) for row in mine],
        "BASE": [math.log(number(row["BASE"]) or 1) for row in mine],
        "ARM": [str(row[variable]) for row in mine],
        **{name: [run.level(row, name) for row in mine] for name in covariates},
    }
    blank = [NONE, NONE] * (len(run.arms.order) - 1)
    if control not in data["ARM"] or len(set(data["ARM"])) < 2:
        return blank, []
    formula = " + ".join(("VALUE ~ ARM + BASE", *covariates))
    found = fit_ancova(data, formula, categorical=("ARM",), reference={"ARM": control})
    if not isinstance(found, AncovaFit):
        return blank, [not_fitted(one) for one in found]
    known_ = {one.levels["ARM"]: one.estimate for one in found.differences("ARM")}
    cells: list[Cell] = []
    for arm in run.arms.order[1:]:
        one, behind = known_.get(f"{arm} - {control}"), evidence(mine)
        cells += [NONE, NONE] if one is None else [
            Cell(interval(math.exp(one.estimate), math.exp(one.low), math.exp(one.high), 2), behind),
            Cell(p_value(one.p), behind),
        ]  # fmt: skip
    return cells, []
