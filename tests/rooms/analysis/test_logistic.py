"""Logistic regression, Firth's, and standardised risks: reference fits, closed forms, and what has no answer.

Source of the reference values: R 4.2.2 glm, brglm2 0.9 (tests/vectors/analysis.json).
"""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.analysis import LogisticFit, fit_logistic
from equipoise.analysis.logistic import _height, standardise
from rooms.analysis.reference_cases import references, shuffled, told

MODEL = "well ~ arm + strat + nihss"
REFERENCES = references()


@pytest.fixture(scope="module")
def trial():
    data = REFERENCES["mrs"]["data"]
    return data | {"well": [int(its <= 2) for its in data["mrs"]]}


@pytest.fixture(scope="module")
def separated():
    """Nobody of the active arm has the event."""
    data = REFERENCES["mrs"]["data"]
    event = [int(arm == 0 and its >= 5) for arm, its in zip(data["arm"], data["mrs"], strict=True)]
    return data | {"event": event}


def fitted(table, formula=MODEL, **options) -> LogisticFit:
    found = fit_logistic(table, formula, **options)
    assert isinstance(found, LogisticFit), [its.say() for its in found]
    return found


def test_maximum_likelihood_as_glm_gives_it(trial):
    found, expected = fitted(trial), REFERENCES["logistic"]["logistic"]
    np.testing.assert_allclose(found.beta, expected["est"], rtol=1e-9)
    np.testing.assert_allclose(np.sqrt(np.diag(found.vcov)), expected["se"], rtol=1e-8)
    assert found.loglik == pytest.approx(expected["loglik"], abs=1e-9)
    bounds = found.profile("arm")
    assert bounds is not None
    np.testing.assert_allclose(np.log([bounds.low, bounds.high]), expected["profile_arm"], atol=1e-8)


def test_firth_as_brglm2_gives_it(trial):
    found, expected = fitted(trial, firth=True), REFERENCES["logistic"]["firth"]
    np.testing.assert_allclose(found.beta, expected["est"], rtol=1e-7)
    np.testing.assert_allclose(np.sqrt(np.diag(found.vcov)), expected["se"], rtol=1e-7)
    assert found.loglik == pytest.approx(expected["penalised"], abs=1e-8)
    bounds = found.profile("arm")
    assert bounds is not None
    np.testing.assert_allclose(np.log([bounds.low, bounds.high]), expected["profile_arm"], atol=1e-6)


def test_firth_where_there_is_no_maximum_without_it(separated):
    assert told(fit_logistic(separated, "event ~ arm + nihss")) == {("separation", "arm")}
    found, expected = (
        fitted(separated, "event ~ arm + nihss", firth=True),
        REFERENCES["logistic"]["firth_separated"],
    )
    np.testing.assert_allclose(found.beta, expected["est"], rtol=1e-6)
    np.testing.assert_allclose(np.sqrt(np.diag(found.vcov)), expected["se"], rtol=1e-6)
    assert found.loglik == pytest.approx(expected["penalised"], abs=1e-8)
    bounds = found.profile("arm")
    assert bounds is not None
    np.testing.assert_allclose(np.log([bounds.low, bounds.high]), expected["profile_arm"], atol=1e-5)


def test_firth_of_a_two_by_two_table_adds_half_to_every_cell():
    """Firth 1993: the saturated model's penalty is Jeffreys' prior, which is half an observation in each cell."""
    cells = {("M", 1): 7, ("M", 0): 12, ("P", 1): 0, ("P", 0): 15}
    table = {
        "arm": [arm for (arm, _), n in cells.items() for _ in range(n)],
        "y": [y for (_, y), n in cells.items() for _ in range(n)],
    }
    found = fitted(table, "y ~ arm", firth=True, reference={"arm": "P"})
    assert found.beta[1] == pytest.approx(np.log(7.5 * 15.5 / (12.5 * 0.5)), rel=1e-7)


def test_standardised_risks_as_written_out_in_r(trial):
    (found,) = fitted(trial, categorical=["arm"]).standardised("arm")
    expected = REFERENCES["logistic"]["standardised"]
    risks = [found.risks["0"], found.risks["1"]]
    np.testing.assert_allclose([its.estimate for its in risks], expected["risks"], rtol=1e-8)
    np.testing.assert_allclose([its.se for its in risks], expected["risk_se"], rtol=1e-7)
    assert found.difference.estimate == pytest.approx(expected["difference"], rel=1e-8)
    assert found.difference.se == pytest.approx(expected["difference_se"], rel=1e-7)
    assert found.risk_ratio.log_se == pytest.approx(expected["log_rr_se"], rel=1e-7)


def test_without_covariates_standardised_risks_are_the_shares(trial):
    (found,) = fitted(trial, "well ~ arm", categorical=["arm"]).standardised("arm")
    for arm in (0, 1):
        seen = [well for well, its in zip(trial["well"], trial["arm"], strict=True) if its == arm]
        share = np.mean(seen)
        assert found.risks[str(arm)].estimate == pytest.approx(share, rel=1e-9)
        assert found.risks[str(arm)].se == pytest.approx(np.sqrt(share * (1 - share) / len(seen)), rel=1e-8)


@pytest.mark.parametrize("firth", [False, True])
def test_the_score_is_a_derivative(trial, firth):
    x = np.column_stack([np.ones(86), trial["arm"], trial["nihss"]]).astype(float)
    scaled, _ = standardise(x)
    height = _height(scaled, np.array(trial["well"], float), firth=firth)
    at, h = np.array([0.2, -0.3, 0.5]), 1e-6
    for k in range(3):
        up, down = (height(at + s * h * np.eye(3)[k]).loglik for s in (1, -1))
        assert height(at).score[k] == pytest.approx((up - down) / (2 * h), rel=1e-6)


@pytest.mark.parametrize("firth", [False, True])
def test_what_does_not_matter(trial, firth):
    plain = fitted(trial, firth=firth).coefficients["arm"]
    for table, factor in (
        (shuffled(trial), 1),
        (trial | {"nihss": [1e4 + 1e-3 * its for its in trial["nihss"]]}, 1),
        (trial | {"well": [1 - its for its in trial["well"]]}, -1),
        (trial | {"arm": [1 - its for its in trial["arm"]]}, -1),
    ):
        its = fitted(table, firth=firth).coefficients["arm"]
        assert factor * its.estimate == pytest.approx(plain.estimate, rel=1e-6)
        assert its.se == pytest.approx(plain.se, rel=1e-6)


def test_faults(trial):
    assert told(fit_logistic(trial | {"well": [2] * 86}, MODEL)) == {("zero-or-one", "well")}
    assert told(fit_logistic(trial | {"well": [1] * 86}, MODEL)) == {("one-category", "well")}
    assert told(fit_logistic(trial | {"twice": [2 * its for its in trial["nihss"]]}, MODEL + " + twice")) == {
        ("collinear", "twice")
    }
    assert told(fit_logistic({n: its[:4] for n, its in trial.items()}, MODEL)) == {("too-few", "")}


def test_a_unit_far_beyond_what_was_seen_has_no_ratio(trial):
    """A thousandth of a millionth of a point as the scale: per whole unit the odds ratio is beyond any float."""
    found = fitted(trial | {"nihss": [1e-9 * its for its in trial["nihss"]]})
    assert [its["term"] for its in found.to_json()["odds_ratios"]] == ["arm", "strat"]
    assert found.profile("nihss") is None
    with pytest.raises(OverflowError):
        found.odds_ratio("nihss")
