"""Least-squares means and their differences, for every answer that can test a row of its coefficients.

The rule that must stay true: what is averaged, and how, is said here alone; an answer brings its design and its test.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from equipoise.analysis.estimate import Estimate, Marginal
from equipoise.analysis.formula import Frame, cells, mean_rows
from equipoise.analysis.ops import Array

Contrast = Callable[[Array], Estimate]
"""(p,) row -> the estimate and test of row @ beta."""


def lsmeans(made: Frame, contrast: Contrast, by: Sequence[str]) -> tuple[Marginal, ...]:
    """Least-squares means of every combination of levels of the factors `by`."""
    wanted = cells(made.levels, by)
    rows = mean_rows(made, wanted)
    return tuple(Marginal(levels, contrast(row)) for levels, row in zip(wanted, rows, strict=True))


def differences(made: Frame, contrast: Contrast, factor: str, by: Sequence[str]) -> tuple[Marginal, ...]:
    """Each level of `factor` minus its reference, within every combination of the factors `by`."""
    reference, *others = made.levels[factor]
    wanted = [(cell, other) for other in others for cell in cells(made.levels, by)]
    if not wanted:
        return ()
    upper = mean_rows(made, [{**cell, factor: other} for cell, other in wanted])
    lower = mean_rows(made, [{**cell, factor: reference} for cell, _ in wanted])
    return tuple(
        Marginal({**cell, factor: f"{other} - {reference}"}, contrast(row))
        for (cell, other), row in zip(wanted, upper - lower, strict=True)
    )
