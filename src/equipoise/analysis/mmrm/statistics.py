"""From a design to pattern statistics, in a scale where nothing is large or small, and the checks before a fit.

The rule that must stay true: what the data cannot answer is a Problem before the first step, with the columns,
visits or participants that cause it. The scale: the design is made orthonormal (times the square root of N), the
response is what ordinary least squares leaves of it, divided by its standard deviation; the answer is carried back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from equipoise.analysis.mmrm.design import Design
from equipoise.analysis.mmrm.steps import Statistics
from equipoise.analysis.mmrm.structures import Structure
from equipoise.analysis.ops import Array
from equipoise.analysis.rank import check_columns
from equipoise.words.problem import Problem, problem

MANY = 100
"""Subjects of one pattern above which fewer rows stand for them; below, finding those rows costs more than it saves."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How to carry an answer back: beta = start + scale * turn @ beta_scaled. logs: sum of log weights."""

    start: Array
    turn: Array
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
    return check_columns(design.x, design.terms) or _residuals(design) or _pairs(design, structures)


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
    rows, weight = len(design.y), np.sqrt(design.weights)
    x, y = design.x * weight[:, None], design.y * weight
    q, r = np.linalg.qr(x)
    start = np.linalg.solve(r, q.T @ y)
    left = y - x @ start
    scale = float(np.sqrt(np.mean(left**2)))
    root = np.sqrt(rows)
    joined = np.column_stack([q * root, left / scale])
    turn = np.linalg.solve(r, np.eye(len(r))) * root
    patterns = design.patterns()
    keys = list(patterns)
    visits, width = len(design.visits), joined.shape[1]
    seen = np.zeros((len(keys), visits))
    kept: list[Array] = []
    pattern: list[int] = []
    for place, key in enumerate(keys):
        at = list(key[1])
        few = _few(joined[np.array(patterns[key])].reshape(len(patterns[key]), -1))
        block = np.zeros((len(few), visits, width))
        block[:, at] = few.reshape(len(few), len(at), width)
        kept.append(block)
        pattern += [place] * len(few)
        seen[place, at] = 1.0
    counts = np.array([float(len(patterns[key])) for key in keys])
    group = tuple(key[0] for key in keys)
    data = Statistics(counts, seen, group, np.concatenate(kept), tuple(pattern), len(design.groups))
    return data, Scale(start, turn, scale, rows, float(np.sum(np.log(design.weights))))


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
