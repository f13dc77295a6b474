"""Whether a maximum exists at all: directions in which a likelihood rises for ever.

The rule that must stay true: complete and quasi-complete separation is found by a linear programme, not guessed from
large numbers. A logistic, cumulative or partial likelihood is a product of distribution functions of linear forms
a_i @ beta; it has no maximum exactly when some direction d has a_i @ d >= 0 for all i and > 0 for one.
Sources: Albert and Anderson 1984; Konis 2007.
"""

from __future__ import annotations

import numpy as np

from equipoise.analysis.ops import Array

SUSPECT = 12.0
"""A linear predictor of this size on the logit scale (odds of 1 to 160,000) is a reason to look."""


def rising(forms: Array) -> Array | None:
    """A direction (k,) in which no form falls and one rises, or None. forms: (m, k) the rows a_i."""
    from scipy import optimize

    forms = np.unique(forms, axis=0)
    size = np.abs(forms).max(axis=0)
    size[size == 0.0] = 1.0
    scaled = forms / size
    found = optimize.linprog(
        -scaled.sum(axis=0),
        A_ub=np.vstack([-scaled, scaled]),
        b_ub=np.concatenate([np.zeros(len(forms)), np.ones(len(forms))]),
        bounds=(None, None),
        method="highs",
    )
    if found.x is None or -found.fun < 1e-6:
        return None
    return np.asarray(found.x / size, np.float64)


def moved(direction: Array, terms: tuple[str, ...], sizes: Array) -> tuple[str, ...]:
    """The terms that a direction changes; sizes: (k,) of the columns."""
    moves = np.abs(direction) * sizes
    return tuple(term for term, its in zip(terms, moves, strict=True) if its > 1e-6 * moves.max())
