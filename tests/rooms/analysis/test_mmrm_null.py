"""Where there is no difference, p-values are uniform: 10,000 made-up trials, at night."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from equipoise.analysis.mmrm import design as asking
from equipoise.analysis.mmrm import result, statistics
from equipoise.analysis.mmrm.method import fit
from equipoise.analysis.mmrm.structures import STRUCTURES
from equipoise.analysis.table import columns

TRIALS = 10_000
SIGMA = np.array([[1.0, 0.8, 0.6], [0.8, 1.5, 1.1], [0.6, 1.1, 2.0]])


def null_p_values(per_arm, drop_out, seed):
    """Two arms, three visits, unstructured, Kenward and Roger: p of the arms' difference at the last visit, and failures."""
    rng = np.random.default_rng(seed)
    n = 2 * per_arm
    last = np.where(np.arange(n) % per_arm < drop_out, 1 + np.arange(n) % 2, 3)
    i, v = np.nonzero(np.arange(3) < last[:, None])
    table = {
        "id": [str(each) for each in i],
        "visit": [f"V{each}" for each in v],
        "arm": ["AB"[each // per_arm] for each in i],
        "y": [0.0] * len(i),
    }
    design = asking.design(columns(table), asking.Question("y ~ 0 + visit + visit:arm", "id", "visit"))
    assert isinstance(design, asking.Design)
    row = np.array([float("V2" in term and "arm" in term) for term in design.terms])
    assert row.sum() == 1
    found, failed = [], 0
    for _ in range(TRIALS):
        y = rng.multivariate_normal(np.zeros(3), SIGMA, n)[i, v]
        made = replace(design, frame=replace(design.frame, y=y))
        data, scale = statistics.gather(made)
        optimum = fit(data, [STRUCTURES["us"]], reml=True)
        answer = result._carried(made, data, scale, optimum, df="kenward-roger", vcov="model", reml=True)
        if isinstance(answer, result.MmrmFit) and optimum.convergence.converged:
            found.append(answer.contrast(row).p)
        else:
            failed += 1
    return np.array(found), failed


@pytest.mark.nightly
@pytest.mark.parametrize(("per_arm", "drop_out"), [(10, 2), (43, 8)])
def test_p_values_are_uniform_where_there_is_nothing(per_arm, drop_out):
    """Kolmogorov and Smirnov at 0.001; type I error at 5 % within four Monte Carlo standard errors (0.0022 each)."""
    p, failed = null_p_values(per_arm, drop_out, seed=20260101 + per_arm)
    assert failed <= TRIALS // 1000
    assert stats.kstest(p, "uniform").pvalue > 0.001
    assert abs(np.mean(p < 0.05) - 0.05) < 4 * np.sqrt(0.05 * 0.95 / TRIALS)
