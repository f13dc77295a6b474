"""Shares of events in two arms: published intervals, reference programs, and what is not defined."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import optimize, special, stats

from equipoise.analysis import ResponderFit, fit_responders
from equipoise.analysis.responders import miettinen_nurminen, wilson
from rooms.analysis.reference_cases import references, shuffled, told

REFERENCES = references()


def counted(counts) -> dict:
    """Columns of counts [event, none][active, reference][stratum]."""
    cells = list(itertools.product(range(2), range(2), range(np.shape(counts)[2])))
    return {
        "event": [1 - cell[0] for cell in cells],
        "arm": ["PM"[1 - cell[1]] for cell in cells],
        "s": [str(cell[2]) for cell in cells],
        "n": [int(np.array(counts)[cell]) for cell in cells],
    }


def fitted(table, **options) -> ResponderFit:
    found = fit_responders(table, "event", "arm", reference="P", frequency="n", **options)
    assert isinstance(found, ResponderFit), [its.say() for its in found]
    return found


def test_intervals_of_newcombes_paper():
    """Newcombe 1998, table II(a): 56 of 70 against 48 of 80."""
    its = REFERENCES["risk_difference"]
    found = fitted(counted([[[56], [48]], [[14], [32]]]))
    assert found.crude == pytest.approx(0.2, abs=1e-12)
    mine = [found.newcombe.low, found.newcombe.high]
    np.testing.assert_allclose(mine, its["published"]["newcombe_score_method10"], atol=5e-5)
    np.testing.assert_allclose(mine, its["newcombe"], rtol=1e-9)
    mine = [found.miettinen_nurminen.low, found.miettinen_nurminen.high]
    np.testing.assert_allclose(mine, its["published"]["miettinen_nurminen"], atol=5e-5)
    np.testing.assert_allclose(mine, its["miettinen_nurminen"], rtol=1e-9)


def test_strata_as_mantelhaen_test_and_metafor_give_them():
    its = REFERENCES["strata"]
    found = fitted(counted(its["counts"]), strata=["s"])
    assert found.difference is not None
    assert found.difference.estimate == pytest.approx(its["rd"], rel=1e-9)
    assert found.difference.se == pytest.approx(its["rd_se"], rel=1e-9)
    assert found.risk_ratio is not None
    assert np.log(found.risk_ratio.ratio) == pytest.approx(its["log_rr"], rel=1e-9)
    assert found.risk_ratio.log_se == pytest.approx(its["log_rr_se"], rel=1e-9)
    assert found.odds_ratio is not None
    assert found.odds_ratio.ratio == pytest.approx(its["or"], rel=1e-9)
    np.testing.assert_allclose([found.odds_ratio.low, found.odds_ratio.high], its["or_ci"], rtol=1e-9)


def test_the_common_odds_ratio_of_the_migraine_example():
    expected = REFERENCES["migraine"]["expected"]
    counts = np.transpose(
        REFERENCES["migraine"]["counts"], (2, 1, 0)
    )  # [gender][arm][response] in the vectors
    found = fitted(counted(counts), strata=["s"])
    assert found.odds_ratio is not None
    assert found.odds_ratio.ratio == pytest.approx(expected["common_or"], rel=1e-10)
    np.testing.assert_allclose([found.odds_ratio.low, found.odds_ratio.high], expected["or_ci"], rtol=1e-10)


def test_wilsons_interval_is_scipys():
    low, high = stats.binomtest(13, 43).proportion_ci(0.9, method="wilson")
    found = wilson(13 / 43, 1 / 43, 0.9)
    np.testing.assert_allclose([found.low, found.high], [low, high], rtol=1e-12)


def test_one_stratum_of_ratios_is_the_table():
    """log se of a risk ratio sqrt(1/a - 1/n1 + 1/c - 1/n0), of an odds ratio sqrt(1/a + 1/b + 1/c + 1/d)."""
    found = fitted(counted([[[21], [13]], [[9], [18]]]))
    assert found.risk_ratio is not None
    assert found.risk_ratio.ratio == pytest.approx((21 / 30) / (13 / 31))
    assert found.risk_ratio.log_se == pytest.approx(np.sqrt(1 / 21 - 1 / 30 + 1 / 13 - 1 / 31), rel=1e-9)
    assert found.odds_ratio is not None
    assert found.odds_ratio.log_se == pytest.approx(np.sqrt(1 / 21 + 1 / 9 + 1 / 13 + 1 / 18), rel=1e-9)


def test_equal_strata_give_newcombes_interval_of_the_same_shares_and_twice_the_participants():
    """With equal shares and sizes in both strata, sum w^2 / n = 1 / (2 n): one stratum of double size."""
    one = fitted(counted([[[24], [16]], [[36], [44]]]))
    two = fitted(counted([[[12, 12], [8, 8]], [[18, 18], [22, 22]]]), strata=["s"])
    assert two.newcombe.low == pytest.approx(one.newcombe.low, rel=1e-10)
    assert two.newcombe.high == pytest.approx(one.newcombe.high, rel=1e-10)


@pytest.mark.parametrize("x", [0, 1, 15, 30])
def test_an_interval_holds_what_is_seen_and_stays_within_one(x):
    for y in (0, 2, 29, 30):
        found = fitted(counted([[[x], [y]], [[30 - x], [30 - y]]]))
        for its in (found.newcombe, found.miettinen_nurminen):
            assert -1 <= its.low <= found.crude + 1e-12
            assert found.crude - 1e-12 <= its.high <= 1


def test_what_does_not_matter():
    table = counted(REFERENCES["strata"]["counts"])
    assert fitted(shuffled(table), strata=["s"]).difference == fitted(table, strata=["s"]).difference
    other = fit_responders(table, "event", "arm", reference="M", frequency="n", strata=["s"])
    plain = fitted(table, strata=["s"])
    assert isinstance(other, ResponderFit)
    assert other.difference is not None
    assert plain.difference is not None
    assert other.difference.estimate == pytest.approx(-plain.difference.estimate, rel=1e-12)
    assert other.difference.se == pytest.approx(plain.difference.se, rel=1e-12)
    assert other.newcombe.low == pytest.approx(-plain.newcombe.high, rel=1e-12)


def test_what_is_not_defined_is_no_number():
    found = fitted(counted([[[0], [0]], [[30], [30]]]))
    assert (found.difference, found.risk_ratio, found.odds_ratio) == (None, None, None)
    assert found.newcombe.high > 0
    assert fitted(counted([[[5], [0]], [[25], [30]]])).odds_ratio is None


def test_faults():
    table = counted(REFERENCES["strata"]["counts"])
    assert told(fit_responders(table | {"event": [2] * 12}, "event", "arm")) == {("zero-or-one", "event")}
    assert told(fit_responders(table | {"n": [-1] * 12}, "event", "arm", frequency="n")) == {
        ("frequency", "n")
    }
    assert told(fit_responders(table | {"arm": ["P"] * 12}, "event", "arm")) == {("constant", "arm")}
    assert told(fit_responders(table, "event", "arm", strata=["arm"])) == {("no-comparison", "")}


def likeliest(x0: float, x1: float, n0: float, n1: float, d: float) -> float:
    """The reference's share that is most likely where the difference is d, by search and not by the cubic."""

    def less(p: float) -> float:
        p1 = p + d
        return -(
            special.xlogy(x0, p)
            + special.xlog1py(n0 - x0, -p)
            + special.xlogy(x1, p1)
            + special.xlog1py(n1 - x1, -p1)
        )

    bounds = (max(0.0, -d), min(1.0, 1.0 - d))
    return float(optimize.minimize_scalar(less, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x)


def test_the_score_interval_over_strata_is_that_of_its_definition():
    """At either bound the squared score is the normal quantile squared (Miettinen and Nurminen 1985, over strata).

    Counts [active, reference] of three made-up strata; the shares under a bound are found by search.
    """
    x1, n1, x0, n0 = (np.array(its, float) for its in ([8, 5, 3], [20, 12, 9], [4, 6, 1], [22, 10, 11]))
    found = miettinen_nurminen(np.array([x0, x1]), np.array([n0, n1]))
    total = n0 + n1
    w = n0 * n1 / total
    for d in (found.low, found.high):
        p0 = np.array([likeliest(*its, d) for its in zip(x0, x1, n0, n1, strict=True)])
        p1 = p0 + d
        v = (p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0) * total / (total - 1)
        score = (w @ (x1 / n1 - x0 / n0) - w.sum() * d) ** 2 / (w**2 @ v)
        assert score == pytest.approx(stats.norm.ppf(0.975) ** 2, rel=1e-5)
    one = miettinen_nurminen(np.array([x0[:1], x1[:1]]), np.array([n0[:1], n1[:1]]))
    assert one == miettinen_nurminen(np.array([x0[0], x1[0]]), np.array([n0[0], n1[0]]))
