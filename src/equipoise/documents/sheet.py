"""A sheet: a title, facts, tables, notes, lines to sign on. The form of every document that is filed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from equipoise.documents.typeset import Issue, pdf, words
from equipoise.words.text import Text

_WORDS = (
    "documents.sheet-rehearsal",
    "documents.sheet-none",
    "documents.sheet-role",
    "documents.sheet-signature",
    "documents.sheet-day",
)


@dataclass(frozen=True, slots=True)
class Fact:
    """One line: what it is, and what it is here. `exact`: digits and letters that may be compared one by one."""

    label: Text
    value: str
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table: `widths` are shares of the page, one for each column; every row has a cell for each."""

    caption: Text
    columns: tuple[Text, ...]
    widths: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]
    exact: bool = False

    def __post_init__(self) -> None:
        if len(self.widths) != len(self.columns) or any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError("a row of a table has a cell for every column")


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a filed document says. `wide`: on pages laid across, for tables of many columns."""

    heading: Text
    lead: Text | None = None
    facts: tuple[Fact, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[Text, ...] = ()
    signatures: tuple[Text, ...] = ()
    wide: bool = False


def sheet_pdf(sheet: Sheet, issue: Issue) -> bytes:
    """The sheet as PDF."""
    values: Mapping[str, object] = {
        "heading": sheet.heading,
        "lead": sheet.lead,
        "facts": [_fields(fact) for fact in sheet.facts],
        "tables": [_fields(table) for table in sheet.tables],
        "notes": list(sheet.notes),
        "signatures": list(sheet.signatures),
        "wide": sheet.wide,
        "words": words(_WORDS),
    }
    return pdf("sheet", sheet.heading, issue, values)


def _fields(part: Fact | Table) -> Mapping[str, object]:
    return {name: getattr(part, name) for name in asdict(part)}


def grouped(digits: str, size: int = 8) -> str:
    """Digits in groups that an eye can follow."""
    return " ".join(digits[place : place + size] for place in range(0, len(digits), size))
