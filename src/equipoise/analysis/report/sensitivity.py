"""The primary endpoint again, by every other analysis of the same question that the plan names.

The rules that must stay true: which analyses there are is data in the plan; each line says how many participants took
part, and of how many values were filled in; what cannot be worked out stands as its Problem below the table. Filling
in takes the values that a death set for values: they are part of the endpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from equipoise.analysis.datasets.dates import day_of, study_day
from equipoise.analysis.datasets.table import SUBJECT, Record, number
from equipoise.analysis.estimate import Wald
from equipoise.analysis.imputation.filling import Gaps
from equipoise.analysis.imputation.means import Imputed, fit_rules
from equipoise.analysis.report.comparing import NONE, Columns, ancova, arm_variable, not_fitted, varying
from equipoise.analysis.report.counting import Made, of_column
from equipoise.analysis.report.models import compared, fitted
from equipoise.analysis.report.run import Run, evidence, interval, known, p_value, texts
from equipoise.analysis.wins import Outcome, fit_winratio
from equipoise.documents.report import Cell, Line
from equipoise.protocol.analysis import Output, Variant
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text

ALPHA = 0.05
FILLED = ("imputed", "tipping")
"""The methods that fill gaps in, each by a rule."""
PRIMARY = (Variant(label=Text("MMRM", "MMRM"), method="mmrm"),)
"""What stands where a plan, such as one written before analyses could be named, names none."""


@dataclass(frozen=True)
class _Asked:
    """One line: the analysis, the analysed rows of its people, and the visit that the estimand is about."""

    run: Run
    output: Output
    variant: Variant
    rows: Sequence[Record]
    target: str

    @property
    def here(self) -> list[Record]:
        """The rows with a change at the target visit."""
        return [row for row in known(self.rows, "CHG") if row["AVISIT"] == self.target]


Answer = tuple[list[Cell], list[Text]]
"""Every arm against control with its p; and why there is none."""


def sensitivity(run: Run, output: Output) -> Made:
    """A line for every analysis of the output."""
    target = target_visit(run, output)
    rows = run.analysed(output, output.parameters[0])
    lines: list[Line] = []
    notes: list[Text] = []
    for variant in output.variants or PRIMARY:
        inside = {str(row[SUBJECT]) for row in run.members(variant.set or output.set)}
        mine = [
            row
            for row in rows
            if str(row[SUBJECT]) in inside and not (variant.alive and row["DTYPE"] == "DEATH")
        ]
        asked = _Asked(run, output, variant, mine, target)
        cells, why = _METHODS[variant.method](asked)
        lines.append(Line(variant.label, (*_counts(asked), *cells)))
        notes += [texts("at-visit", visit=variant.label, said=one) for one in why]
    used = {one.method for one in output.variants}
    for method, key in (("imputed", "imputed-note"), ("tipping", "tipping-note"), ("win ratio", "wins-note")):
        notes += [texts(key)] if method in used else []
    return tuple(lines), tuple(dict.fromkeys(notes))


def target_visit(run: Run, output: Output) -> str:
    """The analysis visit of the estimand's endpoint; the last one of the output where there is none."""
    estimand = next((one for one in run.study.estimands if one.id == output.estimand), None)
    endpoint = next((one for one in run.study.endpoints if estimand and one.id == estimand.endpoint), None)
    parameter = run.plan.parameter(output.parameters[0])
    windows = run.plan.windows_of(parameter) if parameter is not None else ()
    return next((one.id for one in windows if endpoint and one.visit == endpoint.visit), output.visits[-1])


def _counts(asked: _Asked) -> list[Cell]:
    """Who has a value at the target visit; where values are filled in, who takes part and how many of them lack it."""
    cells = []
    filled, ranked = asked.variant.method in FILLED, asked.variant.method == "win ratio"
    taking = {str(row[SUBJECT]) for row in (_ranked(asked) if ranked else _complete(asked))}
    for column in asked.run.columns(asked.output):
        mine = of_column(asked.here, column)
        if filled:
            people = taking & set(column.people)
            lacking = len(people - {str(row[SUBJECT]) for row in mine})
            cells.append(Cell(texts("filled", count=len(people), filled=lacking), evidence(mine)))
        else:
            size = len(taking & set(column.people)) if ranked else len(mine)
            cells.append(Cell(str(size), evidence(mine)))
    return cells


def _mmrm(asked: _Asked) -> Answer:
    model = fitted(asked.run, asked.output, asked.rows, corrected=asked.variant.corrected)
    return compared(asked.run, model, asked.target), [] if model.fit is not None else model.notes(asked.run)


def _ancova(asked: _Asked) -> Answer:
    return ancova(asked.run, asked.output, asked.here, corrected=asked.variant.corrected)


def _imputed(asked: _Asked) -> Answer:
    return _of_imputed(asked, lambda found, visit: _wald_cells(asked, found.at(visit)))


def _tipping(asked: _Asked) -> Answer:
    def shown(found: Imputed, visit: str) -> list[Cell]:
        delta = found.tipping_point(visit, ALPHA)
        said: Text | str = texts("tipping-none")
        if delta == 0.0:
            said = texts("tipping-zero", alpha=ALPHA)
        elif delta is not None:
            said = f"{delta:+.1f}"
        return [Cell(said, evidence(asked.here)), Cell()]

    return _of_imputed(asked, shown)


def _wald_cells(asked: _Asked, one: Wald) -> list[Cell]:
    behind = evidence(asked.here)
    return [Cell(interval(one.estimate, one.low, one.high), behind), Cell(p_value(one.p), behind)]


def _of_imputed(asked: _Asked, shown: Callable[[Imputed, str], list[Cell]]) -> Answer:
    """Every arm with control alone, gaps filled by the rule."""
    cells: list[Cell] = []
    why: list[Text] = []
    for arm in asked.run.arms.order[1:]:
        found = _rules(asked, arm)
        if isinstance(found, Mapping):
            visits = found[asked.variant.rule].visits
            cells += shown(found[asked.variant.rule], visits[_places(asked).index(asked.target)])
        else:
            cells += [NONE, NONE]
            why += [not_fitted(one) for one in found]
    return cells, why


def _places(asked: _Asked) -> list[str]:
    """The visits at which anybody has a value, in order."""
    seen = {str(row["AVISIT"]) for row in known(asked.rows, "CHG")}
    return [visit for visit in asked.output.visits if visit in seen]


def _complete(asked: _Asked) -> list[Record]:
    """A baseline row of everybody who has one: without it nothing can be filled in."""
    variable = arm_variable(asked.output)
    return [row for row in known(asked.rows, "AVAL") if row["ABLFL"] == "Y" and row[variable] is not None]


def _rules(asked: _Asked, arm: str) -> Mapping[str, Imputed] | tuple[Problem, ...]:
    """Every rule that the output asks for, of the same people, in one go; kept for the other lines."""
    run, variable = asked.run, arm_variable(asked.output)
    sides = (arm, run.arms.order[0])
    people = [row for row in _complete(asked) if row[variable] in sides]
    visits = _places(asked)
    if len({row[variable] for row in people}) < 2 or len(visits) < 2 or asked.target not in visits:
        return (problem("analysis_report.too-little", asked.output.id),)
    variant = asked.variant
    key = ("imputed", asked.output.id, arm, variant.set, variant.alive, variant.corrected)
    if key not in run.fits:
        wanted = dict.fromkeys(one.rule for one in asked.output.variants if one.method in FILLED)
        run.fits[key] = fit_rules(_planned(asked, people, visits), _gaps(asked, people, sides), list(wanted))
    found = run.fits[key]
    return found if isinstance(found, tuple | Mapping) else ()


def _gaps(asked: _Asked, people: Sequence[Record], sides: tuple[str, str]) -> Gaps:
    names = varying(asked.run, asked.output, people, corrected=asked.variant.corrected)
    return Gaps(
        model=" + ".join(("CHG ~ BASE * AVISIT + ARM * AVISIT", *names)),
        analysis=" + ".join(("BASE", "ARM", *names)),
        subject=SUBJECT, visit="AVISIT", arm="ARM", reference=sides[1], rule=asked.variant.rule,
        categorical=("ARM", *names),
    )  # fmt: skip


def _planned(
    asked: _Asked, people: Sequence[Record], visits: Sequence[str]
) -> Mapping[str, Sequence[float | str | None]]:
    """A row for everybody and every visit, empty where nothing was seen; visits as numbers, so that order is theirs."""
    run = asked.run
    seen = {(row[SUBJECT], row["AVISIT"]): number(row["CHG"]) for row in known(asked.rows, "CHG")}
    names = varying(run, asked.output, people, corrected=asked.variant.corrected)
    found: dict[str, list[float | str | None]] = {
        name: [] for name in (SUBJECT, "AVISIT", "ARM", "BASE", "CHG", *names)
    }
    for row in people:
        for place, visit in enumerate(visits):
            values = {
                SUBJECT: str(row[SUBJECT]), "AVISIT": str(place + 1),
                "ARM": str(row[arm_variable(asked.output)]), "BASE": number(row["AVAL"]),
                "CHG": seen.get((row[SUBJECT], visit)),
                **{name: run.level(row, name, corrected=asked.variant.corrected) for name in names},
            }  # fmt: skip
            for name, value in values.items():
                found[name].append(value)
    return found


def _ranked(asked: _Asked) -> list[Record]:
    """Rows of ADSL: who has a baseline and what is compared first, a date of day 1; of those alive, a change."""
    found = [asked.run.subjects[str(row[SUBJECT])] for row in _complete(asked)]
    changed = {str(row[SUBJECT]) for row in asked.here}
    if asked.variant.alive:
        return [row for row in found if str(row[SUBJECT]) in changed]
    return [row for row in found if day_of(row.get("REFDT")) is not None]


def _wins(asked: _Asked) -> Answer:
    """Death first (the later the better; not of those alive), then the change at the target visit; by strata."""
    run, variant, control = asked.run, asked.variant, asked.run.arms.order[0]
    parameter = run.plan.parameter(asked.output.parameters[0])
    lower = parameter is not None and parameter.better == "lower"
    change = Outcome("CHG", "lower" if lower else "higher", float(variant.margin))
    outcomes = [change] if variant.alive else [Outcome("DAYS", event="DIED"), change]
    people, behind = _ranked(asked), evidence(asked.here)
    undated = 0 if variant.alive else len(_complete(asked)) - len(people)
    cells: list[Cell] = []
    why = [texts("wins-undated", count=undated)] if undated else []
    for arm in run.arms.order[1:]:
        data = _ranking(asked, people, (arm, control))
        found = (
            fit_winratio(data, outcomes, "ARM", strata=("STRATUM",), reference=control)
            if len(set(data["ARM"])) > 1
            else (problem("analysis_report.too-little", asked.output.id),)
        )
        if isinstance(found, tuple) or found.win_ratio is None:
            cells += [NONE, NONE]
            why += [not_fitted(one) for one in found] if isinstance(found, tuple) else []
            continue
        one = found.win_ratio
        cells += [Cell(interval(one.ratio, one.low, one.high, 2), behind), Cell(p_value(one.p), behind)]
    return cells, why


def _ranking(asked: _Asked, people: Sequence[Record], sides: tuple[str, str]) -> Columns:
    """What two arms are compared by: days watched and death, where deaths are ranked, and the change."""
    variable = "TRT01A" if arm_variable(asked.output) == "TRTA" else "TRT01P"
    mine = [row for row in people if row.get(variable) in sides]
    changes = {str(row[SUBJECT]): number(row["CHG"]) for row in asked.here if row["DTYPE"] != "DEATH"}
    data: Columns = {
        "ARM": [str(row.get(variable)) for row in mine],
        "STRATUM": [str(row.get("STRATAC" if asked.variant.corrected else "STRATAR")) for row in mine],
        "CHG": [changes.get(str(row[SUBJECT])) for row in mine],
    }
    if not asked.variant.alive:
        days = [_watched(row, _last_day(asked)) for row in mine]
        data |= {"DAYS": [float(day) for day, _ in days], "DIED": [float(died) for _, died in days]}
    return data


def _last_day(asked: _Asked) -> int:
    parameter = asked.run.plan.parameter(asked.output.parameters[0])
    windows = asked.run.plan.windows_of(parameter) if parameter is not None else ()
    return next((one.target for one in windows if one.id == asked.target), 0)


def _watched(row: Record, last: int) -> tuple[int, bool]:
    """Days from day 1 (known) to death up to the target day, or to the end of watching; and whether death came."""
    died, ended = (study_day(row.get(name), row.get("REFDT")) for name in ("DTHDT", "EOSDT"))
    if died is not None and died <= last:
        return max(died, 1), True
    return (max(min(ended, last), 1) if ended is not None else last), False


_METHODS: Mapping[str, Callable[[_Asked], Answer]] = {
    "mmrm": _mmrm,
    "ancova": _ancova,
    "imputed": _imputed,
    "tipping": _tipping,
    "win ratio": _wins,
}
