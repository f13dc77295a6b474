"""Group sequential boundaries against rpact and closed forms, and what a look says of the end.

Source of the reference numbers: R package rpact 3.3.4, getDesignGroupSequential with three equally spaced looks, one-sided
0.025; two looks with a futility bound of 0 that is not binding (stat-references.json, group_sequential_rpact).
"""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy import integrate, special, stats

from equipoise.analysis.sequential.boundaries import Boundaries, boundaries
from equipoise.analysis.sequential.conditional import (
    Zone,
    conditional_error,
    conditional_power,
    fisher_product,
    inverse_normal,
    predictive_power,
    reestimate,
)
from equipoise.analysis.sequential.spending import SPENDING, hwang_shih_decani, spent_by


@pytest.fixture(scope="module")
def rpact(shared_reference):
    return json.loads((shared_reference / "stat-references.json").read_text("utf-8"))[
        "group_sequential_rpact"
    ]


def design(*fractions, **options) -> Boundaries:
    found = boundaries(fractions, **options)
    assert isinstance(found, Boundaries), found
    return found


@pytest.mark.parametrize(
    ("name", "spending"), [("OF", "obrien-fleming"), ("P", "pocock"), ("asOF", "lan-demets-obrien-fleming")]
)
def test_boundaries_of_three_looks(rpact, name, spending):
    found = design(1 / 3, 2 / 3, 1, spending=spending)
    np.testing.assert_allclose(found.efficacy, rpact[name]["crit"], atol=1e-6)
    np.testing.assert_allclose(found.spent, rpact[name]["alphaSpent"], atol=2e-8)


def test_two_looks_with_a_futility_bound(rpact):
    found, expected = design(0.5, 1, futility=[0.0]), rpact["asOF2_fut0"]
    np.testing.assert_allclose(found.efficacy, expected["crit"], atol=1e-6)
    drift = found.drift_for(0.8)
    assert drift**2 == pytest.approx(expected["shift"], abs=1e-6)
    assert found.inflation(0.8) == pytest.approx(expected["inflation"], abs=1e-7)
    assert found.expected_fraction(drift) == pytest.approx(expected["EN1"] / expected["N"], abs=1e-8)
    assert found.expected_fraction(0.0) == pytest.approx(expected["EN0"] / expected["N"], abs=1e-8)


@pytest.mark.parametrize("place", range(4))
def test_power_stopping_and_expected_size_of_86(rpact, place):
    """rpact turns an effect into a drift by a t distribution; from the same power on everything must agree."""
    expected = {name: values[place] for name, values in rpact["asOF2_fut0_power86"].items()}
    found = design(0.5, 1, futility=[0.0])
    drift = found.drift_for(expected["power"]) if expected["alt"] else 0.0
    assert found.power(drift) == pytest.approx(expected["power"], abs=1e-8)
    assert found.crossing(drift).stopping()[0] == pytest.approx(expected["early_stop"], abs=1e-6)
    assert 86 * found.expected_fraction(drift) == pytest.approx(expected["EN"], abs=1e-4)


@pytest.mark.parametrize("spending", [*SPENDING, "pocock", "obrien-fleming", hwang_shih_decani(-4.0)])
@pytest.mark.parametrize("fractions", [(0.5, 1.0), (0.2, 0.25, 0.9, 1.0), (0.4, 0.8), (0.6, 1.1)])
def test_alpha_is_spent_and_no_more(fractions, spending):
    found = design(*fractions, spending=spending)
    assert found.power(0.0) == pytest.approx(0.025, abs=1e-9)


def test_the_chances_are_those_of_the_multivariate_normal():
    """SciPy's own integration of the multivariate normal, three looks."""
    found = design(0.3, 0.7, 1.0)
    t = np.array(found.fractions)
    covariance = np.sqrt(np.minimum.outer(t, t) / np.maximum.outer(t, t))
    going_on = stats.multivariate_normal(1.5 * np.sqrt(t), covariance, seed=1).cdf(found.efficacy)
    assert 1.0 - found.power(1.5) == pytest.approx(going_on, abs=1e-5)


def test_a_bound_that_is_not_binding_costs_nothing_and_a_binding_one_buys_something():
    loose, tight = design(0.5, 1, futility=[0.5]), design(0.5, 1, futility=[0.5], binding=True)
    assert loose.efficacy == design(0.5, 1).efficacy
    assert loose.power(0.0) < 0.025
    assert tight.power(0.0) == pytest.approx(0.025, abs=1e-9)
    assert tight.efficacy[-1] < loose.efficacy[-1]


def test_one_look_is_the_fixed_test():
    found = design(1.0)
    assert found.efficacy[0] == pytest.approx(special.ndtri(0.975), abs=1e-10)
    assert found.drift_for(0.8) == pytest.approx(special.ndtri(0.975) + special.ndtri(0.8), abs=1e-8)


def test_spending_functions_at_their_ends():
    """Lan and DeMets 1983: 0 at 0, alpha at 1, never more."""
    for spending in (*SPENDING.values(), hwang_shih_decani(0.0), hwang_shih_decani(1.0)):
        assert spent_by(spending, 0.025, 0.0) == 0.0
        assert spending(0.025, 1.0) == pytest.approx(0.025, rel=1e-12)
        assert spent_by(spending, 0.025, 1.3) == 0.025


def test_conditional_and_predictive_power_are_their_integrals():
    """The end's z given the look's, and the mean of conditional power over the drift's posterior N(z / sqrt t, 1 / t)."""
    z, t, c = 1.2, 0.4, 1.97
    drift = 2.5
    mean, sd = z * math.sqrt(t) + drift * (1 - t), math.sqrt(1 - t)
    assert conditional_power(z, t, c, drift) == pytest.approx(stats.norm.sf(c, mean, sd), rel=1e-12)
    centre, wide = z / math.sqrt(t), 1 / math.sqrt(t)
    averaged, _ = integrate.quad(
        lambda d: conditional_power(z, t, c, d) * stats.norm.pdf(d, centre, wide),
        centre - 12 * wide,
        centre + 12 * wide,
    )
    assert predictive_power(z, t, c) == pytest.approx(averaged, abs=1e-9)


def test_the_conditional_error_averages_to_alpha():
    c = special.ndtri(0.975)
    whole, _ = integrate.quad(lambda z: conditional_error(z, 0.5, c) * stats.norm.pdf(z), -9, 9)
    assert whole == pytest.approx(0.025, abs=1e-10)


def test_a_second_stage_of_any_size_keeps_alpha():
    """Where there is no effect the second stage's z is standard normal whatever its size, given the first."""
    c, weight = 1.9686, 0.5

    def rejects(z):
        plan = reestimate(z, (43.0, 43.0), 129.0, c, Zone(0.3, 0.8))
        assert 43.0 <= plan.information <= 129.0
        needed = (c - math.sqrt(weight) * z) / math.sqrt(1 - weight)
        return special.ndtr(-needed) * stats.norm.pdf(z)

    whole, _ = integrate.quad(rejects, -9, 9, limit=200)
    assert whole == pytest.approx(special.ndtr(-c), abs=1e-7)


def test_a_promising_look_asks_for_the_power_wanted():
    plan = reestimate(1.3, (43.0, 43.0), 400.0, 1.96, Zone(0.3, 0.8))
    assert plan.zone == "promising"
    assert plan.power == pytest.approx(0.8, abs=1e-12)
    # by hand: the second stage's z has mean effect * sqrt(information); it must exceed what is left to 1.96
    mean = 1.3 / math.sqrt(43.0) * math.sqrt(plan.information)
    left = (1.96 - math.sqrt(0.5) * 1.3) / math.sqrt(0.5)
    assert mean - left == pytest.approx(special.ndtri(0.8), abs=1e-12)
    assert reestimate(0.1, (43.0, 43.0), 400.0, 1.96, Zone(0.3, 0.8)).information == 43.0
    assert reestimate(3.0, (43.0, 43.0), 400.0, 1.96, Zone(0.3, 0.8)).zone == "favourable"


def test_combinations_of_two_stages():
    """Equal stages: (1 + 2) / sqrt 2. Fisher: -2 log(p q) is chi-square with 4 df (Bauer and Koehne 1994)."""
    assert inverse_normal(1.0, 2.0, 0.5) == pytest.approx(3 / math.sqrt(2), rel=1e-12)
    assert fisher_product(0.1, 0.04) == pytest.approx(stats.chi2.sf(-2 * math.log(0.1 * 0.04), 4), rel=1e-12)


@pytest.mark.parametrize(
    ("fractions", "options", "rule"),
    [
        ((), {}, "looks"),
        ((0.5, 0.5), {}, "looks"),
        ((0.0, 1.0), {}, "looks"),
        ((0.5, 1.0), {"alpha": 0.6}, "alpha-one-sided"),
        ((0.5, 1.0), {"spending": "all"}, "spending"),
        ((0.5, 1.0), {"futility": [0.0, 1.0]}, "futility-looks"),
        ((0.5, 1.0), {"futility": [3.5]}, "futility-above"),
    ],
)
def test_a_design_that_cannot_be(fractions, options, rule):
    found = boundaries(fractions, **options)
    assert not isinstance(found, Boundaries)
    assert [its.rule for its in found] == [f"analysis.{rule}"]
