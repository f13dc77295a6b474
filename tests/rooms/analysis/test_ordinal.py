"""Proportional odds: reference fits, published examples, what must not change the answer, and what has no answer.

Sources: tests/vectors/analysis.json names the program of each reference (R 4.2.2: MASS, ordinal, VGAM); the cheese
tasting data and PROC LOGISTIC's prints are in SAS/STAT's guide, example "Ordinal Logistic Regression" (counts of
McCullagh and Nelder 1989, table 5.1).
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from equipoise.analysis import OrdinalFit, fit_ordinal
from equipoise.analysis.estimate import ChiSquare
from equipoise.analysis.ops import NUMPY
from equipoise.analysis.ordinal import assumption as testing
from equipoise.analysis.ordinal import steps
from equipoise.words.problem import Problem
from rooms.analysis.reference_cases import references, shuffled, told, without

MODEL = "mrs ~ arm + strat + nihss"
CHEESE = {  # responses 1 … 9 to four additives
    "A": [0, 0, 1, 7, 8, 8, 19, 8, 1],
    "B": [6, 9, 12, 11, 7, 6, 1, 0, 0],
    "C": [1, 1, 6, 8, 23, 7, 5, 1, 0],
    "D": [0, 0, 0, 1, 3, 7, 14, 16, 11],
}


@pytest.fixture(scope="module")
def trial():
    return references()["mrs"]


@pytest.fixture(scope="module")
def housing():
    return references()["housing"]


def fitted(table, formula=MODEL, **options) -> OrdinalFit:
    found = fit_ordinal(table, formula, **options)
    assert isinstance(found, OrdinalFit), [its.say() for its in found]
    return found


def fitted_housing(housing, **options):
    order = {
        "categories": ["Low", "Medium", "High"],
        "reference": {"Infl": "Low", "Type": "Tower", "Cont": "Low"},
    }
    return fitted(housing["data"], "Sat ~ Infl + Type + Cont", frequency="Freq", **order, **options)


def fitted_cheese(**options):
    table = {
        "additive": [name for name in CHEESE for _ in range(9)],
        "taste": [taste for _ in CHEESE for taste in range(1, 10)],
        "count": [count for counts in CHEESE.values() for count in counts],
    }
    return fitted(table, "taste ~ additive", frequency="count", reference={"additive": "D"}, **options)


def test_a_made_up_trial_is_fitted_as_polr_and_clm_fit_it(trial):
    found, expected = fitted(trial["data"]), trial["polr"]
    assert found.terms == tuple(expected["names"])
    coefficients = list(found.coefficients.values())
    np.testing.assert_allclose([its.estimate for its in coefficients], expected["est"], rtol=1e-6)
    np.testing.assert_allclose([its.se for its in coefficients], expected["se"], rtol=1e-6)
    np.testing.assert_allclose([its.z for its in coefficients], expected["z"], rtol=1e-6)
    np.testing.assert_allclose([its.p for its in coefficients], expected["p"], rtol=1e-5)
    assert found.loglik == pytest.approx(expected["loglik"], abs=1e-8)
    arm = found.odds_ratio("arm")
    np.testing.assert_allclose(np.log([arm.low, arm.high]), expected["wald_ci_arm"], rtol=1e-6)


def test_the_likelihood_ratio_of_the_arm(trial):
    gain = 2 * (fitted(trial["data"]).loglik - fitted(trial["data"], "mrs ~ strat + nihss").loglik)
    assert gain == pytest.approx(trial["polr"]["lrt_arm"], abs=1e-7)


def test_without_covariates(trial):
    found, expected = fitted(trial["data"], "mrs ~ arm"), trial["unadjusted"]
    np.testing.assert_allclose(found.theta, expected["est"], rtol=1e-6)
    np.testing.assert_allclose(np.sqrt(np.diag(found.vcov)), expected["se"], rtol=1e-6)


def test_profile_intervals(trial, housing):
    """clm draws a spline through its profile, so its bounds are good to about 1e-5; a root finder's to 1e-10."""
    bounds = fitted(trial["data"]).profile("arm")
    np.testing.assert_allclose(np.log([bounds.low, bounds.high]), trial["profile_arm"], atol=1e-8)
    np.testing.assert_allclose(np.log([bounds.low, bounds.high]), trial["clm_profile_arm"], atol=1e-5)
    found, expected = fitted_housing(housing), housing["profile"]
    for term, low, high in zip(expected["term"], expected["low"], expected["high"], strict=True):
        bounds = found.profile(next(its for its in found.slopes if its.replace("[T.", "").strip("]") == term))
        np.testing.assert_allclose(np.log([bounds.low, bounds.high]), [low, high], atol=1e-5)


@pytest.mark.parametrize("program", ["clm", "polr"])
def test_counts_of_a_published_survey(housing, program):
    found, expected = fitted_housing(housing), housing[program]
    mine = {term.replace("[T.", "").strip("]"): its for term, its in found.coefficients.items()}
    np.testing.assert_allclose([mine[n].estimate for n in expected["names"]], expected["est"], rtol=1e-6)
    np.testing.assert_allclose([mine[n].se for n in expected["names"]], expected["se"], rtol=1e-6)
    assert -2 * found.loglik == pytest.approx(housing["polr"]["deviance"], abs=1e-6)
    assert found.n_obs == 1681  # the survey's participants


def test_partial_proportional_odds(housing):
    """clm gives a nominal effect as part of the threshold: its sign is turned."""
    found, expected = fitted_housing(housing, nominal=["Cont"]), housing["nominal_Cont"]

    def name(text):
        cut, dot, term = text.partition(".")
        if dot:
            return cut if term == "(Intercept)" else f"{term}@{cut}"
        return text

    mine = {term.replace("[T.", "").replace("]", ""): its for term, its in found.coefficients.items()}
    signs = [-1.0 if "Cont" in text else 1.0 for text in expected["names"]]
    its = [mine[name(text)] for text in expected["names"]]
    np.testing.assert_allclose([a.estimate for a in its] * np.array(signs), expected["est"], rtol=1e-6)
    np.testing.assert_allclose([a.se for a in its], expected["se"], rtol=1e-6)
    assert found.loglik == pytest.approx(expected["loglik"], abs=1e-7)


def test_the_likelihood_ratio_against_coefficients_at_every_cut(housing):
    test = fitted_housing(housing).assumption().likelihood_ratio
    gain = 2 * (housing["free_loglik"] + housing["polr"]["deviance"] / 2)
    assert isinstance(test, ChiSquare)
    assert test.chi2 == pytest.approx(gain, abs=1e-6)
    assert test.df == 6


def test_the_score_test_as_proc_logistic_prints_it():
    """SAS/STAT: chi-square 17.2866 with 21 DF, p 0.6936; its search stops a little before the maximum."""
    test = fitted_cheese().assumption(information="observed").score
    assert isinstance(test, ChiSquare)
    assert test.chi2 == pytest.approx(17.2866, abs=3e-4)
    assert test.df == 21
    assert test.p == pytest.approx(0.6936, abs=5e-5)


def null_trial(rng, participants=86):
    """A trial in which the odds are proportional: logistic errors, one cut for all, seven categories."""
    arm, x = np.arange(participants) % 2, rng.normal(size=participants)
    eta, cuts = 0.8 * x - 0.5 * arm, np.array([-2.0, -0.7, 0.5, 1.6, 2.8, 3.6])
    y = (rng.logistic(size=participants)[:, None] + eta[:, None] > cuts).sum(axis=1)
    return {"y": y.tolist(), "arm": arm.tolist(), "x": x.tolist()}


@pytest.mark.nightly
def test_the_score_test_keeps_its_level_in_a_trial_of_this_size():
    """1,000 trials of 86 with seven categories: 5 % of true assumptions are rejected, within 3 Monte Carlo errors."""
    rng = np.random.default_rng(20260303)
    p = []
    for _ in range(1000):
        found = fit_ordinal(null_trial(rng), "y ~ arm + x", join_empty=True)
        if isinstance(found, OrdinalFit):
            p.append(testing.score(found.fitted, np.ones(2, bool)).p)
    assert len(p) > 990
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / 1000))


def test_standard_errors_by_the_expected_information_as_proc_logistic_prints_them():
    """SAS/STAT: intercepts and additives with four decimals; its slopes are of a LOWER response."""
    coefficients = fitted_cheese(information="expected").coefficients.values()
    estimates = [
        -7.0801,
        -6.0249,
        -4.9254,
        -3.8568,
        -2.5205,
        -1.5685,
        -0.0669,
        1.4930,
        1.6128,
        4.9645,
        3.3227,
    ]
    errors = [0.5624, 0.4755, 0.4272, 0.3902, 0.3431, 0.3086, 0.2658, 0.3310, 0.3778, 0.4741, 0.4251]
    mine = np.array([its.estimate for its in coefficients])
    np.testing.assert_allclose(np.r_[mine[:8], -mine[8:]], estimates, atol=1.5e-4)
    np.testing.assert_allclose([its.se for its in coefficients], errors, atol=6e-5)


def test_brants_test_of_two_groups_has_a_closed_form():
    """One factor of two levels saturates each logit: Brant 1990 with log odds of counts, all by hand from shares.

    In a group of n with shares g_j at or below cut j: cov(logit g_j, logit g_k) = 1 / (n (1 - g_j) g_k) for j <= k.
    """
    counts = {"MSC": np.array([8, 9, 14, 9]), "PBO": np.array([3, 12, 10, 16])}
    table = {
        "arm": [arm for arm in counts for _ in range(4)],
        "grade": [grade for _ in counts for grade in range(4)],
        "n": [int(n) for its in counts.values() for n in its],
    }
    logits, spread = [], np.zeros((3, 3))
    for its in counts.values():
        g = np.cumsum(its)[:3] / its.sum()
        logits.append(special.logit(g))
        for j in range(3):
            for k in range(j, 3):
                spread[j, k] += 1 / (its.sum() * (1 - g[j]) * g[k])
                spread[k, j] = spread[j, k]
    slopes = logits[1] - logits[0]
    d = np.array([[1, -1, 0], [1, 0, -1]])
    chi2 = (d @ slopes) @ np.linalg.solve(d @ spread @ d.T, d @ slopes)
    test = fitted(table, "grade ~ arm", frequency="n", reference={"arm": "PBO"}).assumption("arm").brant
    assert isinstance(test, ChiSquare)
    assert test.chi2 == pytest.approx(chi2, rel=1e-8)
    assert test.df == 2


def test_two_categories_are_a_logistic_regression_with_a_closed_form():
    """Odds ratio of a 2 x 2 table a d / (b c), standard error of its logarithm sqrt(1/a + 1/b + 1/c + 1/d)."""
    table = {"arm": ["M", "M", "P", "P"], "well": [1, 0, 1, 0], "n": [21, 9, 13, 18]}
    arm = fitted(table, "well ~ arm", frequency="n", reference={"arm": "P"}).coefficients["arm[T.M]"]
    assert arm.estimate == pytest.approx(np.log(21 * 18 / (9 * 13)), rel=1e-9)
    assert arm.se == pytest.approx(np.sqrt(1 / 21 + 1 / 9 + 1 / 13 + 1 / 18), rel=1e-9)


# --- what must not change the answer ---


def values(found, term="arm"):
    its = found.coefficients[term]
    return [its.estimate, its.se, its.p]


def test_the_order_of_rows_does_not_matter(trial):
    mixed = fitted(shuffled(trial["data"]))
    np.testing.assert_allclose(values(mixed), values(fitted(trial["data"])), rtol=1e-9)


def test_the_scale_turned_round_turns_the_sign(trial):
    turned = trial["data"] | {"mrs": [6 - its for its in trial["data"]["mrs"]]}
    back, plain = fitted(turned), fitted(trial["data"])
    np.testing.assert_allclose(values(back) * np.array([-1, 1, 1]), values(plain), rtol=1e-8)
    assert back.loglik == pytest.approx(plain.loglik, abs=1e-9)
    a, b = back.odds_ratio("arm"), plain.odds_ratio("arm", of="lower")
    assert (a.ratio, a.low, a.high) == pytest.approx((b.ratio, b.low, b.high), rel=1e-8)
    bounds, opposite = back.profile("arm"), plain.profile("arm", of="lower")
    assert (bounds.low, bounds.high) == pytest.approx((opposite.low, opposite.high), rel=1e-7)


def test_the_reference_level_turns_the_sign(trial):
    one = fitted(trial["data"], reference={"arm": "0"})
    other = fitted(trial["data"], reference={"arm": "1"})
    turned = values(other, "arm[T.0]") * np.array([-1, 1, 1])
    np.testing.assert_allclose(turned, values(one, "arm[T.1]"), rtol=1e-8)


@pytest.mark.parametrize(("shift", "factor"), [(1e5, 1.0), (0.0, 1e-7), (-3.0, 1e6)])
def test_the_unit_of_a_covariate_does_not_matter(trial, shift, factor):
    moved = trial["data"] | {"nihss": [shift + factor * its for its in trial["data"]["nihss"]]}
    np.testing.assert_allclose(values(fitted(moved)), values(fitted(trial["data"])), rtol=1e-6)


def test_rows_and_counts_of_rows_are_the_same(trial):
    twice = {name: its + its for name, its in trial["data"].items()}
    counted = trial["data"] | {"n": [2.0] * len(trial["data"]["mrs"])}
    np.testing.assert_allclose(values(fitted(twice)), values(fitted(counted, frequency="n")), rtol=1e-9)


def test_joining_a_category_that_nobody_has_changes_no_coefficient(trial):
    gap = trial["data"] | {"mrs": [its + (its > 4) for its in trial["data"]["mrs"]]}
    found = fitted(gap, join_empty=True)
    assert found.categories == ("0", "1", "2", "3", "4", "6", "7")
    np.testing.assert_allclose(values(found), values(fitted(trial["data"])), rtol=1e-9)


def test_other_kinds_of_table(trial):
    import pandas as pd

    found = fitted(pd.DataFrame(trial["data"]))
    assert values(found) == values(fitted(trial["data"]))


# --- derivatives ---


@pytest.fixture(scope="module")
def somewhere(trial):
    """A likelihood with coefficients at every cut and common ones, and a point that is not its maximum."""
    scaled = fitted(trial["data"], nominal=["strat"]).fitted.scaled
    rng = np.random.default_rng(3)
    theta = rng.normal(size=scaled.width) * 0.2
    theta[: scaled.cuts * 2 : 2] = np.linspace(-2, 2, scaled.cuts)
    return scaled, theta


def test_the_score_and_the_information_are_derivatives(somewhere):
    data, theta = somewhere
    here, h = steps.evaluate(NUMPY, data, theta), 1e-5
    for at in range(data.width):
        move = h * np.eye(data.width)[at]
        up, down = (steps.evaluate(NUMPY, data, theta + sign * move) for sign in (1, -1))
        assert here.score[at] == pytest.approx((up.loglik - down.loglik) / (2 * h), rel=1e-6, abs=1e-7)
        np.testing.assert_allclose(
            -here.information[at], (up.score - down.score) / (2 * h), rtol=1e-5, atol=1e-6
        )


def test_the_expected_information_is_the_mean_of_the_observed(somewhere):
    """Over every category that a row might have had, with its probability."""
    data, theta = somewhere
    from dataclasses import replace

    below = special.expit(steps.predictors(NUMPY, data, theta))
    shares = np.diff(below, axis=1, prepend=0.0, append=1.0)
    whole = sum(
        steps.evaluate(
            NUMPY, replace(data, category=np.full(len(data.x), float(j)), weight=shares[:, j]), theta
        ).information
        for j in range(data.cuts + 1)
    )
    np.testing.assert_allclose(
        steps.evaluate(NUMPY, data, theta, expected=True).information, whole, rtol=1e-9, atol=1e-9
    )


def test_a_stack_of_trials_is_each_of_them(somewhere):
    data, theta = somewhere
    rng = np.random.default_rng(4)
    order = rng.permutation(len(data.x))
    from equipoise.analysis.ordinal.steps import Cumulative

    stack = Cumulative(
        *(np.stack([a, a[order]]) for a in (data.category, data.w, data.x, data.weight)), data.cuts
    )
    both = steps.evaluate(NUMPY, stack, np.stack([theta, theta]))
    one = steps.evaluate(NUMPY, data, theta)
    np.testing.assert_allclose(both.loglik, [one.loglik] * 2, rtol=1e-12)
    np.testing.assert_allclose(both.information, np.stack([one.information] * 2), rtol=1e-9, atol=1e-9)


# --- what has no answer ---


def test_a_category_that_nobody_has_is_named(trial):
    table = without(trial["data"], "mrs", 5)
    assert told(fit_ordinal(table, MODEL)) == {("empty-category", "mrs")}
    assert fit_ordinal(table, MODEL)[0].arguments["empty"] == "5"
    listed = fit_ordinal(trial["data"], MODEL, categories=[str(grade) for grade in range(8)])
    assert listed[0].arguments["empty"] == "7"
    assert fitted(table, categories=["0", "1", "2", "3", "4", "6"]).categories[-1] == "6"


def test_an_arm_all_of_whose_responses_are_missing(trial):
    table = trial["data"] | {
        "mrs": [
            None if arm else its for its, arm in zip(trial["data"]["mrs"], trial["data"]["arm"], strict=True)
        ]
    }
    found = fit_ordinal(table, MODEL, categorical=["arm"])
    assert told(found) == {("one-level", "arm")}
    assert (
        found[0]
        .arguments["rows"]
        .startswith(", ".join(str(at + 1) for at, arm in enumerate(table["arm"]) if arm)[:5])
    )
    assert told(fit_ordinal(table, MODEL)) == {("empty-cell", "arm")}  # as a number it is a column of zeros


def test_complete_separation_is_named_and_gives_no_number(trial):
    table = trial["data"] | {"arm": ["MSC" if its > 2 else "PBO" for its in trial["data"]["mrs"]]}
    assert told(fit_ordinal(table, "mrs ~ arm + nihss")) == {("separation", "arm[T.PBO]")}


def test_quasi_complete_separation_is_named(trial):
    table = trial["data"] | {"odd": [float(its == 6) for its in trial["data"]["mrs"]]}
    assert told(fit_ordinal(table, "mrs ~ odd + nihss")) == {("separation", "odd")}


def test_what_cannot_be_computed_of_an_assumption_is_said(trial):
    """Nobody of one arm has grade 0, so the odds at the first cut are infinite; the score test needs no such fit."""
    found = fitted(trial["data"]).assumption("arm")
    assert isinstance(found.score, ChiSquare)
    assert isinstance(found.likelihood_ratio, Problem)
    assert (found.likelihood_ratio.rule, found.likelihood_ratio.where) == ("analysis.separation", "arm@0|1")
    assert isinstance(found.brant, Problem)
    assert "arm" in found.brant.say()


def test_other_faults(trial):
    table = trial["data"]
    assert told(fit_ordinal(table | {"one": [4.0] * 86}, MODEL + " + one")) == {("constant", "one")}
    assert told(
        fit_ordinal(table | {"twice": [2.0 * its for its in table["nihss"]]}, MODEL + " + twice")
    ) == {("collinear", "twice")}
    assert told(fit_ordinal(table | {"nihss": [float("inf"), *table["nihss"][1:]]}, MODEL)) == {
        ("infinite", "nihss")
    }
    assert told(fit_ordinal(table | {"mrs": ["n.d.", *table["mrs"][1:]]}, MODEL)) == {("text", "mrs")}
    assert told(fit_ordinal(table | {"mrs": [3.0] * 86}, MODEL)) == {("one-category", "mrs")}
    assert told(fit_ordinal(table, MODEL, categories=["0", "1", "2"])) == {("strange-category", "mrs")}
    assert told(fit_ordinal(table, MODEL, nominal=["site"])) == {("no-term", "site")}
    assert told(fit_ordinal(table | {"n": [0.5] * 86}, MODEL, frequency="n")) == {("frequency", "n")}
    assert told(fit_ordinal(table, MODEL, categories=[*"01223456"])) == {("category-twice", "mrs")}
    few = {name: its[:5] for name, its in table.items()}
    assert told(fit_ordinal(few, MODEL, join_empty=True)) == {("too-few", "")}
    assert told(fit_ordinal({name: [] for name in table}, MODEL)) == {("no-rows", "")}


def test_a_row_that_stands_no_times_is_no_row():
    """Whatever it holds: a category, or a level of the arm, that occurs in such rows only is one that nobody has."""
    table = {"arm": [*"AAABBB"], "mrs": [0, 1, 2, 0, 1, 2], "n": [10, 20, 30, 30, 20, 10]}
    without = fit_ordinal(table, "mrs ~ arm", frequency="n")
    more = {"arm": [*"AAABBBA"], "mrs": [0, 1, 2, 0, 1, 2, 3], "n": [10, 20, 30, 30, 20, 10, 0]}
    found = fit_ordinal(more, "mrs ~ arm", frequency="n")
    assert isinstance(found, OrdinalFit)
    assert isinstance(without, OrdinalFit)
    assert found.categories == ("0", "1", "2")
    np.testing.assert_array_equal(found.theta, without.theta)
    gap = fit_ordinal(table | {"n": [10, 0, 30, 30, 0, 10]}, "mrs ~ arm", frequency="n")
    assert isinstance(gap, OrdinalFit)
    # a table of two by two: the odds ratio is (10 * 10) / (30 * 30)
    np.testing.assert_allclose(gap.coefficients["arm[T.B]"].estimate, np.log(1 / 9), rtol=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_small_trials_give_finite_numbers_or_a_problem(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(6, 30))
    table = {
        "arm": [float(its) for its in rng.integers(0, 2, n)],
        "x": [float(its) for its in rng.normal(size=n).round(1)],
        "y": [int(its) for its in rng.integers(0, 5, n)],
    }
    found = fit_ordinal(table, "y ~ arm + x", join_empty=True)
    if isinstance(found, OrdinalFit):
        assert np.isfinite(found.theta).all()
        assert np.abs(steps.evaluate(NUMPY, found.fitted.scaled, found.fitted.peak.at).score).max() < 1e-6
    else:
        assert told(found)
