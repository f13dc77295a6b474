"""Values below their limit of quantification: a reference fit, derivatives, and what has no answer.

Source of the reference values: R 4.2.2, survival 3.5-3 survreg (tests/vectors/analysis.json).
"""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.analysis import AncovaFit, CensoredFit, fit_ancova, fit_censored
from equipoise.analysis.censored import _height
from rooms.analysis.reference_cases import references, shuffled, told

MODEL = "value ~ arm + base"
REFERENCE = references()["censored"]


def fitted(table=REFERENCE["data"], formula=MODEL, **options) -> CensoredFit:
    found = fit_censored(table, formula, below="below", **options)
    assert isinstance(found, CensoredFit), [its.say() for its in found]
    return found


def test_as_survreg_gives_it():
    found = fitted()
    np.testing.assert_allclose(found.beta, REFERENCE["est"], rtol=1e-6)
    assert found.sigma == pytest.approx(REFERENCE["sigma"], rel=1e-6)
    np.testing.assert_allclose(found.vcov, REFERENCE["vcov"], rtol=1e-5, atol=1e-9)
    # survreg's is of the logarithms too, since they are what it was given
    assert found.loglik == pytest.approx(REFERENCE["loglik"], abs=1e-7)
    assert found.n_below == sum(REFERENCE["data"]["below"])


def test_with_nothing_below_it_is_least_squares():
    """The maximum likelihood of a normal mean; its variance divides by N, not by N - p."""
    data = REFERENCE["data"] | {"below": [0] * 60}
    data["log"] = np.log(data["value"]).tolist()
    found, plain = fitted(data), fit_ancova(data, "log ~ arm + base")
    assert isinstance(plain, AncovaFit)
    np.testing.assert_allclose(found.beta, plain.beta, rtol=1e-8)
    assert found.sigma == pytest.approx(plain.sigma * np.sqrt(57 / 60), rel=1e-8)
    np.testing.assert_allclose(found.vcov[:3, :3], plain.vcov * 57 / 60, rtol=1e-7)
    assert found.loglik == pytest.approx(plain.loglik, abs=1e-8)


def test_the_score_and_the_information_are_derivatives():
    rng = np.random.default_rng(1)
    forms = np.column_stack([-np.ones(30), rng.normal(size=(30, 2))])
    height, at, h = _height(forms, rng.random(30) < 0.3), np.array([0.3, -0.4, 0.8]), 1e-6
    for k in range(3):
        up, down = (height(at + s * h * np.eye(3)[k]) for s in (1, -1))
        assert height(at).score[k] == pytest.approx((up.loglik - down.loglik) / (2 * h), rel=1e-6)
        np.testing.assert_allclose(
            -height(at).information[k], (up.score - down.score) / (2 * h), rtol=1e-6, atol=1e-6
        )


def test_what_does_not_matter():
    data, plain = REFERENCE["data"], fitted().mean_ratio("arm")
    for table in (
        shuffled(data),
        data | {"value": [1e6 * its for its in data["value"]]},  # the unit of a concentration
        data | {"base": [1e4 + its for its in data["base"]]},
    ):
        its = fitted(table).mean_ratio("arm")
        np.testing.assert_allclose([its.ratio, its.log_se], [plain.ratio, plain.log_se], rtol=1e-6)
    means = fitted(categorical=["arm"]).means("arm")
    assert means["1"].estimate - means["0"].estimate == pytest.approx(np.log(plain.ratio), rel=1e-9)
    whole = fitted(data, "value ~ 0 + arm + base", categorical=["arm"])
    assert whole.beta[1] - whole.beta[0] == pytest.approx(np.log(plain.ratio), rel=1e-8)
    assert whole.loglik == pytest.approx(fitted().loglik, abs=1e-8)


def test_without_logarithms_it_is_tobins_model():
    data = REFERENCE["data"] | {"value": np.log(REFERENCE["data"]["value"]).tolist()}
    np.testing.assert_allclose(fitted(data, log=False).beta, fitted().beta, rtol=1e-9)


def test_an_arm_in_which_nothing_was_quantified_has_no_mean():
    data = REFERENCE["data"]
    none = data | {"below": [1 if arm else its for its, arm in zip(data["below"], data["arm"], strict=True)]}
    assert told(fit_censored(none, MODEL, below="below")) == {("arm-below", "arm")}
    assert told(fit_censored(data | {"below": [1] * 60}, MODEL, below="below")) == {("all-below", "value")}


def test_faults():
    data = REFERENCE["data"]

    def said(table, formula=MODEL, below="below"):
        return told(fit_censored(table, formula, below=below))

    assert said(data | {"value": [0.0, *data["value"][1:]]}) == {("not-positive", "value")}
    assert said(data | {"value": ["<1.0", *data["value"][1:]]}) == {("text", "value")}
    assert said(data | {"below": [2, *data["below"][1:]]}) == {("zero-or-one", "below")}
    assert said(data, below="nobody") == {("no-column", "nobody")}
    assert said(data | {"value": [2.5] * 60, "below": [0] * 60}) == {("no-residual", "")}
    assert said(data | {"again": data["base"]}, MODEL + " + again") == {("collinear", "again")}
    assert said({name: its[:4] for name, its in data.items()}) == {("too-few", "")}
