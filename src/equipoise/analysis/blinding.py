"""`fit_blinding`: did people guess their arm? Bang's index of each arm and James's of the trial, with intervals.

    Bang, arm i:  (correct - wrong) / n_i  in -1 … 1: 0 as if at random, 1 all unblinded, below 0 guessed the other
    James:        (1 + P_dk + (1 - P_dk) K) / 2 in 0 … 1: 1 all blinded (all say “don't know”), 0 all unblinded
                  K = (P_o - P_e) / P_e, the wrong guesses among guesses against those expected by chance

The rule that must stay true: “don't know” is an answer and counts in the denominator; a missing answer does not.
Errors are those of a multinomial (Bang in closed form, James by the delta method).
Sources: Bang, Ni and Davis 2004; James and others 1996.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from equipoise.analysis.estimate import LEVEL, as_json, quantile
from equipoise.analysis.groups import Groups, Sides, counted, load_groups
from equipoise.analysis.ops import Array
from equipoise.analysis.table import label, row_numbers
from equipoise.words.problem import Problem, problem


@dataclass(frozen=True, slots=True)
class Index:
    """A blinding index with its standard error and interval, within what the index can be."""

    arm: str
    estimate: float
    se: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class BlindingFit:
    """Bang's index by arm, and James's. counts: (arms, guesses), the guesses as `guesses` with “don't know” last."""

    bang: tuple[Index, ...]
    james: Index | None
    arms: tuple[str, ...]
    guesses: tuple[str, ...]
    counts: Array
    level: float

    def to_json(self) -> dict[str, Any]:
        """The whole answer as one JSON value."""
        value: dict[str, Any] = as_json(self)
        return value


def fit_blinding(
    data: Any,
    arm: str,
    guess: str,
    *,
    unknown: str,
    reference: str | None = None,
    frequency: str | None = None,
    level: float = LEVEL,
) -> BlindingFit | tuple[Problem, ...]:
    """Compare guesses with two arms, or say what is wrong.

    guess: a column that holds a name of an arm, or `unknown`, for instance “DK”.
    """
    needed = (guess, frequency) if frequency else (guess,)
    groups = load_groups(data, Sides(arm, reference), needed)
    if not isinstance(groups, Groups):
        return groups
    weight = counted(groups, frequency)
    if isinstance(weight, Problem):
        return (weight,)
    guesses = (*groups.arms, unknown)
    said = [label(value) for value in groups.values(guess)]
    strange = [row for row, text in zip(groups.rows, said, strict=True) if text not in guesses]
    if strange:
        value, rows = label(groups.table[guess][strange[0]]), row_numbers(strange)
        known = ", ".join(guesses)
        return (problem("analysis.strange-category", guess, rows=rows, value=value, known=known),)
    counts = np.zeros((2, 3))
    np.add.at(counts, (groups.arm, np.array([guesses.index(text) for text in said])), weight)
    if (counts.sum(axis=1) == 0.0).any():
        return (problem("analysis.no-comparison"),)
    bang = tuple(_bang(name, counts[at], at, level) for at, name in enumerate(groups.arms))
    return BlindingFit(bang, _james(counts, level), groups.arms, guesses, counts, level)


def _bang(arm: str, counts: Array, own: int, level: float) -> Index:
    n = counts.sum()
    right, wrong = counts[own] / n, counts[1 - own] / n
    index = float(right - wrong)
    return _index(arm, index, float(np.sqrt((right + wrong - index**2) / n)), (-1.0, 1.0), level)


def _james(counts: Array, level: float) -> Index | None:
    """None where nobody guessed in a way that chance could be wrong (P_e = 0)."""
    n = counts.sum()
    p = counts / n
    guessed = p[:, :2]
    share = guessed.sum()
    if share == 0.0:
        return Index("", 1.0, 0.0, 1.0, 1.0)
    rows, columns = guessed.sum(axis=1), guessed.sum(axis=0)
    wrong = guessed[0, 1] + guessed[1, 0]
    chance = rows[0] * columns[1] + rows[1] * columns[0]
    if chance == 0.0:
        return None
    # the index is (1 + p_dk + share (wrong share / chance - 1)) / 2 with wrong / share and chance / share^2 as parts
    index = 0.5 * (1.0 + (1.0 - share) + share * (wrong * share / chance - 1.0))
    slope = np.zeros((2, 3))
    for i in range(2):
        for j in range(2):
            by_chance = columns[1 - i] + rows[1 - j]
            by_wrong = 1.0 if i != j else 0.0
            slope[i, j] = (
                -1.0
                + by_wrong * share**2 / chance
                + 2.0 * wrong * share / chance
                - wrong * share**2 * by_chance / chance**2
            ) / 2.0 - 0.5
    # shares sum to one: a multinomial's variance
    variance = float((p * slope**2).sum() - (p * slope).sum() ** 2) / n
    return _index("", float(index), float(np.sqrt(max(variance, 0.0))), (0.0, 1.0), level)


def _index(arm: str, value: float, se: float, inside: tuple[float, float], level: float) -> Index:
    half = quantile(level) * se
    return Index(arm, value, se, max(value - half, inside[0]), min(value + half, inside[1]))
