"""A statistical report as a value: tables, figures and listings in both languages, every number with its rows.

The rules that must stay true: a cell is a text that stands in every language, or a Text; a number names the rows that
it was counted from (`rows`), and a page of evidence lists them; the same value gives the same bytes in HTML and PDF;
a report in dummy arms says so on every page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from equipoise.words.text import Language, Text


@dataclass(frozen=True, slots=True)
class Evidence:
    """One row of a dataset that a number rests on: dataset, key (subject, parameter, visit …), ledger references."""

    dataset: str
    key: str
    entries: str


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a place of a table, and the rows that it was counted from."""

    text: Text | str = ""
    rows: tuple[Evidence, ...] = ()

    def say(self, language: Language) -> str:
        """The text in a language."""
        return self.text if isinstance(self.text, str) else self.text.say(language)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a table. `head`: it heads the lines below it. `indent`: steps to the right."""

    label: Text | str
    cells: tuple[Cell, ...] = ()
    indent: int = 0
    head: bool = False

    def say(self, language: Language) -> str:
        """The label in a language."""
        return self.label if isinstance(self.label, str) else self.label.say(language)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: its Vega-Lite description by language, and what it shows in words (for who does not see it)."""

    description: Mapping[Language, Mapping[str, Any]]  # Any: the notation, which is JSON
    alternative: Text


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One table, figure or listing. A figure has its numbers as a table below it.

    population: who it is about, with N. estimand: its name, where it answers one. lead: heading of the first column.
    """

    id: str
    section: str
    title: Text
    population: Text
    lead: Text
    columns: tuple[Text, ...]
    lines: tuple[Line, ...]
    estimand: Text | None = None
    notes: tuple[Text, ...] = ()
    figures: tuple[Figure, ...] = ()
    wide: bool = False

    def about(self, language: Language) -> str:
        """Who it is about, and its section of ICH E3 where it has one."""
        return self.population.say(language) + (f" · ICH E3 {self.section}" if self.section else "")


@dataclass(frozen=True, slots=True)
class Report:
    """The whole report. facts: label and value, on the first page. banner: what every page says, where it must.

    said: what it comes to in plain sentences, before everything else.
    """

    study: str
    title: Text
    cut: str
    rehearsal: bool
    banner: Text | None
    facts: tuple[tuple[Text, Text | str], ...]
    exhibits: tuple[Exhibit, ...]
    words: Mapping[str, Text] = field(default_factory=dict)
    said: tuple[Text, ...] = ()


def both_of(value: Text | str, language: Language) -> str:
    """A Text or a text that is the same in every language."""
    return value if isinstance(value, str) else value.say(language)
