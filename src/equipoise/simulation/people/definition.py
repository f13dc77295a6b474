"""What a model of people holds, once it was read: variables of a person and of a visit, forms, events, targets.

The rules that must stay true: a model is data, and every number in it names its source or says why it was assumed;
which forms, items and visits there are stands in the study, not here. Days are counted on one axis for each person: 0
is the day of screening.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from equipoise.simulation.people.draws import Draw
from equipoise.simulation.people.formula import Formula

MODEL_FILE = "people.yaml"
"""Beside study.yaml; not part of the definition of the trial, and not in its digest."""

CLOCK_NAMES = frozenset({"today", "visit", "w", "dosed_weeks", "dosed", "second", "doses", "site"})
"""What a formula may ask of the moment: the day on the person's axis, the visit's id, weeks since onset and since the
first dose (0 before it), days of the first and second dose, number of doses, site."""
COURSE_NAMES = (
    "wait", "never_infused", "misses_dose", "interrupted", "share", "dies", "death_day", "withdraws", "withdrawal_day",
    "lost", "lost_day", "misses_visit", "shift",
)  # fmt: skip
"""The draws of a course. `wait`: days from screening to day 1. Days of ends are study days (day 1 is the first dose).
`misses_dose`, `interrupted`, `share` are drawn for each dose, `misses_visit` and `shift` (days off plan) for each
visit."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a number stands in a model: its source, or the reason of an assumption."""

    source: str = ""
    because: str = ""


@dataclass(frozen=True, slots=True)
class Carried:
    """A quantity that is carried from visit to visit: stationary, with this spread and correlation of neighbours."""

    sd: float
    rho: float
    visits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """One named quantity of a person, or of a person at a moment."""

    name: str
    draw: Draw | Carried
    reason: Reason


@dataclass(frozen=True, slots=True)
class Failure:
    """One way to fail screening: which criterion, its share, what is otherwise about the person, who is taken."""

    criterion: str
    share: float
    set: Mapping[str, Draw]
    accept: Formula | None
    items: Mapping[str, Mapping[str, Draw]]
    reason: Reason


@dataclass(frozen=True, slots=True)
class Screening:
    """Who is taken as eligible (`eligible` holds at each of `visits`), and how many fail and by what."""

    eligible: Formula
    visits: tuple[str, ...]
    fails: float
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class Accrual:
    """How people arrive: screened for each open site and month, after a ramp; sites open one after another."""

    per_month: float
    ramp_days: float
    opens_every_days: float


@dataclass(frozen=True, slots=True)
class Shared:
    """A total whose points are shared out over its items: the easy ones first, with some noise.

    `easy`: difficulty by section or item of the scale, from easy to hard; what is not named stands in the middle.
    """

    total: str
    draw: Draw
    easy: Mapping[str, float]
    noise: float


@dataclass(frozen=True, slots=True)
class FormModel:
    """How one form is answered. `rows`: the item whose codes are its repetitions; `when`: whether it is answered."""

    items: Mapping[str, Draw]
    shared: tuple[Shared, ...]
    significance: Draw | None
    rows: str | None
    when: Formula | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class RowModel:
    """A row of a running list: whether a person has it, when it begins, ends (None: never) and becomes known."""

    id: str
    when: Formula | None
    names: Mapping[str, Draw]
    items: Mapping[str, Draw]
    reason: Reason


@dataclass(frozen=True, slots=True)
class EventModel:
    """An adverse event: its rate over 12 months without the active treatment, and the ratio under it."""

    id: str
    rate: Draw
    ratio: float
    names: Mapping[str, Draw]
    reason: Reason


@dataclass(frozen=True, slots=True)
class Events:
    """Adverse events and the form they stand on. `frailty`: variance of a person's own liability (mean 1)."""

    form: str
    frailty: float
    names: Mapping[str, Draw]
    items: Mapping[str, Draw]
    rows: tuple[EventModel, ...]
    marks: Mapping[str, Formula]


@dataclass(frozen=True, slots=True)
class DiaryModel:
    """How a form of the diary is answered: whether it is (`made`), by whom, and what; after which events it is begun.

    reporter: a draw of PARTICIPANT, ASSISTED or CAREGIVER.
    """

    made: Draw
    reporter: Draw
    items: Mapping[str, Draw]
    after: tuple[str, ...]
    reason: Reason


Measured = Literal["mean", "sd", "share", "correlation", "difference", "odds", "events"]


@dataclass(frozen=True, slots=True)
class Target:
    """A published or calibrated moment that the model is held to.

    Of a variable at a visit, or of its change from another visit (`since`): its mean or spread, the share of people for
    whom a condition holds, the correlation with another variable (`with_`); for a scenario, the difference of means
    between the active arm and the other, or the common odds ratio of a lower grade; or the share of people with an
    adverse event for which a condition holds. `within`: how far the model may lie off beside the error of sampling.
    """

    id: str
    measured: Measured
    of: Formula
    at: str
    since: str | None
    with_: Formula | None
    with_at: str | None
    scenario: str | None
    value: float
    within: float
    reason: Reason


@dataclass(frozen=True, slots=True)
class PeopleModel:
    """A model of the people of one study."""

    study: str
    sources: Mapping[str, str]
    scenarios: Mapping[str, Mapping[str, float]]
    default: str
    arms: Mapping[str, Mapping[str, float]]
    accrual: Accrual
    person: tuple[Variable, ...]
    state: tuple[Variable, ...]
    screening: Screening
    course: Mapping[str, Draw]
    forms: Mapping[str, FormModel]
    logs: Mapping[str, tuple[RowModel, ...]]
    events: Events | None
    diary: Mapping[str, DiaryModel]
    targets: tuple[Target, ...]
