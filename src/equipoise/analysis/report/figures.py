"""Figures as Vega-Lite descriptions, each with its numbers as a table: flow, LS means, mRS bars, subgroups, survival.

The rules that must stay true: what a figure draws stands in its table; nothing is told by colour alone (shapes, dashes,
numbers and labels say it too); a figure of nothing is no figure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from equipoise.analysis.datasets.table import Record, number
from equipoise.analysis.report.comparing import odds_heads
from equipoise.analysis.report.counting import of_column
from equipoise.analysis.report.models import fitted
from equipoise.analysis.report.run import Run, evidence, interval, known, texts
from equipoise.analysis.report.subgroups import Level, subgroup_heads, subgroup_levels, subgroup_lines
from equipoise.documents.report import Cell, Figure, Line
from equipoise.protocol.analysis import Output
from equipoise.words.text import LANGUAGES, Language, Text

Drawn = tuple[tuple[Text, ...], tuple[Line, ...], tuple[Figure, ...], tuple[Text, ...]]
"""Columns, lines, figures, notes."""
INKS = ("#7a4100", "#0b4f8a", "#52606d", "#3f6212")
SHADES = ("#08519c", "#3182bd", "#6baed6", "#bdd7e7", "#fdd0a2", "#fd8d3c", "#a63603")
"""From the best grade to the worst: blue to orange, also told apart in grey."""
Description = Mapping[str, Any]  # Any: the notation, which is JSON


def means(run: Run, output: Output) -> Drawn:
    """LS means with intervals, by visit and arm."""
    columns = run.columns(output)
    rows = run.analysed(output, output.parameters[0])
    model = fitted(run, output, rows)
    parameter = run.plan.parameter(output.parameters[0])
    windows = {one.id: one for one in run.plan.windows_of(parameter)} if parameter is not None else {}
    lines, points = [], []
    for visit in output.visits:
        cells = []
        for place, column in enumerate(columns):
            found = model.mean(column.arm, visit) if column.arm is not None else None
            here = [row for row in of_column(rows, column) if row["AVISIT"] == visit]
            if found is None:
                cells.append(Cell("–"))
                continue
            cells.append(Cell(interval(found.estimate, found.low, found.high), evidence(known(here, "CHG"))))
            day = windows[visit].target if visit in windows else 0
            points.append(
                {
                    "day": day + 3 * (2 * place - len(columns) + 1),
                    "arm": place,
                    "y": found.estimate,
                    "low": found.low,
                    "high": found.high,
                }
            )
        lines.append(Line(run.visit_label(output, visit), tuple(cells)))
    days = {
        windows[visit].target: run.visit_label(output, visit) for visit in output.visits if visit in windows
    }
    figures = (_means(run, points, days),) if points else ()
    return tuple(one.head for one in columns), tuple(lines), figures, tuple(model.notes(run))


def _means(run: Run, points: Sequence[Mapping[str, float]], days: Mapping[int, Text]) -> Figure:
    """days: target days of the visits (study days) and what the visits are called, as in the table."""

    def drawn(language: Language) -> Description:
        names = [run.arm_label(arm).say(language) for arm in run.arms.order]
        values = [{**one, "arm": names[int(one["arm"])]} for one in points]
        start = [{"day": 1, "arm": name, "y": 0} for name in names]
        called = {str(day): label.say(language) for day, label in days.items()}
        colour = {
            "field": "arm",
            "scale": {"domain": names, "range": list(INKS[: len(names)])},
            "legend": {"title": None},
        }
        x = {
            "field": "day",
            "type": "quantitative",
            "title": texts("axis-day").say(language),
            "scale": {"domain": [0, max(days) * 1.04]},
            "axis": {"values": [1, *days], "labelExpr": f"{json.dumps(called)}[datum.value] || datum.label"},
        }
        y = {"field": "y", "type": "quantitative", "title": texts("axis-change").say(language)}
        return {
            "width": 620,
            "height": 300,
            "layer": [
                {
                    "data": {"values": [*start, *values]},
                    "mark": {"type": "line", "strokeWidth": 2},
                    "encoding": {
                        "x": x,
                        "y": y,
                        "color": colour,
                        "strokeDash": {"field": "arm", "scale": {"domain": names}},
                    },
                },
                {
                    "data": {"values": values},
                    "mark": {"type": "rule", "strokeWidth": 1.5},
                    "encoding": {
                        "x": x,
                        "y": {"field": "low", "type": "quantitative"},
                        "y2": {"field": "high"},
                        "color": colour,
                    },
                },
                {
                    "data": {"values": values},
                    "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
                    "encoding": {
                        "x": x,
                        "y": y,
                        "color": colour,
                        "shape": {"field": "arm", "scale": {"domain": names}},
                    },
                },
            ],
        }

    return _both(drawn, texts("figure-means"))


def stacked(run: Run, output: Output) -> Drawn:
    """Grades of a scale as bars of shares, by arm and visit, the number of people in every part."""
    from equipoise.analysis.report.models import distribution

    columns = run.columns(output)
    lines, notes = distribution(run, output)
    rows = known(run.analysed(output, output.parameters[0]), "AVAL")
    parts = []
    for visit_place, visit in enumerate(output.visits):
        for place, column in enumerate(columns):
            mine = [row for row in of_column(rows, column) if row["AVISIT"] == visit]
            at = 0.0
            for grade in range(7):
                size = sum(number(row["AVAL"]) == grade for row in mine)
                if size:
                    share = size / len(mine)
                    parts.append(
                        {
                            "visit": visit_place,
                            "arm": place,
                            "grade": grade,
                            "size": size,
                            "from": at,
                            "to": at + share,
                            "mid": at + share / 2,
                        }
                    )
                    at += share
    figures = (_stacked(run, output, parts),) if parts else ()
    return odds_heads(run, output), lines, figures, notes


def _stacked(run: Run, output: Output, parts: Sequence[Mapping[str, float]]) -> Figure:
    def drawn(language: Language) -> Description:
        arms = [run.arm_label(arm).say(language) for arm in run.arms.order]
        visits = [run.visit_label(output, visit).say(language) for visit in output.visits]
        sizes = {(one["visit"], one["arm"]): 0 for one in parts}
        for one in parts:
            sizes[one["visit"], one["arm"]] += int(one["size"])
        names = [
            texts("bar", visit=visit, arm=arm, count=sizes.get((at, place), 0)).say(language)
            for at, visit in enumerate(visits)
            for place, arm in enumerate(arms)
        ]
        values = [
            {
                **one,
                "row": names[int(one["visit"]) * len(arms) + int(one["arm"])],
                "dark": one["grade"] in (0, 1, 6),
            }
            for one in parts
        ]
        y = {"field": "row", "type": "nominal", "sort": names, "title": None, "axis": {"labelLimit": 260}}
        x = {
            "field": "from",
            "type": "quantitative",
            "title": texts("axis-share").say(language),
            "axis": {"format": "%"},
            "scale": {"domain": [0, 1]},
        }
        return {
            "width": 620,
            "height": 30 * len(names),
            "data": {"values": values},
            "layer": [
                {
                    "mark": {"type": "bar", "stroke": "#ffffff", "strokeWidth": 1},
                    "encoding": {
                        "y": y,
                        "x": x,
                        "x2": {"field": "to"},
                        "color": {
                            "field": "grade",
                            "type": "ordinal",
                            "scale": {"domain": list(range(7)), "range": list(SHADES)},
                            "legend": {"title": "mRS", "orient": "top"},
                        },
                    },
                },
                {
                    "mark": {"type": "text", "fontSize": 10},
                    "encoding": {
                        "y": y,
                        "x": {"field": "mid", "type": "quantitative"},
                        "text": {"field": "size"},
                        "color": {
                            "condition": {"test": "datum.dark", "value": "#ffffff"},
                            "value": "#1f2933",
                        },
                    },
                },
            ],
        }

    return _both(drawn, texts("figure-stacked"))


def forest(run: Run, output: Output) -> Drawn:
    """The difference at a visit in everybody and in levels of each variable: a figure for each arm but control."""
    levels = subgroup_levels(run, output)
    lines, notes = subgroup_lines(run, output, levels)
    figures = tuple(one for arm in run.arms.order[1:] if (one := _forest_of(run, levels, arm)) is not None)
    return subgroup_heads(run, output), lines, figures, notes


def _forest_of(run: Run, levels: Sequence[Level], arm: str) -> Figure | None:
    """An arm beside control; None where no level has a difference."""
    points: list[dict[str, Any]] = []
    for one in levels:
        points.append({"en": one.label.en, "zh": one.label.say("zh"), "indent": one.indent, "head": one.head})
        found = (one.differences or {}).get(arm)
        if found is not None:
            points[-1] |= {"mid": found.estimate, "low": found.low, "high": found.high}
    drawn = any("mid" in one for one in points)
    return _forest(points, run.arm_label(arm), run.arm_label(run.arms.order[0])) if drawn else None


def _forest(points: Sequence[Mapping[str, Any]], arm: Text, control: Text) -> Figure:
    def drawn(language: Language) -> Description:
        values = [{**one, "at": place, "name": str(one[language])} for place, one in enumerate(points)]
        there = [one for one in values if "mid" in one]
        y = {"field": "at", "type": "ordinal", "axis": None, "scale": {"domain": list(range(len(values)))}}
        x = {
            "field": "mid",
            "type": "quantitative",
            "title": texts("axis-difference", arm=arm, control=control).say(language),
            "axis": {"tickCount": 7},
        }
        height = 19 * len(values)
        names = {
            "width": 190,
            "height": height,
            "data": {"values": values},
            "view": {"stroke": None},
            "layer": [
                {
                    "transform": [{"filter": f"datum.indent == {indent} && {head} datum.head"}],
                    "mark": {
                        "type": "text",
                        "align": "left",
                        "x": 14 * indent,
                        "fontSize": 11,
                        "fontWeight": weight,
                    },
                    "encoding": {"y": y, "text": {"field": "name"}},
                }
                for indent, head, weight in ((0, "", "bold"), (0, "!", "normal"), (1, "!", "normal"))
            ],
        }
        plot = {
            "width": 460,
            "height": height,
            "data": {"values": there},
            "layer": [
                {
                    "data": {"values": [{}]},
                    "mark": {"type": "rule", "strokeDash": [4, 3], "color": "#52606d"},
                    "encoding": {"x": {"datum": 0}},
                },
                {
                    "mark": {"type": "rule", "strokeWidth": 1.5},
                    "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}},
                },
                {
                    "mark": {"type": "square", "filled": True, "size": 55, "opacity": 1, "color": INKS[1]},
                    "encoding": {"y": y, "x": x},
                },
            ],
        }
        return {"hconcat": [names, plot], "spacing": 10}

    return _both(drawn, texts("figure-forest", arm=arm, control=control))


def flow(run: Run, output: Output) -> Drawn:
    """The flow of participants as CONSORT 2025 asks for it."""
    people = list(run.subjects.values())
    counts = _flow_counts(run, people)
    randomized = [row for row in people if row.get("RANDNO")]
    boxes = [
        (0.5, 0, texts("flow-assessed", count=len(people)), people),
        (
            0.86,
            1,
            texts(
                "flow-excluded",
                count=len(people) - len(randomized),
                failed=counts["failed"],
                open=counts["open"],
            ),
            [row for row in people if not row.get("RANDNO")],
        ),
        (0.5, 2, texts("flow-randomized", count=len(randomized)), randomized),
    ]
    arms = run.arms.order
    for place, arm in enumerate(arms):
        mine = [row for row in randomized if row.get("TRT01P") == arm]
        x = (place + 0.5) / len(arms)
        fas = [row for row in mine if row.get("FASFL") == "Y"]
        boxes += [
            (
                x,
                3,
                texts("flow-allocated", arm=run.arm_label(arm), count=len(mine), **_dose_counts(run, mine)),
                mine,
            ),
            (x, 4, texts("flow-followed", **_follow_counts(mine)), mine),
            (x, 5, texts("flow-analysed", count=len(fas)), fas),
        ]
    lines = tuple(
        Line(
            Text(label.en.replace("\n", "; "), label.say("zh").replace("\n", "；")),
            (Cell(str(len(rows)), evidence(rows)),),
        )
        for _, _, label, rows in boxes
    )
    alternative = texts("figure-flow", screened=len(people), randomized=len(randomized))
    return (
        (texts("n"),),
        lines,
        (_flow([(x, y, label) for x, y, label, _ in boxes], len(arms), alternative),),
        (),
    )


def _flow_counts(run: Run, people: Sequence[Record]) -> Mapping[str, int]:
    return {
        "failed": sum(row.get("EOSSTT") == "SCREEN FAILURE" for row in people),
        "open": sum(row.get("EOSSTT") == "IN SCREENING" for row in people),
    }


def _dose_counts(run: Run, mine: Sequence[Record]) -> Mapping[str, int]:
    planned = len(run.study.supply.doses)
    full = sum((number(row["DOSECN"]) or 0) >= planned for row in mine)
    none = sum(not number(row["DOSEN"]) for row in mine)
    return {"full": full, "part": len(mine) - full - none, "none": none}


def _follow_counts(mine: Sequence[Record]) -> Mapping[str, int]:
    reasons = [str(row.get("DCSREAS") or "") for row in mine]
    return {
        "d90": sum(row.get("FMA90FL") == "Y" for row in mine),
        "d180": sum(row.get("FMA180FL") == "Y" for row in mine),
        "d365": sum(row.get("FMA365FL") == "Y" for row in mine),
        "lost": reasons.count("LOST TO FOLLOW-UP"),
        "withdrew": sum(reason.startswith("WITHDRAWAL") for reason in reasons),
        "died": reasons.count("DEATH"),
    }


def _flow(boxes: Sequence[tuple[float, int, Text]], arms: int, alternative: Text) -> Figure:
    wide, high, step, across = 760, 560, 92, min(250, 700 // max(arms, 2))

    def drawn(language: Language) -> Description:
        rects, marks, rules = [], [], []
        for x, level, label in boxes:
            parts = label.say(language).split("\n")
            middle, top = x * wide, 14 + level * step
            tall = 16 * len(parts) + 12
            rects.append({"x": middle - across / 2, "x2": middle + across / 2, "y": top, "y2": top + tall})
            marks += [
                {"x": middle, "y": top + 14 + 16 * at, "text": part, "first": at == 0}
                for at, part in enumerate(parts)
            ]
        for x, level, _ in boxes:
            top = 14 + level * step
            if level == 1:
                rules.append({"x": 0.5 * wide, "y": top + 28, "x2": x * wide - across / 2, "y2": top + 28})
            elif level == 2:
                rules.append({"x": x * wide, "y": 14 + 44, "x2": x * wide, "y2": top})
            elif level == 3:
                rules += [
                    {"x": 0.5 * wide, "y": 14 + 2 * step + 44, "x2": 0.5 * wide, "y2": top - 16},
                    {"x": 0.5 * wide, "y": top - 16, "x2": x * wide, "y2": top - 16},
                    {"x": x * wide, "y": top - 16, "x2": x * wide, "y2": top},
                ]
            elif level > 3:
                before = next(one for one in boxes if one[1] == level - 1 and one[0] == x)
                tall = 16 * len(before[2].say(language).split("\n")) + 12
                rules.append({"x": x * wide, "y": top - step + tall, "x2": x * wide, "y2": top})
        scale = {
            "x": {"field": "x", "type": "quantitative", "scale": {"domain": [0, wide]}, "axis": None},
            "y": {"field": "y", "type": "quantitative", "scale": {"domain": [high, 0]}, "axis": None},
        }
        ends = {"x2": {"field": "x2"}, "y2": {"field": "y2"}}
        return {
            "width": wide,
            "height": high,
            "view": {"stroke": None},
            "layer": [
                {
                    "data": {"values": rules},
                    "mark": {"type": "rule", "color": "#52606d"},
                    "encoding": {**scale, **ends},
                },
                {
                    "data": {"values": rects},
                    "mark": {"type": "rect", "fill": "#ffffff", "stroke": "#1f2933"},
                    "encoding": {**scale, **ends},
                },
                {
                    "data": {"values": marks},
                    "mark": {"type": "text", "fontSize": 11, "baseline": "middle"},
                    "encoding": {**scale, "text": {"field": "text"}},
                },
            ],
        }

    return _both(drawn, alternative)


def _both(drawn: Any, alternative: Text) -> Figure:  # Any: a function of the language
    return Figure({language: drawn(language) for language in LANGUAGES}, alternative)
