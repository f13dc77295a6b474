"""Tables that count: who meets what, levels and numbers of variables, events by term, responders, distributions.

The rules that must stay true: a participant counts once in a line; of a percentage the people are those of the column,
or those that the line names; missing values are counted and never spread over the others.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from equipoise.analysis.datasets.happened import NOT_CODED
from equipoise.analysis.datasets.table import SUBJECT, Record, meets, number
from equipoise.analysis.report.run import Column, Run, count, evidence, known, mean_sd, numbers, texts
from equipoise.documents.report import Cell, Line
from equipoise.documents.unit_writing import shown_unit
from equipoise.protocol.analysis import Output
from equipoise.words.text import Text

Made = tuple[tuple[Line, ...], tuple[Text, ...]]
"""Lines of a table, and notes below it."""


def of_column(rows: Sequence[Record], column: Column) -> list[Record]:
    """The rows of the column's people."""
    people = set(column.people)
    return [row for row in rows if str(row[SUBJECT]) in people]


def subjects(run: Run, output: Output) -> Made:
    """Lines of people who meet conditions, in ADSL or with a row of events that does."""
    lines, columns = [], run.columns(output)
    for one in output.lines:
        dataset = one.dataset or output.dataset or "ADSL"
        where = output.where if dataset == (output.dataset or "ADSL") else ()
        rows = run.rows(output, dataset, where, one.where)
        cells = []
        for column in columns:
            base = [name for name in column.people if not one.of or meets(run.subjects[name], one.of)]
            cells.append(
                count([row for row in of_column(rows, column) if str(row[SUBJECT]) in set(base)], len(base))
            )
        lines.append(Line(one.label, tuple(cells), one.indent))
    unassigned = (
        output.total and output.arms and run.plan.rule(output.set) is not None and output.set == "SCREENED"
    )
    return tuple(lines), ((texts("arms-randomized"),) if unassigned else ())


def summary(run: Run, output: Output) -> Made:
    """Each variable: its numbers, or its levels; by the levels of `by` where the output asks for it."""
    lines: list[Line] = []
    columns = run.columns(output)
    rows = run.rows(output, output.dataset, output.where)
    groups = (
        [None, *()] if not output.by else run.order(output.by[0], (str(row[output.by[0]]) for row in rows))
    )
    for group in groups:
        mine = rows if group is None else [row for row in rows if str(row[output.by[0]]) == group]
        if group is not None:
            dose = next((one.label for one in run.study.supply.doses if one.id == group), None)
            lines.append(Line(dose or run.decode(output.by[0], group), head=True))
            lines.append(
                Line(texts("n"), tuple(count(of_column(mine, one), len(one.people)) for one in columns), 1)
            )
        for variable in output.variables:
            if output.blinded is not None and all(row.get(variable) is None for row in rows):
                continue  # nobody's value is at this door; the note says so
            lines += variable_lines(run, run.variable_label(variable), variable, mine, columns)
    return tuple(lines), ()


def variable_lines(
    run: Run, label: Text, variable: str, rows: Sequence[Record], columns: Sequence[Column]
) -> list[Line]:
    """A heading and the lines of one variable."""
    values = [row.get(variable) for row in rows if row.get(variable) is not None]
    if values and all(isinstance(value, int | float) or (number(value) is not None) for value in values):
        return [Line(label, head=True), *number_lines(rows, variable, columns)]
    found = [Line(label, head=True)]
    for level in run.order(variable, (str(value) for value in values)):
        cells = []
        for column in columns:
            mine = of_column(rows, column)
            have = [row for row in mine if row.get(variable) is not None]
            cells.append(
                count(
                    [row for row in have if str(row[variable]) == level],
                    len({str(row[SUBJECT]) for row in have}),
                )
            )
        found.append(Line(run.decode(variable, level), tuple(cells), 1))
    missing = tuple(
        count([row for row in of_column(rows, one) if row.get(variable) is None]) for one in columns
    )
    return [*found, Line(texts("missing"), missing, 1)]


def number_lines(rows: Sequence[Record], variable: str, columns: Sequence[Column]) -> list[Line]:
    """n, missing, mean (SD), median, quartiles and range."""
    held = [known(of_column(rows, one), variable) for one in columns]
    seen = [len({str(row[SUBJECT]) for row in mine}) for mine in held]
    there = [len({str(row[SUBJECT]) for row in of_column(rows, one)}) for one in columns]
    figures = {"mean-sd": _mean_sd, "median": _median, "quartiles": _quartiles, "range": _range}
    lines = [
        Line(texts("n"), tuple(Cell(str(n), evidence(mine)) for n, mine in zip(seen, held, strict=True)), 1),
        Line(texts("missing"), tuple(Cell(str(all_ - n)) for all_, n in zip(there, seen, strict=True)), 1),
    ]
    for key, making in figures.items():
        cells = tuple(
            Cell(making(numbers(mine, variable)), evidence(mine)) if mine else Cell("–") for mine in held
        )
        lines.append(Line(texts(key), cells, 1))
    return lines


def _mean_sd(values: Sequence[float]) -> str:
    spread = f"{statistics.stdev(values):.1f}" if len(values) > 1 else "–"
    return f"{statistics.fmean(values):z.1f} ({spread})"


def _median(values: Sequence[float]) -> str:
    return f"{statistics.median(values):z.1f}"


def _quartiles(values: Sequence[float]) -> str:
    """Quartiles as SAS's default has them (PCTLDEF 5: the empirical distribution with averaging)."""
    ordered = sorted(values)

    def at(share: float) -> float:
        place = share * len(ordered)
        whole = int(place)
        if place != whole:
            return ordered[whole]
        return (ordered[max(whole - 1, 0)] + ordered[min(whole, len(ordered) - 1)]) / 2

    return f"{at(0.25):z.1f}, {at(0.75):z.1f}"


def _range(values: Sequence[float]) -> str:
    return f"{min(values):g}, {max(values):g}"


def baseline(run: Run, output: Output) -> Made:
    """The baseline of each parameter; who has none is missing."""
    lines: list[Line] = []
    columns = run.columns(output)
    for code in output.parameters:
        parameter = run.plan.parameter(code)
        rows = [row for row in run.analysed(output, code) if row["ABLFL"] == "Y"]
        lines.append(Line(parameter.label if parameter else code, head=True))
        found = number_lines(rows, "AVAL", columns)
        missing = tuple(Cell(str(len(one.people) - len(of_column(rows, one)))) for one in columns)
        lines += [found[0], Line(texts("missing"), missing, 1), *found[2:]]
    return tuple(lines), ()


def events(run: Run, output: Output) -> Made:
    """People with at least one event and the number of events, by one or two variables."""
    columns = run.columns(output)
    rows = run.rows(output, output.dataset, output.where)
    notes = [texts("events-note")]
    if output.dataset == "ADAE" and all(row.get("AEBODSYS") == NOT_CODED for row in rows):
        notes.append(texts("not-coded"))
    grades = output.by[-1] == "ATOXGRN"
    if grades:
        notes.append(texts("grade-note"))
    lines = [_event_line(texts("any"), rows, columns, 0)]
    lines += _event_groups(run, output.by, rows, columns, 0, highest=grades)
    return (tuple(lines) if rows else ()), tuple(notes)


def _event_groups(
    run: Run,
    by: Sequence[str],
    rows: Sequence[Record],
    columns: Sequence[Column],
    indent: int,
    *,
    highest: bool,
) -> list[Line]:
    if not by:
        return []
    first, *others = by
    if highest and not others:
        rows = _highest(rows, first)
    groups: dict[str, list[Record]] = {}
    for row in rows:
        value = row.get(first)
        groups.setdefault(
            str(int(value)) if isinstance(value, float) else str(value) if value is not None else "", []
        ).append(row)
    ordered = run.order(first, groups) if highest else sorted(
        groups, key=lambda name: (-len({str(row[SUBJECT]) for row in groups[name]}), name)
    )  # fmt: skip
    found = []
    for name in ordered:
        label = run.decode(first, name) if name else texts("level-missing")
        found.append(_event_line(label, groups[name], columns, indent))
        found += _event_groups(run, others, groups[name], columns, indent + 1, highest=highest)
    return found


def _highest(rows: Sequence[Record], variable: str) -> list[Record]:
    """Of each person the first of the rows with the highest grade."""
    best: dict[str, Record] = {}
    for row in rows:
        before = best.get(str(row[SUBJECT]))
        if before is None or (number(row.get(variable)) or 0) > (number(before.get(variable)) or 0):
            best[str(row[SUBJECT])] = row
    return list(best.values())


def _event_line(label: Text, rows: Sequence[Record], columns: Sequence[Column], indent: int) -> Line:
    cells = []
    for column in columns:
        mine = of_column(rows, column)
        people, size = len({str(row[SUBJECT]) for row in mine}), len(column.people)
        share = f"{100 * people / size:.1f}" if size else "–"
        cells.append(Cell(f"{people} ({share}) {len(mine)}", evidence(mine)))
    return Line(label, tuple(cells), indent)


def shift(run: Run, output: Output) -> Made:
    """A laboratory test by visit, and its shift from baseline to the last value, by the reference range."""
    lines: list[Line] = []
    columns = run.columns(output)
    for code in output.parameters:
        parameter = run.plan.parameter(code)
        rows = run.analysed(output, code)
        lines.append(Line(with_unit(parameter.label, parameter.unit) if parameter else code, head=True))
        base = [row for row in rows if row["ABLFL"] == "Y"]
        lines.append(
            Line(
                run.visit_label(output, "BASELINE"),
                tuple(mean_sd(of_column(base, one), "AVAL") for one in columns),
                1,
            )
        )
        for visit in output.visits:
            here = [row for row in rows if row["AVISIT"] == visit]
            if here:
                lines.append(
                    Line(
                        run.visit_label(output, visit),
                        tuple(mean_sd(of_column(here, one), "AVAL") for one in columns),
                        1,
                    )
                )
        lines += _shifts(rows, columns)
    return (*lines, *_injured(run, output, columns)), (texts("value"), texts("no-ranges"))


def _injured(run: Run, output: Output, columns: Sequence[Column]) -> list[Line]:
    """Who passed the limits of liver injury on one day, after the first dose."""
    rule = run.plan.injury
    if rule is None:
        return []
    rows = [row for row in run.rows(output, output.dataset) if (number(row["ADY"]) or 0) > 1]
    over: dict[tuple[str, str], dict[str, Record]] = {}
    for row in rows:
        name, value, limit = str(row["PARAMCD"]), number(row["AVAL"]), number(row["ANRHI"])
        times = rule.bilirubin_times if name == rule.bilirubin else rule.enzyme_times
        judged = name in {rule.bilirubin, *rule.enzymes} and value is not None and limit is not None
        if judged and (value or 0.0) > float(times) * (limit or 0.0):
            over.setdefault((str(row[SUBJECT]), str(row["ADT"])), {})[name] = row
    found = [
        row for held in over.values() if rule.bilirubin in held and len(held) > 1 for row in held.values()
    ]
    return [Line(texts("hys-law"), tuple(count(of_column(found, one), len(one.people)) for one in columns))]


def with_unit(label: Text, unit: str | None) -> Text:
    """The name of a parameter with its unit, where it has one."""
    if unit is None:
        return label
    return Text(f"{label.en} ({shown_unit(unit, 'en')})", f"{label.say('zh')}（{shown_unit(unit, 'zh')}）")


_RANGES = {
    "LOW": "shift-low",
    "L": "shift-low",
    "NORMAL": "shift-normal",
    "N": "shift-normal",
    "HIGH": "shift-high",
    "H": "shift-high",
}


def _shifts(rows: Sequence[Record], columns: Sequence[Column]) -> list[Line]:
    last: dict[str, Record] = {}
    for row in rows:
        if row["ABLFL"] != "Y" and row["AVISIT"] is not None:
            last[str(row[SUBJECT])] = row
    groups: dict[tuple[str, str], list[Record]] = {}
    for row in last.values():
        pair = tuple(_RANGES.get(str(row.get(name)), "shift-unknown") for name in ("BNRIND", "ANRIND"))
        groups.setdefault((pair[0], pair[1]), []).append(row)
    if not groups:
        return []
    lines = [
        Line(texts("shift-lead"), tuple(count(of_column(list(last.values()), one)) for one in columns), 1)
    ]
    for pair in sorted(groups):
        label = texts("shift-to", **{"from": texts(pair[0]), "to": texts(pair[1])})
        base = [len(of_column(list(last.values()), one)) for one in columns]
        lines.append(
            Line(
                label,
                tuple(
                    count(of_column(groups[pair], one), size) for one, size in zip(columns, base, strict=True)
                ),
                2,
            )
        )
    return lines
