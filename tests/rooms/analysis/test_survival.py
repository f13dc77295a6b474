"""Kaplan and Meier, log-rank and Cox: published data, reference fits, SciPy, and what has no answer.

Sources: tests/vectors/analysis.json (R 4.2.2, survival 3.5-3); the remission times of Freireich and others 1963.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from equipoise.analysis import CoxFit, LogrankFit, SurvivalFit, fit_cox, fit_logrank, fit_survival
from equipoise.analysis.survival.cox import _partial
from rooms.analysis.reference_cases import references, shuffled, told

REFERENCES = references()
TIMES = {"time": "time", "event": "cens"}


@pytest.fixture(scope="module")
def gehan():
    return REFERENCES["gehan"]


@pytest.fixture(scope="module")
def trial():
    return REFERENCES["cox"]


def curves(table, by="treat", **named) -> SurvivalFit:
    found = fit_survival(table, **(TIMES | named), by=by)
    assert isinstance(found, SurvivalFit), [its.say() for its in found]
    return found


def logrank(table, arm, **options) -> LogrankFit:
    found = fit_logrank(table, arm=arm, **({"time": "time", "event": "event"} | options))
    assert isinstance(found, LogrankFit), [its.say() for its in found]
    return found


def cox(table, formula="arm + age", **options) -> CoxFit:
    found = fit_cox(table, formula, **({"time": "time", "event": "event"} | options))
    assert isinstance(found, CoxFit), [its.say() for its in found]
    return found


def test_curves_as_survfit_gives_them(gehan):
    found, expected = curves(gehan["data"]), gehan["km"]
    points = [
        (f"treat={its.group}", p)
        for its in sorted(found.curves, key=lambda its: its.group != "6-MP")
        for p in its.points
        if p.events
    ]
    assert [name for name, _ in points] == expected["strata"]
    for name, mine in (("time", "time"), ("n", "at_risk"), ("d", "events"), ("surv", "survival")):
        np.testing.assert_allclose(
            [getattr(p, mine) for _, p in points], expected[name], rtol=1e-12, atol=1e-15
        )
    for (_, p), se, low, high in zip(points, expected["se"], expected["low"], expected["high"], strict=True):
        if p.low is None:
            assert p.survival == 0.0  # the last event of all: R writes NaN and NA
            continue
        np.testing.assert_allclose([p.se, p.low, p.high], [se, low, high], rtol=1e-9)


def test_medians_as_survfit_gives_them(gehan):
    found = {its.group: [its.median, its.median_low, its.median_high] for its in curves(gehan["data"]).curves}
    expected = [[None if v == "NA" else v for v in row] for row in gehan["median"]]
    assert [found["6-MP"], found["control"]] == expected


def test_a_curve_is_scipys(trial):
    data = trial["data"]
    (found,) = curves(data, by=None, event="event").curves
    times = stats.CensoredData.right_censored(data["time"], 1 - np.array(data["event"]))
    theirs = stats.ecdf(times).sf
    np.testing.assert_allclose([p.survival for p in found.points], theirs.probabilities, rtol=1e-12)
    bounds = theirs.confidence_interval(method="log-log")
    low = [p.low for p in found.points if p.low is not None]
    np.testing.assert_allclose(low, bounds.low.probabilities[: len(low)], rtol=1e-9)
    assert found.at(0.0) is None
    assert found.at(found.points[3].time + 0.5) == found.points[3]


def test_one_group_is_a_curve_too(gehan):
    data = {name: its[:1] * 3 for name, its in gehan["data"].items()}
    assert [its.group for its in curves(data).curves] == [data["treat"][0]]


def test_the_log_rank_test_as_survdiff_gives_it(gehan, trial):
    """Of the remission times: 16.79 with 9 events against 19.25 expected (the published value)."""
    found, expected = logrank(gehan["data"], "treat", event="cens"), gehan["logrank"]
    assert found.test.chi2 == pytest.approx(expected["chisq"], rel=1e-10)
    assert found.test.chi2 == pytest.approx(16.79, abs=5e-3)
    np.testing.assert_allclose(found.observed, expected["obs"])
    np.testing.assert_allclose(found.expected, expected["exp"], rtol=1e-10)
    stratified = logrank(trial["data"], "arm", strata=["site"])
    assert stratified.test.chi2 == pytest.approx(trial["logrank_stratified"], rel=1e-9)
    three = logrank(trial["data"], "site")
    assert three.test.chi2 == pytest.approx(trial["logrank3"], rel=1e-9)
    assert three.test.df == 2


def test_the_log_rank_test_of_two_groups_is_scipys(trial):
    data = trial["data"]
    groups = [
        stats.CensoredData.right_censored(
            [t for t, a in zip(data["time"], data["arm"], strict=True) if a == arm],
            [not e for e, a in zip(data["event"], data["arm"], strict=True) if a == arm],
        )
        for arm in (1, 0)
    ]
    assert logrank(data, "arm").test.chi2 == pytest.approx(stats.logrank(*groups).statistic ** 2, rel=1e-9)


def test_cox_as_coxph_gives_it(gehan, trial):
    """Of the remission times: 1.572 with standard error 0.412 (Efron)."""
    found = cox(gehan["data"], "treat", event="cens", reference={"treat": "6-MP"})
    assert found.beta[0] == pytest.approx(gehan["cox"]["est"], rel=1e-9)
    assert found.coefficients["treat[T.control]"].se == pytest.approx(gehan["cox"]["se"], rel=1e-9)
    assert [found.loglik_null, found.loglik] == pytest.approx(gehan["cox"]["loglik"], abs=1e-9)
    found = cox(trial["data"], strata=["site"])
    np.testing.assert_allclose(found.beta, trial["est"], rtol=1e-8)
    np.testing.assert_allclose(np.sqrt(np.diag(found.vcov)), trial["se"], rtol=1e-8)
    assert [found.loglik_null, found.loglik] == pytest.approx(trial["loglik"], abs=1e-8)
    bounds = found.profile("arm")
    assert bounds is not None
    np.testing.assert_allclose(np.log([bounds.low, bounds.high]), trial["profile_arm"], atol=1e-7)


def test_the_score_test_of_cox_without_ties_is_the_log_rank_test():
    """Cox 1972: at beta = 0 the score squared over the information is the log-rank statistic."""
    rng = np.random.default_rng(4)
    table = {
        "time": rng.permutation(40).astype(float).tolist(),
        "event": rng.integers(0, 2, 40).tolist(),
        "arm": [at % 2 for at in range(40)],
    }
    height = _partial(cox(table, "arm").moments)(np.zeros(1))
    score = height.score[0] ** 2 / height.information[0, 0]
    assert score == pytest.approx(logrank(table, "arm").test.chi2, rel=1e-9)


def test_the_score_and_the_information_are_derivatives(trial):
    height = _partial(cox(trial["data"], strata=["site"]).moments)
    at, h = np.array([0.3, -0.5]), 1e-6
    for k in range(2):
        up, down = (height(at + s * h * np.eye(2)[k]) for s in (1, -1))
        assert height(at).score[k] == pytest.approx((up.loglik - down.loglik) / (2 * h), rel=1e-6)
        np.testing.assert_allclose(-height(at).information[k], (up.score - down.score) / (2 * h), rtol=1e-6)


def test_what_does_not_matter(trial):
    data, plain = trial["data"], cox(trial["data"], strata=["site"])
    for table in (
        shuffled(data),
        data | {"time": [its / 30.4 for its in data["time"]]},
        data | {"time": [its**2 for its in data["time"]]},  # Cox's model knows the order of times alone
        data | {"age": [1e5 + 1e-2 * its for its in data["age"]]},
    ):
        its = cox(table, strata=["site"]).coefficients["arm"]
        assert its.estimate == pytest.approx(plain.coefficients["arm"].estimate, rel=1e-6)
        assert its.se == pytest.approx(plain.coefficients["arm"].se, rel=1e-6)
    turned = cox(data | {"arm": [1 - its for its in data["arm"]]}, strata=["site"])
    assert turned.hazard_ratio("arm").ratio == pytest.approx(1 / plain.hazard_ratio("arm").ratio, rel=1e-8)


def test_a_covariate_that_orders_all_events_has_no_finite_effect(trial):
    order = trial["data"] | {"first": [-its for its in trial["data"]["time"]]}
    assert told(fit_cox(order, "first", time="time", event="event")) == {("separation", "first")}
    none = trial["data"] | {
        "event": [int(e and a == 0) for e, a in zip(order["event"], order["arm"], strict=True)]
    }
    assert told(fit_cox(none, "arm + age", time="time", event="event")) == {("separation", "arm")}
    found = fit_logrank(none, "time", "event", "arm")  # the test needs no finite effect
    assert isinstance(found, LogrankFit)


def test_faults(trial):
    data = trial["data"]

    def said(table, formula="arm + age"):
        return told(fit_cox(table, formula, time="time", event="event"))

    assert said(data, "time ~ arm") == {("no-response", "time ~ arm")}
    assert said(data | {"event": [2, *data["event"][1:]]}) == {("zero-or-one", "event")}
    assert said(data | {"event": [0] * 86}) == {("no-events", "event")}
    assert said(data | {"time": [-1, *data["time"][1:]]}) == {("before-zero", "time")}
    assert said(data | {"time": ["soon", *data["time"][1:]]}) == {("text", "time")}
    assert said(data | {"age": [60] * 86}) == {("constant", "age")}
    assert said(data, "nobody") == {("no-column", "nobody")}
    assert told(fit_survival(data, "nobody", "event")) == {("no-column", "nobody")}
    assert told(fit_survival(data, "time", "event", by="nobody")) == {("no-column", "nobody")}
    assert told(fit_logrank(data | {"event": [0] * 86}, "time", "event", "arm")) == {("no-events", "event")}
    assert told(fit_logrank(data | {"arm": [1] * 86}, "time", "event", "arm")) == {("constant", "arm")}
