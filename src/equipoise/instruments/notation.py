"""The shape of an instrument file (`data/*.yaml`), before its parts are joined into a `Scale`.

Nothing beyond what is declared here is accepted. Option sets and selections of items are written once in a file
and named where they are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from equipoise.instruments.scales import Direction, Rule
from equipoise.words.text import Text

Filled = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Tag = Annotated[str, StringConstraints(pattern=r"^(gk|asm|own|src:[a-z0-9-]+)( .+)?$")]
"""Where a fact comes from: `gk` general knowledge of the field, `asm` an assumption of ours, `own` our own words,
`src:name` a source under `references`. A remark may follow."""
TestCode = Annotated[str, StringConstraints(pattern=r"^[A-Z_][A-Z0-9_]{0,7}$")]
"""SDTM --TESTCD: at most 8 characters, no digit first."""
TestName = Annotated[str, StringConstraints(min_length=1, max_length=40)]
"""SDTM --TEST: at most 40 characters."""


class Shape(BaseModel):
    """Base of the file's parts: immutable, nothing beyond what is declared, no silent conversion."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Labelled(Shape):
    """A text in both languages; English alone is not enough."""

    en: Filled
    zh: Filled

    def text(self) -> Text:
        """The label as a Text."""
        return Text(self.en, self.zh)


class UntestableShape(Shape):
    """An untestable rule, named and used by items. `counts` null: no total with it."""

    code: Literal["UN"]
    reason: Labelled
    explain: bool
    counts: int | None


class ItemShape(Shape):
    """One item; `options` and `untestable` name sets of the file."""

    id: Filled
    testcd: TestCode
    test: TestName
    label: Labelled
    section: Filled
    options: Filled | Mapping[int, Labelled]
    untestable: Filled | None = None
    loinc: Filled | None = None
    note: Labelled | None = None


class Selection(Shape):
    """Which items: by id, by section, and those of totals that stand before this one in the file."""

    items: list[Filled] = Field(default_factory=list)
    sections: list[Filled] = Field(default_factory=list)
    totals: list[Filled] = Field(default_factory=list)


class TotalShape(Shape):
    """A total with its declared range, which must be what its items make."""

    testcd: TestCode
    test: TestName
    label: Labelled
    of: Selection
    maximum: int
    minimum: int = 0
    rule: Rule = "sum"
    loinc: Filled | None = None


class DerivedShape(TotalShape):
    """A value without a test code: its name is in lower case and never goes into a dataset."""

    testcd: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]


class GateShape(Shape):
    """An item scored only when a section is full."""

    item: Filled
    opened_by: Selection


class AlternativeShape(Shape):
    """Groups of items of which one counts."""

    id: Filled
    groups: Mapping[Filled, list[Filled]]
    counted: Filled


class ExpectationShape(Shape):
    """Scores that go together."""

    id: Filled
    given: Mapping[Filled, list[int]]
    expected: Mapping[Filled, list[int]]
    message: Labelled


class LevelShape(Shape):
    """A score for quantities below a bound."""

    score: int
    below: Filled | None = None


class MeasureShape(Shape):
    """A score read off a quantity."""

    item: Filled
    unit: Filled
    levels: list[LevelShape]
    note: Labelled


class BandShape(Shape):
    """A named range of the main total."""

    low: int
    high: int
    label: Labelled


class ResponderShape(Shape):
    """A definition of response."""

    id: Filled
    measure: Literal["score", "change", "percent change"]
    comparison: Literal["<=", ">="]
    value: Filled
    label: Labelled
    source: Tag

    def number(self) -> Decimal:
        """The threshold."""
        return Decimal(self.value)


class UnscoredShape(Shape):
    """A test code without a score."""

    testcd: TestCode
    test: TestName
    label: Labelled


class LicenceShape(Shape):
    """Terms of use."""

    holder: Filled
    terms: Labelled
    wording: Literal["own", "neutral"]


class SdtmShape(Shape):
    """Where the scale stands in SDTM."""

    domain: Literal["RS", "FT", "QS"]
    category: Filled
    test_codes: Literal["CDISC", "sponsor"]


class CodesShape(Shape):
    """Codes of public terminologies."""

    loinc_panel: Filled | None = None
    loinc_total: Filled | None = None
    nci: Filled | None = None
    snomed: Filled | None = None
    test_codelist: Filled | None = None
    name_codelist: Filled | None = None


class ScaleShape(Shape):
    """One instrument file."""

    id: Filled
    name: Labelled
    version: Filled
    direction: Direction
    step: int = Field(ge=1)
    sdtm: SdtmShape
    codes: CodesShape
    citation: Filled
    licence: LicenceShape
    evaluation_interval: Annotated[str, StringConstraints(pattern=r"^-?P\d+[DWMY]$")] | None = None
    window: Labelled
    missing_rule: Labelled
    notes: list[Labelled] = Field(default_factory=list)
    sections: Mapping[Filled, Labelled]
    option_sets: Mapping[Filled, Mapping[int, Labelled]] = Field(default_factory=dict)
    untestable: Mapping[Filled, UntestableShape] = Field(default_factory=dict)
    items: list[ItemShape] = Field(min_length=1)
    totals: list[TotalShape] = Field(min_length=1)
    main_total: TestCode
    derived: list[DerivedShape] = Field(default_factory=list)
    gates: list[GateShape] = Field(default_factory=list)
    alternatives: list[AlternativeShape] = Field(default_factory=list)
    expectations: list[ExpectationShape] = Field(default_factory=list)
    measures: list[MeasureShape] = Field(default_factory=list)
    bands: list[BandShape] = Field(default_factory=list)
    responders: list[ResponderShape] = Field(default_factory=list)
    unscored: list[UnscoredShape] = Field(default_factory=list)
    sources: Mapping[Filled, Tag]
    references: Mapping[Filled, Filled]
