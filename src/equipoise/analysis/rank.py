"""Which columns of a design say something of their own: the check before every fit.

The rule that must stay true: a column that others add up to, or that holds nothing, is named before the first step;
no fit drops one silently.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from equipoise.analysis.ops import Array
from equipoise.words.problem import Problem, problem

RANK = 1e-9
"""A column is a combination of others when its distance from them is below this part of its length."""


def check_columns(x: Array, terms: Sequence[str], nobody: Sequence[Problem] = ()) -> tuple[Problem, ...]:
    """Columns of zeros (an empty cell) and columns that others add up to, by Gram and Schmidt in their order.

    nobody: combinations that no row has (`Frame.nobody`): they are told in place of the columns that lack them.
    """
    found = list[Problem]()
    basis = np.zeros((len(x), 0))
    used: list[int] = []
    for at, (term, column) in enumerate(zip(terms, x.T, strict=True)):
        length = float(np.linalg.norm(column))
        if length == 0.0:
            found.append(problem("analysis.empty-cell", term))
            continue
        left = column / length
        left = left - basis @ (basis.T @ left)
        left = left - basis @ (basis.T @ left)
        if np.linalg.norm(left) < RANK:
            parts = np.linalg.lstsq(x[:, used], column)[0]
            sizes = np.abs(parts) * np.linalg.norm(x[:, used], axis=0)
            others = [terms[of] for of, size in zip(used, sizes, strict=True) if size > 1e-6 * length]
            found.append(
                problem("analysis.constant", term, level=f"{column[0]:g}")
                if others == ["Intercept"]
                else problem("analysis.collinear", term, others=", ".join(others))
            )
            continue
        basis = np.column_stack([basis, left / np.linalg.norm(left)])
        used.append(at)
    if found and nobody:
        return (*nobody, *(one for one in found if ":" not in one.where))
    return tuple(found)
