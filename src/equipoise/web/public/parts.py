"""The parts of the public page as plain values: what stands in each, not how it looks.

`str` is already in the reader's language (from the catalogue); `Text` is the study's or the record's own wording,
which the template marks with its language where that is not the page's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from equipoise.words.text import Text


@dataclass(frozen=True, slots=True)
class Said:
    """A value and, beneath it, what is to be known about it (an estimate, a label as registered, an assumption)."""

    value: Text | str
    note: Text | str | None = None


@dataclass(frozen=True, slots=True)
class Tile:
    """A fact at a glance: a figure and a few words."""

    figure: str
    words: str


@dataclass(frozen=True, slots=True)
class Point:
    """A criterion: its id, its words, its words in the other language where the study has them, and whether the
    public record has it."""

    id: str
    words: Text
    other: str | None
    other_language: str
    registered: bool = True


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the self-check: the points of the record that it asks about, numbered from 1."""

    number: int
    points: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Masked:
    """A role: whether it is masked, what that means, and whether the record says so."""

    label: Text
    masked: bool
    explanation: Text | None
    registered: bool


@dataclass(frozen=True, slots=True)
class Group:
    """An arm: name, type, description, and what is given."""

    label: Text
    kind: str
    description: Text | None
    treatments: tuple[tuple[str, Text], ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is measured. `level` in words; `assumed` where no public record says it."""

    level: str
    label: Text
    detail: Text | None
    visit: Text | None
    assumed: bool


@dataclass(frozen=True, slots=True)
class Encounter:
    """A planned visit: name, when, where, and what is done."""

    label: Text
    when: str
    mode: str
    activities: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A location: facility, the rest of its address, and its own recruitment status."""

    facility: str
    address: str
    status: str


@dataclass(frozen=True, slots=True)
class Contact:
    """A central contact, as published."""

    name: str
    phone: str | None
    phone_link: str
    email: str | None


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Public statements side by side, each with where it stands, and the reading of the study where it has one."""

    about: Text
    statements: tuple[tuple[str, str], ...]
    reading: Text | None


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the record as published."""

    path: str
    value: str
    source: str
    line: int | None


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where all this comes from and how old it is."""

    registry: str
    identifier: str
    url: str | None
    version: str | None
    retrieved: str | None
    age: str
    sources: tuple[str, ...]
    fields: tuple[Field, ...]
    not_understood: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PublicPage:
    """The whole page, its parts in the order of the registry's page; an empty part is one the record is silent on."""

    title: Text
    registry_title: Text
    official_title: Text | None
    sponsor: Text | None
    initial: str
    status: str
    tone: str
    phases: str
    tiles: tuple[Tile, ...]
    summary: Text | None
    questions: tuple[Question, ...]
    more_points: int
    why_stopped: Said | None
    conditions: tuple[Text, ...]
    keywords: tuple[Text, ...]
    treatments: tuple[tuple[str, Text, Text | None], ...]
    study_type: str
    funders: str
    funder_note: str
    identifiers: tuple[str, ...]
    about: tuple[Text, ...]
    description: tuple[Text, ...]
    enrolment: Said | None
    sex: str
    ages: str
    volunteers: str
    inclusion: tuple[Point, ...]
    exclusion: tuple[Point, ...]
    purpose: str
    allocation: str
    model: str
    masking: str
    masked: tuple[Masked, ...]
    groups: tuple[Group, ...]
    groups_stated: str
    outcomes_registered: tuple[Outcome, ...]
    outcomes_planned: tuple[Outcome, ...]
    dates: tuple[tuple[str, str, str], ...]
    visits: tuple[Encounter, ...]
    anchor: Text | None
    visits_assumed: bool
    location_count: int | None
    locations: Sequence[Place]
    contacts: tuple[Contact, ...]
    disagreements: tuple[Disagreement, ...]
    provenance: Provenance | None

    @property
    def planned_assumed(self) -> bool:
        """Whether every planned outcome is an assumption, so that it is said once for all."""
        return all(one.assumed for one in self.outcomes_planned)
