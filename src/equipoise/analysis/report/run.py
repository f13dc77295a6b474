"""What every output is made from: the datasets, the plan, the arms, and who counts in which column.

The rules that must stay true: a column's N is the number of people of the set in that arm, and every percentage says of
whom it is; what is counted is handed on as rows, so that a number and its evidence cannot differ.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import get_args

from equipoise.analysis.arms import Arms
from equipoise.analysis.datasets.table import LEDGER, SUBJECT, Cell, Record, Table, meets, number
from equipoise.documents import report as page
from equipoise.documents.typeset import both
from equipoise.protocol.analysis import AnalysisPlan, Condition, Output
from equipoise.protocol.deviating import DeviationKind
from equipoise.protocol.forms import CodelistDefinition
from equipoise.protocol.study import Study
from equipoise.words.text import Text

_KEYS = ("PARAMCD", "AVISIT", "VISIT", "ADT", "AESEQ", "AETERM", "DOSE", "DVSPID", "REQUEST")
"""What tells the rows of one subject apart, in the datasets that have it."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: an arm (None: everybody) and its people, in the order of ADSL."""

    arm: str | None
    label: Text
    people: tuple[str, ...]

    @property
    def head(self) -> Text:
        """Name and N."""
        return texts("column", arm=self.label, count=len(self.people))


class Run:
    """One run of a plan."""

    def __init__(self, study: Study, datasets: Mapping[str, Table], arms: Arms) -> None:
        self.study = study
        self.datasets = datasets
        self.arms = arms
        self.fits: dict[object, object] = {}
        """What was fitted, by the rows that took part: two outputs of one model fit it once."""
        self._records: dict[str, list[Record]] = {}

    @property
    def plan(self) -> AnalysisPlan:
        """The study's plan."""
        return self.study.analysis

    def records(self, dataset: str | None) -> list[Record]:
        """The rows of a dataset, each with its name; none where there is no such dataset."""
        name = dataset or "ADSL"
        if name not in self._records:
            table = self.datasets.get(name)
            self._records[name] = (
                [{**row, "DATASET": name} for row in table.records()] if table is not None else []
            )
        return self._records[name]

    @cached_property
    def subjects(self) -> Mapping[str, Record]:
        """The rows of ADSL by subject."""
        return {str(row[SUBJECT]): row for row in self.records("ADSL")}

    def level(self, row: Record, name: str, *, corrected: bool = False) -> str:
        """The level of a variable of ADSL of a row's person; a stratum as randomized, or as corrected."""
        person = self.subjects[str(row[SUBJECT])]
        if corrected and name in self.plan.strata:
            levels = str(person.get("STRATAC")).split("/")
            return dict(zip(self.plan.strata, levels, strict=False)).get(name, "")
        return str(person.get(name))

    def members(self, set_id: str) -> list[Record]:
        """The people of an analysis set; of a set without a rule nobody."""
        rule = self.plan.rule(set_id)
        return [row for row in self.subjects.values() if rule is not None and row.get(rule.flag) == "Y"]

    def columns(self, output: Output) -> tuple[Column, ...]:
        """The columns of an output: its arms, then everybody where it asks for them."""
        people = self.members(output.set)
        variable = "TRT01A" if output.actual else "TRT01P"
        found = []
        if output.arms:
            for arm in self.arms.order:
                mine = tuple(str(row[SUBJECT]) for row in people if row.get(variable) == arm)
                found.append(Column(arm, self.arm_label(arm), mine))
        if output.total or not output.arms:
            found.append(Column(None, texts("total"), tuple(str(row[SUBJECT]) for row in people)))
        return tuple(found)

    def arm_label(self, arm: str) -> Text:
        """The arm's name in the study."""
        return next((one.label for one in self.study.arms if one.id == arm), Text(arm))

    def visit_label(self, output: Output, visit: str) -> Text:
        """The name of an analysis visit."""
        if visit == "BASELINE":
            return texts("baseline")
        windows = [one for windows in self.plan.windows for one in windows.windows if one.id == visit]
        return windows[0].label if windows else Text(visit)

    def variable_label(self, name: str) -> Text:
        """The name of a variable of a dataset, in both languages where the plan has it so."""
        plan = self.plan
        named: dict[str, Text] = {one.name: one.label for one in plan.subject_variables}
        named |= {one.name: one.label for one in plan.days} | {one.name: one.label for one in plan.presences}
        named |= {one.name: one.label for one in plan.bands}
        if name in named:
            return named[name]
        factors = self.study.randomization.factors if self.study.randomization is not None else ()
        for stratum, factor in zip(plan.strata, factors, strict=False):
            if stratum == name:
                return texts("stratum", factor=factor.label)
        if name in VARIABLES:
            return texts(f"variable-{name.lower()}")
        table = next((table for table in self.datasets.values() if name in table.labels), None)
        return Text(table.labels[name] if table is not None else name)

    def _codelist(self, name: str) -> CodelistDefinition | None:
        """The codelist of a variable: as the plan says, or that of the same name in the study."""
        planned = next((one.codelist for one in self.plan.subject_variables if one.name == name), None)
        wanted = planned or CODELISTS.get(name)
        return self.study.codelist(wanted) if wanted is not None else None

    def decode(self, name: str, value: Cell) -> Text:
        """What people read for a code of a variable."""
        code = str(value)
        bands = next((one.bands for one in self.plan.bands if one.name == name), ())
        if any(one.id == code for one in bands):
            return next(one.label for one in bands if one.id == code)
        if name == "SCRFREAS":
            return self._criteria(code)
        if name == "DVCAT":
            return both(f"deviations.severity-{code.lower()}")
        listed = self._codelist(name)
        if listed is not None:
            found = next((term.decode for term in listed.terms if term.code == code), None)
            if found is not None:
                return found
        if name == "ATOXGRN":
            return texts("grade", grade=code)
        factors = self.study.randomization.factors if self.study.randomization is not None else ()
        for named, factor in zip(self.plan.strata, factors, strict=False):
            if named == name:
                return next((level.label for level in factor.levels if level.code == code), Text(code))
        return texts(WORDS[code]) if code in WORDS else Text(code)

    def _criteria(self, code: str) -> Text:
        """The criteria that a screening failure names (“SCREEN FAILURE: I02, E04”), in the words of the study."""
        _, _, names = code.partition(": ")
        said = {one.id: one.text for one in self.study.criteria}
        told = [(name, said[name]) for name in names.split(", ") if name in said]
        if not told:
            return texts(WORDS["SCREEN FAILURE"])
        return Text(
            "; ".join(f"{name} {text.say('en')}" for name, text in told),
            "；".join(f"{name} {text.say('zh')}" for name, text in told),
        )

    def order(self, name: str, values: Iterable[str]) -> list[str]:
        """The values of a variable, in the order of its codelist, then by name."""
        listed = self._codelist(name)
        codes = [term.code for term in listed.terms] if listed is not None else []
        factors = self.study.randomization.factors if self.study.randomization is not None else ()
        for named, factor in zip(self.plan.strata, factors, strict=False):
            codes += [level.code for level in factor.levels] if named == name else []
        codes += [band.id for one in self.plan.bands if one.name == name for band in one.bands]
        return sorted(
            set(values), key=lambda value: (codes.index(value) if value in codes else len(codes), value)
        )

    def rows(self, output: Output, dataset: str | None, *conditions: Sequence[Condition]) -> list[Record]:
        """The rows of a dataset that meet all conditions, of the people of the output's set."""
        inside = {str(row[SUBJECT]) for row in self.members(output.set)}
        wanted = [condition for group in conditions for condition in group]
        return [row for row in self.records(dataset) if str(row[SUBJECT]) in inside and meets(row, wanted)]

    def analysed(self, output: Output, parameter: str) -> list[Record]:
        """The analysed rows of a parameter (ANL01FL) of the people of the output's set."""
        inside = {str(row[SUBJECT]) for row in self.members(output.set)}
        return [
            row
            for row in self.records(output.dataset)
            if row["PARAMCD"] == parameter
            and row["ANL01FL"] == "Y"
            and str(row[SUBJECT]) in inside
            and meets(row, output.where)
        ]


VARIABLES = ("AGE", "SEX", "RACE", "OUTCOME", "EXDURM", "SHARE", "EXVOL", "CELLS", "VIAB", "THAWMIN")
"""Variables that are not the plan's and have a name in both languages: `analysis_report.variable-age` and so on."""
CODELISTS: Mapping[str, str] = {
    "SEX": "SEX",
    "RACE": "RACE",
    "AEREL": "AEREL",
    "AESI": "AESI",
    "AEACN": "ACN",
    "AEOUT": "OUT",
    "DCSREAS": "NCOMPLT",
}
WORDS: Mapping[str, str] = {
    "Y": "yes",
    "N": "no",
    "COMPLETE": "code-complete",
    "STOPPED": "code-stopped",
    "NOT CODED": "code-not-coded",
    "DEATH": "code-death",
    "SCREEN FAILURE": "code-screen-failure",
    "WITHDRAWAL BY PARENT/GUARDIAN": "code-withdrawn-for",
    "LOW": "code-low",
    "HIGH": "code-high",
    **{
        kind.replace("_", " "): f"deviation-{kind.lower().replace('_', '-')}"
        for kind in get_args(DeviationKind)
    },
}
"""Codes that no codelist of a study has, and their names in the catalogue."""


def texts(key: str, **arguments: object) -> Text:
    """A message of the report in both languages; an argument may be a Text."""
    from equipoise.words.problem import say

    def given(language: str) -> dict[str, str]:
        return {
            name: (one.say("zh" if language == "zh" else "en") if isinstance(one, Text) else str(one))
            for name, one in arguments.items()
        }

    if not arguments:
        return both(f"analysis_report.{key}")
    return Text(
        say(f"analysis_report.{key}", "en", given("en")), say(f"analysis_report.{key}", "zh", given("zh"))
    )


def evidence(rows: Iterable[Mapping[str, Cell]]) -> tuple[page.Evidence, ...]:
    """The rows behind a number, as a page of evidence shows them."""
    found = []
    for row in rows:
        parts = [str(row[SUBJECT]), *(str(row[name]) for name in _KEYS if row.get(name) is not None)]
        found.append(page.Evidence(str(row["DATASET"]), " · ".join(parts), str(row.get(LEDGER) or "")))
    return tuple(found)


def count(rows: Sequence[Record], of: int | None = None) -> page.Cell:
    """A number of people with its percentage of `of`."""
    size = len({str(row[SUBJECT]) for row in rows})
    text = f"{size}" if of is None else f"{size} ({100 * size / of:.1f})" if of else f"{size} (–)"
    return page.Cell(text, evidence(rows))


def mean_sd(rows: Sequence[Record], variable: str) -> page.Cell:
    """n; mean (SD)."""
    values = numbers(rows, variable)
    if not values:
        return page.Cell("0")
    spread = f"{statistics.stdev(values):.1f}" if len(values) > 1 else "–"
    return page.Cell(
        f"{len(values)}; {statistics.fmean(values):z.1f} ({spread})", evidence(known(rows, variable))
    )


def known(rows: Iterable[Record], variable: str) -> list[Record]:
    """The rows in which a variable is a number."""
    return [row for row in rows if number(row.get(variable)) is not None]


def numbers(rows: Iterable[Record], variable: str) -> list[float]:
    """The numbers of a variable."""
    return [value for row in rows if (value := number(row.get(variable))) is not None]


def p_value(p: float) -> str:
    """p to three places, as a table shows it."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def interval(estimate: float, low: float, high: float, places: int = 1) -> str:
    """An estimate with its interval; zero has no sign."""
    return f"{estimate:z.{places}f} ({low:z.{places}f}, {high:z.{places}f})"
