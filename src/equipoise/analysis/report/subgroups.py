"""Whether the effect differs between kinds of participants: the primary model within levels, and the test that it does.

The rules that must stay true: each variable has a model of its own, that of the primary analysis with the variable
crossed with arm and visit; a level with fewer than two values in an arm at the visit takes no part in it and has no
difference; the test of interaction is one for a variable, never one for a level. A level with few participants has a
wide interval, and that is its answer. Source: ICH E9 5.7; domain notes 7.3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from equipoise.analysis.datasets.table import SUBJECT, Record
from equipoise.analysis.estimate import Estimate
from equipoise.analysis.formula import mean_rows
from equipoise.analysis.mmrm.result import MmrmFit
from equipoise.analysis.ops import Array
from equipoise.analysis.report.comparing import NONE, arm_variable, not_fitted
from equipoise.analysis.report.counting import Made, of_column
from equipoise.analysis.report.models import crossed, fitted
from equipoise.analysis.report.run import Run, evidence, interval, known, p_value, texts
from equipoise.documents.report import Cell, Line
from equipoise.protocol.analysis import Output
from equipoise.words.problem import Problem
from equipoise.words.text import Text


@dataclass(frozen=True)
class Level:
    """A line: everybody or a level of a variable with its rows at the visit; a variable (`head`) with its model's rows.

    differences: every arm against control; p: of the interaction, at a variable; why: why there is none.
    """

    label: Text
    indent: int
    rows: Sequence[Record]
    head: bool = False
    differences: Mapping[str, Estimate] | None = None
    p: float | None = None
    why: tuple[Problem, ...] = ()


def target_of(output: Output) -> str:
    """The visit that the output is about."""
    return output.target or output.visits[-1]


def subgroup_levels(run: Run, output: Output) -> list[Level]:
    """Everybody, then each variable of `by` with its levels; at the output's target visit. Worked out once in a run."""
    key = ("subgroups", output.actual, *output.parameters, *output.visits, target_of(output), *output.by)
    if key not in run.fits:
        run.fits[key] = _levels(run, output)
    found = run.fits[key]
    return found if isinstance(found, list) else []


def _levels(run: Run, output: Output) -> list[Level]:
    target = target_of(output)
    rows = [
        row
        for row in known(run.analysed(output, output.parameters[0]), "CHG")
        if row[arm_variable(output)] is not None
    ]
    model, control = fitted(run, output, rows), run.arms.order[0]
    whole = {arm: one for arm in run.arms.order[1:] if (one := model.difference(arm, control, target))}
    here = [row for row in rows if row["AVISIT"] == target]
    found = [Level(texts("everybody"), 0, here, differences=whole, why=model.problems)]
    for name in output.by:
        found += _variable(run, output, name, rows)
    return found


def _variable(run: Run, output: Output, name: str, rows: Sequence[Record]) -> list[Level]:
    target = target_of(output)
    mine = [row for row in rows if run.subjects[str(row[SUBJECT])].get(name) is not None]
    levels = run.order(name, (run.level(row, name) for row in mine))
    enough = [
        level for level in levels if _enough(run, output, [r for r in mine if run.level(r, name) == level])
    ]
    inside = [row for row in mine if run.level(row, name) in enough]
    fit: MmrmFit | tuple[Problem, ...] = crossed(run, output, inside, name) if len(enough) > 1 else ()
    model = fit if isinstance(fit, MmrmFit) else None
    rows_of = _rows(run, model, name, target) if model is not None else {}
    first, others = enough[0] if enough else "", enough[1:]
    apart = [
        rows_of[arm, level] - rows_of[arm, first] for arm in run.arms.order[1:] for level in others if rows_of
    ]
    p = model.joint_test(np.array(apart)).p if model is not None else None
    why = fit if isinstance(fit, tuple) else ()
    behind = [row for row in inside if row["AVISIT"] in output.visits] if model is not None else []
    found = [Level(run.variable_label(name), 0, behind, head=True, p=p, why=why)]
    for level in levels:
        here = [row for row in mine if run.level(row, name) == level and row["AVISIT"] == target]
        known_ = (
            {arm: model.contrast(rows_of[arm, level]) for arm in run.arms.order[1:]}
            if model is not None and level in enough
            else None
        )
        found.append(Level(run.decode(name, level), 1, here, differences=known_))
    return found


def _enough(run: Run, output: Output, rows: Sequence[Record]) -> bool:
    """Whether each arm has two values at the target visit."""
    variable, target = arm_variable(output), target_of(output)
    sizes = [sum(row["AVISIT"] == target and row[variable] == arm for row in rows) for arm in run.arms.order]
    return min(sizes) >= 2


def _rows(run: Run, model: MmrmFit, name: str, visit: str) -> Mapping[tuple[str, str], Array]:
    """(arm, level) -> the row of the arm's difference from control in the level at the visit."""
    frame = model.design.frame
    wanted = [(arm, level) for arm in run.arms.order for level in frame.levels[name]]
    made = mean_rows(frame, [{name: level, "AVISIT": visit, "ARM": arm} for arm, level in wanted])
    rows = dict(zip(wanted, made, strict=True))
    return {(arm, level): row - rows[run.arms.order[0], level] for (arm, level), row in rows.items()}


def subgroup_heads(run: Run, output: Output) -> tuple[Text, ...]:
    """Arms, the difference of every arm from control, the p of the interaction."""
    control = run.arm_label(run.arms.order[0])
    compared = [texts("difference", arm=run.arm_label(arm), control=control) for arm in run.arms.order[1:]]
    return (*(one.head for one in run.columns(output)), *compared, texts("interaction-p"))


def subgroup_lines(run: Run, output: Output, levels: Sequence[Level]) -> Made:
    """The lines of levels, and the notes below."""
    lines: list[Line] = []
    why: list[Text] = []
    for one in levels:
        why += [texts("at-visit", visit=one.label, said=not_fitted(each)) for each in one.why]
        p = Cell(p_value(one.p), evidence(one.rows)) if one.p is not None else NONE if one.head else Cell()
        if one.head:
            blank = [Cell()] * (len(run.columns(output)) + len(run.arms.order) - 1)
            lines.append(Line(one.label, (*blank, p)))
            continue
        cells = [
            Cell(str(len(mine)), evidence(mine))
            for mine in (of_column(one.rows, c) for c in run.columns(output))
        ]
        found, behind = one.differences or {}, evidence(one.rows)
        compared = [
            Cell(interval(each.estimate, each.low, each.high), behind) if (each := found.get(arm)) else NONE
            for arm in run.arms.order[1:]
        ]
        lines.append(Line(one.label, (*cells, *compared, Cell()), one.indent))
    return tuple(lines), (
        texts("subgroup-note", visit=run.visit_label(output, target_of(output))),
        *dict.fromkeys(why),
    )


def subgroups(run: Run, output: Output) -> Made:
    """The table."""
    return subgroup_lines(run, output, subgroup_levels(run, output))
