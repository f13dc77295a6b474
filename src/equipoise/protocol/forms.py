"""Forms: what is captured, item by item, and what is checked when it is saved."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from equipoise.protocol.elements import Element, Expression, Name, Part, Words
from equipoise.words.dates import SixDigits

ItemType = Literal["text", "integer", "decimal", "date", "time", "code", "truth"]
"""`truth` is a yes or no (CDISC NY: Y, N); `date` may be partial unless `complete` is set; `time` is 24 h HH:MM."""

Blinding = Literal["open", "revealing"]
"""`revealing`: the value could tell the arm and belongs behind the second door."""


class EntryRules(Part):
    """How the sites of the study write. `six_digit_dates`: what 140826 means, 14 August 2026 or 26 August 2014."""

    six_digit_dates: SixDigits = "day_first"


class Term(Part):
    """A code and what people read."""

    code: str
    decode: Words
    concept: str | None = None


LOG = "LOG"
"""Where other forms have a visit, the rows of a log have this word: they are the participant's, not a visit's."""


class CodelistDefinition(Element):
    """A closed, ordered set of terms; `concept` is CDISC's codelist code where it publishes one."""

    id: Name
    terms: tuple[Term, ...]
    concept: str | None = None


class SdtmTarget(Part):
    """Where an item goes in SDTM: a variable of a domain, or a test of a findings domain.

    With `variable`, `test` is the term of the row that it stands in (a question asked by name: HYPERTENSION), and `of`
    the item whose row of findings it describes; without both it describes the row, or every row, of the form.
    """

    domain: str
    variable: str | None = None
    testcd: str | None = None
    test: str | None = None
    category: str | None = None
    of: Name | None = None


class Item(Element):
    """One question of a form.

    `minimum`/`maximum` are what is possible (beyond them a value is refused); `expected` is what is plausible
    (outside it a value is recorded and queried). `missing` are the codes offered instead of a value.
    `units` are further units in which a site may write a number; it is stored as written and in `unit`. Grams and moles
    meet through the molar mass of the `analyte` (words.units).
    `copy_forward`: the answer of the previous visit may be taken over, and is marked until somebody confirms it.
    `past`: a date that has come by the day on which it is written (a birth, a start long ago); six digits that would
    lie ahead are read in the century before (decision 0018).
    `visible_when` hides the item while the expression is not TRUE; a hidden item is neither required nor kept.
    """

    id: Name
    label: Words
    type: ItemType
    help: Words | None = None
    section: Words | None = None
    codelist: Name | None = None
    unit: str | None = None
    units: tuple[str, ...] = ()
    analyte: Name | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    expected: tuple[Decimal, Decimal] | None = None
    digits: int = 0
    complete: bool = False
    past: bool = False
    required: bool = True
    missing: tuple[str, ...] = ("ND", "UK", "NA", "RF")
    visible_when: Expression | None = None
    blinding: Blinding = "open"
    critical: bool = False
    copy_forward: bool = False
    sdtm: SdtmTarget | None = None
    no_target: str | None = None
    """Why an item goes nowhere in SDTM, where it does not."""


class Check(Element):
    """What should hold after a save. It fires only when the expression is FALSE, never on an unknown.

    `query`: the value is recorded and a query raised. `refuse`: the value is impossible and is not recorded.
    Names in the expression: the form's items, `score` (its instrument), and the study's inputs.
    `visits` limits it to the form at these visits; none named: wherever the form stands. A check that reads revealing
    items may speak on revealing items only; it is then a check of the second door.
    """

    id: Name
    holds: Expression
    items: tuple[str, ...]
    message: Words
    severity: Literal["query", "refuse"] = "query"
    visits: tuple[Name, ...] = ()


class Derivation(Element):
    """A value computed from the form after each save; a `revealing` one is computed behind the second door only."""

    id: Name
    label: Words
    rule: Expression
    unit: str | None = None
    blinding: Blinding = "open"
    sdtm: SdtmTarget | None = None


class Log(Part):
    """What makes a form a running list of a participant: its repetitions are rows, added at any time, never deleted.

    `columns` are the items that the list shows; `sort` those that order it, rows without a value last. `ongoing` is
    TRUE for a row that still goes on: it is confirmed at every visit at which the schedule has the form.
    """

    columns: tuple[Name, ...]
    sort: tuple[Name, ...] = ()
    ongoing: Expression | None = None


class Panel(Part):
    """What makes a form a laboratory's panel: its numbers are judged L, N or H by the range in force on the day.

    `sampled` is the item with the day of the sample. Rules of the form may ask `<ITEM>_IND` for the judgement.
    """

    sampled: Name


class Deadline(Part):
    """A clock on a form: `hours` after the moment in `day` and `time`, while `when` is TRUE and `met` is empty."""

    label: Words
    when: Expression
    day: Name
    time: Name | None = None
    hours: int
    met: Name | None = None


class DoubleEntry(Part):
    """What makes a form one that two persons type from its paper source, each without the other; a third settles.

    `sites` are the sites that work on paper; none named: every site. `written_on` is the item that says what the source
    is and `paper` its codes that mean paper: any other source is entered once. Without it the source is always paper.
    `settled_by` are the roles that settle what differs; none named: every role that may. `by_enterer`: it may be one of
    the two who typed. Source: GCDMP, data entry processes (double entry with third-party verification).
    """

    sites: tuple[str, ...] = ()
    written_on: Name | None = None
    paper: tuple[str, ...] = ()
    settled_by: tuple[Literal["investigator", "data_manager"], ...] = ()
    by_enterer: bool = False


class Form(Element):
    """One form. With `instrument`, the items of that scale stand in it after (or among) its own items.

    `parts` limits a scale to some of its subscales (ids of the instrument's totals), where a visit asks for part.
    With `log` the form is that of one row of a running list; what a visit asks is that the list is gone through.
    `hidden_from` names roles that never see the form: what happens around a dose can tell a rater the arm.
    With `double_entry` it is typed by two persons from paper before anything of it counts.
    """

    id: Name
    label: Words
    instrument: str | None = None
    parts: tuple[str, ...] = ()
    domain: str | None = None
    evaluator: Literal["INVESTIGATOR", "INDEPENDENT ASSESSOR", "STUDY SUBJECT", "CAREGIVER"] | None = None
    repeats: bool = False
    log: Log | None = None
    panel: Panel | None = None
    deadline: Deadline | None = None
    grid: Name | None = None
    """Of a form that repeats: the coded item whose terms, in order, are its repetitions; it is one table."""
    double_entry: DoubleEntry | None = None
    no_target: str | None = None
    """Why the items of the form go nowhere in SDTM, but for those that say where."""
    hidden_from: tuple[Name, ...] = ()
    items: tuple[Item, ...] = ()
    checks: tuple[Check, ...] = ()
    derivations: tuple[Derivation, ...] = ()

    def item(self, item_id: str) -> Item | None:
        """The form's own item of that id, or None (items of the instrument are not among them)."""
        return next((item for item in self.items if item.id == item_id), None)

    def tests(self) -> tuple[Item, ...]:
        """The numbers of a panel, which a laboratory has ranges for; none where the form is no panel."""
        if self.panel is None:
            return ()
        return tuple(
            item for item in self.items if item.type in {"integer", "decimal"} and item.blinding == "open"
        )


INDICATED = "_IND"
"""After a test's id: the name under which rules ask whether it is low, normal or high."""
INDICATORS = ("L", "N", "H")
"""Below, inside and above the range. Source: CDISC SDTMIG, --NRIND (here by its first letter)."""
