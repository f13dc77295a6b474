"""The problem: columns, roles and a formula become a design; each fault of the data is named with its rows.

The rules that must stay true: nothing is guessed (a column of numbers with text in it is a fault, not a factor); a
row is left out only because the response or a covariate is missing in it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from equipoise.analysis.formula import Frame, Model, Reading, alone, complete, faults, frame, read_formula
from equipoise.analysis.ops import Array, Places
from equipoise.analysis.table import Table, label, natural, row_numbers
from equipoise.words.problem import Problem, problem


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the formula and which columns say subject, visit and (for covariances by group) group.

    weights: a column of positive numbers; a row of weight w counts as one whose variance is 1/w of the others'.
    categorical: columns of numbers that are factors. reference: factor -> its reference level.
    """

    formula: str
    subject: str
    visit: str
    group: str | None = None
    weights: str | None = None
    categorical: tuple[str, ...] = ()
    reference: Mapping[str, str] = field(default_factory=dict)

    @property
    def roles(self) -> tuple[str, ...]:
        """The columns that say where a row belongs."""
        return tuple(name for name in (self.subject, self.visit, self.group) if name)


@dataclass(frozen=True, slots=True)
class Design:
    """Rows that take part: y (N,), x (N, p) with `terms`, weights (N,), and indices of subject, visit and group.

    frame: the design matrix with its factors, to build rows for marginal means.
    """

    frame: Frame
    subject: Places
    visit: Places
    group: Places
    visits: tuple[str, ...]
    groups: tuple[str, ...]
    weights: Array

    @property
    def y(self) -> Array:
        """(N,) the response."""
        return self.frame.y

    @property
    def x(self) -> Array:
        """(N, p) the covariates."""
        return self.frame.x

    @property
    def terms(self) -> tuple[str, ...]:
        """The names of the columns of x."""
        return self.frame.terms

    def patterns(self) -> Mapping[tuple[int, tuple[int, ...]], list[list[int]]]:
        """(group, visits seen) -> the rows of each subject who was seen so, in the order of visits."""
        found: dict[tuple[int, tuple[int, ...]], list[list[int]]] = {}
        order = np.lexsort((self.visit, self.subject))
        cuts = np.flatnonzero(np.diff(self.subject[order])) + 1
        for its in np.split(order, cuts):
            key = (int(self.group[its[0]]), tuple(int(at) for at in self.visit[its]))
            found.setdefault(key, []).append([int(row) for row in its])
        return {key: found[key] for key in sorted(found)}


def design(table: Table, question: Question) -> Design | tuple[Problem, ...]:
    """The design, or every problem that can be told at once."""
    model = Model(question.formula, question.categorical, question.reference)
    needed = (*question.roles, *((question.weights,) if question.weights else ()))
    reading = read_formula(table, model, needed)
    if not isinstance(reading, Reading):
        return reading
    if found := (*faults(table, reading), *_places(table, question), *_weights(table, question)):
        return found
    kept = complete(table, [*sorted(reading.names), *question.roles])
    made = frame(table, reading, kept)
    if not isinstance(made, Frame):
        return made
    lone = [
        one for one in alone(table, made) if one.where != question.visit
    ]  # one visit has words of its own
    return tuple(lone) or _placed(table, question, made)


def _placed(table: Table, question: Question, made: Frame) -> Design:
    named, places = [], []
    for name in (question.subject, question.visit, question.group):
        labels = [label(table[name][row]) if name else "" for row in made.rows]
        order = sorted(set(labels), key=natural)
        index = {text: at for at, text in enumerate(order)}
        named.append(tuple(order))
        places.append(np.array([index[text] for text in labels]))
    given = table[question.weights] if question.weights else None
    weights = np.array([1.0 if given is None else float(given[row] or 0.0) for row in made.rows])
    return Design(made, places[0], places[1], places[2], named[1], named[2], weights)


def _weights(table: Table, question: Question) -> tuple[Problem, ...]:
    """Weights that are no positive numbers."""
    given = table[question.weights] if question.weights else ()
    strange = [
        row
        for row, value in enumerate(given)
        if not isinstance(value, float) or not value > 0 or math.isinf(value)
    ]
    return (problem("analysis.weight", str(question.weights), rows=row_numbers(strange)),) if strange else ()


def _places(table: Table, question: Question) -> tuple[Problem, ...]:
    """A row without subject, visit or group, and a subject who stands twice at a visit."""
    found = []
    for name in (question.subject, question.visit, question.group):
        missing = [row for row, value in enumerate(table[name]) if value is None] if name else []
        if missing:
            found.append(problem("analysis.no-place", str(name), rows=row_numbers(missing)))
    if found:
        return tuple(found)
    seen: dict[tuple[str, str], list[int]] = {}
    for row, key in enumerate(zip(table[question.subject], table[question.visit], strict=True)):
        seen.setdefault((label(key[0]), label(key[1])), []).append(row)
    for (subject, visit), rows in seen.items():
        if len(rows) > 1:
            found.append(problem("analysis.twice", subject, visit=visit, rows=row_numbers(rows)))
    if question.group:
        groups: dict[str, set[str]] = {}
        for its, group in zip(table[question.subject], table[question.group], strict=True):
            groups.setdefault(label(its), set()).add(label(group))
        mixed = sorted(subject for subject, its in groups.items() if len(its) > 1)
        if mixed:
            found.append(problem("analysis.two-groups", mixed[0], column=question.group))
    return tuple(found[:20])
