"""Whether the blind held: guesses by arm, with the indices of Bang and of James for each who was asked, at each visit.

The rule that must stay true: who gave no answer is missing; who said that they do not know is counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from equipoise.analysis.blinding import BlindingFit, Index, fit_blinding
from equipoise.analysis.datasets.table import SUBJECT, Record
from equipoise.analysis.report.comparing import Columns, not_fitted
from equipoise.analysis.report.counting import Made, of_column
from equipoise.analysis.report.run import Run, count, evidence, interval, texts
from equipoise.documents.report import Cell, Line
from equipoise.protocol.analysis import Asked, Output
from equipoise.words.text import Text

UNKNOWN = "?"


def blinding(run: Run, output: Output) -> Made:
    """Of each who was asked and each visit: answers by arm, then Bang's index of each arm and James's."""
    lines: list[Line] = []
    notes: list[Text] = [texts("blinding-note")]
    for asked in output.asked:
        for visit in asked.visits:
            rows = _answers(run, output, asked, visit)
            planned = next((one.label for one in run.study.schedule.visits if one.id == visit), Text(visit))
            label = texts("asked-at", who=asked.label, visit=planned)
            more, why = _lines(run, output, asked, rows)
            lines += [Line(label, head=True), *more]
            notes += [texts("at-visit", visit=label, said=one) for one in why]
    return tuple(lines), tuple(dict.fromkeys(notes))


def _answers(run: Run, output: Output, asked: Asked, visit: str) -> list[Record]:
    """The answers of the people of the set, one for each of them: the last that was given at the visit."""
    inside = {str(row[SUBJECT]) for row in run.members(output.set)}
    names = {one.id: one.label.en.upper() for one in run.study.schedule.visits}
    found: dict[str, Record] = {}
    for row in run.records(asked.domain):
        mine = row.get(f"{asked.domain}TESTCD") == asked.test and row.get("VISIT") in (
            visit,
            names.get(visit),
        )
        if mine and str(row[SUBJECT]) in inside and row.get(f"{asked.domain}STRESC") is not None:
            found[str(row[SUBJECT])] = row
    return list(found.values())


def _lines(run: Run, output: Output, asked: Asked, rows: Sequence[Record]) -> tuple[list[Line], list[Text]]:
    columns, code = run.columns(output), f"{asked.domain}STRESC"
    lines = []
    for answer in (*asked.arms, asked.unknown):
        cells = []
        for column in columns:
            mine = of_column(rows, column)
            cells.append(count([row for row in mine if str(row[code]) == answer], len(mine)))
        lines.append(Line(_decode(run, asked, answer), tuple(cells), 1))
    missing = tuple(Cell(str(len(one.people) - len(of_column(rows, one)))) for one in columns)
    lines.append(Line(texts("missing"), missing, 1))
    found = _fitted(run, output, asked, rows)
    if not isinstance(found, BlindingFit):
        return lines, list(found)
    bang = {one.arm: one for one in found.bang}
    indices = tuple(_index(bang.get(one.arm or ""), of_column(rows, one)) for one in columns)
    lines.append(Line(texts("bang"), indices, 1))
    james = tuple(_index(found.james if one.arm is None else None, rows) for one in columns)
    lines.append(Line(texts("james"), james, 1))
    return lines, []


def _index(one: Index | None, rows: Sequence[Record]) -> Cell:
    return Cell("") if one is None else Cell(interval(one.estimate, one.low, one.high, 2), evidence(rows))


def _fitted(run: Run, output: Output, asked: Asked, rows: Sequence[Record]) -> BlindingFit | tuple[Text, ...]:
    variable = "TRT01A" if output.actual else "TRT01P"
    arm_of: Mapping[str, str] = {**asked.arms, asked.unknown: UNKNOWN}
    mine = [row for row in rows if run.subjects[str(row[SUBJECT])].get(variable)]
    data: Columns = {
        "ARM": [run.level(row, variable) for row in mine],
        "GUESS": [arm_of.get(str(row[f"{asked.domain}STRESC"])) for row in mine],
    }
    if len(set(data["ARM"])) < 2 or len(run.arms.order) != 2:
        return (texts("too-few-arms"),)
    found = fit_blinding(data, "ARM", "GUESS", unknown=UNKNOWN, reference=run.arms.order[0])
    return found if isinstance(found, BlindingFit) else tuple(not_fitted(one) for one in found)


def _decode(run: Run, asked: Asked, answer: str) -> Text:
    listed = run.study.codelist(asked.codelist)
    terms = listed.terms if listed is not None else ()
    return next((term.decode for term in terms if term.code == answer), Text(answer))
