"""Two pages for an ethics board: what the trial would do to the people in it, and how well it would answer.

The rules that must stay true: every number is one of the long report, with its Monte Carlo error or interval; an
error of the first kind and power stand beside each other under every strategy for death that was simulated; what is
not in the simulation is said on the same pages; two pages of A4, whatever the study.
"""

from __future__ import annotations

from collections.abc import Iterator

from equipoise.analysis.report.write import report_words
from equipoise.documents.report import Cell, Exhibit, Line, Report
from equipoise.simulation.batch.run import Simulated
from equipoise.simulation.batch.scenario import Ready
from equipoise.simulation.batch.shown import ASSUMED, assumed, grid_points, listed, power_figure, said, words
from equipoise.words.text import Text

MOST = 8
"""Scenarios that two pages hold; the others stand in the long report."""
ANSWERS = (("rejects", 100.0), ("odds_rejects", 100.0), ("bias", 1.0), ("covers", 100.0))
BURDEN = (
    ("expected_size", 1.0),
    ("expected_months", 1.0),
    ("stops", 100.0),
    ("died", 1.0),
    ("observed_share", 100.0),
    ("no_bag", 100.0),
)


def brief_report(found: Simulated) -> Report:
    """The two pages, ready to be set."""
    study = found.prepared.study
    exhibits = [
        _table(found, "answers", ANSWERS),
        _table(found, "burden", BURDEN),
        *_power(found),
        _assumed(found),
    ]
    return Report(
        study.demo_id, words("brief-title", study=study.demo_id), study.dated, rehearsal=True, banner=words("banner"),
        facts=_facts(found), exhibits=tuple(exhibits), words=report_words(), said=tuple(_said(found)),
    )  # fmt: skip


def effective(one: Ready, endpoint: int) -> bool:
    """Whether the arms of a scenario differ at the visit of the endpoint: its rejections are power, not error."""
    return bool(abs(one.numbers.effect[endpoint]) > 0)


def _facts(found: Simulated) -> tuple[tuple[Text, Text | str], ...]:
    prepared = found.prepared
    endpoints = {one.id: one.label for one in prepared.study.endpoints}
    lost = sum(
        found.found[one.scenario.id][name].value
        for one in found.scenarios
        for name in ("not_converged", "odds_not_converged")
    )
    facts: list[tuple[Text, Text | str]] = [
        (words("brief-trial"), Text(prepared.study.title.en, prepared.study.title.say("zh"))),
        (words("design-size"), str(prepared.target)),
        (words("design-primary"), endpoints[prepared.asked.scale.endpoint]),
        (words("design-model"), words("design-model-said")),
        (words("design-alpha"), f"{prepared.asked.alpha:g}"),
        (words("fact-trials"), f"{found.order.trials:,}"),
        (words("brief-lost"), f"{lost:g}"),
    ]
    look = prepared.asked.look
    if look is not None:
        told = words(
            "design-look-said", results=look.results, visit=look.visit, futility=f"{100 * look.futility:g}"
        )
        facts.insert(5, (words("design-look"), told))
    return tuple(facts)


def _said(found: Simulated) -> Iterator[Text]:
    """One sentence for each of the study's own scenarios without a change of size or leaving."""
    own = [
        one for one in listed(found)
        if one.scenario.leaving == 1 and one.scenario.death == "composite" and one.participants == found.prepared.target
    ]  # fmt: skip
    for one in own[: MOST // 2]:
        its, at = found.found[one.scenario.id], found.shape.endpoint
        key = "brief-power" if effective(one, at) else "brief-error"
        yield words(
            key, scenario=one.scenario.id, participants=one.participants, share=said(its, "rejects", 100.0),
            effect=f"{abs(float(one.numbers.effect[at])):.1f}",
        )  # fmt: skip


def _table(found: Simulated, key: str, measures: tuple[tuple[str, float], ...]) -> Exhibit:
    lines = []
    for one in listed(found)[:MOST]:
        about = "power" if effective(one, found.shape.endpoint) else "error"
        lead = (words(f"brief-is-{about}"), words(f"death-{one.scenario.death}")) if key == "answers" else ()
        cells = (*lead, *(said(found.found[one.scenario.id], name, scale) for name, scale in measures))
        lines.append(Line(one.scenario.id, tuple(Cell(cell) for cell in cells)))
    heads = [words("head-is"), words("head-death")] if key == "answers" else []
    heads += [words(f"head-{name}") for name, _ in measures]
    return _exhibit(key, tuple(heads), tuple(lines))


def _power(found: Simulated) -> Iterator[Exhibit]:
    """The plot of power by size and leaving, with its numbers."""
    grid, points = found.prepared.asked.grid, grid_points(found)
    if grid is None or not points:
        return
    lines = []
    for times in grid.leaving:
        mine = {one.participants: one.scenario.id for one in points if one.scenario.leaving == times}
        cells = (
            said(found.found[mine[size]], "rejects", 100.0) if size in mine else "–"
            for size in grid.participants
        )
        lines.append(Line(words("head-leaving", times=f"{times:g}"), tuple(Cell(cell) for cell in cells)))
    heads = tuple(Text(str(size), str(size)) for size in grid.participants)
    figure = power_figure(found, points)
    exhibit = _exhibit("power", heads, tuple(lines))
    yield Exhibit(
        exhibit.id, "", exhibit.title, exhibit.population, words("head-size"), heads, exhibit.lines,
        notes=exhibit.notes, figures=(figure,),
    )  # fmt: skip


def _assumed(found: Simulated) -> Exhibit:
    """What every scenario takes for true."""
    lines = tuple(
        Line(one.scenario.id, tuple(Cell(text) for text in (str(one.participants), *assumed(found, one))))
        for one in listed(found)[:MOST]
    )
    return _exhibit("assumed", tuple(words(f"head-{key}") for key in ("size", *ASSUMED)), lines)


def _exhibit(key: str, heads: tuple[Text, ...], lines: tuple[Line, ...]) -> Exhibit:
    return Exhibit(
        key, "", words(f"brief-title-{key}"), words("population"), words("lead"), heads, lines,
        notes=(words(f"brief-note-{key}"),),
    )  # fmt: skip
