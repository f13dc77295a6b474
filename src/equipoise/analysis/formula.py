"""From a formula and columns to a design matrix; each fault of either is named with its rows.

The rules that must stay true: the formula is data (names, operators and a short list of functions, never a call of
anything else); a column of numbers with text in it is a fault, not a factor; a row is left out only because
something the formula reads, or a column with a role of its own, is missing in it.
"""

from __future__ import annotations

import ast
import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from equipoise.analysis.ops import Array
from equipoise.analysis.table import Table, label, natural, numeric, row_numbers
from equipoise.words.problem import Problem, problem

FUNCTIONS = frozenset(
    {"C", "I", "bs", "center", "cr", "exp", "log", "log10", "log2", "poly", "scale", "sqrt"}
)
LARGEST = 1e100
"""A number beyond it has no place in sums of squares and products of columns."""
_FACTOR = re.compile(r"\bC\(\s*`?([^`,)]+?)`?\s*[,)]")


@dataclass(frozen=True, slots=True)
class Model:
    """A formula and how its columns are meant.

    categorical: columns of numbers that are factors. reference: factor -> its reference level. response: what stands
    left of “~”: one `number`; one column whose values are `levels`; or `nothing` (time and event have columns of
    their own).
    """

    formula: str
    categorical: tuple[str, ...] = ()
    reference: Mapping[str, str] = field(default_factory=dict)
    response: Literal["number", "levels", "nothing"] = "number"


@dataclass(frozen=True, slots=True)
class Reading:
    """A formula that has been read: the columns it needs, its response (a column, where it must be one), its sides."""

    model: Model
    names: frozenset[str]
    response: str | None
    right: Any  # formulaic's Formula of the covariates
    whole: Any  # formulaic's Formula


@dataclass(frozen=True, slots=True)
class Frame:
    """The rows that take part: x (N, p) with `terms`, y (N,) where the response is a number, else empty.

    rows: their places in the table. levels: of every factor in the model, reference first. means: of every numeric
    column in the model over the rows. spec: formulaic's, to build rows for marginal means. nobody: the combinations
    of crossed factors that no row has, each as its problem.
    """

    rows: tuple[int, ...]
    y: Array
    x: Array
    terms: tuple[str, ...]
    levels: Mapping[str, tuple[str, ...]]
    means: Mapping[str, float]
    spec: Any
    nobody: tuple[Problem, ...] = ()


def read_formula(table: Table, model: Model, roles: Sequence[str] = ()) -> Reading | tuple[Problem, ...]:
    """The formula, read against the columns that there are, or what is wrong with it.

    roles: columns that are needed beside those of the formula.
    """
    from formulaic import Formula

    if not table or not len(next(iter(table.values()))):
        return (problem("analysis.no-rows"),)
    sides = model.response != "nothing"
    try:
        whole = Formula(model.formula if sides else model.formula.strip().removeprefix("~"))
        left, right = (list(whole.lhs), whole.rhs) if sides else ([], whole)
        right_terms = list(right)
    except (
        AttributeError
    ):  # a formula without "~" has no sides, and one with it has them though none are wanted
        rule = "analysis.one-response" if sides else "analysis.no-response"
        return (Problem(rule, model.formula),)
    except Exception as fault:  # noqa: BLE001 (the parser's own faults have no common ancestor)
        return (problem("analysis.formula", model.formula, reason=_reason(fault)),)
    if len(left) != (1 if sides else 0):
        return (problem("analysis.one-response", model.formula),)
    names: set[str] = set()
    for term in (*left, *right_terms):
        if not hasattr(term, "factors"):
            return (problem("analysis.no-response", model.formula),)
        for factor in term.factors:
            read = _read(str(factor.expr), table)
            if read is None:
                known = ", ".join(sorted(FUNCTIONS))
                return (problem("analysis.formula-function", str(factor.expr), known=known),)
            names |= read
    response = str(left[0]) if left else None
    if model.response == "levels" and response not in table:
        return (problem("analysis.no-column", str(response), known=", ".join(table)),)
    wanted = {*names, *roles, *model.categorical, *model.reference}
    if absent := sorted(wanted - set(table)):
        return tuple(problem("analysis.no-column", name, known=", ".join(table)) for name in absent)
    told = {name for name in _FACTOR.findall(model.formula) if name in table}
    model = replace(model, categorical=tuple(sorted({*model.categorical, *told})))
    return Reading(model, frozenset(names), response, right, whole)


def _reason(fault: Exception) -> str:
    return (str(fault).strip() or type(fault).__name__).splitlines()[0]


def _read(expression: str, table: Table) -> set[str] | None:
    """The columns that a factor reads; None where it does more than arithmetic and the known functions."""
    if expression in table:
        return {expression}
    try:
        tree = ast.parse(expression, mode="eval")
    except (SyntaxError, ValueError, RecursionError):
        return {expression}
    allowed = (
        ast.Expression,
        ast.Call,
        ast.Name,
        ast.Load,
        ast.Constant,
        ast.BinOp,
        ast.UnaryOp,
        ast.operator,
    )
    calls = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
                return None
            calls.add(node.func)
        if not isinstance(node, (*allowed, ast.unaryop, ast.keyword)):
            return None
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node not in calls}


def faults(table: Table, reading: Reading) -> tuple[Problem, ...]:
    """Text among numbers, infinite numbers, and reference levels that nobody has."""
    return (*_numbers(table, reading), *_references(table, reading.model))


def _numbers(table: Table, reading: Reading) -> tuple[Problem, ...]:
    model, found = reading.model, list[Problem]()
    response = model.formula.split("~")[0] if model.response == "number" else ""
    for name in sorted(reading.names):
        values = table[name]
        infinite = [row for row, value in enumerate(values) if isinstance(value, float) and math.isinf(value)]
        if infinite:
            found.append(problem("analysis.infinite", name, rows=row_numbers(infinite)))
        far = [
            row for row, its in enumerate(values) if isinstance(its, float) and LARGEST < abs(its) < math.inf
        ]
        if far:
            found.append(problem("analysis.too-large", name, rows=row_numbers(far)))
        factor = name in model.categorical or name in model.reference
        if factor or (model.response == "levels" and name == reading.response):
            continue
        texts = [row for row, value in enumerate(values) if isinstance(value, str)]
        numbers = sum(isinstance(value, float) or numeric(value) for value in values)
        must = name in re.split(r"\W+", response) or any(isinstance(value, float) for value in values)
        strays = [row for row in texts if not numeric(values[row])]
        # where every text is a number as written, the column as a whole was given as text
        strays = strays or (texts if must else [])
        if strays and (must or 2 * numbers > len(texts) + sum(isinstance(v, float) for v in values)):
            rows = row_numbers(strays)
            found.append(problem("analysis.text", name, rows=rows, value=str(values[strays[0]])))
    return tuple(found)


def _references(table: Table, model: Model) -> tuple[Problem, ...]:
    found = []
    for name, level in model.reference.items():
        known = sorted({label(value) for value in table[name] if value is not None}, key=natural)
        if level not in known:
            found.append(problem("analysis.no-level", name, level=level, known=", ".join(known[:20])))
    return tuple(found)


def complete(table: Table, names: Sequence[str]) -> list[int]:
    """The rows in which none of the columns is missing."""
    rows = range(len(next(iter(table.values()))))
    return [row for row in rows if all(table[name][row] is not None for name in names)]


def ordered(labels: Sequence[str], first: str | None = None) -> tuple[str, ...]:
    """The levels among labels, numbers by size and texts by letters, `first` before all others."""
    known = set(labels)
    order = sorted(known, key=float if all(numeric(text) for text in known) else str)
    return tuple(([first] if first is not None else []) + [text for text in order if text != first])


def frame(table: Table, reading: Reading, kept: Sequence[int]) -> Frame | tuple[Problem, ...]:
    """The design of the rows `kept`, or what a function of the formula makes of their values."""
    import pandas as pd

    if len(kept) < 2:
        rows = row_numbers(kept)
        return (problem("analysis.one-row", rows=rows) if kept else problem("analysis.no-rows"),)
    model, of_levels = reading.model, reading.model.response == "levels"
    data: dict[str, Any] = {}
    levels: dict[str, tuple[str, ...]] = {}
    means: dict[str, float] = {}
    right = {str(name) for name in reading.right.required_variables}
    for name in sorted(reading.names if not of_levels else reading.names & right):
        values = [table[name][row] for row in kept]
        if name in model.categorical or name in model.reference or isinstance(values[0], str):
            texts = [label(value) for value in values]
            first = model.reference.get(name)
            if first is not None and first not in texts:
                known = ", ".join(ordered(texts)[:20])
                return (problem("analysis.no-level", name, level=first, known=known),)
            levels[name] = ordered(texts, first)
            data[name] = pd.Categorical(texts, categories=list(levels[name]))
        else:
            data[name] = np.array(values, np.float64)
            means[name] = float(np.mean(data[name]))
    if not data:
        data["_"] = np.zeros(len(kept))  # a formula without a column (“~ 1”) still has as many rows
    try:
        formula = reading.whole if model.response == "number" else reading.right
        with np.errstate(all="ignore"):  # what has no number is found below, with its rows
            made = formula.get_model_matrix(pd.DataFrame(data), context={}, na_action="ignore")
    except Exception as fault:  # noqa: BLE001 (whatever a function of the formula makes of the values)
        return (problem("analysis.formula", model.formula, reason=_reason(fault)),)
    y = np.asarray(made.lhs, np.float64) if model.response == "number" else np.zeros((0, 1))
    covariates = made.rhs if model.response == "number" else made
    if y.shape[1] != 1:
        return (problem("analysis.one-response", model.formula),)
    x = np.asarray(covariates, np.float64)
    terms = tuple(str(column) for column in covariates.columns)
    sides = ([str(next(iter(reading.whole.lhs)))] if model.response == "number" else []) + list(terms)
    for name, column in zip(sides, np.column_stack([y, x] if len(y) else [x]).T, strict=True):
        if not np.isfinite(column).all():
            strange = [row for row, its in zip(kept, column, strict=True) if not math.isfinite(its)]
            return (problem("analysis.undefined", name, rows=row_numbers(strange)),)
    nobody = _nobody(terms, levels, {name: [str(its) for its in data[name]] for name in levels})
    return Frame(tuple(kept), y[:, 0], x, terms, levels, means, covariates.model_spec, nobody)


def _nobody(
    terms: Sequence[str], levels: Mapping[str, tuple[str, ...]], seen: Mapping[str, Sequence[str]]
) -> tuple[Problem, ...]:
    """Combinations of factors that the model crosses and that no row has; at most ten."""
    crossed: dict[tuple[str, ...], None] = {}
    for term in terms:
        parts = [
            re.sub(r"^C\(([^,)]*).*$", r"\1", part.split("[")[0]).strip("` ") for part in term.split(":")
        ]
        if len(parts) > 1 and all(part in levels for part in parts):
            crossed[tuple(parts)] = None
    found = []
    for names in crossed:
        there = set(zip(*(seen[name] for name in names), strict=True))
        for cell in itertools.product(*(levels[name] for name in names)):
            if cell not in there:
                told = ", ".join(f"{name} {level}" for name, level in zip(names, cell, strict=True))
                found.append(problem("analysis.nobody-there", " × ".join(names), cell=told))
    return tuple(found[:10])


def load_frame(table: Table, model: Model, roles: Sequence[str] = ()) -> Frame | tuple[Problem, ...]:
    """All of it in one step: the formula is read, the columns are checked, the complete rows become a design."""
    reading = read_formula(table, model, roles)
    if not isinstance(reading, Reading):
        return reading
    if found := faults(table, reading):
        return found
    kept = complete(table, [*sorted(reading.names), *roles])
    made = frame(table, reading, kept)
    if not isinstance(made, Frame):
        return made
    return alone(table, made) or made


def alone(table: Table, made: Frame) -> tuple[Problem, ...]:
    """Factors that have one level among the rows that take part: an arm without anybody, a column that says nothing."""
    found = []
    for name, (level, *others) in made.levels.items():
        if others:
            continue
        lost = [row for row, v in enumerate(table[name]) if v is not None and label(v) != level]
        lone = problem("analysis.constant", name, level=level)
        lacking = problem("analysis.one-level", name, level=level, rows=row_numbers(lost))
        found.append(lacking if lost else lone)
    return tuple(found)


def mean_row(made: Frame, levels: Mapping[str, str]) -> Array:
    """(p,) the row of a least-squares mean: other factors averaged equally, numbers at their mean."""
    return np.asarray(mean_rows(made, [levels])[0], np.float64)


def mean_rows(made: Frame, cells: Sequence[Mapping[str, str]]) -> Array:
    """(m, p) the rows of m least-squares means at once; reading the formula costs more than a row."""
    grids = []
    for levels in cells:
        free = [name for name in made.levels if name not in levels]
        grids.append(
            [
                {**levels, **dict(zip(free, combination, strict=True))}
                for combination in itertools.product(*(made.levels[name] for name in free))
            ]
        )
    points = [point for grid in grids for point in grid]
    columns: dict[str, Sequence[Any] | Array] = {
        name: np.full(len(points), mean) for name, mean in made.means.items()
    }
    columns |= {name: [point[name] for point in points] for name in made.levels}
    rows = rows_at(made, columns)
    ends = np.cumsum([len(grid) for grid in grids])
    return np.stack([its.mean(axis=0) for its in np.split(rows, ends[:-1])])


def rows_at(made: Frame, columns: Mapping[str, Sequence[Any] | Array]) -> Array:
    """(m, p) the design of other values of the columns: factors as texts, numbers as numbers."""
    import pandas as pd

    data: dict[str, Any] = {name: np.asarray(columns[name], np.float64) for name in made.means}
    for name, known in made.levels.items():
        data[name] = pd.Categorical(list(columns[name]), categories=list(known))
    length = len(next(iter(data.values()))) if data else 1
    values = pd.DataFrame(data if data else {"_": np.zeros(length)})
    return np.asarray(made.spec.get_model_matrix(values, context={}), np.float64)


def cells(levels: Mapping[str, tuple[str, ...]], by: Sequence[str]) -> list[dict[str, str]]:
    """Every combination of levels of the factors `by`."""
    return [
        dict(zip(by, combination, strict=True))
        for combination in itertools.product(*(levels[name] for name in by))
    ]
