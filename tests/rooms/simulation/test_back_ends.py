"""The analysis room's step functions on both back ends: the same numbers, whatever compiles them."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from equipoise.analysis.mmrm import steps
from equipoise.analysis.ops import NUMPY
from equipoise.simulation.batch.ops import JAX


def trial(groups: int, seed: int) -> steps.Statistics:
    """Three patterns of four visits, seven coefficients, rows with zeros where unseen."""
    rng = np.random.default_rng(seed)
    seen = np.array([[1, 1, 1, 1], [1, 1, 1, 0], [1, 0, 1, 1]] * groups, np.float64)
    pattern = tuple(k for k in range(len(seen)) for _ in range(12))
    rows = rng.normal(size=(len(pattern), 4, 8)) * seen[list(pattern)][:, :, None]
    group = tuple(k // 3 for k in range(len(seen)))
    return steps.Statistics(np.full(len(seen), 12.0), seen, group, rows, pattern, groups)


def answers(ops, data, sigma, reml):
    """Everything that a step works out, as arrays."""
    half = ops.cholesky(sigma)
    at = steps.evaluate(ops, data, half, reml=reml)
    curve = steps.curvature(ops, data, at, reml=reml)
    size = len(curve.score)
    moment = steps.second_moment(ops, data, at, ops.xp.eye(size) * 0.1)
    moved = ops.fori(3, lambda before: steps.em_step(ops, data, before, reml=reml), half)
    return at.minus2, at.beta, at.root, curve.score, curve.average, curve.observed, curve.p, moment, moved


@pytest.mark.parametrize(
    ("groups", "reml", "compiled"), [(1, True, True), (2, True, True), (2, False, True), (1, True, False)]
)
def test_a_step_gives_the_same_on_both_back_ends(groups, reml, compiled):
    data = trial(groups, 7)
    sigma = np.stack([0.5 + 0.5 * np.eye(4) + 0.1 * k * np.eye(4) for k in range(groups)])
    expected = answers(NUMPY, data, sigma, reml)

    def on_jax(at):
        return answers(JAX, data, at, reml)

    found = (jax.jit(on_jax) if compiled else on_jax)(sigma)
    for mine, theirs in zip(found, expected, strict=True):
        assert mine.dtype == np.float64
        np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-10 * np.max(np.abs(theirs)))


def test_what_has_no_factor_is_nan_on_both():
    flat = np.ones((1, 3, 3))
    assert np.isnan(NUMPY.cholesky(flat - 2 * np.eye(3))).all()
    assert np.isnan(np.asarray(JAX.cholesky(flat - 2 * np.eye(3)))).any()
