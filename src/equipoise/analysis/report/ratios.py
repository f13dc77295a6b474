"""Values on the log scale: geometric means by arm and visit, and the ratio of every arm's to control's.

The rules that must stay true: the ratio is that of an analysis of covariance of the logarithm on arm, the baseline's
logarithm and the covariates that vary; where a value lies below quantification it counts as that, by the likelihood
(`fit_censored`), and no number is put in its place; a baseline below quantification is entered as its limit with a mark
of its own in the model; a value that has no logarithm (zero) is counted and takes no part; where no row of the set is
held, the table says so and shows nothing.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

from equipoise.analysis.ancova import fit_ancova
from equipoise.analysis.censored import CensoredFit, fit_censored
from equipoise.analysis.datasets.table import Record, number
from equipoise.analysis.estimate import Estimate, Ratio
from equipoise.analysis.report.comparing import NONE, Columns, arm_variable, not_fitted, varying
from equipoise.analysis.report.counting import Made, of_column
from equipoise.analysis.report.run import Run, evidence, interval, p_value, texts
from equipoise.documents.report import Cell, Line
from equipoise.protocol.analysis import Output
from equipoise.words.problem import Problem
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
            here = [row for row in rows if row["AVISIT"] == visit and _least(row, "AVAL") is not None]
            compared, why = (blank, []) if visit == "BASELINE" else _compared(run, output, here)
            cells = [_mean(of_column(here, one)) for one in run.columns(output)]
            at = run.visit_label(output, visit)
            lines.append(Line(at, (*cells, *compared), 1))
            notes += [
                texts("at-visit", visit=texts("asked-at", who=label, visit=at), said=one) for one in why
            ]
    return tuple(lines), tuple(dict.fromkeys(notes))


def _least(row: Record, name: str) -> float | None:
    """A value, or the limit that it lies below (LLOQ of AVAL, BLLOQ of BASE); None where there is neither."""
    value = number(row[name])
    return value if value is not None else number(row["LLOQ" if name == "AVAL" else "BLLOQ"])


def _below(row: Record, name: str) -> float:
    return float(number(row[name]) is None)


def _mean(rows: Sequence[Record]) -> Cell:
    """n; geometric mean (coefficient of variation); beside n how many are zero or below quantification, if any.

    With values below quantification the mean and the variation are those of the most likely log-normal distribution.
    """
    positive = [row for row in rows if (_least(row, "AVAL") or 0.0) > 0.0]
    zeros, below = len(rows) - len(positive), round(sum(_below(row, "AVAL") for row in positive))
    size: Text | str = str(len(rows))
    if zeros or below:
        size = texts("with-marks", count=len(rows), zeros=zeros, below=below)
    shown = _spread(positive, below)
    if shown is None:
        return Cell(size, evidence(rows))
    said = (
        f"{size}; {shown}"
        if isinstance(size, str)
        else Text(f"{size.en}; {shown}", f"{size.say('zh')}; {shown}")
    )
    return Cell(said, evidence(rows))


def _spread(rows: Sequence[Record], below: int) -> str | None:
    """Geometric mean (coefficient of variation); None where there is no mean."""
    values = [_least(row, "AVAL") or 0.0 for row in rows]
    if not values:
        return None
    variance: float | None
    if below:
        marks = [_below(row, "AVAL") for row in rows]
        found = fit_censored({"VALUE": values, "BELOW": marks}, "VALUE ~ 1", below="BELOW")
        if not isinstance(found, CensoredFit):
            return None
        middle, variance = float(found.beta[0]), found.sigma**2
    else:
        logs = [math.log(value) for value in values]
        middle = statistics.fmean(logs)
        variance = statistics.variance(logs) if len(logs) > 1 else None
    spread = "–" if variance is None else f"{100 * math.sqrt(math.expm1(variance)):.0f} %"
    return f"{math.exp(middle):.3g} ({spread})"


def _compared(run: Run, output: Output, rows: Sequence[Record]) -> tuple[list[Cell], list[Text]]:
    variable, control = arm_variable(output), run.arms.order[0]
    mine = [
        row
        for row in rows
        if row[variable] is not None and all((_least(row, name) or 0.0) > 0.0 for name in ("AVAL", "BASE"))
    ]
    covariates = varying(run, output, mine)
    data: Columns = {
        "VALUE": [_least(row, "AVAL") or 1.0 for row in mine],
        "BELOW": [_below(row, "AVAL") for row in mine],
        "BASE": [math.log(_least(row, "BASE") or 1.0) for row in mine],
        "BASEBELOW": [_below(row, "BASE") for row in mine],
        "ARM": [str(row[variable]) for row in mine],
        **{name: [run.level(row, name) for row in mine] for name in covariates},
    }
    blank = [NONE, NONE] * (len(run.arms.order) - 1)
    if control not in data["ARM"] or len(set(data["ARM"])) < 2:
        return blank, []
    found = _fitted(data, covariates, control)
    if isinstance(found, tuple):
        return blank, [not_fitted(one) for one in found]
    cells: list[Cell] = []
    for arm in run.arms.order[1:]:
        one, behind = found.get(arm), evidence(mine)
        cells += [NONE, NONE] if one is None else [
            Cell(interval(one.ratio, one.low, one.high, 2), behind), Cell(p_value(one.p), behind)
        ]  # fmt: skip
    return cells, []


def _fitted(
    data: Columns, covariates: Sequence[str], control: str
) -> Mapping[str, Ratio] | tuple[Problem, ...]:
    """Arm -> its ratio to control: by least squares, or by the likelihood where a value lies below quantification."""
    marked = ["BASEBELOW"] if len(set(data["BASEBELOW"])) > 1 else []
    terms = " + ".join(("ARM", "BASE", *marked, *covariates))
    reference = {"ARM": control}
    if any(data["BELOW"]):
        found = fit_censored(
            data, f"VALUE ~ {terms}", below="BELOW", categorical=("ARM",), reference=reference
        )
        if not isinstance(found, CensoredFit):
            return found
        arms = found.frame.levels["ARM"][1:]
        return {arm: found.mean_ratio(f"ARM[T.{arm}]") for arm in arms}
    logs = {**data, "VALUE": [math.log(float(value or 1.0)) for value in data["VALUE"]]}
    fit = fit_ancova(logs, f"VALUE ~ {terms}", categorical=("ARM",), reference=reference)
    if isinstance(fit, tuple):
        return fit
    return {
        one.levels["ARM"].removesuffix(f" - {control}"): _exponent(one.estimate)
        for one in fit.differences("ARM")
    }


def _exponent(one: Estimate) -> Ratio:
    """A difference of logarithms as a ratio, with the interval and p that t gives."""
    return Ratio(math.exp(one.estimate), math.exp(one.low), math.exp(one.high), one.p, one.se)
