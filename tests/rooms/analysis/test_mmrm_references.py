"""MMRM against reference fits: two made-up trials that are kept here, and R's public example beside the checkout.

Source of every expected number: R package mmrm 0.3.18 run to a tight optimum (tests/vectors/mmrm.json and the
reference notes); SAS PROC MIXED as quoted there. Tolerances: those of the notes, 1e-6 for estimates and standard
errors, 1e-4 for df, 1e-5 for p.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from rooms.analysis.mmrm_cases import DF, agree, columns, fev, fitted, fitted_fev, long, trials


@pytest.fixture(scope="module")
def references(shared_reference):
    return json.loads((shared_reference / "stat-references.json").read_text("utf-8"))["mmrm"]


@pytest.fixture(scope="module")
def public_example(shared_data):
    return fev(shared_data / "fev_data.csv")


@pytest.mark.parametrize("name", ["syn2", "syn4"])
@pytest.mark.parametrize("df", DF)
def test_a_made_up_trial_is_fitted_as_the_reference_fits_it(name, df):
    trial = trials()[name]
    found = fitted(long(trial["data"]), df=df)
    expected = trial["expected"]
    agree(found, expected["coef_names"], expected[DF[df]])
    assert found.loglik == pytest.approx(-expected["neg_log_lik"], abs=1e-7)
    assert (found.n_obs, found.n_subjects) == (expected["n_obs"], expected["n_subjects"])
    assert found.aic == pytest.approx(expected["AIC"], abs=1e-6)
    assert found.bic == pytest.approx(expected["BIC"], abs=1e-6)
    np.testing.assert_allclose(found.sigma[""], expected["varcor"], rtol=1e-5)


@pytest.mark.parametrize("name", ["syn2", "syn4"])
@pytest.mark.parametrize("df", DF)
def test_differences_of_marginal_means_by_visit(name, df):
    trial = trials()[name]
    found = fitted(long(trial["data"]), df=df).differences("arm", "visit")
    expected = trial["expected"][DF[df]]["diff"]
    assert [its.levels["visit"] for its in found] == [str(visit) for visit in expected["visit"]]
    for name_, mine in (("est", "estimate"), ("se", "se"), ("df", "df"), ("lcl", "low"), ("ucl", "high")):
        values = [getattr(its.estimate, mine) for its in found]
        # at the mean of base over rows; R prints intervals of differences near 0, so these by an absolute bound
        np.testing.assert_allclose(values, expected[name_], rtol=1e-4 if mine == "df" else 2e-6, atol=2e-6)


@pytest.mark.parametrize("df", DF)
def test_the_public_example(references, public_example, df):
    found, expected = fitted_fev(public_example, df=df), references["fev_m1"]
    agree(found, expected["coef_names"], expected[DF[df]])
    assert found.loglik == pytest.approx(-expected["neg_log_lik"], abs=1e-7)
    np.testing.assert_allclose(found.sigma[""], expected["varcor"], rtol=1e-6)


@pytest.mark.parametrize("df", DF)
def test_marginal_means_and_joint_tests_of_the_public_example(references, public_example, df):
    found, expected = fitted_fev(public_example, df=df), references["fev_m1"][DF[df]]
    means = found.lsmeans("AVISIT", "ARMCD")
    wanted = expected["lsmeans"]
    assert [(its.levels["ARMCD"], its.levels["AVISIT"]) for its in means] == list(
        zip(wanted["arm"], wanted["visit"], strict=True)
    )
    for theirs, mine, bound in (("est", "estimate", 1e-6), ("se", "se", 1e-6), ("df", "df", 1e-4)):
        np.testing.assert_allclose([getattr(its.estimate, mine) for its in means], wanted[theirs], rtol=bound)
    arm = [row for row, term in zip(np.eye(len(found.terms)), found.terms, strict=True) if "ARMCD" in term]
    for name, rows in (("joint_interaction", arm[1:]), ("joint_all_arm", arm)):
        test = found.joint_test(np.array(rows))
        assert test.numerator_df == expected[name]["num_df"]
        assert test.denominator_df == pytest.approx(expected[name]["denom_df"], rel=1e-5)
        assert test.f == pytest.approx(expected[name]["F"], rel=1e-6)
        assert test.p == pytest.approx(expected[name]["p"], rel=1e-5)


@pytest.mark.parametrize("structure", ["cs", "ar1", "toeph", "adh"])
def test_other_structures(references, public_example, structure):
    found = fitted_fev(public_example, covariance=structure, df="satterthwaite")
    expected = references["fev_other_structures"][structure]
    agree(found, references["fev_m1"]["coef_names"], expected["Satterthwaite"])
    assert found.loglik == pytest.approx(-expected["neg_log_lik"], abs=1e-7)
    sd = np.sqrt(np.diag(expected["varcor"]))  # a covariance near 0 is compared as a correlation
    assert np.max(np.abs(found.sigma[""] - expected["varcor"]) / np.outer(sd, sd)) < 1e-6


def test_full_maximum_likelihood(references, public_example):
    expected = references["fev_m1_ML"]
    found = fitted_fev(public_example, reml=False, df="satterthwaite")
    agree(found, references["fev_m1"]["coef_names"], expected)
    assert found.loglik == pytest.approx(-expected["neg_log_lik"], abs=1e-7)


def test_a_bias_reduced_sandwich(references, public_example):
    """mmrm's Empirical-Bias-Reduced (CR2 of Bell and McCaffrey) with Satterthwaite's degrees of freedom."""
    found = fitted_fev(public_example, df="satterthwaite", vcov="empirical-bias-reduced")
    agree(found, references["fev_m1"]["coef_names"], references["fev_m1_empirical_bias_reduced"])
    assert found.df_method == "satterthwaite"


def weighted_trial():
    """40 made-up participants by whole-number arithmetic (a linear congruential generator), so that R reads the same."""
    state, rows = 20260101, []

    def draw():
        nonlocal state
        state = (1103515245 * state + 12345) % 2**31
        return state / 2**31

    for i in range(40):
        arm, own = "AB"[i % 2], draw() + draw() + draw() - 1.5
        for visit in range(3):
            y = round(10 + 2 * (arm == "B") * visit + visit + 4 * own + 3 * (draw() + draw() - 1), 3)
            weight = [1.0, 2.0, 4.0][int(draw() * 3)]
            if visit == 0 or draw() > 0.2:
                rows.append({"id": f"S{i:02d}", "visit": f"V{visit + 1}", "arm": arm, "y": y, "w": weight})
    return columns(rows)


def test_weights_as_generalised_least_squares_has_them():
    """R 4.2.2, nlme 3.1-162: gls(y ~ arm * visit, correlation = corSymm(form = ~t | id), weights = varComb(varIdent(
    form = ~1 | visit), varFixed(~1/w))), REML; gls stops a little before the optimum, hence 1e-6.
    """
    table = weighted_trial()
    assert (len(table["y"]), round(sum(table["y"]), 3)) == (101, 1198.929)
    found = fitted(table, formula="y ~ arm * visit", weights="w", df="satterthwaite", reference={})
    expected = {
        "estimate": [9.681678396313, -0.456923037296, 1.724532676714, 2.450983750621, 1.18153629668, 3.632420556617],
        "se": [0.429750568429, 0.633066727181, 0.480892545203, 0.370618819573, 0.700791804735, 0.560397471903],
    }  # fmt: skip
    mine = list(found.coefficients.values())
    assert (
        np.max(np.abs([its.estimate for its in mine] - np.array(expected["estimate"])) / expected["se"])
        < 1e-6
    )
    np.testing.assert_allclose([its.se for its in mine], expected["se"], rtol=1e-6)
    assert found.loglik == pytest.approx(-201.917422391, abs=1e-7)


def test_one_factor_as_sas_prints_it(references, public_example):
    """PROC MIXED stops a little before the optimum: its own suite of comparisons allows 1e-4."""
    told = {"formula": "FEV1 ~ ARMCD", "df": "kenward-roger"}
    found = fitted_fev(public_example, **told, reference={}).coefficients["ARMCD[T.TRT]"]
    r, sas = references["fev_arm_only"]["KRlinear"], references["sas_fev_arm_only_un_kr"]
    assert found.estimate == pytest.approx(r["est"], rel=1e-6)
    assert found.se == pytest.approx(r["se"], rel=1e-6)
    assert found.df == pytest.approx(r["df"], rel=1e-5)
    assert (found.se, found.df) == (pytest.approx(sas["se"], rel=1e-4), pytest.approx(sas["df"], rel=1e-3))
