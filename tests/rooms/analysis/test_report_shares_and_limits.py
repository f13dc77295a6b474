"""The plan chooses the interval of a difference of shares; a value below quantification reaches its table as that.

Expected: Newcombe 1998, table II (56 of 70 against 48 of 80); a likelihood written here and maximised by SciPy.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from bench.trial_tables import numbers, trial_tables
from scipy import optimize, stats

from equipoise.analysis.arms import known_arms
from equipoise.analysis.datasets.derive import derive
from equipoise.analysis.datasets.measured import _values, limit
from equipoise.analysis.datasets.table import Record, Table, table_of
from equipoise.analysis.report.comparing import common_odds, share_heads, shares
from equipoise.analysis.report.responding import responders
from equipoise.analysis.report.run import Run
from equipoise.analysis.report.write import write_report
from equipoise.documents.report import Exhibit
from equipoise.protocol.checks.plan import plan_names_what_is_there
from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study

UNTIL = dt.date(2031, 12, 31)
LIMIT = 6.0


@pytest.fixture(scope="module")
def study() -> Study:
    found = load_study(Path(__file__).resolve().parents[3] / "studies" / "nct07197606")
    assert isinstance(found, Study)
    return found


@pytest.mark.parametrize(
    ("interval", "shown", "name"),
    [
        ("newcombe", "20.0 (5.2, 33.4)", "Newcombe"),
        ("miettinen-nurminen", "20.0 (5.3, 33.8)", "Miettinen–Nurminen"),
    ],
)
def test_a_table_shows_the_interval_that_the_plan_names_and_says_which(study, interval, shown, name):
    plan = study.analysis.model_copy(update={"share_interval": interval})
    people = [(f"P{place:03d}", "MSC" if place < 70 else "PLACEBO") for place in range(150)]
    arms = known_arms(study, "released", [(one, arm, arm) for one, arm in people])
    adsl = [{"USUBJID": one, "STRATAR": "one", "EQLEDGER": "x/1", "FASFL": "Y"} for one, _ in people]
    held = {"ADSL": table_of("ADSL", "ADSL", dict.fromkeys(adsl[0], ""), adsl)}
    run = Run(study.model_copy(update={"analysis": plan}), held, arms)
    rows: list[Record] = [
        {"USUBJID": one, "TRTP": arm, "DATASET": "ADQS", "EQLEDGER": "x/1"} for one, arm in people
    ]
    output = next(one for one in plan.outputs if one.id == "T-16")
    difference, _ = shares(run, output, rows, rows[:56] + rows[70:118])
    assert difference.say("en") == shown
    head = share_heads(run, output)[-2]
    assert f"(95 % CI, {name})" in head.en
    assert name in (head.zh or "")
    note = responders(run, output)[1][-1]
    assert name in note.en
    assert name in (note.zh or "")


@pytest.mark.parametrize(
    ("active", "control", "odds"),
    [
        (
            [0] * 8 + [1] * 6 + [3] * 6,
            [3] * 10 + [4] * 10,
            "12.33 (",
        ),  # 340 pairs won, 60 tied: (340 + 30) / 30
        ([0] * 10 + [1] * 10, [3] * 10 + [4] * 10, "–"),  # every pair is won, and no odds are finite
    ],
)
def test_where_grades_are_separated_a_table_says_why_and_shows_ranks_in_place_of_odds(
    study, active, control, odds
):
    """Win odds by hand; p as SciPy's rank-sum test has it."""
    people = [(f"P{place:03d}", "MSC" if place < 20 else "PLACEBO") for place in range(40)]
    arms = known_arms(study, "released", [(one, arm, arm) for one, arm in people])
    adsl = [
        {"USUBJID": one, "STRATAR": "one", "STRNIHSS": "x", "STRDAYS": "x", "EQLEDGER": "x/1"}
        for one, _ in people
    ]
    run = Run(study, {"ADSL": table_of("ADSL", "ADSL", dict.fromkeys(adsl[0], ""), adsl)}, arms)
    output = next(one for one in study.analysis.outputs if one.id == "T-15")
    rows: list[Record] = [
        {"USUBJID": one, "TRTP": arm, "AVAL": float(grade), "BASE": 4.0, "DATASET": "ADQS", "EQLEDGER": "x/1"}
        for (one, arm), grade in zip(people, [*active, *control], strict=True)
    ]
    cells, notes = common_odds(run, output, rows)
    assert cells[0].say("en").startswith(odds)
    p = stats.mannwhitneyu(active, control, use_continuity=False, method="asymptotic").pvalue
    assert p < 0.001
    assert cells[1].say("en") == "<0.001 ‡"
    assert "separate the responses completely" in notes[0].en
    assert "van Elteren" in notes[1].en
    assert "van Elteren" in (notes[1].zh or "")


@pytest.mark.parametrize(
    ("reported", "found"),
    [("<0.5", 0.5), ("< 2", 2.0), ("0.5", None), ("<", None), ("<x", None), (None, None)],
)
def test_the_limit_of_a_result(reported, found):
    assert limit(reported) == found


def interleukin(tables: Mapping[str, Table], arm_of: Mapping[str, str]) -> Mapping[str, Table]:
    """The trial with interleukin 6 of everybody, doubled on day 180 in one arm; below 6 it is reported as "<6"."""
    extra: list[dict] = []
    rng = np.random.default_rng(11)
    for row in tables["LB"].records():
        if row["LBTESTCD"] == "ALT":
            doubled = arm_of[str(row["USUBJID"])] == "MSC" and row["VISIT"] == "V9"
            value = round(float(8.0 * np.exp(rng.normal(0.0, 0.5)) * (2.0 if doubled else 1.0)), 2)
            result = {"LBSTRESN": value, "LBSTRESC": str(value)}
            if value < LIMIT:
                result = {"LBSTRESN": None, "LBSTRESC": "<6"}
            extra.append({**row, "LBTESTCD": "INTLK6", "LBCAT": "BIOMARKER", **result})
    labels = {name: name for name in tables["LB"].columns}
    return {**tables, "LB": table_of("LB", "LB", labels, [*tables["LB"].records(), *extra])}


@pytest.fixture(scope="module")
def limited(study) -> tuple[Mapping[str, Table], Exhibit, Mapping[str, str]]:
    tables = trial_tables(86, seed=3, effect=9.0)
    arm_of = {subject: ("PLACEBO", "MSC")[place % 2] for place, subject in enumerate(numbers(tables))}
    held = interleukin(tables, arm_of)
    arms = known_arms(study, "closed", [(one, arm, arm) for one, arm in arm_of.items()], "0" * 64)
    datasets = derive(study, held, arms, UNTIL)
    report = write_report(study, {**held, **datasets}, arms, UNTIL, rehearsal=True, outputs=("T-21",))
    return datasets, report.exhibits[0], arm_of


def at_day_180(datasets: Mapping[str, Table]) -> list[dict]:
    return [
        row for row in datasets["ADLB"].records()
        if row["PARAMCD"] == "INTLK6" and row["AVISIT"] == "D180" and row["ANL01FL"] == "Y"
    ]  # fmt: skip


def most_likely(x: np.ndarray, y: np.ndarray, below: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Estimates and standard errors of a normal model in which y is a limit where `below` (Tobin 1958)."""

    def loss(at: np.ndarray) -> float:
        sigma, mean = np.exp(at[-1]), x @ at[:-1]
        seen = stats.norm.logpdf(y, mean, sigma)[~below].sum()
        return -float(seen + stats.norm.logcdf(y, mean, sigma)[below].sum())

    start = np.append(np.linalg.lstsq(x, y)[0], 0.0)
    at = optimize.minimize(loss, start, method="BFGS", options={"gtol": 1e-8}).x
    moves = np.eye(len(at)) * 1e-4
    bends = np.array([
        [loss(at + a + b) - loss(at + a - b) - loss(at - a + b) + loss(at - a - b) for b in moves] for a in moves
    ]) / 4e-8  # fmt: skip
    return at, np.sqrt(np.diag(np.linalg.inv(bends)))


def test_values_below_quantification_are_analysed_as_that(limited):
    datasets, shown, arm_of = limited
    rows = at_day_180(datasets)
    people = {row["USUBJID"]: row for row in datasets["ADSL"].records()}
    below = np.array([row["AVAL"] is None for row in rows])
    assert 3 < below.sum() < len(rows) / 2
    assert {row["LLOQ"] for row, its in zip(rows, below, strict=True) if its} == {LIMIT}
    based = np.array([row["BASE"] is None for row in rows])
    assert based.any()
    y = np.log([LIMIT if row["AVAL"] is None else float(row["AVAL"]) for row in rows])
    base = np.log([LIMIT if row["BASE"] is None else float(row["BASE"]) for row in rows])
    arm = np.array([arm_of[row["USUBJID"]] == "MSC" for row in rows])
    strata = [
        [people[row["USUBJID"]]["STRNIHSS"] == "N6-12", people[row["USUBJID"]]["STRDAYS"] == "D46-90"]
        for row in rows
    ]
    x = np.column_stack([np.ones(len(rows)), arm, base, based, np.array(strata, float)])
    at, se = most_likely(x, y, below)
    line = next(its for its in shown.lines if its.say("en") == "Day 180")
    found = line.cells[2].say("en")
    values = [float(its) for its in found.replace("(", "").replace(")", "").replace(",", "").split()]
    np.testing.assert_allclose(
        values, np.exp([at[1], at[1] - 1.959964 * se[1], at[1] + 1.959964 * se[1]]), atol=0.011
    )
    assert at[1] == pytest.approx(
        np.log(2.0), abs=0.35
    )  # one arm's values were doubled; half the limit would shrink it
    for place, its in enumerate((~arm, arm)):
        alone, _ = most_likely(np.ones((its.sum(), 1)), y[its], below[its])
        size, mean = line.cells[place].say("en").split("; ")
        assert size == f"{its.sum()} (zero 0, below {below[its].sum()})"
        assert float(mean.split(" ")[0]) == pytest.approx(np.exp(alone[0]), rel=0.005)


def test_of_other_parameters_a_value_below_is_no_value(limited):
    """Alanine transferase is analysed by its number: a row without one is neither baseline nor analysed."""
    rows = [row for row in limited[0]["ADLB"].records() if row["PARAMCD"] != "INTLK6" and row["AVAL"] is None]
    assert not [row for row in rows if row["ANL01FL"] == "Y" or row["ABLFL"] == "Y"]


def test_a_test_that_is_recorded_in_classes_has_the_place_of_its_class_as_value(study):
    """ADaM IG 1.3, AVAL and AVALC: one number for one text. The order is the codelist's, least narrowing first."""
    plan = study.analysis
    narrowing = next(one for one in plan.parameters if one.id == "STENOSIS")
    assert list(narrowing.levels) == [term.code for term in study.codelist("STENOSIS").terms]
    rows: list[Record] = [
        {"CVTESTCD": "PCTDIAST", "VISITNUM": place, "CVSPID": "VASC", "CVDTC": "2026-12-01", "CVSTRESC": code, "EQLEDGER": "x/1"}
        for place, code in enumerate(["0-29", "OCCLUDED", "NOT ASKED", None])
    ]  # fmt: skip
    found = [(one["AVAL"], one["AVALC"]) for one in _values(narrowing, rows)]
    assert found == [(1.0, "0-29"), (5.0, "OCCLUDED"), (None, "NOT ASKED")]


def test_a_class_that_nobody_can_record_is_a_fault_of_the_plan(study):
    plan = study.analysis
    mistyped = [
        one.model_copy(update={"levels": ("0-29", "0-49")}) if one.id == "STENOSIS" else one
        for one in plan.parameters
    ]
    changed = study.model_copy(update={"analysis": plan.model_copy(update={"parameters": tuple(mistyped)})})
    [fault] = plan_names_what_is_there(changed)
    assert "levels" in fault.path
