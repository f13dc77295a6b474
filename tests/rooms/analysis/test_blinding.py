"""Blinding indices and utility weights: published examples, what the numbers mean, and what has no answer.

Sources: R package BI 1.2.0 as its results are printed in the page of BlindingIndex.jl (48, 4, 330 of the treated and
22, 30, 319 of the others guessed treatment, placebo, or did not know); the definitions of Bang, Ni and Davis 2004.
"""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.analysis import BlindingFit, derive_utility, fit_blinding, load_utilities
from equipoise.words.problem import Problem
from rooms.analysis.reference_cases import told


def fitted(treated, others, **options) -> BlindingFit:
    table = {
        "arm": ["T"] * 3 + ["P"] * 3,
        "guess": ["T", "P", "DK"] * 2,
        "n": [*treated, *others],
    }
    found = fit_blinding(table, "arm", "guess", unknown="DK", reference="P", frequency="n", **options)
    assert isinstance(found, BlindingFit), [its.say() for its in found]
    return found


def test_as_the_package_bi_prints_it():
    found = fitted([48, 4, 330], [22, 30, 319])
    bang = {its.arm: its for its in found.bang}
    for its, printed in (
        (bang["T"], (0.115, 0.018, 0.080, 0.150)),
        (bang["P"], (0.022, 0.019, -0.016, 0.060)),
        (found.james, (0.896, 0.011, 0.875, 0.918)),
    ):
        assert its is not None
        np.testing.assert_allclose([its.estimate, its.se, its.low, its.high], printed, atol=5e-4)


def test_what_the_ends_of_the_indices_mean():
    """Bang: 1 all right, -1 all wrong, 0 half. James: 1 nobody knows, 0 everybody right, 1/2 as by chance."""
    right, wrong, half, nobody = (
        fitted(*its)
        for its in (
            ([20, 0, 0], [0, 20, 0]),
            ([0, 20, 0], [20, 0, 0]),
            ([10, 10, 0], [10, 10, 0]),
            ([0, 0, 20], [0, 0, 20]),
        )
    )
    assert [its.estimate for its in right.bang] == [1.0, 1.0]
    assert [its.estimate for its in wrong.bang] == [-1.0, -1.0]
    assert [its.estimate for its in half.bang] == [0.0, 0.0]
    assert [its.james.estimate for its in (right, half, nobody) if its.james] == pytest.approx(
        [0.0, 0.5, 1.0]
    )
    assert fitted([9, 0, 3], [9, 0, 3]).james is not None
    assert fitted([9, 0, 0], [9, 0, 0]).james is not None


def test_an_error_by_the_delta_method_is_that_of_many_trials():
    """Standard deviations of both indices over 20,000 trials drawn from the same shares; Monte Carlo error 0.5 %."""
    rng = np.random.default_rng(7)
    shares = np.array([30, 15, 25, 18, 22, 40]) / 150
    found = fitted([30, 15, 25], [18, 22, 40])
    draws = rng.multinomial(150, shares, 20_000).reshape(-1, 2, 3)
    values = []
    for its in draws[:4000]:
        again = fitted(its[0].tolist(), its[1].tolist())
        values.append(again.james.estimate if again.james else np.nan)
    assert found.james is not None
    assert found.james.se == pytest.approx(np.nanstd(values), rel=0.05)
    treated = draws[:, 0]
    bang = (treated[:, 0] - treated[:, 1]) / treated.sum(axis=1)
    mine = next(its for its in found.bang if its.arm == "T")
    assert mine.se == pytest.approx(bang.std(), rel=0.05)


def test_faults():
    table = {"arm": ["T", "P"], "guess": ["T", "maybe"]}
    assert told(fit_blinding(table, "arm", "guess", unknown="DK")) == {("strange-category", "guess")}
    assert told(fit_blinding(table | {"arm": ["T", "T"]}, "arm", "guess", unknown="DK")) == {
        ("constant", "arm")
    }
    assert told(fit_blinding(table, "arm", "said", unknown="DK")) == {("no-column", "said")}


def test_utility_weights_of_the_mrs_are_the_published_ones():
    """Chaisinanunkul and others 2015: 1.0, 0.91, 0.76, 0.65, 0.33, 0, 0 for grades 0 to 6."""
    found = load_utilities("mrs")
    assert [found.weights[str(grade)] for grade in range(7)] == [1.0, 0.91, 0.76, 0.65, 0.33, 0.0, 0.0]
    assert "Stroke 2015" in found.source
    values = derive_utility([0, "3", None, 6.0], found)
    np.testing.assert_array_equal(values, [1.0, 0.65, np.nan, 0.0])


def test_a_grade_without_a_weight_is_named():
    found = derive_utility([0, 7], load_utilities("mrs"), column="mRS")
    assert isinstance(found, Problem)
    assert (found.rule, found.where, found.arguments["rows"]) == ("analysis.strange-category", "mRS", "2")
