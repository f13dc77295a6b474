"""Hard data against R: few people with many gaps, arms of 9 and 51, visits that nearly say the same, weights, groups.

Data and values are made by `tests/vectors/hard_cases.R` (nlme's gls, ordinal's clm, pairs counted one by one). gls stops
where its steps no longer change much, so coefficients are held to its own precision, and the likelihood here must be at
least as high as there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from equipoise.analysis.mmrm.result import MmrmFit, fit_mmrm
from equipoise.analysis.ordinal.result import OrdinalFit, fit_ordinal
from equipoise.analysis.wins import Outcome, WinFit, fit_winratio

HARD: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[2] / "vectors" / "hard_cases.json").read_text("utf-8")
)
CASES = [
    (name, key)
    for name in ("sparse", "unbalanced", "tight")
    for key, its in HARD[name].items()
    if key != "data" and its
]


def table(data: dict[str, list[Any]]) -> dict[str, list[Any]]:
    numbers = {"base", "w", "y", "x", "day", "died", "grade"}
    return {
        name: [float(value) if name in numbers else str(value) for value in values]
        for name, values in data.items()
    }


def term(name: str) -> frozenset[str]:
    """A term of R's as formulaic writes it, whatever the order of its factors."""
    parts = name.replace("(Intercept)", "Intercept").split(":")
    return frozenset(
        f"{part[:-1]}[T.{part[-1]}]" if part.startswith(("arm", "visit", "site")) else part for part in parts
    )


@pytest.mark.parametrize(("name", "key"), CASES)
def test_as_generalised_least_squares_has_it(name, key):
    expected, weighted = HARD[name][key], key.startswith("weighted_")
    structure = key.removeprefix("weighted_").split("_")[0]
    found = fit_mmrm(
        table(HARD[name]["data"]), "y ~ base + arm*visit", subject="id", visit="visit", covariance=structure,
        df="satterthwaite", reml=not key.endswith("_ml"), weights="w" if weighted else None,
        categorical=("arm", "visit"), reference={"arm": "A", "visit": "1"},
    )  # fmt: skip
    assert isinstance(found, MmrmFit), found
    mine = {frozenset(its.split(":")): one for its, one in found.coefficients.items()}
    for its, beta, se in zip(expected["terms"], expected["beta"], expected["se"], strict=True):
        one = mine[term(its)]
        assert one.estimate == pytest.approx(beta, rel=5e-5, abs=2e-5 * se)
        assert one.se == pytest.approx(se, rel=2e-5)
    assert found.loglik == pytest.approx(expected["loglik"], abs=1e-7)
    assert found.loglik > expected["loglik"] - 1e-10 * abs(expected["loglik"])


def test_groups_of_9_and_51_are_two_fits_where_all_is_crossed():
    expected = HARD["by_group"]["csh"]
    found = fit_mmrm(
        table(HARD["unbalanced"]["data"]), "y ~ arm*base + arm*visit", subject="id", visit="visit", covariance="csh",
        group="arm", df="satterthwaite", reml=False, categorical=("arm", "visit"), reference={"arm": "A", "visit": "1"},
    )  # fmt: skip
    assert isinstance(found, MmrmFit), found
    assert found.loglik == pytest.approx(expected["A"]["loglik"] + expected["B"]["loglik"], abs=1e-7)
    assert found.coefficients["base"].estimate == pytest.approx(expected["A"]["beta"][1], rel=5e-5)


def test_a_scale_with_a_grade_of_three_and_one_of_nobody_as_clm_has_it():
    """Fifty-seven participants over six grades, arms of 12 and 45, a covariate level of few."""
    expected = HARD["ordinal"]
    assert expected["counts"][0] == 3
    assert expected["counts"][-1] == 0
    data = table(expected["data"]) | {"grade": [str(grade) for grade in expected["data"]["grade"]]}
    found = fit_ordinal(data, "grade ~ arm + x + site", reference={"arm": "A", "site": "p"})
    assert isinstance(found, OrdinalFit), found
    mine = {frozenset([its]): one for its, one in found.coefficients.items()}
    se = dict(zip(expected["terms"], expected["se"][-len(expected["terms"]) :], strict=True))
    for its, beta in zip(expected["terms"], expected["beta"], strict=True):
        assert mine[term(its)].estimate == pytest.approx(beta, rel=1e-8)
        assert mine[term(its)].se == pytest.approx(se[its], rel=1e-8)
    assert found.loglik == pytest.approx(expected["loglik"], abs=1e-10)


def test_pairs_most_of_which_tie_are_counted_as_one_by_one():
    expected = HARD["wins"]
    outcomes = [Outcome("day", event="died"), Outcome("grade", "lower")]
    found = fit_winratio(table(expected["data"]), outcomes, "arm", reference="A")
    assert isinstance(found, WinFit)
    assert (found.wins, found.losses, found.ties) == (
        expected["wins"],
        expected["losses"],
        expected["ties"],
    )
