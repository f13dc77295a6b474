"""The batch's estimators and draws: the same answers as the analysis and randomization rooms on the same data."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.random import threefry2x32_p
from scipy import stats

from equipoise.analysis import fit_mmrm, fit_ordinal
from equipoise.analysis.wins import fit_win_odds
from equipoise.randomization import methods
from equipoise.simulation.batch import course, general, lists, monotone, odds, ops, trial, wins
from equipoise.simulation.batch.characteristics import p_values
from equipoise.simulation.batch.numbers import TILE
from rooms.analysis.mmrm_cases import trials
from rooms.simulation.batch_cases import numbers, shape

MODEL = "chg ~ base * visit + strat + arm * visit"
assert ops.JAX.xp is jnp  # float64 is switched on there


def monotone_part(data):
    """What was seen before the first missing value, of everybody who was seen at the first visit."""
    kept = {name: [] for name in ("arm", "strat", "base", "chg")}
    for arm, strat, base, changes in zip(*(data[name] for name in kept), strict=True):
        until = next((at for at, value in enumerate(changes) if value is None), len(changes))
        if until:
            changes = [*changes[:until], *[None] * (len(changes) - until)]
            for name, value in zip(kept, (arm, strat, base, changes), strict=True):
                kept[name].append(value)
    return kept


def in_rows(data, other):
    return {
        "id": [f"P{i:03d}" for i in range(len(other)) for _ in data["chg"][i]],
        "visit": [str(v) for i in range(len(other)) for v in range(len(data["chg"][i]))],
        "arm": ["B" if data["arm"][i] else "A" for i in range(len(other)) for _ in data["chg"][i]],
        "strat": [float(data["strat"][i]) for i in range(len(other)) for _ in data["chg"][i]],
        "other": [other[i] for i in range(len(other)) for _ in data["chg"][i]],
        "base": [data["base"][i] for i in range(len(other)) for _ in data["chg"][i]],
        "chg": [value for changes in data["chg"] for value in changes],
    }


def products(data, common):
    base = np.array(data["base"])
    y = np.array([[value or 0.0 for value in changes] for changes in data["chg"]])
    seen = np.array([[value is not None for value in changes] for changes in data["chg"]], float)
    centred = (base - base.mean()) / base.std()
    rows = np.column_stack([np.ones(len(base)), centred, np.array(data["arm"], float), *common, y * seen])
    sums = np.stack([(rows * seen[:, [j]]).T @ rows for j in range(y.shape[1])])
    return seen.sum(axis=0), sums


@pytest.mark.parametrize("factors", [1, 2])
def test_the_profiled_form_is_the_general_form_to_eight_digits(factors):
    """M = G; G = R is held by the reference tests of the analysis room on the trials that these are parts of."""
    visit, rng = 3, np.random.default_rng(5)
    kept = [monotone_part(trials()[name]["data"]) for name in ("syn2", "syn4")]
    others = [rng.integers(0, 2, len(data["arm"])).astype(float) for data in kept]
    pairs = [
        products(data, [np.array(data["strat"], float), other][:factors])
        for data, other in zip(kept, others, strict=True)
    ]
    counts, sums = (jnp.stack([pair[part] for pair in pairs], axis=-1) for part in (0, 1))
    fit = jax.jit(lambda counts, sums: monotone.fit(monotone.Products(counts, sums, 3), visit))
    found, turned = fit(counts, sums), fit(counts[..., ::-1], sums[..., ::-1])
    formula = MODEL + (" + other" if factors == 2 else "")
    for place, (data, other) in enumerate(zip(kept, others, strict=True)):
        for df, variance in (("kenward-roger", found.adjusted), ("satterthwaite", found.variance)):
            general = fit_mmrm(
                in_rows(data, other), formula, subject="id", visit="visit", reference={"arm": "A"}, df=df
            )
            expected = general.differences("arm", "visit")[visit].estimate
            assert abs(float(found.estimate[place]) - expected.estimate) < 1e-8 * expected.se
            assert float(jnp.sqrt(variance[place])) == pytest.approx(expected.se, rel=1e-8)
            assert float(found.df[place]) == pytest.approx(expected.df, rel=1e-8)
        assert found.converged[place]
        assert found.steps[place] < 10
    for mine, theirs in zip(
        found, turned, strict=True
    ):  # beside another trial, or in another place: the same
        np.testing.assert_array_equal(mine, theirs[::-1])


def pattern_products(data, common):
    """As `products`, for every pattern of visits."""
    base = np.array(data["base"])
    y = np.array([[value or 0.0 for value in changes] for changes in data["chg"]])
    seen = np.array([[value is not None for value in changes] for changes in data["chg"]], float)
    centred = (base - base.mean()) / base.std()
    rows = np.column_stack([np.ones(len(base)), centred, np.array(data["arm"], float), *common, y * seen])
    place = (seen @ 2 ** np.arange(y.shape[1])).astype(int)
    mine = [place == one for one in range(2 ** y.shape[1])]
    return np.array([one.sum() for one in mine], float), np.stack([rows[one].T @ rows[one] for one in mine])


def with_gaps(data, rng):
    """Every tenth value of those seen is taken away; who is left without one is left out."""
    kept = {name: [] for name in ("arm", "strat", "base", "chg")}
    for arm, strat, base, changes in zip(*(data[name] for name in kept), strict=True):
        left = [None if rng.random() < 0.1 else value for value in changes]
        if any(value is not None for value in left):
            for name, value in zip(kept, (arm, strat, base, left), strict=True):
                kept[name].append(value)
    return kept


def test_the_general_form_is_that_of_the_analysis_room_and_the_profiled_one():
    """M = G = fit_mmrm: G on any pattern of five visits beside the analysis room, and on a monotone part beside M."""
    visit, rng = 3, np.random.default_rng(6)
    whole = trials()
    cases = [
        monotone_part(whole["syn2"]["data"]),
        *(with_gaps(whole[name]["data"], rng) for name in ("syn2", "syn4")),
    ]
    strata = [np.array(data["strat"], float) for data in cases]
    pairs = [pattern_products(data, [one]) for data, one in zip(cases, strata, strict=True)]
    assert (
        max(np.count_nonzero(counts) for counts, _ in pairs) > 12
    )  # many more patterns than the five monotone ones
    counts, sums = (jnp.stack([pair[part] for pair in pairs], axis=-1) for part in (0, 1))
    found = jax.jit(lambda counts, sums: general.fit(general.PatternProducts(counts, sums, 3), visit))(
        counts, sums
    )
    for place, data in enumerate(cases):
        for df, variance in (("kenward-roger", found.adjusted), ("satterthwaite", found.variance)):
            table = in_rows(data, [0.0] * len(data["arm"]))
            room = fit_mmrm(table, MODEL, subject="id", visit="visit", reference={"arm": "A"}, df=df)
            expected = room.differences("arm", "visit")[visit].estimate
            assert abs(float(found.estimate[place]) - expected.estimate) < 1e-8 * expected.se
            assert float(jnp.sqrt(variance[place])) == pytest.approx(expected.se, rel=1e-8)
            assert float(found.df[place]) == pytest.approx(expected.df, rel=1e-8)
        assert found.converged[place]
    alone, products_ = products(cases[0], [strata[0]])
    m_form = jax.jit(lambda counts, sums: monotone.fit(monotone.Products(counts, sums, 3), visit))(
        jnp.asarray(alone)[:, None], jnp.asarray(products_)[..., None]
    )
    for mine, theirs in zip(found[:4], m_form[:4], strict=True):
        assert float(mine[0]) == pytest.approx(float(theirs[0]), rel=1e-8)


def test_missed_visits_are_drawn_at_their_rate_and_none_is_the_profiled_form():
    """With a chance of 0 the general form gives the rows of the profiled one; with 0.2 a fifth of the visits are missed."""
    given = jax.tree.map(jnp.asarray, numbers())
    run = partial(trial.trials, shape(gaps=True))
    none = run(given, jnp.uint32(7), jnp.uint32(0), 2, 16)
    plain = trial.trials(shape(), given, jnp.uint32(7), jnp.uint32(0), 2, 16)
    for name in ("effect", "variance", "adjusted", "df", "log_odds", "seen"):
        np.testing.assert_allclose(getattr(none, name), getattr(plain, name), rtol=1e-8, err_msg=name)
    some = run(given._replace(missed=jnp.full(2, 0.2)), jnp.uint32(7), jnp.uint32(0), 2, 16)
    share = float(np.sum(some.seen) / np.sum(none.seen))  # of about 1,100 visits: a deviation of 0.012
    assert share == pytest.approx(0.8, abs=4 * 0.012)
    assert bool(np.all(some.fitted))
    assert np.all(np.asarray(some.variance) > 0)


def test_too_few_completers_are_told_and_not_hidden():
    data = monotone_part(trials()["syn2"]["data"])
    counts, sums = products(data, [np.array(data["strat"], float)])
    counts[-1], sums[-1] = 2.0, 0.0  # nobody has the last visit
    fit = jax.jit(lambda counts, sums: monotone.fit(monotone.Products(counts, sums, 3), 4))
    assert not bool(fit(jnp.asarray(counts)[:, None], jnp.asarray(sums)[..., None]).converged[0])


@pytest.fixture(scope="module")
def common_odds():
    return jax.jit(lambda grades: odds.fit(grades, 7, grades.seen.shape[0]))


def graded(rng, effect, empty=()):
    """A trial of 84 with seven grades, some of which nobody has."""
    count = 7 * TILE
    arm, base = np.arange(count) % 2 * 1.0, rng.normal(size=count)
    latent = rng.logistic(size=count) + 0.8 * base + effect * arm
    grade = (latent[:, None] > np.array([-2.0, -0.7, 0.5, 1.6, 2.8, 3.6])).sum(axis=1)
    seen = (rng.random(count) < 0.9) & ~np.isin(grade, empty)
    return grade, np.stack([base, arm]), seen.astype(float)


def stacked(cases):
    grade, x, seen = (np.stack([case[part] for case in cases], axis=-1) for part in range(3))
    return odds.Grades(jnp.asarray(grade, jnp.int32), jnp.asarray(x), jnp.asarray(seen))


def test_common_odds_are_those_of_the_analysis_room(common_odds):
    rng = np.random.default_rng(11)
    cases = [
        graded(rng, 0.5),
        graded(rng, -1.0, empty=(3,)),
        graded(rng, 0.2, empty=(0, 6)),
        graded(rng, 2.0),
    ]
    found = common_odds(stacked(cases))
    for place, (grade, (base, arm), seen) in enumerate(cases):
        kept = seen > 0
        table = {"grade": grade[kept].tolist(), "base": base[kept].tolist(), "arm": arm[kept].tolist()}
        expected = fit_ordinal(table, "grade ~ base + arm", join_empty=True)
        its = expected.coefficients["arm"]
        assert float(found.log_odds[place]) == pytest.approx(its.estimate, abs=1e-8)
        assert float(found.se[place]) == pytest.approx(its.se, rel=1e-6)
        assert int(found.categories[place]) == len(set(grade[kept]))
        assert found.converged[place]


def test_win_odds_are_those_of_the_analysis_room():
    """Two factors as strata, a grade that nobody has, and a trial in which an arm is alone in a stratum."""
    rng = np.random.default_rng(21)
    cases, count = [], 7 * TILE
    for case in range(4):
        levels, arm = rng.integers(0, 2, (2, count)) * 1.0, np.arange(count) % 2 * 1.0
        grade, seen = rng.integers(0, 7 - case, count), (rng.random(count) < 0.9) * 1.0
        if case == 3:
            alone = np.flatnonzero((levels[0] == 1) & (levels[1] == 1) & (arm == 1))
            seen[alone] = np.arange(len(alone)) == 0
        cases.append((grade, np.stack([rng.normal(size=count), *levels, arm]), seen))
    found = jax.jit(lambda grades: wins.fit(grades, 7, 2, count))(stacked(cases))
    assert found.fitted.tolist() == [True, True, True, False]
    for place, (grade, (_, one, two, arm), seen) in enumerate(cases[:3]):
        kept = seen > 0
        table = {
            "grade": grade[kept].tolist(),
            "arm": arm[kept].tolist(),
            "one": one[kept].tolist(),
            "two": two[kept].tolist(),
        }
        expected = fit_win_odds(table, "grade", "arm", strata=("one", "two")).win_odds
        assert float(found.log_odds[place]) == pytest.approx(np.log(expected.ratio), abs=1e-10)
        width = 2.0 * stats.norm.ppf(0.975) * float(found.se[place])
        assert np.log(expected.high / expected.low) == pytest.approx(width, rel=1e-9)
    grade, (_, one, two, arm), seen = cases[3]
    kept = seen > 0
    table = {
        "grade": grade[kept].tolist(),
        "arm": arm[kept].tolist(),
        "one": one[kept].tolist(),
        "two": two[kept].tolist(),
    }
    assert fit_win_odds(table, "grade", "arm", strata=("one", "two"))[0].rule == "analysis.small-stratum"


def test_an_effect_without_end_is_not_called_converged(common_odds):
    rng = np.random.default_rng(12)
    cases = [graded(rng, 0.5) for _ in range(4)]
    cases[1] = (np.where(cases[1][1][1] > 0, 5, 2), cases[1][1], cases[1][2])  # the arm tells the grade
    assert common_odds(stacked(cases)).converged.tolist() == [True, False, True, True]


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [  # known answers of threefry2x32 with 20 rounds as published with Random123 (Salmon et al. 2011)
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF,) * 2, (0xFFFFFFFF,) * 2, (0x1CB996FC, 0xBB002BE7)),
        ((0x243F6A88, 0x85A308D3), (0x13198A2E, 0x03707344), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_the_stream_is_the_published_one(counter, key, expected):
    words = [jnp.asarray([word], jnp.uint32) for word in (*key, *counter)]
    assert tuple(int(word[0]) for word in threefry2x32_p.bind(*words)) == expected


class Shared:
    """Draws of the randomization room that come from given uniform numbers, one a slot."""

    def __init__(self, uniform):
        self._left = list(uniform)

    def below(self, bound):
        return int(self._left.pop(0) * bound)


@pytest.mark.parametrize(
    "method",
    [
        methods.big_stick((1, 1), 3),
        methods.complete((1, 1)),
        methods.permuted_blocks((1, 1), [4, 6]),
        methods.permuted_blocks((2, 1), [3]),
        methods.biased_coin((1, 1), Fraction(2, 3)),
        methods.maximal_procedure((1, 1), 3, 20),
    ],
    ids=lambda method: method.name,
)
def test_a_list_is_the_one_of_the_randomization_room(method):
    count, rng = 20, np.random.default_rng(3)
    table = lists.slots(method, count)
    given = numbers()._replace(slot_limits=table.limits, slot_arms=table.arms, slot_after=table.after)
    given = jax.tree.map(jnp.asarray, given)
    step = jax.jit(lambda states, drawn: course.allocated(given, states, jnp.zeros(16, jnp.int32), drawn))
    uniform = rng.random((count, 16))
    states, arms = jnp.zeros((1, 16), jnp.int32), []
    for slot in range(count):
        arm, states = step(states, jnp.asarray(uniform[slot]))
        arms.append(np.asarray(arm))
    for place in range(16):
        expected = methods.draw_list(method, count, Shared(uniform[:, place]))
        assert tuple(int(arm[place]) for arm in arms) == expected


def compiled() -> int:
    program: Any = trial.trials
    return program._cache_size()


def test_a_trial_is_the_same_whatever_runs_beside_it():
    """Chunks of any size and order, and one scenario after another in the same program."""
    given = jax.tree.map(jnp.asarray, numbers())
    run = partial(trial.trials, shape(), given, jnp.uint32(7))
    whole, moved = run(jnp.uint32(0), 2, 16), run(jnp.uint32(5), 2, 16)
    named = jax.tree_util.tree_leaves_with_path(whole)
    for (name, all_), later in zip(named, jax.tree.leaves(moved), strict=True):
        np.testing.assert_array_equal(all_[..., 5:], later[..., :27], err_msg=str(name))
    before = compiled()
    other = trial.trials(
        shape(), given._replace(effect=given.effect + 5.0), jnp.uint32(7), jnp.uint32(0), 2, 16
    )
    assert compiled() == before
    assert np.all(np.asarray(other.whole) > np.asarray(whole.whole) + 4.0)


def test_whoever_comes_later_changes_no_draw_of_those_before():
    keys = course.trial_keys(3, jnp.uint32(0), 8)
    long, short = course.uniforms(keys, jnp.arange(30), 5), course.uniforms(keys, jnp.arange(20), 5)
    np.testing.assert_array_equal(long[:, :20], short)
    assert 0.0 < float(long.min()) < float(long.max()) < 1.0
    np.testing.assert_array_equal(course.trial_keys(3, jnp.uint32(4), 4), keys[:, 4:])


@pytest.mark.nightly
def test_power_is_that_of_the_closed_form():
    """Complete data: the arm's effect at the last visit has the residual variance sd^2 (1 - rho^2) and, with balanced arms,
    the error 2 sd sqrt((1 - rho^2) / n), so that power is that of a noncentral t with n - 4 degrees of freedom (1,
    baseline, arm, factor). n = 200, sd 15, rho 0.7, 4 points: error 1.515, noncentrality 2.640.
    """
    size, count, effect = 200, 16_384, 4.0
    table = lists.slots(methods.big_stick((1, 1), 3), size)
    given = numbers(
        participants=np.int32(size), effect=np.array([2.0, effect]), stay=np.ones((2, 2)),
        reached=np.full((1, size), 2, np.int32), slot_limits=table.limits, slot_arms=table.arms, slot_after=table.after,
    )  # fmt: skip
    given = jax.tree.map(jnp.asarray, given)
    found = trial.trials(shape(most=size), given, jnp.uint32(1), jnp.uint32(0), count // 128, 128)
    se = 2.0 * 15.0 * np.sqrt((1.0 - 0.7**2) / size)
    bound = stats.t.ppf(0.975, size - 4)
    expected = stats.nct.sf(bound, size - 4, effect / se) + stats.nct.cdf(-bound, size - 4, effect / se)
    p = p_values(np.asarray(found.effect[0]), np.asarray(found.adjusted[0]), np.asarray(found.df[0]))
    assert bool(np.all(found.fitted))
    # 4 Monte Carlo errors, and 0.5 % for the covariates' own imbalance, which the closed form does not have
    assert np.mean(p < 0.05) == pytest.approx(
        expected, abs=4 * np.sqrt(expected * (1 - expected) / count) + 0.005
    )
    assert float(np.mean(found.effect)) == pytest.approx(effect, abs=4 * se / np.sqrt(count))
