"""The cumulative logits on both back ends: one trial and a stack of trials give the same numbers."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from equipoise.analysis.ops import NUMPY
from equipoise.analysis.ordinal import steps
from equipoise.analysis.ordinal.steps import Cumulative
from equipoise.simulation.batch.ops import JAX


def trials(count: int) -> tuple[Cumulative, np.ndarray]:
    """So many trials of 40 in four categories, one covariate with a coefficient at every cut and two without."""
    rng = np.random.default_rng(count)
    w = np.concatenate([np.ones((count, 40, 1)), rng.normal(size=(count, 40, 1))], axis=-1)
    category = rng.integers(0, 4, size=(count, 40)).astype(np.float64)
    data = Cumulative(category, w, rng.normal(size=(count, 40, 2)), rng.integers(0, 3, (count, 40)) * 1.0, 3)
    theta = np.tile([-1.0, 0.1, 0.0, -0.1, 1.5, 0.2, 0.4, -0.3], (count, 1))
    return data, theta + 0.05 * rng.normal(size=theta.shape)


@pytest.mark.parametrize("expected", [False, True])
def test_a_step_of_cumulative_logits_is_the_same(expected):
    data, theta = trials(5)

    def on_jax(at):
        found = steps.evaluate(JAX, data, at, expected=expected)
        return found.loglik, found.score, found.information

    one = steps.evaluate(NUMPY, data, theta, expected=expected)
    expectations = [np.asarray(its) for its in (one.loglik, one.score, one.information)]
    for mine, theirs in zip(jax.jit(on_jax)(theta), expectations, strict=True):
        assert mine.dtype == np.float64
        np.testing.assert_allclose(mine, theirs, rtol=1e-11, atol=1e-11)


def test_jax_finds_the_same_score_by_itself():
    """Automatic differentiation of the log-likelihood against the score and the information that are written out."""
    data, theta = trials(1)

    def loglik(at):
        return steps.evaluate(JAX, data, at[None]).loglik[0]

    here = steps.evaluate(NUMPY, data, theta)
    np.testing.assert_allclose(jax.jit(jax.grad(loglik))(theta[0]), here.score[0], rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(
        -jax.jit(jax.hessian(loglik))(theta[0]), here.information[0], rtol=1e-9, atol=1e-9
    )
