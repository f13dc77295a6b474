"""Outputs that rest on a model, of a made-up trial of 86: against the same question asked another way.

Nothing expected comes from the report: a fit of its own from the tables of the trial, least squares by hand, counts by hand.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from bench.trial_tables import numbers, trial_tables
from scipy import stats

from equipoise.analysis.ancova import fit_ancova
from equipoise.analysis.arms import known_arms, received
from equipoise.analysis.datasets.derive import derive
from equipoise.analysis.datasets.table import Table, table_of
from equipoise.analysis.imputation.filling import Gaps
from equipoise.analysis.imputation.means import Imputed, fit_imputed
from equipoise.analysis.mmrm.result import MmrmFit, fit_mmrm
from equipoise.analysis.report.comparing import shares
from equipoise.analysis.report.figures import forest
from equipoise.analysis.report.run import Run
from equipoise.analysis.report.sensitivity import sensitivity
from equipoise.analysis.report.write import write_report
from equipoise.analysis.wins import Outcome, fit_winratio
from equipoise.documents.report import Report
from equipoise.protocol.analysis import Output, Variant
from equipoise.protocol.deviating import DeviationKind, Severity
from equipoise.protocol.load import load_study
from equipoise.protocol.study import Study
from equipoise.words.problem import problem
from equipoise.words.text import LANGUAGES, Text

VISITS = ("D28", "D90", "D180", "D365")
UNTIL = dt.date(2031, 12, 31)


@pytest.fixture(scope="module")
def tables() -> Mapping[str, Table]:
    return trial_tables(86, seed=3, effect=9.0)


@pytest.fixture(scope="module")
def arm_of(tables) -> Mapping[str, str]:
    """USUBJID -> arm, in turn, as the made-up effect is."""
    return {subject: ("PLACEBO", "MSC")[place % 2] for place, subject in enumerate(numbers(tables))}


@pytest.fixture(scope="module")
def made(tables, arm_of) -> tuple[Mapping[str, Table], Report]:
    study = load_study(Path(__file__).resolve().parents[3] / "studies" / "nct07197606")
    assert isinstance(study, Study)
    arms = known_arms(study, "released", [(one, arm, arm) for one, arm in arm_of.items()])
    datasets = derive(study, tables, arms, UNTIL)
    wanted = ("T-11", "T-12", "T-20", "T-24", "F-03", "F-05", "L-01", "T-22")
    return datasets, write_report(study, {**tables, **datasets}, arms, UNTIL, rehearsal=True, outputs=wanted)


@pytest.fixture(scope="module")
def rows(made, arm_of) -> list[dict]:
    """Person, visit, arm, baseline and change, with strata: what every model here reads, of everybody and each visit."""
    analysed = {
        (row["USUBJID"], row["AVISIT"]): row
        for row in made[0]["ADQS"].records()
        if row["PARAMCD"] == "FMAMOTOT" and row["ANL01FL"] == "Y"
    }
    found = []
    for person in made[0]["ADSL"].records():
        subject = person["USUBJID"]
        for place, visit in enumerate(VISITS):
            row = analysed.get((subject, visit), {})
            found.append({
                "id": subject, "visit": visit, "place": str(place + 1), "arm": arm_of[subject], "sex": person["SEX"],
                "nihss": person["STRNIHSS"], "days": person["STRDAYS"], "death": row.get("DTYPE") == "DEATH",
                "base": float(analysed[subject, "BASELINE"]["AVAL"]), "chg": row.get("CHG"), "person": person,
            })  # fmt: skip
    return found


def cells(made, output: str) -> Mapping[str, list[str]]:
    shown = next(one for one in made[1].exhibits if one.id == output)
    return {line.say("en"): [cell.say("en") for cell in line.cells] for line in shown.lines}


def columns(rows: list[dict], *names: str) -> dict[str, list]:
    return {name: [row[name] for row in rows] for name in names}


def shown(estimate: float, low: float, high: float, places: int = 1) -> str:
    return f"{estimate:.{places}f} ({low:.{places}f}, {high:.{places}f})"


@pytest.mark.parametrize(
    ("label", "rule"),
    [
        ("Missing values filled in at random (MAR)", "mar"),
        ("Jump to reference", "j2r"),
        ("Copy reference", "cr"),
        ("Copy increments in reference", "cir"),
    ],
)
def test_values_filled_in_by_a_rule(made, rows, label, rule):
    data = columns(rows, "id", "place", "arm", "nihss", "days", "base", "chg")
    found = fit_imputed(data, Gaps(
        "chg ~ base*place + arm*place + nihss + days", "base + arm + nihss + days", "id", "place", "arm", "PLACEBO", rule
    ))  # fmt: skip
    assert isinstance(found, Imputed)
    one = found.at("3")
    line = cells(made, "T-12")[label]
    assert line[2] == shown(one.estimate, one.low, one.high)
    seen = [row for row in rows if row["visit"] == "D180" and row["chg"] is not None]
    for place, arm in enumerate(("PLACEBO", "MSC")):
        people = sum(row["arm"] == arm for row in rows) // 4
        assert line[place] == f"{people} ({people - sum(row['arm'] == arm for row in seen)} filled in)"


def test_the_tipping_point_is_the_move_after_which_nothing_is_shown(made, rows):
    data = columns(rows, "id", "place", "arm", "nihss", "days", "base", "chg")
    found = fit_imputed(data, Gaps(
        "chg ~ base*place + arm*place + nihss + days", "base + arm + nihss + days", "id", "place", "arm", "PLACEBO", "mar"
    ))  # fmt: skip
    told = float(cells(made, "T-12")["Tipping point"][2])
    assert told < 0 < found.effect[2]
    assert found.at("3", told + 0.1).p < 0.05 < found.at("3", told - 0.1).p


def test_why_somebody_left_is_said_in_the_words_of_the_study(made):
    """The codelist of the form of disposition (studies/nct07197606/codelists.yaml, NCOMPLT), not its codes."""
    told = {line[1] for line in cells(made, "L-01").values()}
    assert told == {"Died", "Withdrew"}


@pytest.fixture(scope="module")
def run_of_report(tables, arm_of) -> Run:
    study = load_study(Path(__file__).resolve().parents[3] / "studies" / "nct07197606")
    assert isinstance(study, Study)
    arms = known_arms(study, "released", [(one, arm, arm) for one, arm in arm_of.items()])
    return Run(study, tables, arms)


def test_a_screening_failure_is_said_in_the_words_of_its_criteria(run_of_report):
    """studies/nct07197606/eligibility.yaml: I02 “14 to 90 days after ischemic stroke.”"""
    told = run_of_report.decode("SCRFREAS", "SCREEN FAILURE: I02")
    assert told.say("en") == "I02 14 to 90 days after ischemic stroke."
    assert told.say("zh").startswith("I02 ")
    assert "SCREEN" not in told.say("zh")
    two = run_of_report.decode("SCRFREAS", "SCREEN FAILURE: I02, E04").say("en")
    assert two.startswith("I02 14 to 90 days after ischemic stroke.; E04 ")
    assert run_of_report.decode("SCRFREAS", "SCREEN FAILURE").say("en") == "Screening failure"


@pytest.mark.parametrize("kind", get_args(DeviationKind))
def test_every_kind_of_deviation_has_words_in_both_languages(run_of_report, kind):
    code = kind.replace("_", " ")
    told = run_of_report.decode("DVDECOD", code)
    assert told.say("en").upper() != told.say("en")
    assert not re.search("[A-Za-z]", told.say("zh"))


@pytest.mark.parametrize("severity", get_args(Severity))
def test_how_serious_a_deviation_is_has_words_in_both_languages(run_of_report, severity):
    told = run_of_report.decode("DVCAT", severity)
    assert told.say("en") == severity.lower()
    assert not re.search("[A-Za-z]", told.say("zh"))


def test_a_table_of_visits_names_the_unit(made):
    """studies/nct07197606/analysis.yaml: infarct volume in mL."""
    assert "Infarct volume (mL)" in cells(made, "T-22")


def test_analysis_of_covariance_has_robust_errors(made, rows):
    """HC3 by its formula (Long and Ervin 2000): residuals over one less their leverage, squared."""
    seen = [row for row in rows if row["visit"] == "D180" and row["chg"] is not None and not row["death"]]
    x = np.array([
        [1.0, row["arm"] == "MSC", row["base"], row["nihss"] == "N6-12", row["days"] == "D46-90"] for row in seen
    ], float)  # fmt: skip
    y = np.array([row["chg"] for row in seen])
    inverse = np.linalg.inv(x.T @ x)
    beta = inverse @ x.T @ y
    left = (y - x @ beta) / (1.0 - np.einsum("ij,jk,ik->i", x, inverse, x))
    se = np.sqrt((inverse @ (x.T * left**2) @ x @ inverse)[1, 1])
    half = stats.t.ppf(0.975, len(y) - 5) * se
    line = cells(made, "T-12")["ANCOVA of those alive with a value"]
    assert line[2] == shown(beta[1], beta[1] - half, beta[1] + half)


def test_the_win_ratio_compares_death_first(made, rows):
    people = [row for row in rows if row["visit"] == "D180"]

    def watched(person):
        first = dt.date.fromisoformat(person["REFDT"])
        day = {name: (dt.date.fromisoformat(person[name]) - first).days + 1 if person[name] else 999
               for name in ("DTHDT", "EOSDT")}  # fmt: skip
        return min(day["DTHDT"], day["EOSDT"], 180), day["DTHDT"] <= 180

    times = [watched(row["person"]) for row in people]
    data = {
        "arm": [row["arm"] for row in people],
        "stratum": [f"{row['nihss']}/{row['days']}" for row in people],
        "day": [float(day) for day, _ in times],
        "died": [float(died) for _, died in times],
        "chg": [None if row["death"] else row["chg"] for row in people],
    }
    found = fit_winratio(
        data, [Outcome("day", event="died"), Outcome("chg")], "arm", strata=("stratum",), reference="PLACEBO"
    )
    one = found.win_ratio
    assert cells(made, "T-12")["Win ratio: death, then the change"][2] == shown(
        one.ratio, one.low, one.high, 2
    )


def test_an_interaction_is_the_coefficient_of_the_crossed_model(made, rows):
    """With two arms and two sexes the F test is the t test of one coefficient, where day 180 is the reference visit."""
    seen = [row for row in rows if row["chg"] is not None]
    fit = fit_mmrm(
        columns(seen, "id", "visit", "arm", "sex", "nihss", "days", "base", "chg"),
        "chg ~ base*visit + arm*visit*sex + nihss + days", subject="id", visit="visit", df="kenward-roger",
        categorical=("arm", "visit", "sex"), reference={"arm": "PLACEBO", "visit": "D180", "sex": "F"},
    )  # fmt: skip
    assert isinstance(fit, MmrmFit)
    table, figure = cells(made, "T-20"), cells(made, "F-05")
    term = fit.coefficients["arm[T.MSC]:sex[T.M]"]
    assert table["Sex"][3] == f"{term.p:.3f}"
    one = fit.coefficients["arm[T.MSC]"]
    assert table["Female"][2] == shown(one.estimate, one.low, one.high)
    assert table == figure
    assert table["Everybody"][2] == cells(made, "T-12")["Primary: MMRM, deaths as 0"][2]


def test_every_level_has_the_people_who_are_in_it(made, rows):
    table = cells(made, "T-20")
    seen = [row for row in rows if row["visit"] == "D180" and row["chg"] is not None]
    kinds = {
        "Under 65 years": lambda row: row["person"]["AGE"] < 65, "65 years or more": lambda row: row["person"]["AGE"] > 64,
        "0 to 50": lambda row: row["base"] <= 50, "51 to 100": lambda row: row["base"] > 50,
        "Male": lambda row: row["sex"] == "M", "Day 46 to 90": lambda row: row["days"] == "D46-90",
        "Everybody": lambda row: True,
    }  # fmt: skip
    for label, inside in kinds.items():
        expected = [str(sum(inside(row) and row["arm"] == arm for row in seen)) for arm in ("PLACEBO", "MSC")]
        assert table[label][:2] == expected, label


def test_bangs_index_is_the_share_of_right_guesses_less_that_of_wrong_ones(made, tables, arm_of):
    shown_ = next(one for one in made[1].exhibits if one.id == "T-24")
    labels = [line.say("en") for line in shown_.lines]
    at = labels.index("Participant: Month 6 (primary endpoint)")
    answers = [
        (arm_of[row["USUBJID"]], row["QSSTRESC"])
        for row in tables["QS"].records()
        if row["QSTESTCD"] == "BQ0101" and row["VISIT"] == "V9"
    ]
    for place, (arm, right, wrong) in enumerate(
        (("PLACEBO", "PLACEBO", "ACTIVE"), ("MSC", "ACTIVE", "PLACEBO"))
    ):
        mine = [said for its, said in answers if its == arm]
        index = (mine.count(right) - mine.count(wrong)) / len(mine)
        assert shown_.lines[at + 5].cells[place].say("en").startswith(f"{index:.2f} (")
        said = shown_.lines[at + 3].cells[place].say("en")
        assert said.startswith(
            f"{mine.count('DO NOT KNOW')} ({100 * mine.count('DO NOT KNOW') / len(mine):.1f})"
        )
        missing = sum(its == arm for its in arm_of.values()) - len(mine)
        assert shown_.lines[at + 4].cells[place].say("en") == str(missing)


@pytest.fixture(scope="module")
def closed(tables, arm_of) -> tuple[Mapping[str, Table], Report]:
    """The same trial as the second door has it: what could tell the arm is there, and the bags that it handed over."""
    study = load_study(Path(__file__).resolve().parents[3] / "studies" / "nct07197606")
    assert isinstance(study, Study)
    extra: list[dict] = []
    for row in tables["LB"].records():
        if row["LBTESTCD"] == "ALT":
            value = 4.0 * (2.0 if arm_of[row["USUBJID"]] == "MSC" and row["VISIT"] == "V9" else 1.0)
            noise = 1.0 + 0.1 * (len(extra) % 7)
            extra.append({**row, "LBTESTCD": "INTLK6", "LBCAT": "BIOMARKER", "LBSTRESN": value * noise})
    labels = {name: name for name in tables["LB"].columns}
    lb = table_of("LB", "LB", labels, [*tables["LB"].records(), *extra])
    bags = [
        {"USUBJID": row["USUBJID"], "BAG": row["ECREFID"], "LOT": f"LOT-{arm_of[row['USUBJID']]}", "EQLEDGER": "bench/1",
         "CELLS": "62500000" if arm_of[row["USUBJID"]] == "MSC" else None, "VIAB": "91",
         "THAWDTC": str(row["ECSTDTC"]).replace("T10:00", "T09:30")}
        for row in tables["EC"].records()
    ]  # fmt: skip
    eqpr = table_of("EQPR", "EQPR", dict.fromkeys(bags[0], ""), bags)
    arms = known_arms(study, "closed", [(one, arm, arm) for one, arm in arm_of.items()], "0" * 64)
    held = {**tables, "LB": lb, "EQPR": eqpr}
    datasets = derive(study, held, arms, UNTIL)
    wanted = ("T-09", "T-21", "L-05")
    return datasets, write_report(study, {**held, **datasets}, arms, UNTIL, rehearsal=True, outputs=wanted)


def test_exposure_in_closed_work_has_cells_lot_and_time_from_thaw_to_end(closed, arm_of):
    """62.5 million cells, all of the bag given; thawed at 9:30, ended at 10:45."""
    for row in closed[0]["ADEX"].records():
        arm = arm_of[row["USUBJID"]]
        assert (row["LOT"], row["THAWMIN"], row["CELLS"]) == (
            f"LOT-{arm}",
            75,
            62.5 if arm == "MSC" else None,
        )
        assert "bench/1" in str(row["EQLEDGER"])
    text = [line.say("en") for line in next(one for one in closed[1].exhibits if one.id == "T-09").lines]
    assert "Viable cells given (millions)" in text
    notes = [note.en for one in closed[1].exhibits for note in one.notes]
    assert not [note for note in notes if note.startswith("Not at this door")]


def test_the_ratio_of_geometric_means_is_an_analysis_of_logarithms(closed, arm_of):
    """Least squares of the logarithm by hand, with t on the residual degrees of freedom."""
    rows = [
        row for row in closed[0]["ADLB"].records()
        if row["PARAMCD"] == "INTLK6" and row["AVISIT"] == "D180" and row["ANL01FL"] == "Y"
    ]  # fmt: skip
    people = {row["USUBJID"]: row for row in closed[0]["ADSL"].records()}
    x = np.array([
        [1.0, arm_of[row["USUBJID"]] == "MSC", np.log(row["BASE"]), people[row["USUBJID"]]["STRNIHSS"] == "N6-12",
         people[row["USUBJID"]]["STRDAYS"] == "D46-90"] for row in rows
    ], float)  # fmt: skip
    y = np.log([float(row["AVAL"]) for row in rows])
    inverse = np.linalg.inv(x.T @ x)
    beta = inverse @ x.T @ y
    s2 = np.sum((y - x @ beta) ** 2) / (len(y) - 5)
    half = stats.t.ppf(0.975, len(y) - 5) * np.sqrt(s2 * inverse[1, 1])
    shown_ = next(one for one in closed[1].exhibits if one.id == "T-21")
    labels = [line.say("en") for line in shown_.lines]
    line = shown_.lines[labels.index("Day 180")]
    assert line.cells[2].say("en") == shown(*np.exp([beta[1], beta[1] - half, beta[1] + half]), 2)
    assert beta[1] == pytest.approx(np.log(2.0), abs=0.2)  # the values of one arm were doubled


@pytest.mark.parametrize(
    ("given", "counts"), [("MSC", "MSC"), ("PLACEBO", "PLACEBO"), ("MSC+PLACEBO", "MSC"), ("", "")]
)
def test_who_received_of_both_counts_with_the_exposed(given, counts):
    assert received(given, ("PLACEBO", "MSC")) == counts


def test_where_nobody_of_an_arm_has_the_event_the_odds_ratio_is_firths(made, tables, arm_of):
    """In one stratum of 2 x 2 counts Firth's odds ratio is that of counts each with a half added (Firth 1993)."""
    study = load_study(Path(__file__).resolve().parents[3] / "studies" / "nct07197606")
    assert isinstance(study, Study)
    arms = known_arms(study, "released", [(one, arm, arm) for one, arm in arm_of.items()])
    run = Run(study, made[0], arms)
    for person in run.records("ADSL"):
        person["STRATAR"] = "one"
    output = next(one for one in study.analysis.outputs if one.id == "T-16")
    rows = [row for row in run.analysed(output, "MRS") if row["AVISIT"] == "D180"]
    mine = [row for row in rows if row["TRTP"] == "MSC"]
    good = mine[:5]
    n1, n0 = len(mine), len(rows) - len(mine)
    expected = (5.5 / (n1 - 4.5)) / (0.5 / (n0 + 0.5))
    text = shares(run, output, rows, good)[1].say("en")
    assert text.startswith(f"{expected:.2f} (")


def asked(made, arm_of, *variants: Variant) -> tuple[Run, Output]:
    """T-12 with these analyses alone, in a run of its own."""
    study = load_study(Path(__file__).resolve().parents[3] / "studies" / "nct07197606")
    assert isinstance(study, Study)
    output = next(one for one in study.analysis.outputs if one.id == "T-12")
    arms = known_arms(study, "released", [(one, arm, arm) for one, arm in arm_of.items()])
    return Run(study, made[0], arms), output.model_copy(update={"variants": variants})


def variant(method: str, **more: object) -> Variant:
    return Variant.model_validate({"label": {"en": method, "zh": method}, "method": method, **more})


def test_strata_as_corrected_are_those_of_every_method(made, rows, arm_of):
    run, output = asked(
        made, arm_of, variant("win ratio", corrected=True, alive=True), variant("ancova", corrected=True)
    )
    for place, person in enumerate(run.subjects.values()):
        if place % 3 == 0:
            person["STRATAC"] = "N6-12/D46-90" if place % 2 else "N13-20/D14-45"
    seen = [row for row in rows if row["visit"] == "D180" and row["chg"] is not None]
    data = columns(seen, "arm", "base", "chg")
    strata = [str(run.subjects[row["id"]]["STRATAC"]) for row in seen]
    data["nihss"], data["days"] = ([one.split("/")[place] for one in strata] for place in (0, 1))
    ranked, fitted = (line.cells for line in sensitivity(run, output)[0])
    found = fit_ancova(
        data, "chg ~ arm + base + nihss + days", errors="HC3", categorical=("arm",), reference={"arm": "PLACEBO"}
    )  # fmt: skip
    (one,) = (each.estimate for each in found.differences("arm"))
    assert fitted[2].say("en") == shown(one.estimate, one.low, one.high)
    alive = [not row["death"] for row in seen]
    those = {name: [v for v, lives in zip(its, alive, strict=True) if lives] for name, its in data.items()}
    those["stratum"] = [one for one, lives in zip(strata, alive, strict=True) if lives]
    one = fit_winratio(those, [Outcome("chg")], "arm", strata=("stratum",), reference="PLACEBO").win_ratio
    assert ranked[2].say("en") == shown(one.ratio, one.low, one.high, 2)
    assert [cell.say("en") for cell in ranked[:2]] == [
        str(those["arm"].count(arm)) for arm in ("PLACEBO", "MSC")
    ]


def test_who_has_no_first_day_is_in_no_ranking_of_days_and_is_counted(made, arm_of):
    run, output = asked(made, arm_of, variant("win ratio"))
    before = [int(cell.say("en")) for cell in sensitivity(run, output)[0][0].cells[:2]]
    gone = next(key for key, arm in arm_of.items() if arm == "MSC")
    run.subjects[gone]["REFDT"] = None
    (line,), notes = sensitivity(run, output)
    assert [int(cell.say("en")) for cell in line.cells[:2]] == [before[0], before[1] - 1]
    assert [note.en for note in notes if note.en.endswith("in no comparison: 1")]


def test_only_rules_that_fill_gaps_are_worked_out(made, arm_of, monkeypatch):
    wanted: list[list[str]] = []

    def kept(data, gaps, rules):
        wanted.append(list(rules))
        return (problem("analysis.no-outcome"),)

    monkeypatch.setattr("equipoise.analysis.report.sensitivity.fit_rules", kept)
    run, output = asked(made, arm_of, variant("ancova"), variant("imputed", rule="j2r"))
    sensitivity(run, output)
    assert wanted == [["j2r"]]


def test_the_p_of_an_interaction_shows_the_rows_of_its_model(made, rows):
    """All changes of everybody at the visits of the table: of both sexes each arm has enough."""
    shown_ = next(one for one in made[1].exhibits if one.id == "T-20")
    line = next(one for one in shown_.lines if one.say("en") == "Sex")
    assert len(line.cells[3].rows) == sum(row["chg"] is not None for row in rows)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_axis_of_the_means_calls_the_visits_as_the_table_does(made, language):
    """A visit on day 28 after the first is study day 29: the axis must not say another number than the table."""
    shown_ = next(one for one in made[1].exhibits if one.id == "F-03")
    axis = shown_.figures[0].description[language]["layer"][0]["encoding"]["x"]["axis"]
    called = json.loads(axis["labelExpr"].partition("[")[0])
    assert list(called.values()) == [line.say(language) for line in shown_.lines]
    assert [1, *map(int, called)] == axis["values"]


def test_a_forest_has_a_figure_for_every_arm_beside_control(tables):
    """Three arms in turn; what each figure draws is what the table says of its arm."""
    study = load_study(Path(__file__).resolve().parents[3] / "studies" / "nct07197606")
    assert isinstance(study, Study)
    more = study.arms[-1].model_copy(update={"id": "MORE", "label": Text("Double dose", "双倍剂量")})
    study = study.model_copy(update={"arms": (*study.arms, more)})
    turn = ("PLACEBO", "MSC", "MORE")
    arms = known_arms(
        study, "released", [(one, turn[at % 3], turn[at % 3]) for at, one in enumerate(numbers(tables))]
    )
    run = Run(study, derive(study, tables, arms, UNTIL), arms)
    output = next(one for one in study.analysis.outputs if one.id == "F-05")
    output = output.model_copy(update={"by": ("SEX",), "visits": ("D90", "D180")})
    _, lines, figures, _ = forest(run, output)
    told = {line.say("en"): [cell.say("en") for cell in line.cells] for line in lines}
    assert len(figures) == 2
    for place, (figure, arm) in enumerate(zip(figures, arms.order[1:], strict=True)):
        assert run.arm_label(arm).en in figure.alternative.en
        points = figure.description["en"]["hconcat"][1]["data"]["values"]
        assert {one["name"] for one in points} == {"Everybody", "Female", "Male"}
        for one in points:
            assert told[one["name"]][3 + place] == shown(one["mid"], one["low"], one["high"])
