"""The curve of enrolment: who was randomized, what was planned, and when the target is to be expected."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from equipoise.documents.figure import svg
from equipoise.documents.typeset import said
from equipoise.words.text import Language


@dataclass(frozen=True, slots=True)
class Curve:
    """What is drawn: days with the number reached, the plan's two ends, the forecast's three days."""

    days: Sequence[tuple[dt.date, int]]
    today: dt.date
    target: int | None = None
    plan: tuple[dt.date, dt.date] | None = None
    forecast: tuple[dt.date, dt.date, dt.date] | None = None


def enrolment_svg(curve: Curve, language: Language) -> bytes:
    """The curve as SVG: a step for what was, a dashed line for the plan, a band for the forecast."""
    actual, planned, expected = (
        said(f"documents.enrolment-{name}", language) for name in ("actual", "plan", "forecast")
    )
    reached = curve.days[-1][1] if curve.days else 0
    steps = [{"on": day.isoformat(), "n": count, "line": actual} for day, count in curve.days]
    steps += [{"on": curve.today.isoformat(), "n": reached, "line": actual}]
    lines, band = list(steps), []
    if curve.plan is not None and curve.target is not None:
        ends = zip(curve.plan, (0, curve.target), strict=True)
        lines += [{"on": day.isoformat(), "n": count, "line": planned} for day, count in ends]
    if curve.forecast is not None and curve.target is not None:
        early, likely, late = curve.forecast
        lines += [
            {"on": curve.today.isoformat(), "n": reached, "line": expected},
            {"on": likely.isoformat(), "n": curve.target, "line": expected},
        ]
        band = [
            {"on": early.isoformat(), "to": late.isoformat(), "n": curve.target},
        ]
    scale = {"domain": [actual, planned, expected]}
    line = {
        "data": {"values": lines},
        "mark": {"type": "line", "strokeWidth": 2},
        "encoding": {
            "x": {
                "field": "on",
                "type": "temporal",
                "title": None,
                "axis": {"format": "%Y-%m", "labelOverlap": True},
            },
            "y": {"field": "n", "type": "quantitative", "title": said("documents.enrolment-axis", language)},
            "color": {
                "field": "line",
                "type": "nominal",
                "scale": {**scale, "range": ["#0b5394", "#52606d", "#b45309"]},
            },
            "strokeDash": {
                "field": "line",
                "type": "nominal",
                "scale": {**scale, "range": [[1, 0], [6, 4], [2, 3]]},
            },
        },
    }
    # Each participant is a step, not a slope: the line of what was is drawn after the day, the others straight.
    was = {**line, "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2.5}}
    was["transform"] = [{"filter": {"field": "line", "equal": actual}}]
    straight = {**line, "transform": [{"filter": {"field": "line", "oneOf": [planned, expected]}}]}
    layers = [straight, was]
    if band:
        layers.append(
            {
                "data": {"values": band},
                "mark": {"type": "rule", "strokeWidth": 6, "opacity": 0.35, "color": "#b45309"},
                "encoding": {
                    "x": {"field": "on", "type": "temporal"},
                    "x2": {"field": "to"},
                    "y": {"field": "n", "type": "quantitative"},
                },
            }
        )
    return svg({"width": 640, "height": 280, "layer": layers})
