"""Times to an event: Kaplan and Meier's curves by arm, with events, shares at chosen days and the log-rank test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from equipoise.analysis.datasets.table import Record, number
from equipoise.analysis.report.comparing import curves, log_rank
from equipoise.analysis.report.counting import of_column
from equipoise.analysis.report.figures import INKS, Drawn
from equipoise.analysis.report.run import Run, evidence, interval, texts
from equipoise.analysis.survival.curves import Curve
from equipoise.documents.report import Cell, Figure, Line
from equipoise.protocol.analysis import Output
from equipoise.words.text import LANGUAGES, Language, Text

DAYS = (90, 180, 365)


def survival(run: Run, output: Output) -> Drawn:
    """A figure for each parameter of ADTTE, and their numbers."""
    columns = run.columns(output)
    lines: list[Line] = []
    figures: list[Figure] = []
    for code in output.parameters:
        asked = next((one for one in run.plan.times if one.id == code), None)
        label = asked.label if asked is not None else Text(code)
        rows = [row for row in run.rows(output, output.dataset, output.where) if row["PARAMCD"] == code]
        found = curves(run, output, rows)
        known = {one.group: one for one in found.curves} if found is not None else {}
        lines.append(Line(label, head=True))
        happened = [[row for row in of_column(rows, one) if row["CNSR"] == 0] for one in columns]
        counts = tuple(Cell(str(len(one)), evidence(one)) for one in happened)
        lines.append(Line(texts("survival-events"), (*counts, log_rank(run, output, rows)), 1))
        for day in DAYS:
            cells = tuple(_at(known.get(one.arm or ""), day, of_column(rows, one)) for one in columns)
            lines.append(Line(texts("survival-at", day=day), (*cells, Cell()), 1))
            risk = tuple(_watched(of_column(rows, one), day) for one in columns)
            lines.append(Line(texts("survival-risk", day=day), (*risk, Cell()), 2))
        if known:
            figures.append(_figure(run, label, known))
    return (*(one.head for one in columns), texts("log-rank")), tuple(lines), tuple(figures), ()


def _watched(rows: Sequence[Record], day: int) -> Cell:
    """Who is at risk at a day: neither the event nor the end of watching came before it."""
    mine = [row for row in rows if (number(row["AVAL"]) or 0.0) >= day]
    return Cell(str(len(mine)), evidence(mine))


def _at(curve: Curve | None, day: int, rows: Sequence[Mapping[str, Any]]) -> Cell:
    """The share left at a day in per cent; nothing where nobody was watched so long."""
    if curve is None or not curve.points or curve.points[-1].time < day:
        return Cell("–")
    point = curve.at(day)
    if point is None:
        return Cell("100.0")
    if point.low is None or point.high is None:
        return Cell(f"{100 * point.survival:.1f}", evidence(rows))
    return Cell(interval(100 * point.survival, 100 * point.low, 100 * point.high), evidence(rows))


def _figure(run: Run, label: Text, known: Mapping[str, Curve]) -> Figure:
    def drawn(language: Language) -> Mapping[str, Any]:  # Any: the notation, which is JSON
        names = {arm: run.arm_label(arm).say(language) for arm in run.arms.order}
        values = [
            {"arm": names[arm], "day": at, "left": left, "censored": censored}
            for arm in run.arms.order
            if arm in known
            for at, left, censored in [
                (0.0, 1.0, False),
                *((one.time, one.survival, one.censored > 0) for one in known[arm].points),
            ]
        ]
        domain = {"domain": list(names.values()), "range": list(INKS[: len(names)])}
        return {
            "width": 620,
            "height": 220,
            "title": label.say(language),
            "data": {"values": values},
            "layer": [
                {"mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2}},
                {
                    "mark": {"type": "tick", "orient": "vertical", "thickness": 1, "size": 9},
                    "transform": [{"filter": "datum.censored"}],
                },
            ],
            "encoding": {
                "x": {"field": "day", "type": "quantitative", "title": texts("axis-day").say(language)},
                "y": {
                    "field": "left", "type": "quantitative", "title": texts("axis-free").say(language),
                    "scale": {"domain": [0, 1]}, "axis": {"format": "%"},
                },
                "color": {"field": "arm", "scale": domain, "legend": {"title": None}},
                "strokeDash": {"field": "arm", "scale": {"domain": list(names.values())}},
            },
        }  # fmt: skip

    return Figure({language: drawn(language) for language in LANGUAGES}, texts("figure-survival"))
