"""Analysis of covariance: reference fits, closed forms, what must not change the answer, and what has no answer.

Source of the reference values: R 4.2.2 lm, sandwich 3.0-2, emmeans 1.8.4 (tests/vectors/analysis.json).
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from equipoise.analysis import AncovaFit, fit_ancova
from rooms.analysis.reference_cases import references, shuffled, told

MODEL = "chg ~ arm + base + strat"


@pytest.fixture(scope="module", params=["syn1", "syn2"])
def trial(request):
    return references()["ancova"][request.param]


def fitted(table, formula=MODEL, **options) -> AncovaFit:
    found = fit_ancova(table, formula, **options)
    assert isinstance(found, AncovaFit), [its.say() for its in found]
    return found


def test_a_made_up_trial_is_fitted_as_lm_fits_it(trial):
    found, expected = fitted(trial["data"]), trial["expected"]
    assert found.df == expected["df"]
    coefficients = found.coefficients.values()
    np.testing.assert_allclose([its.estimate for its in coefficients], expected["est"], rtol=1e-9)
    np.testing.assert_allclose([its.se for its in coefficients], expected["se"], rtol=1e-9)
    np.testing.assert_allclose([its.p for its in coefficients], expected["p"], rtol=1e-8)
    assert found.loglik == pytest.approx(expected["loglik"], abs=1e-9)
    assert found.sigma == pytest.approx(expected["sigma"], rel=1e-10)


@pytest.mark.parametrize("errors", ["HC0", "HC1", "HC2", "HC3"])
def test_robust_errors_as_sandwich_gives_them(trial, errors):
    found = fitted(trial["data"], errors=errors)
    np.testing.assert_allclose(np.sqrt(np.diag(found.vcov)), trial["expected"][errors], rtol=1e-9)
    if errors == "HC3":
        assert found.coefficients["arm"].se == pytest.approx(trial["expected"]["HC3_se_arm"], rel=1e-9)


def test_marginal_means_as_emmeans_gives_them(trial):
    found = fitted(trial["data"], categorical=["arm", "strat"])
    means, expected = found.lsmeans("arm"), trial["expected"]
    np.testing.assert_allclose([its.estimate.estimate for its in means], expected["lsmeans"], rtol=1e-9)
    np.testing.assert_allclose([its.estimate.se for its in means], expected["lsm_se"], rtol=1e-9)
    (difference,) = found.differences("arm")
    assert difference.levels == {"arm": "1 - 0"}
    assert difference.estimate.estimate == pytest.approx(expected["est"][1], rel=1e-9)


def test_two_groups_without_covariates_are_a_t_test(trial):
    rows = [(a, c) for a, c in zip(trial["data"]["arm"], trial["data"]["chg"], strict=True) if c is not None]
    groups = [[c for a, c in rows if a == arm] for arm in (1, 0)]
    arm = fitted(trial["data"], "chg ~ arm").coefficients["arm"]
    student = stats.ttest_ind(*groups)
    assert (arm.t, arm.p) == pytest.approx((student.statistic, student.pvalue), rel=1e-9)
    # HC2 of two groups is the error of Welch's test: s1^2 / n1 + s0^2 / n0
    welch = np.sqrt(sum(np.var(its, ddof=1) / len(its) for its in groups))
    assert fitted(trial["data"], "chg ~ arm", errors="HC2").coefficients["arm"].se == pytest.approx(
        welch, rel=1e-9
    )


def test_a_joint_test_of_three_arms_is_that_of_analysis_of_variance():
    rng = np.random.default_rng(2)
    groups = [rng.normal(mean, 1.0, size) for mean, size in ((0.0, 9), (0.4, 12), (0.9, 7))]
    table = {
        "arm": [str(at) for at, its in enumerate(groups) for _ in its],
        "y": np.concatenate(groups).tolist(),
    }
    test, expected = fitted(table, "y ~ arm").joint_test(np.eye(3)[1:]), stats.f_oneway(*groups)
    assert (test.f, test.p) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)
    assert (test.numerator_df, test.denominator_df) == (2, 25)


def arm_of(found, term="arm"):
    its = found.coefficients[term]
    return np.array([its.estimate, its.se, its.p])


@pytest.mark.parametrize("errors", ["model", "HC3"])
def test_what_does_not_matter(trial, errors):
    plain = arm_of(fitted(trial["data"], errors=errors))
    np.testing.assert_allclose(arm_of(fitted(shuffled(trial["data"]), errors=errors)), plain, rtol=1e-8)
    turned = fitted(trial["data"], errors=errors, reference={"arm": "1"})
    np.testing.assert_allclose(arm_of(turned, "arm[T.0]") * [-1, 1, 1], plain, rtol=1e-8)
    moved = trial["data"] | {"base": [1e6 + 1e-3 * its for its in trial["data"]["base"]]}
    np.testing.assert_allclose(arm_of(fitted(moved, errors=errors)), plain, rtol=1e-5)
    scaled = trial["data"] | {"chg": [None if its is None else 1e6 * its for its in trial["data"]["chg"]]}
    np.testing.assert_allclose(arm_of(fitted(scaled, errors=errors)) / [1e6, 1e6, 1], plain, rtol=1e-8)


def test_faults(trial):
    table, n = trial["data"], len(trial["data"]["arm"])
    assert told(fit_ancova(table, MODEL, errors="HC9")) == {("errors", "HC9")}
    assert told(fit_ancova(table | {"site": ["A"] * n}, MODEL + " + site")) == {("constant", "site")}
    assert told(fit_ancova(table | {"one": [2.0] * n}, MODEL + " + one")) == {("constant", "one")}
    assert told(fit_ancova(table | {"chg": [7.0] * n}, MODEL)) == {("no-residual", "")}
    assert told(fit_ancova(table | {"chg": [float("inf")] * n}, MODEL)) == {("infinite", "chg")}
    assert told(fit_ancova(table | {"chg": ["low", *table["chg"][1:]]}, MODEL)) == {("text", "chg")}
    assert told(fit_ancova({name: its[:4] for name, its in table.items()}, MODEL)) == {("too-few", "")}
    assert told(fit_ancova(table, "chg ~ nobody")) == {("no-column", "nobody")}
    empty = [None if arm else its for its, arm in zip(table["chg"], table["arm"], strict=True)]
    assert told(fit_ancova(table | {"chg": empty}, MODEL, categorical=["arm"])) == {("one-level", "arm")}


def test_a_row_like_no_other_has_no_error_of_its_own(trial):
    alone = [float(row == 4) for row in range(len(trial["data"]["arm"]))]
    table = trial["data"] | {
        "alone": alone,
        "chg": [1.5 if its is None else its for its in trial["data"]["chg"]],
    }
    found = fit_ancova(table, MODEL + " + alone", errors="HC3")
    assert told(found) == {("leverage", "HC3")}
    assert found[0].arguments["rows"] == "5"
    assert isinstance(fit_ancova(table, MODEL + " + alone"), AncovaFit)


def test_an_arm_whose_responses_are_all_alike_has_no_robust_error():
    table = {"arm": ["a", "a", "b", "b", "b"], "y": [1.0, 1.0, 2.0, 3.0, 5.0]}
    assert ("no-spread", "Intercept") in told(fit_ancova(table, "y ~ arm", errors="HC3"))
    assert isinstance(fit_ancova(table, "y ~ arm"), AncovaFit)
