"""What a page is made of: plain values that the desk reads out of the ledger for one person in one role.

The rule that must stay true: a view holds nothing that its reader may not see; the web adds no data to it.
Texts of the study are given as `Text` (the page picks the language); texts of the program as message keys.
No view holds an arm, an index or a position in a list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from equipoise.ledger.entries import Datum
from equipoise.protocol.windows import VisitState
from equipoise.words.canonical import Json
from equipoise.words.problem import Problem
from equipoise.words.text import Text

CellState = Literal[
    "not_planned", "not_started", "due", "entered_once", "to_settle", "in_progress", "complete", "omitted"
]
Flag = Literal["open", "answered"]
StepId = Literal["identity", "consent", "eligibility", "stratum", "randomize"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a command. `receipt` proves an accepted save; `seq` is the subject stream's seq after it."""

    accepted: bool
    problems: tuple[Problem, ...] = ()
    receipt: Mapping[str, str] = field(default_factory=dict)
    seq: int = 0
    at: str = ""
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """Something asked of the reader. `key` is a message; `subject` is a screening number.

    kind: consent_missing, ineligible, not_evaluable, stratum_not_evaluable, ready_to_confirm, ready_to_randomize,
    form_unfinished, query_open, second_door (no subject), and those of today.role_tasks.
    place: visit, form, repeat and item, as far as the task has them. since: an ISO date.
    """

    kind: str
    key: str
    arguments: Mapping[str, str]
    subject: str
    place: tuple[str, ...] = ()
    since: str = ""


@dataclass(frozen=True, slots=True)
class DueVisit:
    """One visit that is to be recorded. `first` and `last` are ISO days, empty while day 1 is not known.

    left: days until its window ends, negative once it has; None without one.
    """

    number: str
    site: str
    visit: str
    label: Text
    mode: str
    state: VisitState
    first: str = ""
    last: str = ""
    left: int | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of Today: its message, how many, of how many where there is a limit, and where they are listed."""

    key: str
    count: int
    of: int | None = None
    path: str = ""


@dataclass(frozen=True, slots=True)
class TodayView:
    """Three numbers of the role, what is asked, and for who works at a site the visits that are due."""

    screening: int
    randomized: int
    cap: int | None
    open_queries: int
    tasks: tuple[Task, ...]
    figures: tuple[Figure, ...] = ()
    visits: tuple[DueVisit, ...] = ()
    visits_in_all: int = 0


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """One line of the subjects list. `number` is the screening number, the name of a subject on every page."""

    number: str
    site: str
    status: str
    randomization_number: str | None
    screened_on: str
    open_queries: int
    forms_complete: int
    forms_planned: int


@dataclass(frozen=True, slots=True)
class VisitColumn:
    """One column of the matrix; `planned` and `window` are ISO dates once the anchor is known.

    state: of protocol.windows; `repeat` counts the times that an unscheduled visit was held; `mode` is how it is held.
    """

    id: str
    label: Text
    dated: str | None
    planned: str | None
    window: tuple[str, str] | None
    current: bool
    state: VisitState = "WAITING"
    repeat: int = 1
    mode: str = "clinic"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the matrix: what state the form is in at the visit, and whether a query hangs on it."""

    visit: str
    form: str
    state: CellState
    flag: Flag | None
    answered: int
    items: int
    repeat: int = 1
    """Of the visit, where it can be held more than once."""


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One form across the visits. `rows`: of a running list, how many rows it has; None for any other form."""

    form: str
    label: Text
    cells: tuple[Cell, ...]
    rows: int | None = None
    flag: Flag | None = None


@dataclass(frozen=True, slots=True)
class LogCell:
    """One cell of a log's row: what stands there, in words; None where it is empty."""

    label: Text
    shown: Text | None


@dataclass(frozen=True, slots=True)
class LogLine:
    """One row of a log. `visit` is LOG, or the visit of a row from before there was a log, which nobody changes.

    state: as of a form. `voided`: why it was marked as entered in error, by whom and when (site time); None: it counts.
    """

    visit: str
    repeat: int
    cells: tuple[LogCell, ...]
    state: CellState
    ongoing: bool
    flag: Flag | None
    voided: tuple[str, str, str] | None = None

    @property
    def name(self) -> str:
        """The row as a form of the page names it."""
        return f"{self.visit}:{self.repeat}"


@dataclass(frozen=True, slots=True)
class LogReview:
    """A review of a log: the visit, what it found (NO_CHANGE, CHANGED, NONE), how many rows went on, by whom, when."""

    visit: str
    visit_label: Text
    repeat: int
    outcome: str
    ongoing: int
    who: str
    at: str


@dataclass(frozen=True, slots=True)
class LogView:
    """A running list of a participant. `next_row` is the number of the row that comes next.

    `visits` are those that ask to go through the list: id, label, repetition, and whether that was done.
    """

    subject: str
    form: str
    form_label: Text
    columns: tuple[Text, ...]
    lines: tuple[LogLine, ...]
    next_row: int
    visits: tuple[tuple[str, Text, int, bool], ...]
    reviews: tuple[LogReview, ...]
    changed_since: bool
    may: frozenset[str]


@dataclass(frozen=True, slots=True)
class SubjectView:
    """The casebook page of one subject."""

    number: str
    site: str
    site_name: Text
    status: str
    randomization_number: str | None
    randomized_on: str | None
    consent: str
    verdict: str
    stratum_known: bool
    facts: tuple[tuple[str, str], ...]
    columns: tuple[VisitColumn, ...]
    rows: tuple[MatrixRow, ...]
    tasks: tuple[Task, ...]
    may: frozenset[str]
    rescreening_of: str | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """One answer that can be chosen. `key` is the keyboard key that chooses it."""

    code: str
    label: Text
    key: str = ""
    missing: bool = False


@dataclass(frozen=True, slots=True)
class QueryView:
    """A query on an item or form: state OPEN, ANSWERED or CLOSED, and its words in both languages."""

    id: str
    item: str
    state: str
    message: Text
    raised_at: str
    age_days: int
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class RangeView:
    """A laboratory value against its range: indicator L, N or H; ends as text; whose it is (empty: the study's)."""

    indicator: str
    low: str | None
    high: str | None
    laboratory: str
    since: str


@dataclass(frozen=True, slots=True)
class ItemView:
    """One question as the page shows it.

    control: choice (options as segmented buttons), text, number, date, time. `revealing` items are shown as
    “kept behind the second door” and take no value. `changed` says that the item has a history beyond its first value.
    `units` are further units that it may be written in. `offer`: an answer that may be taken over: its place, itself,
    its words and the words of its visit. `copied`: the visit that an answer was taken over from and is not confirmed.
    """

    id: str
    number: str
    label: Text
    control: Literal["choice", "text", "number", "date", "time"]
    section: Text | None
    help: Text | None
    unit: str | None
    options: tuple[Option, ...]
    missing: tuple[Option, ...]
    value: Datum
    shown: Text | None
    required: bool
    visible: bool
    revealing: bool
    changed: bool
    needs_why: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    measured: bool = False
    """A laboratory's number: "<0.5" is taken too."""
    offer: tuple[str, Datum, Text, Text] | None = None
    copied: Text | None = None
    queries: tuple[QueryView, ...] = ()
    range: RangeView | None = None
    """Of a laboratory value: how it stands against the range of the day."""
    event: str | None = None
    """Of a judgement that a value is significant: the test whose value may be opened as an event."""


@dataclass(frozen=True, slots=True)
class DerivedView:
    """A derived value; None until official. `bounds` is (low, high) while items are missing or untestable."""

    id: str
    label: Text
    value: str | None
    bounds: tuple[str, str] | None
    maximum: str | None
    missing: tuple[str, ...]
    untestable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TwiceView:
    """How far the double entry of a form is, and nothing of what was typed.

    stage: DUE (nobody typed it), FIRST, DIFFERS or SETTLED. `if_paper`: it is typed twice only where its source is
    paper. `first` and `second`: who typed and when (site time). `open`: the reader may work at the place.
    """

    stage: Literal["DUE", "FIRST", "DIFFERS", "SETTLED"]
    if_paper: bool = False
    first: tuple[str, str] | None = None
    second: tuple[str, str] | None = None
    open: bool = False


@dataclass(frozen=True, slots=True)
class DeadlineView:
    """A clock that runs: what is due, by when (site time), and whether that has passed."""

    label: Text
    due: str
    late: bool


@dataclass(frozen=True, slots=True)
class SignatureView:
    """One signature as it is printed: who, as what, when at the site, in which meaning; `broken`: it changed since."""

    by: str
    role: Text
    at: str
    meaning: str
    demo: bool
    broken: bool
    shown: str


@dataclass(frozen=True, slots=True)
class SignedView:
    """A signature of a form; where it is broken, what changed since: question, what was signed, what is there now."""

    signature: SignatureView
    changed: tuple[tuple[Text, Text | None, Text | None], ...] = ()


@dataclass(frozen=True, slots=True)
class FormView:
    """One form of one subject at one visit; `dated` is the visit's date (ISO) once it took place.

    `rules` are what the page evaluates while somebody types (desk.rules), none where nothing may be typed.
    `omitted`: that the whole form was not done, what was said, by whom and when (site time).
    `repetitions` are those that were begun, for a form that repeats, and the next one.
    `base` is the seq that the page has seen; it travels with each save. `previous` and `next` are visit, form, and
    the repetition where it is not the first.
    """

    subject: str
    visit: str
    visit_label: Text
    form: str
    form_label: Text
    repeat: int
    state: CellState
    base: int
    items: tuple[ItemView, ...]
    derived: tuple[DerivedView, ...]
    queries: tuple[QueryView, ...]
    missing_items: tuple[str, ...]
    editable: bool
    reason_needed: bool
    licence: Text | None = None
    previous: tuple[str, ...] | None = None
    next: tuple[str, ...] | None = None
    dated: str | None = None
    rules: Mapping[str, Json] = field(default_factory=dict)
    repetitions: tuple[int, ...] = ()
    omitted: tuple[Text, str, str, str] | None = None
    sources: int = 0
    """Scans of paper sources that are attached and not taken back."""
    log: bool = False
    """Whether it is a row of a running list."""
    deadline: DeadlineView | None = None
    grid: bool = False
    """Whether its repetitions are filled in as one table."""
    voided: str | None = None
    """Why the row was marked as entered in error; None where it counts."""
    signed: tuple[SignedView, ...] = ()
    """Signatures: the form's own, and that of the whole casebook."""
    twice: TwiceView | None = None
    """Of a form that two persons type from paper."""
    covered: tuple[Text, ...] = ()
    """The visits at which the reader is to score first: until then nothing of this form is in the view."""


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One change of one item: old → new, by whom (display name), in which role, when (UTC and site time), why."""

    item: str
    label: Text
    old: Text | None
    new: Text | None
    who: str
    role: str
    at: str
    at_site: str
    reason: str
    seq: int
    leaf: str


@dataclass(frozen=True, slots=True)
class CriterionView:
    """One line of the eligibility checklist: T, F or U, whether that is good, and in words why."""

    id: str
    category: Literal["inclusion", "exclusion"]
    text: Text
    result: Literal["T", "F", "U"]
    good: bool | None
    why: Text
    steps: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class ChecklistView:
    """The eligibility page."""

    number: str
    criteria: tuple[CriterionView, ...]
    decision: str
    confirmed: bool
    total: tuple[str, str] | None
    consent: str
    capacity: str
    may: frozenset[str]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the randomize stepper: done, open or blocked, with the problems that block it."""

    id: StepId
    state: Literal["done", "open", "blocked"]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class RandomizeView:
    """The stepper. After randomizing: a number, the time, and never an arm."""

    number: str
    initials: str | None
    steps: tuple[Step, ...]
    randomization_number: str | None
    randomized_at: str | None
    ready: bool
    weaker: bool = False
    """Whether the page says that the method's promise is weaker than that of a fixed list (minimization)."""


@dataclass(frozen=True, slots=True)
class Persona:
    """One card of the role chooser of a rehearsal."""

    user: str
    name: Text
    role: str
    site: str | None
    blind: Literal["blinded", "unblinded", "none"]
    key: str


@dataclass(frozen=True, slots=True)
class GridView:
    """A form as one table: the item whose terms are its rows, the terms, and one form for each."""

    item: str
    terms: tuple[Option, ...]
    rows: tuple[FormView, ...]
