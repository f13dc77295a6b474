"""From a design to pattern statistics, in a scale where nothing is large or small, and the checks before a fit.

The rule that must stay true: what the data cannot answer is a Problem before the first step, with the columns,
visits or participants that cause it. The scale: the design is made orthonormal (times the square root of N), the
response is what ordinary least squares leaves of it, divided by its standard deviation; the answer is carried back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy import linalg

from equipoise.analysis.mmrm.design import Design
from equipoise.analysis.mmrm.steps import Statistics
from equipoise.analysis.mmrm.structures import Structure
from equipoise.analysis.ops import Array
from equipoise.analysis.rank import check_columns
from equipoise.words.problem import Problem, problem

Pattern: TypeAlias = "tuple[int, tuple[int, ...]]"
"""Group, and the visits that were seen."""
MANY = 100
"""Subjects of one pattern above which fewer rows stand for them; below, finding those rows costs more than it saves."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How to carry an answer back: beta = start + scale * turn @ beta_scaled. logs: sum of log weights.

    back: (p, p) upper triangular, the inverse of turn.
    """

    start: Array
    turn: Array
    back: Array
    scale: float
    rows: int
    logs: float = 0.0


def check(design: Design, structures: Sequence[Structure]) -> tuple[Problem, ...]:
    """What the data cannot answer: too few visits or rows, columns that say the same, visits never seen together."""
    visits, rows, width = len(design.visits), len(design.y), design.x.shape[1]
    if visits < 2:
        return (problem("analysis.one-visit", visit=design.visits[0]),)
    subjects = len(np.unique(design.subject))
    smallest = min(its.parameters(visits) for its in structures) * len(design.groups)
    if rows <= width or subjects < 3 or rows < width + smallest:
        return (problem("analysis.too-few-rows", rows=rows, subjects=subjects, parameters=width + smallest),)
    return (
        check_columns(design.x, design.terms, design.frame.nobody)
        or _residuals(design)
        or _pairs(design, structures)
    )


def _residuals(design: Design) -> tuple[Problem, ...]:
    """A response that the covariates reproduce exactly, at all or at one visit, leaves no variance to estimate."""
    q, _ = np.linalg.qr(design.x)
    left = design.y - q @ (q.T @ design.y)
    size = max(1e-9 * np.linalg.norm(design.y - design.y.mean()), 1e-13 * np.linalg.norm(design.y))
    exact = [
        name for at, name in enumerate(design.visits) if np.linalg.norm(left[design.visit == at]) <= size
    ]
    return (problem("analysis.no-variance", visits=", ".join(exact)),) if exact else ()


def _pairs(design: Design, structures: Sequence[Structure]) -> tuple[Problem, ...]:
    """Pairs of visits at which no participant was seen together, where every structure needs each pair."""
    if any(its.shape != "us" for its in structures):
        return ()
    found = []
    for group, name in enumerate(design.groups):
        mine = design.group == group
        seen = np.zeros((int(design.subject.max()) + 1, len(design.visits)))
        seen[design.subject[mine], design.visit[mine]] = 1.0
        together = seen.T @ seen
        for a, b in zip(*np.triu_indices(len(design.visits)), strict=True):
            if together[a, b] < (2 if a == b else 1):
                found.append(
                    problem("analysis.pair-unseen", name, first=design.visits[a], second=design.visits[b])
                )
    return tuple(found[:10])


def gather(design: Design) -> tuple[Statistics, Scale]:
    """Pattern statistics of the scaled data, and the way back. The cost here is the only one that grows with n."""
    joined, scale = _scaled(design)
    patterns = design.patterns()
    few = {key: _few(_flat(joined, rows)) for key, rows in patterns.items()}
    return _stacked(design, few, {key: len(rows) for key, rows in patterns.items()}), scale


def gather_without(design: Design) -> tuple[Statistics, Scale, Callable[[int], Statistics]]:
    """What `gather` gives, and the statistics without one subject (a place), in one scale, at a cost free of n."""
    joined, scale = _scaled(design)
    patterns = design.patterns()
    whole = {key: _flat(joined, rows) for key, rows in patterns.items()}
    few = {key: _few(rows) for key, rows in whole.items()}
    counts = {key: len(rows) for key, rows in whole.items()}
    sums = {key: rows.T @ rows for key, rows in whole.items() if len(rows) > MANY}
    where = {
        int(design.subject[rows[0]]): (key, place)
        for key, its in patterns.items()
        for place, rows in enumerate(its)
    }
    data = _stacked(design, few, counts)

    def without(subject: int) -> Statistics:
        if subject not in where:
            return data
        key, place = where[subject]
        left = {name: rows for name, rows in few.items() if name != key or counts[name] > 1}
        if key in sums:
            left[key] = _root(sums[key] - np.outer(whole[key][place], whole[key][place]))
        elif key in left:
            left[key] = np.delete(whole[key], place, axis=0)
        return _stacked(design, left, {**counts, key: counts[key] - 1})

    return data, scale, without


def _scaled(design: Design) -> tuple[Array, Scale]:
    """(N, p + 1) design and response in the scale of the search, and the way back."""
    rows, weight = len(design.y), np.sqrt(design.weights)
    x, y = design.x * weight[:, None], design.y * weight
    q, r = np.linalg.qr(x)
    start = np.linalg.solve(r, q.T @ y)
    left = y - x @ start
    scale = float(np.sqrt(np.mean(left**2)))
    root = np.sqrt(rows)
    turn = np.linalg.solve(r, np.eye(len(r))) * root
    return np.column_stack([q * root, left / scale]), Scale(
        start, turn, r / root, scale, rows, float(np.sum(np.log(design.weights)))
    )


def _flat(joined: Array, rows: Sequence[Sequence[int]]) -> Array:
    """(subjects, visits times columns): a row for each subject of a pattern."""
    return np.asarray(joined[np.array(rows)].reshape(len(rows), -1), np.float64)


def _stacked(design: Design, few: Mapping[Pattern, Array], counts: Mapping[Pattern, int]) -> Statistics:
    keys = list(few)
    visits, width = len(design.visits), design.x.shape[1] + 1
    seen = np.zeros((len(keys), visits))
    kept: list[Array] = []
    pattern: list[int] = []
    for place, key in enumerate(keys):
        at = list(key[1])
        block = np.zeros((len(few[key]), visits, width))
        block[:, at] = few[key].reshape(len(few[key]), len(at), width)
        kept.append(block)
        pattern += [place] * len(block)
        seen[place, at] = 1.0
    return Statistics(
        np.array([float(counts[key]) for key in keys]),
        seen,
        tuple(key[0] for key in keys),
        np.concatenate(kept),
        tuple(pattern),
        len(design.groups),
    )


def _root(sums: Array) -> Array:
    """Rows with these sums of products. Source: the spectral theorem."""
    sizes, turn = np.linalg.eigh(sums)
    kept = sizes > 1e-14 * sizes[-1]
    return np.asarray(np.sqrt(sizes[kept])[:, None] * turn[:, kept].T, np.float64)


def _few(rows: Array) -> Array:
    """Fewest rows with the same sums of products.

    Where covariates do not change within a subject, their number is that of distinct covariates and visits, however
    many subjects and coefficients there are.
    """
    if len(rows) <= MANY:
        return rows
    triangle, order = linalg.qr(rows, mode="r", pivoting=True, check_finite=False)
    sizes = np.abs(np.diagonal(triangle))
    few = np.zeros((int(np.sum(sizes > 1e-14 * sizes[0])), rows.shape[1]))
    few[:, order] = triangle[: len(few)]
    return few
