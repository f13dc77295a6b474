"""The simulation report: design, scenarios, what they showed, power by size, examples; in English and Chinese.

The rules that must stay true: every measure stands with its Monte Carlo error or interval; what was assumed, what
does not converge and what is not simulated is said; a trial without an effect and one with it stand beside each other;
the same order gives the same bytes. Contents after FDA, Adaptive Designs 2019 and Complex Innovative Designs 2020, and
ICH E20 draft.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from equipoise.analysis.estimate import Interval
from equipoise.analysis.ops import Array
from equipoise.analysis.report.write import report_words
from equipoise.documents.report import Cell, Exhibit, Figure, Line, Report
from equipoise.oversight.forecast import MONTH_DAYS
from equipoise.randomization.predictability import own_figures
from equipoise.simulation.batch.characteristics import Characteristics, p_values
from equipoise.simulation.batch.chunks import columns
from equipoise.simulation.batch.run import Simulated
from equipoise.simulation.batch.scenario import Ready
from equipoise.words.problem import Problem, say
from equipoise.words.text import LANGUAGES, Language, Text

INKS = ("#7a4100", "#0b4f8a", "#52606d", "#3f6212")
SHOWN = (
    ("rejects", 100.0), ("odds_rejects", 100.0), ("sequence_second", 100.0), ("truth", 1.0), ("bias", 1.0),
    ("covers", 100.0),
)  # fmt: skip
"""Measures of the first table, with what they are multiplied by."""
LOOKED = (
    ("stops", 100.0), ("succeeds_with_look", 100.0), ("information", 100.0), ("expected_size", 1.0),
    ("expected_months", 1.0),
)  # fmt: skip
KEPT = (
    ("observed_share", 100.0), ("died", 1.0), ("grade_empty", 100.0), ("imbalance", 1.0), ("imbalance_95", 1.0),
    ("not_converged", 1.0), ("odds_not_converged", 1.0),
)  # fmt: skip


def words(key: str, **arguments: object) -> Text:
    """A message of the report in both languages."""
    said = {}
    for language in LANGUAGES:
        given = {
            name: one.say(language) if isinstance(one, Text) else str(one) for name, one in arguments.items()
        }
        said[language] = say(f"simulate.report-{key}", language, given)
    return Text(said["en"], said["zh"])


def simulation_report(found: Simulated) -> Report:
    """The report of a simulation, ready to be written."""
    study = found.prepared.study
    exhibits = [_design(found), _scenarios(found), _shown(found, "S-03", SHOWN)]
    if found.prepared.asked.look is not None:
        exhibits.append(_shown(found, "S-04", LOOKED))
    exhibits += [_shown(found, "S-05", KEPT), *_grid(found), _examples(found)]
    name = study.demo_id
    return Report(
        name, words("title", study=name), study.dated, rehearsal=True, banner=words("banner"), facts=_facts(found),
        exhibits=tuple(exhibits), words=report_words(),
    )  # fmt: skip


def _facts(found: Simulated) -> tuple[tuple[Text, Text | str], ...]:
    return (
        (words("fact-trials"), f"{found.order.trials:,}"),
        (words("fact-seed"), str(found.order.seed)),
        (words("fact-people"), f"{found.order.people:,}"),
        (words("fact-numbers"), words("fact-numbers-said", jax=version("jax"), numpy=version("numpy"))),
        (words("fact-digest"), found.scenarios[0].digest[:16]),
    )


def _design(found: Simulated) -> Exhibit:
    """The design in words and numbers, and how predictable its list is."""
    prepared, study = found.prepared, found.prepared.study
    chosen, look = study.randomization, found.prepared.asked.look
    own = own_figures(study)
    endpoints = {one.id: one.label for one in study.endpoints}
    asked = prepared.asked
    lines = [
        _line("design-size", str(prepared.target)),
        _line("design-primary", endpoints[asked.scale.endpoint]),
        _line("design-second", endpoints[asked.grades.endpoint]),
        _line("design-alpha", f"{asked.alpha:g}"),
        _line("design-model", words("design-model-said")),
        _line("design-visits", ", ".join(str(day) for day in prepared.days)),
        _line("design-rate", f"{prepared.rate * MONTH_DAYS:.1f}"),
    ]
    if chosen is not None:
        told = ", ".join(f"{name} {value}" for name, value in chosen.parameters.items())
        lines.append(_line("design-list", f"{chosen.method} {told}".strip()))
    if not isinstance(own, Problem):
        lines.append(_line("design-guess", f"{100 * own.guess:.1f} %"))
    if look is not None:
        lines.append(
            _line(
                "design-look",
                words(
                    "design-look-said",
                    results=look.results,
                    visit=look.visit,
                    futility=f"{100 * look.futility:g}",
                ),
            )
        )
    return _exhibit("S-01", (words("value"),), lines, notes=(words("note-design"),), lead="fact")


def _line(key: str, *cells: Text | str) -> Line:
    return Line(words(key), tuple(Cell(cell) for cell in cells))


def _exhibit(
    place: str, heads: Sequence[Text], lines: Sequence[Line], *, notes: tuple[Text, ...] = (),
    figures: tuple[Figure, ...] = (), wide: bool = False, lead: str = "lead",
) -> Exhibit:  # fmt: skip
    return Exhibit(
        place, "", words(f"title-{place}"), words("population"), words(lead), tuple(heads), tuple(lines),
        notes=notes, figures=figures, wide=wide,
    )  # fmt: skip


def _listed(found: Simulated) -> list[Ready]:
    """The scenarios of the file, without the points of the plot."""
    known = {one.id for one in found.prepared.asked.scenarios}
    return [one for one in found.scenarios if one.scenario.id in known]


def _scenarios(found: Simulated) -> Exhibit:
    """What was assumed in each scenario, nuisance parameters included."""
    lines = []
    for one in _listed(found):
        numbers, at = one.numbers, found.shape.endpoint
        stay, live = np.prod(numbers.stay[0][: at + 1]), np.prod(numbers.live[0][: at + 1])
        root = np.asarray(numbers.root)
        lines.append(
            Line(one.scenario.id, tuple(Cell(text) for text in (
                str(one.participants), words(f"death-{one.scenario.death}"), f"{numbers.effect[at]:.1f}",
                f"{numbers.mean[0]:.1f} ({numbers.sd[0]:.1f})",
                f"{numbers.mean[at + 1]:.1f} ({numbers.sd[at + 1]:.1f})",
                f"{(root @ root.T)[0, at + 1]:.2f}", f"{100 * (1 - stay):.1f}", f"{100 * (1 - live):.1f}",
            )))
        )  # fmt: skip
    heads = [
        words(f"head-{key}")
        for key in ("size", "death", "effect", "baseline", "endpoint", "correlation", "leave", "die")
    ]
    return _exhibit("S-02", heads, lines, notes=(words("note-scenarios"),), wide=True)


def _shown(found: Simulated, place: str, measures: Sequence[tuple[str, float]]) -> Exhibit:
    lines = [
        Line(
            one.scenario.id,
            tuple(Cell(_said(found.found[one.scenario.id], name, scale)) for name, scale in measures),
        )
        for one in _listed(found)
    ]
    heads = [words(f"head-{name}") for name, _ in measures]
    return _exhibit(place, heads, lines, notes=(words(f"note-{place}"),), wide=True)


def _said(its: Characteristics, name: str, scale: float) -> str:
    figure = its.figures.get(name)
    if figure is None or not math.isfinite(figure.value):
        return "–"
    bracket = figure.bracket(scale)
    return f"{scale * figure.value:.2f}{bracket}" if bracket else f"{scale * figure.value:g}"


def _grid(found: Simulated) -> Iterator[Exhibit]:
    """Power by size and rate of leaving, where the points were run."""
    grid = found.prepared.asked.grid
    ready = {one.scenario.id: one for one in found.scenarios}
    points = [ready[one.id] for one in grid.scenarios() if one.id in ready] if grid is not None else []
    if grid is None or not points:
        return
    lines = []
    for size in grid.participants:
        mine = {one.scenario.leaving: one for one in points if one.participants == size}
        cells = [
            _said(found.found[mine[times].scenario.id], "rejects", 100.0) if times in mine else "–"
            for times in grid.leaving
        ]
        lines.append(Line(str(size), tuple(Cell(cell) for cell in cells)))
    heads = [words("head-leaving", times=f"{times:g}") for times in grid.leaving]
    figure = _power(found, points)
    yield _exhibit("S-06", heads, lines, notes=(words("note-S-06"),), figures=(figure,), lead="head-size")


def _power(found: Simulated, points: Sequence[Ready]) -> Figure:
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


def _examples(found: Simulated) -> Exhibit:
    """Trials with different conclusions, one of each kind from each scenario, by their numbers."""
    lines, last, alpha = [], found.shape.looks - 1, found.prepared.asked.alpha
    for one in _listed(found):
        named = dict(zip(columns(found.shape), found.results.rows[one.digest], strict=True))
        p = p_values(named[f"effect{last}"], named[f"adjusted{last}"], named[f"df{last}"])
        for key, wanted in (("yes", p < alpha), ("no", p >= alpha)):
            if not wanted.any():
                continue
            at = int(np.argmax(wanted))
            lines.append(Line(f"{one.scenario.id} · {at}", _example(named, last, at, (key, float(p[at])))))
    heads = [
        words(f"head-{key}") for key in ("concludes", "estimate", "se", "df", "p", "odds", "seen", "deaths")
    ]
    return _exhibit("S-07", heads, lines, notes=(words("note-S-07"),), wide=True)


def _example(
    named: Mapping[str, Array], last: int, at: int, concluded: tuple[str, float]
) -> tuple[Cell, ...]:
    """The cells of one trial."""
    return tuple(
        Cell(text)
        for text in (
            words(f"concludes-{concluded[0]}"),
            f"{named[f'effect{last}'][at]:.2f}",
            f"{math.sqrt(named[f'adjusted{last}'][at]):.2f}",
            f"{named[f'df{last}'][at]:.1f}",
            f"{concluded[1]:.4f}" if concluded[1] >= 0.0001 else "< 0.0001",
            f"{math.exp(min(named['log_odds'][at], 50.0)):.2f}",
            f"{named['seen'][at]:g}",
            f"{named['died'][at]:g}",
        )
    )
