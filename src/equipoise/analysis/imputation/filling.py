"""A trial with gaps: every participant at every planned visit, the model that fills the gaps, the analysis after it.

The rules that must stay true: a covariate is known wherever a value is to be filled in; what was seen after an event
stays as it was seen, and is left out of the model only where the rule says that the participant behaves differently
from then on; nothing is filled in that was seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from equipoise.analysis.formula import Frame, Model, Reading, faults, frame, read_formula, rows_at
from equipoise.analysis.imputation.rules import RULES
from equipoise.analysis.mmrm.design import Design
from equipoise.analysis.mmrm.statistics import check
from equipoise.analysis.mmrm.structures import STRUCTURES
from equipoise.analysis.ops import Array, Places
from equipoise.analysis.rank import check_columns
from equipoise.analysis.table import Table, Value, label, natural, row_numbers
from equipoise.words.problem import Problem, problem


@dataclass(frozen=True, slots=True)
class Gaps:
    """What is asked.

    model: the MMRM that fills gaps, for instance “CHG ~ BASE * AVISIT + ARM * AVISIT”. analysis: what is fitted at each
    visit once they are filled, without the response, for instance “BASE + ARM”. reference: the arm that is copied.
    rule: a name in RULES. event: a column with the visit from which the rule holds for the participant, empty for
    nobody's; None: from the first visit after the last value seen. Gaps before the event are filled at random.
    """

    model: str
    analysis: str
    subject: str
    visit: str
    arm: str
    reference: str
    rule: str = "j2r"
    event: str | None = None
    categorical: tuple[str, ...] = ()
    levels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Filling:
    """The trial as arrays: n subjects, V visits.

    values: (n, V), NaN where not seen. fitted: (n, V) those that the model may use. own, other: (n, V, p) design rows
    as they are and as in the reference arm. event: (n,) index of the first visit under the rule, V where there is
    none. treated: (n,) not in the reference arm. after: V designs (n, k) of the analysis; row: (k,) for the arm.
    """

    visits: tuple[str, ...]
    values: Array
    fitted: Array
    own: Array
    other: Array
    event: Array
    treated: Array
    after: Array
    row: Array
    terms: tuple[str, ...]

    def design(self, kept: Places) -> Design:
        """The model's rows of the subjects `kept`, for a fit."""
        seen = ~np.isnan(self.fitted[kept])
        subject, visit = np.nonzero(seen)
        made = Frame((), self.fitted[kept][seen], self.own[kept][seen], self.terms, {}, {}, None)
        one = np.zeros(len(subject), np.intp)
        return Design(made, subject, visit, one, self.visits, ("",), np.ones(len(subject)))


def filling(table: Table, gaps: Gaps) -> Filling | tuple[Problem, ...]:
    """The arrays, or what is wrong."""
    if gaps.rule not in RULES:
        return (problem("analysis.rule", gaps.rule, known=", ".join(RULES)),)
    levels = {**gaps.levels, gaps.arm: gaps.reference}
    model = Model(gaps.model, (*gaps.categorical, gaps.visit), levels)
    roles = (gaps.subject, gaps.visit, gaps.arm, *((gaps.event,) if gaps.event else ()))
    reading = read_formula(table, model, roles)
    if not isinstance(reading, Reading):
        return reading
    response = str(reading.response)
    if response not in table:
        return (problem("analysis.no-column", response, known=", ".join(table)),)
    if found := (*faults(table, reading), *_complete(table, reading, gaps, response)):
        return found
    order, subjects, visits = _order(table, gaps)
    if isinstance(order, Problem):
        return (order,)
    return _arrays(table, gaps, reading, (order, subjects, visits))


def _complete(table: Table, reading: Reading, gaps: Gaps, response: str) -> tuple[Problem, ...]:
    """Covariates and places that are missing."""
    found = []
    for name in sorted((reading.names | {gaps.subject, gaps.visit, gaps.arm}) - {response}):
        missing = [row for row, value in enumerate(table[name]) if value is None]
        if missing:
            found.append(problem("analysis.covariate-missing", name, rows=row_numbers(missing)))
    return tuple(found)


def _order(table: Table, gaps: Gaps) -> tuple[Array | Problem, tuple[str, ...], tuple[str, ...]]:
    """(n, V) the rows by subject and visit; every subject must have a row at every visit, empty where not seen."""
    its = [label(value) for value in table[gaps.subject]]
    at = [label(value) for value in table[gaps.visit]]
    subjects, visits = (tuple(sorted(set(names), key=natural)) for names in (its, at))
    order = np.full((len(subjects), len(visits)), -1)
    places = {name: n for n, name in enumerate(subjects)}, {name: n for n, name in enumerate(visits)}
    for row, (subject, visit) in enumerate(zip(its, at, strict=True)):
        place = places[0][subject], places[1][visit]
        if order[place] >= 0:
            rows = row_numbers([int(order[place]), row])
            return problem("analysis.twice", subject, visit=visit, rows=rows), subjects, visits
        order[place] = row
    if (order < 0).any():
        subject, visit = np.argwhere(order < 0)[0]
        return problem("analysis.row-missing", subjects[subject], visit=visits[visit]), subjects, visits
    return order, subjects, visits


def _arrays(
    table: Table, gaps: Gaps, reading: Reading, places: tuple[Array, tuple[str, ...], tuple[str, ...]]
) -> Filling | tuple[Problem, ...]:
    order, _, visits = places
    response, flat = str(reading.response), [int(row) for row in order.reshape(-1)]
    seen = [row for row in flat if table[response][row] is not None]
    made = frame(table, reading, seen)
    if not isinstance(made, Frame):
        return made
    columns = {name: _column(table[name], made, name, flat) for name in (*made.means, *made.levels)}
    own = rows_at(made, columns).reshape(*order.shape, -1)
    other = rows_at(made, columns | {gaps.arm: [gaps.reference] * len(flat)}).reshape(*order.shape, -1)
    values = np.array([_number(table[response][row]) for row in flat]).reshape(order.shape)
    treated = np.array([label(table[gaps.arm][int(row)]) != gaps.reference for row in order[:, 0]])
    event = _events(table, gaps, order, visits, values)
    if isinstance(event, Problem):
        return (event,)
    fitted = values.copy()
    if gaps.rule != "mar":  # from the event on the model would learn from values that do not follow it
        fitted[treated[:, None] & (np.arange(len(visits))[None, :] >= event[:, None])] = np.nan
    after = _analysis(table, gaps, order)
    if not isinstance(after, tuple) or isinstance(after[0], Problem):
        return after
    found = Filling(visits, values, fitted, own, other, event, treated, after[0], after[1], made.terms)
    design = found.design(np.arange(len(values)))
    return check(design, [STRUCTURES["us"]]) or found


def _column(values: Sequence[Value], made: Frame, name: str, rows: Sequence[int]) -> Sequence[object]:
    if name in made.levels:
        return [label(values[row]) for row in rows]
    return [_number(values[row]) for row in rows]


def _number(value: Value) -> float:
    return float(value) if isinstance(value, float) else np.nan


def _events(
    table: Table, gaps: Gaps, order: Array, visits: tuple[str, ...], values: Array
) -> Array | Problem:
    """(n,) the index of the first visit at which the rule holds."""
    count = len(visits)
    if gaps.event is None:
        last = np.where(np.isnan(values), -1, np.arange(count)[None, :]).max(axis=1)
        return np.asarray(last + 1, np.intp)
    found = []
    for rows in order:
        told = {label(value) for row in rows if (value := table[gaps.event][int(row)]) is not None}
        if len(told) > 1 or not told <= set(visits):
            return problem("analysis.event-visit", gaps.event, given=", ".join(sorted(told)))
        found.append(visits.index(told.pop()) if told else count)
    return np.array(found)


def _analysis(table: Table, gaps: Gaps, order: Array) -> tuple[Array, Array] | tuple[Problem, ...]:
    """The design of the analysis at each visit, and the row of the arm's coefficient."""
    levels = {**gaps.levels, gaps.arm: gaps.reference}
    model = Model(gaps.analysis, tuple(gaps.categorical), levels, "nothing")
    reading = read_formula(table, model, (gaps.arm,))
    if not isinstance(reading, Reading):
        return reading
    made = [frame(table, reading, [int(row) for row in rows]) for rows in order.T]
    good = [its for its in made if isinstance(its, Frame)]
    if len(good) < len(made):
        return next(its for its in made if not isinstance(its, Frame))
    for its in good:
        if found := check_columns(its.x, its.terms):
            return found
    mine = [term for term in good[0].terms if term.startswith(f"{gaps.arm}[T.") and ":" not in term]
    if len(mine) != 1:
        return (problem("analysis.two-arms", gaps.arm, terms=", ".join(good[0].terms)),)
    return np.stack([its.x for its in good]), np.array([float(term == mine[0]) for term in good[0].terms])
