"""Negative binomial and Poisson regression: reference fits, derivatives, closed forms, and what has no answer.

Source of the reference values: R 4.2.2, MASS 7.3-58.2 glm.nb, glm (tests/vectors/analysis.json).
"""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.analysis import CountsFit, fit_counts
from equipoise.analysis.counts import _Data, _negative_binomial, _poisson
from rooms.analysis.reference_cases import references, shuffled, told

MODEL = "y ~ arm + x"
REFERENCE = references()["counts"]


def fitted(table=REFERENCE["data"], formula=MODEL, **options) -> CountsFit:
    found = fit_counts(table, formula, **({"exposure": "days"} | options))
    assert isinstance(found, CountsFit), [its.say() for its in found]
    return found


def test_negative_binomial_as_glm_nb_gives_it():
    """glm.nb holds the dispersion fixed for its errors; ours are of the whole Hessian, taken numerically in R."""
    found = fitted()
    np.testing.assert_allclose(found.beta, REFERENCE["est"], rtol=1e-6)
    assert found.dispersion is not None
    assert found.dispersion.estimate == pytest.approx(1 / REFERENCE["theta"], rel=1e-6)
    assert found.loglik == pytest.approx(REFERENCE["loglik"], abs=1e-8)
    errors = [*np.sqrt(np.diag(found.vcov)), found.dispersion.se / found.dispersion.estimate]
    np.testing.assert_allclose(errors, REFERENCE["se_observed"], rtol=1e-5)


def test_poisson_as_glm_gives_it():
    found, expected = fitted(family="poisson"), REFERENCE["poisson"]
    np.testing.assert_allclose(found.beta, expected["est"], rtol=1e-8)
    np.testing.assert_allclose(np.sqrt(np.diag(found.vcov)), expected["se"], rtol=1e-8)
    assert found.loglik == pytest.approx(expected["loglik"], abs=1e-8)
    assert found.dispersion is None


def test_two_groups_of_poisson_counts_have_a_closed_form():
    """The rate ratio is that of totals over exposure; the error of its logarithm sqrt(1/total + 1/total)."""
    table = {"arm": [1, 1, 1, 0, 0], "y": [3, 0, 5, 6, 9], "days": [28, 14, 28, 28, 21]}
    arm = fitted(table, "y ~ arm", family="poisson").rate_ratio("arm")
    assert arm.ratio == pytest.approx((8 / 70) / (15 / 49), rel=1e-9)
    assert arm.log_se == pytest.approx(np.sqrt(1 / 8 + 1 / 15), rel=1e-9)


@pytest.mark.parametrize("family", [_poisson, _negative_binomial])
@pytest.mark.parametrize("size", [0.01, 1.3])
def test_the_score_and_the_information_are_derivatives(family, size):
    data = REFERENCE["data"]
    x = np.column_stack([np.ones(86), data["arm"], data["x"]]).astype(float)
    made = _Data(
        np.array(data["y"], float), x, np.eye(3), np.log(np.array(data["days"], float)), ("1", "arm", "x")
    )
    height = family(made)
    at = np.array([-1.0, -0.3, 0.2, np.log(size)])[: 3 if family is _poisson else 4]
    h = 1e-5
    for k in range(len(at)):
        up, down = (height(at + s * h * np.eye(len(at))[k]) for s in (1, -1))
        assert height(at).score[k] == pytest.approx((up.loglik - down.loglik) / (2 * h), rel=1e-5, abs=1e-4)
        np.testing.assert_allclose(
            -height(at).information[k], (up.score - down.score) / (2 * h), rtol=1e-4, atol=1e-3
        )


def test_what_does_not_matter():
    plain = fitted().rate_ratio("arm")
    data = REFERENCE["data"]
    for table in (
        shuffled(data),
        data | {"x": [1e4 + 1e-3 * its for its in data["x"]]},
        data | {"days": [its / 28 for its in data["days"]]},  # months in place of days
    ):
        its = fitted(table).rate_ratio("arm")
        np.testing.assert_allclose([its.ratio, its.log_se], [plain.ratio, plain.log_se], rtol=1e-6)
    turned = fitted(data | {"arm": [1 - its for its in data["arm"]]}).rate_ratio("arm")
    assert turned.ratio == pytest.approx(1 / plain.ratio, rel=1e-7)


def test_counts_that_vary_less_than_poissons_are_told_and_fall_back_only_when_asked():
    table = {"arm": [0, 1] * 20, "y": [3, 4, 4, 4, 3, 3, 4, 5] * 5}
    assert told(fit_counts(table, "y ~ arm")) == {("underdispersed", "")}
    found = fit_counts(table, "y ~ arm", family=("negative-binomial", "poisson"))
    assert isinstance(found, CountsFit)
    assert (found.family, found.passed) == ("poisson", ("negative-binomial",))


def test_an_arm_that_counted_nothing_has_no_rate_ratio():
    data = REFERENCE["data"]
    none = data | {"y": [0 if arm else its for its, arm in zip(data["y"], data["arm"], strict=True)]}
    for family in ("negative-binomial", "poisson"):
        assert told(fit_counts(none, "y ~ arm", exposure="days", family=family)) == {("separation", "arm")}


def test_faults():
    data = REFERENCE["data"]
    assert told(fit_counts(data, MODEL, family="gamma")) == {("family", "gamma")}
    assert told(fit_counts(data | {"y": [0.5, *data["y"][1:]]}, MODEL)) == {("frequency", "y")}
    assert told(fit_counts(data | {"y": [-1, *data["y"][1:]]}, MODEL)) == {("frequency", "y")}
    assert told(fit_counts(data | {"days": [0, *data["days"][1:]]}, MODEL, exposure="days")) == {
        ("exposure", "days")
    }
    assert told(fit_counts(data | {"y": [0] * 86}, MODEL)) == {("one-category", "y")}
    assert told(fit_counts(data | {"x2": [2 * its for its in data["x"]]}, MODEL + " + x2")) == {
        ("collinear", "x2")
    }
    assert told(fit_counts(data, MODEL, exposure="nobody")) == {("no-column", "nobody")}
    assert told(fit_counts({n: its[:3] for n, its in data.items()}, MODEL)) == {("too-few", "")}
