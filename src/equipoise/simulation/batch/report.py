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

import numpy as np

from equipoise.analysis.ops import Array
from equipoise.analysis.report.write import report_words
from equipoise.documents.report import Cell, Exhibit, Figure, Line, Report
from equipoise.oversight.forecast import MONTH_DAYS
from equipoise.randomization.predictability import own_figures
from equipoise.simulation.batch.characteristics import p_values
from equipoise.simulation.batch.chunks import columns
from equipoise.simulation.batch.run import Simulated
from equipoise.simulation.batch.shown import ASSUMED, assumed, grid_points, listed, power_figure, said, words
from equipoise.words.problem import Problem
from equipoise.words.text import Text

SHOWN = (
    ("rejects", 100.0), ("odds_rejects", 100.0), ("wins_rejects", 100.0), ("sequence_second", 100.0),
    ("truth", 1.0), ("bias", 1.0), ("covers", 100.0),
)  # fmt: skip
"""Measures of the first table, with what they are multiplied by."""
LOOKED = (
    ("stops", 100.0), ("succeeds_with_look", 100.0), ("information", 100.0), ("expected_size", 1.0),
    ("expected_months", 1.0),
)  # fmt: skip
LARGER = (
    ("larger", 100.0), ("larger_rejects_better", 100.0), ("rejects_better", 100.0), ("larger_size", 1.0),
    ("larger_months", 1.0), ("larger_not_converged", 1.0),
)  # fmt: skip
SUPPLIED = (("no_bag", 100.0), ("doses_without_bag", 1.0), ("shipments", 1.0), ("units_spoiled", 1.0))
KEPT = (
    ("observed_share", 100.0), ("died", 1.0), ("grade_empty", 100.0), ("imbalance", 1.0), ("imbalance_95", 1.0),
    ("not_converged", 1.0), ("odds_not_converged", 1.0), ("wins_not_fitted", 1.0),
)  # fmt: skip


def simulation_report(found: Simulated) -> Report:
    """The report of a simulation, ready to be written."""
    study = found.prepared.study
    exhibits = [_design(found), _scenarios(found), _shown(found, "S-03", SHOWN)]
    if found.prepared.asked.look is not None:
        exhibits.append(_shown(found, "S-04", LOOKED))
    exhibits += [_shown(found, "S-05", KEPT), *_grid(found), _examples(found)]
    exhibits += [
        _shown(found, place, its) for place, its in (("S-08", LARGER), ("S-09", SUPPLIED)) if _any(found, its)
    ]
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


def _scenarios(found: Simulated) -> Exhibit:
    """What was assumed in each scenario, nuisance parameters included."""
    lines = [
        Line(
            one.scenario.id,
            (
                Cell(str(one.participants)),
                Cell(words(f"death-{one.scenario.death}")),
                *(Cell(text) for text in assumed(found, one)),
            ),
        )
        for one in listed(found)
    ]
    heads = [words(f"head-{key}") for key in ("size", "death", *ASSUMED)]
    return _exhibit("S-02", heads, lines, notes=(words("note-scenarios"),), wide=True)


def _any(found: Simulated, measures: Sequence[tuple[str, float]]) -> bool:
    """Whether a scenario has the first of the measures."""
    return any(measures[0][0] in found.found[one.scenario.id].figures for one in listed(found))


def _shown(found: Simulated, place: str, measures: Sequence[tuple[str, float]]) -> Exhibit:
    shown = [each for each in measures if _any(found, [each])]
    lines = [
        Line(
            one.scenario.id,
            tuple(Cell(said(found.found[one.scenario.id], name, scale)) for name, scale in shown),
        )
        for one in listed(found)
        if shown[0][0] in found.found[one.scenario.id].figures
    ]
    heads = [words(f"head-{name}") for name, _ in shown]
    return _exhibit(place, heads, lines, notes=(words(f"note-{place}"),), wide=True)


def _grid(found: Simulated) -> Iterator[Exhibit]:
    """Power by size and rate of leaving, where the points were run."""
    grid, points = found.prepared.asked.grid, grid_points(found)
    if grid is None or not points:
        return
    lines = []
    for size in grid.participants:
        mine = {one.scenario.leaving: one for one in points if one.participants == size}
        cells = [
            said(found.found[mine[times].scenario.id], "rejects", 100.0) if times in mine else "–"
            for times in grid.leaving
        ]
        lines.append(Line(str(size), tuple(Cell(cell) for cell in cells)))
    heads = [words("head-leaving", times=f"{times:g}") for times in grid.leaving]
    figure = power_figure(found, points)
    notes = [words("note-S-06")]
    for one in points:
        why, scenario = found.given_up.get(one.scenario.id), one.scenario
        if why is not None:
            bounds = {
                "bound": f"{100 * why.bound:.1f}",
                "wanted": f"{100 * why.wanted:g}",
                "trials": f"{why.trials:,}",
            }
            bounds |= {"participants": str(one.participants), "times": f"{scenario.leaving:g}"}
            notes.append(words("note-given-up", **bounds))
    yield _exhibit("S-06", heads, lines, notes=tuple(notes), figures=(figure,), lead="head-size")


def _examples(found: Simulated) -> Exhibit:
    """Trials with different conclusions, one of each kind from each scenario, by their numbers."""
    lines, last, alpha = [], found.shape.looks - 1, found.prepared.asked.alpha
    for one in listed(found):
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
