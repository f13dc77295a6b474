"""The analysis plan as data: which variables, parameters, windows and sets are derived, and which outputs are written.

The rule that must stay true: an output says what it counts, in which set and for which estimand; a program that runs
the plan knows no more of the trial than what stands here. Names of datasets and variables are those of ADaM.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from equipoise.protocol.elements import Element, Name, Part, Words

Variable = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,15}$")]
"""A variable of a dataset, as ADaM writes it."""
OutputId = Annotated[str, StringConstraints(pattern=r"^[TFL]-[0-9]{2}$")]


class Condition(Part):
    """What a row must be: one of the values, inside limits, or known at all. Conditions of a list hold together."""

    variable: Variable
    values: tuple[str, ...] = ()
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    known: bool | None = None


class SubjectVariable(Element):
    """A variable of ADSL from the first row of a domain that meets the conditions; `value` is the domain's variable."""

    name: Variable
    label: Words
    domain: Variable
    where: tuple[Condition, ...] = ()
    value: Variable
    kind: Literal["text", "number", "date"] = "text"
    codelist: Name | None = None


class Days(Element):
    """A variable of ADSL: whole days from one of its dates to another, plus one where `inclusive`."""

    name: Variable
    label: Words
    since: Variable
    until: Variable
    inclusive: bool = False


class Presence(Element):
    """A flag of ADSL: Y where a parameter has a value at one of the analysis visits (with `days`: on such a day)."""

    name: Variable
    label: Words
    parameter: Variable
    visits: tuple[Name, ...]
    days: tuple[int, int] | None = None


class Band(Part):
    """A range of a number, both ends in it."""

    id: Variable
    label: Words
    at_least: Decimal | None = None
    at_most: Decimal | None = None


class Bands(Element):
    """A variable of ADSL: in which band a number of ADSL lies; empty where it lies in none."""

    name: Variable
    label: Words
    of: Variable
    bands: tuple[Band, ...]


class TimeToEvent(Element):
    """A parameter of ADTTE: days from the first dose to the first of these; who has none is censored.

    death: death counts. events: so do adverse events that meet the conditions; none given, none counts.
    """

    id: Variable
    label: Words
    death: bool = True
    events: tuple[Condition, ...] = ()


class AnalysisWindow(Element):
    """An analysis visit: days counted from day 1, the target day, and the visit of the schedule that is meant."""

    id: Name
    label: Words
    visit: Name
    target: int
    days: tuple[int, int]


class Injury(Element):
    """Drug-induced liver injury (Hy's law): parameters and the multiples of their upper limits that are passed at once.

    Source: FDA guidance Drug-Induced Liver Injury, 2009.
    """

    enzymes: tuple[Variable, ...]
    enzyme_times: Decimal
    bilirubin: Variable
    bilirubin_times: Decimal


class WindowSet(Element):
    """Analysis visits whose days do not overlap, in the order of time."""

    id: Name
    windows: tuple[AnalysisWindow, ...]


class AnalysisParameter(Element):
    """A parameter (PARAMCD) of a dataset: one test of a domain, or the sum of several.

    forms: only values of these forms (ids), where a test stands on several. after_death: the value at every analysis
    visit after death, where the estimand says so. log: analysed as ratio. levels: the codes in their order of a test
    that is recorded in classes: the value (AVAL) is the class's place, from 1, and AVALC the class.
    hidden: its values stand behind the second door and are not in a report of the first.
    """

    id: Variable
    dataset: Literal["ADQS", "ADLB", "ADVS", "ADIM"]
    label: Words
    domain: Variable
    tests: tuple[Variable, ...]
    categories: tuple[str, ...] = ()
    forms: tuple[Name, ...] = ()
    levels: tuple[str, ...] = ()
    windows: Name
    better: Literal["higher", "lower"] | None = None
    after_death: Decimal | None = None
    log: bool = False
    hidden: bool = False
    unit: str | None = None


class Requirement(Part):
    """What a member of a set must meet in ADSL, and why somebody is left out who does not."""

    where: tuple[Condition, ...]
    reason: Words


class SetRule(Element):
    """How membership of an analysis set is derived: `flag` in ADSL is Y where every requirement holds."""

    set: Name
    flag: Variable
    requires: tuple[Requirement, ...]


class Line(Part):
    """A line of a table: the subjects (or events) that meet the conditions; `indent` steps to the right."""

    label: Words
    where: tuple[Condition, ...] = ()
    dataset: Variable | None = None
    indent: int = 0
    of: tuple[Condition, ...] = ()
    """Who its percentage is of; the table's set where it says nothing."""


class Threshold(Part):
    """A responder: a parameter's value (or change) at an analysis visit within limits."""

    label: Words
    parameter: Variable
    of: Literal["AVAL", "CHG"] = "AVAL"
    visits: tuple[Name, ...] = ()
    at_least: Decimal | None = None
    at_most: Decimal | None = None


class Variant(Part):
    """One analysis of a table of sensitivity analyses: the same question, answered otherwise.

    method: `mmrm`; `ancova` of one visit, errors robust; `imputed`: gaps filled by `rule`, errors by the jackknife;
    `tipping`: by how much the values so filled in must be moved until nothing is shown; `win ratio`: death, then the
    value, where a difference up to `margin` is a tie. set: another than the output's. alive: values set for death are
    left out. corrected: strata as corrected, not as randomized.
    """

    label: Words
    method: Literal["mmrm", "ancova", "imputed", "tipping", "win ratio"]
    set: Name | None = None
    alive: bool = False
    corrected: bool = False
    rule: Literal["mar", "j2r", "cr", "cir"] = "mar"
    margin: Decimal = Decimal(0)


class Asked(Part):
    """Whose guess of the arm is judged: a test of a domain at visits of the schedule.

    arms: answer -> arm that it names. unknown: the answer of who does not know. codelist: the words of the answers.
    """

    label: Words
    domain: Variable
    test: Variable
    visits: tuple[Name, ...]
    arms: Mapping[str, Name]
    unknown: str
    codelist: Name


class Listed(Part):
    """A column of a listing."""

    variable: Variable
    label: Words


class Output(Element):
    """One table, figure or listing. `kind` says how it is made; the other fields are what that kind asks for.

    core: one of the outputs that every report holds. arms: by arm (with a total where `total`), or in one column.
    target: the visit that it is about, where several take part.
    blinded: why a report of the first door holds no rows of it before the final release.
    """

    id: OutputId
    kind: Literal[
        "subjects", "summary", "baseline", "events", "visits", "mmrm", "sensitivity", "responders", "distribution",
        "ratios", "shift", "subgroups", "blinding", "listing", "flow", "means", "stacked", "forest", "survival",
    ]  # fmt: skip
    title: Words
    section: str
    set: Name
    estimand: Name | None = None
    core: bool = True
    arms: bool = True
    total: bool = False
    actual: bool = False
    dataset: Variable | None = None
    where: tuple[Condition, ...] = ()
    lines: tuple[Line, ...] = ()
    variables: tuple[Variable, ...] = ()
    parameters: tuple[Variable, ...] = ()
    visits: tuple[Name, ...] = ()
    target: Name | None = None
    by: tuple[Variable, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    columns: tuple[Listed, ...] = ()
    variants: tuple[Variant, ...] = ()
    asked: tuple[Asked, ...] = ()
    covariates: tuple[Variable, ...] = ()
    notes: tuple[Words, ...] = ()
    blinded: Words | None = None

    @property
    def type(self) -> Literal["T", "F", "L"]:
        """Table, figure or listing, as the id begins."""
        return "T" if self.id[0] == "T" else "F" if self.id[0] == "F" else "L"


class AnalysisPlan(Element):
    """The whole plan. `control`: the arm that others are compared with. `dummy_seed`: of blinded runs, public."""

    control: Name | None = None
    dummy_seed: str = "equipoise dummy arms 1"
    strata: tuple[Variable, ...] = ()
    subject_variables: tuple[SubjectVariable, ...] = ()
    days: tuple[Days, ...] = ()
    windows: tuple[WindowSet, ...] = ()
    parameters: tuple[AnalysisParameter, ...] = ()
    undosed_baseline_days: int = Field(default=0, ge=0)
    """Of somebody who was never dosed: days after randomization until which a value still counts as baseline."""
    baselines: tuple[Variable, ...] = ()
    """Parameters whose baseline is a variable of ADSL too: PARAMCD + `BL`."""
    presences: tuple[Presence, ...] = ()
    bands: tuple[Bands, ...] = ()
    times: tuple[TimeToEvent, ...] = ()
    injury: Injury | None = None
    related: tuple[str, ...] = ()
    """Codes of AEREL that count as related."""
    sets: tuple[SetRule, ...] = ()
    outputs: tuple[Output, ...] = ()
    share_interval: Literal["newcombe", "miettinen-nurminen"] = "newcombe"
    """The interval that stands beside a difference of shares over the strata."""

    def windows_of(self, parameter: AnalysisParameter) -> tuple[AnalysisWindow, ...]:
        """The analysis visits of a parameter; none where the plan has no such windows."""
        return next((one.windows for one in self.windows if one.id == parameter.windows), ())

    def parameter(self, code: str) -> AnalysisParameter | None:
        """The parameter of that code, or None."""
        return next((one for one in self.parameters if one.id == code), None)

    def rule(self, set_id: str) -> SetRule | None:
        """How a set's membership is derived, or None."""
        return next((one for one in self.sets if one.set == set_id), None)
