"""What a scale is: items, allowed scores, totals, licence and codes, as immutable values.

The rule that must stay true: a scale is data. Nothing here knows any one instrument; the five that ship are
read from `data/*.yaml`, and every fact in them carries the tag of its source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from equipoise.words.text import Text

Answer: TypeAlias = "int | str"
"""A score, or a code of words.codelists.MISSING (`UN` where the item offers it)."""

Direction = Literal["higher is worse", "higher is better"]
Rule = Literal["sum", "max"]


@dataclass(frozen=True, slots=True)
class ScoreOption:
    """One score that may be given, and our own short words for it."""

    score: int
    label: Text


@dataclass(frozen=True, slots=True)
class Untestable:
    """An item may be untestable. `counts` is what it adds to a total; None: no total can be given.

    `reason` says when the code is allowed; `explain` that the rater must write down why.
    """

    code: str
    reason: Text
    explain: bool
    counts: int | None


@dataclass(frozen=True, slots=True)
class ScaleItem:
    """One item. `optional` items need no answer and count in no total (a second alternative)."""

    id: str
    testcd: str
    test: str
    label: Text
    section: str
    options: tuple[ScoreOption, ...]
    untestable: Untestable | None = None
    optional: bool = False
    loinc: str | None = None
    note: Text | None = None

    def allows(self, score: int) -> bool:
        """Whether the score may be given."""
        return score in self.scores

    @property
    def scores(self) -> tuple[int, ...]:
        """The allowed scores, ascending."""
        return tuple(option.score for option in self.options)

    @property
    def minimum(self) -> int:
        """The lowest allowed score."""
        return self.options[0].score

    @property
    def maximum(self) -> int:
        """The highest allowed score."""
        return self.options[-1].score


@dataclass(frozen=True, slots=True)
class Total:
    """A score made of items: their sum, or the greatest of them. `testcd` is its SDTM test code.

    Values that no standard codes (NIHSS motor) bear their own name in `testcd`, and stand in `Scale.derived`.
    """

    testcd: str
    test: str
    label: Text
    items: tuple[str, ...]
    minimum: int
    maximum: int
    rule: Rule = "sum"
    loinc: str | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """`item` is scored only when every item of `opened_by` has its maximum; otherwise it counts 0."""

    item: str
    opened_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alternative:
    """Items of which one group counts. `counted` is the group in the totals; the others are kept apart."""

    id: str
    groups: Mapping[str, tuple[str, ...]]
    counted: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """Scores that go together: where every score of `given` holds, those of `expected` are usual.

    Another answer is possible and asks for a query, never for a refusal.
    """

    id: str
    given: Mapping[str, tuple[int, ...]]
    expected: Mapping[str, tuple[int, ...]]
    message: Text


@dataclass(frozen=True, slots=True)
class Band:
    """A named range of a total, both ends included."""

    low: int
    high: int
    label: Text


@dataclass(frozen=True, slots=True)
class Responder:
    """A definition of response, as data for an analysis plan: `measure` against `value`.

    `measure`: `score` the value itself, `change` value minus baseline, `percent change` of baseline.
    """

    id: str
    measure: Literal["score", "change", "percent change"]
    comparison: Literal["<=", ">="]
    value: Decimal
    label: Text
    source: str


@dataclass(frozen=True, slots=True)
class Measure:
    """How a measured quantity becomes a score: the first level whose `below` it stays under; None is no bound."""

    item: str
    unit: str
    levels: tuple[tuple[int, Decimal | None], ...]
    note: Text


@dataclass(frozen=True, slots=True)
class Licence:
    """Under which terms the scale may be used, and whose words stand in `label`s.

    `wording`: `own` our short words, usable on a form; `neutral` codes and numbers only: the sponsor's licensed
    text has to be put in (`worded`) before a rater can use the form.
    """

    holder: str
    terms: Text
    wording: Literal["own", "neutral"]


@dataclass(frozen=True, slots=True)
class Codes:
    """Codes of public terminologies for the scale; None where none is known."""

    loinc_panel: str | None = None
    loinc_total: str | None = None
    nci: str | None = None
    snomed: str | None = None
    test_codelist: str | None = None
    name_codelist: str | None = None


@dataclass(frozen=True, slots=True)
class Unscored:
    """A test code of the instrument that carries no score; its answers come from the sponsor's own form."""

    testcd: str
    test: str
    label: Text


@dataclass(frozen=True, slots=True)
class Scale:
    """One instrument in one version.

    `totals` have test codes and go into datasets; `derived` are further values for rules and displays.
    `main_total` is the total that a criterion or stratum means when it names the scale alone.
    `sources` maps each group of facts to its tag; `references` says what a `src:` tag stands for.
    """

    id: str
    name: Text
    version: str
    direction: Direction
    step: int
    items: tuple[ScaleItem, ...]
    totals: tuple[Total, ...]
    main_total: Total
    derived: tuple[Total, ...]
    sections: Mapping[str, Text]
    gates: tuple[Gate, ...]
    alternatives: tuple[Alternative, ...]
    expectations: tuple[Expectation, ...]
    measures: tuple[Measure, ...]
    bands: tuple[Band, ...]
    responders: tuple[Responder, ...]
    unscored: tuple[Unscored, ...]
    sdtm_domain: str
    category: str
    test_codes: Literal["CDISC", "sponsor"]
    codes: Codes
    citation: str
    licence: Licence
    evaluation_interval: str | None
    window: Text
    missing_rule: Text
    notes: tuple[Text, ...]
    sources: Mapping[str, str]
    references: Mapping[str, str]

    @property
    def minimum(self) -> int:
        """Lowest value of the main total."""
        return self.main_total.minimum

    @property
    def maximum(self) -> int:
        """Highest value of the main total."""
        return self.main_total.maximum

    def item(self, item_id: str) -> ScaleItem | None:
        """The item of that id, or None."""
        return next((item for item in self.items if item.id == item_id), None)

    def total(self, testcd: str) -> Total | None:
        """The total, or derived value, of that test code, or None."""
        return next((total for total in (*self.totals, *self.derived) if total.testcd == testcd), None)
