"""Tables that rest on a model: the primary analysis, values by visit with differences, scales by category.

The rules that must stay true: a model is fitted by `equipoise.analysis` and by nothing else; what cannot be fitted
stands as its Problem below the table, and no number stands in its place; every table says model, structure and degrees
of freedom, and how many values a death was set for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from equipoise.analysis.datasets.table import SUBJECT, Record, number
from equipoise.analysis.estimate import Estimate
from equipoise.analysis.mmrm.result import MmrmFit, fit_mmrm
from equipoise.analysis.report.comparing import (
    Columns,
    added,
    arm_variable,
    common_odds,
    not_fitted,
    share_interval,
    varying,
)
from equipoise.analysis.report.counting import Made, of_column, with_unit
from equipoise.analysis.report.responding import threshold_lines
from equipoise.analysis.report.run import Column, Run, evidence, interval, known, mean_sd, p_value, texts
from equipoise.documents.report import Cell, Line
from equipoise.protocol.analysis import Output
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text

STRUCTURES = ("us", "toeph", "csh", "cs")
"""Fallback order of the plan. Source: the analysis issue; domain notes 7.3."""
NONE = Cell("–")


@dataclass(frozen=True)
class Fitted:
    """A fit of one parameter with the rows that took part; or why there is none."""

    fit: MmrmFit | None
    problems: tuple[Problem, ...]
    rows: tuple[Record, ...]
    covariates: tuple[str, ...]

    @cached_property
    def _means(self) -> Mapping[tuple[str, str], Estimate]:
        if self.fit is None:
            return {}
        return {
            (one.levels["ARM"], one.levels["AVISIT"]): one.estimate
            for one in self.fit.lsmeans("ARM", "AVISIT")
        }

    @cached_property
    def _differences(self) -> Mapping[tuple[str, str], Estimate]:
        if self.fit is None:
            return {}
        found = self.fit.differences("ARM", "AVISIT")
        return {(one.levels["ARM"], one.levels["AVISIT"]): one.estimate for one in found}

    def mean(self, arm: str, visit: str) -> Estimate | None:
        """The least-squares mean of an arm at a visit."""
        return self._means.get((arm, visit))

    def difference(self, arm: str, control: str, visit: str) -> Estimate | None:
        """An arm minus control at a visit."""
        return self._differences.get((f"{arm} - {control}", visit))

    def notes(self, run: Run) -> list[Text]:
        """The model, or why there is none."""
        if self.fit is None:
            return [not_fitted(one) for one in self.problems]
        used = self.fit.convergence.structure
        return [
            texts(
                "model", covariates=added(run, self.covariates),
                structure=texts(f"structure-{used}"), rows=self.fit.n_obs, subjects=self.fit.n_subjects,
            )
        ]  # fmt: skip


def fitted(run: Run, output: Output, rows: Sequence[Record], *, corrected: bool = False) -> Fitted:
    """The MMRM of the change on baseline by visit, arm by visit and the covariates that vary; fitted once in a run.

    corrected: strata as corrected.
    """
    key = (
        corrected,
        output.actual,
        output.visits,
        output.covariates,
        tuple((row[SUBJECT], row["PARAMCD"], row["AVISIT"], row["DTYPE"]) for row in rows),
    )
    if key not in run.fits:
        run.fits[key] = _fitted(run, output, rows, corrected=corrected)
    found = run.fits[key]
    return found if isinstance(found, Fitted) else _fitted(run, output, rows, corrected=corrected)


def _fitted(run: Run, output: Output, rows: Sequence[Record], *, corrected: bool) -> Fitted:
    variable = arm_variable(output)
    wanted = [
        row
        for row in rows
        if row["AVISIT"] in output.visits and number(row["CHG"]) is not None and row[variable] is not None
    ]
    arms = [arm for arm in run.arms.order if any(row[variable] == arm for row in wanted)]
    visits = [visit for visit in output.visits if any(row["AVISIT"] == visit for row in wanted)]
    if len(arms) < 2 or len(visits) < 2:
        return Fitted(None, (problem("analysis_report.too-little", output.id),), tuple(wanted), ())
    covariates = varying(run, output, wanted, corrected=corrected)
    data = _model_columns(run, output, wanted, covariates, corrected=corrected)
    found = primary_model(data, covariates, {"ARM": arms[0], "AVISIT": visits[0]})
    if isinstance(found, tuple):
        return Fitted(None, found, tuple(wanted), covariates)
    return Fitted(found, (), tuple(wanted), covariates)


def crossed(run: Run, output: Output, rows: Sequence[Record], name: str) -> MmrmFit | tuple[Problem, ...]:
    """The primary model with a variable crossed with arm and visit. rows: with a change, of every arm."""
    wanted = [row for row in rows if row["AVISIT"] in output.visits]
    others = [one for one in varying(run, output, wanted) if one != name]
    data = _model_columns(run, output, wanted, [*others, name])
    visit = next(visit for visit in output.visits if visit in data["AVISIT"])
    return primary_model(data, others, {"ARM": run.arms.order[0], "AVISIT": visit}, (name,))


def primary_model(
    data: Columns, covariates: Sequence[str], reference: Mapping[str, str], more: Sequence[str] = ()
) -> MmrmFit | tuple[Problem, ...]:
    """The plan's primary model. reference: the levels of ARM and AVISIT; more: what is crossed with arm and visit."""
    effects = ("BASE * AVISIT", " * ".join(("ARM", "AVISIT", *more)), *covariates)
    return fit_mmrm(
        data, f"CHG ~ {' + '.join(effects)}", subject="USUBJID", visit="AVISIT", covariance=STRUCTURES,
        df="kenward-roger", categorical=("ARM", "AVISIT", *more), reference=reference,
    )  # fmt: skip


def _model_columns(
    run: Run, output: Output, rows: Sequence[Record], covariates: Sequence[str], *, corrected: bool = False
) -> Columns:
    """The columns that a model of repeated measures reads."""
    return {
        "CHG": [number(row["CHG"]) for row in rows],
        "BASE": [number(row["BASE"]) for row in rows],
        "ARM": [str(row[arm_variable(output)]) for row in rows],
        "AVISIT": [str(row["AVISIT"]) for row in rows],
        "USUBJID": [str(row[SUBJECT]) for row in rows],
        **{name: [run.level(row, name, corrected=corrected) for row in rows] for name in covariates},
    }


def heads(run: Run, output: Output) -> tuple[Text, ...]:
    """Columns of a table with differences: arms, then every arm against control with its p."""
    control = run.arms.order[0]
    compared = [
        text
        for arm in run.arms.order[1:]
        for text in (
            texts("difference", arm=run.arm_label(arm), control=run.arm_label(control)),
            texts("p-or-odds" if output.thresholds else "p"),
        )
    ]
    return (*(one.head for one in run.columns(output)), *compared)


def compared(run: Run, model: Fitted, visit: str) -> list[Cell]:
    """Every arm against control at a visit, with its p."""
    control, cells = run.arms.order[0], []
    rows = evidence([row for row in model.rows if row["AVISIT"] == visit])
    for arm in run.arms.order[1:]:
        found = model.difference(arm, control, visit)
        cells += (
            [NONE, NONE]
            if found is None
            else [Cell(interval(found.estimate, found.low, found.high), rows), Cell(p_value(found.p), rows)]
        )
    return cells


def mmrm(run: Run, output: Output) -> Made:
    """The analysis by the plan's model: people, means of values and changes, LS means and differences at each visit."""
    columns = run.columns(output)
    lines: list[Line] = []
    notes: list[Text] = []
    for code in output.parameters:
        parameter = run.plan.parameter(code)
        rows = run.analysed(output, code)
        model = fitted(run, output, rows)
        said = model.notes(run)
        if parameter is not None and len(output.parameters) > 1:
            said = [texts("at-visit", visit=parameter.label, said=one) for one in said]
        notes += said
        blank = [Cell()] * (2 * (len(run.arms.order) - 1))
        base = [row for row in rows if row["ABLFL"] == "Y"]
        lines.append(Line(with_unit(parameter.label, parameter.unit) if parameter else code, head=True))
        cells = tuple(mean_sd(of_column(base, one), "AVAL") for one in columns)
        lines.append(Line(run.visit_label(output, "BASELINE"), (*cells, *blank), 1))
        for visit in output.visits:
            here = [row for row in rows if row["AVISIT"] == visit]
            lines.append(Line(run.visit_label(output, visit), head=True, indent=1))
            for key, variable in (("value", "AVAL"), ("change", "CHG")):
                cells = tuple(mean_sd(of_column(here, one), variable) for one in columns)
                lines.append(Line(texts(key), (*cells, *blank), 2))
            lines.append(Line(texts("missing"), (*_missing(here, columns), *blank), 2))
            if any(row["DTYPE"] == "DEATH" for row in here):
                lines.append(Line(texts("of-death"), (*_dead(here, columns), *blank), 2))
            means = tuple(_mean(model, one, visit, of_column(here, one)) for one in columns)
            lines.append(Line(texts("lsmean"), (*means, *compared(run, model, visit)), 2))
    return tuple(lines), tuple(notes)


def _missing(rows: Sequence[Record], columns: Sequence[Column]) -> list[Cell]:
    return [
        Cell(str(len(one.people) - len({str(row[SUBJECT]) for row in known(of_column(rows, one), "CHG")})))
        for one in columns
    ]


def _dead(rows: Sequence[Record], columns: Sequence[Column]) -> list[Cell]:
    found = [[row for row in of_column(rows, one) if row["DTYPE"] == "DEATH"] for one in columns]
    return [Cell(str(len(mine)), evidence(mine)) for mine in found]


def _mean(model: Fitted, column: Column, visit: str, rows: Sequence[Record]) -> Cell:
    found = model.mean(column.arm, visit) if column.arm is not None else None
    if found is None:
        return NONE
    return Cell(f"{found.estimate:z.2f} ({found.se:.2f})", evidence(known(rows, "CHG")))


def visits(run: Run, output: Output) -> Made:
    """Parameters by visit with differences; then thresholds; then values by the levels of a variable."""
    lines, notes = mmrm(run, output)
    columns = run.columns(output)
    blank = (Cell(),) * (2 * (len(run.arms.order) - 1))
    more = threshold_lines(run, output)
    for name in output.by:
        for code in output.parameters:
            rows = run.analysed(output, code)
            levels = run.order(name, (str(run.subjects[str(row[SUBJECT])].get(name)) for row in rows))
            for level in levels:
                mine = [row for row in rows if str(run.subjects[str(row[SUBJECT])].get(name)) == level]
                label = run.decode(name, level)
                more.append(Line(label, head=True))
                for visit in ("BASELINE", *output.visits):
                    here = [row for row in mine if row["AVISIT"] == visit]
                    cells = tuple(mean_sd(of_column(here, one), "AVAL") for one in columns)
                    more.append(Line(run.visit_label(output, visit), (*cells, *blank), 1))
    beside = texts("share-beside", interval=share_interval(run))
    extra = (texts("responder-note"), beside) if output.thresholds else ()
    nominal = (texts("nominal"),) if output.estimand is None else ()
    return (*lines, *more), (*notes, *nominal, *extra)


def distribution(run: Run, output: Output) -> Made:
    """Every category of a scale by visit; the common odds ratio where it can be fitted."""
    columns = run.columns(output)
    blank = [Cell()] * (2 * (len(run.arms.order) - 1))
    lines: list[Line] = []
    notes: list[Text] = []
    for code in output.parameters:
        rows = run.analysed(output, code)
        levels = sorted({int(value) for row in rows if (value := number(row["AVAL"])) is not None})
        for visit in output.visits:
            here = [row for row in known(rows, "AVAL") if row["AVISIT"] == visit]
            lines.append(Line(run.visit_label(output, visit), head=True))
            mine = [of_column(here, one) for one in columns]
            odds, why = common_odds(run, output, here) if visit != "BASELINE" else (blank, [])
            notes += [texts("at-visit", visit=run.visit_label(output, visit), said=one) for one in why]
            lines.append(Line(texts("n"), (*(Cell(str(len(one)), evidence(one)) for one in mine), *odds), 1))
            for level in levels:
                cells = []
                for one in mine:
                    there = [row for row in one if number(row["AVAL"]) == level]
                    share = f"{100 * len(there) / len(one):.1f}" if one else "–"
                    cells.append(Cell(f"{len(there)} ({share})", evidence(there)))
                lines.append(Line(str(level), (*cells, *blank), 1))
    method = texts("odds-note", covariates=added(run, output.covariates))
    return tuple(lines), (texts("responder-note"), method, *dict.fromkeys(notes))
