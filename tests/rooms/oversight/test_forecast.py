"""The forecast of enrolment, held to the distribution that it inverts and to a simulation of nothing but the model."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import nbinom

from equipoise.oversight.forecast import MONTH_DAYS, Plan, forecast, waiting_days

OPENED = dt.date(2026, 1, 1)
PLAN = Plan(86, 15, OPENED)


@given(
    missing=st.integers(1, 300),
    shape=st.floats(0.5, 400),
    days=st.floats(1, 2000),
    share=st.sampled_from([0.1, 0.5, 0.9]),
)
def test_in_the_days_forecast_that_many_come_with_that_probability(missing, shape, days, share):
    """A Poisson count whose rate is Gamma(shape, days) is negative binomial: another road to the same number."""
    wait = waiting_days(missing, shape, days, share)
    enough = nbinom.sf(missing - 1, shape, days / (days + wait))
    assert enough == pytest.approx(share, rel=1e-6)


def test_a_simulated_process_waits_as_long_as_forecast():
    draw = np.random.default_rng(7)
    missing, shape, days, size = 40, 30.0, 200.0, 200_000
    waits = draw.gamma(missing, 1 / draw.gamma(shape, 1 / days, size))
    for share in (0.1, 0.5, 0.9):
        # The standard error of the share of waits below a quantile is sqrt(p(1-p)/n) < 0.0012: four of them.
        assert np.mean(waits <= waiting_days(missing, shape, days, share)) == pytest.approx(share, abs=0.005)


def test_the_plan_is_even_and_ends_at_the_target():
    assert PLAN.expected(OPENED) == 0
    assert PLAN.expected(OPENED - dt.timedelta(days=30)) == 0
    assert PLAN.expected(PLAN.ends) == 86
    # 15 months are 456.56 days; on day 228 just under half of 86 is planned: 86 x 228 / 456.5625 = 42.95.
    assert PLAN.expected(OPENED + dt.timedelta(days=228)) == pytest.approx(42.947, abs=1e-3)


def test_who_keeps_to_the_plan_is_forecast_to_end_near_its_end():
    half = OPENED + dt.timedelta(days=228)
    found = forecast(PLAN, 43, half)
    assert found is not None
    assert found.early < found.likely < found.late
    assert abs((found.likely - PLAN.ends).days) < 20
    assert found.rate_month == pytest.approx(86 / 15, rel=0.01)


@given(randomized=st.integers(0, 85), day=st.integers(0, 900))
def test_one_more_participant_never_makes_it_later(randomized, day):
    today = OPENED + dt.timedelta(days=day)
    fewer, more = forecast(PLAN, randomized, today), forecast(PLAN, randomized + 1, today)
    assert fewer is not None
    assert today <= fewer.early <= fewer.likely <= fewer.late
    assert more is None or more.likely <= fewer.likely


def test_there_is_nothing_to_forecast_before_the_opening_or_at_the_target():
    assert forecast(PLAN, 0, OPENED - dt.timedelta(days=1)) is None
    assert forecast(PLAN, 86, OPENED + dt.timedelta(days=300)) is None


def test_before_anybody_came_the_plan_alone_is_believed():
    found = forecast(PLAN, 0, OPENED)
    assert found is not None
    assert found.rate_month == pytest.approx(86 / 15)  # the prior is worth one month of the plan
    assert pytest.approx(30.4375) == MONTH_DAYS  # 365.25 / 12
