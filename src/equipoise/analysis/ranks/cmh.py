"""`fit_cmh`: the three Cochran–Mantel–Haenszel statistics of arms × ordered categories by stratum.

With n_ij of a stratum of n, given its margins: E n_ij = n_i n_j / n, and
cov(n_ij, n_kl) = n_i (d_ik n - n_k) n_j (d_jl n - n_l) / (n^2 (n - 1)). The statistics sum over strata:

    general      all cells, less one row and one column
    row means    the mean score of each arm, less one arm
    correlation  scores of arms by scores of categories

The rule that must stay true: a stratum with one participant adds nothing, as in PROC FREQ and mantelhaen.test.
Sources: Landis, Heyman and Koch 1978; Mantel 1963.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from equipoise.analysis.estimate import ChiSquare, as_json, chi_square
from equipoise.analysis.formula import ordered
from equipoise.analysis.groups import Groups, Sides, counted, load_groups
from equipoise.analysis.ops import Array
from equipoise.analysis.table import label, numeric, row_numbers
from equipoise.words.problem import Problem, problem

SCORES = ("table", "rank", "modridit")


@dataclass(frozen=True, slots=True)
class CmhFit:
    """The three tests. counts: (strata, arms, categories)."""

    general: ChiSquare
    row_means: ChiSquare
    correlation: ChiSquare
    scores: str
    arms: tuple[str, ...]
    categories: tuple[str, ...]
    strata: tuple[str, ...]
    counts: Array

    def to_json(self) -> dict[str, Any]:
        """The whole answer as one JSON value."""
        as_value: dict[str, Any] = as_json(self)
        return as_value


def fit_cmh(
    data: Any,
    response: str,
    arm: str,
    *,
    strata: Sequence[str] = (),
    reference: str | None = None,
    categories: Sequence[str] | None = None,
    scores: str = "table",
    frequency: str | None = None,
) -> CmhFit | tuple[Problem, ...]:
    """Test association of arm and response by stratum, or say what is wrong.

    scores: `table` (a category's own number, else its place), `rank` (midranks in the stratum), or `modridit`
    (midranks over n + 1, van Elteren's).
    """
    if scores not in SCORES:
        return (problem("analysis.scores", scores, known=", ".join(SCORES)),)
    needed = (response, frequency) if frequency else (response,)
    groups = load_groups(data, Sides(arm, reference, tuple(strata)), needed, arms=None)
    if not isinstance(groups, Groups):
        return groups
    weight = counted(groups, frequency)
    if isinstance(weight, Problem):
        return (weight,)
    labels = [label(value) for value in groups.values(response)]
    order = _order(labels, response, groups, categories)
    if isinstance(order, Problem):
        return (order,)
    place = {text: at for at, text in enumerate(order)}
    counts = np.zeros((len(groups.strata), len(groups.arms), len(order)))
    at = np.array([place[text] for text in labels])
    np.add.at(counts, (groups.stratum, groups.arm, at), weight)
    kept = counts.sum(axis=(0, 1)) > 0
    order, counts = tuple(text for text, its in zip(order, kept, strict=True) if its), counts[:, :, kept]
    if len(order) < 2:
        return (problem("analysis.one-category", response, value="".join(order)),)
    tests = statistics(counts, _scored(counts, order, scores))
    if isinstance(tests, Problem):
        return (tests,)
    return CmhFit(*tests, scores, groups.arms, order, groups.strata, counts)


def _order(
    labels: Sequence[str], response: str, groups: Groups, wanted: Sequence[str] | None
) -> tuple[str, ...] | Problem:
    if wanted is None:
        some = [numeric(text) for text in labels]
        strange = [row for row, its in zip(groups.rows, some, strict=True) if not its] if any(some) else []
        if strange:
            value = label(groups.table[response][strange[0]])
            return problem("analysis.text", response, rows=row_numbers(strange), value=value)
        return ordered(labels)
    strange = [row for row, text in zip(groups.rows, labels, strict=True) if text not in wanted]
    if strange:
        rows, value = row_numbers(strange), label(groups.table[response][strange[0]])
        return problem("analysis.strange-category", response, rows=rows, value=value, known=", ".join(wanted))
    return tuple(wanted)


def _scored(counts: Array, order: Sequence[str], scores: str) -> Array:
    """(strata, categories) the scores."""
    if scores == "table":
        own = all(numeric(text) for text in order)
        values = [float(text) for text in order] if own else range(1, len(order) + 1)
        return np.tile(np.array(list(values), np.float64), (len(counts), 1))
    column = counts.sum(axis=1)
    midranks = np.cumsum(column, axis=1) - column / 2.0 + 0.5
    if scores == "modridit":
        midranks = midranks / (column.sum(axis=1, keepdims=True) + 1.0)
    return np.asarray(midranks, np.float64)


def statistics(counts: Array, scores: Array) -> tuple[ChiSquare, ChiSquare, ChiSquare] | Problem:
    """General association, row means and correlation of counts (strata, arms, categories) with scores (strata, …)."""
    arms, width = counts.shape[1:]
    by_arm = np.arange(1.0, arms + 1)
    less = np.eye(arms)[:-1]
    sums = [np.zeros((arms - 1) * (width - 1)), np.zeros(arms - 1), np.zeros(1)]
    spreads = [np.zeros((len(its), len(its))) for its in sums]
    for table, score in zip(counts, scores, strict=True):
        total = table.sum()
        if total < 2:
            continue
        rows, columns = table.sum(axis=1), table.sum(axis=0)
        left = (table - np.outer(rows, columns) / total).ravel()
        spread = np.kron(_margin(rows, total), _margin(columns, total)) / (total**2 * (total - 1))
        maps = (np.kron(less, np.eye(width)[:-1]), np.kron(less, score), np.kron(by_arm, score)[None])
        for at, its in enumerate(maps):
            sums[at] += its @ left
            spreads[at] += its @ spread @ its.T
    tests = [_test(value, spread) for value, spread in zip(sums, spreads, strict=True)]
    if any(its.df == 0 for its in tests):
        return problem("analysis.no-comparison")
    return tests[0], tests[1], tests[2]


def _margin(counts: Array, total: float) -> Array:
    return np.asarray(total * np.diag(counts) - np.outer(counts, counts), np.float64)


def _test(value: Array, spread: Array) -> ChiSquare:
    """The quadratic form on the directions that have a variance, their number as degrees of freedom."""
    values, vectors = np.linalg.eigh(spread)
    kept = values > 1e-10 * max(values.max(), 1e-300)
    if values.max() <= 0.0:
        return ChiSquare(0.0, 0, 1.0)
    along = vectors.T[kept] @ value
    return chi_square(float(np.sum(along**2 / values[kept])), int(kept.sum()))
