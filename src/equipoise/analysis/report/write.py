"""The plan run: every output in the order of the plan, as one report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

from equipoise.analysis.arms import Arms
from equipoise.analysis.datasets.table import Table
from equipoise.analysis.report import (
    blinding,
    comparing,
    counting,
    figures,
    models,
    ratios,
    sensitivity,
    subgroups,
    surviving,
)
from equipoise.analysis.report.listing import listing
from equipoise.analysis.report.responding import responders
from equipoise.analysis.report.run import Run, texts
from equipoise.documents.report import Exhibit, Report
from equipoise.protocol.analysis import Output
from equipoise.protocol.study import Estimand, Study
from equipoise.words.text import Text

_TABLES: Mapping[str, Callable[[Run, Output], counting.Made]] = {
    "subjects": counting.subjects,
    "summary": counting.summary,
    "baseline": counting.baseline,
    "events": counting.events,
    "responders": responders,
    "shift": counting.shift,
    "distribution": models.distribution,
    "ratios": ratios.ratios,
    "subgroups": subgroups.subgroups,
    "blinding": blinding.blinding,
    "listing": listing,
}
_COMPARING: Mapping[str, Callable[[Run, Output], counting.Made]] = {
    "mmrm": models.mmrm,
    "visits": models.visits,
    "sensitivity": sensitivity.sensitivity,
}
_HEADS: Mapping[str, Callable[[Run, Output], tuple[Text, ...]]] = {
    **dict.fromkeys(_COMPARING, models.heads),
    "responders": comparing.share_heads,
    "distribution": comparing.odds_heads,
    "subgroups": subgroups.subgroup_heads,
    "ratios": ratios.ratio_heads,
}
_FIGURES: Mapping[str, Callable[[Run, Output], figures.Drawn]] = {
    "flow": figures.flow,
    "means": figures.means,
    "stacked": figures.stacked,
    "forest": figures.forest,
    "survival": surviving.survival,
}
_WORDS = ("contents", "rehearsal", "nobody", "back", "evidence", "rows", "dataset", "key", "entries", "table")


def write_report(
    study: Study,
    datasets: Mapping[str, Table],
    arms: Arms,
    until: dt.date,
    *,
    rehearsal: bool,
    outputs: Sequence[str] = (),
) -> Report:
    """The report of a study at a cut. datasets: derived, and the SDTM-shaped tables below them.

    outputs: ids of those that are wanted; all of the plan where none is named.
    """
    run = Run(study, datasets, arms)
    wanted = [one for one in study.analysis.outputs if not outputs or one.id in outputs]
    name = study.demo_id if rehearsal else study.id
    banner = {"dummy": texts("dummy"), "closed": texts("closed")}.get(arms.kind)
    return Report(
        name, texts("title", study=name), until.isoformat(), rehearsal, banner, _facts(run, name, until),
        tuple(exhibit(run, one) for one in wanted), report_words(),
    )  # fmt: skip


def report_words() -> Mapping[str, Text]:
    """What pages of a report say around its exhibits."""
    return {word: texts(f"word-{word}") for word in _WORDS}


def _facts(run: Run, name: str, until: dt.date) -> tuple[tuple[Text, Text | str], ...]:
    people = list(run.subjects.values())
    counts = (
        len(people),
        sum(bool(row.get("RANDNO")) for row in people),
        sum(bool(row.get("TRTSDT")) for row in people),
    )
    arms = run.arms
    source = (
        (texts("fact-seed"), run.plan.dummy_seed)
        if arms.kind == "dummy"
        else (texts("fact-file"), arms.digest)
    )
    return (
        (texts("fact-study"), Text(f"{name}: {run.study.title.en}", f"{name}：{run.study.title.say('zh')}")),
        (texts("fact-version"), run.study.version),
        (texts("fact-cut"), until.isoformat()),
        (texts("fact-arms"), texts(f"arms-{arms.kind}")),
        source,
        (texts("fact-people"), ", ".join(str(one) for one in counts)),
    )


def exhibit(run: Run, output: Output) -> Exhibit:
    """One output."""
    drawn: figures.Drawn
    if output.kind in _FIGURES:
        drawn = _FIGURES[output.kind](run, output)
    else:
        making = _COMPARING.get(output.kind) or _TABLES.get(output.kind)
        lines, notes = making(run, output) if making is not None else ((), ())
        drawn = (_columns(run, output), lines, (), notes)
    columns, lines, pictures, notes = drawn
    hidden = output.blinded is not None and run.arms.kind != "closed"
    blinded = (texts("blinded", why=output.blinded),) if hidden else ()
    return Exhibit(
        output.id, output.section, output.title, _population(run, output), _lead(output), columns, lines,
        _estimand(run, output), (*notes, *output.notes, *blinded), pictures, wide=len(columns) > 6,
    )  # fmt: skip


def _columns(run: Run, output: Output) -> tuple[Text, ...]:
    if output.kind == "listing":
        return tuple(one.label for one in output.columns)
    if output.kind in _HEADS:
        return _HEADS[output.kind](run, output)
    return tuple(one.head for one in run.columns(output))


def _lead(output: Output) -> Text:
    if output.kind == "listing":
        return texts("lead-subject")
    if output.kind == "sensitivity":
        return texts("lead-analysis")
    return texts("lead-line")


def _population(run: Run, output: Output) -> Text:
    found = next((one for one in run.study.analysis_sets if one.id == output.set), None)
    label = found.label if found is not None else Text(output.set)
    definition = found.definition if found is not None else Text("")
    return texts("population", set=label, definition=definition, count=len(run.members(output.set)))


def _estimand(run: Run, output: Output) -> Text | None:
    one: Estimand | None = next((each for each in run.study.estimands if each.id == output.estimand), None)
    if one is None:
        return None
    listed = [
        (each.event, texts(f"strategy-{each.strategy.replace(' ', '-')}")) for each in one.intercurrent_events
    ]
    events = Text(
        "; ".join(f"{event.en}: {strategy.en}" for event, strategy in listed) + ".",
        "；".join(f"{event.say('zh')}：{strategy.say('zh')}" for event, strategy in listed) + "。",
    )
    return texts(
        "estimand",
        name=one.id,
        summary=one.summary,
        variable=one.variable,
        population=one.population,
        events=events,
    )
