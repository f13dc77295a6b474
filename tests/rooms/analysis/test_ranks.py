"""Rank tests and shifts by stratum: reference values, closed forms, and what has no answer.

Sources: tests/vectors/analysis.json (R 4.2.2, coin, vcdExtra; SAS/STAT's Migraine and Koch and Edwards' arthritis
counts); Hollander and Wolfe 1999, example 4.1 (the amnion).
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from equipoise.analysis import CmhFit, ShiftFit, VanElterenFit, fit_cmh, fit_shift, fit_van_elteren
from rooms.analysis.reference_cases import references, shuffled, told

REFERENCES = references()


def counted(counts, names):
    """A table of counts as columns: one row a cell."""
    cells = list(itertools.product(*(range(size) for size in np.shape(counts))))
    table = {name: [str(cell[at]) for cell in cells] for at, name in enumerate(names)}
    return table | {"n": [int(np.array(counts)[cell]) for cell in cells]}


def cmh(table, **options) -> CmhFit:
    found = fit_cmh(table, "response", "arm", strata=["stratum"], frequency="n", **options)
    assert isinstance(found, CmhFit), [its.say() for its in found]
    return found


def test_three_categories_by_two_arms_as_vcdextra_gives_them():
    found = cmh(counted(REFERENCES["arthritis"]["counts"], ("stratum", "arm", "response")))
    expected = REFERENCES["arthritis"]["expected"]["tables"]["ALL"]
    for name, test in (("general", found.general), ("rmeans", found.row_means), ("cor", found.correlation)):
        chi2, df, p = expected[name]
        assert test.chi2 == pytest.approx(chi2, rel=1e-10)
        assert test.df == df
        assert test.p == pytest.approx(p, rel=1e-8)
    assert found.general.chi2 == pytest.approx(REFERENCES["arthritis"]["expected"]["general"], rel=1e-10)


@pytest.mark.parametrize(("sex", "at"), [("Sex:Female", 0), ("Sex:Male", 1)])
def test_one_stratum(sex, at):
    """A 2 x 2 table without strata too, since the other sex adds nothing."""
    table = counted([REFERENCES["arthritis"]["counts"][at]], ("stratum", "arm", "response"))
    expected = REFERENCES["arthritis"]["expected"]["tables"][sex]
    assert cmh(table).general.chi2 == pytest.approx(expected["general"][0], rel=1e-10)
    assert cmh(table).row_means.chi2 == pytest.approx(expected["rmeans"][0], rel=1e-10)


def test_two_by_two_is_the_migraine_example():
    """SAS/STAT: 8.3052, p 0.0040, three statistics in one."""
    expected = REFERENCES["migraine"]["expected"]
    found = cmh(counted(REFERENCES["migraine"]["counts"], ("stratum", "arm", "response")))
    for test in (found.general, found.row_means, found.correlation):
        assert test.chi2 == pytest.approx(expected["chi"], rel=1e-10)
        assert test.p == pytest.approx(expected["p"], rel=1e-9)
    assert found.general.chi2 == pytest.approx(8.3052, abs=5e-5)


def van_elteren(table, **options) -> VanElterenFit:
    found = fit_van_elteren(table, "mrs", "arm", **options)
    assert isinstance(found, VanElterenFit), [its.say() for its in found]
    return found


def test_van_elteren_as_coin_gives_it():
    trial = REFERENCES["mrs"]
    found = van_elteren(trial["data"], strata=["strat"])
    assert found.z == pytest.approx(trial["van_elteren"]["z"], rel=1e-9)
    assert found.chi2 == pytest.approx(trial["van_elteren_coin"]["chi"], rel=1e-9)
    assert found.p == pytest.approx(trial["van_elteren_coin"]["p"], rel=1e-9)


def test_van_elteren_of_counts_and_as_row_means_of_modified_ridits():
    counts, expected = REFERENCES["arthritis"]["counts"], REFERENCES["arthritis"]["expected"]["van_elteren"]
    table = counted(counts, ("stratum", "arm", "response"))
    assert cmh(table, scores="modridit").row_means.chi2 == pytest.approx(expected["chi"], rel=1e-10)
    rows = {
        name: [value for value, n in zip(table[name], table["n"], strict=True) for _ in range(n)]
        for name in ("stratum", "arm", "response")
    }
    found = fit_van_elteren(
        rows | {"response": [float(its) for its in rows["response"]]}, "response", "arm", strata=["stratum"]
    )
    assert isinstance(found, VanElterenFit)
    assert found.z == pytest.approx(expected["z"], rel=1e-9)


def test_without_strata_it_is_wilcoxons_test():
    trial = REFERENCES["mrs"]
    assert van_elteren(trial["data"]).z == pytest.approx(-trial["wilcoxon"]["coin_z"], rel=1e-9)
    groups = [
        [m for m, a in zip(trial["data"]["mrs"], trial["data"]["arm"], strict=True) if a == arm]
        for arm in (1, 0)
    ]
    p = stats.mannwhitneyu(*groups, use_continuity=False, method="asymptotic").pvalue
    assert van_elteren(trial["data"]).p == pytest.approx(p, rel=1e-10)
    assert van_elteren(trial["data"]).p == pytest.approx(trial["wilcoxon"]["p"], rel=1e-9)


def test_what_does_not_matter():
    data = REFERENCES["mrs"]["data"]
    plain = van_elteren(data, strata=["strat"])
    assert van_elteren(shuffled(data), strata=["strat"]).z == pytest.approx(plain.z, rel=1e-10)
    turned = data | {"mrs": [6 - its for its in data["mrs"]]}
    assert van_elteren(turned, strata=["strat"]).z == pytest.approx(-plain.z, rel=1e-10)
    assert van_elteren(data, strata=["strat"], reference="1").z == pytest.approx(-plain.z, rel=1e-10)
    cubed = data | {"mrs": [its**3 for its in data["mrs"]]}  # ranks know the order alone
    assert van_elteren(cubed, strata=["strat"]).z == pytest.approx(plain.z, rel=1e-10)


def shift(active, others, strata=None, **options) -> ShiftFit:
    table = {"y": [*active, *others], "arm": ["b"] * len(active) + ["a"] * len(others)}
    named = {"strata": ["s"]} if strata else {}
    found = fit_shift(
        table | ({"s": strata} if strata else {}), "y", "arm", reference="a", **named, **options
    )
    assert isinstance(found, ShiftFit), [its.say() for its in found]
    return found


def test_the_amnion_of_hollander_and_wolfe():
    """Estimate 0.305; their interval of level 0.96 is (-0.15, 0.76), here by the normal approximation."""
    x = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
    y = [1.15, 0.88, 0.90, 0.74, 1.21]
    found = shift(x, y, level=0.96)
    assert found.estimate == pytest.approx(0.305, abs=1e-12)
    np.testing.assert_allclose([found.low, found.high], [-0.15, 0.76], atol=1e-12)


def test_a_shift_without_strata_as_wilcox_test_gives_it():
    """R searches for the jump by bisection, so its bounds lie within 1e-4 of the differences that occur."""
    its = REFERENCES["shift"]
    found = shift(its["active"], its["others"])
    assert found.estimate == pytest.approx(its["estimate"], abs=1e-12)
    np.testing.assert_allclose([found.low, found.high], its["approximate"], atol=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_bounds_are_where_the_stratified_statistic_leaves_its_interval(seed):
    """By the definition: V(D) within z standard deviations of its mean inside, beyond just outside."""
    rng = np.random.default_rng(seed)
    sizes = [(int(m), int(n)) for m, n in rng.integers(2, 9, size=(3, 2))]
    groups = [(rng.normal(0.5, 1, m), rng.normal(0, 1, n)) for m, n in sizes]
    active, others = (np.concatenate([its[at] for its in groups]) for at in (0, 1))
    strata = [str(at) for at, (m, _) in enumerate(sizes) for _ in range(m)]
    strata += [str(at) for at, (_, n) in enumerate(sizes) for _ in range(n)]
    found = shift(active.tolist(), others.tolist(), strata)
    variance = sum(m * n / (m + n + 1) / 12 for m, n in sizes)

    def z(d):
        total = 0.0
        for (m, n), (x, y) in zip(sizes, groups, strict=True):
            above = np.subtract.outer(x, y) - d
            total += ((above > 0).sum() + (above == 0).sum() / 2 - m * n / 2) / (m + n + 1)
        return total / np.sqrt(variance)

    reach = stats.norm.ppf(0.975)
    assert abs(z(found.low + 1e-9)) <= reach
    assert abs(z(found.high - 1e-9)) <= reach
    assert abs(z(found.low - 1e-9)) > reach
    assert abs(z(found.high + 1e-9)) > reach
    assert z(found.estimate - 1e-9) >= 0 >= z(found.estimate + 1e-9)


def test_a_shift_moves_with_the_response():
    its = REFERENCES["shift"]
    plain = shift(its["active"], its["others"])
    moved = shift([3 + 2 * v for v in its["active"]], [2 * v for v in its["others"]])
    assert moved.estimate == pytest.approx(3 + 2 * plain.estimate)
    np.testing.assert_allclose([moved.low, moved.high], [3 + 2 * plain.low, 3 + 2 * plain.high])
    turned = shift([-v for v in its["active"]], [-v for v in its["others"]])
    np.testing.assert_allclose([turned.low, turned.high], [-plain.high, -plain.low])


def test_faults():
    data = REFERENCES["mrs"]["data"]
    assert told(fit_van_elteren(data, "mrs", "strat2")) == {("no-column", "strat2")}
    assert told(fit_van_elteren(data | {"arm": [1] * 86}, "mrs", "arm")) == {("constant", "arm")}
    assert told(fit_van_elteren(data | {"arm": ["a", "b", "c", *["a"] * 83]}, "mrs", "arm")) == {
        ("arms", "arm")
    }
    assert told(fit_van_elteren(data, "mrs", "arm", reference="2")) == {("no-level", "arm")}
    assert told(fit_van_elteren(data | {"mrs": [3] * 86}, "mrs", "arm")) == {("no-comparison", "")}
    assert told(fit_van_elteren(data, "mrs", "arm", strata=["arm"])) == {("no-comparison", "")}
    assert told(fit_shift(data, "mrs", "arm", strata=["arm"])) == {("no-comparison", "")}
    assert told(fit_shift(data | {"mrs": ["x", *data["mrs"][1:]]}, "mrs", "arm")) == {("text", "mrs")}
    assert told(fit_shift(data | {"mrs": [float("inf"), *data["mrs"][1:]]}, "mrs", "arm")) == {
        ("infinite", "mrs")
    }
    assert told(fit_cmh(data, "mrs", "arm", scores="logit")) == {("scores", "logit")}
    assert told(fit_cmh(data, "mrs", "arm", categories=["0", "1"])) == {("strange-category", "mrs")}
    assert told(fit_cmh(data | {"mrs": [3] * 86}, "mrs", "arm")) == {("one-category", "mrs")}
    lost = [None if arm else its for its, arm in zip(data["mrs"], data["arm"], strict=True)]
    assert told(fit_cmh(data | {"mrs": lost}, "mrs", "arm")) == {("one-level", "arm")}
