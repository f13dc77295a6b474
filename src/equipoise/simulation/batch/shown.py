"""What the long report and the two pages share: words, a measure with its error, the plot of power.

The rule that must stay true: a measure is never written without its Monte Carlo error or interval, wherever it stands.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from equipoise.analysis.estimate import Interval
from equipoise.documents.report import Figure
from equipoise.simulation.batch.characteristics import Characteristics
from equipoise.simulation.batch.run import Simulated
from equipoise.simulation.batch.scenario import Ready
from equipoise.words.problem import say
from equipoise.words.text import LANGUAGES, Language, Text

INKS = ("#7a4100", "#0b4f8a", "#52606d", "#3f6212")


def words(key: str, **arguments: object) -> Text:
    """A message of the report in both languages."""
    said = {}
    for language in LANGUAGES:
        given = {
            name: one.say(language) if isinstance(one, Text) else str(one) for name, one in arguments.items()
        }
        said[language] = say(f"simulate.report-{key}", language, given)
    return Text(said["en"], said["zh"])


def listed(found: Simulated) -> list[Ready]:
    """The scenarios of the file, without the points of the plot."""
    known = {one.id for one in found.prepared.asked.scenarios}
    return [one for one in found.scenarios if one.scenario.id in known]


def assumed(found: Simulated, one: Ready) -> tuple[str, ...]:
    """Effect, baseline and endpoint (mean and deviation), correlation, and percent who leave and die until then."""
    numbers, at = one.numbers, found.shape.endpoint
    stay, live = np.prod(numbers.stay[0][: at + 1]), np.prod(numbers.live[0][: at + 1])
    root = np.asarray(numbers.root)
    return (
        f"{numbers.effect[at]:.1f}", f"{numbers.mean[0]:.1f} ({numbers.sd[0]:.1f})",
        f"{numbers.mean[at + 1]:.1f} ({numbers.sd[at + 1]:.1f})", f"{(root @ root.T)[0, at + 1]:.2f}",
        f"{100 * (1 - stay):.1f}", f"{100 * (1 - live):.1f}",
    )  # fmt: skip


ASSUMED = ("effect", "baseline", "endpoint", "correlation", "leave", "die")
"""The columns of `assumed`."""


def grid_points(found: Simulated) -> list[Ready]:
    """The points of the plot that were run."""
    grid = found.prepared.asked.grid
    ready = {one.scenario.id: one for one in found.scenarios}
    return [ready[one.id] for one in grid.scenarios() if one.id in ready] if grid is not None else []


def said(its: Characteristics, name: str, scale: float) -> str:
    """A measure times `scale` with its error or interval in brackets; a dash where there is none."""
    figure = its.figures.get(name)
    if figure is None or not math.isfinite(figure.value):
        return "–"
    bracket = figure.bracket(scale)
    return f"{scale * figure.value:.2f}{bracket}" if bracket else f"{scale * figure.value:g}"


def power_figure(found: Simulated, points: Sequence[Ready]) -> Figure:
    """The share of trials that reject by number of participants, a line for each rate of leaving."""

    def drawn(language: Language) -> Mapping[str, Any]:
        names = {
            one.scenario.leaving: words("head-leaving", times=f"{one.scenario.leaving:g}").say(language)
            for one in points
        }
        values = []
        for one in points:
            its = found.found[one.scenario.id]["rejects"]
            bounds = its.interval or Interval(its.value, its.value)
            values.append({
                "n": one.participants, "leave": names[one.scenario.leaving], "y": 100 * its.value,
                "low": 100 * bounds.low, "high": 100 * bounds.high,
            })  # fmt: skip
        domain = list(names.values())
        colour = {
            "field": "leave",
            "scale": {"domain": domain, "range": list(INKS[: len(domain)])},
            "legend": {"title": None},
        }
        x = {
            "field": "n",
            "type": "quantitative",
            "title": words("axis-size").say(language),
            "scale": {"zero": False},
        }
        y = {
            "field": "y",
            "type": "quantitative",
            "title": words("axis-power").say(language),
            "scale": {"domain": [0, 100]},
        }
        shown = {"x": x, "y": y, "color": colour}
        told_apart = {"field": "leave", "scale": {"domain": domain}}
        ends = {"y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}}
        point = {"type": "point", "filled": True, "size": 70, "opacity": 1}
        return {
            "width": 560, "height": 280, "data": {"values": values},
            "layer": [
                {"mark": {"type": "line", "strokeWidth": 2}, "encoding": {**shown, "strokeDash": told_apart}},
                {"mark": {"type": "rule", "strokeWidth": 1.5}, "encoding": {"x": x, "color": colour, **ends}},
                {"mark": point, "encoding": {**shown, "shape": told_apart}},
            ],
        }  # fmt: skip

    return Figure({language: drawn(language) for language in LANGUAGES}, words("figure-power"))
