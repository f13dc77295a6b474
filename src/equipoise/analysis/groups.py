"""Participants by arm and stratum: the front of every analysis that compares arms without a formula.

The rule that must stay true: a row takes part when arm, strata and everything that is asked of it are there; an arm
that is left without anybody is a Problem, not a smaller comparison.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from equipoise.analysis.formula import complete, ordered
from equipoise.analysis.ops import Array, Indices, Mask
from equipoise.analysis.table import Table, Value, columns, label, numeric, row_numbers
from equipoise.words.problem import Problem, problem


@dataclass(frozen=True, slots=True)
class Groups:
    """The rows that take part, each with the index of its arm (reference 0) and of its stratum.

    table: all rows; rows: the places in it of those that take part.
    """

    table: Mapping[str, Sequence[Value]]
    rows: tuple[int, ...]
    arm: Indices
    arms: tuple[str, ...]
    stratum: Indices
    strata: tuple[str, ...]

    @property
    def active(self) -> Mask:
        """(N,) whether a row is of the second arm."""
        return np.asarray(self.arm == 1)

    def values(self, name: str) -> list[Value]:
        """A column of the rows that take part."""
        return [self.table[name][row] for row in self.rows]


@dataclass(frozen=True, slots=True)
class Sides:
    """Which column says the arm, which level is the reference (the first where not told), which columns the stratum."""

    arm: str
    reference: str | None = None
    strata: tuple[str, ...] = ()


def load_groups(
    data: Any, sides: Sides, needed: Sequence[str], *, arms: int | None = 2, known: Sequence[str] = ()
) -> Groups | tuple[Problem, ...]:
    """The rows by arm and stratum.

    needed: columns without which a row does not take part; known: further columns that must exist. arms: how many
    there have to be; two or more where None, any number where 0.
    """
    table = columns(data)
    if isinstance(table, Problem):
        return (table,)
    roles = (sides.arm, *sides.strata)
    if absent := [name for name in dict.fromkeys((*roles, *needed, *known)) if name not in table]:
        return tuple(problem("analysis.no-column", name, known=", ".join(table)) for name in absent)
    rows = complete(table, (*roles, *needed))
    if not rows:
        return (problem("analysis.no-rows"),)
    return _grouped(table, sides, rows, arms)


def _grouped(
    table: Table, sides: Sides, rows: Sequence[int], arms: int | None
) -> Groups | tuple[Problem, ...]:
    labels = [label(table[sides.arm][row]) for row in rows]
    order = ordered(labels)
    if sides.reference is not None:
        if sides.reference not in order:
            known = ", ".join(order[:20])
            return (problem("analysis.no-level", sides.arm, level=sides.reference, known=known),)
        order = ordered(labels, sides.reference)
    if len(order) == 1 and arms != 0:
        lost = [r for r, its in enumerate(table[sides.arm]) if its is not None and label(its) != order[0]]
        lacking = problem("analysis.one-level", sides.arm, level=order[0], rows=row_numbers(lost))
        return (lacking if lost else problem("analysis.constant", sides.arm, level=order[0]),)
    if arms and len(order) != arms:
        return (problem("analysis.arms", sides.arm, number=arms, known=", ".join(order[:20])),)
    joined = [" / ".join(label(table[name][row]) for name in sides.strata) for row in rows]
    strata = ordered(joined)
    return Groups(table, tuple(rows), _places(labels, order), order, _places(joined, strata), strata)


def _places(labels: Sequence[str], order: Sequence[str]) -> Indices:
    place = {text: at for at, text in enumerate(order)}
    return np.array([place[text] for text in labels], np.intp)


def numbers(groups: Groups, name: str) -> Array | Problem:
    """(N,) a column of finite numbers, NaN where it is missing; text or infinity in it is a Problem with its rows."""
    return finite(name, groups.values(name), groups.rows)


def finite(name: str, values: Sequence[Value], rows: Sequence[int]) -> Array | Problem:
    """(N,) values as finite numbers, NaN where missing; a Problem that names the rows of what is none."""
    pairs = list(zip(rows, values, strict=True))
    texts = [(row, value) for row, value in pairs if isinstance(value, str)]
    # one entry of a file that is no number leaves its whole column as text: that one is the fault
    if texts := [(row, value) for row, value in texts if not numeric(value)] or texts:
        shown = row_numbers([row for row, _ in texts])
        return problem("analysis.text", name, rows=shown, value=texts[0][1])
    if endless := [row for row, value in pairs if isinstance(value, float) and math.isinf(value)]:
        return problem("analysis.infinite", name, rows=row_numbers(endless))
    return np.array([np.nan if value is None else value for value in values], np.float64)


def zero_or_one(name: str, values: Sequence[Value], rows: Sequence[int]) -> Array | Problem:
    """(N,) values that are 0 or 1; a Problem that names the rows of what is neither."""
    found = finite(name, values, rows)
    if isinstance(found, Problem):
        return found
    wrong = [row for row, value in zip(rows, found, strict=True) if value not in (0.0, 1.0)]
    return problem("analysis.zero-or-one", name, rows=row_numbers(wrong)) if wrong else found


def counted(groups: Groups, name: str | None) -> Array | Problem:
    """(N,) how often each row stands: a column of whole numbers, or once where there is none."""
    if name is None:
        return np.ones(len(groups.rows))
    return whole_numbers(name, groups.values(name), groups.rows)


def whole_numbers(name: str, values: Sequence[Value], rows: Sequence[int]) -> Array | Problem:
    """(N,) counts, zero or more; a Problem that names the rows of what is none."""
    found = finite(name, values, rows)
    if isinstance(found, Problem):
        return found
    wrong = [row for row, value in zip(rows, found, strict=True) if not (value >= 0 and value % 1 == 0)]
    return problem("analysis.frequency", name, rows=row_numbers(wrong)) if wrong else found
