"""Utility weights: grades of an ordinal scale as numbers with a source, so that their mean means something.

The rule that must stay true: weights are data with a source, never numbers in the program; a grade without a weight
is a Problem. The weighted values are then analysed like any number (`fit_ancova`, `fit_van_elteren`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from equipoise.analysis.ops import Array
from equipoise.analysis.table import Value, label, row_numbers
from equipoise.words.problem import Problem, problem
from equipoise.words.yaml_text import yaml_values


@dataclass(frozen=True, slots=True)
class Utilities:
    """What each grade is worth. source: where the weights were published."""

    name: str
    source: str
    weights: Mapping[str, float]


def load_utilities(scale: str = "mrs") -> Utilities:
    """The weights that come with the program, by the scale's name. Raises FileNotFoundError for another."""
    read = yaml_values(files(__name__).joinpath(f"{scale}.yaml").read_text("utf-8"))
    weights = {str(grade): float(weight) for grade, weight in read["weights"].items()}
    return Utilities(str(read["name"]), str(read["source"]), weights)


def derive_utility(values: Sequence[Value], utilities: Utilities, *, column: str = "") -> Array | Problem:
    """(N,) the weights of grades, NaN where one is missing; a grade without a weight is a Problem with its rows."""
    strange = [
        row for row, value in enumerate(values) if value is not None and label(value) not in utilities.weights
    ]
    if strange:
        rows, value, known = row_numbers(strange), label(values[strange[0]]), ", ".join(utilities.weights)
        return problem("analysis.strange-category", column, rows=rows, value=value, known=known)
    found = [np.nan if value is None else utilities.weights[label(value)] for value in values]
    return np.array(found, np.float64)
