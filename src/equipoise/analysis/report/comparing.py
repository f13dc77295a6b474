"""Comparisons beside counts: differences of shares, common odds ratios, times to an event, each by its method.

The rules that must stay true: nothing is estimated here, each number is a method's; where a method says a Problem there
is no number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, TypeAlias

from equipoise.analysis.ancova import fit_ancova
from equipoise.analysis.datasets.table import SUBJECT, Record, number
from equipoise.analysis.estimate import Ratio
from equipoise.analysis.logistic import fit_logistic
from equipoise.analysis.ordinal.result import fit_ordinal
from equipoise.analysis.ranks.van_elteren import fit_van_elteren
from equipoise.analysis.report.run import Run, evidence, interval, p_value, texts
from equipoise.analysis.responders import fit_responders
from equipoise.analysis.survival.curves import SurvivalFit, fit_logrank, fit_survival
from equipoise.analysis.wins import fit_win_odds
from equipoise.documents.report import Cell
from equipoise.protocol.analysis import Output
from equipoise.words.problem import Problem
from equipoise.words.text import Text

NONE = Cell("–")
Columns: TypeAlias = "dict[str, Sequence[float | str | None]]"


def arm_variable(output: Output) -> str:
    """The variable of a row's arm: as received where the output asks for it."""
    return "TRTA" if output.actual else "TRTP"


def varying(run: Run, output: Output, rows: Sequence[Record], *, corrected: bool = False) -> tuple[str, ...]:
    """The covariates of an output that have more than one level among the people of rows."""
    return tuple(
        name
        for name in output.covariates
        if len({run.level(row, name, corrected=corrected) for row in rows}) > 1
    )


def added(run: Run, covariates: Sequence[str]) -> Text:
    """+ every covariate, as the end of a model's terms; nothing where there are none."""
    names = [run.variable_label(name) for name in covariates]
    return Text("".join(f" + {one.en}" for one in names), "".join(f" + {one.say('zh')}" for one in names))


def share_heads(run: Run, output: Output) -> tuple[Text, ...]:
    """Arms, then the difference of shares and the odds ratio of every arm against control."""
    control = run.arm_label(run.arms.order[0])
    compared = [
        text
        for arm in run.arms.order[1:]
        for text in (
            texts("share-difference", arm=run.arm_label(arm), control=control, interval=share_interval(run)),
            texts("share-odds"),
        )
    ]
    return (*(one.head for one in run.columns(output)), *compared)


def share_interval(run: Run) -> Text:
    """The name of the interval that the plan puts beside a difference of shares."""
    return texts(f"interval-{run.plan.share_interval}")


def shares(run: Run, output: Output, rows: Sequence[Record], good: Sequence[Record]) -> list[Cell]:
    """Every arm against control: difference of shares over the strata with the plan's interval; odds ratio."""
    variable, control = arm_variable(output), run.arms.order[0]
    met = {id(row) for row in good}
    cells: list[Cell] = []
    for arm in run.arms.order[1:]:
        mine = [row for row in rows if row[variable] in (arm, control)]
        data: Columns = {
            "Y": [float(id(row) in met) for row in mine],
            "ARM": [str(row[variable]) for row in mine],
            "STRATUM": [str(run.subjects[str(row[SUBJECT])].get("STRATAR")) for row in mine],
        }
        if len(set(data["ARM"])) < 2:
            cells += [NONE, NONE]
            continue
        found = fit_responders(data, "Y", "ARM", strata=("STRATUM",), reference=control)
        if isinstance(found, tuple):
            cells += [NONE, NONE]
            continue
        difference = found.difference.estimate if found.difference is not None else found.crude
        behind, odds = evidence(mine), found.odds_ratio or _firth(data, control, arm)
        its = found.newcombe if run.plan.share_interval == "newcombe" else found.miettinen_nurminen
        cells.append(Cell(interval(100 * difference, 100 * its.low, 100 * its.high), behind))
        cells.append(Cell(interval(odds.ratio, odds.low, odds.high, 2), behind) if odds else NONE)
    return cells


def _firth(data: Columns, control: str, arm: str) -> Ratio | None:
    """The odds ratio over the strata by Firth's method with the profile's interval, where an arm has none or nothing
    but the event; None where nobody or everybody has it.
    """
    terms = ["ARM", *(["STRATUM"] if len(set(data["STRATUM"])) > 1 else [])]
    factors, reference = tuple(terms), {"ARM": control}
    found = fit_logistic(
        data, f"Y ~ {' + '.join(terms)}", firth=True, categorical=factors, reference=reference
    )
    if isinstance(found, tuple):
        return None
    term = f"ARM[T.{arm}]"
    bounds, odds = found.profile(term), found.odds_ratio(term)
    return replace(odds, low=bounds.low, high=bounds.high) if bounds is not None else None


def odds_heads(run: Run, output: Output) -> tuple[Text, ...]:
    """Arms, then the common odds ratio of every arm against control and its p."""
    control = run.arm_label(run.arms.order[0])
    compared = [
        text
        for arm in run.arms.order[1:]
        for text in (texts("common-or", arm=run.arm_label(arm), control=control), texts("p"))
    ]
    return (*(one.head for one in run.columns(output)), *compared)


def common_odds(run: Run, output: Output, rows: Sequence[Record]) -> tuple[list[Cell], list[Text]]:
    """Proportional odds of a better category on arm, baseline and the covariates that vary; why there are none."""
    variable, control = arm_variable(output), run.arms.order[0]
    mine = [row for row in rows if number(row["BASE"]) is not None and row[variable] is not None]
    parameter = run.plan.parameter(output.parameters[0])
    better: Literal["higher", "lower"] = (
        "lower" if parameter is not None and parameter.better == "lower" else "higher"
    )
    covariates = varying(run, output, mine)
    data: Columns = {
        "AVAL": [str(int(number(row["AVAL"]) or 0)) for row in mine],
        "BASE": [number(row["BASE"]) for row in mine],
        "ARM": [str(row[variable]) for row in mine],
        **{name: [run.level(row, name) for row in mine] for name in covariates},
    }
    arms = set(data["ARM"])
    if control not in arms or len(arms) < 2 or len(set(data["AVAL"])) < 2:
        return [NONE, NONE] * (len(run.arms.order) - 1), []
    based = ["BASE"] if len(set(data["BASE"])) > 1 else []
    found = fit_ordinal(
        data,
        " + ".join(("AVAL ~ ARM", *based, *covariates)),
        categorical=("ARM",),
        reference={"ARM": control},
        join_empty=True,
    )
    if isinstance(found, tuple):
        return _in_its_place(run, mine, data, better), [
            *(not_fitted(one) for one in found),
            texts("in-its-place"),
        ]
    cells: list[Cell] = []
    behind = evidence(mine)
    for arm in run.arms.order[1:]:
        term = f"ARM[T.{arm}]"
        if term not in found.terms:
            cells += [NONE, NONE]
            continue
        odds = found.odds_ratio(term, of=better)
        cells += [Cell(interval(odds.ratio, odds.low, odds.high, 2), behind), Cell(p_value(odds.p), behind)]
    return cells, []


def _in_its_place(
    run: Run, rows: Sequence[Record], data: Columns, better: Literal["higher", "lower"]
) -> list[Cell]:
    """Where there is no common odds ratio: win odds over the strata with their interval, and van Elteren's p."""
    control = run.arms.order[0]
    cells: list[Cell] = []
    for arm in run.arms.order[1:]:
        mine = [place for place, one in enumerate(data["ARM"]) if one in (arm, control)]
        kept: Columns = {
            "AVAL": [float(data["AVAL"][place] or 0) for place in mine],
            "ARM": [data["ARM"][place] for place in mine],
            "STRATUM": [str(run.subjects[str(rows[place][SUBJECT])].get("STRATAR")) for place in mine],
        }
        if len(set(kept["ARM"])) < 2:
            cells += [NONE, NONE]
            continue
        behind = evidence([rows[place] for place in mine])
        won = fit_win_odds(kept, "AVAL", "ARM", better=better, strata=("STRATUM",), reference=control)
        ranked = fit_van_elteren(kept, "AVAL", "ARM", strata=("STRATUM",), reference=control)
        cells.append(
            NONE
            if isinstance(won, tuple)
            else Cell(f"{interval(won.win_odds.ratio, won.win_odds.low, won.win_odds.high, 2)} ‡", behind)
        )
        cells.append(NONE if isinstance(ranked, tuple) else Cell(f"{p_value(ranked.p)} ‡", behind))
    return cells


def ancova(
    run: Run, output: Output, rows: Sequence[Record], *, corrected: bool = False
) -> tuple[list[Cell], list[Text]]:
    """Analysis of covariance of the change at one visit, HC3 errors: every arm against control and p, or why not.

    corrected: strata as corrected.
    """
    variable, control = arm_variable(output), run.arms.order[0]
    mine = [row for row in rows if number(row["CHG"]) is not None and row[variable] is not None]
    blank = [NONE, NONE] * (len(run.arms.order) - 1)
    covariates = varying(run, output, mine, corrected=corrected)
    data: Columns = {
        "CHG": [number(row["CHG"]) for row in mine],
        "BASE": [number(row["BASE"]) for row in mine],
        "ARM": [str(row[variable]) for row in mine],
        **{name: [run.level(row, name, corrected=corrected) for row in mine] for name in covariates},
    }
    if control not in set(data["ARM"]) or len(set(data["ARM"])) < 2:
        return blank, []
    formula = " + ".join(("CHG ~ ARM + BASE", *covariates))
    found = fit_ancova(data, formula, errors="HC3", categorical=("ARM",), reference={"ARM": control})
    if isinstance(found, tuple):
        return blank, [not_fitted(one) for one in found]
    known = {one.levels["ARM"]: one.estimate for one in found.differences("ARM")}
    cells: list[Cell] = []
    for arm in run.arms.order[1:]:
        one = known.get(f"{arm} - {control}")
        behind = evidence(mine)
        cells += [NONE, NONE] if one is None else [
            Cell(interval(one.estimate, one.low, one.high), behind), Cell(p_value(one.p), behind)
        ]  # fmt: skip
    return cells, []


def not_fitted(one: Problem) -> Text:
    """That no model was fitted, and why."""
    return texts("not-fitted", reason=Text(one.say("en"), one.say("zh")))


def curves(run: Run, output: Output, rows: Sequence[Record]) -> SurvivalFit | None:
    """Kaplan and Meier's curves by arm; None where nothing can be drawn."""
    if not rows:
        return None
    found = fit_survival(_times(output, rows), "AVAL", "EVENT", by="ARM")
    return None if isinstance(found, tuple) else found


def log_rank(run: Run, output: Output, rows: Sequence[Record]) -> Cell:
    """p of the log-rank test over all arms."""
    data = _times(output, rows)
    if len(set(data["ARM"])) < 2 or not any(data["EVENT"]):
        return NONE
    found = fit_logrank(data, "AVAL", "EVENT", "ARM")
    return NONE if isinstance(found, tuple) else Cell(p_value(found.test.p), evidence(rows))


def _times(output: Output, rows: Sequence[Record]) -> Columns:
    return {
        "AVAL": [number(row["AVAL"]) for row in rows],
        "EVENT": [1.0 - (number(row["CNSR"]) or 0.0) for row in rows],
        "ARM": [str(row[arm_variable(output)]) for row in rows],
    }
