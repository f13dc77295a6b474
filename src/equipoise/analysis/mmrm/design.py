"""The problem: columns, roles and a formula become a design; each fault of the data is named with its rows.

The rules that must stay true: nothing is guessed (a column of numbers with text in it is a fault, not a factor); a
row is left out only because the response or a covariate is missing in it; the formula is data: names, operators and
a short list of functions, never a call of anything else.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from equipoise.analysis.ops import Array
from equipoise.words.problem import Problem, problem

Value = float | str | None
FUNCTIONS = frozenset(
    {"C", "I", "bs", "center", "cr", "exp", "log", "log10", "log2", "poly", "scale", "sqrt"}
)
_PARTS = re.compile(r"(\d+)")
_FACTOR = re.compile(r"\bC\(\s*`?([^`,)]+?)`?\s*[,)]")
_NUMBER = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|(?i:inf|infinity))")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the formula and which columns say subject, visit and (for covariances by group) group.

    categorical: columns of numbers that are factors. reference: factor -> its reference level.
    """

    formula: str
    subject: str
    visit: str
    group: str | None = None
    categorical: tuple[str, ...] = ()
    reference: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Design:
    """Rows that take part: y (N,), x (N, p) with `terms`, and indices of subject, visit and group.

    levels: of every factor in the model, reference first. spec: formulaic's, to build rows for marginal means.
    means: of every numeric column in the model over the rows.
    """

    y: Array
    x: Array
    terms: tuple[str, ...]
    subject: Array
    visit: Array
    group: Array
    visits: tuple[str, ...]
    groups: tuple[str, ...]
    levels: Mapping[str, tuple[str, ...]]
    means: Mapping[str, float]
    spec: Any  # formulaic's ModelSpec


def natural(label: str) -> tuple[tuple[int, float, str], ...]:
    """The order of labels in which VIS10 stands after VIS2."""
    return tuple(
        (0, float(part), "") if part.isdigit() else (1, 0.0, part) for part in _PARTS.split(label) if part
    )


def columns(data: Any, names: Sequence[str] | None = None) -> Mapping[str, list[Value]] | Problem:
    """Any data frame (pandas, polars, pyarrow) or mapping of columns as lists of numbers, texts and None.

    names: the columns that are wanted, all where None.
    """
    if isinstance(data, Mapping):
        found = {str(name): list(values) for name, values in data.items()}
    else:
        import narwhals as nw

        try:
            frame = nw.from_native(data, eager_only=True)
        except TypeError:
            return problem("analysis.no-table", kind=type(data).__name__)
        found = {str(name): frame[name].to_list() for name in frame.columns}
    lengths = {len(values) for values in found.values()}
    if len(lengths) > 1:
        return problem("analysis.ragged")
    return {name: [_value(value) for value in values] for name, values in found.items()}


def _value(value: object) -> Value:
    if value is None or isinstance(value, str):
        return value if value is None or value.strip() else None
    if isinstance(value, bool | np.bool_):
        return float(value)
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        text = str(value)
        return None if text in ("nan", "NaT", "<NA>") else text
    return None if math.isnan(number) else number


def design(table: Mapping[str, Sequence[Value]], question: Question) -> Design | tuple[Problem, ...]:
    """The design, or every problem that can be told at once."""
    names = _names(table, question)
    if not isinstance(names, frozenset):
        return names
    told = {name for name in _FACTOR.findall(question.formula) if name in table}
    question = replace(question, categorical=tuple(sorted({*question.categorical, *told})))
    found = (
        *_numbers(table, question, names),
        *_places(table, question),
        *_references(table, question),
    )
    if found:
        return found
    roles = [name for name in (question.subject, question.visit, question.group) if name]
    kept = [
        row
        for row in range(len(next(iter(table.values()))))
        if all(table[name][row] is not None for name in (*names, *roles))
    ]
    if not kept:
        return (problem("analysis.no-rows"),)
    return _built(table, question, names, kept) if len(kept) > 1 else (problem("analysis.no-rows"),)


def _names(table: Mapping[str, Sequence[Value]], question: Question) -> frozenset[str] | tuple[Problem, ...]:
    """The columns that the formula reads, or what is wrong with the formula."""
    from formulaic import Formula

    if not table or not len(next(iter(table.values()))):
        return (problem("analysis.no-rows"),)
    try:
        formula = Formula(question.formula)
        sides = (formula.lhs, formula.rhs)
    except AttributeError:  # a formula without "~" has no sides
        return (problem("analysis.one-response", question.formula),)
    except Exception as fault:  # noqa: BLE001 (the parser's own faults have no common ancestor)
        reason = str(fault).strip() or type(fault).__name__
        return (problem("analysis.formula", question.formula, reason=reason.splitlines()[0]),)
    if len(list(sides[0])) != 1:
        return (problem("analysis.one-response", question.formula),)
    names: set[str] = set()
    for term in (*sides[0], *sides[1]):
        for factor in term.factors:
            read = _read(str(factor.expr), table)
            if read is None:
                return (
                    problem(
                        "analysis.formula-function", str(factor.expr), known=", ".join(sorted(FUNCTIONS))
                    ),
                )
            names |= read
    wanted = {*names, question.subject, question.visit, *question.categorical, *question.reference}
    wanted |= {question.group} if question.group else set()
    absent = sorted(wanted - set(table))
    if absent:
        return tuple(problem("analysis.no-column", name, known=", ".join(table)) for name in absent)
    return frozenset(names)


def _read(expression: str, table: Mapping[str, Sequence[Value]]) -> set[str] | None:
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


def _numbers(
    table: Mapping[str, Sequence[Value]], question: Question, names: frozenset[str]
) -> tuple[Problem, ...]:
    """Text among numbers, and numbers that are infinite, in what the formula reads."""
    response = question.formula.split("~")[0]
    found: list[Problem] = []
    for name in sorted(names):
        values = table[name]
        infinite = [row for row, value in enumerate(values) if isinstance(value, float) and math.isinf(value)]
        if infinite:
            found.append(problem("analysis.infinite", name, rows=_rows(infinite)))
        if name in question.categorical or name in question.reference:
            continue
        texts = [row for row, value in enumerate(values) if isinstance(value, str)]
        numbers = sum(isinstance(value, float) or _numeric(value) for value in values)
        must = name in re.split(r"\W+", response) or any(isinstance(value, float) for value in values)
        strays = [row for row in texts if must or not _numeric(values[row])]
        if strays and (must or 2 * numbers > len(texts) + sum(isinstance(v, float) for v in values)):
            found.append(problem("analysis.text", name, rows=_rows(strays), value=str(values[strays[0]])))
    return tuple(found)


def number(text: Value) -> float | None:
    """The number that a text writes, infinity included; None where it is no number."""
    return float(text) if isinstance(text, str) and _NUMBER.fullmatch(text) else None


def _numeric(value: Value) -> bool:
    found = number(value)
    return found is not None and math.isfinite(found)


def _places(table: Mapping[str, Sequence[Value]], question: Question) -> tuple[Problem, ...]:
    """A row without subject, visit or group, and a subject who stands twice at a visit."""
    found = []
    for name in (question.subject, question.visit, question.group):
        missing = [row for row, value in enumerate(table[name]) if value is None] if name else []
        if missing:
            found.append(problem("analysis.no-place", str(name), rows=_rows(missing)))
    if found:
        return tuple(found)
    seen: dict[tuple[str, str], list[int]] = {}
    for row, key in enumerate(zip(table[question.subject], table[question.visit], strict=True)):
        seen.setdefault((label(key[0]), label(key[1])), []).append(row)
    for (subject, visit), rows in seen.items():
        if len(rows) > 1:
            found.append(problem("analysis.twice", subject, visit=visit, rows=_rows(rows)))
    if question.group:
        groups: dict[str, set[str]] = {}
        for its, group in zip(table[question.subject], table[question.group], strict=True):
            groups.setdefault(label(its), set()).add(label(group))
        mixed = sorted(subject for subject, its in groups.items() if len(its) > 1)
        if mixed:
            found.append(problem("analysis.two-groups", mixed[0], column=question.group))
    return tuple(found[:20])


def _references(table: Mapping[str, Sequence[Value]], question: Question) -> tuple[Problem, ...]:
    found = []
    for name, level in question.reference.items():
        known = sorted({label(value) for value in table[name] if value is not None}, key=natural)
        if level not in known:
            found.append(problem("analysis.no-level", name, level=level, known=", ".join(known[:20])))
    return tuple(found)


def label(value: Value) -> str:
    """A value as a level's name: 3.0 is "3"."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def _rows(rows: Sequence[int]) -> str:
    """Row numbers counted from 1 (the heading is not counted), at most ten."""
    shown = ", ".join(str(row + 1) for row in rows[:10])
    return shown + (f" … ({len(rows)})" if len(rows) > 10 else "")


def _built(
    table: Mapping[str, Sequence[Value]], question: Question, names: frozenset[str], kept: Sequence[int]
) -> Design | tuple[Problem, ...]:
    import pandas as pd
    from formulaic import Formula

    frame: dict[str, Any] = {}
    levels: dict[str, tuple[str, ...]] = {}
    means: dict[str, float] = {}
    for name in sorted(names):
        values = [table[name][row] for row in kept]
        if name in question.categorical or name in question.reference or isinstance(values[0], str):
            texts = [label(value) for value in values]
            by_number = all(_numeric(text) for text in set(texts))
            order = sorted(set(texts), key=float if by_number else str)
            first = question.reference.get(name)
            if first is not None and first not in order:
                return (problem("analysis.no-level", name, level=first, known=", ".join(order[:20])),)
            order = ([first] if first else []) + [text for text in order if text != first]
            levels[name] = tuple(order)
            frame[name] = pd.Categorical(texts, categories=order)
        else:
            frame[name] = np.array(values, np.float64)
            means[name] = float(np.mean(frame[name]))
    try:
        made = Formula(question.formula).get_model_matrix(pd.DataFrame(frame), context={}, na_action="raise")
    except Exception as fault:  # noqa: BLE001 (whatever a function of the formula makes of the values)
        reason = (str(fault).strip() or type(fault).__name__).splitlines()[0]
        return (problem("analysis.formula", question.formula, reason=reason),)
    y, x = np.asarray(made.lhs, np.float64), np.asarray(made.rhs, np.float64)
    if y.shape[1] != 1:
        return (problem("analysis.one-response", question.formula),)
    subjects = [label(table[question.subject][row]) for row in kept]
    visits = [label(table[question.visit][row]) for row in kept]
    groups = [label(table[question.group][row]) if question.group else "" for row in kept]
    named = [sorted(set(labels), key=natural) for labels in (subjects, visits, groups)]
    places = []
    for order, labels in zip(named, (subjects, visits, groups), strict=True):
        index = {text: at for at, text in enumerate(order)}
        places.append(np.array([index[text] for text in labels]))
    return Design(
        y[:, 0],
        x,
        tuple(str(column) for column in made.rhs.columns),
        places[0],
        places[1],
        places[2],
        tuple(named[1]),
        tuple(named[2]),
        levels,
        means,
        made.rhs.model_spec,
    )
